"""Compute again only what can have changed: a run is taken up at one layer and one position.

Position 7 of a causal model never hears of position 8. If an experiment changes the residual stream at position p
from some layer on, then everything before that layer, and everything at positions before p in *all* layers, is what
it was in the plain run. So run the model once, keep the residual stream, the keys and the values, and for each
change compute the positions p … end of the layers that are left. Their queries look at stored keys and values of
the prefix, as when a model writes a text word by word. In the last layer only the position counts at which the
answer is read.

Changes that begin at the same position run together, whatever their layer: the batch grows on its way up. Every
number is the one that a whole run with hooks gives, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.methods.metrics import at_position
from mi_course.models.activation_cache import ActivationCache, point_name
from mi_course.models.transformer import Attention, Transformer

Position = int | Int[Tensor, " batch"] | None
"""Where the answer is read: at one position in all rows, at each row's own, or (None) everywhere."""


@dataclass(frozen=True)
class Change:
    """A change of the residual stream at one place: what is added to it, there and at no other.

    ``depth``: 2 · layer is before a layer, 2 · layer + 1 behind its attention, 2 · n_layers behind the last layer.
    ``added(rows)``: for a slice of the batch what is added, beginning at position ``first`` and ending with ``last``.
    """

    depth: int
    first: int
    last: int
    added: Callable[[slice], Float[Tensor, "rows changed d_model"]]


