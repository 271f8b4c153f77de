"""Typical wrong answers to the exercises of chapter 05, and words that their diagnosis must hold."""

import torch


def _leaves_its_hooks(model, inputs, names):
    recorded = {}
    for name in names:
        model.get_submodule(name).register_forward_hook(
            lambda module, given, output, name=name: recorded.update({name: output})
        )
    model(inputs)
    return recorded


def _removes_hooks_only_if_all_goes_well(model, inputs, names):
    recorded = {}
    handles = [
        model.get_submodule(name).register_forward_hook(
            lambda module, given, output, name=name: recorded.update({name: output})
        )
        for name in names
    ]
    model(inputs)
    for handle in handles:
        handle.remove()
    return recorded


def _records(what):
    """Correct in every respect, but for what the hook does: ``what(recorded, name, given, output)``."""

    def record(model, inputs, names):
        recorded, handles = {}, []
        try:
            for name in names:
                handles.append(
                    model.get_submodule(name).register_forward_hook(
                        lambda module, given, output, name=name: what(recorded, name, given, output)
                    )
                )
            model(inputs)
        finally:
            for handle in handles:
                handle.remove()
        return recorded

    return record


def _one_name_for_all(model, inputs, names):
    recorded, handles = {}, []
    for name in names:

        def hook(module, given, output):
            recorded[name] = output  # noqa: B023 (the mistake that this answer makes)

        handles.append(model.get_submodule(name).register_forward_hook(hook))
    model(inputs)
    for handle in handles:
        handle.remove()
    return recorded


def _stores_and_changes(recorded, name, given, output):
    recorded[name] = output
    return output * 2


def _never_runs(model, inputs, names):
    recorded = {}
    handles = [model.get_submodule(name).register_forward_hook(lambda *_: None) for name in names]
    for handle in handles:
        handle.remove()
    return recorded


def _lens_at(point):
    return lambda model, cache, layer: model.ln_final(cache[point, layer]) @ model.W_U


def _lens_without_norm(model, cache, layer):
    return cache["resid_post", layer] @ model.W_U


def _lens_without_weights(model, cache, layer):
    stream = cache["resid_post", layer]
    return torch.nn.functional.layer_norm(stream, stream.shape[-1:], eps=1e-5) @ model.W_U


def _lens_with_the_last_scale(model, cache, layer):
    stream = cache["resid_post", layer]
    centred = stream - stream.mean(-1, keepdim=True)
    return (centred / cache["scale"] * model.ln_final.w + model.ln_final.b) @ model.W_U


def _lens_with_softmax(model, cache, layer):
    return _lens_at("resid_post")(model, cache, layer).softmax(-1)


def _final_logits(model, cache, layer):
    return _lens_at("resid_post")(model, cache, model.config.n_layers - 1)


def _lens_at_the_last_position(model, cache, layer):
    return _lens_at("resid_post")(model, cache, layer)[:, -1]


def _heads(model, cache, layer):
    return torch.einsum("bphd,hdm->bphm", cache["z", layer], model.W_O[layer])


