# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Exercises of chapter 07: activation patching."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type


def _patch_position(activation: Tensor, source: Tensor, position: int) -> Tensor:
    patched = activation.clone()
    patched[:, position] = source[:, position]
    return patched


def _check_patch_position(attempt: Attempt) -> str:
    activation, source = random_numbers(4, 5, 3, seed=0), random_numbers(4, 5, 3, seed=1)
    on = "4 prompts, 5 positions, 3 numbers each, position 2"
    got = attempt(activation, source, 2)
    expect_shape(got, (4, 5, 3), what="Your activation", on=on)
    slips = {
        "nothing has changed. Return the copy, with the source's activation at that position.": activation,
        "you returned the source altogether. Every other position keeps what it had.": source,
        "you exchanged the two: yours is the source with the *old* activation at that position.": _patch_position(
            source, activation, 2
        ),
    }
    row, last = activation.clone(), activation.clone()
    row[2], last[..., 2] = source[2], source[..., 2]
    slips[
        "you replaced *prompt* 2, in all its positions. The axes are batch, pos, d_model: `[:, position]`."
    ] = row
    slips[
        "you replaced one coordinate of every position. The axes are batch, pos, d_model: `[:, position]`."
    ] = last
    for words, slip in slips.items():
        if torch.equal(got, slip):
            raise Wrong(f"On {on}: {words}")
    expect_close(got, _patch_position(activation, source, 2), what="Your activation", on=on)
    expect_close(
        attempt(activation, source, -1),
        _patch_position(activation, source, -1),
        what="Your activation",
        on="the last position, −1",
    )
    return "One position comes from the other run, all others are as they were, and so is the input."


def _recovered(patched: Tensor, clean: Tensor, corrupted: Tensor) -> float:
    return float((patched.mean() - corrupted.mean()) / (clean.mean() - corrupted.mean()))


def _check_recovered(attempt: Attempt) -> str:
    patched, clean, corrupted = (
        torch.tensor(x) for x in ([1.0, 4.0, 1.0], [8.0, 9.0, 10.0], [-2.0, 1.0, -8.0])
    )
    on = "three prompts: patched 1, 4, 1; clean 8, 9, 10; corrupted −2, 1, −8"
    got, want = attempt(patched, clean, corrupted), _recovered(patched, clean, corrupted)
    if isinstance(got, Tensor) and got.numel() == 1:
        got = float(got)
    if isinstance(got, Tensor):
        raise Wrong(
            f"On {on}: yours is {tuple(got.shape)} numbers. One number for all prompts is asked for: means."
        )
    expect_type(got, (int, float), what="Your number")
    slips = {
        float(
            ((patched - corrupted) / (clean - corrupted)).mean()
        ): "you averaged the prompts' own ratios. A prompt in "
        "which the two runs hardly differ then counts more than all others. Take the means first, then divide.",
        1
        - want: "you measure how much is *missing*: yours is 1 for the corrupted run and 0 for the clean one.",
        float(
            patched.mean() / clean.mean()
        ): "patched over clean is 0 where the metric is 0, not where it is the "
        "corrupted run's. Take the corrupted mean away above the line and below it.",
        float(
            (patched.mean() - corrupted.mean()) / clean.mean()
        ): "above the line you took the corrupted mean away; below "
        "it, too, please, or the clean run is not at 1.",
        float(
            patched.mean() - corrupted.mean()
        ): "that is the effect in units of the metric. Divide by the whole way from corrupted to clean.",
    }
    for slip, words in slips.items():
        if abs(got - slip) < 1e-4:
            raise Wrong(f"On {on}: {words}")
    expect_close(got, want, what="Your number", on=on, atol=1e-4)
    expect_close(
        float(attempt(corrupted, clean, corrupted)),
        0.0,
        what="Your number",
        on="patched = corrupted",
        atol=1e-5,
    )
    expect_close(
        float(attempt(clean, clean, corrupted)), 1.0, what="Your number", on="patched = clean", atol=1e-5
    )
    return "0 as in the corrupted run, 1 as in the clean one."


