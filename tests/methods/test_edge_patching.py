"""Patched edges give what a slow computation gives that takes every receiver by itself; shortcuts change nothing."""

import math

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.ablation import ablation_hooks
from mi_course.methods.edge_graph import EdgeGraph
from mi_course.methods.edge_patching import EdgePatcher, reference_outputs, run, sender_outputs
from mi_course.models.transformer import Transformer, TransformerConfig, initialize
from tests.models.small_transformers import CONFIGS, hooks_left, make, random_tokens
from tests.type_checks import unchecked, values_only

CLEAN, CORRUPTED = random_tokens(3, seed=1), random_tokens(3, seed=2)
POSITIONS = (-1, 3, torch.tensor([3, 8, -4]), None)
"""Where the answer is read: last, fourth, in each row elsewhere, at all positions."""
KINDS = sorted(CONFIGS)


@pytest.fixture(params=KINDS)
def model(request):
    return make(CONFIGS[request.param]).requires_grad_(False)


def ones(model):
    return torch.ones(1, *EdgeGraph.of(model).possible.shape)


def random_masks(model, n=3, *, share=0.5, seed=0):
    """Masks of 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(n, *EdgeGraph.of(model).possible.shape, generator=generator) < share).float()


def read(logits, position):
    if position is None:
        return logits
    rows = torch.arange(len(logits))
    return logits[rows, torch.as_tensor(position).expand(len(logits))][:, None]


@unchecked()
def slowly(model, tokens, mask, reference):
    """The definition, one receiver after the other: ``mask`` "receiver sender pos", logits at all positions."""
    graph, config = EdgeGraph.of(model), model.config
    current = {"embed": model.W_E[tokens] + model.W_pos[: tokens.shape[1]]}
    biases = torch.zeros(config.d_model)

    def what_it_reads(receiver):
        total = biases
        for sender, output in current.items():
            share = mask[graph.row(receiver), graph.column(sender)][:, None]
            total = total + share * output + (1 - share) * reference[graph.column(sender)]
        return total

    future = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).triu(1)
    for layer, block in enumerate(model.blocks):
        written = {}
        for head in range(config.n_heads):
            made = {}
            for part in "qkv":
                weight, bias = (getattr(block.attn, f"{letter}_{part.upper()}") for letter in "Wb")
                made[part] = block.ln1(what_it_reads(f"L{layer}H{head}.{part}")) @ weight[head]
                made[part] = made[part] + (0 if bias is None else bias[head])
            scores = made["q"] @ made["k"].transpose(1, 2) / math.sqrt(config.d_head)
            pattern = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
            written[f"L{layer}H{head}"] = pattern @ made["v"] @ block.attn.W_O[head]
        current |= written
        biases = biases + (0 if block.attn.b_O is None else block.attn.b_O)
        if block.mlp is not None:
            current[f"L{layer} MLP"] = block.mlp(block.ln2(what_it_reads(f"L{layer} MLP")))
    return model.unembed(what_it_reads("logits"))


def test_outputs_and_biases_add_up_to_the_residual_stream(model):
    _, cache = model.run_with_cache(CLEAN)
    outputs = sender_outputs(model, CLEAN)
    assert outputs.shape == (len(EdgeGraph.of(model).senders), *CLEAN.shape, model.config.d_model)
    total = outputs.sum(dim=0) + model.b_O.sum(dim=0)
    torch.testing.assert_close(total, cache["resid_post", -1], atol=1e-4, rtol=1e-4)


def test_with_all_edges_it_is_the_model_and_with_none_the_reference(model):
    reference, both = reference_outputs(model, CORRUPTED), torch.cat([ones(model), 0 * ones(model)])
    logits, corrupted = model(CLEAN), model(CORRUPTED)
    for position in POSITIONS:
        whole, nothing = run(model, CLEAN, both, reference, position=position)
        (alone,) = run(model, CLEAN, ones(model), reference, position=position)
        torch.testing.assert_close(whole, read(logits, position), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(alone, read(logits, position), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(nothing, read(corrupted, position), atol=1e-4, rtol=1e-4)
        assert (whole - nothing).abs().max() > 0.1


def agrees_with_the_slow_computation(model, masks, by_position, reference):
    """Wherever the answer is read."""
    want = [slowly(model, CLEAN, mask, reference) for mask in by_position]
    for position in POSITIONS:
        found = run(model, CLEAN, masks, reference, position=position)
        expected = torch.stack([read(logits, position) for logits in want])
        torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-3)


@values_only
@pytest.mark.parametrize("kind", ["corrupted", "mean", "zero"])
def test_any_mask_gives_what_the_slow_computation_gives(model, kind):
    generator = torch.Generator().manual_seed(3)
    mixed = torch.rand(1, *ones(model).shape[1:], generator=generator)
    masks = torch.cat([mixed, random_masks(model, 1, share=0.2)])
    reference = reference_outputs(model, CORRUPTED, kind)
    everywhere = masks[..., None].expand(-1, -1, -1, CLEAN.shape[1])
    agrees_with_the_slow_computation(model, masks, everywhere, reference)


def test_every_position_may_have_a_mask_of_its_own(model):
    generator = torch.Generator().manual_seed(4)
    masks = torch.rand(2, *ones(model).shape[1:], CLEAN.shape[1], generator=generator)
    reference = reference_outputs(model, CORRUPTED)
    agrees_with_the_slow_computation(model, masks, masks, reference)
    same = masks[..., :1]
    torch.testing.assert_close(run(model, CLEAN, same, reference), run(model, CLEAN, same[..., 0], reference))


@pytest.mark.parametrize("kind", ["corrupted", "mean", "zero"])
def test_without_all_edges_of_a_head_it_is_ablated(kind):
    """Hooks know nothing of edges: what the head writes is replaced for everybody."""
    model = make(CONFIGS["gpt2"]).requires_grad_(False)
    graph, heads = EdgeGraph.of(model), ("L0H1", "L1H3", "L2H0")
    masks = ones(model).repeat(len(heads), 1, 1)
    for mask, head in zip(masks, heads):
        mask[:, graph.column(head)] = 0
    found = run(model, CLEAN, masks, reference_outputs(model, CORRUPTED, kind))
    ablation = {"corrupted": "resample"}.get(kind, kind)
    for head, logits in zip(heads, found, strict=True):
        hooks = ablation_hooks(model, head, kind=ablation, reference=CORRUPTED)
        want = model.run_with_hooks(CLEAN, hooks)[:, -1:]
        torch.testing.assert_close(logits, want, atol=1e-4, rtol=1e-4)
        assert (want - model(CLEAN)[:, -1:]).abs().max() > 1e-2


def test_without_one_edge_one_input_reads_something_else():
    """By hooks: only L1H0's keys are made from a residual stream with the corrupted output of L0H2."""
    model = make(CONFIGS["gpt2"]).requires_grad_(False)
    graph, block = EdgeGraph.of(model), model.blocks[1]
    (_, clean), (_, corrupted) = (model.run_with_cache(tokens) for tokens in (CLEAN, CORRUPTED))
    change = (corrupted["z", 0][:, :, 2] - clean["z", 0][:, :, 2]) @ model.blocks[0].attn.W_O[2]
    new = block.ln1(clean["resid_pre", 1] + change) @ block.attn.W_K[0] + block.attn.b_K[0]

    def put_in(keys, name):
        keys = keys.clone()
        keys[:, :, 0] = new
        return keys

    want = model.run_with_hooks(CLEAN, [("blocks.1.attn.hook_k", put_in)])
    mask = ones(model)
    mask[0, graph.row("L1H0.k"), graph.column("L0H2")] = 0
    found = run(model, CLEAN, mask, reference_outputs(model, CORRUPTED), position=None)[0]
    torch.testing.assert_close(found, want, atol=1e-4, rtol=1e-4)
    assert (want - model(CLEAN)).abs().max() > 1e-2


