# ruff: noqa: N803, N815 (matrices are upper case in the formulas)
"""A transformer that writes text, in one file: GPT-2, and the smaller networks that explain it.

Every block reads the *residual stream*, a vector for each token, and adds to it what it has found:

    resid = W_E[token] + W_pos[position]
    resid = resid + attention(norm(resid))      attention moves information between positions
    resid = resid + mlp(norm(resid))            the MLP works on each position by itself
    logits = norm(resid) @ W_U

The same class is GPT-2 (Radford et al. 2019) and, by its config, a network without MLPs, without
layer norm, without biases or with ReLU. Points to read and change (`HookPoint`) bear TransformerLens'
names, weights have the shapes of the field's formulas (Elhage et al. 2021). From GPT-2's training it
leaves out dropout.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_course.errors import CourseError
from mi_course.models import gpt2_format
from mi_course.models.activation_cache import ActivationCache
from mi_course.models.hooks import HookedModule, HookPoint, Names
from mi_course.models.tokenizer import Tokenizer


@dataclass(frozen=True)
class TransformerConfig:
    """The shape of a `Transformer`.

    ``d_mlp=0``: attention only. ``norm=None``: no layer norm. ``bias=False``: neither attention, MLP nor
    layer norm add a constant. ``tied``: the unembedding is the embedding, transposed, as in GPT-2.
    """

    n_layers: int
    d_model: int
    n_heads: int
    d_head: int
    d_mlp: int
    d_vocab: int
    n_ctx: int
    act: Literal["gelu_new", "relu"] = "gelu_new"
    norm: Literal["layer_norm"] | None = "layer_norm"
    bias: bool = True
    norm_eps: float = 1e-5
    tied: bool = False

    def __post_init__(self):
        for name in ("d_model", "n_heads", "d_head", "d_vocab", "n_ctx"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}; it must be at least 1.")
        for name in ("n_layers", "d_mlp"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)}; it cannot be negative.")
        if self.act not in _ACTIVATIONS:
            raise ValueError(f"act={self.act!r}; known: {', '.join(_ACTIVATIONS)}.")
        if self.norm not in ("layer_norm", None):
            raise ValueError(f'norm={self.norm!r}; it is "layer_norm" or None.')

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> TransformerConfig:
        known = {field.name: field.default is MISSING for field in fields(cls)}
        foreign = sorted(values.keys() - known.keys())
        lacking = [name for name, needed in known.items() if needed and name not in values]
        if foreign or lacking:
            raise CourseError(
                f"A network's shape lacks {lacking} and has {foreign}; it has: {', '.join(known)}."
            )
        return cls(**values)


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
}

GPT2_SMALL = TransformerConfig(
    n_layers=12, d_model=768, n_heads=12, d_head=64, d_mlp=3072, d_vocab=50257, n_ctx=1024, tied=True
)
"""The smallest GPT-2: 124 million parameters."""


class LayerNorm(nn.Module):
    """``(x − mean) / scale * w + b``, with the mean and scale of each position by itself.

    ``hook_scale`` "batch pos 1": the standard deviation. ``hook_normalized``: before w and b are applied.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.eps = config.norm_eps
        self.w = nn.Parameter(torch.empty(config.d_model))
        self.b = nn.Parameter(torch.empty(config.d_model)) if config.bias else None
        self.hook_scale = HookPoint()
        self.hook_normalized = HookPoint()

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        centred = x - x.mean(dim=-1, keepdim=True)
        scale = self.hook_scale((centred.square().mean(dim=-1, keepdim=True) + self.eps).sqrt())
        normalized = self.hook_normalized(centred / scale)
        return normalized * self.w if self.b is None else torch.addcmul(self.b, normalized, self.w)