def _resid_map(model, clean: Tensor, corrupted: Tensor, metric: Callable[[Tensor], Tensor]) -> Tensor:
    _, cache = model.run_with_cache(clean)
    rows = []
    for layer in range(model.config.n_layers):
        name = f"blocks.{layer}.hook_resid_pre"
        row = []
        for position in range(clean.shape[1]):

            def hook(activation: Tensor, name: str, position: int = position) -> Tensor:
                return _patch_position(activation, cache[name], position)

            row.append(metric(model.run_with_hooks(corrupted, [(name, hook)])).mean())
        rows.append(torch.stack(row))
    return torch.stack(rows)


def _check_resid_map(attempt: Attempt) -> str:
    from mi_course.models.transformer import Transformer, TransformerConfig, initialize

    config = TransformerConfig(n_layers=2, d_model=12, n_heads=2, d_head=6, d_mlp=20, d_vocab=9, n_ctx=8)
    model = initialize(Transformer(config), 0, std=0.4, embedding_std=0.6).requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    clean, corrupted = (torch.randint(9, (3, 5), generator=generator) for _ in range(2))

    def metric(logits: Tensor) -> Tensor:
        return logits[:, -1, 1] - logits[:, -1, 2]

    on = "a random network of 2 layers, 3 pairs of prompts, 5 positions"
    got, want = attempt(model, clean, corrupted, metric), _resid_map(model, clean, corrupted, metric)
    if isinstance(got, list):
        raise Wrong(
            f"On {on}: yours is a list. Return a tensor: `torch.tensor(rows)` of numbers, or `torch.stack`."
        )
    if isinstance(got, Tensor) and tuple(got.shape) == (5, 2):
        raise Wrong(f"On {on}: yours is position × layer; layer × position is asked for.")
    if isinstance(got, Tensor) and tuple(got.shape) == (2, 5, 3):
        raise Wrong(f"On {on}: yours has a number for each prompt; average over prompts, `.mean()`.")
    expect_shape(got, (2, 5), what="Your map", on=on)
    noising = _resid_map(model, corrupted, clean, metric)
    if torch.allclose(got, noising, atol=1e-4):
        raise Wrong(
            f"On {on}: you patched corrupted into clean. Here it is the other way round: keep the *clean* run's "
            "activations, and run the model on the *corrupted* prompts."
        )
    if torch.allclose(got, metric(model(corrupted)).mean().expand(2, 5), atol=1e-4):
        raise Wrong(
            f"On {on}: every cell has the corrupted run's number, so nothing was patched. Does your hook *return* the "
            "patched activation, and do you cache the clean run?"
        )
    if torch.allclose(got, metric(model(clean)).mean().expand(2, 5), atol=1e-4):
        raise Wrong(
            f"On {on}: every cell has the clean run's number. Run the model on the *corrupted* prompts."
        )
    if torch.allclose(got[:, -1], want[:, -1], atol=1e-4) and torch.allclose(
        got, got[:, -1:].expand(2, 5), atol=1e-4
    ):
        raise Wrong(
            f"On {on}: all positions have the number of the last. If a function is made in a loop, it sees the loop's "
            "*last* value; give it its own: `lambda x, name, position=position: …`."
        )
    expect_close(got, want, what="Your map", on=on, atol=1e-4)
    return "Every cell is one whole run with one activation of the other run in it."


def _gate_effects(gate: Callable[[int, int], int], direction: str) -> tuple[int, int]:
    if direction == "denoising":
        return gate(1, 0) - gate(0, 0), gate(0, 1) - gate(0, 0)
    return gate(0, 1) - gate(1, 1), gate(1, 0) - gate(1, 1)


