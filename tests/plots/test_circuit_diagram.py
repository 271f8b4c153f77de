"""A circuit can be read off its drawing, and off its words."""

import random
from itertools import combinations

import pytest
from matplotlib.patches import FancyBboxPatch, PathPatch

from mi_course.methods.edge_graph import EdgeGraph
from mi_course.plots import circuit_diagram
from tests.plots.drawn import renderer_of

INDUCTION = [
    ("embed", "L0H1.v"),
    ("L0H1", "L1H2.k"),
    ("embed", "L1H2.q"),
    ("embed", "L1H2.v"),
    ("L1H2", "logits"),
]
NAMES = {"L0H1": "previous token", "L1H2": "induction"}
GRAPH = EdgeGraph(4, 6, True)


def draw(edges=INDUCTION, **options):
    return circuit_diagram(edges, title="Who reads whom?", **options)


def lines(picture):
    return [p for p in picture.figure.axes[0].patches if isinstance(p, PathPatch)]


def boxes(picture):
    return [p for p in picture.figure.axes[0].patches if isinstance(p, FancyBboxPatch)]


def words(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts]


def box_of(picture, node):
    """The box in which the node's name stands."""
    [text] = [text for text in picture.figure.axes[0].texts if text.get_text() == node]
    x, y = text.get_position()
    [box] = [
        b for b in boxes(picture) if b.get_x() < x < b.get_x() + b.get_width() and abs(y - middle(b)) < 0.3
    ]
    return box


def middle(box):
    return box.get_y() + box.get_height() / 2


def some_edges(n, seed=0):
    return random.Random(seed).sample(GRAPH.edges, n)


def test_one_line_an_edge_and_one_box_a_node():
    picture = draw()
    assert len(lines(picture)) == 5
    assert len(boxes(picture)) == 4
    assert {"embed", "L0H1", "L1H2", "logits", "layer 0", "layer 1"} <= set(words(picture))


def test_an_edge_begins_at_the_top_of_its_sender_and_ends_at_the_input_of_its_receiver():
    picture = draw([("L0H1", "L1H2.q"), ("L0H1", "L1H2.k"), ("L0H1", "L1H2.v")])
    sender, receiver = (box_of(picture, node) for node in ("L0H1", "L1H2"))
    ends = []
    for line in lines(picture):
        start, *_, end = line.get_path().vertices
        assert start[1] == pytest.approx(sender.get_y() + sender.get_height())
        assert end[1] == pytest.approx(receiver.get_y())
        ends.append(end[0])
    assert ends == sorted(ends)
    assert ends[-1] - ends[0] > 0.3 * receiver.get_width()
    assert [word for word in words(picture) if word in "qkv"] == ["q", "k", "v"]


def test_everything_flows_upwards():
    picture = draw(some_edges(100), graph=GRAPH)
    for line in lines(picture):
        start, *_, end = line.get_path().vertices
        assert start[1] < end[1]


def test_queries_keys_values_and_the_rest_differ_in_colour_and_in_dashes():
    kinds = [
        ("embed", "L0H0.q"),
        ("embed", "L0H0.k"),
        ("embed", "L0H0.v"),
        ("L0H0", "L0 MLP"),
        ("L0H0", "logits"),
    ]
    drawn = lines(draw(kinds))
    assert len({line.get_edgecolor()[:3] for line in drawn}) == 4
    assert len({str(line.get_linestyle()) for line in drawn}) == 4
    [legend] = draw(kinds).figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "into query", "into key", "into value", "into MLP or logits",
    ]  # fmt: skip
    [shorter] = draw(kinds[:1]).figure.legends
    assert [text.get_text() for text in shorter.get_texts()] == ["into query"]


def test_a_larger_weight_is_a_wider_line_whatever_its_sign():
    weights = dict(zip(INDUCTION, (0.1, -3.0, 1.0, 2.0)))
    widths = sorted(line.get_linewidth() for line in lines(draw(weights=weights, unit="logits")))
    assert len(set(widths)) == 5
    strongest = max(lines(draw(weights=weights)), key=lambda line: line.get_linewidth())
    assert strongest.get_edgecolor()[:3] == lines(draw([("L0H1", "L1H2.k")]))[0].get_edgecolor()[:3]
    assert (
        draw(weights=weights, unit="logits").figure.legends[0].get_title().get_text()
        == "the wider, the more logits"
    )


