"""How long it takes to search the tiny world's GPT for a circuit, beside trying every edge with hooks by hand.

Run by hand in the course's own environment; no test asserts a time:

    PYTHONPATH=. .venv/bin/python tests/benchmarks/circuit_discovery.py

The shipped model (927 edges), 16 pairs of gift prompts, one thread; what counts is the CPU time of this process. "by
hand" is what one writes first: for each edge a whole run in which a hook gives one receiver another input. It finds
the effect of every edge by itself, which is less than ACDC does; measured on a sample of edges and scaled up.

Measured once, November 2026, on two busy cores with torch 2.13, in CPU seconds: EAP 0.2, EAP-IG (5 steps) 0.6, ACDC 5.8
(502 runs), by hand 19. The largest deviation of an edge's effect, by hand and by the engine: 6e-6 logits.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

import mi_course as mc
from mi_course.data import indirect_object, prompt_pairs
from mi_course.methods import circuit_discovery, metrics
from mi_course.methods.edge_graph import Edge, EdgeGraph, node_of
from mi_course.methods.edge_patching import sender_outputs
from mi_course.methods.head_scores import find_head
from mi_course.methods.path_patching import path_patch

SAMPLE = 60
"""Edges that are tried by hand."""


def prompts(model):
    found = indirect_object.in_frame(16, order="mixed")
    pairs = prompt_pairs.pair(model, found.texts, indirect_object.corrupted(found, "others").texts)
    io, s = (
        torch.tensor([model.to_single_token(name) for name in names])
        for names in (found.correct, found.giver)
    )
    return pairs.clean, pairs.corrupted, lambda logits: metrics.logit_diff(logits, io, s)


@torch.no_grad()
def one_edge_by_hand(model, clean, metric, edge: Edge, resid: torch.Tensor, delta: torch.Tensor) -> float:
    """The mean metric of a whole run in which one receiver reads ``resid + delta``."""
    if edge.receiver == "logits":
        return metric(model.unembed(resid + delta)).mean().item()
    layer = int(edge.receiver[1])
    block = model.blocks[layer]
    if edge.receiver.endswith("MLP"):
        new = block.mlp(block.ln2(resid + delta))
        logits = model.run_with_hooks(clean, [(f"blocks.{layer}.hook_mlp_out", lambda a, name: new)])
        return metric(logits).mean().item()
    _, head = find_head(node_of(edge.receiver), model.config.n_layers, model.config.n_heads)
    part = edge.receiver[-1]
    W, b = (getattr(block.attn, f"{letter}_{part.upper()}")[head] for letter in "Wb")
    new = block.ln1(resid + delta) @ W + b

    def put_in(activation, name):
        activation = activation.clone()
        activation[:, :, head] = new
        return activation

    return metric(model.run_with_hooks(clean, [(f"blocks.{layer}.attn.hook_{part}", put_in)])).mean().item()


def by_hand(model, clean, corrupted, metric, edges: list[Edge]) -> dict[Edge, float]:
    graph = EdgeGraph.of(model)
    with torch.no_grad():
        _, cache = model.run_with_cache(clean)
    change = sender_outputs(model, corrupted) - sender_outputs(model, clean)
    found = {}
    for edge in edges:
        site = "resid_mid" if edge.receiver.endswith("MLP") else "resid_pre"
        last = edge.receiver == "logits"
        resid = cache["resid_post", -1] if last else cache[site, int(edge.receiver[1])]
        delta = change[graph.column(edge.sender)]
        found[edge] = one_edge_by_hand(model, clean, metric, edge, resid, delta)
    return found


def seconds(run: Callable[[], object]) -> tuple[float, object]:
    begin = time.process_time()
    result = run()
    return time.process_time() - begin, result


def main() -> None:
    torch.set_num_threads(1)
    model = mc.load("tiny-world").requires_grad_(False)
    clean, corrupted, metric = prompts(model)
    task = (model, clean, corrupted, metric)
    graph = EdgeGraph.of(model)
    chosen = torch.randperm(len(graph), generator=torch.Generator().manual_seed(0))[:SAMPLE].tolist()
    sample = [graph.edges[number] for number in chosen]
    circuit_discovery.eap_scores(*task)  # warms up

    eap, _ = seconds(lambda: circuit_discovery.eap_scores(*task))
    eap_ig, _ = seconds(lambda: circuit_discovery.eap_ig_scores(*task))
    acdc, search = seconds(lambda: circuit_discovery.acdc_search(*task, threshold=0.1))
    hand, effects = seconds(lambda: by_hand(*task, sample))
    print(f"EAP {eap:.1f}   EAP-IG {eap_ig:.1f}   ACDC {acdc:.1f} ({search.runs} runs)")
    print(f"by hand, {len(graph)} edges: {hand / SAMPLE * len(graph):.0f}")
    apart = 0.0
    for edge, value in effects.items():
        patched = path_patch(*task, senders=[edge.sender], receivers=edge.receiver)
        apart = max(apart, abs(patched.by_example[0].mean().item() - value))
    print(f"largest deviation of an edge's effect: {apart:.0e} logits")


if __name__ == "__main__":
    main()
