"""Controls and a picture that follows them."""

import ipywidgets
import numpy as np
import pytest

from mi_course.errors import UnknownName
from mi_course.plots import Pictures, bars
from mi_course.widgets import Explorer
from mi_course.widgets.explorer import told


class Sum(Explorer):
    drawn = 0

    def controls(self):
        return {
            "a": ipywidgets.IntSlider(1, 0, 10, description="First number"),
            "b": ipywidgets.Dropdown(options=[1, 2, "three"], description="Second number"),
        }

    def draw(self, a, b):
        self.drawn += 1
        self.seen_while_drawing = self.status if hasattr(self, "_view") else None
        return bars({"sum": a + b}, title="The sum", ylabel="sum", alt=f"{a} and {b} make {a + b}.")

    @property
    def status(self):
        return part(self, "mi-explorer-status").value

    @property
    def picture(self):
        return part(self, "mi-explorer-picture").value

    def set(self, name, value):
        part(self, "mi-explorer-controls").children[["a", "b"].index(name)].value = value


def part(explorer, name):
    return next(child for child in explorer.view.children if name in child._dom_classes)


def test_the_static_twin_is_the_same_picture_without_controls():
    assert Sum().static(a=4, b=2).alt == "4 and 2 make 6."
    assert Sum().static().alt == "1 and 1 make 2."
    explorer = Sum()
    explorer.set("a", 4)
    assert explorer.picture == Sum().static(a=4).html()


def test_the_static_twin_does_not_depend_on_what_was_clicked():
    explorer = Sum()
    explorer.set("a", 9)
    assert explorer.static().alt == "1 and 1 make 2."


def test_the_static_twin_refuses_a_control_that_does_not_exist():
    with pytest.raises(UnknownName, match="no control named 'c'"):
        Sum().static(c=1)


def test_a_change_draws_once():
    explorer = Sum()
    assert "1 and 1 make 2." in explorer.picture
    drawn = explorer.drawn
    explorer.set("a", 5)
    assert "5 and 1 make 6." in explorer.picture
    assert explorer.drawn == drawn + 1


def test_while_it_draws_it_says_so_where_a_screen_reader_listens():
    explorer = Sum()
    _ = explorer.view
    explorer.set("a", 5)
    assert "working…" in explorer.seen_while_drawing
    assert 'aria-live="polite"' in explorer.seen_while_drawing
    assert "working" not in explorer.status


def test_a_screen_reader_hears_which_control_has_which_value_and_nobody_sees_it():
    explorer = Sum()
    assert "number" not in explorer.status
    explorer.set("a", 5)
    assert 'style="position:absolute;width:1px' in explorer.status
    assert "First number: 5. The picture is new." in explorer.status
    explorer.set("b", 2)
    assert "Second number: 2. The picture is new." in explorer.status


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (ipywidgets.SelectionSlider(options=[("100 edges", 7)], description="Circuit"), "Circuit: 100 edges"),
        (ipywidgets.FloatSlider(0.25, description="Dose"), "Dose: 0.25"),
        (ipywidgets.Checkbox(False, description="Random views"), "Random views: off"),
        (ipywidgets.FileUpload(description="Your picture"), "Your picture"),
        (ipywidgets.Text("a <b>", description="Prompt"), "Prompt: a <b>"),
    ],
    ids=["options", "number", "box", "file", "text"],
)
def test_every_kind_of_control_is_told_in_words(control, words):
    assert told(control) == words


def test_an_error_is_told_in_words_and_the_last_picture_stays():
    explorer = Sum()
    explorer.set("b", "three")
    assert 'role="alert"' in explorer.status
    assert "unsupported operand" in explorer.status
    assert "the last one that worked" in explorer.status
    assert "1 and 1 make 2." in explorer.picture
    explorer.set("b", 2)
    assert "alert" not in explorer.status
    assert "1 and 2 make 3." in explorer.picture


def test_the_words_of_an_error_cannot_become_html():
    class Broken(Sum):
        def draw(self, a, b):
            raise ValueError("<script>no</script>")

    explorer = Broken()
    assert "<script>" not in explorer.status
    assert "&lt;script&gt;" in explorer.status
    assert "last one" not in explorer.status


def test_a_draw_that_returns_no_picture_is_told_so():
    class Forgetful(Sum):
        def draw(self, a, b):
            pass

    assert "draw returned NoneType, but it must return a Picture" in Forgetful().status


def test_it_shows_itself_as_a_widget_as_its_picture_where_none_run_and_as_words_that_never_change():
    first, second = Sum()._repr_mimebundle_(), Sum()._repr_mimebundle_()
    assert set(first) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert first["text/html"] == Sum().static().html()
    assert (
        first["text/plain"] == second["text/plain"] == "Sum: controls and a picture, to be used in JupyterLab"
    )


def test_showing_it_twice_keeps_one_state():
    explorer = Sum()
    model = "application/vnd.jupyter.widget-view+json"
    assert explorer._repr_mimebundle_()[model] == explorer._repr_mimebundle_()[model]


def test_labels_are_whole_and_sliders_keep_their_track():
    slider, chooser = part(Sum(), "mi-explorer-controls").children
    assert slider.style.description_width == chooser.style.description_width == "initial"
    assert int(slider.layout.width.removesuffix("px")) > 300


@pytest.mark.parametrize("live", [False, True])
def test_a_picture_follows_a_drag_only_where_drawing_is_fast(live):
    explorer = type("Fast", (Sum,), {"live": live})()
    assert part(explorer, "mi-explorer-controls").children[0].continuous_update == live


def test_an_explorer_without_draw_cannot_be_made():
    class Unfinished(Explorer):
        def controls(self):
            return {}

    with pytest.raises(TypeError, match="draw"):
        Unfinished()


def test_values_of_any_kind_reach_draw():
    class Upload(Explorer):
        def controls(self):
            return {
                "file": ipywidgets.FileUpload(),
                "range": ipywidgets.FloatRangeSlider(value=(1, 2), min=0, max=3),
            }

        def draw(self, file, range):
            return bars({"n": len(file)}, title="t", ylabel="y", alt=f"{len(file)} files, {np.sum(range)}")

    assert Upload().static().alt == "0 files, 3.0"
    assert "0 files" in part(Upload(), "mi-explorer-picture").value


class Answering(Sum):
    """Shows HTML of its own, with a line below it."""

    def live_html(self, a, b):
        return f'<p title="{a}">{self.draw(a, b).alt}</p>'

    def arrange(self, controls, status, picture):
        return [controls, status, picture, ipywidgets.HTML("below")]


def test_html_of_ones_own_is_shown_live_and_the_picture_is_what_a_notebook_keeps():
    explorer = Answering()
    explorer.set("a", 4)
    assert explorer.picture == '<p title="4">4 and 1 make 5.</p>'
    bundle = explorer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/html"] == Sum().static(a=4).html()
    assert explorer.view.children[-1].value == "below"


def test_html_of_ones_own_that_fails_is_told_in_words_too():
    explorer = Answering()
    explorer.set("b", "three")
    assert 'role="alert"' in explorer.status
    bundle = explorer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "unsupported operand" in data["text/html"]


def test_several_pictures_can_be_drawn():
    class Two(Sum):
        def draw(self, a, b):
            return Pictures([super().draw(a, b), super().draw(b, a)])

    assert Two().static(a=2, b=1).alt == "2 and 1 make 3. 1 and 2 make 3."
    assert Two().picture.count("<img") == 2
