"""Ascent finds what we built into a small network, alone and in batches, and leaves the network as it was."""

import pytest
import torch

from mi_course.data.gratings import grating
from mi_course.errors import CourseError, UnknownName
from mi_course.methods import feature_visualization, filters
from mi_course.methods.feature_visualization import Ascent, evaluate, robustness, visualize
from mi_course.methods.image_parameterisation import fine_share
from mi_course.methods.objectives import channel, contrast, diversity, layer, neuron, total_variation
from mi_course.methods.random_transforms import RandomTransforms
from tests.methods import striped_network


@pytest.fixture(scope="module")
def model():
    return striped_network.striped()


QUICK = {"steps": 12, "side": 24, "learning_rate": 0.2}


def stripes(image):
    return float(filters.orientation((image - 0.5)[None])[0][0])


@pytest.mark.parametrize("parameterisation", ["fourier", "pixels"])
def test_a_striped_filter_gets_its_stripes(model, parameterisation):
    objective = neuron("conv1.pre", [0, 1, 2, 3])
    found = visualize(model, objective, parameterisation=parameterisation, transforms=None, **QUICK)
    for image, degrees in zip(found.images, striped_network.DEGREES):
        seen = image[:, 8:17, 8:17]  # the middle cell's field
        off = (stripes(seen) - degrees) % 180
        assert min(off, 180 - off) < 8
    gratings = [grating(degrees, striped_network.FREQUENCY, side=24) for degrees in striped_network.DEGREES]
    assert (found.reached > evaluate(model, objective, torch.stack(gratings))).all()


def test_the_result_is_labelled_and_its_numbers_agree(model):
    objective = channel("conv1.pre", [0, 1])
    found = visualize(model, objective, **QUICK)
    assert found.labels == ("conv1 channel 0", "conv1 channel 1")
    assert found.curve.shape == (12, 2)
    assert (found.curve[-1] > found.curve[0]).all()
    assert found.images.min() >= 0
    assert found.images.max() <= 1
    with torch.no_grad():
        _, cache = model.run_with_cache(found.images, ["conv1.pre"])
    expected = [cache["conv1.pre"][i, i].mean().item() for i in range(2)]
    assert found.reached.tolist() == pytest.approx(expected, abs=1e-5)
    assert evaluate(model, objective, found.images).tolist() == pytest.approx(expected, abs=1e-5)
    assert not found.images.requires_grad


def test_a_seed_repeats_and_another_one_does_not(model):
    one, same, other = (
        visualize(model, channel("conv2.pre", 0), seed=seed, **QUICK).images for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.allclose(one, other, atol=0.02)


def test_images_of_a_batch_do_not_see_each_other(model):
    options = QUICK | {"transforms": None, "parameterisation": "pixels"}
    alone = visualize(model, channel("conv2.pre", 0), **options)
    first = visualize(model, channel("conv2.pre", [0, 2]), **options)
    assert torch.allclose(alone.images[0], first.images[0], atol=1e-4)


def test_the_network_stays_as_it_was_and_no_hook_remains():
    fresh = striped_network.striped().requires_grad_(True)
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    with torch.no_grad():
        visualize(fresh, neuron("fc6.pre", 1) - contrast(), **QUICK)
    assert all(torch.equal(value, before[name]) for name, value in fresh.state_dict().items())
    assert all(p.grad is None for p in fresh.parameters())
    assert not any(module._forward_hooks for module in fresh.modules())


def test_layers_behind_the_last_point_are_not_run(model):
    def never(activation, name):
        raise AssertionError("ran on")

    with model.hooks([("conv3.pre", never)]):
        visualize(model, channel("conv2.pre", 0), **QUICK)


def test_penalties_calm_the_picture(model):
    loud = visualize(model, channel("conv1.pre", 0), **QUICK)
    calm = visualize(model, channel("conv1.pre", 0) - 5 * contrast(), **QUICK)
    smooth = visualize(model, channel("conv1.pre", 0) - 5 * total_variation(), **QUICK)
    measure = {"contrast": contrast(), "variation": total_variation()}
    level = {
        name: [m.value({"image": x.images}).item() for x in (loud, calm, smooth)]
        for name, m in measure.items()
    }
    assert level["contrast"][1] < 0.7 * level["contrast"][0]
    assert level["variation"][2] < 0.7 * level["variation"][0]


def test_penalties_are_about_the_picture_itself_not_about_its_views(model):
    objective = 0 * channel("conv1.pre", 0) + total_variation()
    ascent = Ascent(model, objective, transforms=RandomTransforms(shift=0, turn=0, zoom=0.8), **QUICK)
    before = evaluate(model, objective, ascent.images)
    next(iter(ascent))
    assert ascent.result().curve[0].item() == pytest.approx(before.item(), rel=1e-4)


def test_the_finest_frequencies_can_be_shut_out(model):
    options = QUICK | {"transforms": None}
    both = [visualize(model, layer("conv1.pre"), finest=finest, **options) for finest in (0.5, 0.25)]
    assert fine_share(both[1].images).item() < 0.05
    assert fine_share(both[1].images) < fine_share(both[0].images)


def test_diversity_makes_the_images_of_one_channel_differ(model):
    def alike(weight):
        objective = channel("conv2.pre", [0] * 3) + weight * diversity("conv1")
        return -evaluate(model, diversity("conv1"), visualize(model, objective, **QUICK).images).mean()

    assert alike(3.0) < alike(0.0)


def test_an_ascent_can_be_watched_stopped_and_taken_up_again(model):
    objective = channel("conv1.pre", 0)
    ascent, seen = Ascent(model, objective, **QUICK), []
    for step in ascent:
        seen.append(ascent.images)
        if step == 3:
            break
    stopped = ascent.result()
    assert len(ascent) == 12
    assert len(stopped.curve) == len(seen) == 3
    assert torch.equal(stopped.images, seen[-1])
    assert list(ascent) == list(range(4, 13))
    assert torch.equal(ascent.result().images, visualize(model, objective, **QUICK).images)
    assert Ascent(model, objective, **QUICK).result().curve.shape == (0, 1)


def test_robustness_is_one_where_nothing_moves_and_less_for_a_picture_that_must_stand_still(model):
    objective = neuron("conv1.pre", 1)
    found = visualize(model, objective, transforms=None, **QUICK)
    still = robustness(model, objective, found.images, RandomTransforms(0, 0, 0))
    assert still.item() == pytest.approx(1, abs=1e-5)
    moved = robustness(model, objective, found.images, RandomTransforms(shift=3, turn=0, zoom=0))
    trained = visualize(model, objective, transforms=RandomTransforms(shift=3, turn=0, zoom=0), **QUICK)
    after = robustness(model, objective, trained.images, RandomTransforms(shift=3, turn=0, zoom=0))
    assert moved.item() < 0.8
    assert after.item() > moved.item()


def test_what_cannot_be_is_refused_in_words(model):
    with pytest.raises(CourseError, match="add something to show"):
        visualize(model, contrast())
    with pytest.raises(ValueError, match="1 step or more"):
        visualize(model, channel("conv1.pre", 0), steps=0)
    with pytest.raises(ValueError, match="leaves nothing"):
        visualize(model, channel("conv1.pre", 0), finest=0.0)
    with pytest.raises(UnknownName, match=r"conv1\.pre"):
        visualize(model, channel("conv1.pree", 0), **QUICK)
    with pytest.raises(CourseError, match="no channel 8"):
        visualize(model, channel("conv1.pre", 8), **QUICK)
    assert "12 steps" in repr(feature_visualization.visualize(model, channel("conv1.pre", 0), **QUICK))
