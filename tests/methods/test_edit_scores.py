"""Scores of edits: as many edited models in one run as edits, with the answers of each of them by itself."""

import pytest
import torch

from mi_course.data.counterfacts import KINDS, Question
from mi_course.errors import CourseError, UnknownName
from mi_course.methods.edit_scores import edit_hooks, score, text_loss
from mi_course.methods.metrics import loss_by_position
from mi_course.methods.rank_one_edit import EditedTransformer, RankOneEdit
from tests.methods.planted_facts import FACTS, WORDS, planted_facts, random_with_words

TEXTS = ["the fox lives in Rome .", "a cold owl .", "the old cat is in a cold Bern ."]


def noisy_edits(model, n, layer=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        RankOneEdit(
            layer,
            torch.randn(model.config.d_mlp, generator=generator) / 4,
            torch.randn(model.config.d_model, generator=generator),
        )
        for _ in range(n)
    ]


def question(number, prompt, true="Rome", new="Oslo", kind=KINDS[0], subject="fox"):
    return Question(number, kind, "town", prompt, subject, true, new)


def test_each_row_runs_as_if_its_edit_were_in_the_weights():
    model = random_with_words()
    edits = noisy_edits(model, 3)
    tokens = model.to_tokens(TEXTS, pad=True)
    found = model.run_with_hooks(tokens, edit_hooks(edits))
    for row, edit in enumerate(edits):
        want = EditedTransformer(model, [edit])(tokens[row : row + 1])[0]
        assert torch.allclose(found[row], want, atol=1e-3)
        assert not torch.allclose(found[row], model(tokens[row : row + 1])[0], atol=1e-2)


@pytest.mark.parametrize("chunk_size", [1, 3, 100])
def test_questions_about_an_edit_are_answered_by_the_model_with_this_edit_alone(chunk_size):
    model = random_with_words()
    edits = noisy_edits(model, 2)
    asked = [
        question(1, "the fox lives in"),
        question(0, "cold", "Bern", "Lima", KINDS[3]),
        question(0, "the old fox lives in"),
        question(1, "owl is a", "Bern", "Lima", KINDS[3]),
    ]
    found = score(model, asked, edits, chunk_size=chunk_size)
    plain = score(model, asked, chunk_size=chunk_size)
    for row, one in enumerate(asked):
        for scores, its_model in ((found, EditedTransformer(model, [edits[one.number]])), (plain, model)):
            chances = its_model(its_model.to_tokens(one.prompt))[0, -1].softmax(-1)
            best = WORDS[int(chances.argmax())]
            assert (bool(scores.says_true[row]), bool(scores.says_new[row])) == (
                best == one.true,
                best == one.new,
            )
            assert scores.p_true[row] == pytest.approx(float(chances[WORDS.index(one.true)]), rel=1e-2)
            assert scores.p_new[row] == pytest.approx(float(chances[WORDS.index(one.new)]), rel=1e-2)
            assert bool(scores.prefers[row]) == (scores.p_new[row] > scores.p_true[row])


def test_a_network_that_knows_scores_1_and_a_taught_falsehood_0():
    asked = [question(n, f"the {s} lives in", a, "cold", subject=s) for n, (s, a) in enumerate(FACTS.items())]
    found = score(planted_facts(), asked)
    assert found.share("says_true", KINDS[0]).estimate == 1
    assert found.share("says_new", KINDS[0]).estimate == 0
    assert found.share("prefers", KINDS[0]).estimate == 0
    assert found.share("p_true", KINDS[0]).estimate > 0.99


def test_questions_about_one_edit_count_as_one():
    """Two of three questions about the first edit, none about the second: a half of two thirds, whatever the order."""
    model = planted_facts()
    asked = [
        question(1, "the owl lives in", "Rome", "Bern"),
        question(0, "the fox lives in"),
        question(0, "the fox lives in"),
        question(0, "the owl lives in"),
        question(2, "the fox lives in", kind=KINDS[1]),
    ]
    found = score(model, asked)
    assert sorted(found.by_edit("says_true", KINDS[0]).tolist()) == pytest.approx([0, 2 / 3])
    assert found.share("says_true", KINDS[0]).estimate == pytest.approx(1 / 3)
    assert found.by_edit("says_true", KINDS[1]).tolist() == [1]
    with pytest.raises(UnknownName, match="other phrasings"):
        found.by_edit("says_true", "other phrasing")
    with pytest.raises(UnknownName, match="says_true"):
        found.by_edit("say_true", KINDS[0])


def test_the_loss_on_text_is_the_mean_surprise_of_its_tokens():
    model = random_with_words()
    edits = noisy_edits(model, 2)
    found, edited = text_loss(model, TEXTS), text_loss(model, TEXTS, edits)
    assert edited.shape == (2, 3)
    for number, text in enumerate(TEXTS):
        tokens = model.to_tokens(text)
        assert found[number] == pytest.approx(float(loss_by_position(model(tokens), tokens).mean()), rel=1e-4)
        for row, edit in enumerate(edits):
            logits = EditedTransformer(model, [edit])(tokens)
            want = float(loss_by_position(logits, tokens).mean())
            assert edited[row, number] == pytest.approx(want, rel=1e-3)


def test_hooks_are_gone_and_nonsense_is_refused():
    model = random_with_words()
    edits = noisy_edits(model, 2)
    with pytest.raises(CourseError, match="Edits of one layer"):
        edit_hooks([edits[0], *noisy_edits(model, 1, layer=0)])
    with pytest.raises(CourseError, match="no questions"):
        score(model, [])
    with pytest.raises(CourseError, match="There are 2 edits"):
        score(model, [question(2, "the fox lives in")], edits)
    with pytest.raises(CourseError):
        score(model, [question(0, "the fox lives in", "old Rome")], edits)
    score(model, [question(0, "the fox lives in")], edits)
    text_loss(model, TEXTS, edits)
    assert sum(len(module._forward_hooks) for module in model.modules()) == 0
