"""Muon takes steps that are nearly orthogonal, whatever the gradient's size."""

import copy

import pytest
import torch

from mi_course.recipes.muon import Muon, orthogonalized


@pytest.mark.parametrize("shape", [(8, 8), (6, 24), (24, 6)])
def test_singular_values_come_near_one_and_directions_stay(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    found = u.T @ orthogonalized(matrix, iterations=10) @ vh.T
    assert found.diagonal().min() > 0.6
    assert found.diagonal().max() < 1.3
    assert (found - found.diagonal().diag()).abs().max() < 1e-3


def test_the_size_of_the_gradient_does_not_matter():
    matrix = torch.randn(5, 7, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(orthogonalized(matrix), orthogonalized(1000 * matrix), atol=1e-4)


def step(weight, grad, **group):
    parameter = torch.nn.Parameter(weight.clone())
    optimizer = Muon([{"params": [parameter], **group}], lr=0.1)
    parameter.grad = grad
    optimizer.step()
    return parameter.detach() - weight


def test_matrices_side_by_side_are_made_orthogonal_one_by_one():
    generator = torch.Generator().manual_seed(2)
    weight, grad = torch.randn(4, 12, generator=generator), torch.randn(4, 12, generator=generator)
    whole = step(weight, grad, parts=3)
    for number, part in enumerate(grad.chunk(3, dim=1)):
        alone = step(weight[:, :4], part)
        assert torch.allclose(whole[:, 4 * number : 4 * number + 4], alone, atol=1e-6)


def test_a_weight_with_three_axes_is_one_matrix():
    grad = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(3))
    cube = step(torch.zeros(2, 3, 5), grad)
    flat = step(torch.zeros(6, 5), grad.view(6, 5))
    assert torch.allclose(cube.view(6, 5), flat)


def test_it_finds_the_minimum_of_a_matrix_equation():
    generator = torch.Generator().manual_seed(4)
    goal, weight = torch.randn(6, 6, generator=generator), torch.nn.Parameter(torch.zeros(6, 6))
    optimizer = Muon([weight], lr=0.05)
    for number in range(200):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - number / 200)
        optimizer.zero_grad()
        (weight - goal).square().sum().backward()
        optimizer.step()
    assert (weight - goal).abs().max() < 0.05


def test_its_momentum_is_kept_with_its_state():
    grad = torch.randn(4, 4, generator=torch.Generator().manual_seed(5))
    one = torch.nn.Parameter(torch.zeros(4, 4))
    optimizer = Muon([one], lr=0.1)
    one.grad = grad
    optimizer.step()
    two = torch.nn.Parameter(one.detach().clone())
    resumed = Muon([two], lr=0.1)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for parameter, each in ((one, optimizer), (two, resumed)):
        parameter.grad = grad.T.clone()
        each.step()
    assert torch.equal(one, two)
