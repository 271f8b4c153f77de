"""What the tiny world's model is accepted on: measured while it trains, and in full before it ships."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import lru_cache

import torch
from torch import Tensor

from mi_course.data import facts, indirect_object, labelled_text, repeated_tokens
from mi_course.data import tiny_world as tw
from mi_course.data.indirect_object import IndirectObjectPrompts
from mi_course.methods import attention_scores, in_context_learning
from mi_course.methods.attention_knockout import knockout_hooks
from mi_course.methods.probing import linear_probe
from mi_course.methods.uncertainty import bootstrap_mean, wilson_interval
from mi_course.models.transformer import Transformer

VALIDATION_SEED = 10_000_019


@lru_cache(maxsize=2)
def validation(n: int) -> tuple[tw.Scored, ...]:
    """Documents that no training step draws, with the exact probability of each token."""
    world = tw.world()
    return tuple(world.score(document) for document in world.documents(n, seed=VALIDATION_SEED))


@torch.no_grad()
def last_logits(model: Transformer, texts: tuple[str, ...], batch: int = 128) -> Tensor:
    """The logits behind the last word of each text, "text d_vocab"."""
    tokens, last = _as_rows(texts)
    parts = []
    for chosen, ends in zip(tokens.split(batch), last.split(batch)):
        resid = model(chosen[:, : int(ends.max()) + 1], stop_at_layer=model.config.n_layers)
        parts.append(model.unembed(resid[torch.arange(len(chosen)), ends][:, None])[:, 0])
    return torch.cat(parts)


@torch.no_grad()
def token_losses(model: Transformer, scored: tuple[tw.Scored, ...], batch: int = 64) -> list[Tensor]:
    """−ln p of every token of each document, the end of text as last."""
    ids = tw.token_ids()
    rows = [tw.as_ids(one.document, ids) for one in scored]
    losses = []
    for start in range(0, len(rows), batch):
        chosen = rows[start : start + batch]
        longest = max(map(len, chosen))
        tokens = torch.tensor([row + [0] * (longest - len(row)) for row in chosen])
        log_p = model(tokens[:, :-1]).log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
        losses += [-log_p[i, : len(row) - 1] for i, row in enumerate(chosen)]
    return losses


def loss_against_entropy(model: Transformer, n: int) -> dict[str, tuple[float, float]]:
    """For each kind of document and for "all": mean loss a token and its optimum, in nats."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    scored = validation(n)
    for one, losses in zip(scored, token_losses(model, scored)):
        for key in (one.document.kind, "all"):
            for i, value in enumerate((float(losses.sum()), sum(one.nats), len(one.nats))):
                sums[key][i] += value
    return {key: (loss / tokens, best / tokens) for key, (loss, best, tokens) in sums.items()}


def answered(model: Transformer, prompts: IndirectObjectPrompts) -> tuple[Tensor, Tensor, Tensor]:
    """For each prompt: whether the answer is the first guess, whether it beats every wrong name, and the
    logit difference between it and the best of the wrong names."""
    ids = tw.token_ids()
    logits = last_logits(model, prompts.texts)
    correct = torch.tensor([ids[name] for name in prompts.correct])
    right = logits.gather(1, correct[:, None])[:, 0]
    wrong = torch.stack(
        [row[torch.tensor([ids[name] for name in names])].max() for row, names in zip(logits, prompts.wrong)]
    )
    return logits.argmax(-1) == correct, right > wrong, right - wrong


def recalled(model: Transformer, prompts: facts.FactPrompts) -> Tensor:
    """For each prompt whether the true answer is the first guess."""
    ids = tw.token_ids()
    return last_logits(model, prompts.texts).argmax(-1) == torch.tensor([ids[a] for a in prompts.answers])


def quick(model: Transformer) -> dict:
    """A glance, in seconds."""
    row: dict = {}
    for kind, (loss, best) in loss_against_entropy(model, 400).items():
        row[f"{kind}"] = [round(loss, 3), round(best, 3)]
    for order in ("ABBA", "BABA"):
        for frames in ("held_out", "unseen"):
            top, preferred, diff = answered(model, indirect_object.prompts(200, order=order, frames=frames))
            row[f"{order} {frames}"] = [_share(top), _share(preferred), round(diff.mean().item(), 2)]
    top, preferred, diff = answered(model, indirect_object.prompts(200, people=3))
    row["three"] = [_share(top), _share(preferred), round(diff.mean().item(), 2)]
    row["facts"] = {name: _share(recalled(model, facts.prompts(name))) for name in facts.relations()}
    return row


def _share(values: Tensor) -> float:
    return round(values.float().mean().item(), 3)


# ---- in full, for the card ------------------------------------------------------------------------------


