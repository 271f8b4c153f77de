"""Train the attention-only models of chapter 06, and ship them.

    python -m mi_course.recipes.induction train --layers 2 --seed 0 --out runs/2l-seed0
    python -m mi_course.recipes.induction ship  --run runs/2l-seed0 --others runs/2l-seed* --name induction-2l

Text: `data.three_rules`, made while the model learns; no text comes twice on purpose. No layer norm and no biases, so
that every circuit is a product of matrices and nothing else. A run is cut into steps and everything random is
drawn from (seed, step): a run that was killed goes on where its last checkpoint stood.

What is fragile (one run each): with a weight decay of 0.3 there was no jump within 1,200 steps. And with texts
that are one block repeated over and over, instead of phrases in random order, one layer alone foresaw a quarter of
the second copy of a block of different words.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from mi_course.data import repeated_tokens, three_rules
from mi_course.methods import attention_scores
from mi_course.methods.in_context_learning import copy_losses
from mi_course.methods.metrics import loss_by_position
from mi_course.models.pretrained import WEIGHTS
from mi_course.models.tokenizer import Tokenizer
from mi_course.models.transformer import Transformer, TransformerConfig, initialize
from mi_course.recipes.shipping import rounded, save_checkpoint, write_card

START = {"std": 0.25, "embedding_std": 0.3, "positions": "sines"}
"""With the usual 0.02 attention stays flat for long, and nothing happens in a comparable time."""

BETAS = (0.9, 0.98)
LARGEST_GRADIENT = 1.0
CHUNK = 100  # steps whose texts are made together
PERIOD = 24  # of the repeated random words on which heads are scored
HELD_OUT_SEED = 2_000_003

HISTORY_STEPS = {
    1: (0, 100, 400),
    2: (0, 100, 180, 200, 220, 240, 260, 280, 300, 320, 350, 400, 500, 700, 1_000),
}
"""Steps whose weights are kept, besides the last: close together where the second layer's jump lies."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    layers: int = 2
    seed: int = 0
    steps: int = 1_600
    batch: int = 32
    lr: float = 0.02
    warm_up: int = 20
    decay_from: float = 0.5  # share of the steps after which the learning rate falls, in a line, to zero
    weight_decay: float = 0.01


def shape(layers: int) -> TransformerConfig:
    """Four heads of 16 in every layer, and nothing else."""
    return TransformerConfig(
        n_layers=layers,
        d_model=64,
        n_heads=4,
        d_head=16,
        d_mlp=0,
        d_vocab=len(three_rules.WORDS),
        n_ctx=three_rules.LENGTH,
        norm=None,
        bias=False,
    )


def untrained(layers: int, seed: int) -> Transformer:
    """The network that training starts from."""
    return initialize(Transformer(shape(layers), tokenizer=word_tokenizer()), seed, **START)


def word_tokenizer() -> Tokenizer:
    """One token a word, words parted by spaces."""
    import tokenizers

    words = tokenizers.models.WordLevel(dict(three_rules.NUMBER), unk_token=three_rules.UNKNOWN)
    backend = tokenizers.Tokenizer(words)
    backend.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    backend.add_special_tokens([three_rules.END_OF_TEXT, three_rules.UNKNOWN])
    return Tokenizer(backend, end=three_rules.END_OF_TEXT)


def learning_rate(step: int, schedule: Schedule) -> float:
    """A short rise, a plain, a line down to zero."""
    rise = (step + 1) / schedule.warm_up
    fall = (schedule.steps - step) / (schedule.steps * (1 - schedule.decay_from))
    return schedule.lr * min(1.0, rise, fall)


def texts_at(step: int, schedule: Schedule) -> Tensor:
    """The texts of this step; depends on (seed, step) alone, so that runs can resume."""
    chunk, within = divmod(step, CHUNK)
    key = (schedule.seed, chunk, schedule.batch)
    if key not in _made:
        _made.clear()
        seed = 1_000_003 * (schedule.seed + 1) + chunk
        _made[key] = three_rules.sample(CHUNK * schedule.batch, seed=seed).tokens
    return _made[key][within * schedule.batch : (within + 1) * schedule.batch]


