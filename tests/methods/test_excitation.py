"""Weights between two convolutions, read as excitation and inhibition."""

import pytest
import torch

from mi_course.methods import excitation
from tests.methods.striped_network import striped


def test_the_full_kernel_computes_what_the_grouped_convolution_computes():
    convolution = striped().convolutions[1]
    convolution.weight.normal_(generator=torch.Generator().manual_seed(1))
    images = torch.rand(2, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    plain = torch.nn.functional.conv2d(
        images, excitation.full_kernel(convolution), convolution.bias, padding=2
    )
    assert torch.allclose(plain, convolution(images), atol=1e-4)


def test_units_are_driven_by_whom_they_were_built_to_be_driven_by():
    table = excitation.net(striped())
    assert table.shape == (4, 8)
    assert table[0].tolist() == pytest.approx([1, -1, 0, 0, 0, 0, 0, 0], abs=1e-5)
    assert table[2, 4:].tolist() == pytest.approx([0, 0, 0, 0], abs=1e-5), "arranged weights cancel"


def test_later_layers_and_no_earlier_one():
    assert excitation.net(striped(), 3).shape == (4, 4)
    with pytest.raises(ValueError, match="convolutions 2 to 5"):
        excitation.net(striped(), 1)


def test_shuffling_keeps_each_units_weights_within_its_group():
    table = torch.arange(32.0).view(4, 8) + 1
    table[:2, 4:] = 0
    table[2:, :4] = 0
    mixed = excitation.shuffled(table, 2, seed=0)
    assert not torch.equal(mixed, table)
    assert torch.equal(mixed.sort(dim=1).values, table.sort(dim=1).values)
    assert (mixed[:2, 4:] == 0).all()
    assert (mixed[2:, :4] == 0).all()
    assert torch.equal(mixed, excitation.shuffled(table, 2, seed=0))
    assert not torch.equal(mixed, excitation.shuffled(table, 2, seed=1))
