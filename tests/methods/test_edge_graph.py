"""The graph has the edges that a network has: where a sender is disturbed, exactly the receivers behind it notice."""

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.edge_graph import Edge, EdgeGraph, node_of
from mi_course.models.transformer import GPT2_SMALL
from tests.models.small_transformers import CONFIGS, make, random_tokens

SMALL = EdgeGraph(n_layers=2, n_heads=2)


def test_names_stand_in_the_order_of_computation():
    assert SMALL.senders == ("embed", "L0H0", "L0H1", "L0 MLP", "L1H0", "L1H1", "L1 MLP")
    assert SMALL.receivers == (
        *("L0H0.q", "L0H0.k", "L0H0.v", "L0H1.q", "L0H1.k", "L0H1.v", "L0 MLP"),
        *("L1H0.q", "L1H0.k", "L1H0.v", "L1H1.q", "L1H1.k", "L1H1.v", "L1 MLP", "logits"),
    )
    assert SMALL.nodes == SMALL.senders[1:]
    assert EdgeGraph(1, 1, has_mlps=False).receivers == ("L0H0.q", "L0H0.k", "L0H0.v", "logits")
    assert [node_of(name) for name in ("L1H0.k", "L1 MLP", "logits", "embed")] == [
        *("L1H0", "L1 MLP", "logits", "embed")
    ]


@pytest.mark.parametrize(
    ("shape", "edges"),
    [
        ((0, 1), 1),  # the embedding into the logits
        ((1, 1, False), 3 + 2),
        ((1, 2), 6 + 3 + 4),
        ((4, 6), 927),
        ((GPT2_SMALL.n_layers, GPT2_SMALL.n_heads), 32_491),
    ],
    ids=["no layer", "one head", "one layer", "tiny-world", "GPT-2 small"],
)
def test_edges_are_counted(shape, edges):
    graph = EdgeGraph(*shape)
    assert len(graph) == len(graph.edges) == int(graph.possible.sum()) == edges
    assert len(set(graph.edges)) == edges


def test_models_of_one_shape_have_the_same_graph():
    assert (
        EdgeGraph.of(make(CONFIGS["gpt2"])) == EdgeGraph.of(make(CONFIGS["relu"], seed=1)) == EdgeGraph(3, 4)
    )
    assert EdgeGraph.of(make(CONFIGS["attention-only"])) == EdgeGraph(3, 4, has_mlps=False)


def what_is_read(model, tokens, disturbed=None):
    """What every receiver makes of its input, with noise added to one sender's output or to none."""
    noise = torch.randn(100, generator=torch.Generator().manual_seed(0))

    def disturb(activation, name):
        activation = activation.clone()
        where = (..., int(disturbed[3]), slice(None)) if "H" in disturbed else ...
        activation[where] += noise[: activation.shape[-1]]
        return activation

    hooks = []
    if disturbed is not None:
        point = "attn.hook_z" if "H" in disturbed else "hook_mlp_out"
        name = "hook_embed" if disturbed == "embed" else f"blocks.{disturbed[1]}.{point}"
        hooks = [(name, disturb)]
    with torch.no_grad(), model.hooks(hooks):
        logits, cache = model.run_with_cache(tokens)
    found = []
    for layer in range(model.config.n_layers):
        heads = range(model.config.n_heads)
        found += [cache[part, layer][:, :, head] for head in heads for part in "qkv"]
        found += [cache["pre", layer]] if model.config.d_mlp else []
    return [*found, logits]


@pytest.mark.parametrize("kind", ["gpt2", "attention-only"])
def test_an_edge_is_where_a_disturbed_sender_is_noticed(kind):
    """Everything behind a sender hears it, directly too; nothing before it and beside it does."""
    model = make(CONFIGS[kind])
    graph, tokens = EdgeGraph.of(model), random_tokens()
    plain = what_is_read(model, tokens)
    for sender in graph.senders:
        disturbed = what_is_read(model, tokens, sender)
        noticed = [(a - b).abs().max().item() > 1e-3 for a, b in zip(plain, disturbed, strict=True)]
        assert noticed == graph.possible[:, graph.column(sender)].tolist(), sender