def _check_gate_effects(attempt: Attempt) -> str:
    def both(a: int, b: int) -> int:
        return int(a and b)

    def either(a: int, b: int) -> int:
        return int(a or b)

    def only_a(a: int, b: int) -> int:
        return int(a)

    for gate, words in ((both, "an AND"), (either, "an OR"), (only_a, "a gate that hears only a")):
        for direction in ("denoising", "noising"):
            on = f'{words}, "{direction}"'
            got, want = _two_numbers(attempt(gate, direction), on), _gate_effects(gate, direction)
            if got == want:
                continue
            base = gate(0, 0) if direction == "denoising" else gate(1, 1)
            if got == tuple(change + base for change in want):
                raise Wrong(
                    f"On {on}: {got} are the answers themselves. How far the answer *moves* is asked for: take away "
                    f"the answer of the run that is patched, {base}."
                )
            if got == tuple(-change for change in want):
                raise Wrong(
                    f"On {on}: yours is {got}, expected {want}: the patched answer minus the one before."
                )
            if got == want[::-1]:
                raise Wrong(f"On {on}: yours is {got}, expected {want}. First with *a* patched, then with b.")
            other = _gate_effects(gate, {"denoising": "noising", "noising": "denoising"}[direction])
            if got == other:
                raise Wrong(
                    f"On {on}: yours is {got}, what the other direction gives. Denoising begins with both inputs at "
                    "0 and sets one to 1; noising begins with both at 1 and sets one to 0."
                )
            raise Wrong(
                f"On {on}: yours is {got}, expected {want}. Only *one* input comes from the other run; the second "
                "keeps its value."
            )
    return "An AND is seen by noising, an OR by denoising."


def _two_numbers(got, on: str) -> tuple[float, float]:
    fits = isinstance(got, (tuple, list)) and len(got) == 2
    if not fits or not all(
        isinstance(x, (int, float)) or (isinstance(x, Tensor) and x.numel() == 1) for x in got
    ):
        raise Wrong(f"On {on}: return two numbers, the change with a patched and the change with b patched.")
    return tuple(float(x) for x in got)


def _heard(resid: Tensor, z: Tensor, other_z: Tensor, W_O: Tensor) -> Tensor:
    return resid + (other_z - z) @ W_O


def _check_heard(attempt: Attempt) -> str:
    resid, z, other_z, W_O = (
        random_numbers(*shape, seed=n) for n, shape in enumerate(((2, 4, 6), (2, 4, 3), (2, 4, 3), (3, 6)))
    )
    on = "2 prompts of 4 positions, a head of 3 numbers, d_model 6"
    got, want = attempt(resid, z, other_z, W_O), _heard(resid, z, other_z, W_O)
    expect_shape(got, (2, 4, 6), what="What is heard", on=on)
    slips = {
        "you added the other message, but the old one is still in the stream. Take it away: `other_z − z`.": resid
        + other_z @ W_O,
        "you took the old message away and put nothing in its place. That is an ablation; add the other one.": resid
        - z @ W_O,
        "that is the stream with the *new* message taken away and the old one twice. The sign: `other_z − z`.": resid
        + (z - other_z) @ W_O,
        "that is the change alone. The receiver hears everything else in the stream as well: `resid + …`.": (
            other_z - z
        )
        @ W_O,
        "nothing has changed: that is the stream as it was.": resid,
    }
    for words, slip in slips.items():
        if torch.allclose(got, slip, atol=1e-5):
            raise Wrong(f"On {on}: {words}")
    expect_close(got, want, what="What is heard", on=on, atol=1e-5)
    same = attempt(resid, z, z, W_O)
    expect_close(same, resid, what="What is heard", on="two messages that are the same", atol=1e-5)
    return "One message is replaced, everything else in the stream is as it was."


def _first_order(activation: Tensor, source: Tensor, gradient: Tensor) -> Tensor:
    return (gradient * (source - activation)).sum(dim=-1)


