"""How long a forward pass takes at GPT-2-small shape, plain and with every activation kept.

Run by hand, in an environment of its own; no test asserts a time:

    python -m venv peers && peers/bin/pip install torch==2.13.0
    peers/bin/pip install transformer-lens==3.9.0 nnsight==0.8.1 jaxtyping platformdirs
    PYTHONPATH=. peers/bin/python tests/benchmarks/forward_and_cache.py

The same random weights, 8 texts of 64 tokens, one thread, no gradients. What counts is the CPU time of
this process, user and system: on a busy machine the clock on the wall says little. Contenders take turns,
so that what slows the machine down for a while slows all of them. "all cached" is the same list of
points here and in TransformerLens; nnsight has no such list and keeps what every block, its attention
and its MLP put out.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import statistics
import time
import warnings
from collections.abc import Callable

import torch

Contender = tuple[str, Callable[[torch.Tensor], object]]
BASE = "transformers, forward"


def hugging_face() -> torch.nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config()).eval()


def transformers(model: torch.nn.Module) -> list[Contender]:
    """The plain forward pass, and one with hooks written by hand on the modules that there are."""

    def cached(tokens):
        found, handles = {}, []
        for name, module in model.named_modules():
            if (
                name.endswith(("attn", "mlp", "ln_1", "ln_2", "c_attn", "c_fc", "act", "ln_f"))
                or name.count(".") == 2
            ):
                handles.append(
                    module.register_forward_hook(lambda *args, name=name: found.update({name: args[2]}))
                )
        try:
            return model(tokens, use_cache=False).logits, found
        finally:
            for handle in handles:
                handle.remove()

    forward = lambda tokens: model(tokens, use_cache=False).logits  # noqa: E731
    return [(BASE, forward), ("transformers, hooks by hand", cached)]


def ours(model: torch.nn.Module) -> list[Contender]:
    from mi_course.models.transformer import Transformer

    copy = Transformer.from_hf(model)
    return [("mi_course, forward", copy), ("mi_course, all cached", copy.run_with_cache)]


def transformer_lens(model: torch.nn.Module) -> list[Contender]:
    from transformer_lens import HookedTransformer, HookedTransformerConfig
    from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights

    config = HookedTransformerConfig(
        n_layers=12,
        d_model=768,
        n_ctx=1024,
        d_head=64,
        n_heads=12,
        d_mlp=3072,
        d_vocab=50257,
        act_fn="gelu_new",
        normalization_type="LN",
        device="cpu",
    )
    lens = HookedTransformer(config)
    lens.load_and_process_state_dict(
        convert_gpt2_weights(model, config),
        fold_ln=False,
        center_writing_weights=False,
        center_unembed=False,
        fold_value_biases=False,
    )
    return [("TransformerLens, forward", lens), ("TransformerLens, all cached", lens.run_with_cache)]


def nnsight(model: torch.nn.Module) -> list[Contender]:
    from nnsight import NNsight, save

    wrapped = NNsight(model)

    def forward(tokens):
        with wrapped.trace(tokens, use_cache=False):
            logits = wrapped.lm_head.output.save()
        return logits

    def cached(tokens):
        with wrapped.trace(tokens, use_cache=False):
            found = save([])
            for block in wrapped.transformer.h:
                found.append(block.attn.output)
                found.append(block.mlp.output)
                found.append(block.output)
            logits = wrapped.lm_head.output.save()
        return logits, found

    return [("nnsight, forward", forward), ("nnsight, block outputs kept", cached)]


LIBRARIES = {
    "transformers": transformers,
    "mi_course": ours,
    "transformer-lens": transformer_lens,
    "nnsight": nnsight,
}


def measure(contenders: list[Contender], tokens: torch.Tensor, repeats: int) -> dict[str, list[float]]:
    """CPU seconds of every run; the first round only warms up."""
    seconds: dict[str, list[float]] = {name: [] for name, _ in contenders}
    for number in range(repeats + 1):
        for name, run in contenders:
            begin = time.process_time()
            run(tokens)
            if number:
                seconds[name].append(time.process_time() - begin)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", nargs="*", choices=LIBRARIES, default=list(LIBRARIES))
    options = parser.parse_args()

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    model = hugging_face()
    tokens = torch.randint(50257, (8, 64), generator=torch.Generator().manual_seed(0))
    contenders = [contender for name in options.only for contender in LIBRARIES[name](model)]
    with torch.no_grad():
        seconds = measure(contenders, tokens, options.repeats)

    print(
        ", ".join(
            f"{name} {importlib.metadata.version(name)}"
            for name in ("torch", *options.only)
            if name != "mi_course"
        )
    )
    base = seconds.get(BASE)
    print(f"{'CPU seconds, 8 × 64 tokens':<30} {'median':>7} {'least':>7}   of the plain forward")
    for name, found in seconds.items():
        share = statistics.median(a / b for a, b in zip(found, base)) if base else float("nan")
        print(f"{name:<30} {statistics.median(found):7.2f} {min(found):7.2f}   {share:.2f} ×")


if __name__ == "__main__":
    main()
