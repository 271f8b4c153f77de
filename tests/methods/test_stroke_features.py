import pytest
import torch

from mi_course.methods import stroke_features
from mi_course.methods.stroke_features import (
    FEATURES,
    RIGHT_GAP,
    Feature,
    Shape,
    measure,
    openings,
    shapes_of,
)


def ink(*rows):
    return torch.tensor([[mark == "#" for mark in row] for row in rows])


def shape(*rows):
    return Shape(ink(*rows).float(), ink(*rows))


RING = ("#####", "#...#", "#...#", "#####")
OPEN_TO_THE_LEFT = ("#####", "....#", "....#", "#####")
OPEN_TO_THE_RIGHT = ("#####", "#....", "#....", "#####")
TUNNEL = ("#####", ".....", "#####")


@pytest.mark.parametrize(
    ("rows", "kind", "squares"),
    [
        (RING, "hole", 6),
        (OPEN_TO_THE_LEFT, "left_bay", 8),
        (OPEN_TO_THE_RIGHT, "right_bay", 8),
        (TUNNEL, "channel", 5),
    ],
)
def test_an_opening_is_named_by_its_open_side(rows, kind, squares):
    found = openings(ink(*rows))
    areas = {name: int(getattr(found, name).sum()) for name in ("left_bay", "right_bay", "hole", "channel")}
    assert areas.pop(kind) == squares
    assert set(areas.values()) == {0}


def test_a_cup_is_neither_bay_nor_hole():
    found = openings(ink("#...#", "#...#", "#####"))
    assert not any(getattr(found, name).any() for name in ("left_bay", "right_bay", "hole", "channel"))


def test_two_places_in_one_digit_are_told_apart():
    found = openings(ink("#####", "....#", "#####", "#...#", "#####"))
    assert int(found.left_bay.sum()) == 4
    assert int(found.hole.sum()) == 3


def test_the_mirror_image_exchanges_left_and_right():
    image = shapes_of(torch.eye(8).flip(0)[None])[0].ink
    for before, after in (("left_bay", "right_bay"), ("right_bay", "left_bay"), ("hole", "hole")):
        here, mirrored = getattr(openings(image), before), getattr(openings(image.flip(1)), after)
        assert torch.equal(here.flip(1), mirrored)


def test_the_frame_fits_the_ink():
    image = torch.zeros(8, 8)
    image[2:6, 3:5] = 1
    found = shapes_of(image[None])[0]
    assert all(bool(side.any()) for side in (found.ink[0], found.ink[-1], found.ink[:, 0], found.ink[:, -1]))
    assert (found.height / 4, found.width / 4) == pytest.approx((4.0, 2.0), abs=0.51)


def test_moving_a_digit_does_not_change_its_features():
    image = torch.zeros(1, 8, 8)
    image[0, 1:6, 1:5] = torch.tensor(
        [[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 0], [1, 1, 0, 0.0]]
    )
    moved = image.roll((1, 2), dims=(1, 2))
    assert torch.equal(measure(shapes_of(image)), measure(shapes_of(moved)))


def test_an_empty_page_can_be_measured():
    table = measure(shapes_of(torch.zeros(1, 8, 8)), {**FEATURES, "right_gap": RIGHT_GAP})
    assert torch.isfinite(table).all()


def test_shares_stay_between_zero_and_one():
    images = torch.rand(20, 8, 8, generator=torch.Generator().manual_seed(0))
    shares = {name: feature for name, feature in FEATURES.items() if feature.unit == "share"}
    table = measure(shapes_of(images), shares)
    assert table.min() >= 0
    assert table.max() <= 1


def test_a_reflection_in_a_lake_is_perfectly_symmetric():
    assert stroke_features.symmetry(shape("#..", "##.", "#..")) == 1
    assert stroke_features.symmetry(shape("###", "...", "...")) == 0


@pytest.mark.parametrize(
    ("rows", "gap"),
    [
        (("####",) * 4, 0.0),
        (("####", "####", "#...", "####"), 0.75),
        (("####", "####", "....", "####"), 1.0),
    ],
)
def test_the_right_gap_is_measured_two_thirds_down(rows, gap):
    assert RIGHT_GAP.measure(shape(*rows)) == gap


def test_a_feature_marks_as_much_as_it_measures():
    one = shapes_of(torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(1)))[0]
    for feature in (FEATURES["left_bay"], FEATURES["hole"]):
        assert feature.measure(one) == int(feature.where(one).sum()) / 16
    for feature in (FEATURES["foot"], RIGHT_GAP):
        assert feature.measure(one) == int(feature.where(one).sum()) / 4


def test_the_columns_follow_the_order_of_the_features():
    constant = {
        str(number): Feature(str(number), "", "pixels", lambda _, n=number: n) for number in (3, 1, 2)
    }
    assert measure(shapes_of(torch.ones(2, 8, 8)), constant).tolist() == [[3, 1, 2], [3, 1, 2]]


def test_no_features_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        measure(shapes_of(torch.ones(1, 8, 8)), {})
