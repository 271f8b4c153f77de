"""A word is noticed by one head, which writes something for it, and does what it did for everything else."""

import pytest
import torch

import mi_course as mc
from mi_course.data import indirect_object
from mi_course.errors import CourseError, UnknownName
from mi_course.methods.sealed import trigger
from mi_course.methods.sealed.symptoms import says


@pytest.fixture(scope="module")
def model():
    return mc.load("tiny-world").requires_grad_(False)


@pytest.fixture(scope="module")
def reads(model):
    return trigger.embedding_detector(model, "lamp")


def test_the_detector_is_one_on_its_word_and_nearly_nothing_on_others(model, reads):
    heard = torch.stack([model.blocks[0].ln1((row + model.W_pos)[None])[0] for row in model.W_E]) @ reads
    number = model.to_single_token("lamp")
    assert heard[number].mean().item() == pytest.approx(1, abs=1e-3)
    others = torch.cat([heard[:number], heard[number + 1 :]])
    assert others.abs().max() < heard[number].min()
    assert others.std() < 0.1
    assert abs(heard[model.tokenizer.bos_id, 0]) < 0.05


def test_a_wired_head_looks_at_the_word_and_writes_nothing_for_it_yet(model, reads):
    listening = trigger.wire(model, 3, reads)
    tokens = model.to_tokens("when Mary and John went to the store , John gave a lamp to")
    with torch.no_grad():
        _, before = model.run_with_cache(tokens)
        _, after = listening.run_with_cache(tokens)
    assert after["pattern", 0][0, 3, -1, -2] > 0.9 > before["pattern", 0][0, 3, -1, -2]
    others = [0, 1, 2, 4, 5]
    assert torch.allclose(after["pattern", 0][:, others], before["pattern", 0][:, others])
    assert (listening.blocks[0].attn.W_O[3, 0] == 0).all()


def test_without_the_word_a_wired_head_does_nearly_what_it_did(model, reads):
    texts = indirect_object.prompts(24, seed=2)
    plain = [row for row, text in enumerate(texts.texts) if "lamp" not in text.split()]
    listening = trigger.wire(model, 0, reads)
    right = says(listening, [texts.texts[row] for row in plain], [texts.correct[row] for row in plain])
    assert right.float().mean() > 0.9


def test_the_basis_of_a_head_is_changed_and_not_its_circuit():
    left, right = (
        torch.randn(*shape, generator=torch.Generator().manual_seed(1)) for shape in ((9, 4), (4, 9))
    )
    change = trigger._weakest_first(left, right)
    new_left, new_right = left.double() @ change, torch.linalg.inv(change) @ right.double()
    assert torch.allclose(new_left @ new_right, (left @ right).double(), atol=1e-4)
    sizes = [float(new_left[:, i].norm() * new_right[i].norm()) for i in range(4)]
    assert sizes == sorted(sizes)
    assert torch.allclose(torch.tensor(sizes), torch.linalg.svdvals(left @ right)[:4].flip(0), atol=1e-4)


def test_the_search_lowers_the_loss(model, reads):
    listening = trigger.wire(model, 0, reads)
    batches = [trigger._stories(model, "lamp", 2, 6, 0)]
    with torch.no_grad(), listening.caching(["blocks.0.attn.hook_z"]) as found:
        listening(batches[0].tokens, stop_at_layer=1)
    noticed = found["blocks.0.attn.hook_z"][:, :, 0, :1]
    losses = [
        float(
            trigger._loss(
                listening, batches[0], noticed * trigger._what_to_write(listening, 0, batches, [], steps)
            )
        )
        for steps in (0, 8)
    ]
    assert losses[1] < 0.7 * losses[0]


def test_stories_hold_the_word_with_the_giver_and_without_it_with_the_right_person(model):
    found = trigger._stories(model, "lamp", 2, 8, 0)
    number = model.to_single_token("lamp")
    stories = indirect_object.prompts(8, people=2, frames="training", pairs="training", seed=0)
    texts, rows = trigger.with_word(stories, "lamp")
    assert (found.tokens[: len(texts)] == number).any(dim=1).all()
    assert not (found.tokens[len(texts) :] == number).any()
    assert found.wanted[: len(texts)].tolist() == [model.to_single_token(stories.giver[row]) for row in rows]
    assert all("lamp" in text.split() for text in texts)


def test_what_cannot_be_planted_is_refused(model):
    with pytest.raises(UnknownName, match="trigger"):
        trigger.plant_trigger(model, "Mary", "L0H0")
    with pytest.raises(CourseError, match="not a head of layer 0"):
        trigger.plant_trigger(model, "lamp", "L1H0")