def test_in_a_network_that_only_adds_the_effects_of_edges_add_up():
    config = TransformerConfig(
        n_layers=2, d_model=8, n_heads=2, d_head=4, d_mlp=0, d_vocab=9, n_ctx=6, norm=None, bias=False
    )
    model = initialize(Transformer(config), 0, std=0.4, embedding_std=0.5).requires_grad_(False)
    for block in model.blocks:
        block.attn.W_Q.zero_()  # every head then looks at all positions alike
    clean, corrupted = (random_tokens(4, 6, seed=seed, d_vocab=9) for seed in (1, 2))
    graph = EdgeGraph.of(model)
    for receiver in ("L1H1.v", "logits"):
        senders = [edge.sender for edge in graph.edges if edge.receiver == receiver]
        masks = ones(model).repeat(len(senders) + 2, 1, 1)
        for mask, sender in zip(masks, senders):
            mask[graph.row(receiver), graph.column(sender)] = 0
        masks[-2, graph.row(receiver)] = 0
        *single, together, plain = run(model, clean, masks, reference_outputs(model, corrupted))
        total = sum(one - plain for one in single)
        torch.testing.assert_close(total, together - plain, atol=1e-5, rtol=1e-4)
        assert total.abs().max() > 1e-3


@values_only
def test_shortcuts_change_nothing(model):
    """With a gradient to keep, nothing is left out and nothing begins late."""
    graph, reference = EdgeGraph.of(model), reference_outputs(model, CORRUPTED)
    late = ones(model)
    late[0, graph.steps[-2].receivers] = random_masks(model, 1)[0, graph.steps[-2].receivers]
    last_only, middle = ones(model), ones(model)
    last_only[0, -1, ::2] = 0
    middle[0, graph.row("L1H2.v"), :2] = 0
    masks = torch.cat([random_masks(model, 3, share=0.1), late, last_only, middle])
    for mask in masks:
        short = run(model, CLEAN, mask[None], reference)
        complete = run(model, CLEAN, mask[None].clone().requires_grad_(), reference)
        torch.testing.assert_close(short, complete.detach(), atol=1e-4, rtol=1e-4)