_made: dict[tuple[int, int, int], Tensor] = {}


def repeated_words(n: int = 64, seed: int = HELD_OUT_SEED) -> Tensor:
    """Rows ``[mark] block block`` of words to which no rule applies: only copying foresees them."""
    others = range(len(three_rules.ANYTHING), len(three_rules.WORDS))
    return repeated_tokens.batch(
        len(three_rules.WORDS), n, PERIOD, bos=three_rules.BOS, exclude=others, seed=seed
    )


def accuracy_on_second_copy(model: Transformer, rows: Tensor) -> float:
    """Share of the predictable words of the second copy that are the model's first guess."""
    where = repeated_tokens.predictable(PERIOD, bos=three_rules.BOS)
    with torch.no_grad():
        guesses = model(rows)[:, where].argmax(-1)
    return float((guesses == rows[:, where.start + 1 : where.stop + 1]).float().mean())


@torch.no_grad()
def measure(model: Transformer, texts: three_rules.Texts, rows: Tensor) -> dict:
    """Losses by kind of word and on both copies, accuracy on the second, and what every head looks at."""
    losses = loss_by_position(model(texts.tokens), texts.tokens)
    copies = copy_losses(model, rows, period=PERIOD)
    row = {
        "loss": losses.mean().item(),
        "by_kind": {
            kind: losses[texts.kind[:, 1:] == number].mean().item()
            for number, kind in enumerate(three_rules.KINDS)
        },
        "first_copy": copies.early.mean().item(),
        "second_copy": copies.late.mean().item(),
        "accuracy_on_second_copy": accuracy_on_second_copy(model, rows),
        "induction": attention_scores.induction(model, rows, period=PERIOD).values.tolist(),
        "previous_token": attention_scores.previous_token(model, rows).values.tolist(),
    }
    return rounded(row)


def is_measured(step: int, schedule: Schedule) -> bool:
    """Every 20 steps while things change fast, every 100 later, and at the end."""
    return step % (20 if step <= 500 else 100) == 0 or step == schedule.steps


