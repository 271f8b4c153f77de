"""Patching as a map to click: choose a cell, and see what the model says when just this cell is patched."""

from __future__ import annotations

import re
import secrets

import ipywidgets
import torch
from torch import Tensor

from mi_course.data.prompt_pairs import PromptPairs, pair
from mi_course.errors import CourseError
from mi_course.methods.activation_patching import patch, patched_logits
from mi_course.methods.metrics import logit_diff
from mi_course.methods.patching_sites import HEAD_SITES, STREAM_SITES
from mi_course.models.transformer import Transformer
from mi_course.plots.heatmap import heatmap
from mi_course.plots.horizontal_bars import horizontal_bars
from mi_course.plots.pictures import Pictures
from mi_course.plots.token_words import quoted, token_labels
from mi_course.widgets.explorer import Explorer
from mi_course.widgets.patching_html import Reading, Words, map_html
from mi_course.widgets.prompt import prompt_field

_DIFFERS = re.compile(r"\[([^\[\]|]*)\|([^\[\]|]*)\]")
DIRECTIONS = {"denoising (clean into corrupted)": "denoising", "noising (corrupted into clean)": "noising"}


class PatchingMap(Explorer):
    """Patch one pair of prompts everywhere: ``PatchingMap(model, "when Mary and John …", "when Mary and …")``.

    One row a layer; one column a position, or a head. Hover a cell, or reach it with Tab and the arrow keys (down:
    the next layer), for the ``k`` most probable words of the patched run, between those of the two plain runs; a
    click keeps it. The number is a logit difference, 0 as in the corrupted run and 1 as in the clean one; its two
    words are those that win and lose most probability from the corrupted run to the clean one, and its two ends stand
    below the map. The colour is how far patching moves it.

    In its field the pair is one line, with both words where it differs: "…, [John|Mary] gave a drink to". One pair
    is an anecdote: for many, with intervals, use `methods.activation_patching.patch`.
    """

    def __init__(
        self, model: Transformer, clean: str, corrupted: str, *, site: str = "resid_pre", k: int = 5
    ):
        self.model, self.k = model, k
        self._first = clean, corrupted, site
        self._scope = f"mi-patching-{secrets.token_hex(4)}"
        self._read: tuple[tuple, Reading] | None = None

    def controls(self) -> dict[str, ipywidgets.Widget]:
        *texts, site = self._first
        prompts = prompt_field(in_one_line(*texts))
        prompts.description = "Pair, [clean|corrupted]"
        sites = [name for name in STREAM_SITES + HEAD_SITES if self._has(name)]
        return {
            "prompts": prompts,
            "site": ipywidgets.Dropdown(options=sites, value=site, description="Site"),
            "direction": ipywidgets.Dropdown(options=list(DIRECTIONS), description="Direction"),
        }

    def draw(self, prompts: str, site: str, direction: str) -> Pictures:
        reading = self._reading(prompts, site, direction)
        row, column = reading.strongest
        name = reading.name(row, column)
        runs = {
            "clean": reading.clean,
            "patched": reading.patched[row][column],
            "corrupted": reading.corrupted,
        }
        says = "; ".join(f"{run} {quoted(words[0][0])} {words[0][1]:.2f}" for run, words in runs.items())
        return Pictures(
            [
                heatmap(
                    (torch.tensor(reading.values).round(decimals=2) + 0.0).numpy(),
                    rows=reading.rows,
                    columns=token_labels(reading.columns),
                    title=f"{site}, {direction}: 0 as in the corrupted run, 1 as in the clean one",
                    unit="share of the logit difference",
                    limit=1,
                    alt=f"Patching map of {site}, {direction}, {len(reading.rows)} layers and {len(reading.columns)} "
                    f"columns. The strongest cell is {name}, {reading.values[row][column]:.2f}.",
                ),
                horizontal_bars(
                    [(f"{run}: {word}", share) for run, words in runs.items() for word, share in words[:2]],
                    title=f"What the model says in the two runs, and patched at {name}",
                    xlabel="probability",
                    limit=1.15,
                    number=".1%",
                    marked=[f"patched: {word}" for word, _ in runs["patched"][:2]],
                    alt=f"First choices: {says}.",
                ),
            ]
        )

    def live_html(self, prompts: str, site: str, direction: str) -> str:
        return map_html(self._reading(prompts, site, direction), self._scope)

    def _has(self, site: str) -> bool:
        return bool(self.model.config.d_mlp) or site not in ("resid_mid", "mlp_out")

    def _reading(self, *choice: str) -> Reading:
        if self._read is None or self._read[0] != choice:
            self._read = choice, self._run(*choice)
        return self._read[1]

    def _run(self, prompts: str, site: str, direction: str) -> Reading:
        pairs = pair(self.model, *([text] for text in two_prompts(prompts)))
        options = {"site": site, "direction": DIRECTIONS[direction]}
        with torch.no_grad():
            plain = [self.model(tokens)[0, -1] for tokens in (pairs.clean, pairs.corrupted)]
            patched = patched_logits(self.model, pairs.clean, pairs.corrupted, **options)[:, :, 0, 0]
            won = plain[0].softmax(dim=-1) - plain[1].softmax(dim=-1)
        answers = int(won.argmax()), int(won.argmin())
        result = patch(
            self.model, pairs.clean, pairs.corrupted, lambda logits: logit_diff(logits, *answers), **options
        )
        heads = site in HEAD_SITES
        return Reading(
            rows=result.rows,
            columns=result.columns if heads else tuple(self.model.to_str_tokens(pairs.clean[0])),
            other_tokens=(None,) * len(result.columns) if heads else self._others(pairs),
            values=result.values.tolist(),
            of_heads=heads,
            patched=[[self._words(cell) for cell in row] for row in patched],
            clean=self._words(plain[0]),
            corrupted=self._words(plain[1]),
            measured=tuple(self.model.to_str_tokens(torch.tensor(answers))),
            ends=(float(result.clean), float(result.corrupted)),
            denoising=options["direction"] == "denoising",
        )

    def _words(self, logits: Tensor) -> Words:
        probabilities, tokens = logits.softmax(dim=-1).topk(min(self.k, len(logits)))
        return list(zip(self.model.to_str_tokens(tokens), probabilities.tolist()))

    def _others(self, pairs: PromptPairs) -> tuple[str | None, ...]:
        """The corrupted prompt's token where it is another one."""
        words = self.model.to_str_tokens(pairs.corrupted[0])
        return tuple(word if differs else None for word, differs in zip(words, pairs.differs.tolist()))


def in_one_line(clean: str, corrupted: str) -> str:
    """Two prompts as one text: "…, [John|Mary] gave a drink to"."""
    one, other = clean.split(" "), corrupted.split(" ")
    if len(one) != len(other):
        return f"[{clean}|{corrupted}]"
    return " ".join(a if a == b else f"[{a}|{b}]" for a, b in zip(one, other))


def two_prompts(line: str) -> tuple[str, str]:
    """The clean and the corrupted prompt that `in_one_line` has written as one text."""
    if not _DIFFERS.search(line):
        raise CourseError(
            "The two prompts are the same. Write both words where they differ, the clean one first: [John|Mary]."
        )
    return _DIFFERS.sub(r"\1", line), _DIFFERS.sub(r"\2", line)
