"""The truth at every word: as the grammar wrote it, and only where a reader can know it."""

import random

import pytest
import torch

from mi_course.data import tiny_world, token_truths
from mi_course.data.topic_texts import paragraphs
from mi_course.errors import CourseError, UnknownName
from tests.type_checks import unchecked


def drawn(kind, n=1, seed=0):
    return tiny_world.world().documents(n, seed=seed, kind=kind)


def words_where(truths, latent):
    """The words at which the latent holds and is asked about, as text."""
    vocabulary = tiny_world.vocabulary()
    ids = truths.tokens[truths.where][truths.true(latent)]
    return [vocabulary[i] for i in ids.tolist()]


@pytest.fixture(scope="module")
def stored():
    return token_truths.held_out()


@unchecked()
def test_what_is_stored_is_what_the_grammar_says_anew(stored):
    documents = token_truths.held_out_documents()
    assert len(documents) == sum(token_truths.HELD_OUT.values()) == len(stored.tokens)
    some = random.Random(0).sample(range(len(documents)), 3)
    anew = token_truths.label([documents[row] for row in some])
    of_these = [torch.nonzero(stored.document == row)[:, 0] for row in some]
    at = torch.cat(of_these)
    assert torch.equal(anew.holds, stored.holds[:, at])
    assert torch.equal(anew.asked, stored.asked[:, at])
    assert torch.equal(anew.tokens[anew.where], stored.tokens[stored.where][at])


def test_every_latent_is_in_one_group_and_holds_somewhere(stored):
    grouped = [latent for latents in token_truths.GROUPS.values() for latent in latents]
    assert sorted(grouped) == sorted(stored.latents) == sorted(token_truths.STATEMENTS)
    for half in (stored.choosing, ~stored.choosing):
        assert (stored.holds & stored.asked)[:, half].any(dim=1).all()


@unchecked()
def test_a_topic_is_not_asked_about_before_its_first_word():
    truths = token_truths.label(paragraphs(3, topic="music", mood="good", seed=1))
    row = truths.number("about music")
    first = truths.positions == 1
    assert truths.holds[row].all()
    assert not truths.asked[row][first].any()
    assert truths.asked[row][~first].float().mean() > 0.6


def test_the_recipient_comes_next_where_a_gift_goes_to_somebody():
    documents = drawn("gift", 3)
    truths = token_truths.label(documents)
    assert set(words_where(truths, "next: the recipient")) <= {"to", "for"}
    names = [document.latent("recipient")[-1] for document in documents]
    assert words_where(truths, "the recipient's name")[: len(names)]
    assert set(words_where(truths, "the recipient's name")) <= set(names)


def test_an_answer_is_due_at_the_last_word_of_the_question():
    documents = drawn("facts", 4)
    truths = token_truths.label(documents)
    row = truths.number("next: a fact's answer")
    for number, document in enumerate(documents):
        due = [after.role == "answer" for after in document.written[1:]] + [False]
        assert truths.holds[row][truths.document == number].tolist() == due


def test_inside_a_quotation_is_between_the_marks():
    document = next(d for d in drawn("paragraph", 20) if '"' in d.tokens)
    truths = token_truths.label([document])
    opened, closed = (i for i, word in enumerate(document.tokens) if word == '"')
    assert truths.true("inside a quotation").nonzero()[:, 0].tolist() == list(range(opened, closed))


def test_shuffled_labels_hold_as_often_but_elsewhere(stored):
    moved = stored.shuffled(seed=3)
    assert torch.equal(moved.holds.sum(1), stored.holds.sum(1))
    row = stored.number("about sea")
    both = (moved.holds[row] & stored.holds[row]).float().mean()
    share = stored.holds[row].float().mean()
    assert both < 2 * share**2
    assert torch.equal(moved.tokens, stored.tokens)


def test_stored_labels_come_back(tmp_path, stored):
    few = token_truths.label(drawn("repeat", 2))
    token_truths.store(few, tmp_path / "few.safetensors")
    assert (tmp_path / "few.safetensors").stat().st_size < 60_000


def test_errors_say_what_to_do(stored):
    with pytest.raises(CourseError, match="no documents"):
        token_truths.label([])
    with pytest.raises(ValueError, match=r"between 0\.5 and 1"):
        token_truths.label(drawn("facts"), sure=0.2)
    with pytest.raises(UnknownName, match="latent"):
        stored.number("about the sea")
