"""A network that adds on a clock with waves, set by hand, so that every number about it is known.

    embedding     token a -> cos(wa), sin(wa), for each frequency a plane of its own
    attention     looks at a, b and "=" alike, and adds up: x = cos wa + cos wb, y = sin wa + sin wb
    neurons       relu(x cos φ + y sin φ), with φ going round: each is a matter of one frequency
    what they write       cos 2φ and sin 2φ, which adds up to |cos(w(a − b)/2)| · (cos w(a + b), sin w(a + b))
    unembedding   cos(wc) and sin(wc): the logit of c is |cos(w(a − b)/2)| · cos(w(a + b − c))

(Zhong et al. 2023, arXiv 2306.17844, call this way of adding, with a factor that depends on a − b, the pizza.)
"""

import math

import torch

from mi_course.models.transformer import Transformer, TransformerConfig

EXPLAINED = 8 / math.pi**2
"""Of the logits' variance by cos(w(a + b − c)): mean(|cos|)² / mean(cos²)."""


def planted_clock(p, frequencies, *, neurons_each=24, strength=20.0):
    """The network, for any odd p: two dimensions for each frequency to read, and two to write."""
    n = len(frequencies)
    config = TransformerConfig(
        n_layers=1, d_model=4 * n, n_heads=1, d_head=2 * n, d_mlp=neurons_each * n, d_vocab=p + 1, n_ctx=3,
        act="relu", norm=None, bias=False,
    )  # fmt: skip
    model = Transformer(config, seed=0).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.zero_()
    [block], reads = model.blocks, slice(0, 2 * n)
    block.attn.W_V[0, reads] = torch.eye(2 * n)
    phases = 2 * math.pi * torch.arange(neurons_each) / neurons_each
    for i, k in enumerate(frequencies):
        angles = 2 * math.pi * k * torch.arange(p) / p
        plane, written = slice(2 * i, 2 * i + 2), slice(2 * n + 2 * i, 2 * n + 2 * i + 2)
        circle = torch.stack([angles.cos(), angles.sin()])
        mine = slice(i * neurons_each, (i + 1) * neurons_each)
        model.W_E[:p, plane] = circle.T
        block.attn.W_O[0, plane, plane] = 3 * torch.eye(2)  # attention takes a third from each token
        block.mlp.W_in[plane, mine] = torch.stack([phases.cos(), phases.sin()])
        block.mlp.W_out[mine, written] = (
            torch.stack([(2 * phases).cos(), (2 * phases).sin()]).T / neurons_each
        )
        model.W_U[written, :p] = strength * circle
    return model
