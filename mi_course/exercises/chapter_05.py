"""Exercises of chapter 05: the residual stream."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.describe import describe
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_dtype, expect_shape, expect_type
from mi_course.models.activation_cache import ActivationCache
from mi_course.models.transformer import Transformer, TransformerConfig


def _record(model: nn.Module, inputs: Tensor, names: list[str]) -> dict[str, Tensor]:
    recorded: dict[str, Tensor] = {}

    def hook_for(name: str) -> Callable:
        def hook(module: nn.Module, given: tuple, output: Tensor) -> None:
            recorded[name] = output

        return hook

    handles = []
    try:
        for name in names:
            handles.append(model.get_submodule(name).register_forward_hook(hook_for(name)))
        model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return recorded


class _Chain(nn.Module):
    """Three modules in a row. It is handed over itself, not as a copy, so that we see what is left on it."""

    def __init__(self, fails: bool = False):
        super().__init__()
        numbers = torch.Generator().manual_seed(0)
        self.first, self.middle, self.last = nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 4)
        for parameter in self.parameters():
            parameter.data.normal_(generator=numbers)
        self.fails, self.answers = fails, []

    def __deepcopy__(self, memo: dict) -> _Chain:
        return self

    def forward(self, x: Tensor) -> Tensor:
        middle = self.middle(self.first(x))
        if self.fails:
            raise RuntimeError("this model stops half-way, on purpose")
        self.answers.append(self.last(middle))
        return self.answers[-1]

    @property
    def hooks_left(self) -> int:
        return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in self.modules())


def _check_record(attempt: Attempt) -> str:
    inputs = random_numbers(3, 4)
    names = ["first", "middle", "last"]
    model = _Chain()
    got = attempt(model, inputs, names)
    expect_type(got, dict)
    if not model.answers:
        raise Wrong("The model was never run: hooks are only called while it runs. Call `model(inputs)`.")
    plain = _Chain()(inputs)
    if not torch.allclose(model.answers[-1], plain, atol=1e-5):
        raise Wrong(
            "With your hooks the model computes something else than without. A hook that returns a value "
            "*replaces* the module's output by it. To look only, return nothing."
        )
    if model.hooks_left:
        raise Wrong(
            f"After your function {model.hooks_left} hooks are still on the model, and every later run will call "
            "them. `register_forward_hook` returns a handle: keep it, and call `handle.remove()` at the end."
        )
    want = _record(_Chain(), inputs, names)
    if set(got) == {"last"}:
        raise Wrong(
            "Everything went to the key 'last'. The hooks are called after your loop has ended, and then the "
            "loop's variable has its final value for all of them. Let each hook have its own name: make the "
            "hook in a function that gets the name, or write `def hook(module, given, output, name=name)`."
        )
    if got.keys() == want.keys() and all(isinstance(value, tuple) for value in got.values()):
        raise Wrong(
            "You stored a tuple for each name: that is what went *into* the module. PyTorch calls a hook with "
            "(module, inputs, output); you want the third."
        )
    middle = got.get("middle")
    if isinstance(middle, Tensor) and torch.equal(middle, want["first"]):
        raise Wrong("Under 'middle' stands what went into that module. You want what comes out of it.")
    expect_close(got, want, what="Your record", on="a model of three modules")
    model = _Chain(fails=True)
    with suppress(Wrong):  # the model does fail; what counts is what stays behind
        attempt(model, inputs, ["first"])
    if model.hooks_left:
        raise Wrong(
            "On a model that fails half-way: your hooks stay behind, because the line that removes them is "
            "never reached. Run the model inside `try:` and remove the hooks in `finally:`."
        )
    return "Every output has its own name, and no hook stays behind, even when the model fails."


def _lens(model: Transformer, cache: ActivationCache, layer: int) -> Tensor:
    return _normalised(model, cache["resid_post", layer]) @ model.W_U


def _check_lens(attempt: Attempt) -> str:
    model, cache, logits = _small_model()
    for layer in range(model.config.n_layers):
        on = f"a small random model, after block {layer}"
        got, want = attempt(model, cache, layer), _lens(model, cache, layer)
        stream, W_U = cache["resid_post", layer], model.W_U
        slips = {
            "the final layer norm is missing. The unembedding has only ever seen streams that "
            "`model.ln_final` had brought to one scale; apply it first": stream @ W_U,
            "you normalised, but left out the layer norm's own scale and shift (`model.ln_final.w` and "
            "`.b`). Calling `model.ln_final(…)` does all of it": _normalised(model, stream, affine=False)
            @ W_U,
            "you divided by the scale that the layer norm had at the *end* of the model. Here it has to "
            "measure the stream it is given": _normalised(model, stream, scale=cache["scale"]) @ W_U,
            "you read the stream *before* the block (`resid_pre`); its own attention and MLP have not "
            "written yet. Take `resid_post`": _normalised(model, cache["resid_pre", layer]) @ W_U,
            "you read the stream between attention and MLP (`resid_mid`). Take `resid_post`": (
                _normalised(model, cache["resid_mid", layer]) @ W_U
            ),
            "two things: you read the stream *before* the block (`resid_pre`), and without the final layer norm": (
                cache["resid_pre", layer] @ W_U
            ),
            "you read what the MLP alone wrote. The lens reads the whole stream": (
                _normalised(model, cache["mlp_out", layer]) @ W_U
            ),
            "these are probabilities. Right up to the softmax, which you leave out": want.softmax(-1),
            "these are log-probabilities. Right up to the softmax, which you leave out": want.log_softmax(-1),
            "these are the model's final logits, whatever the layer": logits,
        }
        _name_the_slip(got, want, slips, on)
        expect_close(got, want, what="Your result", on=on, atol=1e-4)
    return "After the last block your lens says exactly what the model says."


def _head_outputs(model: Transformer, cache: ActivationCache, layer: int) -> Tensor:
    return torch.einsum("bphd,hdm->bphm", cache["z", layer], model.W_O[layer])


def _check_head_outputs(attempt: Attempt) -> str:
    model, cache, _ = _small_model()
    for layer in range(model.config.n_layers):
        z, W_O = cache["z", layer], model.W_O[layer]
        on = f"a small random model, layer {layer}"
        want = _head_outputs(model, cache, layer)
        got = _with_advice(
            attempt,
            (model, cache, layer),
            "`z @ W_O` lines up the last axes only, and pos with head. Say which axes belong together: "
            "`torch.einsum`, with one letter for each axis.",
        )
        if isinstance(got, Tensor) and got.shape == z.shape:
            raise Wrong(
                f"On {on}: your result has {got.shape[-1]} numbers for each head: that is `z`, what the head "
                f"carries *inside*. Multiply by the head's `W_O` to get the {want.shape[-1]} numbers that it "
                "writes into the stream."
            )
        if isinstance(got, Tensor) and got.shape == want.sum(2).shape:
            raise Wrong(
                f"On {on}: yours is one vector a position, the sum over all heads. Keep the heads apart: "
                "batch, pos, head, d_model."
            )
        slips = {
            "you added `b_O` to every head. The bias belongs to the whole attention layer, not to any "
            f"head; added {want.shape[2]} times, the sum no longer fits": want + model.b_O[layer],
            "you multiplied every head by the sum of all heads' `W_O`. Each head has its own: use one "
            "letter for `head` in both": torch.einsum("bphd,gdm->bphm", z, W_O),
            "you used the `W_O` of layer 0": torch.einsum("bphd,hdm->bphm", z, model.W_O[0]),
        }
        _name_the_slip(got, want, slips, on)
        expect_close(got, want, what="Your result", on=on, atol=1e-4)
    return "Summed over heads, plus the bias, it is exactly what the attention layer wrote."


def _direct_effect(
    model: Transformer, cache: ActivationCache, part: Tensor, correct: Tensor, wrong: Tensor
) -> Tensor:
    scale = cache["scale"][:, -1]
    written = (part - part.mean(-1, keepdim=True)) / scale * model.ln_final.w
    direction = model.W_U[:, correct] - model.W_U[:, wrong]
    return (written * direction.T).sum(-1)


def _check_direct_effect(attempt: Attempt) -> str:
    model, cache, logits = _small_model()
    correct, wrong = torch.tensor([3, 5, 1]), torch.tensor([2, 0, 7])
    part = cache["mlp_out", 0][:, -1] + 2.0  # its mean is not zero, so forgetting to centre shows
    on = "what an MLP of a small random model wrote"
    got, want = (
        attempt(model, cache, part, correct, wrong),
        _direct_effect(model, cache, part, correct, wrong),
    )
    w, b, scale = model.ln_final.w, model.ln_final.b, cache["scale"]
    direction = (model.W_U[:, correct] - model.W_U[:, wrong]).T
    centred = part - part.mean(-1, keepdim=True)
    own_scale = (centred.square().mean(-1, keepdim=True) + model.config.norm_eps).sqrt()

    def effect(written: Tensor, onto: Tensor = direction) -> Tensor:
        return (written * onto).sum(-1)

    slips = {
        "the layer norm is missing: divide by the scale that it had in the whole run, and multiply by its "
        "weight `model.ln_final.w`": effect(part),
        "you gave this part a layer norm of its own, as if it were alone in the stream. Then every part "
        "comes out equally loud, and the parts no longer add up. Divide by the scale that the *whole* "
        "stream had: `cache['scale']`": (
            effect(centred / own_scale * w),
            effect(centred / own_scale * w + b),
        ),
        "you took the scale of position 0. The answer is given at the last position": effect(
            centred / scale[:, 0] * w
        ),
        "you divided, but did not subtract the mean first": effect(part / scale[:, -1] * w),
        "the layer norm's weight is missing. After dividing, multiply by `model.ln_final.w`": effect(
            centred / scale[:, -1]
        ),
        "you added the layer norm's bias to this part. Added once for every part, it would be counted "
        "many times over; leave it out here": effect(centred / scale[:, -1] * w + b),
        "you subtracted the wrong way round: logit(correct) − logit(wrong)": -want,
        "this is the effect on the correct token's logit alone. Subtract the effect on the wrong one": effect(
            centred / scale[:, -1] * w, model.W_U[:, correct].T
        ),
    }
    _name_the_slip(got, want, slips, on)
    expect_close(got, want, what="Your result", on=on, atol=1e-4)
    parts = [cache["hook_embed"], cache["hook_pos_embed"]]
    for layer in range(model.config.n_layers):
        parts += [cache["attn_out", layer], cache["mlp_out", layer]]
    total = sum(attempt(model, cache, one[:, -1], correct, wrong) for one in parts)
    total = total + (model.ln_final.b * (model.W_U[:, correct] - model.W_U[:, wrong]).T).sum(-1)
    rows = torch.arange(len(correct))
    difference = logits[rows, -1, correct] - logits[rows, -1, wrong]
    expect_close(total, difference, what="The sum of all parts", on="a small random model", atol=1e-3)
    return "The effects of all parts add up to the logit difference."


def _replace_head(z: Tensor, head: int, how: str) -> Tensor:
    replaced = z.clone()
    if how == "zero":
        replaced[:, :, head] = 0.0
    elif how == "mean":
        replaced[:, :, head] = z[:, :, head].mean(0)
    else:
        replaced[:, :, head] = z[:, :, head].roll(1, dims=0)
    return replaced


def _check_replace_head(attempt: Attempt) -> str:
    z, head = random_numbers(5, 4, 3, 6) + 1.0, 1
    others = [0, 2]
    for how in ("zero", "mean", "resample"):
        got = attempt(z, head, how)
        on = f"5 prompts of 4 tokens, 3 heads, replacing head {head} by {how!r}"
        expect_shape(got, tuple(z.shape), on=on)
        expect_dtype(got, z.dtype, on=on)
        if torch.equal(got, z):
            raise Wrong(f"On {on}: nothing has changed.")
        if not torch.allclose(got[:, :, others], z[:, :, others]):
            if torch.equal(got[:, 2:], z[:, 2:]) and torch.equal(got[:, 0], z[:, 0]):
                raise Wrong(
                    f"On {on}: you replaced *position* {head}. The axes are batch, pos, head, d_head: "
                    f"`[:, :, {head}]`."
                )
            raise Wrong(f"On {on}: the other heads have changed too. Only `[:, :, {head}]` may.")
        mine = got[:, :, head]
        if how == "mean":
            _name_mean(mine, z[:, :, head], on)
        if how == "resample":
            _expect_others_values(mine, z[:, :, head], on)
        else:
            expect_close(mine, _replace_head(z, head, how)[:, :, head], what="The head", on=on)
    return "Zero, mean and resample replace one head and leave the others alone."


def _name_mean(mine: Tensor, original: Tensor, on: str) -> None:
    for what, other in {
        "you averaged over positions. Then every position gets the same, and the head forgets where it is. Average "
        "over prompts (`mean(0)`), and keep one mean a position": original.mean(1, keepdim=True),
        "you averaged over the head's own coordinates: its vector becomes one number, repeated": original.mean(
            2, keepdim=True
        ),
        "you averaged over everything, down to one number": original.mean(),
        "you averaged over prompts and positions. Keep one mean a position (`mean(0)`)": original.mean(
            (0, 1)
        ),
    }.items():
        if torch.allclose(mine, other.expand_as(original), atol=1e-5):
            raise Wrong(f"On {on}: {what}.")


def _expect_others_values(mine: Tensor, original: Tensor, on: str) -> None:
    for prompt, values in enumerate(mine):
        if torch.allclose(values, original[prompt]):
            raise Wrong(
                f"On {on}: prompt {prompt} got its own values back, so nothing was taken from it. Every prompt "
                "needs those of *another* one. A random order leaves some in their place; `roll(1, dims=0)` "
                "leaves none."
            )
        if not any(torch.allclose(values, other) for other in original):
            raise Wrong(
                f"On {on}: what prompt {prompt} got is no other prompt's activation. Take all positions of "
                "one other prompt as they are."
            )


def _selectivity(accuracy_of: Callable[[Tensor], float], labels: Tensor, words: Tensor) -> float:
    n_labels = int(labels.max()) + 1
    label_of_word = torch.randint(n_labels, (int(words.max()) + 1,))
    return accuracy_of(labels) - accuracy_of(label_of_word[words])


class _Probe:
    """Stands in for a probe: notes the labels it is asked about, right 0.9 on the true ones and 0.6 on others."""

    def __init__(self, labels: Tensor):
        self.labels, self.asked = labels, []

    def __deepcopy__(self, memo: dict) -> _Probe:
        return self

    def __call__(self, labels: Any) -> float:
        if not isinstance(labels, Tensor) or labels.shape != self.labels.shape:
            raise Wrong(
                f"You asked `accuracy_of` about {describe(labels)}. It wants one label for each token: a tensor "
                f"of shape {tuple(self.labels.shape)}."
            )
        self.asked.append(labels.detach().clone())
        return 0.9 if torch.equal(labels, self.labels) else 0.6


def _check_selectivity(attempt: Attempt) -> str:
    numbers = torch.Generator().manual_seed(1)
    words = torch.randint(40, (400,), generator=numbers)
    labels = torch.randint(3, (400,), generator=numbers)
    probe = _Probe(labels)
    got = attempt(probe, labels, words)
    expect_type(got, (int, float), what="Your selectivity")
    controls = [asked for asked in probe.asked if not torch.equal(asked, labels)]
    if len(controls) == len(probe.asked):
        raise Wrong("You never asked for the accuracy on the true labels.")
    if not controls:
        raise Wrong("You never asked for the accuracy on control labels, only on the true ones.")
    for control in controls:
        _judge_control(control, labels, words)
    if math.isclose(got, 0.6 - 0.9, abs_tol=1e-6):
        raise Wrong(
            f"Yours is {got:.2f}: the wrong way round. Selectivity is accuracy on the true labels minus accuracy on "
            "the control's, so that a good probe has a positive one."
        )
    if math.isclose(got, 0.9, abs_tol=1e-6) or math.isclose(got, 0.6, abs_tol=1e-6):
        raise Wrong(f"Yours is {got:.2f}: that is one of the two accuracies. Return their difference.")
    expect_close(
        float(got), 0.9 - 0.6, what="Your selectivity", on="accuracies of 0.9 (true) and 0.6 (control)"
    )
    return "Every word keeps one random label, and what is left is what memorising words cannot explain."


def _judge_control(control: Tensor, labels: Tensor, words: Tensor) -> None:
    if control.is_floating_point() or control.min() < 0 or control.max() >= 3:
        raise Wrong(
            f"Your control labels run from {control.min():.3g} to {control.max():.3g}; expected whole numbers 0, 1, "
            "2, as in the true labels."
        )
    if len(control.unique()) == 1:
        raise Wrong("Your control gives every word the same label: there is nothing to tell apart.")
    varies = [word for word in words.unique().tolist() if len(control[words == word].unique()) > 1]
    if varies:
        raise Wrong(
            f"Your control gives word {varies[0]} different labels at different places. Then there is nothing that "
            "could be learned, and even a probe that memorises everything looks innocent. Give each *word* one "
            "label, the same wherever it stands."
        )
    commonest = torch.stack([labels[words == word].mode().values for word in words.unique()])
    if torch.equal(control, commonest[torch.searchsorted(words.unique(), words)]):
        raise Wrong("Your control gives each word its commonest true label. It must be random.")
    if torch.equal(control, words % 3):
        raise Wrong(
            "Your control labels follow from the words' numbers. Draw them at random: `torch.randint`."
        )


def _without_direction(stream: Tensor, direction: Tensor) -> Tensor:
    unit = direction / direction.norm()
    return stream - (stream @ unit)[..., None] * unit


def _check_without_direction(attempt: Attempt) -> str:
    stream = random_numbers(2, 5, 8)
    direction = torch.tensor([3.0, 0.0, -1.0, 2.0, 0.5, 0.0, 1.0, -2.0])
    unit = direction / direction.norm()
    on = "a stream of 2 × 5 positions, and a direction of length 4.4"
    want = _without_direction(stream, direction)
    got = _with_advice(
        attempt,
        (stream, direction),
        "`stream @ unit` has one number a position and no last axis. Put one back with `[..., None]` before you "
        "multiply by the direction.",
    )
    expect_shape(got, tuple(stream.shape), on=on)
    _name_the_slip(
        got,
        want,
        {
            "this is the part *along* the direction. Subtract it from the stream": stream - want,
            "the direction was not brought to length 1. Then too much is taken away, and the stream points the "
            "other way along it. Divide it by its norm": stream - (stream @ direction)[..., None] * direction,
            "you divided by the length only once; it enters twice, in how much and in which way": (
                stream - (stream @ unit)[..., None] * direction,
                stream - (stream @ direction)[..., None] * unit,
            ),
            "you subtracted the direction itself from every position, whatever the stream holds along it": (
                stream - direction,
                stream - unit,
            ),
            "you reflected the stream: it holds as much along the direction as before, with the other sign": (
                stream - 2 * (stream @ unit)[..., None] * unit
            ),
            "you added what you should have subtracted": stream + (stream @ unit)[..., None] * unit,
        },
        on,
    )
    expect_close(got, want, what="Your stream", on=on)
    return "Nothing is left along the direction, and everything across it is as it was."


def _with_advice(attempt: Attempt, arguments: tuple, advice: str) -> Any:
    """Call the learner's function; if shapes do not fit, add to PyTorch's words what to do about it."""
    try:
        return attempt(*arguments)
    except Wrong as diagnosis:
        if "must match" in str(diagnosis) or "size mismatch" in str(diagnosis):
            raise Wrong(f"{diagnosis} {advice}") from None
        raise


def _name_the_slip(got: Any, want: Tensor, slips: dict[str, Tensor | tuple[Tensor, ...]], on: str) -> None:
    """Raise the words of the slip whose values are the learner's, unless they are the right ones."""
    if not isinstance(got, Tensor) or not got.is_floating_point():
        return
    if got.shape == want.shape and torch.allclose(got.to(want.dtype), want, atol=1e-4):
        return
    for words, values in slips.items():
        for value in values if isinstance(values, tuple) else (values,):
            if got.shape == value.shape and torch.allclose(got.to(value.dtype), value, atol=1e-4):
                raise Wrong(f"On {on}: {words}.")