@dataclass(frozen=True)
class PlainRun:
    """A run in which nothing is changed, as far as changed runs need it; `PlainRun.of` makes one.

    ``final``: the residual stream behind the last layer. Positions behind the last one that is read are left out.
    """

    model: Transformer
    cache: ActivationCache
    final: Float[Tensor, "batch pos d_model"]
    position: Position

    @classmethod
    @torch.no_grad()
    def of(
        cls,
        model: Transformer,
        tokens: Int[Tensor, "batch pos"],
        points: Iterable[str] = (),
        *,
        position: Position = -1,
        chunk_size: int = 256,
    ) -> PlainRun:
        """Run ``model`` and keep ``points`` of every layer ("resid_pre", "z", …), and always its keys and values."""
        if any(point._forward_hooks for point in model.hook_points().values()):
            raise CourseError(
                "Hooks are active on this model. Here only a part of every run is computed, so they would see pieces. "
                "Close the `with model.hooks(…)`, or change the weights of a copy instead (copy.deepcopy(model))."
            )
        position, end = _read_from_start(position, tokens)
        layers = range(model.config.n_layers)
        names = [point_name(point, layer) for point in dict.fromkeys(["k", "v", *points]) for layer in layers]
        runs = [
            model.run_with_cache(rows, names, stop_at_layer=model.config.n_layers)
            for rows in tokens[:, :end].split(chunk_size)
        ]
        kept = {name: torch.cat([cache[name] for _, cache in runs]) for name in names}
        final = torch.cat([resid for resid, _ in runs])
        return cls(model, ActivationCache(kept, model.config.n_layers), final, position)

    @property
    def n_pos(self) -> int:
        """How many positions there are, up to the last one that is read."""
        return self.final.shape[1]

    @property
    def reads_only_the_end(self) -> bool:
        return isinstance(self.position, int)

    def logits(self) -> Float[Tensor, "batch read d_vocab"]:
        """The logits of the plain run, where the answer is read."""
        return self.model.unembed(self._read(self.final[None], slice(None))[0])

    def changed_logits(
        self, changes: Sequence[Change], *, chunk_size: int = 256
    ) -> Iterator[tuple[int, Float[Tensor, "batch read d_vocab"]]]:
        """For each change its number in ``changes`` and the logits with it, in the order that is fastest.

        ``chunk_size``: the most rows (changes × examples) that run at once.
        """
        n_rows = len(self.final)
        silent = [number for number, change in enumerate(changes) if not self._can_matter(change)]
        if silent:
            logits = self.logits()
            yield from ((number, logits) for number in silent)
        order = sorted(
            set(range(len(changes))) - set(silent), key=lambda n: (changes[n].first, changes[n].depth)
        )
        for chunk in _chunks(order, lambda n: changes[n].first, max(1, chunk_size // n_rows)):
            final = torch.cat(
                [
                    self._resumed([changes[n] for n in chunk], slice(begin, begin + chunk_size))
                    for begin in range(0, n_rows, chunk_size)
                ],
                dim=1,
            )
            at_once = max(1, chunk_size // (n_rows * final.shape[2]))
            for begin in range(0, len(chunk), at_once):
                part = final[begin : begin + at_once]
                logits = self.model.unembed(part.flatten(end_dim=1)).unflatten(0, part.shape[:2])
                yield from zip(chunk[begin:], logits)

    def _can_matter(self, change: Change) -> bool:
        """Whether what is read can hear of this change. Attention of the last layer is the last that moves anything."""
        if change.first >= self.n_pos:
            return False
        heard_later = change.depth <= 2 * (self.model.config.n_layers - 1)
        return heard_later or not self.reads_only_the_end or change.last >= self.n_pos - 1

    def _resumed(self, changes: list[Change], rows: slice) -> Float[Tensor, "change rows read d_model"]:
        """The final residual stream with each change. The changes have one first position and ascend in depth."""
        model, first = self.model, changes[0].first
        n_layers, waiting = model.config.n_layers, list(changes)
        start = waiting[0].depth // 2
        stream = self._join(None, waiting, 2 * start, rows)
        for layer, block in list(enumerate(model.blocks))[start:]:
            only_end = layer == n_layers - 1 and self.reads_only_the_end
            if stream is not None:
                prefix = [self.cache[part, layer][rows, :first] for part in ("k", "v")]
                attended = _with_prefix(block.attn, block.ln1(stream), *prefix, only_end=only_end)
                stream = (stream[:, -1:] if only_end else stream) + attended
            stream = self._join(stream, waiting, 2 * layer + 1, rows, only_end=only_end)
            if block.mlp is not None and stream is not None:
                stream = stream + block.mlp(block.ln2(stream))
            stream = self._join(stream, waiting, 2 * layer + 2, rows, only_end=only_end)
        return self._read(stream.unflatten(0, (len(changes), -1)), rows)

    def _join(
        self, stream: Tensor | None, waiting: list[Change], depth: int, rows: slice, *, only_end: bool = False
    ) -> Tensor | None:
        """The batch "change · rows, pos, d_model", joined by those of ``waiting`` that begin at this depth."""
        parts = [] if stream is None else [stream]
        while waiting and waiting[0].depth == depth:
            change = waiting.pop(0)
            resid = self._resid(depth)[rows, change.first :].clone()
            resid[:, : change.last + 1 - change.first] += change.added(rows)
            parts.append(resid[:, -1:] if only_end else resid)
        return torch.cat(parts) if parts else None

    def _resid(self, depth: int) -> Float[Tensor, "batch pos d_model"]:
        """The residual stream of the plain run at one depth."""
        layer, behind_attention = divmod(depth, 2)
        if behind_attention:
            return self.cache["resid_mid" if self.model.config.d_mlp else "resid_post", layer]
        return self.final if layer == self.model.config.n_layers else self.cache["resid_pre", layer]

    def _read(
        self, final: Float[Tensor, "change rows suffix d_model"], rows: slice
    ) -> Float[Tensor, "change rows read d_model"]:
        """From the final stream of the last positions: what is read."""
        if self.reads_only_the_end:
            return final[:, :, -1:]
        prefix = self.final[rows, : self.n_pos - final.shape[2]]
        everywhere = torch.cat([prefix.expand(len(final), *prefix.shape), final], dim=2)
        if self.position is None:
            return everywhere
        own = self.position[rows].repeat(len(final))
        return at_position(everywhere.flatten(end_dim=1), own).view(*everywhere.shape[:2], 1, -1)


def _with_prefix(
    attn: Attention,
    x: Float[Tensor, "rows suffix d_model"],
    k_prefix: Float[Tensor, "examples prefix head d_head"],
    v_prefix: Float[Tensor, "examples prefix head d_head"],
    *,
    only_end: bool,
) -> Float[Tensor, "rows query_pos d_model"]:
    """What attention writes at the last positions, which see the keys and values of a stored prefix too."""
    q, k, v = attn.project(x)
    times = len(x) // len(k_prefix)
    k, v = (
        torch.cat([prefix.repeat(times, 1, 1, 1), new], dim=1)
        for prefix, new in ((k_prefix, k), (v_prefix, v))
    )
    pattern = attn.look(q[:, -1:] if only_end else q, k)
    return attn.write(attn.collect(pattern, v))


def _read_from_start(position: Position, tokens: Tensor) -> tuple[Position, int]:
    """The position counted from the start, and how many positions there are up to the last one that is read."""
    n_pos = tokens.shape[1]
    if position is None:
        return None, n_pos
    places = torch.arange(n_pos, device=tokens.device).expand(tokens.shape)
    own = at_position(places, position)
    return (int(own[0]) if isinstance(position, int) else own), int(own.max()) + 1


def _chunks(order: list[int], key: Callable[[int], int], size: int) -> Iterator[list[int]]:
    """Neighbours with the same key together, at most ``size`` of them."""
    chunk: list[int] = []
    for number in order:
        if chunk and (len(chunk) == size or key(number) != key(chunk[0])):
            yield chunk
            chunk = []
        chunk.append(number)
    if chunk:
        yield chunk
