"""Train the course's language model on the tiny world, and ship it.

    python -m mi_course.recipes.tiny_world train --out runs/tiny-world
    python -m mi_course.recipes.tiny_world ship  --run runs/tiny-world

The text is written while the model learns: no document comes twice on purpose. A run is cut into
steps, and everything random is drawn from (seed, step): a run that was killed goes on where its last
checkpoint stood.

Induction comes first. For the first steps the MLPs are switched off and the model reads nothing but
random strings, twice each, which only attention can foretell; then the whole world begins, of which
a tenth keeps repeating strings. Without this start small models of this size learn everything else
first and induction late or never; without the tenth they lose it again.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from mi_course.data import tiny_world as tw
from mi_course.models.pretrained import WEIGHTS
from mi_course.models.tokenizer import Tokenizer
from mi_course.models.transformer import Transformer, TransformerConfig, initialize
from mi_course.recipes.muon import Muon
from mi_course.recipes.shipping import save_checkpoint, write_card

START = {"embedding_std": 0.3, "positions": "sines"}
"""With GPT-2's 0.02 no induction appears in a comparable time."""


@dataclass(frozen=True)
class Schedule:
    """How long, how fast, in which order."""

    steps: int = 7_500
    documents: int = 64  # a step
    repeats_only: int = 400  # steps at the start, without MLPs
    warm_up: int = 50
    decay_from: float = 0.55  # share of the steps after which the learning rates fall, in a line, to zero
    matrix_lr: float = 0.01  # Muon
    other_lr: float = 0.003  # AdamW
    seed: int = 0


def shape() -> TransformerConfig:
    """Four layers: finding who was named twice, and acting on it, takes three after the first."""
    return TransformerConfig(
        n_layers=4,
        d_model=192,
        n_heads=6,
        d_head=32,
        d_mlp=768,
        d_vocab=len(tw.vocabulary()),
        n_ctx=64,
    )


def untrained(seed: int, tokenizer: Tokenizer | None = None) -> Transformer:
    """The network that training starts from."""
    return initialize(Transformer(shape(), tokenizer=tokenizer), seed, **START)


def learning_rate(step: int, schedule: Schedule) -> float:
    """Factor on the learning rates: a short rise, a plain, a line down to zero."""
    rise = min(1.0, (step + 1) / schedule.warm_up)
    fall = (schedule.steps - step) / (schedule.steps * (1 - schedule.decay_from))
    return min(rise, 1.0, fall)


_PARTS = 4
"""A step's documents are sorted by length and cut into so many batches: less filling, fewer wasted products."""


def batches_at(step: int, schedule: Schedule, ids: dict[str, int]) -> list[Tensor]:
    """The batches "document pos" of a step, filled up at the right with −1."""
    rng = random.Random(f"{schedule.seed}-{step}")
    kind = "repeat" if step < schedule.repeats_only else None
    rows = sorted(
        (tw.as_ids(tw.world().document(rng, kind), ids) for _ in range(schedule.documents)), key=len
    )
    size = -(-len(rows) // _PARTS)
    return [_filled(rows[start : start + size]) for start in range(0, len(rows), size)]


def _filled(rows: list[list[int]]) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [-1] * (longest - len(row)) for row in rows])


def summed_loss(model: Transformer, batch: Tensor) -> tuple[Tensor, int]:
    """Sum of −ln p over the tokens of the batch behind each first one, and their number."""
    logits = model(batch[:, :-1].clamp(min=0))
    targets = batch[:, 1:]
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="sum")
    return loss, int((targets >= 0).sum())