def train(out: Path, schedule: Schedule, *, checkpoint_every: int = 200) -> dict:
    """Train one model into ``out`` (resuming what stands there) and return its record."""
    out.mkdir(parents=True, exist_ok=True)
    model = untrained(schedule.layers, schedule.seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=schedule.lr, betas=BETAS, weight_decay=schedule.weight_decay
    )
    held_out, rows = three_rules.sample(256, seed=HELD_OUT_SEED), repeated_words()
    first, seconds, curve, history = 0, 0.0, [], {}

    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["schedule"] != asdict(schedule):
            raise ValueError(f"{checkpoint} is of another run; choose another --out or delete it.")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first, seconds, curve, history = (state[k] for k in ("step", "seconds", "curve", "history"))

    def look(step: int) -> None:
        if is_measured(step, schedule):
            curve.append({"step": step, **measure(model, held_out, rows)})
        if step in HISTORY_STEPS.get(schedule.layers, ()) or step == schedule.steps:
            history[step] = {name: weight.detach().clone() for name, weight in model.state_dict().items()}

    for step in range(first, schedule.steps):
        look(step)
        began = time.process_time()
        tokens = texts_at(step, schedule)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, schedule)
        loss = F.cross_entropy(model(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        seconds += time.process_time() - began
        if (step + 1) % checkpoint_every == 0 and step + 1 < schedule.steps:
            state = {"step": step + 1, "seconds": seconds, "curve": curve, "history": history}
            state |= {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            save_checkpoint(checkpoint, {**state, "schedule": asdict(schedule)})
    look(schedule.steps)

    model.save_pretrained(out)
    steps = sorted(history)
    stacked = {
        name: torch.stack([history[step][name].half() for step in steps]).contiguous()
        for name in history[steps[0]]
    }
    save_file({"step": torch.tensor(steps), **stacked}, out / "history.safetensors")
    record = {"schedule": asdict(schedule), "cpu_seconds": round(seconds, 1), "curve": curve}
    (out / "record.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    return record


def jump(curve: list[dict], low: float = 0.1, high: float = 0.9) -> dict:
    """Between which measured steps the accuracy on the second copy rises from below ``low`` to above ``high``."""
    accuracy = {row["step"]: row["accuracy_on_second_copy"] for row in curve}
    above = [step for step, value in accuracy.items() if value >= high]
    if not above:
        return {"from_step": None, "to_step": None}
    below = [step for step, value in accuracy.items() if value <= low and step < above[0]]
    return {"from_step": max(below, default=0), "to_step": above[0]}


def ship(run: Path, name: str, others: list[Path], to: Path | None = None) -> dict:
    """Lay a finished run into the package, with a card that also says how runs with other seeds went."""
    to = to or WEIGHTS / name
    to.mkdir(parents=True, exist_ok=True)
    for file in (
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "history.safetensors",
    ):
        (to / file).write_bytes((run / file).read_bytes())
    record = _read_record(run)
    schedule = record["schedule"]
    layers = schedule["layers"]
    kept = _as_shipped(to)
    texts, rows = three_rules.sample(2_000, seed=HELD_OUT_SEED + 1), repeated_words(256, HELD_OUT_SEED + 1)
    card = {
        "name": name,
        "about": f"attention-only transformer, {layers} layer{'s' * (layers > 1)} of 4 heads, "
        f"{sum(p.numel() for p in kept.parameters()):,} parameters, no layer norm, no biases",
        "licence": "weights: CC BY 4.0",
        "recipe": "python -m mi_course.recipes.induction train",
        "data": "mi_course.data.three_rules: pairs, weather, and phrases that come back",
        **schedule,
        "cpu_seconds": record["cpu_seconds"],
        "period_of_repeated_words": PERIOD,
        "validation": {"texts": len(texts), **measure(kept, texts, rows)},
        "optimum_by_kind": rounded(
            {
                kind: -texts.chance[texts.kind == number].log().mean().item()
                for number, kind in enumerate(three_rules.KINDS)
            }
        ),
        "jump": jump(record["curve"]),
        "curve": record["curve"],
        "seeds": [_summary(_read_record(folder)) for folder in sorted(others)],
        "untrained_twin": {"name": f"{name}-untrained", "seed": schedule["seed"], **START},
    }
    return write_card(to, card)


def _as_shipped(folder: Path) -> Transformer:
    from mi_course.models import model_folder

    return model_folder.read(folder).eval()


def _summary(record: dict) -> dict:
    """One run in a line of the card."""
    last = record["curve"][-1]
    return {
        "seed": record["schedule"]["seed"],
        "accuracy_on_second_copy": last["accuracy_on_second_copy"],
        **jump(record["curve"]),
        "induction": last["induction"],
        "previous_token": last["previous_token"],
    }


def _read_record(folder: Path) -> dict:
    return json.loads((folder / "record.json").read_text(encoding="utf-8"))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m mi_course.recipes.induction", description=__doc__.splitlines()[0]
    )
    actions = parser.add_subparsers(dest="action", required=True)
    training = actions.add_parser("train", help="train one model, or go on where a run was stopped")
    training.add_argument("--out", type=Path, required=True)
    for name, value in asdict(Schedule()).items():
        training.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    laying = actions.add_parser("ship", help="lay a finished run into the package, with its card")
    laying.add_argument("--run", type=Path, required=True)
    laying.add_argument("--name", required=True)
    laying.add_argument("--others", type=Path, nargs="*", default=[], help="runs with other seeds")
    options = vars(parser.parse_args(arguments))
    if options.pop("action") == "ship":
        print(json.dumps(ship(**options)["validation"]))
        return
    record = train(options.pop("out"), Schedule(**options))
    print(json.dumps(_summary(record)))


if __name__ == "__main__":
    main()