class Attention(nn.Module):
    """Every head copies, to each position, information from positions before it and from itself.

    How much it takes from where is its pattern: ``softmax(q · k / √d_head)`` over the key positions.
    Scores of positions that lie in the future are −inf, so that their share is exactly 0.
    Points: ``hook_q``, ``hook_k``, ``hook_v``, ``hook_z`` (what a head has collected, before ``W_O``)
    "batch pos head d_head"; ``hook_attn_scores``, ``hook_pattern`` "batch head query_pos key_pos".

    Queries, keys and values of all heads come from one matrix, ``W_QKV``; ``W_Q``, ``W_K`` and ``W_V``
    are views on it: who changes them in place changes the model.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.n_heads, self.d_head = config.n_heads, config.d_head
        d_heads = config.n_heads * config.d_head
        self.W_QKV = nn.Parameter(torch.empty(config.d_model, 3 * d_heads))
        self.b_QKV = nn.Parameter(torch.empty(3 * d_heads)) if config.bias else None
        self.W_O = nn.Parameter(torch.empty(config.n_heads, config.d_head, config.d_model))
        self.b_O = nn.Parameter(torch.empty(config.d_model)) if config.bias else None
        self.hook_q = HookPoint()
        self.hook_k = HookPoint()
        self.hook_v = HookPoint()
        self.hook_attn_scores = HookPoint()
        self.hook_pattern = HookPoint()
        self.hook_z = HookPoint()

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        q, k, v = self.project(x)
        return self.write(self.collect(self.look(q, k), v))

    def project(
        self, x: Float[Tensor, "batch pos d_model"]
    ) -> tuple[
        Float[Tensor, "batch pos head d_head"],
        Float[Tensor, "batch pos head d_head"],
        Float[Tensor, "batch pos head d_head"],
    ]:
        """The queries, keys and values of every head."""
        qkv = _linear(x, self.W_QKV, self.b_QKV).unflatten(-1, (3, self.n_heads, self.d_head))
        return self.hook_q(qkv[:, :, 0]), self.hook_k(qkv[:, :, 1]), self.hook_v(qkv[:, :, 2])

    def look(
        self, q: Float[Tensor, "batch query_pos head d_head"], k: Float[Tensor, "batch key_pos head d_head"]
    ) -> Float[Tensor, "batch head query_pos key_pos"]:
        """The pattern: how much each query takes from each key. The queries are those of the *last* positions."""
        n_queries, n_keys = q.shape[1], k.shape[1]
        future = torch.full((n_queries, n_keys), -torch.inf, dtype=q.dtype, device=q.device)
        future = future.triu(diagonal=1 + n_keys - n_queries)
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(self.d_head) + future
        return self.hook_pattern(self.hook_attn_scores(scores).softmax(dim=-1))

    def collect(
        self,
        pattern: Float[Tensor, "batch head query_pos key_pos"],
        v: Float[Tensor, "batch key_pos head d_head"],
    ) -> Float[Tensor, "batch query_pos head d_head"]:
        """What each head has taken from the values: ``z``."""
        return self.hook_z(torch.einsum("bhqk,bkhd->bqhd", pattern, v))

    def write(self, z: Float[Tensor, "batch pos head d_head"]) -> Float[Tensor, "batch pos d_model"]:
        """What all heads together add to the residual stream."""
        return _linear(z.flatten(start_dim=2), self.W_O.flatten(end_dim=1), self.b_O)

    @property
    def _weights(self) -> Float[Tensor, "3 head d_model d_head"]:
        return self.W_QKV.view(-1, 3, self.n_heads, self.d_head).permute(1, 2, 0, 3)

    @property
    def _biases(self) -> Float[Tensor, "3 head d_head"] | tuple[None, None, None]:
        return (None,) * 3 if self.b_QKV is None else self.b_QKV.view(3, self.n_heads, self.d_head)

    W_Q = property(lambda self: self._weights[0], doc="What queries read: head d_model d_head.")
    W_K = property(lambda self: self._weights[1], doc="What keys read: head d_model d_head.")
    W_V = property(lambda self: self._weights[2], doc="What values read: head d_model d_head.")
    b_Q = property(lambda self: self._biases[0], doc="head d_head; None without biases.")
    b_K = property(lambda self: self._biases[1], doc="head d_head; None without biases.")
    b_V = property(lambda self: self._biases[2], doc="head d_head; None without biases.")


class MLP(nn.Module):
    """``act(x @ W_in + b_in) @ W_out + b_out``, the same at every position.

    Points: ``hook_pre`` and ``hook_post``, before and after ``act``, "batch pos d_mlp".
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.W_in = nn.Parameter(torch.empty(config.d_model, config.d_mlp))
        self.b_in = nn.Parameter(torch.empty(config.d_mlp)) if config.bias else None
        self.W_out = nn.Parameter(torch.empty(config.d_mlp, config.d_model))
        self.b_out = nn.Parameter(torch.empty(config.d_model)) if config.bias else None
        self.act = _ACTIVATIONS[config.act]
        self.hook_pre = HookPoint()
        self.hook_post = HookPoint()

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        pre = self.hook_pre(_linear(x, self.W_in, self.b_in))
        post = self.hook_post(self.act(pre))
        return _linear(post, self.W_out, self.b_out)


