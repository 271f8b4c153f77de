"""A fact as a prompt: its words up to the answer, and where in them the subject stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from mi_course.errors import CourseError, UnknownName
from mi_course.models.transformer import Transformer

ROLES = ("earlier subject tokens", "last subject token", "tokens between", "last token")
"""The places of a prompt, from the subject on. What stands before the subject knows nothing of it."""


class Fact(NamedTuple):
    """``Fact("the Iron Tower is in", "Iron Tower")``: a text that ends where the answer comes, and whose fact it is."""

    prompt: str
    subject: str


@dataclass(frozen=True)
class FactTokens:
    """Prompts as rows of tokens, filled up at the right, and for each row the places that matter.

    ``first``, ``last``: of the subject's tokens; ``end``: the last token of the prompt, where the answer is read.
    """

    tokens: Int[Tensor, "batch pos"]
    first: Int[Tensor, " batch"]
    last: Int[Tensor, " batch"]
    end: Int[Tensor, " batch"]

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def subject(self) -> Bool[Tensor, "batch pos"]:
        """Where the subject's tokens stand."""
        pos = self._positions
        return (pos >= self.first[:, None]) & (pos <= self.last[:, None])

    def role(self, name: str) -> Bool[Tensor, "batch pos"]:
        """The positions that play one of the `ROLES`; a subject of one token has no earlier ones."""
        pos = self._positions
        first, last, end = self.first[:, None], self.last[:, None], self.end[:, None]
        places = {
            "earlier subject tokens": (pos >= first) & (pos < last),
            "last subject token": pos == last,
            "tokens between": (pos > last) & (pos < end),
            "last token": pos == end,
        }
        if name not in places:
            raise UnknownName("role of a token", name, ROLES)
        return places[name]

    def __getitem__(self, rows: slice) -> FactTokens:
        return FactTokens(self.tokens[rows], self.first[rows], self.last[rows], self.end[rows])

    @property
    def _positions(self) -> Int[Tensor, "1 pos"]:
        return torch.arange(self.tokens.shape[1], device=self.tokens.device)[None]


def fact_tokens(model: Transformer, facts: Sequence[Fact | tuple[str, str]]) -> FactTokens:
    """The prompts as tokens, with the places of their subjects.

    Raises CourseError if a subject is not in its prompt, stands there twice, is its end (the answer would then be read
    at the subject itself), or does not begin and end where tokens do.
    """
    if not facts:
        raise CourseError("There are no facts: give at least one Fact(prompt, subject).")
    facts = [Fact(*fact) for fact in facts]
    tokens = model.to_tokens([fact.prompt for fact in facts], pad=True)
    places = [_places(model, fact, row) for fact, row in zip(facts, tokens.tolist())]
    first, last, end = (torch.tensor(column, device=tokens.device) for column in zip(*places))
    return FactTokens(tokens, first, last, end)


def answer_tokens(model: Transformer, answers: Sequence[str]) -> Int[Tensor, " batch"]:
    """Each answer as its one token, with the blank before it where the vocabulary has one.

    Raises CourseError for an answer of several tokens.
    """
    return torch.tensor([_answer_token(model, answer) for answer in answers], device=model.W_E.device)


def _places(model: Transformer, fact: Fact, row: list[int]) -> tuple[int, int, int]:
    found = list(re.finditer(rf"(?<!\w){re.escape(fact.subject)}(?!\w)", fact.prompt))
    if len(found) != 1 or not fact.subject.strip():
        times = "not at all" if not found else f"{len(found)} times"
        raise CourseError(
            f"The subject {fact.subject!r} stands {times} in {fact.prompt!r}; a fact names its subject once, "
            "word for word."
        )
    start, stop = found[0].span()
    whole, before, through = (
        model.to_tokens(text)[0].tolist()
        for text in (fact.prompt, fact.prompt[:start].rstrip(), fact.prompt[:stop])
    )
    if through != whole[: len(through)] or before != whole[: len(before)]:
        raise CourseError(
            f"The subject {fact.subject!r} shares a token with its neighbours in {fact.prompt!r}; put blanks around it."
        )
    first, last, end = len(before), len(through) - 1, len(whole) - 1
    if last == end:
        raise CourseError(
            f"{fact.prompt!r} ends with its subject. Let the text go on up to where the answer comes."
        )
    return first, last, end


def _answer_token(model: Transformer, answer: str) -> int:
    """Tokens of running text often carry the blank before them; word tokenizers have none."""
    after = model.to_tokens(f"a {answer.strip()}")[0].tolist()
    before = model.to_tokens("a")[0].tolist()
    rest = after[len(before) :]
    if len(rest) != 1 or after[: len(before)] != before:
        pieces = [model.to_str_tokens([token])[0] for token in rest]
        raise CourseError(
            f"The answer {answer!r} takes {len(rest)} tokens, {pieces}; choose one that is a single token."
        )
    return rest[0]
