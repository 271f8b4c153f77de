"""Let a model write on, computing each word's states only once, while hooks change what happens inside.

Position 7 of a causal model never hears of position 8. What attention needs of the words before, their keys and
values, can therefore be kept, and for each new word only its own column is computed. `Transformer.generate` computes
everything anew for each word: the same texts, several times slower.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.models.hooks import Hook
from mi_course.models.transformer import Block, Transformer


@torch.no_grad()
def write_on(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"],
    n_tokens: int,
    *,
    hooks: Iterable[tuple[str, Hook]] = (),
    temperature: float | int = 1.0,
    seed: int = 0,
) -> Int[Tensor, "batch longer"]:
    """``tokens`` and ``n_tokens`` more in every row; rows that have ended are filled up with the end-of-text token.

    The same tokens as ``model.generate(tokens, n_tokens, seed=seed)`` inside ``model.hooks(hooks)``, as long as the
    hooks treat every position by itself: first they see the columns of the prompt, then one new column at a time.
    ``temperature``: 0 takes the most probable token every time.

    Raises CourseError if the text would be longer than the model can see.
    """
    if temperature < 0:
        raise ValueError(f"temperature={temperature}; it cannot be negative.")
    if tokens.shape[1] + n_tokens > model.config.n_ctx:
        raise CourseError(
            f"A prompt of {tokens.shape[1]} tokens and {n_tokens} more are over what the model can see, n_ctx = "
            f"{model.config.n_ctx}. Ask for fewer."
        )
    end = model.tokenizer.eos_id if model.tokenizer else None
    generator = torch.Generator(tokens.device).manual_seed(seed)
    ended = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
    stored: list[tuple[Tensor, Tensor] | None] = [None] * model.config.n_layers
    new = tokens
    with model.hooks(hooks):
        for _ in range(n_tokens):
            logits = _next_logits(model, new, tokens.shape[1] - new.shape[1], stored)
            if temperature == 0:
                chosen = logits.argmax(dim=-1)
            else:
                chances = (logits / temperature).softmax(dim=-1)
                chosen = torch.multinomial(chances, 1, generator=generator)[:, 0]
            if end is not None:
                chosen = chosen.masked_fill(ended, end)
                ended = ended | (chosen == end)
            new = chosen[:, None].to(tokens.dtype)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


def _next_logits(
    model: Transformer, new: Int[Tensor, "batch new"], first: int, stored: list[tuple[Tensor, Tensor] | None]
) -> Float[Tensor, "batch d_vocab"]:
    """Logits after the new columns, which begin at position ``first``; their keys and values join the stored ones."""
    pos_embed = model.W_pos[first : first + new.shape[1]].expand(len(new), -1, -1)
    resid = model.hook_embed(model.W_E[new]) + model.hook_pos_embed(pos_embed)
    for layer, block in enumerate(model.blocks):
        resid, stored[layer] = _through(block, resid, stored[layer])
    return model.unembed(resid[:, -1:])[:, 0]


def _through(
    block: Block, resid: Float[Tensor, "batch new d_model"], stored: tuple[Tensor, Tensor] | None
) -> tuple[Float[Tensor, "batch new d_model"], tuple[Tensor, Tensor]]:
    """The new columns behind this block, and the keys and values of all columns so far."""
    resid = block.hook_resid_pre(resid)
    q, k, v = block.attn.project(block.ln1(resid))
    if stored is not None:
        k, v = torch.cat([stored[0], k], dim=1), torch.cat([stored[1], v], dim=1)
    attended = block.attn.write(block.attn.collect(block.attn.look(q, k), v))
    resid = resid + block.hook_attn_out(attended)
    if block.mlp is not None:
        resid = block.hook_resid_mid(resid)
        resid = resid + block.hook_mlp_out(block.mlp(block.ln2(resid)))
    return block.hook_resid_post(resid), (k, v)