class Block(nn.Module):
    """One layer: attention, then an MLP; both read the residual stream and add to it.

    Points: ``hook_resid_pre``, ``hook_attn_out``, ``hook_resid_mid``, ``hook_mlp_out``, ``hook_resid_post``
    "batch pos d_model". Without an MLP there is no middle and no ``hook_mlp_out``.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.hook_resid_pre = HookPoint()
        self.ln1 = _norm(config)
        self.attn = Attention(config)
        self.hook_attn_out = HookPoint()
        if config.d_mlp:
            self.hook_resid_mid = HookPoint()
            self.ln2 = _norm(config)
            self.mlp = MLP(config)
            self.hook_mlp_out = HookPoint()
        else:
            self.mlp = None
        self.hook_resid_post = HookPoint()

    def forward(self, resid: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        resid = self.hook_resid_pre(resid)
        resid = resid + self.hook_attn_out(self.attn(self.ln1(resid)))
        if self.mlp is not None:
            resid = self.hook_resid_mid(resid)
            resid = resid + self.hook_mlp_out(self.mlp(self.ln2(resid)))
        return self.hook_resid_post(resid)


def _stacked(part: Literal["attn", "mlp"], name: str, axes: str) -> property:
    """A weight of every block, stacked, to read; a bias that the network does not have is zeros."""

    def read(model: Transformer) -> Tensor:
        if part == "mlp" and not model.config.d_mlp:
            raise CourseError(f"This network is attention-only: it has no {name}.")
        found = [getattr(getattr(block, part), name) for block in model.blocks]
        if found and found[0] is not None:
            return torch.stack(found)
        sizes = {**model.config.to_dict(), "layer": len(found), "head": model.config.n_heads}
        return model.W_E.new_zeros([sizes[axis] for axis in axes.split()])

    return property(read, doc=f"{name} of every layer: {axes}.")


class Transformer(HookedModule):
    """A decoder-only transformer: for every position the logits of the token that comes next.

    ``seed``: of the random weights that training would start from; without one they are drawn from
    torch's own random numbers. `load` returns trained ones.

    Weights, in the shapes of the formulas: ``W_E`` "d_vocab d_model", ``W_pos`` "n_ctx d_model", ``W_U``
    "d_model d_vocab", and in every block ``attn.W_Q``, ``attn.W_K``, ``attn.W_V`` "head d_model d_head",
    ``attn.W_O`` "head d_head d_model", ``mlp.W_in`` "d_model d_mlp", ``mlp.W_out`` "d_mlp d_model". These
    can be changed in place (in a copy, ``copy.deepcopy(model)``). ``model.W_Q`` … without a block are all
    layers stacked, to read.
    """

    def __init__(
        self, config: TransformerConfig, *, tokenizer: Tokenizer | None = None, seed: int | None = None
    ):
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        self.W_E = nn.Parameter(torch.empty(config.d_vocab, config.d_model))
        self.W_pos = nn.Parameter(torch.empty(config.n_ctx, config.d_model))
        self.hook_embed = HookPoint()
        self.hook_pos_embed = HookPoint()
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.ln_final = _norm(config)
        self.lm_head = None if config.tied else nn.Parameter(torch.empty(config.d_vocab, config.d_model))
        if not self.W_E.is_meta:
            initialize(self, seed)

    def forward(
        self, tokens: Int[Tensor, "batch pos"], *, stop_at_layer: int | None = None
    ) -> Float[Tensor, "batch pos d_vocab"] | Float[Tensor, "batch pos d_model"]:
        """Logits of every possible next token, at every position.

        ``stop_at_layer``: compute only the layers before this one, and return the residual stream that
        enters it (``n_layers``: all layers, without the unembedding). A negative one counts from the end.
        """
        self._check_tokens(tokens)
        end = None if stop_at_layer is None else self._layer(stop_at_layer)
        batch, pos = tokens.shape
        embed = self.hook_embed(F.embedding(tokens.long(), self.W_E))
        pos_embed = self.hook_pos_embed(self.W_pos[:pos].repeat(batch, 1, 1))
        resid = embed + pos_embed
        return self.run_from(resid, 0) if end is None else self._run_blocks(resid, 0, end)

    def run_from(
        self, resid_pre: Float[Tensor, "batch pos d_model"], layer: int
    ) -> Float[Tensor, "batch pos d_vocab"]:
        """Logits, computed from the residual stream that enters ``layer`` (``n_layers``: that leaves the last).

        For experiments that change nothing before that layer: what lies before is computed once. Hooks
        work as in a whole run: ``with model.hooks([...]): model.run_from(cache["resid_pre", 3], 3)``;
        those in earlier layers are not reached.
        """
        if resid_pre.ndim != 3 or resid_pre.shape[-1] != self.config.d_model:
            raise CourseError(
                f"The residual stream has shape {tuple(resid_pre.shape)}; expected (batch, pos, d_model), "
                f"with d_model = {self.config.d_model}."
            )
        return self.unembed(self._run_blocks(resid_pre, self._layer(layer), self.config.n_layers))

    def unembed(self, resid: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_vocab"]:
        """Logits of the residual stream that leaves the last layer: ``ln_final(resid) @ W_U``."""
        return _times_vocabulary(self.ln_final(resid), self.W_U)

    def _run_blocks(self, resid: Tensor, first: int, end: int) -> Tensor:
        for block in self.blocks[first:end]:
            resid = block(resid)
        return resid

    def hook_points(self) -> dict[str, nn.Module]:
        return {name: module for name, module in self.named_modules() if isinstance(module, HookPoint)}

    def run_with_cache(
        self,
        tokens: Int[Tensor, "batch pos"],
        names: Names = None,
        *,
        stop_at_layer: int | None = None,
    ) -> tuple[Tensor, ActivationCache]:
        """The logits, and the activations at the named points.

        ``names``: a name, several, a function that says of each name whether it is wanted, or None for
        all. ``stop_at_layer``: as in `forward`; the first result is then the residual stream there.
        Gradients flow through cached activations unless the call stands under ``torch.no_grad()``.
        """
        with self.caching(names) as found:
            output = self(tokens, stop_at_layer=stop_at_layer)
        return output, ActivationCache(found, self.config.n_layers)

    # ---- words and numbers -------------------------------------------------------------------------

    def to_tokens(
        self, text: str | list[str], *, prepend_bos: bool = True, pad: bool = False
    ) -> Int[Tensor, "batch pos"]:
        """The tokens of one text or of several, one row a text, with ``<|endoftext|>`` in front.

        Several texts must have the same number of tokens; ``pad=True`` fills the shorter ones up at the
        right with ``<|endoftext|>``. The model cannot look ahead, so the filling changes nothing before it,
        but the last position is then not every text's own last token.
        """
        tokenizer = self._tokenizer()
        texts = [text] if isinstance(text, str) else text
        if not isinstance(texts, (list, tuple)) or not texts:
            raise CourseError(f"to_tokens takes a text or a list of texts, not {text!r}.")
        bos = [tokenizer.bos_id] if prepend_bos else []
        rows = [bos + tokenizer.encode(each) for each in texts]
        for each, row in zip(texts, rows):
            if not row:
                raise CourseError("An empty text has no tokens; leave prepend_bos on to start from nothing.")
            if len(row) > self.config.n_ctx:
                raise CourseError(
                    f"The text has {len(row)} tokens, but the model sees at most n_ctx = {self.config.n_ctx}: "
                    f"{_shortened(each)!r}. Shorten it."
                )
        longest, shortest = max(map(len, rows)), min(map(len, rows))
        if longest != shortest and not pad:
            raise CourseError(
                f"The texts have {shortest} to {longest} tokens; a batch needs texts of one length. Pass "
                "pad=True to fill them up at the right, and read each text at its own last token."
            )
        rows = [row + [tokenizer.bos_id] * (longest - len(row)) for row in rows]
        return torch.tensor(rows, device=self.W_E.device)

    def to_string(self, tokens: Int[Tensor, "*batch"] | list[int] | int) -> str:
        """The text of one row of tokens."""
        return self._tokenizer().decode(_one_row(tokens))

    def to_str_tokens(
        self, text: str | Int[Tensor, "*batch"] | list[int] | int, *, prepend_bos: bool = True
    ) -> list[str]:
        """Each token of one text (or of one row of tokens) as a string of its own."""
        if isinstance(text, str):
            text = self.to_tokens(text, prepend_bos=prepend_bos)
        return [self._tokenizer().token_text(token) for token in _one_row(text)]

    def to_single_token(self, text: str) -> int:
        """The number of the token that is ``text``; raises CourseError if it takes none or several."""
        tokens = self._tokenizer().encode(text)
        if len(tokens) != 1:
            pieces = [self._tokenizer().token_text(token) for token in tokens]
            raise CourseError(f"{text!r} is not one token but {len(tokens)}: {pieces}.")
        return tokens[0]

    @torch.no_grad()
    def generate(
        self,
        prompt: str | Int[Tensor, "batch pos"],
        max_new_tokens: int = 20,
        *,
        temperature: float | int = 1.0,
        top_k: int | None = None,
        seed: int | None = None,
        stop_at_eos: bool = True,
    ) -> str | Int[Tensor, "batch _"]:
        """The prompt and what the model writes after it: text for a text, tokens for tokens.

        ``temperature``: the logits are divided by it; towards 0 the most probable token is taken ever more
        often, at 0 always. ``top_k``: choose among the k most probable tokens only. ``seed``: makes the
        choice repeatable, and leaves torch's own random numbers alone. ``stop_at_eos``: end at
        ``<|endoftext|>``; in a batch, rows that have ended are filled up with it.

        The model sees the last ``n_ctx`` tokens; in a longer text it does not know what came before.
        """
        if temperature < 0:
            raise ValueError(f"temperature={temperature}; it cannot be negative.")
        if top_k is not None and top_k < 1:
            raise ValueError(f"top_k={top_k}; choose among at least one token, or None for all.")
        if isinstance(prompt, str):
            options = {"temperature": temperature, "top_k": top_k, "seed": seed, "stop_at_eos": stop_at_eos}
            row = self.generate(self.to_tokens(prompt), max_new_tokens, **options)[0, 1:].tolist()
            ended = stop_at_eos and row[-1:] == [self.tokenizer.eos_id]
            return self.tokenizer.decode(row[:-1] if ended else row)

        tokens, n_ctx = prompt, self.config.n_ctx
        self._check_tokens(tokens[..., -n_ctx:])
        generator = None if seed is None else torch.Generator(tokens.device).manual_seed(seed)
        eos = self.tokenizer.eos_id if stop_at_eos and self.tokenizer else None
        ended = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
        for _ in range(max_new_tokens):
            resid = self(tokens[:, -n_ctx:], stop_at_layer=self.config.n_layers)
            new = _choose(self.unembed(resid[:, -1:])[:, 0], temperature, top_k, generator)
            if eos is not None:
                new = new.masked_fill(ended, eos)
                ended = ended | (new == eos)
            tokens = torch.cat([tokens, new[:, None].to(tokens.dtype)], dim=1)
            if ended.all():
                break
        return tokens

    def _tokenizer(self) -> Tokenizer:
        if self.tokenizer is None:
            raise CourseError("This model has no tokenizer: it takes numbers. Set model.tokenizer for words.")
        return self.tokenizer

    # ---- weights, all layers stacked ---------------------------------------------------------------

    W_U = property(
        lambda self: (self.W_E if self.lm_head is None else self.lm_head).T,
        doc="The unembedding, d_model d_vocab, a view: its columns are the directions that logits read.",
    )
    b_U = None  # GPT-2's unembedding adds no constant

    W_Q = _stacked("attn", "W_Q", "layer head d_model d_head")
    W_K = _stacked("attn", "W_K", "layer head d_model d_head")
    W_V = _stacked("attn", "W_V", "layer head d_model d_head")
    W_O = _stacked("attn", "W_O", "layer head d_head d_model")
    b_Q = _stacked("attn", "b_Q", "layer head d_head")
    b_K = _stacked("attn", "b_K", "layer head d_head")
    b_V = _stacked("attn", "b_V", "layer head d_head")
    b_O = _stacked("attn", "b_O", "layer d_model")
    W_in = _stacked("mlp", "W_in", "layer d_model d_mlp")
    b_in = _stacked("mlp", "b_in", "layer d_mlp")
    W_out = _stacked("mlp", "W_out", "layer d_mlp d_model")
    b_out = _stacked("mlp", "b_out", "layer d_model")

    # ---- files -------------------------------------------------------------------------------------

    @classmethod
    def from_hf(cls, hf_model, tokenizer=None) -> Transformer:
        """The same network as a ``transformers`` GPT2LMHeadModel, with weights of its own."""
        if tokenizer is not None and not isinstance(tokenizer, Tokenizer):
            tokenizer = Tokenizer.from_hf(tokenizer)
        return cls.from_gpt2(hf_model.config.to_dict(), hf_model.state_dict(), tokenizer)

    @classmethod
    def from_gpt2(
        cls, config: dict, state: dict[str, Tensor], tokenizer: Tokenizer | None = None
    ) -> Transformer:
        """The network that a ``config.json`` and weights under GPT-2's names describe, in float32."""
        shape = TransformerConfig.from_dict(gpt2_format.shape_of(config))
        if tokenizer and len(tokenizer) > shape.d_vocab:
            raise CourseError(f"The tokenizer has {len(tokenizer)} tokens, the network {shape.d_vocab}.")
        with torch.device("meta"):
            model = cls(shape, tokenizer=tokenizer)
        shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
        model.load_state_dict(gpt2_format.from_disk(state, shapes), assign=True)
        return model.eval()

    def gpt2_state_dict(self) -> dict[str, Tensor]:
        """The weights under the names, and in the shapes, of ``transformers``' GPT2LMHeadModel."""
        weights = gpt2_format.to_disk(self.state_dict())
        weights.setdefault("lm_head.weight", weights["transformer.wte.weight"])
        return weights

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype = torch.float16) -> None:
        """Write ``config.json``, ``model.safetensors`` and the tokenizer's files into ``folder``.

        If the network has GPT-2's shape, ``transformers`` reads the folder too: GPT2LMHeadModel and
        AutoTokenizer. Numbers are rounded to ``dtype`` in the file; whoever reads it computes in float32.
        """
        end_id = self.tokenizer.eos_id if self.tokenizer else None
        config = gpt2_format.config_json(self.config.to_dict(), end_id)
        gpt2_format.save(folder, config, gpt2_format.to_disk(self.state_dict()), dtype)
        if self.tokenizer:
            self.tokenizer.save(folder)

    # ---- what is refused ---------------------------------------------------------------------------

    def _check_tokens(self, tokens: Tensor) -> None:
        if not isinstance(tokens, Tensor):
            remedy = "model.to_tokens(text)" if isinstance(tokens, str) else "torch.tensor(…)"
            raise CourseError(
                f"The model takes a tensor of tokens, not {type(tokens).__name__}: {remedy} makes one."
            )
        if tokens.is_floating_point() or tokens.is_complex() or tokens.dtype == torch.bool:
            raise CourseError(f"tokens has dtype {tokens.dtype}; tokens are whole numbers: tokens.long().")
        if tokens.ndim != 2:
            remedy = " One text alone needs a batch axis: tokens[None]." if tokens.ndim == 1 else ""
            raise CourseError(f"tokens has shape {tuple(tokens.shape)}; expected (batch, pos).{remedy}")
        if not 1 <= tokens.shape[1] <= self.config.n_ctx:
            raise CourseError(
                f"tokens has {tokens.shape[1]} positions; the model sees 1 to n_ctx = {self.config.n_ctx}. "
                "Shorten the text: tokens[:, -n_ctx:] keeps its end."
            )
        if tokens.numel():
            low, high = tokens.min().item(), tokens.max().item()
            if low < 0 or high >= self.config.d_vocab:
                wrong = low if low < 0 else high
                raise CourseError(
                    f"tokens contains {wrong}; the vocabulary has the tokens 0 to {self.config.d_vocab - 1}."
                )

    def _layer(self, layer: int) -> int:
        n = self.config.n_layers
        if not -n <= layer <= n:
            raise CourseError(f"There is no layer {layer}: the model has {n}, counted from 0.")
        return layer + n if layer < 0 else layer


