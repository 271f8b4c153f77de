"""Class scores of a small network on a small tree of pictures, laid beside its weights."""

import json
import sys

import pytest
import torch
from safetensors.torch import load_file

from mi_course import runtime
from mi_course.methods import class_selectivity
from mi_course.models import pretrained
from mi_course.recipes import alexnet_mini, class_scores
from tests.recipes import tiny_tree


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A small network in a folder of weights of its own, and the pictures that it learned from."""
    folder = tmp_path_factory.mktemp("shipped")
    images = tiny_tree.pack(folder / "tiny.zip")
    with pytest.MonkeyPatch.context() as patch, runtime.one_thread():
        patch.setattr(alexnet_mini, "ALEXNET_MINI", tiny_tree.CONFIG)
        patch.setattr(alexnet_mini, "SMALL_CROP", 12)
        patch.setattr(alexnet_mini, "SHIFT", 2)
        patch.setattr(alexnet_mini, "BATCH", 8)
        patch.setattr(alexnet_mini, "_shuffle_cache", {})
        patch.setattr(pretrained, "WEIGHTS", folder / "weights")
        alexnet_mini.train(images, folder / "run", steps=20)
        card = alexnet_mini.ship(folder / "run", [], to=folder / "weights" / "second", history=False)
        assert card["files"].keys() == {"model.safetensors", "config.json"}
        assert (card["name"], card["untrained_twin"]["name"]) == ("second", "second-untrained")
        class_scores.ship(images, "second")
        yield images


def test_the_tables_are_read_back_and_the_card_knows_them(shipped, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["class_scores", "--images", str(shipped), "--model", "second"])
    class_scores.main()
    said = json.loads(capsys.readouterr().out)
    tables = class_selectivity.recorded("second")
    assert sorted(tables) == said["tables"]
    assert len(tables) == 7
    assert {table.shape for table in tables.values()} == {(5, 3)}
    card = pretrained.card("second")
    assert {class_selectivity.FILE, "model.safetensors", "config.json"} == card["files"].keys()
    assert card["validation"]["images"] == 15


def test_each_table_is_measured_on_its_half_of_the_photographs(shipped):
    import mi_course

    model, data = mi_course.load("second"), alexnet_mini.read_tiny_imagenet(shipped, "val")
    stored = load_file(pretrained.WEIGHTS / "second" / class_selectivity.FILE)
    pixels = data.images.permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        _, cache = model.run_with_cache(pixels, ["fc7"])
    # 15 photographs, five a class in order: every second one, counted through all classes.
    halves = [list(range(0, 15, 2)), list(range(1, 15, 2))]
    for number, half in enumerate(halves):
        expected = class_selectivity.scores(cache["fc7"][half], data.labels[half], 3)
        assert torch.allclose(stored[f"trained half {number}"].float(), expected, atol=1e-3)


def test_grey_photographs_are_scored_without_their_colours(shipped):
    import mi_course
    from mi_course.data.patches import GREY

    model, data = mi_course.load("second"), alexnet_mini.read_tiny_imagenet(shipped, "val")
    pixels = data.images.permute(0, 3, 1, 2).float() / 255
    grey = (pixels * GREY.view(3, 1, 1)).sum(1, keepdim=True).expand(-1, 3, -1, -1)
    with torch.no_grad():
        _, cache = model.run_with_cache(grey, ["fc7"])
    half = list(range(1, 15, 2))
    expected = class_selectivity.scores(cache["fc7"][half], data.labels[half], 3)
    tables = class_selectivity.recorded("second")
    assert torch.allclose(tables["trained half 1 grey"], expected, atol=1e-3)
    assert not torch.allclose(tables["trained half 1"], expected, atol=0.05)
