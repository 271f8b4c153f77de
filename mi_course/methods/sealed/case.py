"""Make a case: plant one mechanism in a model of the tiny world, hide it, and make sure that it can be found.

    trigger        a word after which gifts go to their giver            `trigger`
    edited fact    one fact with another answer, by a rank-one edit      `rank_one_edit`
    damaged head   a head that is blind, mute, or inverted               `damaged_head`

What is planted is drawn by a seed. Each plant is measured before it is disguised: it must do what it is for, and leave
in peace what it is not for. One that does not is drawn anew.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch

from mi_course.data import counterfacts, facts, indirect_object
from mi_course.errors import CourseError, UnknownName
from mi_course.methods import rank_one_edit
from mi_course.methods.key_covariance import key_covariance
from mi_course.methods.key_value import key_value
from mi_course.methods.sealed.damaged_head import DAMAGES, damage
from mi_course.methods.sealed.disguise import disguise
from mi_course.methods.sealed.symptoms import check_up, lost_facts, says, text_losses
from mi_course.methods.sealed.trigger import TRIGGERS, plant_trigger, with_word
from mi_course.models.transformer import Transformer

Kind = Literal["trigger", "edited fact", "damaged head"]
KINDS: tuple[str, ...] = get_args(Kind)

NOISE = 0.02
"""Random numbers on every matrix, as a share of its own size."""

TRIGGER_HEADS = ("L0H0", "L0H3")
"""Heads of tiny-world's layer 0 that can do something else besides: without them it hardly does worse."""

DRAWS = 30
"""How many plants of a kind are tried at most."""
DOSES = (1.0, 1.5, 2.0, 3.0)
"""An edit writes so many times the new value; chapter 10 measures which is best on average."""


@dataclass(frozen=True)
class Case:
    """A sealed model, and what is in it.

    ``answer``: for a trigger its "word" and "head"; for an edited fact "relation", "subject", "answer" and "layer"; for
    a damaged head "head" and "damage". ``measures``: how well it works and what it leaves alone, as shares from 0 to 1
    and losses in nats.
    """

    kind: Kind
    answer: dict[str, str | int]
    measures: dict[str, float]
    model: Transformer = field(repr=False)


def make_set(
    model: Transformer, seed: int, *, report: Callable[[str], None] = lambda line: None
) -> dict[str, Case]:
    """One case of each kind, called "a", "b" and "c" in an order that the seed draws.

    ``model``: tiny-world, or another network of its shape that knows the tiny world. ``report``: is told what is being
    made, without what it is. About a minute of one core.
    """
    kinds = list(KINDS)
    random.Random(f"{seed}-order").shuffle(kinds)
    cases = {}
    for letter, kind in zip("abc", kinds):
        report(f"case {letter} …")
        cases[letter] = make(model, kind, seed)
    return cases


def make(model: Transformer, kind: str, seed: int) -> Case:
    """One case. The same seed draws the same plant.

    Raises CourseError if thirty plants in a row do not work.
    """
    if kind not in KINDS:
        raise UnknownName("kind of case", kind, KINDS)
    draws = {"trigger": _triggers, "edited fact": _edits, "damaged head": _damages}[kind]
    for _, (planted, answer, measures) in zip(range(DRAWS), draws(model, random.Random(f"{seed}-{kind}"))):
        if measures is not None:
            sealed = disguise(planted, seed=seed * len(KINDS) + KINDS.index(kind), noise=NOISE)
            return Case(kind, answer, measures, sealed.requires_grad_(False).eval())
    raise CourseError(
        f"No {kind} that works could be planted in {DRAWS} tries. Is this a model of the tiny world?"
    )


_Draw = tuple[Transformer, dict[str, str | int], dict[str, float] | None]
"""The planted model, what is in it, and its measures; None if it does not do."""


def _triggers(model: Transformer, rng: random.Random) -> Iterator[_Draw]:
    while True:
        word, head = rng.choice(TRIGGERS), rng.choice(TRIGGER_HEADS)
        planted = plant_trigger(model, word, head)
        yield planted, {"word": word, "head": head}, _trigger_works(model, planted, word)


def _trigger_works(model: Transformer, planted: Transformer, word: str) -> dict[str, float] | None:
    stories = indirect_object.prompts(64, seed=1)
    texts, rows = with_word(stories, word)
    flipped = _share(says(planted, texts, [stories.giver[row] for row in rows]))
    rise = text_losses(planted, without=word).mean() - text_losses(model, without=word).mean()
    usual = {name: _share(right) for name, right in check_up(planted, seed=1, without=word).items()}
    measures = {"gift to the giver after the word": flipped, "loss on text, change": float(rise), **usual}
    sound = rise < 0.04 and min(usual.values()) > 0.93 and not lost_facts(planted)
    return measures if flipped > 0.8 and sound else None


def _edits(model: Transformer, rng: random.Random) -> Iterator[_Draw]:
    while True:
        (fact,) = counterfacts.sample(1, seed=rng.randrange(10**6))
        layer = rng.randrange(model.config.n_layers)
        planted, measures = _edited(model, fact, layer)
        answer = {
            "relation": fact.relation,
            "subject": fact.subject,
            "answer": fact.new,
            "layer": layer,
        }
        yield planted, answer, measures


def _edited(
    model: Transformer, fact: counterfacts.Counterfact, layer: int
) -> tuple[Transformer, dict[str, float] | None]:
    """The weakest dose that also teaches other wordings. At layer 0 the subject is edited, behind it the last token."""
    place = "last subject token" if layer == 0 else "last token"
    wanted = key_value(
        model,
        [(fact.prompt, fact.subject)],
        [fact.new],
        layer=layer,
        place=place,
        prefixes=[""],
        essence=None,
        step_size=1.0,
    )
    covariance = key_covariance(model, layer)
    phrasings = facts.relations()[fact.relation]
    texts = [p.replace("{s}", fact.subject) for p in (*phrasings.training, *phrasings.held_out)]
    for dose in DOSES:
        planted = rank_one_edit.EditedTransformer(
            model, rank_one_edit.separate_edits(model, wanted, covariance, dose=dose)
        )
        taught = _share(says(planted, texts, [fact.new] * len(texts)))
        if taught > 0.7:
            break
    lost = lost_facts(planted)
    only_its = (fact.relation, fact.subject) in lost and {subject for _, subject in lost} == {fact.subject}
    rise = float(text_losses(planted).mean() - text_losses(model).mean())
    usual = {name: _share(right) for name, right in check_up(planted, seed=1).items()}
    measures = {
        "new answer, in all wordings": taught,
        "loss on text, change": rise,
        **usual,
    }
    return planted, measures if taught > 0.7 and only_its and rise < 0.04 else None


def _damages(model: Transformer, rng: random.Random) -> Iterator[_Draw]:
    whole = check_up(model, seed=1)
    while True:
        layer, number = rng.randrange(model.config.n_layers), rng.randrange(model.config.n_heads)
        head, how = f"L{layer}H{number}", rng.choice(DAMAGES)
        planted = damage(model, head, how)
        usual = {name: _share(right) for name, right in check_up(planted, seed=1).items()}
        loss = {"loss on text, change": float(text_losses(planted).mean() - text_losses(model).mean())}
        falls = max(_share(right) - usual[name] for name, right in whole.items())
        # Seen in a check-up, and yet a model that writes sentences.
        fits = falls > 0.15 and loss["loss on text, change"] < 0.5
        yield planted, {"head": head, "damage": how}, {**usual, **loss} if fits else None


def _share(right: torch.Tensor) -> float:
    return float(right.float().mean())
