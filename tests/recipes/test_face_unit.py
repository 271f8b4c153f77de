"""The face figures of a small network on a small tree of pictures: right pictures and scores, and all in the card."""

import json
import sys

import pytest
import torch

import mi_course
from mi_course.methods import best_channel
from mi_course.models import pretrained
from mi_course.recipes import alexnet_mini, colour_axes, face_unit
from tests.recipes import tiny_tree

# Files are called val_{3·number + class}; of each class five, numbers 0 to 4.
SETS = {
    "A": {"goldfish": ((0, 3), (6, 9, 12)), "alp": ((1, 4), (7,))},
    "B": {"pizza": ((2, 8), (5, 11))},
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A network of random weights that counts as shipped, and what both recipes wrote about it."""
    folder = tmp_path_factory.mktemp("face_unit")
    images = tiny_tree.pack(folder / "tiny.zip")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "ALEXNET_MINI": tiny_tree.CONFIG,
            "SMALL_CROP": 12,
            "SHIFT": 2,
            "BATCH": 8,
        }.items():
            patch.setattr(alexnet_mini, name, value)
        patch.setattr(alexnet_mini, "_shuffle_cache", {})
        patch.setattr(pretrained, "WEIGHTS", folder / "weights")
        patch.setattr(face_unit, "SETS", SETS)
        patch.setattr(face_unit, "TWINS", 2)
        patch.setattr(alexnet_mini, "HISTORY_STEPS", ())
        alexnet_mini.train(images, folder / "run", steps=2)
        alexnet_mini.ship(folder / "run", [], to=folder / "weights" / "small", history=False)
        patch.setattr(sys, "argv", ["recipe", "--images", str(images), "--model", "small"])
        face_unit.main()
        colour_axes.main()
        yield images, pretrained.card("small")


def pictures(data, *names):
    chosen = [i for i, file in enumerate(data.files) if file.rsplit("/", 1)[-1] in names]
    return data.images[chosen].permute(0, 3, 1, 2).float() / 255


def test_faces_are_the_photographs_of_these_numbers_and_scores_are_theirs(measured):
    images, _ = measured
    data, model = alexnet_mini.read_tiny_imagenet(images, "val"), mi_course.load("small")
    faces = pictures(data, *(f"val_{n}.JPEG" for n in (0, 3, 1, 4)))
    others = pictures(data, *(f"val_{n}.JPEG" for n in (6, 9, 12, 7)))
    assert len(faces) == len(others) == 4
    expected = best_channel.auc(*(best_channel.answers(model, "conv5", x) for x in (faces, others)))
    assert torch.allclose(best_channel.recorded("small")["set A"], expected, atol=1e-3)


def test_within_classes_only_pairs_of_one_class_count():
    ours, others = torch.tensor([[1.0], [5.0]]), torch.tensor([[0.0], [4.0], [6.0]])
    first, second = torch.tensor([0, 1]), torch.tensor([0, 0, 1])
    # Pairs: 1 > 0 yes, 1 > 4 no, 5 > 6 no.
    assert face_unit._within_classes(ours, others, first, second).tolist() == pytest.approx([1 / 3])


def test_every_table_and_figure_is_there(measured):
    _, card = measured
    tables = best_channel.recorded("small")
    shapes = {name: tuple(table.shape) for name, table in tables.items()}
    expected = {f"set {s}{kind}": (4,) for s in SETS for kind in ("", " grey", " within classes")}
    assert shapes == expected | {"classes": (4, 3), "faces against class": (4, 3)}
    figures = card["face_unit"]
    assert figures["photographs"] == {"A": {"face": 4, "none": 4}, "B": {"face": 2, "none": 2}}
    assert [(c["chosen_on"], c["tested_on"]) for c in figures["choices"]] == [("A", "B"), ("B", "A")]
    assert figures["choices"][0]["channel"] == int(tables["set A"].argmax())
    assert [twin["seed"] for twin in figures["untrained_twins"]] == [0, 1]
    assert figures["ablation"]["dogs"] == 15
    assert card["files"].keys() == {best_channel.FILE, "model.safetensors", "config.json"}
    assert card["validation"]["images"] == 15
    assert len(card["colours"]["axes"]) == 3
    json.dumps(card)