def full(model: Transformer, *, documents: int = 2000, prompts: int = 500) -> dict:
    """Everything that the card states. Takes minutes: the exact entropy is what takes time."""
    return {
        "loss": _losses(model, documents),
        "indirect_object": _indirect_objects(model, prompts),
        "three_people": _three_people(model, prompts),
        "heads": _heads(model),
        "facts": _facts(model),
        "topic_probe": _topic_probe(model),
        "samples": [model.generate("", 62, temperature=1.0, seed=seed) for seed in range(6)],
    }


def _losses(model: Transformer, n: int) -> dict:
    """Loss and entropy of each kind in nats a token, and their ratio with its interval over documents."""
    scored = validation(n)
    losses = [float(one.sum()) for one in token_losses(model, scored)]
    result = {}
    for kind in ("all", *tw.SHARES):
        chosen = [i for i, one in enumerate(scored) if kind in ("all", one.document.kind)]
        loss = torch.tensor([losses[i] for i in chosen])
        best = torch.tensor([sum(scored[i].nats) for i in chosen])
        tokens = sum(len(scored[i].nats) for i in chosen)
        generator = torch.Generator().manual_seed(0)
        drawn = torch.randint(len(chosen), (1000, len(chosen)), generator=generator)
        ratios = loss[drawn].sum(1) / best[drawn].sum(1)
        result[kind] = {
            "documents": len(chosen),
            "loss": _rounded(loss.sum() / tokens),
            "entropy": _rounded(best.sum() / tokens),
            "ratio": _rounded(loss.sum() / best.sum()),
            "ratio_interval_95": [_rounded(ratios.quantile(q)) for q in (0.025, 0.975)],
        }
    return result


def _indirect_objects(model: Transformer, n: int) -> list[dict]:
    rows = []
    for frames in ("training", "held_out", "unseen"):
        for order in ("ABBA", "BABA"):
            found = indirect_object.prompts(n, order=order, frames=frames)
            rows.append({"people": 2, "frames": frames, "order": order, **_answers(model, found)})
    for frames in ("held_out", "unseen"):
        found = indirect_object.prompts(n, people=3, frames=frames)
        rows.append({"people": 3, "frames": frames, "order": "mixed", **_answers(model, found)})
    return rows


def _answers(model: Transformer, prompts: IndirectObjectPrompts) -> dict:
    """``preferred``: the answer beats every other name of the prompt. ``top1``: it is the first guess of all."""
    top, preferred, diff = answered(model, prompts)
    return {
        "prompts": len(prompts),
        "top1": _with_interval(top),
        "preferred": _with_interval(preferred),
        "logit_diff": _mean_with_interval(diff),
    }


def _three_people(model: Transformer, n: int) -> dict:
    """Does the model find out who was named twice, or is there a shortcut?

    Attention edges from each second mention of a name are cut, in every head: to the word behind the
    first mention (what an induction head looks at), to the first mention (a duplicate-token head), to
    everything before. The control cuts everything before as many other words, drawn from those that
    stand between the opening's first name and the end.
    """
    prompts = indirect_object.prompts(n, people=3)
    tokens, last = _as_rows(prompts.texts)
    ids, rng = tw.token_ids(), random.Random(0)
    cuts = ("word_behind_first_mention", "first_mention", "everything_before", "control")
    edges = {cut: torch.zeros(n, tokens.shape[1], tokens.shape[1], dtype=torch.bool) for cut in cuts}
    for row, (words, end, wrong) in enumerate(zip(tokens.tolist(), last.tolist(), prompts.wrong)):
        seconds = []
        for name in wrong:
            first, second = (at for at, token in enumerate(words[: end + 1]) if token == ids[name])
            edges["word_behind_first_mention"][row, second, first + 1] = True
            edges["first_mention"][row, second, first] = True
            edges["everything_before"][row, second, 1:second] = True
            seconds.append(second)
        for other in rng.sample([at for at in range(6, end) if at not in seconds], len(seconds)):
            edges["control"][row, other, 1:other] = True
    result = {"prompts": n, "uncut": _right_at(model, tokens, last, prompts, None)}
    return result | {f"cut: {cut}": _right_at(model, tokens, last, prompts, edges[cut]) for cut in cuts}