def _small_model() -> tuple[Transformer, ActivationCache, Tensor]:
    """Two layers with random weights, layer norms' and biases' included, a run of 3 × 6 tokens, its logits."""
    config = TransformerConfig(n_layers=2, d_model=12, n_heads=3, d_head=4, d_mlp=16, d_vocab=11, n_ctx=8)
    numbers = torch.Generator().manual_seed(0)
    model = Transformer(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5, generator=numbers)
        logits, cache = model.run_with_cache(torch.randint(11, (3, 6), generator=numbers))
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model, cache, logits


def _normalised(
    model: Transformer, stream: Tensor, *, affine: bool = True, scale: Tensor | None = None
) -> Tensor:
    centred = stream - stream.mean(-1, keepdim=True)
    if scale is None:
        scale = (centred.square().mean(-1, keepdim=True) + model.config.norm_eps).sqrt()
    return centred / scale * model.ln_final.w + model.ln_final.b if affine else centred / scale


EXERCISES = (
    Exercise(
        id="05.record",
        title="Hooks from scratch",
        difficulty=2,
        minutes=10,
        hints=(
            "`model.get_submodule(name).register_forward_hook(fn)` makes PyTorch call `fn(module, inputs, output)` "
            "each time that module has run. It returns a handle with a method `remove()`.",
            "Each name needs a function of its own that stores under that name. Make it in a small function "
            "`hook_for(name)` that defines and returns the hook.",
            "Register all hooks and keep their handles in a list; in `try:` call `model(inputs)`; in `finally:` go "
            "through the list and remove them; then return the dictionary.",
        ),
        reference=_record,
        check=_check_record,
    ),
    Exercise(
        id="05.lens",
        title="The logit lens",
        difficulty=1,
        minutes=7,
        hints=(
            "What happens to the stream after the last block? Do the same with the stream after block `layer`.",
            "The stream is `cache['resid_post', layer]`. The model first calls `model.ln_final` on it.",
            "Then it multiplies by `model.W_U`, with `@`: d_model × d_vocab.",
        ),
        reference=_lens,
        check=_check_lens,
    ),
    Exercise(
        id="05.head_outputs",
        title="What does each head write?",
        difficulty=1,
        minutes=6,
        hints=(
            "`cache['z', layer]` holds what each head carries: batch, pos, head, d_head. `model.W_O[layer]` "
            "translates it into the stream: head, d_head, d_model.",
            "For every head, multiply its d_head numbers by its own matrix. `torch.einsum` says that in one line: "
            "one letter for each axis, the letter that disappears is summed over.",
            "`torch.einsum('bphd,hdm->bphm', z, W_O)`, and no bias.",
        ),
        reference=_head_outputs,
        check=_check_head_outputs,
    ),
    Exercise(
        id="05.direct_effect",
        title="How much did this part say to the answer?",
        difficulty=3,
        minutes=12,
        hints=(
            "The final layer norm subtracts the mean, divides by one scale a position, multiplies by `w` and adds `b`. "
            "Once the scale is fixed, all of that but `b` can be done to each part by itself.",
            "The scale of the run is `cache['scale'][:, -1]`. The direction that counts is "
            "`model.W_U[:, correct] - model.W_U[:, wrong]`, of shape d_model × batch.",
            "`(part - part.mean(-1, keepdim=True)) / scale * model.ln_final.w`, times the direction (transposed), "
            "summed over the last axis.",
        ),
        reference=_direct_effect,
        check=_check_direct_effect,
    ),
    Exercise(
        id="05.replace_head",
        title="Three ways to take a head out",
        difficulty=2,
        minutes=8,
        hints=(
            "Work on `replaced = z.clone()`. The head is `replaced[:, :, head]`: batch, pos, d_head.",
            "The mean is over prompts, the first axis: `z[:, :, head].mean(0)`, one vector a position.",
            "For resample, every prompt takes over the values of the prompt before it: `.roll(1, dims=0)`.",
        ),
        reference=_replace_head,
        check=_check_replace_head,
    ),
    Exercise(
        id="05.selectivity",
        title="Could a probe have memorised the words?",
        difficulty=2,
        minutes=8,
        hints=(
            "First make a table with one random label for each word of the vocabulary.",
            "`label_of_word = torch.randint(n_labels, (words.max() + 1,))`. Indexing it with `words` gives each token "
            "its word's label.",
            "`accuracy_of(labels) - accuracy_of(label_of_word[words])`.",
        ),
        reference=_selectivity,
        check=_check_selectivity,
    ),
    Exercise(
        id="05.without_direction",
        title="Erase one direction",
        difficulty=1,
        minutes=6,
        hints=(
            "First bring the direction to length 1: divide by `direction.norm()`.",
            "How much of the stream lies along it? `stream @ unit`: one number a position.",
            "Subtract that many times the unit direction: `stream - (stream @ unit)[..., None] * unit`.",
        ),
        reference=_without_direction,
        check=_check_without_direction,
    ),
)
