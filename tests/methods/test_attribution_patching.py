"""The first-order estimate: exact where the model is linear, the slope of patching everywhere else."""

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.activation_patching import patch
from mi_course.methods.attribution_patching import attribute, compare
from mi_course.methods.metrics import at_position, logit_diff, top1
from mi_course.methods.patching_sites import HEAD_SITES, STREAM_SITES
from mi_course.models.activation_cache import point_name
from tests.models.small_transformers import CONFIGS, hooks_left, make, random_tokens

SITES = STREAM_SITES + HEAD_SITES
every_site = pytest.mark.parametrize("site", SITES)
CLEAN, CORRUPTED = random_tokens(4, 7, seed=1), random_tokens(4, 7, seed=2)


def metric(logits):
    return logit_diff(logits, 3, 4)


def double(config):
    return make(config).double().requires_grad_(False)


@pytest.fixture(scope="module")
def model():
    return double(CONFIGS["gpt2"])


def linear():
    """Attention-only, without norm, and every head looks at all positions alike: the stream is linear in itself."""
    model = double(CONFIGS["attention-only"])
    for block in model.blocks:
        block.attn.W_Q.zero_()
    return model


@pytest.mark.parametrize("direction", ["denoising", "noising"])
@pytest.mark.parametrize("site", ["resid_pre", "resid_post", "attn_out", "z", "v", "q", "k"])
def test_in_a_linear_model_the_estimate_is_patching_itself(site, direction):
    options = {"site": site, "direction": direction}
    estimated = attribute(linear(), CLEAN, CORRUPTED, metric, **options)
    real = patch(linear(), CLEAN, CORRUPTED, metric, **options)
    assert torch.allclose(estimated.by_example, real.by_example, atol=1e-9)
    assert bool(real.effect.abs().max() > 1e-3) is (site not in ("q", "k"))


def step_of(model, base, source, site, layer, column, size):
    """The metric with one cell moved by a share of the way to the source, in a whole run with a hook."""
    name = point_name(site, layer)
    _, cache = model.run_with_cache(source, name)

    def move(activation, name):
        moved = activation + size * (cache[name] - activation)
        new = activation.clone()
        where = (
            (slice(None), column)
            if site in (*STREAM_SITES, "pattern")
            else (slice(None), slice(None), column)
        )
        new[where] = moved[where]
        return new

    return metric(model.run_with_hooks(base, [(name, move)])[:, -1:])


@every_site
def test_the_estimate_is_the_slope_of_patching_at_its_beginning(model, site):
    base, source, tiny = CORRUPTED, CLEAN, 1e-5
    estimated = attribute(model, CLEAN, CORRUPTED, metric, site=site)
    for layer, column in ((0, 1), (1, 3), (2, len(estimated.columns) - 1)):
        ahead, back = (step_of(model, base, source, site, layer, column, size) for size in (tiny, -tiny))
        slope = (ahead - back) / (2 * tiny)
        found = estimated.by_example[layer, column] - estimated.base
        assert torch.allclose(found, slope, atol=1e-6 * (1 + slope.abs().max()))
    assert estimated.effect.abs().max() > 1e-3


@every_site
def test_labels_and_scale_are_those_of_patching(model, site):
    for direction in ("denoising", "noising"):
        options = {"site": site, "direction": direction, "positions": [2, -1], "unit": "logits"}
        estimated = attribute(model, CLEAN, CORRUPTED, metric, **options)
        real = patch(model, CLEAN, CORRUPTED, metric, **options)
        for name in ("rows", "columns", "site", "direction", "unit"):
            assert getattr(estimated, name) == getattr(real, name)
        for name in ("clean", "corrupted", "base"):
            assert torch.allclose(getattr(estimated, name), getattr(real, name))
        assert estimated.by_example.shape == real.by_example.shape


@pytest.mark.parametrize("site", HEAD_SITES)
def test_the_positions_of_a_head_add_up(model, site):
    def at(positions):
        return attribute(model, CLEAN, CORRUPTED, metric, site=site, positions=positions).effect

    assert torch.allclose(at(None), at([0, 1, 2]) + at([3, 4, 5, 6]))


def test_the_answer_is_read_where_it_is_asked_for(model):
    own = torch.tensor([6, 2, 4, 3])
    one_by_one = [
        attribute(model, CLEAN[i, None], CORRUPTED[i, None], metric, position=int(own[i])).by_example
        for i in range(4)
    ]
    together = attribute(model, CLEAN, CORRUPTED, metric, position=own)
    assert torch.allclose(together.by_example, torch.cat(one_by_one, dim=-1))
    everywhere = attribute(
        model, CLEAN, CORRUPTED, lambda logits: metric(at_position(logits, own)[:, None]), position=None
    )
    assert torch.allclose(everywhere.by_example, together.by_example)


@pytest.mark.parametrize("learns", [True, False])
def test_weights_keep_their_gradients_and_the_result_has_no_history(learns):
    model = make(CONFIGS["gpt2"]).requires_grad_(learns)
    with torch.no_grad():
        found = attribute(model, CLEAN, CORRUPTED, metric, site="z")
    assert found.effect.abs().max() > 1e-3
    assert not found.by_example.requires_grad
    assert all(weight.grad is None for weight in model.parameters())
    assert hooks_left(model) == 0


def test_the_comparison_is_1_with_itself_and_says_where_it_is_worst(model):
    real = patch(model, CLEAN, CORRUPTED, metric)
    same = compare(real, real)
    assert same.correlation == pytest.approx(1)
    assert same.mean_error == same.largest_error == 0
    estimated = attribute(model, CLEAN, CORRUPTED, metric)
    found = compare(estimated, real, n_worst=2)
    errors = (estimated.values - real.values).abs()
    assert found.mean_error == pytest.approx(float(errors.mean()))
    assert found.largest_error == pytest.approx(float(errors.max()))
    label, guess, truth = found.worst[0]
    assert abs(guess - truth) == pytest.approx(found.largest_error)
    row, column = divmod(int(errors.argmax()), errors.shape[1])
    assert label == real.label(row, column)
    assert len(found.worst) == 2
    pair = torch.stack([estimated.values.flatten(), real.values.flatten()])
    assert found.correlation == pytest.approx(float(torch.corrcoef(pair)[0, 1]))


def test_different_cells_are_not_compared(model):
    one = patch(model, CLEAN, CORRUPTED, metric, site="z")
    with pytest.raises(CourseError, match="differ in site and direction"):
        compare(attribute(model, CLEAN, CORRUPTED, metric, site="v", direction="noising"), one)


@pytest.mark.usefixtures("without_type_checks")
def test_what_has_no_gradient_is_refused(model):
    with pytest.raises(CourseError, match="no gradient"):
        attribute(model, CLEAN, CORRUPTED, lambda logits: top1(logits, 3))
    with pytest.raises(ZeroDivisionError):
        attribute(model, CLEAN, CORRUPTED, lambda logits: 1 / 0)
    with pytest.raises(CourseError, match="one number an example"):
        attribute(model, CLEAN, CORRUPTED, lambda logits: logits.sum())
    with pytest.raises(UnknownName, match="'denoising'"):
        attribute(model, CLEAN, CORRUPTED, metric, direction="denoised")
    with pytest.raises(UnknownName, match="'pattern'"):
        attribute(model, CLEAN, CORRUPTED, metric, site="patern")
    assert hooks_left(model) == 0
