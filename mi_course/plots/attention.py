"""Attention patterns: one head as a labelled map, and all heads of a model at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mi_course.methods.head_scores import find_head
from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import (
    FAINT,
    INK,
    ON_PAPER,
    PANEL,
    WIDTH,
    ink_on,
    new_figure,
    styled,
    wrapped,
)
from mi_course.plots.token_words import token_labels

FUTURE = "#E9EAEC"
"""Where a causal head cannot look: the keys after the query."""

MOST_WRITTEN_TOKENS = 12
"""Up to so many tokens the map of one head also carries its numbers in writing."""

LARGEST_HEAD = 1.5
"""Inches that one head takes at most among many."""


def attention_pattern(pattern, tokens: Sequence[str | int], *, title: str, alt: str) -> Picture:
    """One head as a map: each row is a token that attends, each column one that is attended to.

    ``pattern[query_pos, key_pos]`` holds attention weights from 0 to 1. The scale always ends at 1, so
    that any two maps compare. Grey are the keys after the query if no weight falls on any of them.
    A large weight says where a head reads from, not what it does with it.
    """
    pattern = as_patterns(pattern, tokens, axes=2)
    n = len(tokens)
    with styled():
        side = min(6.0, max(3.6, 0.4 * n))
        figure = new_figure(side + 1.1)
        axes = figure.subplots()
        image = axes.imshow(_without_future(pattern), cmap=_paper(), vmin=0, vmax=1)
        if n <= MOST_WRITTEN_TOKENS:
            for (query, key), weight in np.ndenumerate(pattern):
                if weight >= 0.005:
                    axes.text(
                        key,
                        query,
                        f"{weight:.2f}",
                        ha="center",
                        va="center",
                        fontsize=8,
                        color=ink_on(image.cmap(image.norm(weight))),
                        in_layout=False,
                    )
        size = 9.5 if n <= 24 else 7.5 if n <= 40 else 5.5
        labels = token_labels(tokens)
        axes.set_xticks(range(n), labels, rotation=60, ha="right", rotation_mode="anchor", fontsize=size)
        axes.set_yticks(range(n), labels, fontsize=size)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="to: token that is attended to (key)", ylabel="from: token that attends (query)")
        axes.set_title(wrapped(title, 68))
        bar = figure.colorbar(image, ax=axes, label="attention", fraction=0.04, pad=0.02)
        bar.outline.set_visible(False)
        return Picture(figure, alt, title=title)


def attention_heads(
    patterns, *, title: str, alt: str, marked: Sequence[str] = (), layers: Sequence | None = None
) -> Picture:
    """All heads at a glance: one small map a head, a row of them for each layer.

    ``patterns[layer, head, query_pos, key_pos]`` holds attention weights from 0 to 1; each small map has
    the first token top left. ``marked``: heads to frame, such as "L5H1". ``layers``: names of the rows
    instead of L0, L1, … Too small to read single weights: ``attention_pattern`` shows one head.
    """
    patterns = as_patterns(patterns, axes=4)
    n_layers, n_heads, n, _ = patterns.shape
    names = [f"L{layer}" for layer in range(n_layers)] if layers is None else [str(name) for name in layers]
    if len(names) != n_layers:
        raise ValueError(f"There are {len(names)} names of layers, but patterns has {n_layers} layers.")
    framed = [find_head(label, n_layers, n_heads) for label in marked]
    with styled():
        import matplotlib

        cell = min(LARGEST_HEAD, (WIDTH - 0.75) / n_heads)
        figure = new_figure(cell * n_layers + 0.75 + 0.2 * len(wrapped(title).splitlines()))
        axes = figure.subplots()
        axes.set_facecolor(PANEL)
        gap = 0.08
        sheet, colours = contact_sheet(patterns)
        for layer in range(n_layers):
            for head in range(n_heads):
                tile = colours[sheet[layer * n : (layer + 1) * n, head * n : (head + 1) * n]]
                edges = (head + gap / 2, head + 1 - gap / 2, layer + 1 - gap / 2, layer + gap / 2)
                axes.imshow(tile, extent=edges, interpolation="antialiased")
                chosen = (layer, head) in framed
                axes.add_patch(
                    matplotlib.patches.Rectangle(
                        (edges[0], edges[3]),
                        1 - gap,
                        1 - gap,
                        fill=False,
                        edgecolor="#D55E00" if chosen else FAINT,
                        linewidth=2.2 if chosen else 0.6,
                    )
                )
        axes.set(xlim=(0, n_heads), ylim=(n_layers, 0), aspect="equal")
        axes.set_xticks(np.arange(n_heads) + 0.5, [f"H{head}" for head in range(n_heads)])
        axes.set_yticks(np.arange(n_layers) + 0.5, names)
        axes.xaxis.tick_top()
        axes.tick_params(length=0, colors=INK)
        axes.spines[:].set_visible(False)
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        return Picture(figure, alt, title=title)


def contact_sheet(patterns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The small maps of all heads in one picture: whole percents "height width", and their colours.

    ``colours[percent]`` is red, green, blue in bytes; a map has one pixel a weight. Where no head looks
    ahead, the keys after the query have number 101, which is grey.
    """
    n_layers, n_heads, n, _ = patterns.shape
    percent = np.rint(_without_future(patterns) * 100).filled(101).astype(np.uint8)
    colours = np.vstack([_paper()(np.linspace(0, 1, 101)), _paper()(np.ma.masked)])[:, :3]
    sheet = percent.transpose(0, 2, 1, 3).reshape(n_layers * n, n_heads * n)
    return sheet, (colours * 255).round().astype(np.uint8)


def as_patterns(patterns, tokens: Sequence[str | int] | None = None, *, axes: int) -> np.ndarray:
    """Attention weights as an array with so many axes, checked: square maps, weights in [0, 1]."""
    patterns = to_array(patterns, "the attention pattern")
    expected = "[query_pos, key_pos]" if axes == 2 else "[layer, head, query_pos, key_pos]"
    if patterns.ndim != axes or 0 in patterns.shape or patterns.shape[-1] != patterns.shape[-2]:
        raise ValueError(
            f"An attention pattern {expected} was expected, with as many queries as keys; "
            f"this has shape {patterns.shape}. For one prompt of a batch, take cache[…][0]."
        )
    if tokens is not None and len(tokens) != patterns.shape[-1]:
        raise ValueError(
            f"There are {len(tokens)} tokens, but the pattern has {patterns.shape[-1]} positions."
        )
    if not ((patterns >= -1e-6) & (patterns <= 1 + 1e-3)).all():
        raise ValueError(
            f"Attention weights lie between 0 and 1; these go from {patterns.min():.3g} to "
            f"{patterns.max():.3g}. Scores before the softmax belong in a heatmap."
        )
    return patterns.clip(0, 1)


def _without_future(patterns: np.ndarray) -> np.ma.MaskedArray:
    """The weights, masked above the diagonal if all are zero there, as in every causal model."""
    future = np.triu(np.ones(patterns.shape[-2:], dtype=bool), k=1)
    causal = not patterns[..., future].any()
    return np.ma.array(patterns, mask=np.broadcast_to(future & causal, patterns.shape))


def _paper():
    import matplotlib

    return matplotlib.colormaps[ON_PAPER].with_extremes(bad=FUTURE)