@torch.no_grad()
def initialize(
    model: Transformer,
    seed: int | None = None,
    *,
    std: float = 0.02,
    embedding_std: float | None = None,
    positions: Literal["normal", "sines"] = "normal",
) -> Transformer:
    """Give ``model`` the random weights that training starts from, and return it.

    As GPT-2: normal with deviation ``std``, smaller by √(2 · n_layers) for what is added to the residual
    stream (Radford et al. 2019, section 2.3); biases 0, layer norms 1. ``embedding_std``: another
    deviation for embedding and unembedding. Small networks learn induction sooner from a larger one, 0.3.
    ``positions="sines"``: positions begin as `sinusoids` of that size, so that near ones are alike from the
    start, instead of at random.
    """
    generator = None if seed is None else torch.Generator(model.W_E.device).manual_seed(seed)
    added = std / math.sqrt(2 * max(model.config.n_layers, 1))
    embedding = std if embedding_std is None else embedding_std
    deviation = {"W_E": embedding, "lm_head": embedding, "W_O": added, "W_out": added}
    for name, parameter in model.named_parameters():
        leaf = name.rpartition(".")[2]
        if leaf == "w":
            parameter.fill_(1.0)
        elif leaf.startswith("b"):
            parameter.zero_()
        else:
            parameter.normal_(0.0, deviation.get(leaf, std), generator=generator)
    if positions == "sines":
        model.W_pos.copy_(embedding * sinusoids(model.config.n_ctx, model.config.d_model))
    return model


