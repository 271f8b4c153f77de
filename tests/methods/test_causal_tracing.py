"""In a network whose facts take a known way, tracing shows that way and nothing else."""

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.causal_tracing import trace
from mi_course.methods.fact_tokens import ROLES, answer_tokens, fact_tokens
from tests.methods.planted_facts import (
    ANSWERS,
    FACTS,
    SUBJECTS,
    WORDS,
    planted_facts,
    prompt,
    random_with_words,
)

PROMPTS = [prompt(subject) for subject in SUBJECTS]
SUBJECT, END = ROLES.index("last subject token"), ROLES.index("last token")
WAY = {
    "resid_post": [(0, SUBJECT), (1, END), (2, END)],
    "attn_out": [(1, END)],
    "mlp_out": [(0, SUBJECT), (2, END)],
}


@pytest.mark.parametrize("corruption", ["noise", "other subject"])
@pytest.mark.parametrize("site", WAY)
def test_tracing_shows_the_way_that_was_planted(site, corruption):
    result = trace(planted_facts(), PROMPTS, ANSWERS, site=site, corruption=corruption, noise=8, draws=2)
    assert result.clean.min() > 0.99
    assert result.total_effect.mean() > 0.5
    if corruption == "other subject":
        assert result.total_effect.min() > 0.99
    found, whole = result.mean_indirect_effect, result.total_effect.mean()
    assert found[:, 0].isnan().all(), "subjects of one token have no earlier ones"
    for cell in WAY[site]:
        if (site, corruption, cell) == ("mlp_out", "noise", (0, SUBJECT)):
            assert 0.05 < found[cell] < whole, "noise also falls where the MLP writes, and that stays"
        else:
            assert found[cell] == pytest.approx(float(whole), abs=0.01)
        found[cell] = 0
    assert found[:, 1:].abs().max() < 0.01


@pytest.mark.parametrize(
    ("site", "severed", "lost"),
    [
        ("resid_post", "mlp_out", [(1, END)]),
        ("attn_out", "mlp_out", [(1, END)]),
        ("resid_post", "attn_out", []),
        ("mlp_out", "attn_out", []),
    ],
)
def test_severing_cuts_what_acts_through_the_part_at_the_same_token(site, severed, lost):
    """The late MLP answers from what was carried to the end; the attention that carries it stands at another token."""
    model = planted_facts()
    result = trace(model, PROMPTS, ANSWERS, site=site, severed=severed, corruption="other subject")
    for cell in WAY[site]:
        left = result.indirect_effect[cell]
        assert (left.abs().max() < 0.01) if cell in lost else (left.min() > 0.99), cell


def test_a_window_restores_neighbouring_layers_together():
    result = trace(planted_facts(), PROMPTS, ANSWERS, site="mlp_out", window=3, corruption="other subject")
    assert (result.mean_indirect_effect[:2, SUBJECT] > 0.99).all()
    assert result.mean_indirect_effect[2, SUBJECT] < 0.01
    assert (result.mean_indirect_effect[1:, END] > 0.99).all()
    assert result.mean_indirect_effect[0, END] < 0.01
    two = trace(planted_facts(), PROMPTS, ANSWERS, site="mlp_out", window=2, corruption="other subject")
    assert (two.mean_indirect_effect[1:, END] > 0.99).all()
    assert two.mean_indirect_effect[0, END] < 0.01


@pytest.mark.parametrize("site", ["resid_post", "attn_out", "mlp_out"])
@pytest.mark.parametrize("severed", [None, "mlp_out", "attn_out"])
def test_the_batched_runs_equal_runs_one_by_one(site, severed):
    """The specification: every cell as a run of its own, from the start, with one prompt."""
    if site == severed:
        return
    model = random_with_words()
    facts = [
        ("the old fox lives in", "old fox"), ("cold owl is a cold cat .", "cold owl"), ("a cold dog .", "cold dog"),
    ]  # fmt: skip
    answers = ["Rome", "Oslo", "cold"]
    result = trace(model, facts, answers, site=site, severed=severed, corruption="other subject", draws=1)
    where, correct = fact_tokens(model, facts), answer_tokens(model, answers)
    spoilt = exchanged(where, result, model, correct)
    for row, swapped in enumerate(spoilt):
        end = int(where.end[row])
        points = [
            f"blocks.{layer}.hook_{point}"
            for layer in range(3)
            for point in ("resid_post", "attn_out", "mlp_out")
        ]
        _, clean = model.run_with_cache(where.tokens[row : row + 1, : end + 1], points)
        logits, corrupted = model.run_with_cache(swapped[None, : end + 1], points)
        assert result.corrupted[row] == pytest.approx(
            float(logits[0, -1].softmax(-1)[correct[row]]), rel=1e-4
        )
        for layer in range(3):
            for number, role in enumerate(ROLES):
                mask = where.role(role)[row, : end + 1]
                if not mask.any():
                    assert result.restored[layer, number, row].isnan()
                    continue

                def put(run, mask=mask):
                    return lambda activation, name: torch.where(mask[None, :, None], run[name], activation)

                hooks = [(f"blocks.{layer}.hook_{site}", put(clean))]
                after = layer if (site, severed) == ("attn_out", "mlp_out") else layer + 1
                hooks += [
                    (f"blocks.{at}.hook_{severed}", put(corrupted)) for at in range(after, 3) if severed
                ]
                logits = model.run_with_hooks(swapped[None, : end + 1], hooks)
                want = float(logits[0, -1].softmax(-1)[correct[row]])
                assert result.restored[layer, number, row] == pytest.approx(want, rel=1e-3, abs=1e-6)


