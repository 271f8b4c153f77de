# ruff: noqa: N803 (matrices are upper case in the formulas)
"""What learners get wrong in chapter 07, and what the diagnosis must say."""

import torch


def patched_in_place(activation, source, position):
    activation[:, position] = source[:, position]
    return activation


def patched_row(activation, source, position):
    new = activation.clone()
    new[position] = source[position]
    return new


def patched_coordinate(activation, source, position):
    new = activation.clone()
    new[..., position] = source[..., position]
    return new


def exchanged(activation, source, position):
    new = source.clone()
    new[:, position] = activation[:, position]
    return new


def swept(base, kept, finish=torch.tensor, *, late=False, site="resid_pre", forget=False):
    """A loop over layers and positions with one thing wrong; ``base`` and ``kept`` choose the runs."""

    def resid_map(model, clean, corrupted, metric):
        runs = {"clean": clean, "corrupted": corrupted}
        _, cache = model.run_with_cache(runs[kept])
        rows = []
        for layer in range(model.config.n_layers):
            name = f"blocks.{layer}.hook_{site}"
            cells = []
            for position in range(clean.shape[1]):

                def hook(x, name, position=position):
                    new = x.clone()
                    where = clean.shape[1] - 1 if late else position
                    new[:, where] = cache[name][:, where]
                    return None if forget else new

                cells.append(metric(model.run_with_hooks(runs[base], [(name, hook)])).mean().item())
            rows.append(cells)
        return finish(rows)

    return resid_map


def with_prompts(model, clean, corrupted, metric):
    right = swept("corrupted", "clean")(model, clean, corrupted, metric)
    return right[..., None].repeat(1, 1, len(clean))


def gate_effects(denoised, *, exchanged=False, minus=True):
    """What ``denoised(gate)`` says of a gate, and the same with 0 and 1 exchanged for noising; less the base."""

    def effects(gate, direction):
        start = int((direction == "noising") != exchanged)
        answers = denoised(lambda a, b: gate(a ^ start, b ^ start))
        return tuple(answer - minus * gate(start, start) for answer in answers)

    return effects


WRONG = {
    "07.patch_position": [
        (patched_in_place, "changed its input"),
        (patched_row, "*prompt* 2"),
        (patched_coordinate, "one coordinate"),
        (exchanged, "exchanged the two"),
        (lambda activation, source, position: source.clone(), "source altogether"),
        (lambda activation, source, position: activation.clone(), "nothing has changed"),
    ],
    "07.recovered": [
        (lambda p, clean, c: float(((p - c) / (clean - c)).mean()), "Take the means first"),
        (lambda p, clean, c: float((clean.mean() - p.mean()) / (clean.mean() - c.mean())), "*missing*"),
        (lambda p, clean, c: float(p.mean() / clean.mean()), "patched over clean"),
        (lambda p, clean, c: float((p.mean() - c.mean()) / clean.mean()), "not at 1"),
        (lambda p, clean, c: float(p.mean() - c.mean()), "units of the metric"),
        (lambda p, clean, c: (p - c) / (clean - c), "One number for all prompts"),
    ],
    "07.resid_map": [
        (swept("clean", "corrupted"), "the other way round"),
        (swept("corrupted", "clean", forget=True), "nothing was patched"),
        (swept("clean", "clean"), "clean run's number"),
        (swept("corrupted", "clean", late=True), "*last* value"),
        (swept("corrupted", "clean", lambda rows: torch.tensor(rows).T), "position × layer"),
        (swept("corrupted", "clean", list), "a list"),
        (with_prompts, "average over prompts"),
        (swept("corrupted", "clean", site="resid_post"), "Your map"),
    ],
    "07.gate_effects": [
        (gate_effects(lambda gate: (gate(0, 1), gate(1, 0))), "First with *a* patched"),
        (gate_effects(lambda gate: (gate(1, 0), gate(0, 1)), exchanged=True), "the other direction"),
        (gate_effects(lambda gate: (gate(1, 1), gate(1, 1))), "Only *one* input"),
        (gate_effects(lambda gate: (gate(1, 0), gate(0, 1)), minus=False), "the answers themselves"),
        (lambda gate, direction: gate(1, 0) - gate(0, 0), "return two numbers"),
    ],
    "07.heard": [
        (lambda resid, z, other_z, W_O: resid + other_z @ W_O, "still in the stream"),
        (lambda resid, z, other_z, W_O: resid - z @ W_O, "an ablation"),
        (lambda resid, z, other_z, W_O: resid + (z - other_z) @ W_O, "The sign"),
        (lambda resid, z, other_z, W_O: (other_z - z) @ W_O, "the change alone"),
        (lambda resid, z, other_z, W_O: resid.clone(), "nothing has changed"),
    ],
    "07.first_order": [
        (lambda x, source, g: (g * (x - source)).sum(-1), "opposite sign"),
        (lambda x, source, g: (g * source).sum(-1), "where the step *ends*"),
        (lambda x, source, g: (g * (source - x)).mean(-1), "you took the mean"),
        (lambda x, source, g: g * (source - x), "every coordinate"),
        (lambda x, source, g: g.norm(dim=-1) * (source - x).norm(dim=-1), "know no direction"),
    ],
}
