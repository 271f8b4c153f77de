"""A circuit as a drawing: the embedding at the bottom, the logits at the top, and who reads whom."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal

from mi_course.methods.edge_graph import AnyEdge, Edge, EdgeGraph, node_of
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, FAINT, INK, PANEL, QUIET, WIDTH, new_figure, over_axes, styled
from mi_course.plots.token_words import drawable

MOST_EDGES = 1000
"""More would be a grey cloud, in which nobody sees anything."""

EASY_TO_FOLLOW = 60
"""Up to so many edges are drawn strongly; more of them are fainter, so that the strong ones stand out."""

_KINDS = {
    "query": (COLOURS["blue"], "-"),
    "key": (COLOURS["vermilion"], (0, (4, 1.5))),
    "value": (COLOURS["green"], (0, (1.2, 1.2))),
    "MLP or logits": (COLOURS["black"], (0, (6, 1.5, 1.2, 1.5))),
}
_KIND_OF = {"q": "query", "k": "key", "v": "value"}
_LEFT, _GAP, _MARGIN = 0.62, 0.12, 0.25
"""Inches: the room for the names of the layers, between two nodes, and above and below."""


def circuit_diagram(
    edges: Iterable[AnyEdge],
    *,
    title: str,
    weights: Mapping[AnyEdge, Real] | None = None,
    unit: str = "weight",
    names: Mapping[str, str] | None = None,
    graph: EdgeGraph | None = None,
    alt: str = "",
) -> Picture:
    """Draw the edges of a circuit, ``(sender, receiver)`` as in `EdgeGraph`; to be read from the bottom to the top.

    A head is a box with three inputs: q, k and v. Edges into queries, keys, values, and into MLPs or logits differ
    in colour and in dashes. ``weights``: a number an edge, of which the size is the width of its line (in ``unit``);
    edges without one are thin. ``names``: what a node does, {"L0H2": "previous token"}, written into its box.

    Without ``graph`` only the nodes of the circuit are there, ordered so that lines cross little. With it, every
    node of the model has its place and those without edges are pale: for comparing several circuits of one model.

    The alt text says in words what is there: how much of everything, the heads with their names, and the three
    strongest ways from the embedding to the logits (the longest ones if there are no weights). ``alt`` is a sentence
    of your own to stand before it.
    """
    edges = sorted({_edge(edge) for edge in edges}, key=_order)
    if len(edges) > MOST_EDGES:
        raise ValueError(
            f"{len(edges)} edges cannot be told apart; draw the strongest {MOST_EDGES} or fewer."
        )
    weights = {_edge(edge): float(weight) for edge, weight in (weights or {}).items()}
    names = dict(names or {})
    rows = _rows(edges, graph)
    with styled():
        figure = new_figure(_height(rows) + 0.75 + 0.22 * len(over_axes(title).splitlines()))
        axes = figure.subplots()
        axes.set(xlim=(0, WIDTH), ylim=(0, _height(rows)))
        axes.set_axis_off()
        boxes = _places(rows, edges, fixed=graph is not None, named=bool(names))
        used = {"embed", "logits"} | {
            node for edge in edges for node in (edge.sender, node_of(edge.receiver))
        }
        _draw_edges(axes, edges, weights, boxes)
        _draw_nodes(axes, boxes, names, used, {edge.receiver for edge in edges})
        _draw_layers(axes, rows, boxes)
        axes.set_title(over_axes(title))
        _legend(figure, edges, unit if weights else None)
        return Picture(figure, " ".join([alt, _in_words(edges, weights, names)]), title=title)


@dataclass(frozen=True)
class _Box:
    """A node's place, in inches: its centre and its size."""

    x: float
    y: float
    width: float
    height: float

    def port(self, receiver: str) -> tuple[float, float]:
        """Where an edge ends: at the lower side, queries left, keys in the middle, values right."""
        shift = {"q": -0.3, "k": 0.0, "v": 0.3}.get(_part(receiver), 0.0)
        return self.x + shift * self.width, self.y - self.height / 2

    @property
    def top(self) -> tuple[float, float]:
        return self.x, self.y + self.height / 2


