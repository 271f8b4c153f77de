"""How long it takes to patch the residual stream of GPT-2 small at every layer and position.

Run by hand, in an environment of its own; no test asserts a time:

    python -m venv peers && peers/bin/pip install torch==2.13.0
    peers/bin/pip install transformer-lens==3.9.0 jaxtyping platformdirs
    PYTHONPATH=. peers/bin/python tests/benchmarks/patching_sweep.py
    PYTHONPATH=. peers/bin/python tests/benchmarks/patching_sweep.py --growth --only mi_course

Random weights of GPT-2 small's shape, 12 layers × 15 positions, 8 pairs of prompts, denoising, the logit difference
at the last position; one thread. Clean and corrupted prompts are random tokens that differ everywhere but in the
first: a common prefix would be skipped here, and that is not what should win. What counts is the CPU time of this
process, user and system. All contenders give the same map; the largest deviation is printed.

Measured once, November 2026, on two busy cores with torch 2.13, in CPU seconds: mi_course 13.7, hooks by hand 87.1,
TransformerLens 116.2. The growth of mi_course: 3, 6 and 12 layers 1.8, 4.7 and 13.9; 15 and 30 positions 13.9 and 50.5;
2, 4, 8 and 16 prompts 4.2, 7.2, 13.9 and 25.5. So it grows with the square of layers and of positions (a cell computes
what lies above and behind it: of either half, on average) and in proportion to the prompts.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import torch

LAYERS, POSITIONS, PROMPTS = 12, 15, 8
CORRECT, WRONG = 100, 200
Sweep = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Clean and corrupted tokens to the metric "layer pos", averaged over prompts."""


def metric(logits: torch.Tensor) -> torch.Tensor:
    return logits[:, -1, CORRECT] - logits[:, -1, WRONG]


def hugging_face(n_layers: int = LAYERS) -> torch.nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(n_layer=n_layers)).eval()


def ours(model: torch.nn.Module) -> dict[str, Sweep]:
    from mi_course.methods.activation_patching import patch
    from mi_course.models.transformer import Transformer

    copy = Transformer.from_hf(model)
    return {
        "mi_course": lambda clean, corrupted: patch(copy, clean, corrupted, metric).by_example.mean(dim=-1)
    }


def by_hand(model: torch.nn.Module) -> dict[str, Sweep]:
    """A whole run for every cell, with a hook in front of the block."""

    def sweep(clean, corrupted):
        kept = model(clean, output_hidden_states=True, use_cache=False).hidden_states
        rows = []
        for layer, block in enumerate(model.transformer.h):
            cells = []
            for position in range(clean.shape[1]):

                def put(module, inputs, layer=layer, position=position):
                    resid = inputs[0].clone()
                    resid[:, position] = kept[layer][:, position]
                    return (resid, *inputs[1:])

                handle = block.register_forward_pre_hook(put)
                cells.append(metric(model(corrupted, use_cache=False).logits).mean())
                handle.remove()
            rows.append(torch.stack(cells))
        return torch.stack(rows)

    return {"transformers, hooks by hand": sweep}


def transformer_lens(model: torch.nn.Module) -> dict[str, Sweep]:
    from transformer_lens import HookedTransformer, HookedTransformerConfig, patching
    from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights

    config = HookedTransformerConfig(
        n_layers=model.config.n_layer,
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

    def sweep(clean, corrupted):
        _, cache = lens.run_with_cache(clean)
        return patching.get_act_patch_resid_pre(lens, corrupted, cache, lambda logits: metric(logits).mean())

    return {"TransformerLens": sweep}


LIBRARIES = {"mi_course": ours, "transformers": by_hand, "transformer-lens": transformer_lens}


def pairs(n: int, n_pos: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    clean, corrupted = torch.randint(50257, (2, n, n_pos), generator=generator)
    corrupted[:, 0] = clean[:, 0]
    return clean, corrupted


def seconds_of(sweep: Sweep, clean: torch.Tensor, corrupted: torch.Tensor) -> tuple[float, torch.Tensor]:
    begin = time.process_time()
    found = sweep(clean, corrupted)
    return time.process_time() - begin, found


def compare(names: list[str], repeats: int) -> None:
    clean, corrupted = pairs(PROMPTS, POSITIONS)
    model = hugging_face()
    print(f"{'CPU seconds, 12 layers × 15 positions, 8 prompts':<50} median  least   largest deviation")
    first = None
    for name in names:
        for label, sweep in LIBRARIES[name](model).items():
            sweep(clean[:1, :3], corrupted[:1, :3])  # warms up
            runs = [seconds_of(sweep, clean, corrupted) for _ in range(repeats)]
            seconds = [each for each, _ in runs]
            first = runs[0][1] if first is None else first
            deviation = (runs[0][1] - first).abs().max()
            print(
                f"{label:<50} {statistics.median(seconds):6.1f} {min(seconds):6.1f}   {deviation:.1e}",
                flush=True,
            )


def growth(names: list[str]) -> None:
    """One of layers, positions and prompts at a time, the others as above."""
    print(f"{'layers':>7} {'positions':>10} {'prompts':>8}   CPU seconds")
    usual = (LAYERS, POSITIONS, PROMPTS)
    cases = [(3, *usual[1:]), (6, *usual[1:]), usual, (12, 30, 8), (12, 15, 2), (12, 15, 4), (12, 15, 16)]
    for n_layers, n_pos, n in cases:
        model = hugging_face(n_layers)
        for name in names:
            for label, sweep in LIBRARIES[name](model).items():
                seconds, _ = seconds_of(sweep, *pairs(n, n_pos))
                print(f"{n_layers:>7} {n_pos:>10} {n:>8}   {seconds:6.1f}   {label}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--only", nargs="*", choices=LIBRARIES, default=list(LIBRARIES))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with torch.no_grad():
        growth(options.only) if options.growth else compare(options.only, options.repeats)


if __name__ == "__main__":
    main()
