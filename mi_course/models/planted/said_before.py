"""A planted induction circuit: [A][B] … [A] → [B], in two heads."""

from __future__ import annotations

import torch

from mi_course.data.three_rules import WORDS
from mi_course.errors import CourseError
from mi_course.models.planted import network
from mi_course.models.planted.network import Head, Planted, PlantedPrompts, Stream

BOS = 0


@torch.no_grad()
def induction(
    *,
    sharpness: float | int = 6,
    noise: float | int = 0.2,
    n_layers: int = 2,
    n_heads: int = 4,
    n_words: int = 24,
    length: int = 12,
    hidden: bool = False,
    seed: int = 0,
) -> Planted:
    """Two heads that say a phrase again, among idle heads and two decoys.

    The residual stream holds, side by side::

        token | position | previous token | aside | answer

    - *previous token* (layer 0) looks at the position before its own and writes the token there into "previous
      token".
    - *induction* (layer 1) asks with its own "token" for a position whose "previous token" is the same, and copies
      the "token" there into "answer", which the logits read.
    - The *decoys* are loud and useless: one writes each token into "aside", the other moves that on. The logits do
      not read "aside".

    ``sharpness``: how much higher, in nats, a head scores what it looks for than anything else. At 6 it looks there
    with more than 0.9, and gradients flow through its softmax; from 40 on it is saturated: all attention on one
    position, and a gradient of practically 0.
    ``noise``: the size of what all idle heads together write (see `network.fill_idle`); 0: nothing.
    ``hidden``: layers and heads are drawn by ``seed`` and the residual stream is turned, so that nothing can be read
    off names or coordinates.

    Prompts: ``length − 1`` tokens that differ, BOS in front, and at the end one of them again. The answer is what
    followed it. The corrupted prompt is made of other words, with the repetition elsewhere; ``wrong`` is its answer.
    Use after Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits".
    """
    _check(n_words, length)
    generator = torch.Generator().manual_seed(seed)
    d_vocab = n_words + 1
    stream = Stream(
        **{
            "token": d_vocab,
            "position": length,
            "previous token": d_vocab,
            "aside": d_vocab,
            "answer": d_vocab,
        }
    )
    d_head = max(d_vocab, length)
    model = network.empty(
        stream, WORDS[:n_words], n_layers=n_layers, n_heads=n_heads, d_head=d_head, d_mlp=0, n_ctx=length
    )
    places = network.place(
        n_layers,
        n_heads,
        [("own token (decoy)", "previous token"), ("onlooker (decoy)", "induction")],
        generator if hidden else None,
    )
    heads = {role: Head(model, stream, where, sharpness) for role, where in places.items()}
    token, position = torch.eye(d_vocab), torch.eye(length)

    previous = heads["previous token"]
    previous.query("position", position)
    previous.key("position", torch.diag(torch.ones(length - 1), 1))  # position p is the key of query p + 1
    previous.value("token", token)
    previous.output("previous token", token)

    copies = heads["induction"]
    copies.query("token", token)
    copies.key("previous token", token)
    copies.value("token", token)
    copies.output("answer", network.STRENGTH * token)

    own = heads["own token (decoy)"]
    own.query("position", position)
    own.key("position", position)
    own.value("token", token)
    own.output("aside", network.LOUD * token)

    onlooker = heads["onlooker (decoy)"]  # without a query it looks everywhere alike
    onlooker.value("aside", token)
    onlooker.output("aside", token)

    model.W_U[stream["answer"]] = token
    names = {role: f"L{layer}H{head}" for role, (layer, head) in places.items()}
    before, copier = names["previous token"], names["induction"]
    truth = {
        ("embed", f"{before}.v"),
        (before, f"{copier}.k"),
        ("embed", f"{copier}.q"),
        ("embed", f"{copier}.v"),
        (copier, "logits"),
    }
    roles = {name: role for role, name in names.items()}
    subspaces = network.finish(model, stream, roles, noise=float(noise), hidden=hidden, generator=generator)

    def make(n: int, draw: torch.Generator) -> PlantedPrompts:
        return _prompts(n, n_words, length, draw)

    constant = frozenset({("embed", f"{before}.q"), ("embed", f"{before}.k")})
    return Planted(model, frozenset(truth), constant, roles, subspaces, make)


def _prompts(n: int, n_words: int, length: int, draw: torch.Generator) -> PlantedPrompts:
    words = 1 + torch.rand(n, n_words, generator=draw).argsort(dim=1)
    halves = words[:, : length - 2], words[:, length - 2 : 2 * (length - 2)]
    place = torch.randint(length - 3, (n,), generator=draw)
    elsewhere = (place + 1 + torch.randint(length - 4, (n,), generator=draw)) % (length - 3)
    (clean, correct), (corrupted, wrong) = (
        _said_again(text, where) for text, where in zip(halves, (place, elsewhere))
    )
    return PlantedPrompts(clean, corrupted, correct, wrong)


def _said_again(text: torch.Tensor, where: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """BOS, the text, and the word at ``where`` once more; and the word that followed it."""
    bos = torch.full((len(text), 1), BOS)
    again, answer = text.gather(1, where[:, None]), text.gather(1, where[:, None] + 1)
    return torch.cat([bos, text, again], dim=1), answer[:, 0]


def _check(n_words: int, length: int) -> None:
    if length < 6:
        raise CourseError(f"length={length}; a phrase that is said again takes at least 6 positions.")
    if not 2 * (length - 2) <= n_words <= len(WORDS) - 2:
        raise CourseError(
            f"n_words={n_words}; two prompts of length {length} without a common word take at least "
            f"{2 * (length - 2)} words, and there are {len(WORDS) - 2}."
        )
