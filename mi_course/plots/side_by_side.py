"""Two or three texts beside one another, with the words marked that one is looking for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, FAINT, INK, MONOSPACED, QUIET, WIDTH, new_figure, styled, wrapped
from mi_course.plots.token_words import token_label
from mi_course.plots.tokens import CHARACTER

MOST_TEXTS = 3
FONT_SIZE, LINE, GUTTER, MARGIN = 9.5, 0.24, 0.3, 0.22


def side_by_side(
    texts: Mapping[str, Sequence[str]],
    *,
    marked: Collection[str],
    title: str,
    alt: str,
    notes: Mapping[str, str] | None = None,
    prompt: int = 0,
) -> Picture:
    """Draw one column for each text, a sequence of words; words in ``marked`` stand on colour, and underlined.

    ``notes``: a line or two below a text, by its label. ``prompt``: how many words of each text were given; they are
    grey. ``title`` is the finding or the question.
    """
    if not 1 <= len(texts) <= MOST_TEXTS:
        raise ValueError(f"{len(texts)} texts; one to {MOST_TEXTS} have room side by side.")
    if foreign := sorted((notes or {}).keys() - texts.keys()):
        raise ValueError(f"notes for {foreign}, but the texts are {list(texts)}.")
    with styled():
        import matplotlib

        width = (WIDTH - 2 * MARGIN - GUTTER * (len(texts) - 1)) / len(texts)
        heading = wrapped(title)
        top = 0.2 + 0.22 * len(heading.splitlines()) + 0.12
        columns = {
            label: _set([token_label(word, 20) for word in words], width) for label, words in texts.items()
        }
        below = {label: wrapped((notes or {}).get(label, ""), int(width / 0.078)) for label in texts}
        most_lines = max(lines for _, lines in columns.values())
        most_notes = max(len(note.splitlines()) for note in below.values())
        foot = top + 0.3 + most_lines * LINE + 0.1
        height = foot + 0.2 * most_notes + 0.12
        figure = new_figure(height, layout="none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        axes.axis("off")
        axes.text(MARGIN, 0.18, heading, weight="bold", fontsize=11.5, va="top")
        for number, (label, words) in enumerate(texts.items()):
            left = MARGIN + number * (width + GUTTER)
            axes.text(left, top, token_label(label), weight="bold", fontsize=9.5, va="top")
            axes.plot([left, left + width], [top + 0.21] * 2, color=FAINT, linewidth=0.8)
            for index, (word, (x, row)) in enumerate(zip(words, columns[label][0])):
                y = top + 0.3 + row * LINE
                if word in marked:
                    long = CHARACTER * FONT_SIZE * len(token_label(word, 20).replace(r"\$", "$"))
                    axes.add_patch(
                        matplotlib.patches.Rectangle(
                            (left + x - 0.02, y),
                            long + 0.04,
                            0.2,
                            facecolor=COLOURS["ochre"],
                            alpha=0.55,
                            linewidth=0,
                        )
                    )
                    axes.plot([left + x, left + x + long], [y + 0.19] * 2, color=INK, linewidth=1)
                axes.text(
                    left + x, y + 0.1, token_label(word, 20), va="center_baseline", family=MONOSPACED,
                    fontsize=FONT_SIZE, color=QUIET if index < prompt else INK,
                )  # fmt: skip
            axes.text(left, foot, below[label], fontsize=9, va="top")
        return Picture(figure, alt, title=title)


def _set(words: Sequence[str], width: float) -> tuple[list[tuple[float, int]], int]:
    """Where each word begins, as (inches from the left, line), and how many lines there are."""
    places, x, row = [], 0.0, 0
    for word in words:
        long = CHARACTER * FONT_SIZE * len(word.replace(r"\$", "$"))
        if x and x + long > width:
            x, row = 0.0, row + 1
        places.append((x, row))
        x += long + CHARACTER * FONT_SIZE
    return places, row + 1
