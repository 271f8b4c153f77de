"""Where the subject stands: found in the text, and refused where it would mean something else."""

import pytest
import torch

import mi_course as mc
from mi_course.errors import CourseError, UnknownName
from mi_course.methods.fact_tokens import ROLES, Fact, answer_tokens, fact_tokens
from tests.methods.planted_facts import WORDS, random_with_words


@pytest.fixture(scope="module")
def model():
    return random_with_words(d_mlp=8)


def test_subject_and_end_are_found_in_every_prompt(model):
    where = fact_tokens(
        model, [Fact("the old fox lives in", "old fox"), Fact("cat is in", "cat"), ("the owl in", "owl")]
    )
    assert where.first.tolist() == [2, 1, 2]
    assert where.last.tolist() == [3, 1, 2]
    assert where.end.tolist() == [5, 3, 3]
    assert [[WORDS[token] for token, here in zip(*row) if here] for row in zip(where.tokens, where.subject)] == [
        ["old", "fox"], ["cat"], ["owl"],
    ]  # fmt: skip
    assert len(where[1:]) == 2
    assert where[1:].end.tolist() == [3, 3]


def test_every_token_from_the_subject_on_has_one_role(model):
    where = fact_tokens(model, [("the old fox lives in", "old fox"), ("cat is in", "cat"), ("owl in", "owl")])
    roles = torch.stack([where.role(role) for role in ROLES])
    pos = torch.arange(where.tokens.shape[1])
    covered = (pos >= where.first[:, None]) & (pos <= where.end[:, None])
    assert torch.equal(roles.sum(dim=0), covered.long())
    assert roles.any(dim=2).T.tolist() == [
        [True, True, True, True],
        [False, True, True, True],
        [False, True, False, True],
    ]
    with pytest.raises(UnknownName, match="Did you mean 'last token'"):
        where.role("last tokens")


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (("the fox lives in", "owl"), "not at all"),
        (("the fox lives in", "ox"), "not at all"),
        (("the fox is the fox in", "fox"), "2 times"),
        (("the old fox", "fox"), "ends with its subject"),
        (("the fox lives in", " "), "not at all|2 times|times"),
    ],
    ids=["absent", "part of a word", "twice", "at the end", "blank"],
)
def test_what_is_no_fact_is_refused(model, fact, words):
    with pytest.raises(CourseError, match=words):
        fact_tokens(model, [fact])
    with pytest.raises(CourseError, match="no facts"):
        fact_tokens(model, [])


def test_answers_are_single_tokens(model):
    assert answer_tokens(model, ["Rome", "fox"]).tolist() == [WORDS.index("Rome"), WORDS.index("fox")]
    with pytest.raises(CourseError, match="takes 2 tokens"):
        answer_tokens(model, ["old Rome"])


def test_byte_pairs_are_told_from_words(tmp_path):
    """With GPT-2's kind of tokenizer a word's token carries the blank before it, and a subject may be cut anywhere."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers

    from mi_course.models.tokenizer import Tokenizer

    vocab = ["<|endoftext|>", *"ab.", "Ġ", "Ġb", "ab", "b."]
    merges = [("Ġ", "b"), ("a", "b"), ("b", ".")]
    backend = tokenizers.Tokenizer(models.BPE({piece: i for i, piece in enumerate(vocab)}, merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<|endoftext|>"])
    model = random_with_words(d_mlp=8)
    model.tokenizer = Tokenizer(backend)
    where = fact_tokens(model, [("a ab b", "ab")])
    assert (where.first.item(), where.last.item(), where.end.item()) == (2, 3, 4)
    assert answer_tokens(model, ["b"]).item() == vocab.index("Ġb"), "with the blank, as in running text"
    backend.pre_tokenizer = pre_tokenizers.Sequence([])  # blanks and dots no longer part words
    with pytest.raises(CourseError, match="shares a token with its neighbours"):
        fact_tokens(model, [("a b. a", "b")])


def test_every_fact_of_the_tiny_world_can_be_placed():
    from mi_course.data import facts

    model = mc.load("tiny-world")
    asked = facts.prompts(phrasing="held_out")
    where = fact_tokens(model, list(zip(asked.texts, asked.subjects)))
    words = [model.to_str_tokens(row[here]) for row, here in zip(where.tokens, where.subject)]
    assert [" ".join(word.strip() for word in found) for found in words] == list(asked.subjects)
    assert answer_tokens(model, asked.answers).tolist() == [model.to_single_token(a) for a in asked.answers]
