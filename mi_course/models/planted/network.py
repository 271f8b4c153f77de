"""What a planted network is, and the steps that all of them share: an empty model, idle parts, a disguise.

The residual stream is divided into *subspaces* with names ("token", "previous token", "answer"): a head reads some of
them and writes one. Without layer norm and biases nothing else can reach a head, so what it does follows from its
four matrices, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.models.tokenizer import END_OF_TEXT, Tokenizer
from mi_course.models.transformer import Transformer, TransformerConfig

Edge = tuple[str, str]
"""(sender, receiver): ("L0H1", "L1H2.k") is what head L0H1 writes, as the keys of L1H2 read it. Senders are "embed",
heads and "L0 MLP"; receivers are the three inputs of a head, "L0 MLP" and "logits"."""

STRENGTH = 10.0
"""The logit that the head which gives the answer adds if it looks at one position only."""

LOUD = 3.0
"""The length of what a decoy writes, beside 1 for what a step of the circuit writes."""


@dataclass(frozen=True)
class PlantedPrompts:
    """Pairs of prompts of one length. ``correct``: the answer to the clean one.

    The corrupted prompt is another one of the same kind, with other words. ``wrong``: a token that is as good as
    ``correct`` for whoever lacks the circuit, so that ``logit_diff(correct, wrong)`` measures the circuit.
    """

    clean: Int[Tensor, "batch pos"]
    corrupted: Int[Tensor, "batch pos"]
    correct: Int[Tensor, " batch"]
    wrong: Int[Tensor, " batch"]

    def __len__(self) -> int:
        return len(self.clean)


@dataclass(frozen=True)
class Planted:
    """A model together with the truth about it.

    ``truth``: the edges that carry what differs between a clean prompt and its corrupted one. If one of them carries
    the corrupted prompt's content instead, the answer is lost; if all others do, it stays. What is true depends on
    the prompts: ``constant`` are the edges that the circuit needs as well, but that carry the same in both prompts
    (a position, the word at the end). Replacing *their* content by the corrupted prompt's changes nothing; cutting
    them (zero ablation) takes more than half of the logit difference.

    ``alternatives``: sets of edges of the truth of which any one is enough. Without one of them the answer stays;
    without an edge of each it is lost. Empty if the network has no backup, and then every edge of the truth is
    needed.

    ``roles``: what each node of the circuit does, and which nodes are decoys: {"L0H1": "previous token", …}. All
    other parts are idle: their weights are small and random. ``subspaces``: for each name the directions of the
    residual stream, as rows.
    """

    model: Transformer
    truth: frozenset[Edge]
    constant: frozenset[Edge]
    roles: dict[str, str]
    subspaces: dict[str, Float[Tensor, "direction d_model"]]
    make: Callable[[int, torch.Generator], PlantedPrompts] = field(repr=False)
    alternatives: tuple[frozenset[Edge], ...] = ()

    def prompts(self, n: int, *, seed: int = 0) -> PlantedPrompts:
        """``n`` pairs of prompts; the same seed gives the same ones."""
        if n < 1:
            raise CourseError(f"n={n}; ask for at least one pair of prompts.")
        return self.make(n, torch.Generator().manual_seed(seed))


class Stream:
    """The residual stream, divided into subspaces: ``stream["token"]`` is the slice of its coordinates."""

    def __init__(self, **sizes: int):
        self.slices: dict[str, slice] = {}
        self._parts: dict[str, slice] = {}
        start = 0
        for name, size in sizes.items():
            self.slices[name] = slice(start, start + size)
            start += size
        self.d_model = start

    def name_part(self, name: str, subspace: str, first: int, size: int = 1) -> None:
        """Give some coordinates of a subspace a name of their own, such as one token's."""
        start = self.slices[subspace].start + first
        self._parts[name] = slice(start, start + size)

    def __getitem__(self, name: str) -> slice:
        return self._parts[name] if name in self._parts else self.slices[name]


class Head:
    """A head to be wired: which subspaces its queries, keys and values read, and which one its output writes.

    Each method says how a subspace is mapped into the head's own space (``output``: out of it), beginning at
    coordinate ``at`` of that space. Queries are scaled so that a query and a key of length 1 that agree score
    ``sharpness``.
    """

    def __init__(self, model: Transformer, stream: Stream, place: tuple[int, int], sharpness: float | int):
        layer, self._head = place
        self._attn, self._stream = model.blocks[layer].attn, stream
        self._scale = float(sharpness) * math.sqrt(model.config.d_head)  # scores are divided by √d_head

    def query(self, subspace: str, matrix: Float[Tensor, "direction d_used"], *, at: int = 0) -> None:
        self._read(self._attn.W_Q, subspace, self._scale * matrix, at)

    def key(self, subspace: str, matrix: Float[Tensor, "direction d_used"], *, at: int = 0) -> None:
        self._read(self._attn.W_K, subspace, matrix, at)

    def value(self, subspace: str, matrix: Float[Tensor, "direction d_used"]) -> None:
        self._read(self._attn.W_V, subspace, matrix, 0)

    def output(self, subspace: str, matrix: Float[Tensor, "d_used direction"]) -> None:
        self._attn.W_O[self._head, : len(matrix), self._stream[subspace]] = matrix

    def _read(self, weight: Tensor, subspace: str, matrix: Tensor, at: int) -> None:
        weight[self._head, self._stream[subspace], at : at + matrix.shape[1]] = matrix