def _check_first_order(attempt: Attempt) -> str:
    activation, source, gradient = (random_numbers(2, 4, 6, seed=seed) for seed in (7, 8, 9))
    on = "2 prompts, 4 positions, d_model 6"
    got, want = attempt(activation, source, gradient), _first_order(activation, source, gradient)
    step = source - activation
    if isinstance(got, Tensor) and tuple(got.shape) == (2, 4, 6):
        raise Wrong(
            f"On {on}: yours has a number for every coordinate. What a whole position does is their *sum*."
        )
    expect_shape(got, (2, 4), what="Your estimate", on=on)
    slips = {
        "the step goes from this run to the other: source − activation. Yours has the opposite sign.": -want,
        "you multiplied the gradient by where the step *ends*, not by the step: source − activation.": (
            gradient * source
        ).sum(-1),
        "you took the mean over coordinates. Each of them moves the metric, so their *sum* counts.": (
            gradient * step
        ).mean(-1),
        "sizes alone know no direction: a step across the gradient changes nothing. Multiply coordinate by coordinate, "
        "then add up.": gradient.norm(dim=-1) * step.norm(dim=-1),
    }
    for words, slip in slips.items():
        if torch.allclose(got, slip, atol=1e-5):
            raise Wrong(f"On {on}: {words}")
    expect_close(got, want, what="Your estimate", on=on, atol=1e-5)
    return "For a step small enough, this is what patching would do."


EXERCISES = (
    Exercise(
        id="07.patch_position",
        title="Put one activation in place of another",
        difficulty=1,
        minutes=4,
        hints=(
            "The input must stay as it is: begin with `activation.clone()`.",
            "The axes are batch, pos, d_model. One position of every prompt is `[:, position]`.",
            "`patched[:, position] = source[:, position]`, then return `patched`.",
        ),
        reference=_patch_position,
        check=_check_patch_position,
    ),
    Exercise(
        id="07.recovered",
        title="How far back is the answer?",
        difficulty=1,
        minutes=5,
        hints=(
            "Three means: of the patched, the clean and the corrupted runs. How far is the first from the third, "
            "compared with the whole way?",
            "`(patched.mean() - corrupted.mean())` stands above the line. Below it stands the whole way from corrupted "
            "to clean.",
        ),
        reference=_recovered,
        check=_check_recovered,
    ),
    Exercise(
        id="07.resid_map",
        title="Patch everywhere",
        difficulty=2,
        minutes=12,
        hints=(
            "`_, cache = model.run_with_cache(clean)` once. Then two loops, layers outside and positions inside; in "
            "each cell one run on `corrupted` with one hook at `blocks.{layer}.hook_resid_pre`.",
            "The hook is your `patch_position`: `lambda x, name, position=position: patch_position(x, cache[name], "
            "position)`. (`position=position` gives each function its own position.)",
            "`metric(model.run_with_hooks(corrupted, [(name, hook)])).mean()` is one cell; collect rows of them and "
            "end with `torch.tensor(rows)`.",
        ),
        reference=_resid_map,
        check=_check_resid_map,
    ),
    Exercise(
        id="07.gate_effects",
        title="What does patching see of an AND, and of an OR?",
        difficulty=2,
        minutes=8,
        hints=(
            "The clean run is `gate(1, 1)`, the corrupted one `gate(0, 0)`. Denoising starts from the corrupted one.",
            'For "denoising", patching a gives `gate(1, 0)`: a is clean now, b still corrupted. The change is '
            "`gate(1, 0) - gate(0, 0)`.",
            'For "noising", patching a gives `gate(0, 1)`: a is corrupted now, b still clean. The change is '
            "`gate(0, 1) - gate(1, 1)`.",
        ),
        reference=_gate_effects,
        check=_check_gate_effects,
    ),
    Exercise(
        id="07.heard",
        title="Replace one message",
        difficulty=2,
        minutes=8,
        hints=(
            "The residual stream is a sum, and one of its addends is what the head writes: `z @ W_O`.",
            "Take that addend away, and add what the head writes in the other run: `other_z @ W_O`.",
        ),
        reference=_heard,
        check=_check_heard,
    ),
    Exercise(
        id="07.first_order",
        title="Patching without patching",
        difficulty=2,
        minutes=6,
        hints=(
            "If x moves by a small step, a function of x changes by (its gradient) · (the step).",
            "The step goes from the activation that is there to the source's: `source - activation`.",
            "Multiply coordinate by coordinate and add up over d_model: `.sum(dim=-1)`.",
        ),
        reference=_first_order,
        check=_check_first_order,
    ),
)