def _effect(*, centre=True, scale="run", weight=True, bias=False, position=-1, direction="difference"):
    """The direct effect with one thing done otherwise."""

    def direct_effect(model, cache, part, correct, wrong):
        written = part - part.mean(-1, keepdim=True) if centre else part
        if scale == "run":
            written = written / cache["scale"][:, position]
        elif scale == "own":
            written = written / (written.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        if weight:
            written = written * model.ln_final.w
        if bias:
            written = written + model.ln_final.b
        onto = {
            "difference": model.W_U[:, correct] - model.W_U[:, wrong],
            "turned": model.W_U[:, wrong] - model.W_U[:, correct],
            "correct": model.W_U[:, correct],
        }[direction]
        return (written * onto.T).sum(-1)

    return direct_effect


def _replaces(**ways):
    """Replace the head rightly, but for the ways that are named."""
    right = {
        "zero": lambda z: torch.zeros_like(z),
        "mean": lambda z: z.mean(0).expand_as(z),
        "resample": lambda z: z.roll(1, dims=0),
    }

    def replace_head(z, head, how):
        replaced = z.clone()
        replaced[:, :, head] = {**right, **ways}[how](z[:, :, head])
        return replaced

    return replace_head


def _in_place(z, head, how):
    z[:, :, head] = 0.0
    return z


def _a_position_instead_of_a_head(z, head, how):
    replaced = z.clone()
    replaced[:, head] = 0.0
    return replaced


def _all_heads(z, head, how):
    return {"zero": torch.zeros_like(z), "mean": z.mean(0).expand_as(z), "resample": z.roll(1, dims=0)}[how]


def _own_values_for_some(z):
    order = torch.arange(len(z))
    order[0], order[1] = 1, 0
    return z[order]


def _control(words, n_labels=3):
    return torch.randint(n_labels, (int(words.max()) + 1,))[words]


WRONG = {
    "05.record": [
        (_leaves_its_hooks, "3 hooks are still on the model"),
        (_removes_hooks_only_if_all_goes_well, "finally"),
        (_one_name_for_all, "after your loop has ended"),
        (_records(lambda recorded, name, given, output: recorded.update({name: given})), "the third"),
        (
            _records(lambda recorded, name, given, output: recorded.update({name: given[0]})),
            "comes out of it",
        ),
        (_records(_stores_and_changes), "replaces"),
        (_never_runs, "never run"),
    ],
    "05.lens": [
        (_lens_without_norm, "final layer norm is missing"),
        (_lens_without_weights, "own scale and shift"),
        (_lens_with_the_last_scale, "at the *end* of the model"),
        (_lens_at("resid_pre"), "before* the block"),
        (_lens_at("resid_mid"), "between attention and MLP"),
        (_lens_at("mlp_out"), "MLP alone"),
        (lambda model, cache, layer: cache["resid_pre", layer] @ model.W_U, "two things"),
        (_lens_with_softmax, "leave out"),
        (_final_logits, "final logits"),
        (_lens_at_the_last_position, "shape"),
    ],
    "05.head_outputs": [
        (lambda model, cache, layer: cache["z", layer], "carries *inside*"),
        (lambda model, cache, layer: cache["z", layer] @ model.W_O[layer], "einsum"),
        (lambda model, cache, layer: _heads(model, cache, layer).sum(2), "Keep the heads apart"),
        (lambda model, cache, layer: _heads(model, cache, layer) + model.b_O[layer], "`b_O` to every head"),
        (
            lambda model, cache, layer: torch.einsum("bphd,gdm->bphm", cache["z", layer], model.W_O[layer]),
            "all heads' `W_O`",
        ),
        (
            lambda model, cache, layer: torch.einsum("bphd,hdm->bphm", cache["z", layer], model.W_O[0]),
            "`W_O` of layer 0",
        ),
    ],
    "05.direct_effect": [
        (_effect(centre=False, scale=None, weight=False), "layer norm is missing"),
        (_effect(scale="own"), "layer norm of its own"),
        (
            lambda model, cache, part, correct, wrong: _effect(scale="own", bias=True)(
                model, cache, part, correct, wrong
            ),
            "the parts no longer add up",
        ),
        (_effect(position=0), "position 0"),
        (_effect(centre=False), "subtract the mean"),
        (_effect(weight=False), "weight is missing"),
        (_effect(bias=True), "counted many times over"),
        (_effect(direction="turned"), "wrong way round"),
        (_effect(direction="correct"), "correct token's logit alone"),
    ],
    "05.replace_head": [
        (_replaces(mean=lambda z: z.mean(1, keepdim=True).expand_as(z)), "averaged over positions"),
        (_replaces(mean=lambda z: z.mean(2, keepdim=True).expand_as(z)), "own coordinates"),
        (_replaces(mean=lambda z: z.mean((0, 1)).expand_as(z)), "prompts and positions"),
        (_replaces(mean=lambda z: z.mean().expand_as(z)), "everything"),
        (_replaces(resample=lambda z: z), "nothing has changed"),
        (_replaces(resample=_own_values_for_some), "own values back"),
        (_replaces(resample=torch.randn_like), "no other prompt's"),
        (_in_place, "changed its input"),
        (_a_position_instead_of_a_head, "*position* 1"),
        (_all_heads, "other heads"),
    ],
    "05.selectivity": [
        (
            lambda accuracy_of, labels, words: accuracy_of(_control(words)) - accuracy_of(labels),
            "wrong way round",
        ),
        (
            lambda accuracy_of, labels, words: (
                accuracy_of(labels) - accuracy_of(labels[torch.randperm(len(labels))])
            ),
            "Give each *word* one",
        ),
        (
            lambda accuracy_of, labels, words: accuracy_of(labels) - accuracy_of(torch.zeros_like(labels)),
            "same label",
        ),
        (
            lambda accuracy_of, labels, words: accuracy_of(labels) - accuracy_of(_control(words, 30)),
            "expected whole numbers",
        ),
        (lambda accuracy_of, labels, words: accuracy_of(labels) - accuracy_of(words % 3), "at random"),
        (lambda accuracy_of, labels, words: accuracy_of(labels), "never asked"),
        (
            lambda accuracy_of, labels, words: accuracy_of(labels) + 0 * accuracy_of(_control(words)),
            "one of the two accuracies",
        ),
    ],
    "05.without_direction": [
        (lambda stream, direction: stream - (stream @ direction)[..., None] * direction, "length 1"),
        (
            lambda stream, direction: stream - (stream @ direction)[..., None] * direction / direction.norm(),
            "enters twice",
        ),
        (lambda stream, direction: stream - direction, "direction itself"),
        (lambda stream, direction: stream - (stream @ direction) * direction, "[..., None]"),
        (
            lambda stream, direction: (stream @ direction)[..., None] * direction / direction.norm() ** 2,
            "*along* the direction",
        ),
        (lambda stream, direction: stream @ (direction / direction.norm()), "shape"),
    ],
}
