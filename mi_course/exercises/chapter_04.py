"""Exercises of chapter 04: a GPT, piece by piece.

Each check compares with the reference on small random inputs. Before it speaks of a deviation it
compares with what the well-known mistakes give, so that it can say which one was made.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_course.exercises import gpt_mistakes
from mi_course.exercises import gpt_pieces as pieces
from mi_course.exercises.attempt import Attempt
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_dtype, expect_shape, expect_type


@torch.enable_grad()
def _check_embed(attempt: Attempt) -> str:
    w_token, w_pos = random_numbers(9, 4), random_numbers(9, 4, seed=1)
    for tokens in (torch.tensor([[5, 0, 5, 2, 7]]), torch.tensor([[1, 1, 3], [8, 2, 0]])):
        texts, length = tokens.shape
        on = f"{texts} text{'s' if texts > 1 else ''} of {length} tokens, where w_pos has rows for 9 places"
        got = attempt(tokens, w_token.requires_grad_(), w_pos)
        want = pieces.embed(tokens, w_token, w_pos).detach()
        if isinstance(got, Tensor) and got.shape == (texts, length, 8):
            raise Wrong(
                f"On {on}: you put the two vectors end to end. GPT-2 *adds* them; both are 4 numbers long."
            )
        expect_shape(got, tuple(want.shape), on=on)
        _look_for(gpt_mistakes.EMBED, got, want, on, tokens, w_token, w_pos)
        expect_close(got, want, on=on)
        _expect_gradient(got)
    return "One vector for what a token is, one for where it stands, added."


@torch.enable_grad()
def _check_attention_pattern(attempt: Attempt) -> str:
    for shape in ((6, 4), (2, 3, 5, 9)):
        q, k = 1.5 * random_numbers(*shape), random_numbers(*shape, seed=1)
        leading = "" if len(shape) == 2 else f" for each of {shape[0]} texts and {shape[1]} heads,"
        on = f"{shape[-2]} tokens,{leading} d_head {shape[-1]}"
        got, want = attempt(q.requires_grad_(), k), pieces.attention_pattern(q, k).detach()
        q = q.detach()
        expect_type(got, Tensor, what="Your pattern")
        expect_shape(got, tuple(want.shape), what="Your pattern", on=on)
        expect_dtype(got, "float", what="Your pattern", on=on)
        if got[..., 0, :].isnan().all():
            raise Wrong(
                f"On {on}: the first row is NaN, because your mask also hides a token from *itself*, and the "
                "first token then has nothing to look at. Start one place above the diagonal: `triu(1)`."
            )
        _look_for(gpt_mistakes.ATTENTION_PATTERN, got, want, on, q, k)
        if got.triu(1).abs().max() > 1e-6:
            raise Wrong(
                f"On {on}: up to {got.triu(1).abs().max():.2g} of the attention goes to words that come later. "
                "It must be exactly 0: use minus infinity, not just a small number."
            )
        expect_close(got, want, what="Your pattern", on=on)
        _expect_gradient(got)
    return "Every row adds up to 1, and nobody sees the future."


@torch.enable_grad()
def _check_attention(attempt: Attempt) -> str:
    d_model, pos, n_heads = 12, 5, 3
    x = random_numbers(2, pos, d_model)
    weights = (
        0.4 * random_numbers(d_model, 3 * d_model, seed=1),
        0.4 * random_numbers(3 * d_model, seed=2),
        0.4 * random_numbers(d_model, d_model, seed=3),
        random_numbers(d_model, seed=4),
    )
    on = f"2 texts of {pos} tokens, d_model {d_model}, {n_heads} heads"
    got = attempt(x.requires_grad_(), *weights, n_heads, pieces.attention_pattern)
    x = x.detach()
    want = pieces.attention(x, *weights, n_heads, pieces.attention_pattern)
    expect_shape(got, tuple(want.shape), on=on)
    _look_for(gpt_mistakes.ATTENTION, got, want, on, x, *weights, n_heads, pieces.attention_pattern)
    expect_close(got, want, on=on)
    _expect_gradient(got)
    got = attempt(x, *weights, n_heads, _evenly_over_the_past)
    on = "a `pattern` that looks at all earlier tokens alike"
    if _same(got, want):
        raise Wrong(
            f"On {on}: you used another pattern than the one you were given. Call `pattern(q, k)`: later we put in "
            "a broken one on purpose."
        )
    expect_close(got, pieces.attention(x, *weights, n_heads, _evenly_over_the_past), on=on)
    return "Heads look independently, and one matrix mixes what they found."


@torch.enable_grad()
def _check_layer_norm(attempt: Attempt) -> str:
    ordinary = 3 * random_numbers(2, 4, 6) + 1
    faint = 0.004 * random_numbers(2, 4, 6, seed=1)
    w, b = 1 + 0.3 * random_numbers(6, seed=2), random_numbers(6, seed=3)
    for x, on in ((ordinary, "2 texts of 4 tokens, d_model 6"), (faint, "vectors that hardly vary")):
        got = attempt(x.requires_grad_(), w, b, 1e-5)
        x = x.detach()
        want = pieces.layer_norm(x, w, b)
        expect_shape(got, tuple(want.shape), on=on)
        _look_for(gpt_mistakes.LAYER_NORM, got, want, on, x, w, b, 1e-5)
        expect_close(got, want, on=on)
        _expect_gradient(got)
    return "Equal to torch's own layer norm, and safe where a vector hardly varies."


@torch.enable_grad()
def _check_block(attempt: Attempt) -> str:
    d_model, d_mlp = 6, 24
    mix = 0.5 * random_numbers(d_model, d_model, seed=1)
    weights = (
        random_numbers(d_model, d_mlp, seed=2),
        random_numbers(d_mlp, seed=3),
        0.3 * random_numbers(d_mlp, d_model, seed=4),
        random_numbers(d_model, seed=5),
    )

    def attention(x: Tensor) -> Tensor:
        return x.cumsum(dim=1) @ mix

    def norm_1(x: Tensor) -> Tensor:
        return F.layer_norm(x, (d_model,))

    def norm_2(x: Tensor) -> Tensor:
        return 0.7 * F.layer_norm(x, (d_model,)) + 0.2

    x = 2 * random_numbers(2, 4, d_model) + 0.5
    on = f"2 texts of 4 tokens, d_model {d_model}, d_mlp {d_mlp}"
    got = attempt(x.requires_grad_(), attention, norm_1, norm_2, *weights)
    x = x.detach()
    want = pieces.block(x, attention, norm_1, norm_2, *weights)
    expect_shape(got, tuple(want.shape), on=on)
    _look_for(gpt_mistakes.BLOCK, got, want, on, x, attention, norm_1, norm_2, *weights)
    expect_close(got, want, on=on, rtol=1e-5)
    _expect_gradient(got)
    return "Two steps, each reads a normalised copy and adds what it found."


@torch.enable_grad()
def _check_next_token_loss(attempt: Attempt) -> str:
    tokens = torch.tensor([[3, 1, 4, 1, 5], [2, 6, 0, 5, 3]])
    logits = 2 * random_numbers(2, 5, 7)
    on = "2 texts of 5 tokens, 7 words in the vocabulary"
    got, want = attempt(logits.requires_grad_(), tokens), pieces.next_token_loss(logits, tokens).detach()
    logits = logits.detach()
    _look_for(gpt_mistakes.LOSS, got, want, on, logits, tokens)
    expect_close(got, want, what="Your loss", on=on)
    _expect_gradient(got)
    huge = 60 * random_numbers(2, 5, 7, seed=1)
    on = "logits as large as 100"
    expect_close(attempt(huge, tokens), pieces.next_token_loss(huge, tokens), what="Your loss", on=on)
    return "The surprise at the next token, in nats, averaged over all places."


def _check_next_token_probabilities(attempt: Attempt) -> str:
    logits = torch.tensor([1.0, -0.5, 3.0, 0.2, 2.0, -2.0])
    for temperature in (1.0, 0.5, 4.0):
        on = f"six logits at temperature {temperature:g}"
        got, want = attempt(logits, temperature), pieces.next_token_probabilities(logits, temperature)
        _look_for(gpt_mistakes.TEMPERATURE, got, want, on, logits, temperature)
        expect_close(got, want, on=on)
    for k in (3, 2):
        on = f"six logits with top_k={k}"
        got, want = attempt(logits, 1.0, k), pieces.next_token_probabilities(logits, 1.0, k)
        _look_for(gpt_mistakes.TOP_K, got, want, on, logits, k)
        expect_close(got, want, on=on)
    tied = torch.tensor([2.0, 0.5, 2.0, 1.0, 2.0, 0.0])
    on = "logits of which three are equally large, with top_k=2"
    got, want = attempt(tied, 1.0, 2), pieces.next_token_probabilities(tied, 1.0, 2)
    expect_type(got, Tensor)
    expect_shape(got, (6,), on=on)
    expect_dtype(got, "float", on=on)
    if int((got > 0).sum()) < 3:
        raise Wrong(
            f"On {on}: you kept {int((got > 0).sum())} of the three, by the accident of their order. Keep every "
            "token that is as good as the k-th best: drop only logits that are smaller than it."
        )
    expect_close(got, want, on=on)
    both = attempt(logits, 0.5, 2)
    expect_close(
        both, pieces.next_token_probabilities(logits, 0.5, 2), on="temperature 0.5 and top_k=2 together"
    )
    return "Cold is sure, hot is wild, and top-k cuts off the long tail."


def _evenly_over_the_past(q: Tensor, k: Tensor) -> Tensor:
    return pieces.attention_pattern(torch.zeros_like(q), torch.zeros_like(k))


def _look_for(mistakes: tuple, got: object, want: Tensor, on: str, *inputs: object) -> None:
    """Raise the diagnosis of the mistake whose result ``got`` is, unless it is right on this input."""
    if _same(got, want):
        return
    for words, mistaken in mistakes:
        if _same(got, mistaken(*inputs)):
            raise Wrong(f"On {on}: {words}")


def _same(got: object, made: Tensor) -> bool:
    if isinstance(got, float):
        got = torch.tensor(got)
    if not isinstance(got, Tensor) or got.shape != made.shape or not got.is_floating_point():
        return False
    return torch.allclose(got.detach().double(), made.detach().double(), rtol=1e-5, atol=1e-5)


def _expect_gradient(got: Tensor) -> None:
    if not got.requires_grad:
        raise Wrong(
            "The values are right, but their history is cut off, so nothing could be trained through it. Stay in "
            "torch, without `.detach()`, `.item()`, `.numpy()` or `torch.no_grad()`."
        )


EXERCISES = (
    Exercise(
        id="04.embed",
        title="From tokens to vectors",
        difficulty=1,
        minutes=5,
        hints=(
            "A tensor can be indexed with a tensor of whole numbers: `w_token[tokens]` looks up a row for each token.",
            "Places are counted from 0, so a text of n tokens needs the first n rows of `w_pos`.",
            "`w_token[tokens]` is (batch, pos, d_model), the rows of `w_pos` are (pos, d_model): adding them works as "
            "it is. The length of a text is `tokens.shape[-1]`.",
        ),
        reference=pieces.embed,
        check=_check_embed,
    ),
    Exercise(
        id="04.attention_pattern",
        title="Who looks at whom?",
        difficulty=2,
        minutes=12,
        hints=(
            "All products of queries and keys at once: `q @ k.transpose(-1, -2)`. Row i, column j is query i "
            "times key j. Divide by the root of the last axis' length.",
            "`torch.ones_like(scores, dtype=torch.bool).triu(1)` is True exactly above the diagonal, where the key "
            "comes after the query.",
            "`scores.masked_fill(future, -torch.inf)`, and then `.softmax(dim=-1)`.",
        ),
        reference=pieces.attention_pattern,
        check=_check_attention_pattern,
    ),
    Exercise(
        id="04.attention",
        title="Many heads",
        difficulty=3,
        minutes=15,
        hints=(
            "`(x @ w_qkv + b_qkv).chunk(3, dim=-1)` gives q, k and v of all heads, each (batch, pos, d_model).",
            "To cut one of them into heads: `.unflatten(-1, (n_heads, -1))` gives (batch, pos, head, d_head); "
            "`.transpose(1, 2)` brings the heads to the front, where `pattern` wants them.",
            "`z = pattern(q, k) @ v` is (batch, head, pos, d_head). Back: `.transpose(1, 2).flatten(2)`. Then "
            "`@ w_out + b_out`.",
        ),
        reference=pieces.attention,
        check=_check_attention,
    ),
    Exercise(
        id="04.layer_norm",
        title="Layer norm",
        difficulty=2,
        minutes=8,
        hints=(
            "Mean and spread are those of one token's vector: `dim=-1`, and `keepdim=True` so that they can be "
            "subtracted and divided.",
            "The variance is the mean of the squared deviations, divided by d_model and not by d_model − 1.",
            "`(x - mean) / torch.sqrt(variance + eps) * w + b`",
        ),
        reference=pieces.layer_norm,
        check=_check_layer_norm,
    ),
    Exercise(
        id="04.block",
        title="MLP and block",
        difficulty=2,
        minutes=10,
        hints=(
            "Write it in two lines. Each takes x, lets one step read a normalised copy of it, and adds the result.",
            "First line: `x = x + attention(norm_1(x))`. In the second, the MLP is a matrix, a bend, a matrix.",
            '`hidden = torch.nn.functional.gelu(norm_2(x) @ w_in + b_in, approximate="tanh")`, then '
            "`x + hidden @ w_out + b_out`.",
        ),
        reference=pieces.block,
        check=_check_block,
    ),
    Exercise(
        id="04.next_token_loss",
        title="How surprised is it?",
        difficulty=2,
        minutes=8,
        hints=(
            "The logits at place i are a guess at token i + 1. So the last logits have nothing to be compared with, "
            "and the first token was never guessed.",
            "`logits[:, :-1].log_softmax(dim=-1)` are the logarithms of the probabilities. You need one number for "
            "each place: that of the token in `tokens[:, 1:]`.",
            "Either `.gather(-1, tokens[:, 1:, None])` and minus the mean, or torch's `cross_entropy` on "
            "`logits[:, :-1].flatten(0, 1)` and `tokens[:, 1:].flatten()`.",
        ),
        reference=pieces.next_token_loss,
        check=_check_next_token_loss,
    ),
    Exercise(
        id="04.next_token_probabilities",
        title="Temperature and top-k",
        difficulty=2,
        minutes=8,
        hints=(
            "Temperature is one division, before the softmax. At 0.5 the gaps between logits double.",
            "`logits.topk(top_k).values[-1]` is the k-th largest logit. What is smaller must get probability 0.",
            "`logits.masked_fill(logits < least, -torch.inf)`; the softmax does the rest. Without a `top_k`, skip it.",
        ),
        reference=pieces.next_token_probabilities,
        check=_check_next_token_probabilities,
    ),
)