def _as_rows(texts: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Tokens "text pos", filled up at the right with the end of text, and each text's last position."""
    ids, end = tw.token_ids(), tw.token_ids()[tw.EOS]
    rows = [[end, *(ids[word] for word in text.split())] for text in texts]
    longest = max(map(len, rows))
    tokens = torch.tensor([row + [end] * (longest - len(row)) for row in rows])
    return tokens, torch.tensor([len(row) - 1 for row in rows])


@torch.no_grad()
def _right_at(
    model, tokens: Tensor, last: Tensor, prompts: IndirectObjectPrompts, pairs: Tensor | None
) -> dict:
    ids = tw.token_ids()
    correct = torch.tensor([ids[name] for name in prompts.correct])
    wrong = torch.tensor([[ids[name] for name in names] for names in prompts.wrong])
    with model.hooks([] if pairs is None else knockout_hooks(model, pairs)):
        logits = model(tokens)[torch.arange(len(tokens)), last]
    preferred = logits.gather(1, correct[:, None])[:, 0] > logits.gather(1, wrong).amax(1)
    return {"top1": _with_interval(logits.argmax(-1) == correct), "preferred": _with_interval(preferred)}


def _heads(model: Transformer) -> dict:
    """The best head of each kind on random tokens that are repeated, for blocks of three lengths.

    ``unrepeated``: the same head where nothing comes back, a control for heads that look at a fixed
    distance. The training text seldom has more than 50 tokens: far positions are the least trained.
    """
    result: dict = {}
    for name, measure in (
        ("induction", attention_scores.induction),
        ("previous_token", attention_scores.previous_token),
        ("duplicate_token", attention_scores.duplicate_token),
    ):
        result[name] = []
        for period in (10, 20, 30):
            scores = measure(model, n=32, period=period)
            (label, best), *_ = scores.best(1)
            result[name].append(
                {
                    "block": period,
                    "best": label,
                    "score": _rounded(best),
                    "unrepeated": _rounded(measure(model, n=32, period=period, on="unrepeated")[label]),
                    "scores": [[_rounded(value) for value in row] for row in scores.values.tolist()],
                }
            )
    tokens = repeated_tokens.batch(model.config.d_vocab, 64, 20, seed=1, bos=model.tokenizer.bos_id)
    losses = in_context_learning.copy_losses(model, tokens, period=20)
    result["block_of_20"] = {
        "loss_first_copy": _rounded(losses.early.mean()),
        "loss_second_copy": _rounded(losses.late.mean()),
    }
    return result


def _facts(model: Transformer) -> dict:
    return {
        name: {
            f"{phrasing}_phrasings": _with_interval(recalled(model, facts.prompts(name, phrasing=phrasing)))
            for phrasing in ("held_out", "fresh", "training")
        }
        for name in facts.relations()
    }


@torch.no_grad()
def _topic_probe(model: Transformer) -> dict:
    """Macro-F1 of a linear probe for the topic, by layer, behind a paragraph's first sentence.

    Twice: at every token, and where the next word is one of the topic's, so that the model needs to
    know the topic. ``reader``: the share of these places at which a reader who knows the grammar finds
    the true topic the most probable one.
    """
    texts = [
        labelled_text.label(tw.world().documents(n, seed=VALIDATION_SEED + seed, kind="paragraph"), "topic")
        for seed, n in ((1, 600), (2, 150))
    ]
    caches = [
        model.run_with_cache(text.tokens, lambda name: name.endswith("resid_post"))[1] for text in texts
    ]
    known = torch.zeros(texts[1].tokens.shape)
    known[texts[1].asked] = texts[1].known()
    result: dict = {"classes": len(texts[0].classes)}
    for places in ("every_token", "before_a_topical_word"):
        asked = [_behind_first_sentence(text) for text in texts]
        if places == "before_a_topical_word":
            asked = [here & _before_topical_word(text) for here, text in zip(asked, texts)]
        f1 = []
        for layer in range(model.config.n_layers):
            train, test = (cache["resid_post", layer][here] for cache, here in zip(caches, asked))
            labels = [text.labels[here] for text, here in zip(texts, asked)]
            every = slice(None, None, -(-len(train) // 6000))
            f1.append(_rounded(linear_probe(train[every], labels[0][every], test, labels[1]).f1))
        result[places] = {
            "f1_by_layer": f1,
            "reader": _rounded((known[asked[1]] > 0.5).float().mean()),
            "test_tokens": int(asked[1].sum()),
        }
    return result


def _behind_first_sentence(text: labelled_text.LabelledText) -> Tensor:
    return text.asked & ((text.tokens == tw.token_ids()["."]).cumsum(1) >= 1)


def _before_topical_word(text: labelled_text.LabelledText) -> Tensor:
    return torch.stack([text.before(role) for role in ("noun", "nouns", "thing", "verb")]).any(0)


def _with_interval(right: Tensor) -> list[float]:
    """[share, low, high], 95 %."""
    interval = wilson_interval(int(right.sum()), len(right))
    return [_rounded(interval.estimate), _rounded(interval.low), _rounded(interval.high)]


def _mean_with_interval(values: Tensor) -> list[float]:
    interval = bootstrap_mean(values)
    return [_rounded(interval.estimate), _rounded(interval.low), _rounded(interval.high)]


def _rounded(value) -> float:
    return round(float(value), 4)