@pytest.mark.parametrize("n", [8, 60, 300])
@pytest.mark.parametrize("graph", [None, GRAPH], ids=["compact", "all nodes"])
def test_boxes_never_overlap_and_names_stay_inside(n, graph):
    picture = draw(some_edges(n), graph=graph, names={"L1H0": "a role with a very long name"})
    renderer = renderer_of(picture)
    extents = [box.get_window_extent(renderer) for box in boxes(picture)]
    assert not any(a.overlaps(b) for a, b in combinations(extents, 2))
    figure = picture.figure.bbox
    for text in picture.figure.axes[0].texts:
        extent = text.get_window_extent(renderer)
        assert figure.x0 <= extent.x0
        assert extent.x1 <= figure.x1
        if not text.get_text().startswith("layer"):
            assert any(b.x0 - 1 <= extent.x0 and extent.x1 <= b.x1 + 1 for b in extents), text.get_text()


def test_twelve_layers_of_twelve_heads_fit():
    graph = EdgeGraph(12, 12, True)
    picture = draw(random.Random(1).sample(graph.edges, 200), graph=graph)
    renderer = renderer_of(picture)
    extents = [box.get_window_extent(renderer) for box in boxes(picture)]
    assert len(extents) == 12 * 13 + 2
    assert not any(a.overlaps(b) for a, b in combinations(extents, 2))
    assert picture.figure.get_size_inches()[1] < 12


def test_with_a_graph_a_node_keeps_its_place_whatever_the_circuit():
    few, many = draw(graph=GRAPH), draw(some_edges(200), graph=GRAPH)
    for node in ("L1H2", "L0H1", "logits"):
        assert box_of(few, node).get_x() == pytest.approx(box_of(many, node).get_x())
        assert box_of(few, node).get_y() == pytest.approx(box_of(many, node).get_y())
    assert len(boxes(few)) == 30
    pale = box_of(few, "L3H3").get_edgecolor()
    assert pale != box_of(few, "L1H2").get_edgecolor()


def test_the_words_say_how_much_there_is_and_how_to_get_to_the_logits():
    alt = draw(names=NAMES, alt="Found by hand.").alt
    assert alt.startswith("Found by hand. A circuit of 5 edges among 2 heads and 0 MLPs: ")
    assert "1 into queries, 1 into keys, 2 into values, 1 into MLPs or logits." in alt
    assert "previous token: L0H1; induction: L1H2." in alt
    assert "Longest ways: embed to values of L0H1 to keys of L1H2 to logits;" in alt


def test_a_way_is_as_strong_as_its_weakest_edge():
    weights = dict(zip(INDUCTION, (0.1, 5.0, 1.0, 2.0, 4.0)))
    alt = draw(weights=weights).alt
    assert (
        "Strongest ways: embed to values of L1H2 to logits; embed to queries of L1H2 to logits; embed to"
        in alt
    )


def test_a_circuit_without_a_way_to_the_logits_says_so():
    assert "No way leads from the embedding to the logits." in draw(INDUCTION[:-1]).alt
    assert draw([]).alt == "A circuit without edges."
    assert len(boxes(draw([]))) == 2


def test_edges_may_be_written_as_text_and_count_once():
    picture = draw(["L0H1→L1H2.k", "L0H1 -> L1H2.k", ("L0H1", "L1H2.k")])
    assert len(lines(picture)) == 1


def test_the_same_circuit_in_another_order_is_the_same_picture():
    edges = some_edges(40)
    assert draw(edges).png() == draw(edges[::-1]).png()


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        (["L0H1"], "is not an edge"),
        ([("L0H1", "blocks.1")], "'blocks.1' is no node"),
        ([("L9H0", "logits")], "The graph has no L9H0"),
    ],
    ids=["no edge", "no node", "another model's"],
)
def test_what_is_no_edge_is_refused(edges, words):
    with pytest.raises(ValueError, match=words):
        draw(edges, graph=GRAPH)


def test_a_cloud_of_edges_is_refused():
    graph = EdgeGraph(6, 6, True)
    with pytest.raises(ValueError, match="draw the strongest 1000 or fewer"):
        draw(graph.edges[:1001])
