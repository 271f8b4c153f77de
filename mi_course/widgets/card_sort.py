"""Sort cards into piles, one after the other, and see where somebody else would have put them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import ipywidgets
import traitlets

from mi_course.data.four_meanings import CARDS, MEANINGS, Card
from mi_course.errors import UnknownName
from mi_course.plots.picture import Picture
from mi_course.plots.piles import piles
from mi_course.widgets.explorer import Explorer

Placed = tuple[str, str]
"""A card that was sorted, and the pile that it was put on."""


class CardSort(Explorer):
    """Read the card, press the pile that it belongs to; the next card comes up by itself.

    After each card the course says where it would have put it, and why. *Take back* undoes the last one, and *Card*
    brings up any other, also one that is sorted already. Cards have a thick frame where the two of you differ.

    ``cards``, ``meanings``: by default what this course has done, and the four meanings of its name.
    """

    def __init__(self, cards: Sequence[Card] = CARDS, meanings: Mapping[str, str] = MEANINGS):
        self.cards = {card.name: card for card in cards}
        self.meanings = dict(meanings)
        for card in cards:
            if card.meaning not in self.meanings:
                raise UnknownName(f"pile for the card {card.name!r}", card.meaning, self.meanings)

    def controls(self) -> dict[str, ipywidgets.Widget]:
        card = ipywidgets.Dropdown(options=list(self.cards), description="Card")
        placed = PileButtons(list(self.meanings), lambda: card.value)

        def next_card(change: dict) -> None:
            left = [name for name in self.cards if name not in dict(change["new"])]
            if len(change["new"]) < len(change["old"]):  # taken back: that card is up again
                card.value = next(name for name, _ in change["old"] if name not in dict(change["new"]))
            elif left:
                card.value = left[0]

        placed.observe(next_card, names="value")
        return {"card": card, "placed": placed}

    def draw(self, card: str, placed: tuple[Placed, ...] = ()) -> Picture:
        """``placed``: the cards that are sorted, each as (card, pile)."""
        for name, pile in placed:
            self._card(name)
            if pile not in self.meanings:
                raise UnknownName("pile", pile, self.meanings)
        differing = [name for name, pile in placed if pile != self.cards[name].meaning]
        agree = len(placed) - len(differing)
        title = f"{len(placed)} of {len(self.cards)} cards sorted"
        if placed:
            title += f"; {agree} where the course would have put them"
        shown = {pile: [name for name, its in placed if its == pile] for pile in self.meanings}
        return piles(
            shown,
            title=title,
            marked=differing,
            alt=f"{title}. "
            + "; ".join(f"{pile}: {', '.join(names) or 'nothing yet'}" for pile, names in shown.items())
            + (f". Differently from the course: {', '.join(differing)}." if differing else "."),
        )

    def live_html(self, card: str, placed: tuple[Placed, ...] = ()) -> str:
        picture = self.draw(card, placed).html()
        up, done = self._card(card), dict(placed)
        last = f"<p>{self._verdict(*placed[-1])}</p>" if placed else ""
        asked = (
            "<p>All cards are sorted. Choose any card to sort it again.</p>"
            if len(done) == len(self.cards)
            else f"<p><strong>{html.escape(up.name)}</strong> (chapter {up.chapter}). {html.escape(up.what)} "
            "In which sense, if in any, is it mechanistic interpretability?</p>"
        )
        meanings = "".join(
            f"<li><strong>{html.escape(name)}</strong>: {html.escape(words)}</li>"
            for name, words in self.meanings.items()
        )
        return f'<div class="mi-card-sort" role="status">{last}{asked}</div><ul>{meanings}</ul>{picture}'

    def _verdict(self, name: str, pile: str) -> str:
        card = self._card(name)
        if pile == card.meaning:
            head = f"<strong>{html.escape(name)}</strong>: {html.escape(pile)}. So would we."
        else:
            head = (
                f"<strong>{html.escape(name)}</strong>: you say {html.escape(pile)}; we would say "
                f"{html.escape(card.meaning)}."
            )
        return f"{head} {html.escape(card.why)}"

    def _card(self, name: str) -> Card:
        if name not in self.cards:
            raise UnknownName("card", name, self.cards)
        return self.cards[name]


class PileButtons(ipywidgets.HBox):
    """A button for each pile, and *Take back*; ``value`` is the tuple of (card, pile) in the order of sorting."""

    value = traitlets.Tuple()
    description = traitlets.Unicode("Piles")

    def __init__(self, names: Sequence[str], card):
        """``card()``: the card that is up."""
        buttons = [ipywidgets.Button(description=name, button_style="primary") for name in names]
        for name, button in zip(names, buttons):
            button.on_click(lambda _, name=name: self._put(card(), name))
        self.back = ipywidgets.Button(description="Take back", icon="undo", disabled=True)
        self.back.on_click(lambda _: self.set_trait("value", self.value[:-1]))
        self.observe(self._allow, names="value")
        super().__init__([*buttons, self.back], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self.add_class("mi-edit-buttons")

    def _put(self, card: str, pile: str) -> None:
        self.value = (*(one for one in self.value if one[0] != card), (card, pile))

    def _allow(self, change: dict) -> None:
        self.back.disabled = not change["new"]
