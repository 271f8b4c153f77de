"""Turn a knob inside the model, and read what it writes with and without, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import ipywidgets

from mi_course.data.possible_text import possible_words
from mi_course.data.tiny_world.words import ADJECTIVES, TOPICS
from mi_course.data.topic_words import about, content_words, in_mood
from mi_course.errors import CourseError
from mi_course.methods.steering import Hooks
from mi_course.methods.writing import write_on
from mi_course.models.transformer import Transformer
from mi_course.plots.picture import Picture
from mi_course.plots.side_by_side import side_by_side
from mi_course.plots.style import FAINT
from mi_course.plots.token_words import token_html
from mi_course.widgets.explorer import Explorer
from mi_course.widgets.hover_tokens import STYLE
from mi_course.widgets.prompt import prompt_field

GROUPS = {
    **{f"the {topic}" if topic == "bridge" else topic: about(topic) for topic in TOPICS},
    **{f"{mood} mood": in_mood(mood) for mood in ADJECTIVES},
}
"""Words that can be marked, by what they are about."""


@dataclass(frozen=True)
class Knob:
    """Something to turn: ``steer`` gives the hooks for a dose, from ``low`` to ``high``; ``unit`` says what 1 is."""

    steer: Callable[[float], Hooks]
    low: float | int = -4
    high: float | int = 4
    unit: str = ""


class SteeringPlayground(Explorer):
    """Choose a knob and a dose, and see what the model writes on from a prompt: without, and with the knob turned.

    Words of one kind are marked in both texts, and below each stands how many of its content words they are, and
    whether the grammar of the tiny world could have written such a text at all. Both texts are drawn with the same
    random numbers; *Text* takes other ones. At dose 0 they are the same.

    ``model``: one of the tiny world. ``knobs``: by their names. ``n_tokens``: how many words are written at most.
    """

    def __init__(
        self,
        model: Transformer,
        knobs: Mapping[str, Knob],
        *,
        prompt: str = "we saw the",
        dose: float | int = 2,
        marked: str = "the bridge",
        n_tokens: int = 28,
    ):
        if not knobs:
            raise CourseError("There is no knob to turn: give at least one, as {name: Knob(steer)}.")
        self.model, self.knobs, self.n_tokens = model, dict(knobs), n_tokens
        self._first = prompt, dose, marked

    def controls(self) -> dict[str, ipywidgets.Widget]:
        prompt, dose, marked = self._first
        first = next(iter(self.knobs))
        knob = ipywidgets.Dropdown(options=list(self.knobs), value=first, description="Knob")
        low, high = self.knobs[first].low, self.knobs[first].high
        slider = ipywidgets.FloatSlider(
            min(max(dose, low), high), min=low, max=high, step=0.25, description="Dose"
        )

        def follow(change: dict) -> None:
            low, high = self.knobs[change["new"]].low, self.knobs[change["new"]].high
            slider.min, slider.max = min(low, slider.min), max(high, slider.max)  # never empty on the way
            slider.value = min(max(slider.value, low), high)
            slider.min, slider.max = low, high

        knob.observe(follow, names="value")
        return {
            "prompt": prompt_field(prompt),
            "knob": knob,
            "dose": slider,
            "text": ipywidgets.IntSlider(1, min=1, max=20, description="Text"),
            "marked": ipywidgets.Dropdown(options=list(GROUPS), value=marked, description="Mark words about"),
        }

    def draw(
        self, prompt: str, knob: str, dose: float | int = 2, text: int = 1, marked: str = "the bridge"
    ) -> Picture:
        columns = self._columns(prompt, knob, dose, text)
        given = len(self.model.to_str_tokens(prompt)) - 1
        notes = {label: _judged(words, marked, given) for label, words in columns.items()}
        return side_by_side(
            columns,
            marked=GROUPS[marked],
            title=f"“{prompt} …”, and the knob “{knob}” at {dose:g}{self._unit(knob)}",
            alt=" ".join(f"{label}: {' '.join(words)} ({notes[label]})." for label, words in columns.items()),
            notes=notes,
            prompt=given,
        )

    def live_html(
        self, prompt: str, knob: str, dose: float | int = 2, text: int = 1, marked: str = "the bridge"
    ) -> str:
        columns = self._columns(prompt, knob, dose, text)
        given = len(self.model.to_str_tokens(prompt)) - 1
        parts = "".join(
            f'<section aria-label="{token_html(label)}"><b>{token_html(label)}</b>'
            f"<p>{_marked(words, marked, given)}</p><p>{token_html(_judged(words, marked, given))}</p></section>"
            for label, words in columns.items()
        )
        return f'<style>{STYLE}{_STYLE}</style><div class="mi-panel mi-steered">{parts}</div>'

    def _columns(self, prompt: str, knob: str, dose: float | int, text: int) -> dict[str, list[str]]:
        """The text without the knob and with it, as words."""
        tokens = self.model.to_tokens(prompt)
        room = min(self.n_tokens, self.model.config.n_ctx - tokens.shape[1])
        plain, steered = (
            self.model.to_str_tokens(write_on(self.model, tokens, room, hooks=hooks, seed=text)[0, 1:])
            for hooks in ([], self.knobs[knob].steer(dose))
        )
        return {
            "as it is": _up_to_its_end(plain, self.model.tokenizer.end),
            f"{knob}: {dose:g}{self._unit(knob)}": _up_to_its_end(steered, self.model.tokenizer.end),
        }

    def _unit(self, knob: str) -> str:
        unit = self.knobs[knob].unit
        return f" {unit}" if unit else ""


def _up_to_its_end(words: list[str], end: str) -> list[str]:
    return words[: words.index(end)] if end in words else words


def _judged(words: list[str], marked: str, given: int) -> str:
    """How many marked words there are; and whether the form is right, if the ``given`` words begin a paragraph."""
    content = [word for word in words if word in content_words()]
    found = (
        f"{sum(word in GROUPS[marked] for word in content)} of {len(content)} content words about {marked}"
    )
    possible = possible_words(words)
    if possible < given:
        return found
    return f"{found}; " + (
        "a possible text" if possible == len(words) else f"impossible at word {possible + 1}"
    )


def _marked(words: list[str], marked: str, given: int) -> str:
    shown = []
    for number, word in enumerate(words):
        text = token_html(word)
        text = f"<mark>{text}</mark>" if word in GROUPS[marked] else text
        shown.append(f'<span class="mi-given">{text}</span>' if number < given else text)
    return " ".join(shown)


_STYLE = f"""
.mi-steered{{display:grid;grid-template-columns:repeat(auto-fit,minmax(250px,1fr));gap:8px 26px}}
.mi-steered section>b{{display:block;margin:0 0 6px;padding-bottom:3px;border-bottom:1px solid {FAINT}}}
.mi-steered p{{margin:0 0 8px}}
.mi-steered p:first-of-type{{font-family:var(--jp-code-font-family,monospace);line-height:1.7}}
.mi-steered mark{{background:rgb(230 159 0/.55);color:inherit;text-decoration:underline;padding:1px 2px;
border-radius:2px}}
.mi-given{{opacity:.7}}
"""
