"""Texts of different lengths side by side: their tokens are told from what fills the rows up."""

import pytest
import torch

import mi_course
from mi_course.methods.metrics import loss_by_position, loss_of_each
from mi_course.methods.padded_texts import pad

TEXTS = ["the coat was", "when Mary and John went to the store", "the"]


@pytest.fixture(scope="module")
def model():
    return mi_course.load("tiny-world").requires_grad_(False)


def test_where_marks_the_tokens_of_the_texts_without_the_first_one_and_the_filling(model):
    batch = pad(model, TEXTS)
    assert batch.where.sum(dim=1).tolist() == [3, 8, 1]
    assert not batch.where[:, 0].any()
    assert [model.to_string(row[here]) for row, here in zip(batch.tokens, batch.where)] == TEXTS


def test_ends_are_the_last_tokens_of_the_texts(model):
    batch = pad(model, TEXTS)
    last = batch.tokens[torch.arange(3), batch.ends]
    assert [model.to_string([token]) for token in last.tolist()] == ["was", "store", "the"]


def test_an_end_of_text_token_within_a_text_is_the_texts_own(model):
    batch = pad(model, ["the coat <|endoftext|> the", "the"])
    assert batch.where.sum(dim=1).tolist() == [4, 1]


def test_the_loss_of_each_text_is_what_it_has_alone(model):
    batch = pad(model, TEXTS)
    together = loss_of_each(model(batch.tokens), batch.tokens, batch.where)
    for text, loss in zip(TEXTS, together):
        tokens = model.to_tokens(text)
        torch.testing.assert_close(loss, loss_by_position(model(tokens), tokens).mean(), atol=1e-4, rtol=1e-4)
