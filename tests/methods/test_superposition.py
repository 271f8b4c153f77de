# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Geometry on arrangements whose answers are known, and a theory held against the exact loss."""

import math

import pytest
import torch

from mi_course.methods import superposition as sp

TETRAHEDRON = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def side_by_side(*parts):
    """Groups of directions at right angles to each other."""
    return torch.block_diag(*parts)


def naive_dimensionality(W):
    found = []
    for one in W:
        heard = sum(((one / one.norm()) @ other) ** 2 for other in W)
        found.append(one.norm() ** 2 / heard)
    return torch.stack(found)


@pytest.mark.parametrize(
    ("W", "share"),
    [
        (torch.eye(3), 1),
        (torch.tensor([[1.0], [-1.0]]), 1 / 2),
        (sp.polygon(3), 2 / 3),
        (sp.polygon(5), 2 / 5),
        (TETRAHEDRON, 3 / 4),
    ],
    ids=["alone", "pair", "triangle", "pentagon", "tetrahedron"],
)
@pytest.mark.parametrize("size", [1.0, 1.3])
def test_even_arrangements_share_their_dimensions_evenly_at_any_size(W, share, size):
    assert torch.allclose(sp.feature_dimensionality(size * W), torch.full((len(W),), float(share)), atol=1e-5)


def test_dimensionality_is_its_formula_and_turning_changes_nothing():
    W = noise(7, 3)
    assert torch.allclose(sp.feature_dimensionality(W), naive_dimensionality(W), atol=1e-5)
    assert torch.allclose(sp.feature_dimensionality(sp.rotated(W)), naive_dimensionality(W), atol=1e-5)


def test_no_more_dimensions_are_shared_out_than_there_are():
    for seed in range(5):
        assert sp.feature_dimensionality(noise(30, 6, seed=seed)).sum() <= 6 + 1e-4


def test_a_feature_without_a_direction_has_no_dimension_and_hears_nothing():
    W = torch.cat([sp.polygon(3), torch.zeros(1, 2)])
    assert sp.feature_dimensionality(W)[-1] == 0
    assert sp.interference(W)[-1] == 0


def test_interference_counts_the_others_only():
    W = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    expected = [0.36, 0.64, (0.6 * 2) ** 2 + 0.8**2]
    assert torch.allclose(sp.interference(W), torch.tensor(expected), atol=1e-6)
    assert torch.equal(sp.interference(torch.eye(4)), torch.zeros(4))


def test_several_networks_are_measured_side_by_side():
    W = noise(2, 3, 6, 4)
    for measure in (
        sp.feature_dimensionality,
        sp.interference,
        sp.dimensions_per_feature,
        sp.represented,
        sp.purity,
    ):
        together = measure(W)
        for a in range(2):
            for b in range(3):
                assert torch.allclose(together[a, b].float(), measure(W[a, b]).float(), atol=1e-5)


def test_dimensions_per_feature_are_one_alone_and_a_half_in_pairs():
    assert sp.dimensions_per_feature(torch.eye(4)).item() == pytest.approx(1)
    assert sp.dimensions_per_feature(torch.cat([torch.eye(4), -torch.eye(4)])).item() == pytest.approx(1 / 2)


def test_shapes_are_found_with_their_names_whatever_way_they_are_turned():
    pair = torch.tensor([[1.0], [-1.0]])
    W = side_by_side(
        sp.polygon(5), pair, torch.ones(1, 1), sp.polygon(3), TETRAHEDRON, 0.2 * torch.ones(1, 1)
    )
    order = torch.randperm(len(W), generator=torch.Generator().manual_seed(0))
    found = sp.shapes(sp.rotated(W)[order])
    assert [shape.name for shape in found] == [
        "pentagon",
        "tetrahedron",
        "triangle",
        "antipodal pair",
        "alone",
    ]
    for shape, rows in zip(found, (range(5), range(11, 15), range(8, 11), range(5, 7), range(7, 8))):
        assert sorted(order[list(shape.features)].tolist()) == list(rows)


def test_what_is_uneven_or_has_no_name_is_told_in_numbers():
    lopsided = sp.polygon(5) * torch.tensor([1.0, 1.0, 1.0, 1.0, 0.6])[:, None]
    assert [shape.name for shape in sp.shapes(lopsided)] == ["5 in 2 dimensions"]
    assert [shape.name for shape in sp.shapes(sp.polygon(7))] == ["7 in 2 dimensions"]
    assert sp.shapes(torch.zeros(3, 2)) == []