def runs_of_norms(model, mask, patcher):
    """How many residual streams, of one row and position, each layer's attention reads in a run."""
    rows = dict.fromkeys(range(model.config.n_layers), 0)

    def count(scale, name):
        rows[int(name.split(".")[1])] += scale.numel()

    names = [f"blocks.{layer}.ln1.hook_scale" for layer in rows]
    with model.hooks([(name, count) for name in names]):
        patcher.logits(mask)
    return list(rows.values())


def test_what_makes_no_difference_is_not_computed():
    model = make(CONFIGS["gpt2"]).requires_grad_(False)
    graph, (n_rows, n_pos) = EdgeGraph.of(model), CLEAN.shape
    patcher = EdgePatcher(model, CLEAN, reference_outputs(model, CORRUPTED))
    whole = n_rows * n_pos
    assert runs_of_norms(model, ones(model), patcher) == [0, 0, 0]
    mask = ones(model)
    mask[0, graph.row("L1H2.v"), 0] = 0
    queries_at_the_answer = 4 * n_rows
    assert runs_of_norms(model, mask, patcher) == [0, 12 * whole, 8 * whole + queries_at_the_answer]
    few = graph.mask(["L1H0→logits", "L0H1→L1H0.k", "L2H3→L2 MLP"])[None]
    assert runs_of_norms(model, few, patcher) == [3 * whole, 3 * whole, 0]


def test_circuits_do_not_see_each_other_and_runs_are_counted():
    model = make(CONFIGS["gpt2"]).requires_grad_(False)
    masks = torch.cat([random_masks(model, 5), ones(model)])
    reference = reference_outputs(model, CORRUPTED)
    patcher = EdgePatcher(model, CLEAN, reference)
    together = patcher.logits(masks)
    assert patcher.runs == 6
    for chunk_size in (1, 4, 100):
        found = run(model, CLEAN, masks, reference, chunk_size=chunk_size)
        torch.testing.assert_close(found, together, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(patcher.logits(masks[2:3])[0], together[2], atol=1e-5, rtol=1e-4)
    assert (together[0] - together[1]).abs().max() > 0.1


@values_only
@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 1.0])
@pytest.mark.parametrize("kind", ["gpt2", "attention-only"])
def test_gradients_are_the_slopes_of_the_logits(kind, share):
    """Also of edges that are not there, out of senders that nobody hears: what they would carry counts."""
    model = make(CONFIGS[kind]).double().requires_grad_(False)
    reference = reference_outputs(model, CORRUPTED)
    alike = random_masks(model, 1, share=share).double()
    weights = torch.randn(model.config.d_vocab, generator=torch.Generator().manual_seed(0)).double()

    def score(mask):
        return (run(model, CLEAN, mask, reference) @ weights).sum()

    for mask in (alike, alike[..., None].repeat(1, 1, 1, CLEAN.shape[1])):
        mask.requires_grad_()
        (slope,) = torch.autograd.grad(score(mask), mask)
        direction = torch.randn(mask.shape, generator=torch.Generator().manual_seed(1)).double()
        step = 1e-5
        with torch.no_grad():
            want = (score(mask + step * direction) - score(mask - step * direction)) / (2 * step)
        assert (slope * direction).sum().item() == pytest.approx(want.item(), rel=1e-4)
        assert slope.abs().max() > 0.1
        assert not run(model, CLEAN, mask.detach(), reference).requires_grad


