"""Cards in piles, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, INK, new_figure, styled, wrapped

CHARACTERS = 21
"""Of a line on a card; a figure holds four piles of such cards."""


def piles(cards: Mapping[str, Sequence[str]], *, title: str, alt: str, marked: Sequence[str] = ()) -> Picture:
    """One column for each pile, under its name, with a box for every card in it.

    ``marked``: cards with a thick, vermilion frame; the title or the alt text should say why.
    """
    if not cards:
        raise ValueError("cards is empty: give at least one pile, as {name: cards}.")
    texts = {name: [wrapped(card, CHARACTERS) for card in its] for name, its in cards.items()}
    highest = max(sum(_lines(text) + 1 for text in its) for its in texts.values())
    with styled():
        figure = new_figure(1.1 + 0.17 * max(highest, 3))
        axes = figure.subplots()
        for column, (name, its) in enumerate(texts.items()):
            axes.text(column + 0.5, 0, name, ha="center", va="bottom", weight="bold", fontsize=10)
            row = 0.8
            for text, card in zip(its, cards[name]):
                colour, width = (COLOURS["vermilion"], 2.6) if card in marked else (COLOURS["blue"], 1.0)
                axes.text(
                    column + 0.5,
                    row,
                    text,
                    ha="center",
                    va="top",
                    fontsize=8.5,
                    color=INK,
                    linespacing=1.1,
                    bbox={"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": colour, "linewidth": width},
                )  # fmt: skip
                row += _lines(text) + 1
            axes.axvline(column, color=INK, linewidth=0.4)
        axes.set(xlim=(0, len(texts)), ylim=(max(highest, 3) + 0.8, -1.4))
        axes.axhline(0.25, color=INK, linewidth=0.6)
        axes.set_axis_off()
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        return Picture(figure, alt, title=title)


def _lines(text: str) -> int:
    return text.count("\n") + 1