def empty(
    stream: Stream, words: Sequence[str], *, n_layers: int, n_heads: int, d_head: int, d_mlp: int, n_ctx: int
) -> Transformer:
    """A model of zeros: its embeddings are one-hot in "token" and "position", every head looks everywhere alike."""
    config = TransformerConfig(
        n_layers=n_layers,
        d_model=stream.d_model,
        n_heads=n_heads,
        d_head=d_head,
        d_mlp=d_mlp,
        d_vocab=1 + len(words),
        n_ctx=n_ctx,
        act="relu",
        norm=None,
        bias=False,
    )
    model = Transformer(config, tokenizer=_tokenizer(words), seed=0).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False).zero_()
    model.W_E[:, stream["token"]] = torch.eye(config.d_vocab)
    model.W_pos[:, stream["position"]] = torch.eye(n_ctx)
    return model


def place(
    n_layers: int, n_heads: int, steps: Sequence[Sequence[str]], generator: torch.Generator | None
) -> dict[str, tuple[int, int]]:
    """Where each role lives, as (layer, head). ``steps``: the roles of one layer, then those of a later one, ….

    Without a generator: layers 0, 1, …, and heads in the order of the roles. With one, both are drawn.
    """
    if n_layers < len(steps) or n_heads < max(map(len, steps)):
        raise CourseError(
            f"{n_layers} layers of {n_heads} heads are too few: this circuit has {len(steps)} layers of at most "
            f"{max(map(len, steps))} heads."
        )
    layers, heads = range(len(steps)), [range(n_heads)] * len(steps)
    if generator is not None:
        layers = torch.randperm(n_layers, generator=generator)[: len(steps)].sort().values.tolist()
        heads = [torch.randperm(n_heads, generator=generator).tolist() for _ in steps]
    return {
        role: (layer, head)
        for layer, roles, order in zip(layers, steps, heads)
        for role, head in zip(roles, order)
    }


def fill_idle(model: Transformer, busy: Mapping[str, str], noise: float, generator: torch.Generator) -> None:
    """Give every head and MLP that is not ``busy`` random weights that read everything and write everywhere.

    ``noise``: about the size of what they write all together, for an input of length 1, beside 1 for what a step of
    the circuit writes.
    """
    idle = model.config.n_layers * (model.config.n_heads + bool(model.config.d_mlp)) - len(busy)
    noise /= math.sqrt(max(idle, 1))

    def random(*shape: int, fan_in: int) -> Tensor:
        return torch.randn(shape, generator=generator) / math.sqrt(fan_in)

    d_model, d_head, d_mlp = model.config.d_model, model.config.d_head, model.config.d_mlp
    for layer, block in enumerate(model.blocks):
        for head in range(model.config.n_heads):
            if f"L{layer}H{head}" not in busy:
                for weight in (block.attn.W_Q, block.attn.W_K, block.attn.W_V):
                    weight[head] = random(d_model, d_head, fan_in=1)
                block.attn.W_O[head] = noise * random(d_head, d_model, fan_in=d_head * d_model)
        if block.mlp is not None and f"L{layer} MLP" not in busy:
            block.mlp.W_in.copy_(random(d_model, d_mlp, fan_in=1))
            block.mlp.W_out.copy_(noise * random(d_mlp, d_model, fan_in=d_mlp * d_model))


def rotate(model: Transformer, generator: torch.Generator) -> Float[Tensor, "d_model d_model"]:
    """Turn the residual stream by a random rotation, which the model computes with as before; returns it.

    Afterwards no coordinate means anything by itself. A vector x of the old stream is ``x @ rotation`` in the new.
    """
    d_model = model.config.d_model
    rotation = torch.linalg.qr(
        torch.randn(d_model, d_model, generator=generator, dtype=torch.float64)
    ).Q.float()
    model.W_E.copy_(model.W_E @ rotation)
    model.W_pos.copy_(model.W_pos @ rotation)
    model.lm_head.copy_(model.lm_head @ rotation)
    for block in model.blocks:
        block.attn.W_QKV.copy_(rotation.T @ block.attn.W_QKV)
        block.attn.W_O.copy_(block.attn.W_O @ rotation)
        if block.mlp is not None:
            block.mlp.W_in.copy_(rotation.T @ block.mlp.W_in)
            block.mlp.W_out.copy_(block.mlp.W_out @ rotation)
    return rotation


def finish(
    model: Transformer,
    stream: Stream,
    roles: dict[str, str],
    *,
    noise: float,
    hidden: bool,
    generator: torch.Generator,
) -> dict[str, Float[Tensor, "direction d_model"]]:
    """Fill what is idle, turn the stream if the circuit is to be hidden, and return the subspaces' directions."""
    fill_idle(model, roles, noise, generator)
    directions = rotate(model, generator) if hidden else torch.eye(stream.d_model)
    return {name: directions[where] for name, where in stream.slices.items()}


def _tokenizer(words: Sequence[str]) -> Tokenizer:
    import tokenizers

    numbers = {word: number for number, word in enumerate((END_OF_TEXT, *words))}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(numbers, unk_token=END_OF_TEXT))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    backend.add_special_tokens([END_OF_TEXT])
    backend.decoder = tokenizers.decoders.WordPiece(prefix="##", cleanup=False)
    return Tokenizer(backend)