def exchanged(where, result, model, correct):
    """The corrupted prompts: with three subjects of two tokens each one's is that of one of the others."""
    subjects = [row[here] for row, here in zip(where.tokens, where.subject)]
    spoilt = []
    for row, tokens in enumerate(where.tokens):
        candidates = []
        for other, subject in enumerate(subjects):
            if other != row:
                candidates.append(tokens.clone())
                candidates[-1][where.subject[row]] = subject
        chances = [
            float(model(c[None, : where.end[row] + 1])[0, -1].softmax(-1)[correct[row]]) for c in candidates
        ]
        nearest = min(range(len(candidates)), key=lambda i: abs(chances[i] - float(result.corrupted[row])))
        spoilt.append(candidates[nearest])
    return spoilt


def test_several_draws_are_averaged_and_chunks_change_nothing():
    model = planted_facts()
    whole = trace(model, PROMPTS, ANSWERS, noise=2, draws=4, seed=5)
    in_parts = trace(model, PROMPTS, ANSWERS, noise=2, draws=4, seed=5, chunk_size=1)
    assert torch.allclose(whole.restored, in_parts.restored, atol=1e-6, equal_nan=True)
    assert torch.allclose(whole.corrupted, in_parts.corrupted, atol=1e-6)
    assert not torch.allclose(
        whole.corrupted, trace(model, PROMPTS, ANSWERS, noise=2, draws=4, seed=6).corrupted
    )


def test_without_noise_nothing_is_lost_and_nothing_comes_back():
    result = trace(planted_facts(), PROMPTS, ANSWERS, noise=0, draws=1)
    assert result.total_effect.abs().max() == 0
    assert result.indirect_effect.nan_to_num().abs().max() == 0


def test_noise_reaches_only_the_subject():
    """Whatever is noised is restored by the embeddings' own place: all subject tokens at layer 0 give the clean run."""
    model = planted_facts()
    facts = [prompt(subject, before="cold") for subject in SUBJECTS]
    result = trace(model, facts, ANSWERS, noise=20, draws=3)
    assert torch.allclose(result.restored[0, SUBJECT], result.clean, atol=1e-4)


def test_intervals_leave_out_facts_without_such_a_token():
    facts = [*PROMPTS[:2], ("the old cat lives in", "old cat"), ("the cold dog lives in", "cold dog")]
    result = trace(planted_facts(), facts, ANSWERS, noise=8)
    assert len(result.of(0, "earlier subject tokens")) == 2
    assert len(result.of(0, "last token")) == 4
    found = result.interval(1, "last token")
    assert found.low <= found.estimate <= found.high
    assert result.layers == ["L0", "L1", "L2"]
    with pytest.raises(UnknownName, match="last token"):
        result.of(0, "the end")


def test_the_model_is_whole_afterwards_also_after_an_exception():
    model = planted_facts()
    tokens = model.to_tokens("the fox lives in")
    before = model(tokens)
    trace(model, PROMPTS, ANSWERS)
    with pytest.raises(CourseError):
        trace(model, PROMPTS, ["Rome Rome"] * 4)
    assert sum(len(module._forward_hooks) for module in model.modules()) == 0
    assert torch.equal(model(tokens), before)


def test_what_makes_no_experiment_is_refused(without_type_checks):
    model = planted_facts()
    for wrong, words in (
        ({"site": "mlp"}, "Did you mean 'mlp_out'"),
        ({"corruption": "silence"}, "no corruption"),
        ({"severed": "mlp"}, "mlp_out"),
        ({"site": "mlp_out", "severed": "mlp_out"}, "restored and severed at once"),
        ({"window": 0}, "at least 1"),
        ({"site": "resid_post", "window": 2}, "1 for resid_post"),
        ({"draws": 0}, "at least once"),
    ):
        with pytest.raises((ValueError, UnknownName), match=words):
            trace(model, PROMPTS, ANSWERS, **wrong)
    with pytest.raises(CourseError, match="one answer a fact"):
        trace(model, PROMPTS, ANSWERS[:2])
    with pytest.raises(CourseError, match="No other fact has a subject of 2 tokens"):
        trace(model, [*PROMPTS[:3], ("the old dog lives in", "old dog")], ANSWERS, corruption="other subject")
    with pytest.raises(CourseError, match="attention-only"):
        trace(random_with_words(d_mlp=0), PROMPTS, ANSWERS, site="mlp_out")


def test_the_planted_network_is_what_it_says():
    model = planted_facts()
    for subject, answer in FACTS.items():
        logits = model(model.to_tokens(prompt(subject)[0]))[0, -1]
        assert WORDS[int(logits.argmax())] == answer
