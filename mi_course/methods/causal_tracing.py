"""Where does a fact pass through? Spoil the subject, give back one state, and see whether the answer returns.

Three runs. The *clean* one knows the answer. In the *corrupted* one the embeddings of the subject's tokens are
spoilt, and the answer is gone. In a *restored* one they are spoilt as well, but one state (a residual stream, or what
one attention layer or MLP adds to it) is set to what it was in the clean run. If the answer comes back, that state
carried what the corruption had taken.

    total effect     P(answer | clean)    − P(answer | corrupted)
    indirect effect  P(answer | restored) − P(answer | corrupted)

A state that restores the answer is *sufficient* in this corrupted run. That is not yet a place where the fact is
stored: a fact that only passes through restores it too. It also depends on how the subject was spoilt. Noise makes
embeddings that no training text had; another subject's tokens make a natural run with another answer (Zhang and Nanda
2024 recommend these). Compare both, and an untrained network.

Source: Meng et al. 2022, arXiv 2202.05262, section 2; Zhang and Nanda 2024, arXiv 2309.16042. We differ because our
prompts are short: states of all tokens that play one role are restored together, and one layer at a time (`window` for
several).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.fact_tokens import ROLES, Fact, FactTokens, answer_tokens, fact_tokens
from mi_course.methods.uncertainty import Interval, bootstrap_mean
from mi_course.models.hooks import Hook
from mi_course.models.transformer import Transformer

Site = Literal["resid_post", "attn_out", "mlp_out"]
Corruption = Literal["noise", "other subject"]
Severed = Literal["mlp_out", "attn_out"]


@dataclass(frozen=True)
class CausalTrace:
    """Probabilities of the right answers: ``restored[layer, role, fact]``, ``clean[fact]`` and ``corrupted[fact]``.

    Averaged over draws of the corruption. Not-a-number where a prompt has no token in the role.
    """

    restored: Float[Tensor, "layer role batch"]
    clean: Float[Tensor, " batch"]
    corrupted: Float[Tensor, " batch"]
    site: str
    roles: tuple[str, ...] = ROLES

    @property
    def layers(self) -> list[str]:
        """The labels of the rows."""
        return [f"L{layer}" for layer in range(len(self.restored))]

    @property
    def total_effect(self) -> Float[Tensor, " batch"]:
        """What the corruption costs, ``clean − corrupted``, in probability. 0: the answer did not need the subject."""
        return self.clean - self.corrupted

    @property
    def indirect_effect(self) -> Float[Tensor, "layer role batch"]:
        """What restoring brings back, ``restored − corrupted``, in probability.

        0: nothing. As large as the total effect: everything. Below 0: the answer got even less probable.
        """
        return self.restored - self.corrupted

    @property
    def mean_indirect_effect(self) -> Float[Tensor, "layer role"]:
        """The indirect effect, averaged over the facts that have a token in the role."""
        return self.indirect_effect.nanmean(dim=-1)

    def of(self, layer: int, role: str) -> Float[Tensor, " having"]:
        """The indirect effect of one cell on every fact that has such a token."""
        if role not in self.roles:
            raise UnknownName("role of a token", role, self.roles)
        effect = self.indirect_effect[layer, self.roles.index(role)]
        return effect[~effect.isnan()]

    def interval(self, layer: int, role: str) -> Interval:
        """The mean indirect effect of one cell with its 95 % interval over facts."""
        return bootstrap_mean(self.of(layer, role))


@torch.no_grad()
def trace(
    model: Transformer,
    facts: Sequence[Fact | tuple[str, str]],
    answers: Sequence[str],
    *,
    site: Site = "resid_post",
    corruption: Corruption = "noise",
    noise: float | int = 3.0,
    draws: int = 3,
    window: int = 1,
    severed: Severed | None = None,
    seed: int = 0,
    chunk_size: int = 128,
) -> CausalTrace:
    """Restore one state after the other, layer × role, and measure the probability of the right answer.

    ``facts``: prompts with their subjects; ``answers``: the right ones, each a single token.

    ``site``: the residual stream after a layer ("resid_post"), or what its attention or its MLP adds.
    ``corruption="noise"``: Gaussian, of ``noise`` times the deviation of the subjects' embeddings.
    ``"other subject"``: the tokens of another fact's subject, with as many tokens and another answer.
    ``draws``: of noise or of other subjects; results are their means. ``window``: so many neighbouring layers of
    "attn_out" or "mlp_out" are restored together, the cell standing for the middle one.

    ``severed="mlp_out"``: from the restored state on, the MLPs at the same tokens keep what they wrote in the
    corrupted run, so that the state can act only past them. If its effect goes, the MLPs carried it. "attn_out": the
    same for attention at these tokens (what other tokens read from there is not cut).

    ``chunk_size``: facts that run together; it bounds the memory and changes no result.
    """
    _check(model, site, corruption, window, severed, draws)
    where, correct = fact_tokens(model, facts), answer_tokens(model, answers)
    if len(where) != len(correct):
        raise CourseError(f"There are {len(where)} facts and {len(correct)} answers; give one answer a fact.")
    generator = torch.Generator().manual_seed(seed)
    spoil = _noisy if corruption == "noise" else _exchanged
    spoilt = [spoil(model, where, correct, noise, generator) for _ in range(draws)]
    chunks = [slice(start, start + chunk_size) for start in range(0, len(where), chunk_size)]
    parts = [
        _trace(model, where[rows], correct[rows], [draw[rows] for draw in spoilt], site, window, severed)
        for rows in chunks
    ]
    return CausalTrace(*(torch.cat(column, dim=-1) for column in zip(*parts)), site)


def _trace(
    model: Transformer,
    where: FactTokens,
    correct: Int[Tensor, " batch"],
    spoilt: list[Float[Tensor, "batch pos d_model"]],
    site: Site,
    window: int,
    severed: Severed | None,
) -> tuple[Float[Tensor, "layer role batch"], Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """The answers' probabilities, restored, clean and corrupted, as means over the draws."""
    layers = range(model.config.n_layers)
    starts = [f"blocks.{layer}.hook_resid_pre" for layer in layers]
    points = [f"blocks.{layer}.hook_{point}" for layer in layers for point in {site, severed} - {None}]
    with model.caching(points) as clean:
        known = _probability(
            model, model.W_E[where.tokens] + model.W_pos[: where.tokens.shape[1]], 0, where.end, correct
        )
    masks = torch.stack([where.role(role) for role in ROLES])
    restored, corrupted = [], []
    for embed in spoilt:
        with model.caching([*points, *starts]) as now:
            corrupted.append(
                _probability(model, embed + model.W_pos[: embed.shape[1]], 0, where.end, correct)
            )
        restored.append(torch.stack([
            _restored(model, layer, masks, clean, now, where.end, correct, site, window, severed) for layer in layers
        ]))  # fmt: skip
    restored = torch.stack(restored).mean(dim=0).masked_fill(~masks.any(dim=-1), torch.nan)
    return restored, known, torch.stack(corrupted).mean(dim=0)