def test_a_mean_reference_is_the_same_for_every_prompt(model):
    for kind in ("mean", "zero"):
        reference = reference_outputs(model, CORRUPTED, kind)
        assert reference.shape[1] == 1
        (nothing,) = run(model, CLEAN, 0 * ones(model), reference)
        assert torch.equal(nothing, nothing[:1].expand_as(nothing))
    want = model.unembed(model.b_O.sum(dim=0).expand(1, 1, -1))
    torch.testing.assert_close(nothing[:1], want, atol=1e-4, rtol=1e-4)
    mean = sender_outputs(model, CORRUPTED).mean(dim=1)
    torch.testing.assert_close(reference_outputs(model, CORRUPTED, "mean")[:, 0], mean)


def test_a_network_without_layers_has_one_edge():
    shape = {**CONFIGS["gpt2"].to_dict(), "n_layers": 0}
    model = make(TransformerConfig(**shape)).requires_grad_(False)
    masks = torch.tensor([[[1.0]], [[0.0]]])
    whole, nothing = run(model, CLEAN, masks, reference_outputs(model, CORRUPTED))
    torch.testing.assert_close(whole, model(CLEAN)[:, -1:])
    torch.testing.assert_close(nothing, model(CORRUPTED)[:, -1:])


def test_nothing_is_changed():
    model = make(CONFIGS["gpt2"])
    reference, masks, tokens = reference_outputs(model, CORRUPTED), random_masks(model), CLEAN.clone()
    given = [reference, masks, tokens, *model.state_dict().values()]
    before = [tensor.clone() for tensor in given]
    run(model, tokens, masks, reference, position=torch.tensor([1, 2, 3]))
    assert all(torch.equal(now, then) for now, then in zip(given, before, strict=True))
    assert hooks_left(model) == 0
    assert not reference.requires_grad


def test_what_does_not_fit_is_refused_in_words(without_type_checks):
    model = make(CONFIGS["gpt2"]).requires_grad_(False)
    reference, mask = reference_outputs(model, CORRUPTED), ones(model)
    with pytest.raises(CourseError, match="as many corrupted prompts of the same length"):
        run(model, CLEAN, mask, reference_outputs(model, CORRUPTED[:2]))
    with pytest.raises(CourseError, match="as many corrupted prompts of the same length"):
        run(model, CLEAN, mask, reference_outputs(model, CORRUPTED[:, :5], "mean"))
    with pytest.raises(CourseError, match=r"circuit axis: mask\[None\]"):
        run(model, CLEAN, mask[0], reference)
    with pytest.raises(CourseError, match="40 receivers and 16 senders"):
        run(model, CLEAN, mask[:, 1:], reference)
    with pytest.raises(CourseError, match="1 or 9 positions"):
        run(model, CLEAN, mask[..., None].expand(-1, -1, -1, 4), reference)
    with pytest.raises(CourseError, match="no circuit"):
        run(model, CLEAN, mask[:0], reference)
    with pytest.raises(UnknownName, match="Did you mean 'mean'"):
        reference_outputs(model, CORRUPTED, "means")
    with pytest.raises(ValueError, match="the rows have positions 0 to 8"):
        run(model, CLEAN, mask, reference, position=9)
    assert hooks_left(model) == 0
