"""A run taken up in the middle gives what a whole run gives, for any change of the stream."""

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.methods.suffix_run import Change, PlainRun
from tests.models.small_transformers import CONFIGS, hooks_left, make, random_tokens

N, POS = 3, 7
TOKENS = random_tokens(N, POS)
POINTS = ["resid_pre", "resid_mid", "resid_post"]


@pytest.fixture(scope="module")
def model():
    return make(CONFIGS["gpt2"]).requires_grad_(False)


def noise(first, last, d_model, seed):
    return torch.randn(N, last + 1 - first, d_model, generator=torch.Generator().manual_seed(seed))


def at_every_depth(model, first, last):
    """One change at each depth, and the points at which a whole run would make it."""
    n_layers, d_model = model.config.n_layers, model.config.d_model
    for depth in range(2 * n_layers + 1):
        layer, behind_attention = divmod(depth, 2)
        point = ("resid_mid", layer) if behind_attention else ("resid_pre", layer)
        point = ("resid_post", n_layers - 1) if layer == n_layers else point
        added = noise(first, last, d_model, seed=depth)
        yield Change(depth, first, last, lambda rows, added=added: added[rows]), point, added


def whole_run(model, point, added, first, last):
    def add(resid, name):
        changed = resid.clone()
        changed[:, first : last + 1] += added
        return changed

    return model.run_with_hooks(TOKENS, [(f"blocks.{point[1]}.hook_{point[0]}", add)])


@pytest.mark.parametrize(("first", "last"), [(0, 6), (2, 4), (5, 5), (6, 6)])
@pytest.mark.parametrize("position", [-1, 4, None])
def test_a_change_at_any_depth_gives_what_a_whole_run_gives(model, first, last, position):
    cases = list(at_every_depth(model, first, last))
    run = PlainRun.of(model, TOKENS, POINTS, position=position)
    if position == 4:  # what is behind the position that is read is not run, so a change cannot reach there
        last = min(last, 4)
        cases = [
            (
                Change(c.depth, first, last, lambda rows, a=a: a[rows, : last + 1 - first]),
                p,
                a[:, : last + 1 - first],
            )
            for c, p, a in cases
        ]
    found = dict(run.changed_logits([change for change, _, _ in cases], chunk_size=5))
    assert sorted(found) == list(range(len(cases)))
    for number, (_, point, added) in enumerate(cases):
        logits = whole_run(model, point, added, first, last)
        read = logits if position is None else logits[:, position, None]
        assert torch.allclose(found[number], read, atol=1e-4)


def test_the_plain_run_is_the_models_own(model):
    for position in (-1, 2, None):
        logits = model(TOKENS)
        read = logits if position is None else logits[:, position, None]
        assert torch.allclose(
            PlainRun.of(model, TOKENS, chunk_size=2, position=position).logits(), read, atol=1e-5
        )


def test_changes_come_back_with_their_number_whatever_the_order(model):
    mixed = [case[0] for first in (4, 1, 6) for case in at_every_depth(model, first, first)]
    run = PlainRun.of(model, TOKENS, POINTS)
    together = dict(run.changed_logits(mixed))
    for number in (0, 3, 8, len(mixed) - 1):
        [(_, alone)] = run.changed_logits([mixed[number]])
        assert torch.allclose(together[number], alone, atol=1e-5)


def test_a_model_with_hooks_is_not_run(model):
    with (
        model.hooks([("hook_embed", lambda x, name: x)]),
        pytest.raises(CourseError, match="Hooks are active"),
    ):
        PlainRun.of(model, TOKENS)
    assert hooks_left(model) == 0