def _restored(
    model: Transformer,
    layer: int,
    masks: Bool[Tensor, "role batch pos"],
    clean: dict[str, Tensor],
    corrupted: dict[str, Tensor],
    end: Int[Tensor, " batch"],
    correct: Int[Tensor, " batch"],
    site: Site,
    window: int,
    severed: Severed | None,
) -> Float[Tensor, "role batch"]:
    """One layer: all roles run as one batch, from the layer on, because nothing changes before."""
    n_roles, mask = len(masks), masks.flatten(end_dim=1)
    first = max(0, layer - (window - 1) // 2)
    stop = min(model.config.n_layers, layer + window // 2 + 1)
    # Attention comes before the MLP of its own layer, which can then be severed as well.
    cut = first if site == "attn_out" else stop
    given = [(f"blocks.{at}.hook_{site}", clean) for at in range(first, stop)]
    if severed is not None:
        given += [(f"blocks.{at}.hook_{severed}", corrupted) for at in range(cut, model.config.n_layers)]
    resid = corrupted[f"blocks.{first}.hook_resid_pre"].repeat(n_roles, 1, 1)
    with model.hooks([(point, _replace(mask, run[point])) for point, run in given]):
        return _probability(model, resid, first, end.repeat(n_roles), correct.repeat(n_roles)).view(
            n_roles, -1
        )


def _probability(
    model: Transformer,
    resid: Float[Tensor, "batch pos d_model"],
    layer: int,
    end: Int[Tensor, " batch"],
    correct: Int[Tensor, " batch"],
) -> Float[Tensor, " batch"]:
    """The answers' probabilities of a run that is taken up at ``layer``; only the last tokens are unembedded."""
    for block in model.blocks[layer:]:
        resid = block(resid)
    rows = torch.arange(len(resid), device=resid.device)
    logits = model.unembed(resid[rows, end][:, None])[:, 0]
    return logits.softmax(dim=-1)[rows, correct]


def _replace(mask: Bool[Tensor, "rows pos"], values: Float[Tensor, "batch pos d_model"]) -> Hook:
    def hook(activation: Tensor, name: str) -> Tensor:
        return torch.where(mask[..., None], values.repeat(len(mask) // len(values), 1, 1), activation)

    return hook


def _noisy(
    model: Transformer,
    where: FactTokens,
    correct: Int[Tensor, " batch"],
    noise: float | int,
    generator: torch.Generator,
) -> Float[Tensor, "batch pos d_model"]:
    """The embeddings, with noise on those of the subject."""
    embed, subject = model.W_E[where.tokens], where.subject
    deviation = noise * embed[subject].std()
    return embed + deviation * torch.randn(embed.shape, generator=generator).to(embed) * subject[..., None]


def _exchanged(
    model: Transformer,
    where: FactTokens,
    correct: Int[Tensor, " batch"],
    noise: float | int,
    generator: torch.Generator,
) -> Float[Tensor, "batch pos d_model"]:
    """The embeddings, with another fact's subject in the place of each prompt's own: as many tokens, another answer."""
    tokens, width = where.tokens.clone(), where.last - where.first
    for row in range(len(tokens)):
        fits = ((width == width[row]) & (correct != correct[row])).nonzero().flatten()
        if not len(fits):
            raise CourseError(
                f"No other fact has a subject of {int(width[row]) + 1} tokens and another answer than number {row}. "
                'Give more facts, or use corruption="noise".'
            )
        other = int(fits[torch.randint(len(fits), (1,), generator=generator)])
        there = slice(int(where.first[other]), int(where.last[other]) + 1)
        tokens[row, where.first[row] : where.last[row] + 1] = where.tokens[other, there]
    return model.W_E[tokens]


def _check(
    model: Transformer, site: str, corruption: str, window: int, severed: str | None, draws: int
) -> None:
    for name, value, known in (
        ("site", site, ("resid_post", "attn_out", "mlp_out")),
        ("corruption", corruption, ("noise", "other subject")),
        ("part to sever", severed, (None, "mlp_out", "attn_out")),
    ):
        if value not in known:
            raise UnknownName(name, str(value), [word for word in known if word])
    if "mlp_out" in (site, severed) and not model.config.d_mlp:
        raise CourseError("This network is attention-only: it has no MLPs to restore or to sever.")
    if severed == site:
        raise ValueError(f"{site} cannot be restored and severed at once; sever the other part.")
    if window < 1 or (window > 1 and site == "resid_post"):
        raise ValueError(
            f"window={window}: at least 1, and 1 for resid_post, which holds all layers before it."
        )
    if draws < 1:
        raise ValueError(f"draws={draws}; the corruption is drawn at least once.")
