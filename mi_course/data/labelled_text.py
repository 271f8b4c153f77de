"""Texts of the tiny world as a batch of tokens, with the truth about each token beside it: what a probe is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.data import tiny_world
from mi_course.data.tiny_world.world import Document
from mi_course.errors import CourseError, UnknownName

NOT_ASKED = -1


@dataclass(frozen=True)
class LabelledText:
    """A batch of documents and, for every token that is asked about, the value of one latent.

    ``tokens``: each row begins with the end-of-text token and is filled up with it at the right.
    ``labels``: the number of the latent's value in ``classes``; −1 where nothing is asked.
    """

    latent: str
    tokens: Int[Tensor, "document pos"]
    labels: Int[Tensor, "document pos"]
    classes: tuple
    documents: tuple[Document, ...]

    @property
    def asked(self) -> Bool[Tensor, "document pos"]:
        """The tokens that are asked about. ``activation[text.asked]`` holds their features, one row each."""
        return self.labels != NOT_ASKED

    @property
    def answers(self) -> Int[Tensor, " asked"]:
        """The labels of the tokens that are asked about."""
        return self.labels[self.asked]

    @property
    def words(self) -> Int[Tensor, " asked"]:
        """Which word each of them is."""
        return self.tokens[self.asked]

    @property
    def document_of(self) -> Int[Tensor, " asked"]:
        """Which document each of them stands in: tokens of one document hang together."""
        return self.asked.nonzero()[:, 0]

    def before(self, *roles: str) -> Bool[Tensor, "document pos"]:
        """The positions at which the next word stands in one of these slots: where the model has to choose it."""
        found = torch.zeros_like(self.asked)
        for row, document in enumerate(self.documents):
            for index, word in enumerate(document.written):
                # The word itself stands at index + 1, behind the end-of-text token: index is the place before it.
                found[row, index] = word.role in roles
        return found

    def known(self) -> Float[Tensor, " asked"]:
        """How probable the true value is to a reader who knows the grammar and has read so far: the ceiling.

        Exact, by Bayes' rule over everything that the grammar can have meant. Takes about 20 ms a document.
        """
        world, certain = tiny_world.world(), []
        for document, row in zip(self.documents, self.labels.tolist()):
            belief = world.grammar.belief(document.kind, {"kind": document.kind})
            for token, label in zip(document.tokens, row[1:]):
                belief = belief.after(token)[1]
                if label != NOT_ASKED:
                    certain.append(belief.posterior(self.latent).get(self.classes[label], 0.0))
        return torch.tensor(certain)


def label(documents: Sequence[Document], latent: str, *, after: Sequence[str] = ()) -> LabelledText:
    """The documents as tokens, and ``latent`` of every token: its topic, its mood, whether it is quoted …

    ``after``: slots; nothing is asked about the words before the first of these slots in a document, from which
    the latent cannot be known yet (``after=("adjective",)``: from the first adjective on, that one included).
    Raises UnknownName if no token has such a latent.
    """
    if not documents:
        raise CourseError("There are no documents to label.")
    values = [[word.latents.get(latent) for word in document.written] for document in documents]
    classes = tuple(sorted({value for row in values for value in row if value is not None}))
    if not classes:
        raise UnknownName(
            "latent", latent, {name for d in documents for word in d.written for name in word.latents}
        )
    ids = tiny_world.token_ids()
    end, longest = ids[tiny_world.EOS], 1 + max(len(document.written) for document in documents)
    tokens = torch.full((len(documents), longest), end)
    labels = torch.full((len(documents), longest), NOT_ASKED)
    for row, (document, true) in enumerate(zip(documents, values)):
        tokens[row, 1 : 1 + len(true)] = torch.tensor([ids[token] for token in document.tokens])
        for position in range(_first(document, after), len(true)):
            if true[position] is not None:
                labels[row, 1 + position] = classes.index(true[position])
    return LabelledText(latent, tokens, labels, classes, tuple(documents))


def _first(document: Document, roles: Sequence[str]) -> int:
    """The position of the first word in one of these slots; behind the last word if there is none."""
    if not roles:
        return 0
    found = (position for position, word in enumerate(document.written) if word.role in roles)
    return next(found, len(document.written))
