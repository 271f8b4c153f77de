"""What goes wrong when people build a GPT: each mistake with its diagnosis and a function that makes it.

The checks of chapter 04 compare an answer with these, so that they can say which mistake it is. Each
table is a tuple of ``(diagnosis, function)``; the functions take what the check gives to the learner's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_course.exercises import gpt_pieces as pieces

EMBED = (
    (
        "the tokens' vectors are there and the positions' are missing. Without them "
        '"dog bites man" and "man bites dog" are the same three vectors.',
        lambda tokens, w_token, w_pos: w_token[tokens],
    ),
    (
        "you looked the position up by the *token*. Row 0 of `w_pos` belongs to the first place, whichever token "
        "stands there.",
        lambda tokens, w_token, w_pos: w_token[tokens] + w_pos[tokens],
    ),
    (
        "every place got the vector of place 0. The length of the text is the *last* axis of `tokens`; the first "
        "one counts the texts.",
        lambda tokens, w_token, w_pos: w_token[tokens] + w_pos[:1],
    ),
    (
        "places are counted from 0: the first token gets row 0 of `w_pos`. You began with row 1.",
        lambda tokens, w_token, w_pos: w_token[tokens] + w_pos[1 : tokens.shape[-1] + 1],
    ),
    (
        "only the positions' vectors are there. Add the row of `w_token` that belongs to each token.",
        lambda tokens, w_token, w_pos: w_pos[: tokens.shape[-1]].expand(*tokens.shape, -1),
    ),
)


def _scores(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])


def _causal(scores: Tensor, diagonal: int = 1) -> Tensor:
    return scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(diagonal), -math.inf)


ATTENTION_PATTERN = (
    (
        "the mask is missing: the first token attends to words that come after it. Set the scores above the "
        "diagonal to minus infinity before the softmax.",
        lambda q, k: _scores(q, k).softmax(-1),
    ),
    (
        "the mask is the wrong way round: every token sees the future and not the past. Rows are queries and "
        "columns are keys, so what must go lies *above* the diagonal (`triu`).",
        lambda q, k: _scores(q, k).masked_fill(torch.ones_like(_scores(q, k)).tril(-1) > 0, -math.inf).softmax(-1),
    ),
    (
        "you set the scores of the future to 0. A score of 0 is no ban: the softmax turns it into e⁰ = 1 and "
        "gives it weight. Minus infinity becomes 0.",
        lambda q, k: _scores(q, k).tril().softmax(-1),
    ),
    (
        "you cut the future off *after* the softmax, so the rows no longer add up to 1. Mask the scores first.",
        lambda q, k: _scores(q, k).softmax(-1).tril(),
    ),
    (
        "the scores are not divided by √d_head. With long vectors they grow large, and the softmax then puts "
        "everything on one token.",
        lambda q, k: _causal(q @ k.transpose(-1, -2)).softmax(-1),
    ),
    (
        "you divided by d_head; divide by its square root. A product of two random vectors of d_head numbers is "
        "about √d_head in size.",
        lambda q, k: _causal(q @ k.transpose(-1, -2) / q.shape[-1]).softmax(-1),
    ),
    (
        "you divided by the root of the number of *tokens*; divide by √d_head, the length of a query vector.",
        lambda q, k: _causal(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-2])).softmax(-1),
    ),
    (
        "the softmax runs over the wrong axis: your columns add up to 1. Each *query* shares out its attention, "
        "so each row must (`dim=-1`).",
        lambda q, k: _causal(_scores(q, k)).softmax(-2),
    ),
    (
        "queries and keys are exchanged. Row i, column j of the scores is query i times key j: `q @ k` with the "
        "last two axes of `k` transposed.",
        lambda q, k: _causal(_scores(k, q)).softmax(-1),
    ),
    (
        "these are the scores; the softmax is missing.",
        lambda q, k: _causal(_scores(q, k)),
    ),
)  # fmt: skip


def _split_by_view(part: Tensor, n_heads: int) -> Tensor:
    batch, pos, d_model = part.shape
    return part.reshape(batch, n_heads, pos, d_model // n_heads)


def _attention_split_by_view(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    q, k, v = (_split_by_view(part, n_heads) for part in (x @ w_qkv + b_qkv).chunk(3, dim=-1))
    return (pattern(q, k) @ v).reshape(x.shape) @ w_out + b_out


def _attention_view_then_merge(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    q, k, v = (_split_by_view(part, n_heads) for part in (x @ w_qkv + b_qkv).chunk(3, dim=-1))
    return pieces.merge_heads(pattern(q, k) @ v) @ w_out + b_out


def _attention_merged_by_view(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    q, k, v = (pieces.split_heads(part, n_heads) for part in (x @ w_qkv + b_qkv).chunk(3, dim=-1))
    return (pattern(q, k) @ v).reshape(x.shape) @ w_out + b_out


def _attention_of_interleaved_heads(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    d_head = x.shape[-1] // n_heads
    parts = (x @ w_qkv + b_qkv).chunk(3, dim=-1)
    q, k, v = (part.unflatten(-1, (d_head, n_heads)).permute(0, 3, 1, 2) for part in parts)
    return (pattern(q, k) @ v).permute(0, 2, 3, 1).flatten(2) @ w_out + b_out


def _attention_of_heads_first(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    mixed = (x @ w_qkv + b_qkv).unflatten(-1, (n_heads, 3, -1)).permute(3, 0, 2, 1, 4)
    return pieces.merge_heads(pattern(mixed[0], mixed[1]) @ mixed[2]) @ w_out + b_out


def _attention_with_one_head(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    return pieces.attention(x, w_qkv, b_qkv, w_out, b_out, 1, pattern)


def _attention_read_backwards(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    q, k, v = (pieces.split_heads(part, n_heads) for part in (x @ w_qkv + b_qkv).chunk(3, dim=-1))
    return pieces.merge_heads(pattern(q, k).transpose(-1, -2) @ v) @ w_out + b_out


def _attention_without_output(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    return pieces.attention(x, w_qkv, b_qkv, torch.eye(len(w_out)), torch.zeros(len(w_out)), n_heads, pattern)


def _attention_in_order(order: tuple[int, ...]) -> Callable[..., Tensor]:
    """Attention that takes query, key and value from these thirds."""

    def attention(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
        parts = (x @ w_qkv + b_qkv).chunk(3, dim=-1)
        q, k, v = (pieces.split_heads(parts[third], n_heads) for third in order)
        return pieces.merge_heads(pattern(q, k) @ v) @ w_out + b_out

    return attention


ATTENTION = (
    (
        "the heads are cut out wrongly. `view(batch, n_heads, pos, d_head)` fits by size, but fills one head with "
        "the numbers of several tokens. First split the last axis, `view(batch, pos, n_heads, d_head)`, then "
        "`transpose(1, 2)`.",
        _attention_split_by_view,
    ),
    (
        "the heads are cut out wrongly. `view(batch, n_heads, pos, d_head)` fits by size, but fills one head with "
        "the numbers of several tokens. First split the last axis, then `transpose(1, 2)`.",
        _attention_view_then_merge,
    ),
    (
        "right up to the point where the heads are put side by side again. `view` on (batch, head, pos, d_head) "
        "mixes tokens: `transpose(1, 2)` first, then flatten the last two axes.",
        _attention_merged_by_view,
    ),
    (
        "your heads take every n_heads-th number. Head 0 has the *first* d_head numbers, head 1 the next d_head: "
        "split the last axis into (n_heads, d_head), in this order.",
        _attention_of_interleaved_heads,
    ),
    (
        "you split into heads first and each head into q, k, v. GPT-2 stores the queries of *all* heads, then all "
        "keys, then all values: split into three first.",
        _attention_of_heads_first,
    ),
    (
        "this is one large head. Each of the n_heads heads has its own part of q, k and v, and its own pattern.",
        _attention_with_one_head,
    ),
    (
        "the pattern is transposed: key tokens collect from queries. Token i is given the mean of the values, "
        "weighted with *row* i: `pattern(q, k) @ v`.",
        _attention_read_backwards,
    ),
    (
        "the heads' results are side by side; multiply them by `w_out`, which mixes them, and add `b_out`.",
        _attention_without_output,
    ),
    (
        "`b_qkv` is missing: `x @ w_qkv + b_qkv`.",
        lambda x, w_qkv, b_qkv, *rest: pieces.attention(x, w_qkv, 0 * b_qkv, *rest),
    ),
    (
        "`b_out` is missing at the end.",
        lambda x, w_qkv, b_qkv, w_out, b_out, *rest: pieces.attention(
            x, w_qkv, b_qkv, w_out, 0 * b_out, *rest
        ),
    ),
    *(
        (
            "queries, keys and values are mixed up. The three thirds stand in the order q, k, v.",
            _attention_in_order(order),
        )
        for order in permutations(range(3))
        if order != (0, 1, 2)
    ),
)


def _normalised_over(axes: tuple[int, ...]) -> Callable[..., Tensor]:
    """Layer norm over other axes than the last one."""

    def norm(x, w, b, eps=1e-5):
        variance = x.var(axes, correction=0, keepdim=True)
        return (x - x.mean(axes, keepdim=True)) / torch.sqrt(variance + eps) * w + b

    return norm


def _centred(x: Tensor) -> Tensor:
    return x - x.mean(-1, keepdim=True)


LAYER_NORM = (
    (
        "you divided the sum of squares by d_model − 1 (`var` and `std` do that by default). Layer norm divides "
        "by d_model: `correction=0`.",
        lambda x, w, b, eps: _centred(x) / torch.sqrt(x.var(-1, keepdim=True) + eps) * w + b,
    ),
    (
        "`eps` stands outside the root. It is added to the *variance*: `sqrt(variance + eps)`. Where a vector "
        "hardly varies, that makes a great difference.",
        lambda x, w, b, eps: _centred(x) / (x.std(-1, correction=0, keepdim=True) + eps) * w + b,
    ),
    (
        "`eps` is missing: `sqrt(variance + eps)`. A vector of equal numbers would be divided by zero.",
        lambda x, w, b, eps: _centred(x) / x.std(-1, correction=0, keepdim=True) * w + b,
    ),
    (
        "you divided by the variance. Divide by its square root, the standard deviation, or the spread does not "
        "become 1.",
        lambda x, w, b, eps: _centred(x) / (x.var(-1, correction=0, keepdim=True) + eps) * w + b,
    ),
    (
        "the mean was not taken away. (That is the start of RMS norm, which newer models use; GPT-2 subtracts it.)",
        lambda x, w, b, eps: x / torch.sqrt(x.square().mean(-1, keepdim=True) + eps) * w + b,
    ),
    (
        "the mean was taken out of the spread, but not out of `x` itself.",
        lambda x, w, b, eps: x / torch.sqrt(x.var(-1, correction=0, keepdim=True) + eps) * w + b,
    ),
    (
        "you normalised over the *tokens* of a text. Then a token would feel what comes after it. Each token is "
        "normalised alone, over its own d_model numbers: `dim=-1`.",
        _normalised_over((-2,)),
    ),
    (
        "you normalised over all numbers of a text at once. Each token is normalised alone: `dim=-1`.",
        _normalised_over((-2, -1)),
    ),
    (
        "you normalised over all texts at once (as batch norm does). Each token is normalised alone: `dim=-1`.",
        _normalised_over((0,)),
    ),
    (
        "you normalised over everything at once. Each token is normalised alone: `dim=-1` with `keepdim=True`.",
        _normalised_over((0, 1, 2)),
    ),
    (
        "the scale `w` and the shift `b` are missing at the end.",
        lambda x, w, b, eps: pieces.layer_norm(x, torch.ones_like(w), torch.zeros_like(b), eps),
    ),
    (
        "the shift `b` is missing at the end.",
        lambda x, w, b, eps: pieces.layer_norm(x, w, torch.zeros_like(b), eps),
    ),
    (
        "the scale `w` is missing.",
        lambda x, w, b, eps: pieces.layer_norm(x, torch.ones_like(w), b, eps),
    ),
)


def _with_another_bend(act: Callable) -> Callable[..., Tensor]:
    """A block whose MLP has another activation function."""

    def block(x, attention, norm_1, norm_2, *weights):
        x = x + attention(norm_1(x))
        return x + pieces.mlp(norm_2(x), *weights, act=act)

    return block


def _block_without_its_biases(x, attention, norm_1, norm_2, w_in, b_in, w_out, b_out):
    return pieces.block(x, attention, norm_1, norm_2, w_in, 0 * b_in, w_out, 0 * b_out)


def _block_with_norms_behind(x, attention, norm_1, norm_2, *weights):
    x = norm_1(x + attention(x))
    return norm_2(x + pieces.mlp(x, *weights))


def _block_of_normalised_streams(x, attention, norm_1, norm_2, *weights):
    x = norm_1(x)
    x = norm_2(x + attention(x))
    return x + pieces.mlp(x, *weights)


def _block_side_by_side(x, attention, norm_1, norm_2, *weights):
    return x + attention(norm_1(x)) + pieces.mlp(norm_2(x), *weights)


BLOCK = (
    (
        "this is the exact GELU. GPT-2 was trained with an approximation by tanh: "
        '`gelu(…, approximate="tanh")`. The two differ by less than 0.001, and we want the same logits.',
        _with_another_bend(F.gelu),
    ),
    ("you used ReLU. GPT-2 bends with GELU.", _with_another_bend(F.relu)),
    (
        "nothing bends between the two matrices, so together they are only one matrix. Put GELU between them.",
        _with_another_bend(lambda x: x),
    ),
    (
        "what attention found is not *added* to x, it replaces it: `x = x + attention(…)`.",
        lambda x, attention, norm_1, norm_2, *w: (mid := attention(norm_1(x))) + pieces.mlp(norm_2(mid), *w),
    ),
    (
        "what the MLP computed is not *added* to x, it replaces it: `x + …` at the end.",
        lambda x, attention, norm_1, norm_2, *w: pieces.mlp(norm_2(x + attention(norm_1(x))), *w),
    ),
    (
        "nothing is added: both steps replace x. The stream is carried on, and each step adds to it.",
        lambda x, attention, norm_1, norm_2, *w: pieces.mlp(norm_2(attention(norm_1(x))), *w),
    ),
    (
        "the norms stand *behind* the additions. So they did in the Transformer of 2017; since GPT-2 each step "
        "*reads* a normalised copy, and the stream itself is never normalised.",
        _block_with_norms_behind,
    ),
    (
        "you added to the normalised stream. Attention and MLP *read* a normalised copy; what they find is added "
        "to x itself.",
        _block_of_normalised_streams,
    ),
    (
        "the norms are missing: attention reads `norm_1(x)`, the MLP reads `norm_2(x)`.",
        lambda x, attention, norm_1, norm_2, *w: (mid := x + attention(x)) + pieces.mlp(mid, *w),
    ),
    (
        "attention reads `x` itself; it should read `norm_1(x)`.",
        lambda x, attention, norm_1, norm_2, *w: (mid := x + attention(x)) + pieces.mlp(norm_2(mid), *w),
    ),
    (
        "the MLP reads `x` itself; it should read `norm_2(x)`.",
        lambda x, attention, norm_1, norm_2, *w: (mid := x + attention(norm_1(x))) + pieces.mlp(mid, *w),
    ),
    (
        "you used `norm_1` twice. The MLP has a norm of its own, `norm_2`.",
        lambda x, attention, norm_1, norm_2, *w: pieces.block(x, attention, norm_1, norm_1, *w),
    ),
    (
        "the two norms are exchanged: attention reads `norm_1(x)`, the MLP reads `norm_2(x)`.",
        lambda x, attention, norm_1, norm_2, *w: pieces.block(x, attention, norm_2, norm_1, *w),
    ),
    (
        "attention and MLP both read the *old* x. The MLP comes second: it reads what attention has written.",
        _block_side_by_side,
    ),
    (
        "the MLP comes before attention. Attention is first.",
        lambda x, attention, norm_1, norm_2, *w: (
            (mid := x + pieces.mlp(norm_2(x), *w)) + attention(norm_1(mid))
        ),
    ),
    ("the biases of the MLP are missing.", _block_without_its_biases),
    (
        "the MLP is missing.",
        lambda x, attention, norm_1, norm_2, *w: x + attention(norm_1(x)),
    ),
)


def _of_the_right_token(logits: Tensor, tokens: Tensor) -> Tensor:
    """Log-probability of each next token, "batch pos−1"."""
    return logits[:, :-1].log_softmax(dim=-1).gather(-1, tokens[:, 1:, None])[..., 0]


LOSS = (
    (
        "nothing is shifted: you ask the logits at each place for the token that stands *there*, which the model "
        "has just read. They are a guess at the *next* one: `logits[:, :-1]` against `tokens[:, 1:]`.",
        lambda logits, tokens: F.cross_entropy(logits.flatten(0, 1), tokens.flatten()),
    ),
    (
        "shifted the wrong way: you compare each place with the token *before* it. Use `logits[:, :-1]` and "
        "`tokens[:, 1:]`.",
        lambda logits, tokens: F.cross_entropy(logits[:, 1:].flatten(0, 1), tokens[:, :-1].flatten()),
    ),
    (
        "this is in bits (logarithm to base 2). We measure in nats: the natural logarithm, `log_softmax`.",
        lambda logits, tokens: -_of_the_right_token(logits, tokens).mean() / math.log(2),
    ),
    ("you added up all losses; take their mean.", lambda logits, tokens: -_of_the_right_token(logits, tokens).sum()),
    (
        "the losses of a text are added up and only then averaged over the texts; take the mean over all places.",
        lambda logits, tokens: -_of_the_right_token(logits, tokens).sum(dim=1).mean(),
    ),
    (
        "the sign is missing. The logarithm of a probability is below zero; the loss is *minus* that.",
        lambda logits, tokens: _of_the_right_token(logits, tokens).mean(),
    ),
    (
        "this is the perplexity, e to the loss. Leave the exponential away.",
        lambda logits, tokens: (-_of_the_right_token(logits, tokens).mean()).exp(),
    ),
    (
        "the softmax was taken twice: `cross_entropy` wants the logits themselves.",
        lambda logits, tokens: F.cross_entropy(
            logits[:, :-1].softmax(-1).flatten(0, 1), tokens[:, 1:].flatten()
        ),
    ),
    (
        "this is the mean *probability* of the right token. Take the logarithm first (and minus).",
        lambda logits, tokens: _of_the_right_token(logits, tokens).exp().mean(),
    ),
    (
        "you took the mean first and the logarithm after. Take the logarithm of each probability, then the mean.",
        lambda logits, tokens: -_of_the_right_token(logits, tokens).exp().mean().log(),
    ),
    (
        "these are logits. The softmax that makes probabilities of them is missing: `log_softmax(dim=-1)`.",
        lambda logits, tokens: -logits[:, :-1].gather(-1, tokens[:, 1:, None]).mean(),
    ),
    (
        "you only looked at the last place. Every place makes a guess, and all count.",
        lambda logits, tokens: -_of_the_right_token(logits, tokens)[:, -1].mean(),
    ),
)  # fmt: skip


def _kept(logits: Tensor, k: int) -> Tensor:
    """Which of the logits belong to the k largest, and not one more."""
    return torch.zeros_like(logits, dtype=torch.bool).scatter(0, logits.topk(k).indices, True)


TEMPERATURE = (
    (
        "you *multiplied* by the temperature, so a hot model becomes sure of itself. Divide by it.",
        lambda logits, temperature: (logits * temperature).softmax(-1),
    ),
    ("the temperature changes nothing.", lambda logits, temperature: logits.softmax(-1)),
    (
        "you divided the *probabilities* by the temperature, so they do not add up to 1. Divide the logits.",
        lambda logits, temperature: logits.softmax(-1) / temperature,
    ),
    (
        "you took the softmax twice. Divide the logits by the temperature and take one softmax.",
        lambda logits, temperature: (logits.softmax(-1) / temperature).softmax(-1),
    ),
    ("these are logits. End with a softmax.", lambda logits, temperature: logits / temperature),
    (
        "these are logarithms of probabilities. Use `softmax`.",
        lambda logits, temperature: (logits / temperature).log_softmax(-1),
    ),
)


TOP_K = (
    ("`top_k` changes nothing.", lambda logits, k: logits.softmax(-1)),
    (
        "you set the other probabilities to 0 after the softmax, so the rest does not add up to 1. Set their "
        "*logits* to minus infinity before it, or divide by the sum.",
        lambda logits, k: logits.softmax(-1) * _kept(logits, k),
    ),
    (
        "you set the other *logits* to 0. The softmax turns a logit of 0 into e⁰ = 1, which is not nothing. "
        "Minus infinity becomes 0.",
        lambda logits, k: (logits * _kept(logits, k)).softmax(-1),
    ),
    (
        "you kept one token too many.",
        lambda logits, k: logits.masked_fill(~_kept(logits, k + 1), -math.inf).softmax(-1),
    ),
    (
        "you kept one token too few: the k-th best belongs to the k best. Drop what is *smaller* than it (`<`).",
        lambda logits, k: logits.masked_fill(~_kept(logits, k - 1), -math.inf).softmax(-1),
    ),
    (
        "you kept the least probable tokens.",
        lambda logits, k: logits.masked_fill(~_kept(-logits, k), -math.inf).softmax(-1),
    ),
    (
        "this has only the k probabilities; give one for every token of the vocabulary, 0 for what was dropped.",
        lambda logits, k: logits.topk(k).values.softmax(-1),
    ),
)