def test_a_polygon_is_regular_and_begins_on_the_right():
    W = sp.polygon(5)
    assert torch.allclose(W[0], torch.tensor([1.0, 0.0]))
    neighbours = (W * W.roll(-1, dims=0)).sum(dim=1)
    assert torch.allclose(neighbours, torch.full((5,), math.cos(2 * math.pi / 5)), atol=1e-6)
    assert W[1, 1] > 0  # counter-clockwise


def expected_cost(W, b, density, importance):
    """The exact loss of a network of two features: over a fine grid of amounts, weighted by how often they occur."""
    amount = (torch.arange(200) + 0.5) / 200
    both = torch.cartesian_prod(amount, amount)
    cost = 0.0
    for on, chance in (
        ([0, 0], (1 - density) ** 2),
        ([1, 0], density * (1 - density)),
        ([0, 1], density * (1 - density)),
        ([1, 1], density**2),
    ):
        x = both * torch.tensor(on)
        error = (x - (x @ W @ W.T + b).relu()).square()
        cost += chance * (error * torch.tensor([1.0, importance])).sum(dim=1).mean().item()
    return cost


@pytest.mark.parametrize("density", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("importance", [0.2, 1.0, 3.0])
def test_the_costs_of_theory_are_those_of_networks_set_by_hand(density, importance):
    kept, shared = torch.tensor([[1.0], [0.0]]), torch.tensor([[1.0], [-1.0]])
    p, r = torch.tensor(density), torch.tensor(importance)
    ignored = expected_cost(kept, torch.tensor([0, density / 2]), density, importance)
    assert sp.loss_if_ignored(p, r).item() == pytest.approx(ignored, rel=1e-3)
    assert sp.loss_if_shared(p, r).item() == pytest.approx(
        expected_cost(shared, torch.zeros(2), density, importance), rel=1e-3
    )


def test_the_boundary_is_where_both_cost_the_same():
    importance = torch.tensor([0.1, 0.5, 1.0, 4.0])
    p = sp.phase_boundary(importance)
    less = importance.clamp(max=1)
    larger = importance.clamp(min=1)
    ignored = sp.loss_if_ignored(p, less)
    shared = sp.loss_if_shared(p, importance)
    assert torch.allclose(ignored, shared, atol=1e-6)
    assert torch.allclose(p[2], torch.tensor(4 / 7))
    assert (sp.phase(0.99 * p, importance) == 0).all()
    assert torch.equal(sp.phase((1.01 * p)[larger == 1], importance[larger == 1]), -torch.ones(3))
    assert sp.phase(1.01 * p[3:], importance[3:]).item() == 1


def test_what_a_network_made_of_two_features_is_read_on_the_same_scale():
    W = torch.tensor([[[1.0], [0.0]], [[0.9], [-0.9]], [[0.0], [-1.0]], [[1.0], [0.5]]])
    assert sp.trained_phase(W).tolist() == pytest.approx([-1, 0, 1, -0.5])


def test_purity_is_one_for_one_meaning_and_falls_with_more():
    W = torch.tensor([[1.0, 1.0, 0.0, 1.0], [0.0, -1.0, 0.0, 2.0]])
    purity = sp.purity(W)
    assert purity[[0, 1, 3]].tolist() == pytest.approx([1, 1 / 2, 4 / 5])
    assert purity[2].isnan()


def test_turning_keeps_lengths_and_angles_and_breaks_the_axes():
    W = torch.eye(6).expand(3, 6, 6)
    turned = sp.rotated(W, seed=1)
    assert torch.allclose(turned @ turned.mT, W @ W.mT, atol=1e-5)
    assert (sp.purity(turned) < 0.95).all()
    assert not torch.allclose(turned[0], turned[1])
    assert torch.equal(turned, sp.rotated(W, seed=1))
    assert not torch.equal(turned, sp.rotated(W, seed=2))


def test_turns_prefer_no_direction():
    """Where the first axis goes is spread evenly over the circle."""
    ends = sp.rotated(torch.eye(2).expand(2_000, 2, 2))[:, 0]
    assert ends.mean(dim=0).norm() < 0.08
    quarter = (torch.atan2(ends[:, 1], ends[:, 0]) / (math.pi / 2)).floor()
    assert all(abs((quarter == q).float().mean() - 0.25) < 0.04 for q in (-2, -1, 0, 1))
