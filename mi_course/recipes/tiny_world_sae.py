"""Train sparse autoencoders on the tiny world's language model, and ship them.

    python -m mi_course.recipes.tiny_world_sae train --d-sae 1024 --out runs/sae-1024
    python -m mi_course.recipes.tiny_world_sae ship  --run runs/sae-1024 --name tiny-world-sae

All sizes read the same vectors: every token of some thousand documents as the model was trained on, and of as many
paragraphs more as it takes to make topics and moods common (in the training text they are a seventh of the documents).
A run that was killed goes on where its last checkpoint stood.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from mi_course.data import tiny_world as tw
from mi_course.data import token_truths
from mi_course.data.token_truths import as_rows
from mi_course.methods import latent_scores, sae_metrics
from mi_course.methods.sparse_autoencoder import TrainingConfig, collect, train
from mi_course.models.pretrained import WEIGHTS, load
from mi_course.models.sparse_autoencoder import SparseAutoencoder
from mi_course.models.transformer import Transformer
from mi_course.recipes.shipping import rounded, write_card

MODEL = "tiny-world"
HELD_OUT_SEED = 10_000_079
CHUNK = 512  # documents that are sorted by length and run together


@dataclass(frozen=True)
class Schedule:
    """What is read, and how large and sparse the autoencoder is."""

    hook_name: str = "blocks.3.hook_resid_pre"
    documents: int = 24_000
    paragraphs: int = 9_000
    d_sae: int = 1024
    k: int = 16
    steps: int = 4_000
    batch: int = 1024
    lr: float = 1e-3
    seed: int = 0

    @property
    def training(self) -> TrainingConfig:
        names = ("d_sae", "k", "steps", "batch", "lr", "seed")
        return TrainingConfig(**{name: getattr(self, name) for name in names})


def documents(n: int, paragraphs: int, seed: int) -> list[tw.Document]:
    """``n`` documents as in training and ``paragraphs`` paragraphs more, shuffled; the same for the same seed."""
    world = tw.world()
    found = world.documents(n, seed=seed) + world.documents(paragraphs, seed=seed + 1, kind="paragraph")
    random.Random(seed).shuffle(found)
    return found


def vectors(model: Transformer, schedule: Schedule) -> Tensor:
    """The model's activations at every token of the training documents, in 16 bits."""
    seed = 1_000_003 * (schedule.seed + 1)
    read = documents(schedule.documents, schedule.paragraphs, seed)
    found = []
    for start in range(0, len(read), CHUNK):
        together = sorted(read[start : start + CHUNK], key=lambda document: len(document.written))
        for begin in range(0, len(together), 64):
            tokens, own = as_rows(together[begin : begin + 64])
            found.append(collect(model, tokens, schedule.hook_name, where=own).half())
    return torch.cat(found)