def sinusoids(n_ctx: int, d_model: int) -> Float[Tensor, "n_ctx d_model"]:
    """Sine and cosine of each position at wavelengths from 2π to 10,000 · 2π (Vaswani et al. 2017, section 3.5)."""
    angle = torch.arange(n_ctx)[:, None] / 10_000 ** (torch.arange(0, d_model, 2) / d_model)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :d_model]


def _norm(config: TransformerConfig) -> nn.Module:
    return nn.Identity() if config.norm is None else LayerNorm(config)


def _linear(x: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
    """``x @ W + b`` in one step."""
    return F.linear(x, W.T, b)


def _times_vocabulary(x: Tensor, W_U: Tensor) -> Tensor:
    """``x @ W_U``, with rows of the result that begin at whole multiples of 64 bytes in memory.

    GPT-2 has 50,257 tokens, an odd number: rows of that length, one right behind the other, take a third
    longer to compute (measured with MKL). Gradients need the plain product.
    """
    if torch.is_grad_enabled():
        return F.linear(x, W_U.T)
    d_vocab = W_U.shape[1]
    logits = x.new_empty(*x.shape[:-1], math.ceil(d_vocab / 16) * 16)[..., :d_vocab]
    torch.mm(x.flatten(end_dim=-2), W_U, out=logits.view(-1, d_vocab))
    return logits


def _choose(
    logits: Float[Tensor, "batch d_vocab"],
    temperature: float | int,
    top_k: int | None,
    generator: torch.Generator | None,
) -> Int[Tensor, " batch"]:
    if temperature == 0:
        return logits.argmax(dim=-1)
    if top_k is None:
        return torch.multinomial((logits / temperature).softmax(dim=-1), 1, generator=generator)[:, 0]
    largest, tokens = logits.topk(min(top_k, logits.shape[-1]), dim=-1)
    chosen = torch.multinomial((largest / temperature).softmax(dim=-1), 1, generator=generator)
    return tokens.gather(dim=-1, index=chosen)[:, 0]


def _one_row(tokens: Tensor | list[int] | int) -> list[int]:
    """The tokens of one text as a list; a batch of one counts as one text."""
    tokens = torch.as_tensor(tokens, device="cpu")
    if not tokens.numel():
        return []
    if tokens.is_floating_point() or tokens.ndim > 2 or (tokens.ndim == 2 and len(tokens) != 1):
        raise CourseError(
            f"Expected the tokens of one text, whole numbers; this has shape {tuple(tokens.shape)} and "
            f"dtype {tokens.dtype}. Choose one row of a batch: tokens[0]."
        )
    return tokens.flatten().tolist()


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
