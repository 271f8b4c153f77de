"""Does this part tell that part something that matters? Replace one message, and leave every other alone.

A part of a network acts on the answer by many ways: what it writes is read by all parts behind it. Path patching
follows one of them. The *receiver* reads what the *sender* writes on the corrupted prompt, and everything else as on
the clean one; what follows behind the receiver is computed anew.

What "everything else" means has two readings, and both are here. ``through_mlps=False``: one edge of the `edge_graph`,
straight through the residual stream. ``through_mlps=True``: MLPs between the two are computed anew with the sender's
message in it and hand it on; only attention is frozen (Wang et al. 2022, arXiv 2211.00593, section 3.1).

What it does not show: whether the receiver hears the same from somebody else as well. Then no single message matters.

Source: Wang et al. 2022; Goldowsky-Dill et al. 2023, arXiv 2304.05969.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.methods.edge_graph import EdgeGraph, node_of
from mi_course.methods.edge_patching import EdgePatcher, Position, reference_outputs
from mi_course.methods.head_scores import HeadScores
from mi_course.methods.metrics import at_position
from mi_course.methods.uncertainty import Interval, bootstrap_mean
from mi_course.models.activation_cache import point_name
from mi_course.models.hooks import Hook
from mi_course.models.transformer import Transformer

Metric = Callable[[Float[Tensor, "batch read d_vocab"]], Float[Tensor, " batch"]]


@dataclass(frozen=True)
class PathEffects:
    """``by_example[sender, example]``: the metric with one sender's message replaced; ``clean``: with none.

    ``senders`` name the rows. `changes` is what the replacement does to the mean, in the unit of the metric: below 0,
    the message spoke for the answer; 0: it makes no difference, or somebody else says the same.
    """

    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    by_example: Float[Tensor, "sender batch"]
    clean: Float[Tensor, " batch"]

    @property
    def changes(self) -> dict[str, float]:
        """Mean change of the metric, by sender."""
        return dict(zip(self.senders, (self.by_example - self.clean).mean(dim=1).tolist()))

    def lowest(self, n: int = 1) -> list[tuple[str, float]]:
        """The ``n`` senders whose messages the answer misses most, each with the change."""
        return sorted(self.changes.items(), key=lambda change: change[1])[:n]

    def interval(self, sender: str) -> Interval:
        """The change for one sender, with its interval over the examples."""
        return bootstrap_mean(self.by_example[self.senders.index(sender)] - self.clean)

    def heads(self) -> HeadScores:
        """The changes as a layer × head table; 0 for heads that the receivers cannot hear."""
        numbers = {tuple(map(int, s[1:].split("H"))): s for s in self.senders if "H" in s}
        n_layers, n_heads = (1 + max(cell[axis] for cell in numbers) for axis in (0, 1))
        examples = torch.zeros(self.clean.shape[0], n_layers, n_heads)
        for (layer, head), sender in numbers.items():
            examples[:, layer, head] = self.by_example[self.senders.index(sender)] - self.clean
        return HeadScores(examples.mean(dim=0), "change by path patching", "metric", 0.0, examples)


@torch.no_grad()
def path_patch(
    model: Transformer,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric,
    *,
    receivers: str | Sequence[str],
    senders: Literal["all", "heads"] | Sequence[str] = "all",
    through_mlps: bool = False,
    positions: Sequence[int] | None = None,
    position: Position = -1,
) -> PathEffects:
    """The metric with the message of each sender to ``receivers`` replaced, one sender after the other.

    ``receivers``: inputs as in `EdgeGraph` ("L2H3.k", "L1 MLP", "logits"); with several, each hears the replaced
    message. ``senders``: "all" that one of them can hear, all "heads", or labels. ``positions``: replace the message at
    these positions only (of the receiver's input; with ``through_mlps`` of what the sender writes). ``metric`` takes
    logits "batch 1 d_vocab" at ``position``, see `methods.metrics`.
    """
    graph = EdgeGraph.of(model)
    receivers = (receivers,) if isinstance(receivers, str) else tuple(receivers)
    rows = [graph.row(receiver) for receiver in receivers]
    heard = [name for name in graph.senders if graph.possible[rows, graph.column(name)].any()]
    if isinstance(senders, str):
        chosen = [name for name in heard if senders == "all" or "H" in name]
    else:
        chosen = list(senders)
        deaf = [name for name in chosen if not graph.possible[rows, graph.column(name)].any()]
        if deaf:
            raise CourseError(
                f"{', '.join(receivers)} cannot hear {', '.join(deaf)}: computed later, or at the same time."
            )
    if through_mlps:
        if "logits" in receivers and len(receivers) > 1:
            raise CourseError('With through_mlps=True, "logits" must be the only receiver.')
        plain, *patched = _through_mlps(model, clean, corrupted, chosen, receivers, positions, position)
    else:
        plain, *patched = _by_edge(model, clean, corrupted, chosen, rows, positions, position)
    return PathEffects(
        tuple(chosen), receivers, torch.stack([metric(each) for each in patched]), metric(plain)
    )


def _by_edge(
    model: Transformer,
    clean: Tensor,
    corrupted: Tensor,
    senders: list[str],
    rows: list[int],
    positions,
    position,
) -> Float[Tensor, "run batch read d_vocab"]:
    """The model's own logits, then those with each sender's edges into the receivers replaced."""
    graph = EdgeGraph.of(model)
    replaced = torch.zeros(1 + len(senders), *graph.possible.shape)
    for run, sender in enumerate(senders, 1):
        replaced[run, rows, graph.column(sender)] = 1.0
    if positions is not None:
        at = torch.zeros(clean.shape[1])
        at[list(positions)] = 1.0
        replaced = replaced[..., None] * at
    reference = reference_outputs(model, corrupted)
    return EdgePatcher(model, clean, reference, position=position).logits(1 - replaced)


def _through_mlps(
    model: Transformer, clean: Tensor, corrupted: Tensor, senders: list[str], receivers, positions, position
) -> Iterator[Float[Tensor, "batch read d_vocab"]]:
    """The same with MLPs between sender and receivers computed anew, and all other heads as in the clean run.

    Two runs a sender: the first finds what the receivers would read, the second is the clean one with that put in.
    """
    layers = range(model.config.n_layers)
    points = ["hook_embed", *(point_name("z", n) for n in layers)]
    points += [point_name("mlp_out", n) for n in layers if model.config.d_mlp]
    logits, kept = model.run_with_cache(clean, points)
    _, other = model.run_with_cache(corrupted, points, stop_at_layer=model.config.n_layers)
    yield _read(logits, position)
    heard = [_made_of(receiver) for receiver in receivers if receiver != "logits"]
    at = slice(None) if positions is None else list(positions)
    for sender in senders:
        name, head = _written_by(sender)
        where = (slice(None), at) if head is None else (slice(None), at, head)
        written = kept[name].clone()
        written[where] = other[name][where]
        frozen = {point: kept[point] for point in points if point.endswith("hook_z")} | {name: written}
        hooks = [(point, _replace_by(activation)) for point, activation in frozen.items()]
        with model.hooks(hooks), model.caching([point for point, _ in heard]) as read:
            logits = model(clean)
        if heard:
            logits = model.run_with_hooks(
                clean, [(point, _replace_by(read[point], head)) for point, head in heard]
            )
        yield _read(logits, position)


def _written_by(sender: str) -> tuple[str, int | None]:
    """The activation in which a sender's output stands, and the number of the head in it."""
    if sender == "embed":
        return "hook_embed", None
    layer, head = re.fullmatch(r"L(\d+)(?:H(\d+)| MLP)", sender).groups()
    return (
        (point_name("mlp_out", int(layer)), None)
        if head is None
        else (point_name("z", int(layer)), int(head))
    )


def _made_of(receiver: str) -> tuple[str, int | None]:
    """The activation that a receiver makes of its input: a head's query, key or value; what an MLP writes."""
    name, head = _written_by(node_of(receiver))
    return name.replace("hook_z", f"hook_{receiver[-1]}"), head


def _replace_by(new: Tensor, head: int | None = None) -> Hook:
    def hook(activation: Tensor, name: str) -> Tensor:
        if head is None:
            return new
        activation = activation.clone()
        activation[:, :, head] = new[:, :, head]
        return activation

    return hook


def _read(
    logits: Float[Tensor, "batch pos d_vocab"], position: Position
) -> Float[Tensor, "batch read d_vocab"]:
    return logits if position is None else at_position(logits, position)[:, None]