def _edge(edge: AnyEdge) -> Edge:
    ends = re.split(r"\s*(?:→|->)\s*", edge) if isinstance(edge, str) else tuple(edge)
    if len(ends) != 2:
        raise ValueError(f'{edge!r} is not an edge; write ("L0H2", "L1H0.k") or "L0H2→L1H0.k".')
    return Edge(*ends)


def _order(edge: Edge) -> tuple:
    """Edges in the order of computation, whatever the order in which they were given."""
    return [(_level(node), _number(node)) for node in (node_of(edge.receiver), edge.sender)], "qkv".find(
        _part(edge.receiver)
    )


def _part(receiver: str) -> str:
    """ "q", "k" or "v" of a head's input; "" of an MLP and of the logits."""
    return receiver[-1] if node_of(receiver) != receiver else ""


def _level(node: str) -> tuple[int, int]:
    """Where a node stands in the order of computation: its layer, and heads before the MLP."""
    if node in ("embed", "logits"):
        return (-1, 0) if node == "embed" else (10**6, 0)
    found = re.fullmatch(r"L(\d+)(H\d+| MLP)", node)
    if found is None:
        raise ValueError(
            f'{node!r} is no node of a circuit; nodes are "embed", "L0H2", "L0 MLP" and "logits".'
        )
    return int(found[1]), int(found[2] == " MLP")


def _rows(edges: Sequence[Edge], graph: EdgeGraph | None) -> list[list[str]]:
    """The nodes of each row, from the bottom."""
    nodes = {"embed", "logits"} | {node for edge in edges for node in (edge.sender, node_of(edge.receiver))}
    if graph is not None:
        unknown = nodes - {"embed", "logits", *graph.nodes}
        if unknown:
            raise ValueError(f"The graph has no {', '.join(sorted(unknown))}: is it another model's?")
        nodes |= set(graph.nodes)
    levels = defaultdict(list)
    for node in nodes:
        levels[_level(node)].append(node)
    return [sorted(levels[level], key=_number) for level in sorted(levels)]


def _number(node: str) -> int:
    found = re.search(r"H(\d+)$", node)
    return int(found[1]) if found else 0


def _spacing(row: Sequence[str]) -> float:
    """How much room a row takes; an MLP's less than heads', so that a layer hangs together."""
    return 0.72 if _is_mlp_row(row) else 1.0


def _is_mlp_row(row: Sequence[str]) -> bool:
    return row[0].endswith("MLP")


def _height(rows: Sequence[Sequence[str]]) -> float:
    return min(10.0, 2 * _MARGIN + sum(map(_spacing, rows[1:])))


def _places(
    rows: Sequence[Sequence[str]], edges: Sequence[Edge], *, fixed: bool, named: bool
) -> dict[str, _Box]:
    scale = (_height(rows) - 2 * _MARGIN) / sum(map(_spacing, rows[1:]))
    height = min(0.44 if named else 0.32, 0.62 * 0.72 * scale)
    widest = max(len(row) for row in rows if not _is_mlp_row(row))
    room = (WIDTH - _LEFT) / (widest + (1 if any(map(_is_mlp_row, rows)) else 0))
    ordered = rows if fixed else _uncrossed(rows, edges)
    free = WIDTH - _LEFT - (room if any(map(_is_mlp_row, rows)) else 0)
    width = min(1.25 if named else 0.8, room - _GAP)
    boxes, y = {}, _MARGIN
    for number, row in enumerate(ordered):
        y += _spacing(row) * scale if boxes else 0
        step = room if fixed and len(row) > 1 else free / len(row)
        # Boxes right above one another would hide the lines between the upper and the lower ones.
        shift = 0 if fixed else (0, -1, 1)[number % 3] * max(0, min(0.7 * width, (step - width - _GAP) / 2))
        for place, node in enumerate(row):
            x = WIDTH - room / 2 if _is_mlp_row(row) else _LEFT + (place + 0.5) * step + shift
            boxes[node] = _Box(x, y, width, height)
    for end in ("embed", "logits"):
        boxes[end] = _Box((_LEFT + WIDTH) / 2, boxes[end].y, 0.9, min(height, 0.3))
    return boxes