def train_one(out: Path, schedule: Schedule, *, checkpoint_every: int = 500) -> dict:
    """Train one autoencoder into ``out`` (resuming what stands there) and return its record."""
    out.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    read = vectors(load(MODEL).requires_grad_(False), schedule)
    trained = train(
        read,
        schedule.training,
        hook_name=schedule.hook_name,
        model_name=MODEL,
        report=lambda row: print(json.dumps(asdict(row)), flush=True),
        report_every=100,
        checkpoint=out / "checkpoint.pt",
        checkpoint_every=checkpoint_every,
    )
    trained.sae.save_pretrained(out, torch.float16)
    record = {
        "schedule": asdict(schedule),
        "vectors": len(read),
        "cpu_seconds": round(time.process_time() - began),
        "curve": [rounded(asdict(row)) for row in trained.curve],
    }
    (out / "record.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    return record


def measure(model: Transformer, sae: SparseAutoencoder, *, n: int = 400) -> dict:
    """What the card states: on documents as in training, and on paragraphs, that training did not read."""
    return {
        "documents": _measure(model, sae, documents(n, 0, HELD_OUT_SEED)),
        "paragraphs": _measure(model, sae, documents(0, n, HELD_OUT_SEED)),
    }


def true_latents(model: Transformer, sae: SparseAutoencoder) -> dict:
    """What the world knows about its tokens, and whether one feature says it: F1 on held-out texts, beside neurons.

    ``well_said``: latents with a feature of F1 at least 0.8 that is above the best of all the model's neurons;
    ``surely``: of these, the ones where the 95 % interval of the difference lies above 0.
    """
    truths = token_truths.held_out()
    neurons = [f"blocks.{layer}.mlp.hook_post" for layer in range(model.config.n_layers)]
    found = latent_scores.activations(model, truths, [*neurons, sae.hook_name])
    features = latent_scores.best_features(sae.encode(found[sae.hook_name]), truths)
    rivals = latent_scores.best_features(torch.cat([found[name] for name in neurons], dim=1), truths)
    good = (features.f1 >= 0.8) & (features.f1 > rivals.f1)
    surely = good & torch.tensor([difference.low > 0 for difference in features.above(rivals)])
    scores = zip(truths.latents, features.f1.tolist(), rivals.f1.tolist())
    return {
        "well_said": int(good.sum()),
        "surely": int(surely.sum()),
        "f1_of_feature_and_neuron": rounded({name: [ours, theirs] for name, ours, theirs in scores}),
    }


def _measure(model: Transformer, sae: SparseAutoencoder, read: list[tw.Document]) -> dict:
    tokens, own = as_rows(read)
    x = collect(model, tokens, sae.hook_name, where=own)
    features = sae.encode(x)
    density = sae_metrics.density(features)
    losses = sae_metrics.loss_recovered(model, sae, tokens, where=own)
    row = {
        "texts": len(tokens),
        "vectors": len(x),
        "l0": sae_metrics.l0(features),
        "explained_variance": sae_metrics.explained_variance(x, sae.decode(features, like=x)),
        "never_active": int((density == 0).sum()),
        "active_at_more_than_a_tenth": int((density > 0.1).sum()),
        "loss": {
            name: getattr(losses, name).mean().item() for name in ("clean", "reconstructed", "mean", "zero")
        },
    }
    for against in ("mean", "zero"):
        found = losses.recovered(against)
        row[f"loss_recovered_against_{against}"] = [found.estimate, found.low, found.high]
    return rounded(row)


def ship(run: Path, name: str, to: Path | None = None) -> dict:
    """Lay a finished run into the package, with a card of what was measured on it as it ships, in 16 bits."""
    to = to or WEIGHTS / name
    to.mkdir(parents=True, exist_ok=True)
    for file in ("cfg.json", "sae_weights.safetensors"):
        (to / file).write_bytes((run / file).read_bytes())
    record = json.loads((run / "record.json").read_text(encoding="utf-8"))
    schedule = record["schedule"]
    model, sae = load(MODEL).requires_grad_(False), SparseAutoencoder.from_pretrained(to)
    card = {
        "name": name,
        "about": f"sparse autoencoder, {schedule['d_sae']:,} features of which {schedule['k']} at a time, for "
        f"{schedule['hook_name']} of {MODEL}",
        "licence": "weights: CC BY 4.0",
        "recipe": "python -m mi_course.recipes.tiny_world_sae train",
        "data": f"activations of {MODEL} on texts of mi_course.data.tiny_world",
        **schedule,
        "vectors": record["vectors"],
        "cpu_seconds": record["cpu_seconds"],
        "validation": measure(model, sae),
        "true_latents": true_latents(model, sae),
        "curve": record["curve"],
        "untrained_twin": {"name": f"{name}-untrained", "seed": schedule["seed"]},
    }
    return write_card(to, card)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m mi_course.recipes.tiny_world_sae", description=__doc__.splitlines()[0]
    )
    actions = parser.add_subparsers(dest="action", required=True)
    training = actions.add_parser("train", help="train one autoencoder, or go on where a run was stopped")
    training.add_argument("--out", type=Path, required=True)
    for name, value in asdict(Schedule()).items():
        training.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    laying = actions.add_parser("ship", help="lay a finished run into the package, with its card")
    laying.add_argument("--run", type=Path, required=True)
    laying.add_argument("--name", required=True)
    options = vars(parser.parse_args(arguments))
    if options.pop("action") == "ship":
        print(json.dumps(ship(**options)["validation"], indent=1))
        return
    record = train_one(options.pop("out"), Schedule(**options))
    print(json.dumps(record["curve"][-1]))


if __name__ == "__main__":
    main()
