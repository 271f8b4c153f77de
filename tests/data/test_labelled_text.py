"""The truth beside each token: where it stands, what it is called, and how well it can be known."""

import pytest
import torch

from mi_course.data import labelled_text, tiny_world
from mi_course.errors import CourseError, UnknownName

DOCUMENTS = tiny_world.world().documents(12, seed=3, kind="paragraph")


def test_every_token_has_the_label_of_its_document_and_the_filling_has_none():
    text = labelled_text.label(DOCUMENTS, "topic")
    vocabulary = tiny_world.vocabulary()
    for row, document in enumerate(DOCUMENTS):
        n = len(document.tokens)
        assert [vocabulary[token] for token in text.tokens[row, 1 : n + 1]] == list(document.tokens)
        assert {text.classes[label] for label in text.labels[row, 1 : n + 1]} == {document.latent("topic")[0]}
        assert not text.asked[row, 0]
        assert not text.asked[row, n + 1 :].any()
        assert {vocabulary[token] for token in text.tokens[row, n + 1 :]} <= {tiny_world.EOS}


def test_a_latent_that_changes_within_a_document_is_labelled_word_by_word():
    text = labelled_text.label(DOCUMENTS, "quoted")
    assert text.classes == (False, True)
    assert text.answers.tolist() == [int(quoted) for d in DOCUMENTS for quoted in d.latent("quoted")]
    assert 0 < text.answers.float().mean() < 1


def test_nothing_is_asked_before_the_latent_can_be_known():
    text = labelled_text.label(DOCUMENTS, "mood", after=("adjective",))
    for row, document in enumerate(DOCUMENTS):
        roles = [word.role for word in document.written]
        first = roles.index("adjective")
        assert not text.asked[row, : first + 1].any()
        assert text.asked[row, first + 1 : len(roles) + 1].all()


def test_asked_tokens_words_and_documents_are_in_one_order():
    text = labelled_text.label(DOCUMENTS, "mood", after=("adjective",))
    assert len(text.answers) == len(text.words) == len(text.document_of) == int(text.asked.sum())
    assert torch.equal(text.tokens[text.asked], text.words)
    assert text.document_of.bincount(minlength=12).tolist() == text.asked.sum(1).tolist()


def test_the_position_before_a_slot_is_the_one_whose_next_token_is_in_it():
    text = labelled_text.label(DOCUMENTS, "mood")
    vocabulary = tiny_world.vocabulary()
    before = text.before("adjective", "feeling")
    for row, document in enumerate(DOCUMENTS):
        positions = before[row].nonzero()[:, 0].tolist()
        wanted = [word.token for word in document.written if word.role in ("adjective", "feeling")]
        assert [vocabulary[text.tokens[row, position + 1]] for position in positions] == wanted
    assert not text.before().any()


def test_a_perfect_reader_knows_the_mood_better_with_every_adjective_and_never_before_one():
    text = labelled_text.label(DOCUMENTS[:4], "mood")
    known = text.known()
    assert known.shape == text.answers.shape
    start = 0
    for document in DOCUMENTS[:4]:
        here = known[start : start + len(document.tokens)]
        start += len(document.tokens)
        first = next(
            i for i, w in enumerate(document.written) if w.role in ("adjective", "feeling", "liking")
        )
        assert torch.allclose(here[:first], torch.full((first,), 0.5), atol=1e-4)
    assert known.mean() > 0.7


def test_an_unknown_latent_is_refused_with_the_known_ones():
    with pytest.raises(UnknownName, match="mood"):
        labelled_text.label(DOCUMENTS, "moods")


def test_no_documents_are_refused():
    with pytest.raises(CourseError, match="no documents"):
        labelled_text.label([], "mood")
