import json

import pytest

from mi_course.commands import models
from mi_course.models import pretrained


@pytest.fixture
def one_model(tmp_path, monkeypatch):
    """A course that ships one model of 3 MB, with a history of 2 MB."""
    folder = tmp_path / "clock"
    folder.mkdir()
    card = {"about": "a network that adds hours", "licence": "weights: CC BY 4.0"}
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "model.safetensors").write_bytes(bytes(3_000_000))
    (folder / "history.safetensors").write_bytes(bytes(2_000_000))
    monkeypatch.setattr(pretrained, "WEIGHTS", tmp_path)
    return folder


def test_a_shipped_model_is_listed_with_all_that_it_takes_what_it_is_and_its_licence(one_model):
    shipped = models.listing().partition("Public")[0]
    assert "5.0 MB, here" in shipped
    assert "a network that adds hours" in shipped
    assert "licence: CC BY 4.0" in shipped


def test_a_shipped_model_without_its_weights_is_told_with_the_remedy(one_model):
    (one_model / "model.safetensors").unlink()
    assert "its weights are missing; see: mi-course doctor" in models.listing()


def test_each_public_model_has_its_size_licence_and_the_command_that_fetches_it():
    public = models.listing().partition("Public")[2]
    for name, model in pretrained.PUBLIC.items():
        assert f"{model.megabytes} MB, not here; get it:  mi-course models fetch {name}" in public
        assert f"licence: {model.licence}" in public
