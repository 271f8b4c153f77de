"""Break one attention head, in one of three ways.

blind      it no longer chooses: every position gets the same attention
mute       it looks as before and writes nothing
inverted   it looks as before and writes the opposite
"""

from __future__ import annotations

import copy
from typing import Literal, get_args

import torch

from mi_course.errors import UnknownName
from mi_course.methods.head_scores import find_head
from mi_course.models.transformer import Transformer

Damage = Literal["blind", "mute", "inverted"]
DAMAGES: tuple[str, ...] = get_args(Damage)


@torch.no_grad()
def damage(model: Transformer, head: str, how: Damage) -> Transformer:
    """A copy of ``model`` in which ``head`` ("L1H4") is broken; everything else is as it was.

    Raises UnknownName for a head that is not there or another kind of damage.
    """
    if how not in DAMAGES:
        raise UnknownName("damage", how, DAMAGES)
    layer, number = find_head(head, model.config.n_layers, model.config.n_heads)
    broken = copy.deepcopy(model)
    attn = broken.blocks[layer].attn
    if how == "blind":
        attn.W_Q[number] = 0.0  # scores of 0 everywhere: the softmax is flat
        if attn.b_Q is not None:
            attn.b_Q[number] = 0.0
    else:
        attn.W_O[number] *= {"mute": 0.0, "inverted": -1.0}[how]
    return broken
