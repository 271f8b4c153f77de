"""Find the directions that a layer is made of: train a sparse autoencoder on its activations.

    loss = ‖x − x̂‖² / d_in  +  what this kind pays for activity      (`sae_losses`)

While training lasts, inputs are scaled so that they vary with a mean square of 1 a coordinate. The first term is then
the share of the variance that is *not* explained, and the numbers in a `TrainingConfig` mean the same for every layer.

    l1         + sparsity · Σ features / √d_in
    topk       nothing: k is the sparsity. + a thirty-second of how badly dead features explain what is left over
    jumprelu   + sparsity · number of active features: activity pays if it explains that share of the variance

A feature is *dead* if it has not been active for a while; nothing then moves it any more. Remedies: topk's extra term
(Gao et al. 2024, section 2.4), and for the other two new directions, taken from inputs that are badly explained
(Bricken et al. 2023, "neuron resampling").

What training does not show: that a feature is a concept, that the dictionary is complete, or that another seed would
find the same one.

Sources: Bricken et al. 2023, "Towards Monosemanticity"; Gao et al. 2024, arXiv 2406.04093; Rajamanoharan et al. 2024,
arXiv 2407.14435.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from mi_course.methods import sae_losses
from mi_course.methods.sae_activations import collect, encode, features, reconstruction_hook
from mi_course.models.sparse_autoencoder import Kind, SparseAutoencoder, SparseAutoencoderConfig
from mi_course.whole_file import write_whole

__all__ = [
    "SparseAutoencoder",
    "SparseAutoencoderConfig",
    "Training",
    "TrainingConfig",
    "TrainingRow",
    "collect",
    "encode",
    "features",
    "reconstruction_hook",
    "train",
]

Source = Callable[[int], Tensor]
"""Gives the activations of a step, "batch d_in"; the same ones whenever it is asked for the same step."""


@dataclass(frozen=True)
class TrainingConfig:
    """How large, how sparse, how long.

    ``sparsity``: the price of activity for l1 and jumprelu (see above); topk has ``k`` instead. ``batch``: vectors a
    step, where activations are given as a tensor. ``lr``: Adam's, rising over ``warm_up`` steps and falling in a line
    to zero from ``decay_from`` (a share of the steps) on. ``dead_after``: so many steps without activity make a
    feature dead. ``resample_at``: shares of the steps at which l1 and jumprelu give dead features new directions.
    ``bandwidth``: of jumprelu: how near to a threshold an input must be to move it.
    """

    d_sae: int
    kind: Kind = "topk"
    k: int | None = None
    sparsity: float | int = 0.0
    steps: int = 1000
    batch: int = 1024
    lr: float | int = 1e-3
    warm_up: int = 50
    decay_from: float | int = 0.6
    dead_after: int = 100
    resample_at: tuple[float, ...] = (0.2, 0.4)
    bandwidth: float | int = 2.0
    seed: int = 0

    def __post_init__(self):
        if self.kind != "topk" and self.sparsity <= 0:
            raise ValueError(f"sparsity={self.sparsity}; {self.kind} needs a positive price of activity.")
        if self.kind == "topk" and self.sparsity:
            raise ValueError("topk is as sparse as its k says: leave sparsity at 0.")
        if self.steps < 1 or self.batch < 2:
            raise ValueError(f"steps={self.steps}, batch={self.batch}; at least 1 step of 2 vectors.")


@dataclass(frozen=True)
class TrainingRow:
    """How training stands, measured on the vectors of one step.

    ``explained``: share of the variance that the reconstruction explains, 1 for all. ``l0``: active features a
    vector, on average. ``dead``: features without activity for ``dead_after`` steps.
    """

    step: int
    loss: float
    explained: float
    l0: float
    dead: int


@dataclass(frozen=True)
class Training:
    """A trained autoencoder, in evaluation mode, and the ``curve`` of its training."""

    sae: SparseAutoencoder
    curve: tuple[TrainingRow, ...]


@torch.enable_grad()
def train(
    activations: Float[Tensor, "vector d_in"] | Source,
    config: TrainingConfig,
    *,
    hook_name: str | None = None,
    model_name: str | None = None,
    report: Callable[[TrainingRow], None] | None = None,
    report_every: int = 50,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 500,
) -> Training:
    """Train a sparse autoencoder on activations, and return it with its curve.

    ``activations``: all vectors, which are then drawn in random order, every one once before any comes again (16 bits
    are enough to store them); or a function that gives those of a step. ``hook_name``, ``model_name``: where they
    come from; the autoencoder remembers it. ``report``: called every ``report_every`` steps and at the end, for a
    live picture. ``checkpoint``: a file; a run that was killed goes on from it and ends with the same weights, if
    whatever else it is given is the same.

    Raises ValueError if the checkpoint is of another run, or if the activations do not vary.
    """
    source = activations if callable(activations) else _in_random_order(activations, config)
    run = _Run(source, config)
    path = Path(checkpoint) if checkpoint is not None else None
    if path is not None and path.exists():
        run.resume(path)
    while run.step < config.steps:
        row = run.advance(
            source(run.step), measure=run.step % report_every == 0 or run.step + 1 == config.steps
        )
        if row is not None:
            run.curve.append(row)
            if report is not None:
                report(row)
        if path is not None and run.step % checkpoint_every == 0:
            run.save(path)
    return Training(run.finished(hook_name, model_name), tuple(run.curve))


def _in_random_order(vectors: Tensor, config: TrainingConfig) -> Source:
    """Every vector once, in random order, before any comes again; depends on (seed, step) alone."""
    size = min(config.batch, len(vectors))
    a_round = len(vectors) // size
    orders: dict[int, Tensor] = {}

    def source(step: int) -> Tensor:
        number, within = divmod(step, a_round)
        if number not in orders:
            orders.clear()
            generator = torch.Generator().manual_seed(1_000_003 * (config.seed + 1) + number)
            orders[number] = torch.randperm(len(vectors), generator=generator)
        return vectors[orders[number][within * size : (within + 1) * size]]

    return source


class _Run:
    """The state of one training: weights, optimizer, when each feature was last active.

    Everything here lives in the units in which inputs have a mean square of 1. Encoder weights lie in memory feature
    by feature, as the decoder's do: a step changes those of single features.
    """

    def __init__(self, source: Source, config: TrainingConfig):
        self.config = config
        sample = torch.cat([source(step).float() for step in range(4)])
        self.d_in = sample.shape[1]
        centre = sample.mean(dim=0)
        self.scale = float((sample - centre).square().mean().rsqrt())
        if not math.isfinite(self.scale):
            raise ValueError("The activations do not vary (or are not finite): there is nothing to explain.")
        shape = SparseAutoencoderConfig(self.d_in, config.d_sae, config.kind, config.k)
        self.sae = SparseAutoencoder(shape, seed=config.seed)
        self.sae.W_enc.data = self.sae.W_dec.data.clone().T
        self.sae.b_dec.data.copy_(centre * self.scale)
        if config.kind == "jumprelu":
            self.sae.threshold.data.fill_(0.1)
        self.optimizer = torch.optim.Adam(self.sae.parameters(), lr=config.lr, fused=True)
        self.silent = torch.zeros(config.d_sae, dtype=torch.long)  # steps since the last activity
        self.curve: list[TrainingRow] = []
        self.step = 0

    def advance(self, vectors: Tensor, measure: bool) -> TrainingRow | None:
        """One step of training."""
        x = vectors.float() * self.scale
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * self._rise_and_fall()
        loss, unexplained, active = self._loss(x)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            self.sae.W_dec /= self.sae.W_dec.norm(dim=-1, keepdim=True)
            if self.sae.threshold is not None:
                self.sae.threshold.clamp_(min=0)
        self.silent = torch.where(active > 0, 0, self.silent + 1)
        if self.config.kind != "topk" and self.step in [
            int(s * self.config.steps) for s in self.config.resample_at
        ]:
            self._resample(x)
        self.step += 1
        if not measure:
            return None
        variance = (x - x.mean(dim=0)).square().mean()
        return TrainingRow(
            step=self.step,
            loss=float(loss.detach()),
            explained=float(1 - unexplained / variance),
            l0=float(active.sum() / len(x)),
            dead=int(self.dead.sum()),
        )

    def _loss(self, x: Tensor) -> sae_losses.Loss:
        if self.config.kind == "l1":
            return sae_losses.l1(self.sae, x, self.price())
        if self.config.kind == "jumprelu":
            return sae_losses.jumprelu(self.sae, x, self.price(), self.config.bandwidth)
        return sae_losses.topk(self.sae, x, self.dead)

    @property
    def dead(self) -> Bool[Tensor, " d_sae"]:
        return self.silent >= self.config.dead_after

    def price(self) -> float | int:
        """What activity costs now: it rises over the first tenth of the steps, so that features form first."""
        return self.config.sparsity * min(1.0, (self.step + 1) / (0.1 * self.config.steps))

    def _rise_and_fall(self) -> float | int:
        rise = (self.step + 1) / max(self.config.warm_up, 1)
        fall = (self.config.steps - self.step) / (self.config.steps * max(1 - self.config.decay_from, 1e-9))
        return min(1.0, rise, fall)

    @torch.no_grad()
    def _resample(self, x: Tensor) -> None:
        """Dead features get the directions of inputs that are badly explained: the worse, the likelier."""
        dead = self.dead.nonzero()[:, 0]
        if not len(dead):
            return
        left = x - self.sae(x)
        generator = torch.Generator().manual_seed(self.config.seed + self.step)
        chosen = torch.multinomial(left.square().sum(-1), len(dead), replacement=True, generator=generator)
        directions = F.normalize(left[chosen] + 1e-8, dim=-1)
        alive = (~self.dead).nonzero()[:, 0]
        usual = self.sae.W_enc[:, alive].norm(dim=0).mean() if len(alive) else torch.ones(())
        self.sae.W_dec[dead] = directions
        self.sae.W_enc[:, dead] = 0.2 * usual * directions.T
        self.sae.b_enc[dead] = 0.0
        if self.sae.threshold is not None:
            self.sae.threshold[dead] = 0.0
        for parameter in self.optimizer.state:
            where = (slice(None), dead) if parameter is self.sae.W_enc else dead
            if parameter is not self.sae.b_dec:
                for moment in ("exp_avg", "exp_avg_sq"):
                    self.optimizer.state[parameter][moment][where] = 0.0
        self.silent[dead] = 0

    def finished(self, hook_name: str | None, model_name: str | None) -> SparseAutoencoder:
        """The autoencoder in the units of the activations.

        Scaling what it reads by s scales every feature and every bias by s and leaves directions as they are.
        """
        shape = SparseAutoencoderConfig(
            self.d_in, self.config.d_sae, self.config.kind, self.config.k, hook_name, model_name
        )
        sae = SparseAutoencoder(shape)
        with torch.no_grad():
            sae.W_enc.copy_(self.sae.W_enc)
            sae.W_dec.copy_(self.sae.W_dec)
            sae.b_enc.copy_(self.sae.b_enc / self.scale)
            sae.b_dec.copy_(self.sae.b_dec / self.scale)
            if sae.threshold is not None:
                sae.threshold.copy_(self.sae.threshold / self.scale)
        return sae.eval().requires_grad_(False)

    # ---- going on after a kill ----------------------------------------------------------------------

    def save(self, path: Path) -> None:
        state = {
            "config": repr(self.config),
            "sae": self.sae.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scale": self.scale,
            "silent": self.silent,
            "step": self.step,
            "curve": [asdict(row) for row in self.curve],
        }
        content = io.BytesIO()
        torch.save(state, content)
        write_whole(path, content.getvalue())

    def resume(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        if state["config"] != repr(self.config):
            raise ValueError(
                f"{path} is of a run with other settings; choose another checkpoint or delete it."
            )
        self.sae.load_state_dict(state["sae"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scale, self.silent, self.step = state["scale"], state["silent"], state["step"]
        self.curve = [TrainingRow(**row) for row in state["curve"]]
