"""The HTML of the patching map: cells that answer to the mouse and the arrow keys, with what the model then says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mi_course.plots.token_words import token_html
from mi_course.widgets.hover_tokens import BY, STYLE, TO
from mi_course.widgets.logit_lens_html import LENS_STYLE

Words = Sequence[tuple[str, float]]
"""The most probable next words with their probabilities, the best first."""


@dataclass(frozen=True)
class Reading:
    """A pair of prompts, patched at every cell of one site.

    ``columns``: heads, or the clean prompt's tokens, with the corrupted prompt's in ``other_tokens`` where they differ.
    ``values[row][column]``: 0 as in the corrupted run, 1 as in the clean one. ``patched[row][column]``: what the
    model says with that cell patched; ``clean``, ``corrupted``: what it says by itself. ``measured``: the two words
    whose logits are compared; ``ends``: their difference in the clean and in the corrupted run.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    other_tokens: tuple[str | None, ...]
    of_heads: bool
    values: list[list[float]]
    patched: list[list[Words]]
    clean: Words
    corrupted: Words
    measured: tuple[str, ...]
    ends: tuple[float, float]
    denoising: bool

    def moved(self, row: int, column: int) -> float:
        """How far patching moves the answer from the run that was patched, as a share of the way to the other."""
        value = self.values[row][column]
        return value if self.denoising else 1 - value

    @property
    def strongest(self) -> tuple[int, int]:
        cells = ((row, column) for row in range(len(self.rows)) for column in range(len(self.columns)))
        return max(cells, key=lambda cell: self.moved(*cell))

    def name(self, row: int, column: int) -> str:
        """A cell in words: "L2H3", or "L2 at John"."""
        return f"{self.rows[row]}{'' if self.of_heads else ' at '}{self.columns[column]}"


PATCHING_STYLE = f"""
.mi-patch .mi-o{{display:block;background:rgb({BY});border-radius:3px;font-weight:400}}
.mi-patch .mi-k{{left:35%;right:35%}}
.mi-patch .mi-plain{{position:absolute;bottom:10px;width:31%}}
.mi-patch .mi-plain>span,.mi-patch .mi-k>span{{display:grid;grid-template-columns:minmax(40px,90px) 48px 1fr;gap:6px;
align-items:center;height:19px}}
.mi-patch .mi-plain>span>b{{overflow:hidden;text-overflow:ellipsis;white-space:pre}}
.mi-patch .mi-plain i{{height:11px;background:rgb({TO});width:calc(var(--p)*1%);min-width:1px}}
.mi-patch .mi-run{{display:block;height:38px;overflow:hidden}}
"""


def map_html(reading: Reading, scope: str) -> str:
    """A radio button a cell, column by column, so that the down key goes to the next layer; below, three answers."""
    columns = ['<div class="mi-h mi-l">&nbsp;</div>']
    columns += [f'<div class="mi-h mi-l">{token_html(row)}</div>' for row in reading.rows]
    for column, token in enumerate(reading.columns):
        other = reading.other_tokens[column]
        below = f'<span class="mi-o">{token_html(other)}</span>' if other is not None else ""
        columns.append(f'<div class="mi-h" title="column {column}">{token_html(token)}{below}</div>')
        columns += [_cell(reading, row, column, scope) for row in range(len(reading.rows))]
    height = 19 * len(reading.clean) + 62
    return (
        f"<style>{STYLE}{LENS_STYLE}{PATCHING_STYLE}</style>"
        f'<div class="mi-panel mi-lens mi-patch {scope}" style="padding-bottom:{height}px">'
        f'<fieldset style="grid-template-rows:repeat({len(reading.rows) + 1},auto)">'
        f"<legend>Cells: choose one with the arrow keys</legend>{''.join(columns)}</fieldset>"
        f"{_scale(reading)}{_plain('The clean run says', reading.clean, 'left:16px')}"
        f"{_plain('The corrupted run says', reading.corrupted, 'right:8px')}</div>"
    )


def _cell(reading: Reading, row: int, column: int, scope: str) -> str:
    value, name = _rounded(reading.values[row][column]), token_html(reading.name(row, column))
    share = min(max(reading.moved(row, column), 0.0), 1.0)
    word = token_html(reading.patched[row][column][0][0])
    chosen = " checked" if (row, column) == reading.strongest else ""
    into = "corrupted" if reading.denoising else "clean"
    return (
        f'<label class="mi-c" style="--v:{share:.3f}">'
        # Without the attribute, JupyterLab takes the arrow keys for its own shortcuts.
        f'<input type="radio" data-lm-suppress-shortcuts="true" name="{scope}"{chosen} '
        f'aria-describedby="{scope}-{row}-{column}" aria-label="{name}: {value}, says {word}">'
        f"<span>{value}</span>"
        f'<span class="mi-k" id="{scope}-{row}-{column}"><b class="mi-run">The {into} run, patched at {name} '
        f"({value}), says</b>{_bars(reading.patched[row][column])}</span></label>"
    )


def _rounded(value: float) -> str:
    """Two digits, and no minus in front of a zero."""
    return f"{round(value, 2) + 0.0:.2f}"


def _scale(reading: Reading) -> str:
    """Between which two numbers the values lie."""
    one, other = (f"<b>{token_html(word)}</b>" for word in reading.measured)
    clean, corrupted = (f"{end:.2f}" for end in reading.ends)
    return (
        f'<div style="margin-top:8px">logit of {one} − logit of {other}: {clean} in the clean run (1.00), {corrupted} '
        "in the corrupted run (0.00)</div>"
    )


def _plain(title: str, words: Words, place: str) -> str:
    return f'<div class="mi-plain" style="{place}"><b class="mi-run">{title}</b>{_bars(words)}</div>'


def _bars(words: Words) -> str:
    return "".join(
        f'<span><b>{token_html(word)}</b>{probability:.1%}<i style="--p:{100 * probability:.1f}"></i></span>'
        for word, probability in words
    )