def _uncrossed(rows: Sequence[Sequence[str]], edges: Sequence[Edge]) -> list[list[str]]:
    """Each row in the order of what its nodes are connected to, up and down a few times (Sugiyama et al. 1981)."""
    neighbours = defaultdict(list)
    for sender, receiver in edges:
        if sender != "embed" and receiver != "logits":
            neighbours[sender].append(node_of(receiver))
            neighbours[node_of(receiver)].append(sender)
    place = {node: (number + 0.5) / len(row) for row in rows for number, node in enumerate(row)}
    ordered = [list(row) for row in rows]
    for _ in range(4):
        for row in (*ordered, *reversed(ordered)):
            if _is_mlp_row(row):
                continue
            wish = {
                node: sum(place[other] for other in neighbours[node]) / len(neighbours[node])
                if neighbours[node]
                else place[node]
                for node in row
            }
            row.sort(key=lambda node, wish=wish: (wish[node], _number(node)))
            place.update({node: (number + 0.5) / len(row) for number, node in enumerate(row)})
    return ordered


def _draw_edges(
    axes, edges: Sequence[Edge], weights: Mapping[Edge, float], boxes: Mapping[str, _Box]
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    largest = max((abs(weights.get(edge, 0.0)) for edge in edges), default=0.0) or 1.0
    crowded = len(edges) > EASY_TO_FOLLOW
    for edge in sorted(edges, key=lambda edge: abs(weights.get(edge, 0.0))):
        share = abs(weights.get(edge, 0.0)) / largest if weights else 0.25
        (x0, y0), (x1, y1) = boxes[edge.sender].top, boxes[node_of(edge.receiver)].port(edge.receiver)
        bend = 0.45 * (y1 - y0)
        colour, dashes = _KINDS[_kind(edge)]
        path = Path([(x0, y0), (x0, y0 + bend), (x1, y1 - bend), (x1, y1)], [1, 4, 4, 4])
        axes.add_patch(
            PathPatch(
                path,
                fill=False,
                edgecolor=colour,
                linestyle=dashes,
                linewidth=(0.5 if crowded else 0.9) + 2.6 * share,
                alpha=min(1.0, 0.3 + share**0.5) if crowded else 0.85,
                zorder=1 + share,
            )
        )


def _draw_nodes(axes, boxes, names: Mapping[str, str], used: set[str], receivers: set[str]) -> None:
    from matplotlib.patches import FancyBboxPatch

    for node, box in boxes.items():
        there, end = node in used, node in ("embed", "logits")
        axes.add_patch(
            FancyBboxPatch(
                (box.x - box.width / 2, box.y - box.height / 2),
                box.width,
                box.height,
                boxstyle="round,pad=0,rounding_size=0.05",
                facecolor=INK if end else "white" if there else PANEL,
                edgecolor=INK if there else FAINT,
                linewidth=1.0 if there else 0.6,
                zorder=3,
            )
        )
        role = _fitted(names.get(node, ""), box.width)
        small = min(8.5, 72 * box.width / 5.0, 72 * box.height / (3.3 if role else 2.2))
        axes.text(
            box.x,
            box.y + box.height * (0.27 if role else 0.12 if there and "H" in node else 0),
            node,
            ha="center",
            va="center",
            fontsize=small,
            weight="bold" if there else "normal",
            color="white" if end else INK if there else QUIET,
            zorder=4,
        )
        if role:
            size = min(7, 0.85 * small)
            axes.text(
                box.x, box.y - 0.04 * box.height, role, ha="center", va="center", fontsize=size, zorder=4,
                color=INK if there else QUIET,
            )  # fmt: skip
        for part in "qkv":
            if f"{node}.{part}" in receivers:
                x, y = box.port(f"{node}.{part}")
                axes.text(
                    x, y + 0.01, part, ha="center", va="bottom", fontsize=min(6.5, 0.8 * small), zorder=4,
                    color=INK, weight="bold",
                )  # fmt: skip


def _fitted(role: str, width: float) -> str:
    """The role in as many characters as a box holds."""
    room = int(width / 0.062)
    return drawable(role if len(role) <= room else role[: max(room - 1, 1)] + "…")


def _draw_layers(axes, rows: Sequence[Sequence[str]], boxes: Mapping[str, _Box]) -> None:
    named = set()
    for row in rows:
        layer = _level(row[0])[0]
        if 0 <= layer < 10**6 and layer not in named:
            named.add(layer)
            axes.text(0, boxes[row[0]].y, f"layer {layer}", va="center", fontsize=8.5, color=INK)


def _legend(figure, edges: Sequence[Edge], unit: str | None) -> None:
    from matplotlib.lines import Line2D

    there = {_kind(edge) for edge in edges}
    handles = [
        Line2D([], [], color=colour, linestyle=dashes, linewidth=2, label=f"into {kind}")
        for kind, (colour, dashes) in _KINDS.items()
        if kind in there
    ]
    if handles:
        title = None if unit is None else f"the wider, the more {unit}"
        figure.legend(handles=handles, loc="outside lower left", ncols=4, title=title, title_fontsize=9)


def _kind(edge: Edge) -> Literal["query", "key", "value", "MLP or logits"]:
    return _KIND_OF.get(_part(edge.receiver), "MLP or logits")


def _in_words(edges: Sequence[Edge], weights: Mapping[Edge, float], names: Mapping[str, str]) -> str:
    if not edges:
        return "A circuit without edges."
    nodes = {node for edge in edges for node in (edge.sender, node_of(edge.receiver))} - {"embed", "logits"}
    heads = sorted((node for node in nodes if "H" in node), key=lambda node: (_level(node), _number(node)))
    kinds = [_kind(edge) for edge in edges]
    found = [
        f"A circuit of {_count(len(edges), 'edge')} among {_count(len(heads), 'head')} and "
        f"{_count(len(nodes) - len(heads), 'MLP')}: "
        + ", ".join(f"{kinds.count(kind)} into {_PLURAL[kind]}" for kind in _KINDS if kind in kinds)
        + "."
    ]
    roles = defaultdict(list)
    for node in sorted(nodes & names.keys(), key=lambda node: (_level(node), _number(node))):
        roles[names[node]].append(node)
    if roles:
        found.append("; ".join(f"{role}: {', '.join(members)}" for role, members in roles.items()) + ".")
    ways = _ways(edges, weights)
    if ways:
        found.append(
            ("Strongest ways: " if weights else "Longest ways: ") + "; ".join(map(_way_in_words, ways)) + "."
        )
    else:
        found.append("No way leads from the embedding to the logits.")
    return " ".join(found)


_PLURAL = {"query": "queries", "key": "keys", "value": "values", "MLP or logits": "MLPs or logits"}


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _ways(edges: Sequence[Edge], weights: Mapping[Edge, float], most: int = 3) -> list[list[Edge]]:
    """Ways from "embed" to "logits": the best, then the best without its weakest edge, and so on.

    With weights a way is as strong as its weakest edge; without, the longest is the best.
    """
    left, found = list(edges), []
    while len(found) < most:
        way = _best_way(left, weights)
        if not way:
            break
        found.append(way)
        weakest = min(way, key=lambda edge: abs(weights.get(edge, 0.0))) if weights else way[0]
        left.remove(weakest)
    return found


def _best_way(edges: Sequence[Edge], weights: Mapping[Edge, float]) -> list[Edge]:
    best: dict[str, tuple[float, list[Edge]]] = {"embed": (float("inf") if weights else 0.0, [])}
    for edge in sorted(edges, key=lambda edge: _level(node_of(edge.receiver))):
        if edge.sender not in best:
            continue
        value, way = best[edge.sender]
        value = min(value, abs(weights.get(edge, 0.0))) if weights else value + 1
        node = node_of(edge.receiver)
        if node not in best or value > best[node][0]:
            best[node] = value, [*way, edge]
    return best.get("logits", (0.0, []))[1]


def _way_in_words(way: Sequence[Edge]) -> str:
    into = {"q": "queries of ", "k": "keys of ", "v": "values of ", "": ""}
    return "embed to " + " to ".join(f"{into[_part(edge.receiver)]}{node_of(edge.receiver)}" for edge in way)
