"""Typical wrong answers to the exercises of chapter 04, and words that their diagnosis must hold."""

import math

import torch
from torch.nn import functional as F


def _causal_softmax(scores):
    return scores.masked_fill(torch.ones_like(scores).triu(1) > 0, -math.inf).softmax(-1)


def _pattern_with_a_loose_mask(q, k):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return (scores - 4 * torch.ones_like(scores).triu(1)).softmax(-1)


def _pattern_that_hides_the_token_itself(q, k):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(torch.ones_like(scores).triu() > 0, -math.inf).softmax(-1)


def _pattern_of_the_future(q, k):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(torch.ones_like(scores).tril(-1) > 0, -math.inf).softmax(-1)


def _attention(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern, cut=None, paste=None):
    batch, pos, d_model = x.shape
    cut = cut or (lambda part: part.view(batch, pos, n_heads, -1).transpose(1, 2))
    paste = paste or (lambda z: z.transpose(1, 2).reshape(batch, pos, d_model))
    q, k, v = (cut(part) for part in (x @ w_qkv + b_qkv).split(d_model, dim=-1))
    return paste(pattern(q, k) @ v) @ w_out + b_out


def _heads_by_view(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    def cut(part):
        return part.reshape(len(x), n_heads, x.shape[1], -1)

    return _attention(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern, cut=cut)


def _heads_pasted_by_view(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    return _attention(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern, paste=lambda z: z.reshape(x.shape))


def _every_third_number(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    def cut(part):
        return torch.stack([part[..., head::n_heads] for head in range(n_heads)], dim=1)

    def paste(z):
        return torch.stack(tuple(z.unbind(1)), dim=-1).flatten(2)

    return _attention(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern, cut, paste)


def _values_first(x, w_qkv, b_qkv, *rest):
    v, q, k = w_qkv.chunk(3, dim=-1)
    b_v, b_q, b_k = b_qkv.chunk(3)
    return _attention(x, torch.cat([q, k, v], dim=-1), torch.cat([b_q, b_k, b_v]), *rest)


def _a_pattern_of_its_own(x, w_qkv, b_qkv, w_out, b_out, n_heads, pattern):
    own = lambda q, k: _causal_softmax(q @ k.mT / math.sqrt(q.shape[-1]))  # noqa: E731
    return _attention(x, w_qkv, b_qkv, w_out, b_out, n_heads, own)


def _mlp(x, w_in, b_in, w_out, b_out, act=lambda x: F.gelu(x, approximate="tanh")):
    return act(x @ w_in + b_in) @ w_out + b_out


def _block(x, attention, norm_1, norm_2, *weights, act=lambda x: F.gelu(x, approximate="tanh")):
    x = x + attention(norm_1(x))
    return x + _mlp(norm_2(x), *weights, act=act)


def _no_residual(x, attention, norm_1, norm_2, *weights):
    x = attention(norm_1(x))
    return x + _mlp(norm_2(x), *weights)


def _post_norm(x, attention, norm_1, norm_2, *weights):
    x = norm_1(x + attention(x))
    return norm_2(x + _mlp(x, *weights))


def _parallel(x, attention, norm_1, norm_2, *weights):
    return x + attention(norm_1(x)) + _mlp(norm_2(x), *weights)


def _changes_its_input(x, attention, norm_1, norm_2, *weights):
    with torch.no_grad():
        x += attention(norm_1(x))
    return x + _mlp(norm_2(x), *weights)


def _loss(logits, tokens):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


def _fragile_loss(logits, tokens):
    probabilities = logits[:, :-1].exp() / logits[:, :-1].exp().sum(-1, keepdim=True)
    return -probabilities.gather(-1, tokens[:, 1:, None]).log().mean()


def _probabilities(logits, temperature=1.0, top_k=None, smaller=torch.lt):
    if top_k is not None:
        logits = logits.masked_fill(smaller(logits, logits.topk(top_k).values[-1]), -math.inf)
    return (logits / temperature).softmax(-1)


def _one_too_many(logits, temperature=1.0, top_k=None):
    return _probabilities(logits, temperature, top_k if top_k is None else top_k + 1)


def _without_ties(logits, temperature=1.0, top_k=None):
    if top_k is not None:
        best = logits.topk(top_k).indices
        logits = torch.full_like(logits, -math.inf).scatter(0, best, logits[best])
    return (logits / temperature).softmax(-1)


def _cut_after_the_softmax(logits, temperature=1.0, top_k=None):
    probabilities = (logits / temperature).softmax(-1)
    if top_k is None:
        return probabilities
    return probabilities * (probabilities >= probabilities.topk(top_k).values[-1])


WRONG = {
    "04.embed": [
        (lambda tokens, w_token, w_pos: w_token[tokens], "positions' are missing"),
        (lambda tokens, w_token, w_pos: w_token[tokens] + w_pos[tokens], "by the *token*"),
        (lambda tokens, w_token, w_pos: w_token[tokens] + w_pos[: len(tokens)], "vector of place 0"),
        (lambda tokens, w_token, w_pos: w_token[tokens] + w_pos, "must match"),
        (lambda tokens, w_token, w_pos: w_token[tokens] + w_pos[1 : 1 + tokens.shape[1]], "counted from 0"),
        (
            lambda tokens, w_token, w_pos: torch.cat(
                [w_token[tokens], w_pos[: tokens.shape[1]].expand(*tokens.shape, -1)], -1
            ),
            "end to end",
        ),
        (lambda tokens, w_token, w_pos: (w_token[tokens] + w_pos[: tokens.shape[1]]).detach(), "history"),
    ],
    "04.attention_pattern": [
        (lambda q, k: (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1), "mask is missing"),
        (_pattern_of_the_future, "wrong way round"),
        (_pattern_that_hides_the_token_itself, "from *itself*"),
        (_pattern_with_a_loose_mask, "exactly 0"),
        (lambda q, k: _causal_softmax(q @ k.mT), "not divided"),
        (lambda q, k: _causal_softmax(q @ k.mT / q.shape[-1]), "square root"),
        (lambda q, k: _causal_softmax(k @ q.mT / math.sqrt(q.shape[-1])), "exchanged"),
        (lambda q, k: (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1).tril(), "*after* the softmax"),
        (lambda q, k: (q @ k.mT / math.sqrt(q.shape[-1])).tril().softmax(-1), "is no ban"),
        (
            lambda q, k: (
                (q @ k.mT / math.sqrt(q.shape[-1]))
                .masked_fill(torch.ones(q.shape[-2], q.shape[-2]).triu(1) > 0, -math.inf)
                .softmax(-2)
            ),
            "columns add up to 1",
        ),
        (lambda q, k: _causal_softmax(q @ k.transpose(0, 1) / math.sqrt(q.shape[-1])), "raised"),
    ],
    "04.attention": [
        (_heads_by_view, "cut out wrongly"),
        (_heads_pasted_by_view, "side by side again"),
        (_every_third_number, "*first* d_head numbers"),
        (_values_first, "mixed up"),
        (_a_pattern_of_its_own, "another pattern"),
        (lambda x, w, b, w_out, b_out, n, p: _attention(x, w, b, w_out, b_out, 1, p), "one large head"),
        (
            lambda x, w, b, w_out, b_out, n, p: _attention(x, w, b, torch.eye(12), torch.zeros(12), n, p),
            "side by side; multiply",
        ),
        (lambda x, w, b, w_out, b_out, n, p: _attention(x, w, b, w_out, 0 * b_out, n, p), "`b_out` is missing"),
    ],
    "04.layer_norm": [
        (
            lambda x, w, b, eps=1e-5: (
                (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + eps).sqrt() * w + b
            ),
            "d_model − 1",
        ),
        (
            lambda x, w, b, eps=1e-5: (
                (x - x.mean(-1, keepdim=True)) / (x.std(-1, correction=0, keepdim=True) + eps) * w + b
            ),
            "outside the root",
        ),
        (
            lambda x, w, b, eps=1e-5: (
                (x - x.mean(1, keepdim=True)) / (x.var(1, correction=0, keepdim=True) + eps).sqrt() * w + b
            ),
            "over the *tokens*",
        ),
        (lambda x, w, b, eps=1e-5: F.layer_norm(x, (6,), eps=eps), "are missing at the end"),
        (lambda x, w, b, eps=1e-5: F.layer_norm(x, (6,), w, b, 0.0), "`eps` is missing"),
        (lambda x, w, b, eps=1e-5: F.rms_norm(x, (6,), w, eps) + b, "mean was not taken away"),
        (lambda x, w, b, eps=1e-5: x - x.mean(-1) / x.std(-1) * w + b, "raised"),
    ],
    "04.block": [
        (lambda *inputs: _block(*inputs, act=F.gelu), "exact GELU"),
        (lambda *inputs: _block(*inputs, act=F.relu), "ReLU"),
        (lambda *inputs: _block(*inputs, act=lambda x: x), "only one matrix"),
        (_no_residual, "not *added*"),
        (_post_norm, "stand *behind*"),
        (_parallel, "*old* x"),
        (_changes_its_input, "changed its input"),
        (lambda x, a, norm_1, norm_2, *weights: _block(x, a, norm_1, norm_1, *weights), "`norm_1` twice"),
    ],
    "04.next_token_loss": [
        (lambda logits, tokens: F.cross_entropy(logits.flatten(0, 1), tokens.flatten()), "nothing is shifted"),
        (lambda logits, tokens: _loss(logits.flip(1), tokens.flip(1)), "wrong way"),
        (lambda logits, tokens: _loss(logits, tokens) / math.log(2), "bits"),
        (lambda logits, tokens: _loss(logits, tokens) * 8, "take their mean"),
        (lambda logits, tokens: -_loss(logits, tokens), "sign"),
        (lambda logits, tokens: _loss(logits, tokens).exp(), "perplexity"),
        (lambda logits, tokens: _loss(logits.softmax(-1), tokens), "twice"),
        (lambda logits, tokens: _loss(logits, tokens).item(), "stay in torch"),
        (_fragile_loss, "as large as"),
    ],
    "04.next_token_probabilities": [
        (lambda logits, temperature=1.0, top_k=None: (logits * temperature).softmax(-1), "*multiplied*"),
        (lambda logits, temperature=1.0, top_k=None: (logits / temperature).softmax(-1), "`top_k` changes nothing"),
        (lambda logits, temperature=1.0, top_k=None: logits.softmax(-1) / temperature, "add up to 1"),
        (lambda *given: _probabilities(*given, smaller=torch.le), "one token too few"),
        (_one_too_many, "one token too many"),
        (_without_ties, "accident of their order"),
        (_cut_after_the_softmax, "after the softmax"),
    ],
}  # fmt: skip
