"""The slider's pictures are those of the networks that were trained, and its words say what they are."""

from dataclasses import replace

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.methods.superposition import polygon
from mi_course.models import toy_autoencoder
from mi_course.widgets.superposition_explorer import SuperpositionExplorer, _in_words


@pytest.fixture(scope="module")
def sweep():
    return toy_autoencoder.train(torch.tensor([0.5, 0.1]), 5, 2, restarts=2, steps=40, keep=[0, 20], seed=3)


@pytest.fixture
def explorer(sweep):
    return SuperpositionExplorer(sweep)


def tips(picture):
    dots = [line for line in picture.figure.axes[0].get_lines() if line.get_marker() == "o"]
    return torch.tensor([[line.get_xdata()[0], line.get_ydata()[0]] for line in dots], dtype=torch.float32)


def test_every_choice_shows_its_own_network_the_best_first(explorer, sweep):
    for world in (0, 1):
        best = int(sweep.best[world])
        for step in (0, 1, 2):
            for place, restart in enumerate((best, 1 - best)):
                shown = explorer.static(world=world, step=step, network=place)
                assert torch.allclose(tips(shown), sweep.history[step, world, restart], atol=1e-6)


def test_it_begins_with_the_rarest_features_at_the_end_of_training_and_the_best_beginning(explorer, sweep):
    assert torch.allclose(tips(explorer.static()), sweep.best_W[1], atol=1e-6)
    assert "1 of 10, step 40" in explorer.static().alt


def test_the_title_says_which_shapes_there_are(sweep):
    two_pairs = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1], [0, 0]])
    history = torch.stack([polygon(5), two_pairs])[:, None, None]
    one_world = {"density": sweep.density[:1], "importance": sweep.importance[:1], "loss": torch.zeros(1, 1)}
    made = replace(sweep, **one_world, restarts=1, history=history, kept_steps=(0, 40))
    explorer = SuperpositionExplorer(made)
    assert "5 of 5 features are represented: pentagon" in explorer.static(step=0).alt
    assert "4 of 5 features are represented: 2 × antipodal pair" in explorer.static(step=1).alt


def test_all_drawings_have_one_scale_so_that_lengths_can_be_compared(explorer):
    limits = {
        explorer.static(world=world, step=step).figure.axes[0].get_xlim()
        for world in (0, 1)
        for step in (0, 2)
    }
    assert len(limits) == 1


def test_without_kept_steps_there_is_no_slider_for_them():
    short = toy_autoencoder.train(torch.tensor([0.5]), 3, 2, steps=3)
    explorer = SuperpositionExplorer(short)
    assert set(explorer.controls()) == {"world", "network"}
    assert "step" not in explorer.static().alt


def test_every_control_draws_anew(explorer):
    view = explorer.view
    picture = next(child for child in view.children if "mi-explorer-picture" in child._dom_classes)
    row = next(child for child in view.children if "mi-explorer-controls" in child._dom_classes)
    for control, value in zip(row.children, (0, 0, 1)):
        before = picture.value
        control.value = value
        assert picture.value != before, control.description


@pytest.mark.parametrize(
    ("density", "words"),
    [
        (1.0, "every example"),
        (0.5, "1 of 2"),
        (0.05, "1 of 20"),
        (0.01, "1 of 100"),
        (2 / 3, "2 of 3"),
        (0.3, "3 of 10"),
    ],
)
def test_densities_are_told_as_shares(density, words):
    assert _in_words(torch.tensor(density).item()) == words


def test_more_dimensions_than_a_plane_has_are_refused():
    with pytest.raises(CourseError, match="n_hidden=2"):
        SuperpositionExplorer(toy_autoencoder.train(torch.tensor([0.5]), 4, 3, steps=1))
