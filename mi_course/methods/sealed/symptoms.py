"""What can this model of the tiny world do? The same questions for every model, so that a failing one stands out.

A check-up, not a diagnosis: it tells *that* something is wrong, and a model that passes may still fail where nobody
asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.data import facts, indirect_object
from mi_course.data.tiny_world.world import world
from mi_course.methods.metrics import at_position, loss_of_each
from mi_course.methods.padded_texts import pad
from mi_course.models.transformer import Transformer

HELD_OUT_SEED = 1_000_015
"""Of the texts that are asked about; no recipe trains on it."""


@torch.no_grad()
def check_up(
    model: Transformer, *, n: int = 64, seed: int = 0, without: str | None = None
) -> dict[str, Bool[Tensor, " question"]]:
    """Whether the most probable answer is right, for every question of four kinds.

    "gifts, two people" and "gifts, three people": who gets it, ``n`` stories each. "facts": ``n`` of them, in wordings
    that training never had. "said twice": the words of a string's second copy that its first one foretells, in
    ``n / 4`` texts. ``without``: leave out stories with this word in them.
    """
    found = {}
    for people, words in ((2, "two"), (3, "three")):
        stories = indirect_object.prompts(n, people=people, seed=seed)
        kept = [row for row, text in enumerate(stories.texts) if without not in text.split()]
        texts, correct = ([of[row] for row in kept] for of in (stories.texts, stories.correct))
        found[f"gifts, {words} people"] = says(model, texts, correct)
    asked = facts.prompts()
    chosen = torch.randperm(len(asked), generator=torch.Generator().manual_seed(seed))[:n].tolist()
    found["facts"] = says(model, [asked.texts[i] for i in chosen], [asked.answers[i] for i in chosen])
    found["said twice"] = _second_copies(model, max(1, n // 4), seed)
    return found


def lost_facts(model: Transformer, *, at_least: int = 2) -> dict[tuple[str, str], list[str]]:
    """What is said instead of the truth, for every (relation, subject) with ``at_least`` so many wrong answers.

    Each of the 291 facts is asked in the three wordings that training never had.
    """
    asked = facts.prompts()
    said: dict[tuple[str, str], list[str]] = {}
    for row, guess in enumerate(first_guesses(model, asked.texts).tolist()):
        word = model.to_str_tokens([guess])[0].strip()
        if word != asked.answers[row]:
            said.setdefault((asked.relations[row], asked.subjects[row]), []).append(word)
    return {fact: words for fact, words in said.items() if len(words) >= at_least}


@torch.no_grad()
def says(model: Transformer, texts: Sequence[str], answers: Sequence[str]) -> Bool[Tensor, " text"]:
    """For each text, whether the most probable next word is the answer."""
    wanted = torch.tensor([model.to_single_token(answer) for answer in answers], device=model.W_E.device)
    return first_guesses(model, texts) == wanted


@torch.no_grad()
def first_guesses(model: Transformer, texts: Sequence[str], *, chunk_size: int = 128) -> Int[Tensor, " text"]:
    """The most probable token behind each text; texts may differ in length."""
    guesses = []
    for start in range(0, len(texts), chunk_size):
        batch = pad(model, texts[start : start + chunk_size])
        last = at_position(model(batch.tokens, stop_at_layer=model.config.n_layers), batch.ends)
        guesses.append(model.unembed(last[:, None])[:, 0].argmax(dim=-1))
    return torch.cat(guesses)


@torch.no_grad()
def text_losses(
    model: Transformer, *, n: int = 64, seed: int = 0, without: str | None = None
) -> Float[Tensor, " text"]:
    """The mean surprise in nats a word on ``n`` documents of the tiny world.

    ``without``: leave out texts with this word in them.
    """
    texts = [document.text for document in world().documents(n, seed=HELD_OUT_SEED + seed)]
    texts = [text for text in texts if without not in text.split()]
    batch = pad(model, texts)
    return loss_of_each(model(batch.tokens), batch.tokens, batch.where)


def _second_copies(model: Transformer, n: int, seed: int) -> Bool[Tensor, " word"]:
    documents = world().documents(n, seed=HELD_OUT_SEED + seed, kind="repeat")
    tokens = model.to_tokens([document.text for document in documents], pad=True)
    guesses = model(tokens)[:, :-1].argmax(dim=-1)
    right = []
    for row, document in enumerate(documents):
        words = document.tokens
        # Foretold is a word if the pair (word before, word) has stood in the text already.
        pairs = list(itertools.pairwise(words))
        places = [at for at in range(1, len(pairs)) if pairs[at] in pairs[: at - 1]]
        right += [bool(guesses[row, at + 1] == tokens[row, at + 2]) for at in places]
    return torch.tensor(right)
