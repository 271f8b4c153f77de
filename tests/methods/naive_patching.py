"""Activation patching as it is defined: for every cell one whole run with a hook. Slow, and the specification."""

import torch

from mi_course.models.activation_cache import point_name
from tests.type_checks import unchecked


def patched_run(model, base, cache, site, layer, *, head=None, positions=None):
    """Logits "batch pos d_vocab" of ``base`` with the activation of another run's ``cache`` at one cell."""
    name = point_name(site, layer)

    def put(activation, name):
        new, old = activation.clone(), cache[name]
        chosen = slice(None) if positions is None else positions
        if site == "pattern":
            new[:, head, chosen] = old[:, head, chosen]
        elif head is not None:
            new[:, chosen, head] = old[:, chosen, head]
        else:
            new[:, chosen] = old[:, chosen]
        return new

    return model.run_with_hooks(base, [(name, put)])


def every_cell(model, clean, corrupted, metric, *, site, read=slice(-1, None), **options):
    """The metric "row column batch"; ``read`` chooses the positions whose logits it gets."""
    logits = every_cells_logits(model, clean, corrupted, site=site, **options)
    return read_by(metric, logits, read)


def read_by(metric, logits, read=slice(-1, None)):
    """The metric "row column batch" of logits "row column batch pos d_vocab"."""
    return torch.stack([torch.stack([metric(cell[:, read]) for cell in row]) for row in logits])


@unchecked()
def every_cells_logits(model, clean, corrupted, *, site, direction="denoising", positions=None):
    """The logits of every cell's run, at all positions: "row column batch pos d_vocab"."""
    base, source = (corrupted, clean) if direction == "denoising" else (clean, corrupted)
    of_heads = site in ("z", "q", "k", "v", "pattern")
    columns = range(model.config.n_heads) if of_heads else positions or range(clean.shape[1])
    _, cache = model.run_with_cache(source)
    rows = []
    for layer in range(model.config.n_layers):
        cells = []
        for column in columns:
            where = {"head": column, "positions": positions} if of_heads else {"positions": [column]}
            cells.append(patched_run(model, base, cache, site, layer, **where))
        rows.append(torch.stack(cells))
    return torch.stack(rows)
