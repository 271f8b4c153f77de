"""A product of two thin matrices answers as the whole matrix does."""

import pytest
import torch

from mi_course.methods.low_rank import LowRank


def thin(rows=9, inner=3, columns=9, seed=0, lead=()):
    generator = torch.Generator().manual_seed(seed)
    shapes = (*lead, rows, inner), (*lead, inner, columns)
    return LowRank(*(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes))


def by_size(eigenvalues):
    return torch.stack(sorted(eigenvalues, key=lambda x: (-round(abs(x.item()), 6), x.imag.item())))


@pytest.mark.parametrize(("rows", "inner", "columns"), [(9, 3, 9), (4, 4, 7), (5, 8, 6), (6, 1, 6)])
def test_norm_and_singular_values_are_those_of_the_whole_matrix(rows, inner, columns):
    matrix = thin(rows, inner, columns)
    whole = matrix.left @ matrix.right
    assert matrix.shape == whole.shape
    assert torch.equal(matrix.full(), whole)
    assert torch.allclose(matrix.norm(), whole.norm())
    expected = torch.linalg.svdvals(whole)[:inner]
    assert matrix.singular_values().shape == (inner,)
    assert torch.allclose(matrix.singular_values()[: len(expected)], expected)
    assert not matrix.singular_values()[len(expected) :].any()


def test_its_eigenvalues_are_the_largest_of_the_whole_matrix_and_the_others_are_zero():
    matrix = thin()
    whole = by_size(torch.linalg.eigvals(matrix.full()))
    assert torch.allclose(by_size(matrix.eigenvalues()), whole[:3])
    assert whole[3:].abs().max() < 1e-8


def test_rows_and_diagonal_are_those_of_the_whole_matrix():
    matrix = thin()
    assert torch.allclose(matrix.rows([2, 5]), matrix.full()[[2, 5]])
    assert torch.allclose(matrix.rows(slice(1, 4)), matrix.full()[1:4])
    assert torch.allclose(matrix.diagonal(), matrix.full().diagonal())


def test_many_matrices_at_once_answer_each_for_itself():
    matrices = thin(lead=(2, 4))
    assert matrices.shape == (2, 4, 9, 9)
    one = matrices[1, 3]
    assert torch.allclose(matrices.norm()[1, 3], one.norm())
    assert torch.allclose(matrices.diagonal()[1, 3], one.full().diagonal())
    assert torch.allclose(by_size(matrices.eigenvalues()[1, 3]), by_size(one.eigenvalues()))
    assert torch.allclose(matrices.rows([0])[1, 3], one.full()[:1])


@pytest.mark.parametrize("chunk", [1, 4, 1000])
def test_the_share_of_rows_whose_largest_entry_is_on_the_diagonal(chunk):
    eye = torch.eye(6)
    assert LowRank(eye, eye).largest_on_diagonal(chunk=chunk) == 1
    assert LowRank(eye, eye.roll(1, dims=1)).largest_on_diagonal(chunk=chunk) == 0
    half = torch.diag(torch.tensor([1.0, 1, 1, -1, -1, -1]))
    assert LowRank(eye, half).largest_on_diagonal(chunk=chunk) == 0.5
    matrix = thin(40, 5, 40)
    expected = (matrix.full().argmax(1) == torch.arange(40)).double().mean().item()
    assert matrix.largest_on_diagonal(chunk=chunk) == pytest.approx(expected)


def test_what_only_a_square_matrix_has_is_not_asked_of_another():
    matrix = thin(9, 3, 8)
    for ask in (matrix.diagonal, matrix.eigenvalues, matrix.largest_on_diagonal):
        with pytest.raises(ValueError, match=r"Only a square matrix has .*\(9, 8\)"):
            ask()
    with pytest.raises(ValueError, match=r"several matrices.*choose one"):
        thin(lead=(2,)).largest_on_diagonal()
