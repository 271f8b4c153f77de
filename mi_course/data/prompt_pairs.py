"""Two prompts that differ in one thing: the clean one and the corrupted one, token by token side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from mi_course.errors import CourseError


@runtime_checkable
class ReadsText(Protocol):
    """A model, as far as it matters here."""

    def to_tokens(self, text: str) -> Tensor: ...

    def to_str_tokens(self, text: str) -> list[str]: ...


@dataclass(frozen=True)
class PromptPairs:
    """Row i of ``clean`` and row i of ``corrupted`` are one pair; position p of one stands opposite p of the other."""

    clean: Int[Tensor, "batch pos"]
    corrupted: Int[Tensor, "batch pos"]

    def __len__(self) -> int:
        return len(self.clean)

    @property
    def differs(self) -> Bool[Tensor, " pos"]:
        """The positions at which at least one pair has two different tokens."""
        return (self.clean != self.corrupted).any(dim=0)


def pair(model: ReadsText, clean: Sequence[str], corrupted: Sequence[str]) -> PromptPairs:
    """The tokens of prompts and their corrupted twins, checked: patching compares them position by position.

    Raises CourseError, which shows the tokens, if the two of a pair, or two pairs, differ in length, or if no pair
    differs in anything.
    """
    if len(clean) != len(corrupted) or not len(clean):
        raise CourseError(
            f"There are {len(clean)} clean and {len(corrupted)} corrupted prompts; each needs its twin."
        )
    first = len(model.to_str_tokens(clean[0]))
    for number, (one, other) in enumerate(zip(clean, corrupted)):
        tokens = [model.to_str_tokens(text) for text in (one, other)]
        if len(tokens[0]) != len(tokens[1]):
            raise CourseError(
                f"Pair {number} is not aligned: the clean prompt has {len(tokens[0])} tokens, the corrupted one "
                f"{len(tokens[1])}.\n  clean:     {tokens[0]}\n  corrupted: {tokens[1]}\n"
                "Replace words by words that take as many tokens."
            )
        if len(tokens[0]) != first:
            raise CourseError(
                f"Pair {number} has {len(tokens[0])} tokens, pair 0 has {first}. Patch prompts of one length "
                "together: for the tiny world `indirect_object.in_frame` makes them."
            )
    pairs = PromptPairs(
        *(torch.cat([model.to_tokens(text) for text in texts]) for texts in (clean, corrupted))
    )
    if not pairs.differs.any():
        raise CourseError("Clean and corrupted prompts are the same; there is nothing to trace back.")
    return pairs
