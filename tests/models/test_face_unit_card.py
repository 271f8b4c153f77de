"""What the card says about the face unit agrees with the tables that ship, and with itself."""

import pytest

from mi_course.methods import best_channel
from mi_course.models import pretrained


@pytest.fixture(scope="module")
def figures():
    return pretrained.card("alexnet-mini")["face_unit"]


@pytest.fixture(scope="module")
def tables():
    return best_channel.recorded("alexnet-mini")


def test_the_choices_are_those_of_the_tables(figures, tables):
    for choice in figures["choices"]:
        here, there = (tables[f"set {choice[key]}"] for key in ("chosen_on", "tested_on"))
        assert choice["channel"] == int(here.argmax())
        assert choice["chosen"] == pytest.approx(here.max().item(), abs=1e-3)
        estimate, low, high = choice["confirmed"]
        assert estimate == pytest.approx(there[choice["channel"]].item(), abs=1e-3)
        assert low < estimate < high <= 1


def test_the_unit_is_better_than_luck_and_than_every_untrained_twin(figures):
    twins = figures["untrained_twins"]
    assert len(twins) == 10
    for choice in figures["choices"]:
        assert choice["chosen"] > choice["by_chance_95"]
        assert choice["p_value"] <= 0.01
        assert choice["confirmed"][1] > max(twin["confirmed"] for twin in twins)


def test_neither_colour_nor_the_class_alone_explains_it(figures, tables):
    channel = figures["choices"][0]["channel"]
    for kind in ("grey", "within classes"):
        assert min(tables[f"set {s} {kind}"][channel] for s in "AB") > 0.8


def test_it_is_no_unit_for_human_faces_alone(figures, tables):
    """Dogs move it more than faces do, and it is dogs that the network loses without it."""
    channel = figures["choices"][0]["channel"]
    classes = list(pretrained.load("alexnet-mini").classes)
    assert tables["faces against class"][channel, classes.index("Yorkshire terrier")] < 0.5
    assert tables["classes"][channel].argmax() == classes.index("Yorkshire terrier")
    ablation = figures["ablation"]
    lost = ablation["dogs_top1"] - ablation["dogs_top1_without"]
    assert lost > 3 * abs(ablation["dogs_top1"] - ablation["dogs_top1_without_median_channel"])
    assert lost > 3 * (ablation["all_top1"] - ablation["all_top1_without"])
    assert 0 <= ablation["channels_that_cost_dogs_more"] < len(tables["classes"])


def test_scores_are_areas(tables):
    for name, table in tables.items():
        assert table.shape[0] == 128, name
        assert ((table >= 0) & (table <= 1)).all(), name
