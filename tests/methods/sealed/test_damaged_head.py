"""One head is broken as it was asked, and only that one."""

import pytest
import torch

from mi_course.errors import UnknownName
from mi_course.methods.sealed.damaged_head import DAMAGES, damage
from tests.models.small_transformers import CONFIGS, make, random_tokens


@pytest.fixture(scope="module")
def model():
    return make(CONFIGS["gpt2"]).requires_grad_(False)


def written(model, layer, head):
    """Where a head looks, and what it writes into the stream."""
    with torch.no_grad():
        _, cache = model.run_with_cache(random_tokens())
    return cache["pattern", layer][:, head], cache["z", layer][:, :, head] @ model.blocks[layer].attn.W_O[
        head
    ]


def test_a_blind_head_looks_everywhere_alike(model):
    pattern, _ = written(damage(model, "L1H2", "blind"), 1, 2)
    counts = torch.arange(1, pattern.shape[-1] + 1)
    assert torch.allclose(pattern, (1 / counts)[:, None].expand_as(pattern).tril(), atol=1e-6)


@pytest.mark.parametrize(("how", "factor"), [("mute", 0), ("inverted", -1)])
def test_a_mute_or_inverted_head_looks_as_before_and_writes_something_else(model, how, factor):
    (before, wrote), (after, writes) = written(model, 1, 2), written(damage(model, "L1H2", how), 1, 2)
    assert torch.equal(before, after)
    assert torch.allclose(writes, factor * wrote)


@pytest.mark.parametrize("how", DAMAGES)
def test_every_other_weight_is_as_it_was(model, how):
    broken = damage(model, "L1H2", how)
    for layer, (mine, its) in enumerate(zip(model.blocks, broken.blocks)):
        for name in ("W_Q", "W_K", "W_V", "W_O"):
            same = [torch.equal(a, b) for a, b in zip(getattr(mine.attn, name), getattr(its.attn, name))]
            changed = (layer, name) == (1, "W_Q" if how == "blind" else "W_O")
            assert same == [True, True, not changed, True]
    assert torch.equal(model.W_in, broken.W_in)


def test_what_is_not_there_is_refused(model, without_type_checks):
    with pytest.raises(UnknownName, match="damage"):
        damage(model, "L1H2", "deaf")
    with pytest.raises(UnknownName, match="head"):
        damage(model, "L9H0", "mute")
