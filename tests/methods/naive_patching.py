"""Activation patching as it is defined: for every cell one whole run with a hook. Slow, and the specification."""

import torch

from mi_course.models.activation_cache import point_name
from tests.type_checks import unchecked


def patched_run(model, base, cache, site, layer, *, head=None, positions=None):
    """Logits "batch pos d_vocab" of ``base`` with the activation of another run's ``cache`` at one cell."""
    name = point_name(site, layer)

    def put(activation, name):
        new, old = activation.clone(), cache[name]
        chosen = range(base.shape[1]) if positions is None else positions
        for position in chosen:
            if site == "pattern":
                new[:, head, position] = old[:, head, position]
            elif head is not None:
                new[:, position, head] = old[:, position, head]
            else:
                new[:, position] = old[:, position]
        return new

    return model.run_with_hooks(base, [(name, put)])


@unchecked()
def every_cell(
    model, clean, corrupted, metric, *, site, direction="denoising", positions=None, read=slice(-1, None)
):
    """The metric "row column batch"; ``read`` chooses the positions whose logits it gets."""
    base, source = (corrupted, clean) if direction == "denoising" else (clean, corrupted)
    of_heads = site in ("z", "q", "k", "v", "pattern")
    columns = range(model.config.n_heads) if of_heads else positions or range(clean.shape[1])
    _, cache = model.run_with_cache(source)
    rows = []
    for layer in range(model.config.n_layers):
        cells = []
        for column in columns:
            where = {"head": column, "positions": positions} if of_heads else {"positions": [column]}
            cells.append(metric(patched_run(model, base, cache, site, layer, **where)[:, read]))
        rows.append(torch.stack(cells))
    return torch.stack(rows)
