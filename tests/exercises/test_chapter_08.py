"""What chapter 08's value exercise takes for right is what the shipped model shows."""

import torch

import mi_course as mc
from mi_course.data import indirect_object, prompt_pairs
from mi_course.exercises import registry
from mi_course.methods import metrics
from mi_course.methods.path_patching import path_patch


def test_the_informant_is_the_sender_that_the_suppressor_misses_most():
    model = mc.load("tiny-world").requires_grad_(False)
    prompts = indirect_object.in_frame(8, order="mixed", seed=7)
    pairs = prompt_pairs.pair(model, prompts.texts, indirect_object.corrupted(prompts, "others").texts)
    io, s = (
        torch.tensor([model.to_single_token(name) for name in names])
        for names in (prompts.correct, prompts.giver)
    )
    found = path_patch(
        model,
        pairs.clean,
        pairs.corrupted,
        lambda logits: metrics.logit_diff(logits, io, s),
        receivers="L2H3.k",
    )
    (first, most), (_, next_most) = found.lowest(2)
    assert first == registry.find("08.informant").reference
    assert most < -2
    assert next_most > -0.5