def train(out: Path, schedule: Schedule, *, evaluate_every: int = 500, checkpoint_every: int = 250) -> None:
    """Train into ``out``, taking up what stands there."""
    from mi_course.recipes import tiny_world_measures as measures

    out.mkdir(parents=True, exist_ok=True)
    ids = tw.token_ids()
    model = untrained(schedule.seed)
    optimizers = _optimizers(model, schedule)
    record = {"schedule": asdict(schedule), "curve": []}
    first, seconds = 0, 0.0
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["schedule"] != asdict(schedule):
            raise ValueError(f"{checkpoint} is of another run; choose another --out or delete it.")
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        first, seconds, record["curve"] = state["step"], state["seconds"], state["curve"]

    began, losses, tokens = time.process_time(), [], 0
    for step in range(first, schedule.steps):
        factor = learning_rate(step, schedule)
        for optimizer, rate in zip(optimizers, (schedule.matrix_lr, schedule.other_lr)):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
        batches = batches_at(step, schedule, ids)
        total = sum(int((batch[:, 1:] >= 0).sum()) for batch in batches)
        step_loss = 0.0
        with model.hooks(_mlps_off(model) if step < schedule.repeats_only else []):
            for batch in batches:
                loss, _ = summed_loss(model, batch)
                (loss / total).backward()
                step_loss += loss.item() / total
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(step_loss)
        tokens += total
        done = step + 1
        if done % 50 == 0:
            spent = time.process_time() - began
            print(
                f"{done} loss {sum(losses[-50:]) / len(losses[-50:]):.3f}  {tokens / spent:.0f} tok/cpu-s",
                flush=True,
            )
        if done % evaluate_every == 0 or done == schedule.steps:
            row = {"step": done, "train_loss": round(sum(losses) / len(losses), 4), **measures.quick(model)}
            row["cpu_seconds"] = round(seconds + time.process_time() - began)
            record["curve"].append(row)
            losses.clear()
            print(json.dumps(row), flush=True)
        if done % checkpoint_every == 0 or done == schedule.steps:
            state = {
                "model": model.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                "step": done,
                "schedule": asdict(schedule),
                "curve": record["curve"],
                "seconds": seconds + time.process_time() - began,
            }
            save_checkpoint(checkpoint, state)
    (out / "record.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def ship(run: Path, to: Path = WEIGHTS / "tiny-world", note: str = "") -> dict:
    """Lay the model of a run into the package: configuration, weights, tokenizer, and the card.

    What is measured is the model as it ships, its weights rounded to 16 bits. ``note``: in what the run
    differed from this recipe, for the card.
    """
    from mi_course.models.model_folder import read
    from mi_course.recipes import tiny_world_measures as measures

    state = torch.load(run / "checkpoint.pt", weights_only=True)
    schedule = state["schedule"]
    model = untrained(schedule["seed"], word_tokenizer())
    model.load_state_dict(state["model"])
    model.save_pretrained(to)
    model = read(to)
    card = {
        "name": "tiny-world",
        "about": f"GPT-2 in small ({_millions(model)} million parameters), for the texts of the tiny world",
        "licence": "weights: CC BY 4.0; the text is made by mi_course.data.tiny_world",
        "recipe": "python -m mi_course.recipes.tiny_world train",
        "data": "mi_course.data.tiny_world, written while the model learned; no held-out part of it",
        "note": note,
        **schedule,
        "steps_done": state["step"],
        "seconds": round(state["seconds"]),
        **measures.full(model),
        "curve": state["curve"],
        "untrained_twin": {"name": "tiny-world-untrained", "seed": schedule["seed"], **START},
    }
    return write_card(to, card)


def word_tokenizer() -> Tokenizer:
    """One token a word or punctuation mark; reads "store, John" as it reads "store , John"."""
    import tokenizers

    words = tokenizers.models.WordLevel(tw.token_ids(), unk_token=tw.UNKNOWN)
    backend = tokenizers.Tokenizer(words)
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [tokenizers.pre_tokenizers.WhitespaceSplit(), tokenizers.pre_tokenizers.Punctuation("isolated")]
    )
    # Its only use here is that it puts words together with spaces, and none before a comma or full stop.
    backend.decoder = tokenizers.decoders.WordPiece(prefix="##", cleanup=True)
    backend.add_special_tokens([tw.EOS, tw.UNKNOWN])
    return Tokenizer(backend, end=tw.EOS)


def _millions(model: Transformer) -> str:
    return f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f}"


def _mlps_off(model: Transformer) -> list:
    return [
        (f"blocks.{layer}.hook_mlp_out", lambda out, name: out * 0) for layer in range(model.config.n_layers)
    ]


def _optimizers(model: Transformer, schedule: Schedule) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the matrices inside the blocks, AdamW for the embeddings and all vectors."""
    fused = [block.attn.W_QKV for block in model.blocks]
    single = [w for block in model.blocks for w in (block.attn.W_O, block.mlp.W_in, block.mlp.W_out)]
    chosen = {id(weight) for weight in (*fused, *single)}
    others = [weight for weight in model.parameters() if id(weight) not in chosen]
    return (
        Muon([{"params": fused, "parts": 3}, {"params": single}], lr=schedule.matrix_lr),
        torch.optim.AdamW(others, lr=schedule.other_lr, betas=(0.9, 0.98), weight_decay=0.0),
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m mi_course.recipes.tiny_world", description=__doc__.split("\n")[0]
    )
    actions = parser.add_subparsers(dest="action", required=True)
    training = actions.add_parser("train", help="train a model, or go on where a run was stopped")
    training.add_argument("--out", type=Path, required=True)
    for name, value in asdict(Schedule()).items():
        training.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    laying = actions.add_parser("ship", help="measure a run's model and lay it into the package")
    laying.add_argument("--run", type=Path, required=True)
    laying.add_argument("--note", default="", help="in what the run differed from this recipe")
    laying.add_argument("--to", type=Path, default=WEIGHTS / "tiny-world")
    options = vars(parser.parse_args(arguments))
    if options.pop("action") == "ship":
        card = ship(**options)
        print(json.dumps({key: card[key] for key in ("loss", "indirect_object", "facts")}, indent=1))
    else:
        train(options.pop("out"), Schedule(**options))


if __name__ == "__main__":
    main()