def test_masks_and_edges_are_two_ways_to_say_the_same():
    edges = ["embed→L0H1.v", "L0H1→L1H0.k", "L1 MLP→logits"]
    mask = SMALL.mask(edges)
    assert mask.shape == (15, 7)
    assert mask.sum() == 3
    assert mask[SMALL.row("L1H0.k"), SMALL.column("L0H1")] == 1
    assert [str(edge) for edge in SMALL.edges_of(mask)] == edges
    assert torch.equal(SMALL.mask(SMALL.edges).bool(), SMALL.possible)
    assert SMALL.edges_of(torch.ones(15, 7)) == list(SMALL.edges), "what cannot be is not an edge"


def test_every_row_and_column_belongs_to_one_step():
    rows = [row for step in SMALL.steps for row in range(15)[step.receivers]]
    columns = [column for step in SMALL.steps for column in range(7)[step.sends]]
    assert rows == list(range(15))
    assert columns == list(range(1, 7))
    assert [(step.part, step.layer) for step in SMALL.steps] == [
        *(("attn", 0), ("mlp", 0), ("attn", 1), ("mlp", 1), ("logits", 2))
    ]


def test_heard_is_who_reaches_the_logits_on_some_way():
    mask = SMALL.mask(["L1H0→logits", "L0 MLP→L1H0.q", "L0H1→L0 MLP", "embed→L0H0.v", "L0H0→L1H1.k"])
    heard = {name for name, is_heard in zip(SMALL.senders, SMALL.heard(mask)) if is_heard}
    assert heard == {"L1H0", "L0 MLP", "L0H1"}
    assert not SMALL.heard(torch.zeros(15, 7)).any()
    assert SMALL.heard(SMALL.possible).all()


@pytest.mark.parametrize("graph", [SMALL, EdgeGraph(3, 2, has_mlps=False)], ids=["MLPs", "attention only"])
def test_heard_agrees_with_a_search_along_the_edges(graph):
    generator = torch.Generator().manual_seed(0)
    seen = set()
    for share in (0.05, 0.1, 0.2):
        for _ in range(20):
            mask = (torch.rand(graph.possible.shape, generator=generator) < share) & graph.possible
            reached, waiting = set(), ["logits"]
            while waiting:
                node = waiting.pop()
                new = {
                    edge.sender for edge in graph.edges_of(mask) if node_of(edge.receiver) == node
                } - reached
                reached |= new
                waiting += new
            heard = {name for name, is_heard in zip(graph.senders, graph.heard(mask)) if is_heard}
            assert heard == reached
            seen.add(len(heard))
    assert len(seen) > 3, "the masks differ in how much is heard"


def test_an_edge_is_found_by_its_text_or_its_names():
    spelled = ("L0H1→L1H0.k", "L0H1->L1H0.k", " L0H1 -> L1H0.k ", ("L0H1", "L1H0.k"), Edge("L0H1", "L1H0.k"))
    assert {SMALL.edge(edge) for edge in spelled} == {Edge("L0H1", "L1H0.k")}
    assert str(SMALL.edge("L0 MLP->logits")) == "L0 MLP→logits"


@pytest.mark.parametrize(
    ("edge", "error", "words"),
    [
        ("L1H0→L0H1.k", CourseError, "no edge L1H0→L0H1.k: L1H0 is not computed before"),
        ("L0H0→L0H1.k", CourseError, "no edge"),
        ("L0 MLP→L0 MLP", CourseError, "no edge"),
        ("L0H1", CourseError, "is not an edge; write"),
        ("L0H1→L1H0", UnknownName, "no receiver named 'L1H0'. Did you mean 'L1H0"),
        ("L0H7→L1H0.k", UnknownName, "no sender named 'L0H7'. Did you mean 'L0H"),
        ("logits→L1H0.k", UnknownName, "no sender named 'logits'"),
    ],
)
def test_what_is_no_edge_is_refused_in_words(edge, error, words):
    with pytest.raises(error, match=words):
        SMALL.edge(edge)


def test_a_mask_of_another_model_is_refused():
    with pytest.raises(CourseError, match="15 receivers and 7 senders"):
        SMALL.edges_of(torch.ones(3, 7))
