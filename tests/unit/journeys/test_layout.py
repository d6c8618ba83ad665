"""The layout of graphs: nothing overlaps, arrows run one way, few cross."""

from hashlib import sha256
from itertools import combinations, pairwise, permutations, product
from typing import Literal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError
from crmsdk.journeys._layout_layers import find_turned, rank_nodes
from crmsdk.journeys._layout_order import count_crossings, order_layers
from crmsdk.journeys.layout import Arrow, Box, Placed, PlacedBox, Point, Route, place
from tests.unit.journeys.layout_corpus import CORPUS

# Crossings of Graphviz 2.43 on the same corpus: the last "mincross: N crossings" that `dot -v` prints,
# the result of its own crossing reduction, for boxes of 2.2 x 0.6 inches and labels on the same arrows.
GRAPHVIZ_CROSSINGS = {
    "welcome": 0,
    "cart": 0,
    "split": 1,
    "ladder": 0,
    "loop": 0,
    "webinar": 0,
    "shared-exits": 0,
    "crossed": 3,
    "two-doors": 0,
    "winback": 0,
    "k33": 9,
    "channels": 0,
    "b2b": 0,
    "map": 6,
    "chain-10": 0,
    "chain-20": 0,
    "chain-30": 2,
    "chain-40": 2,
    "chain-50": 3,
    "chain-60": 3,
}

Graph = tuple[list[Box], list[Arrow]]
Direction = Literal["down", "right"]

labels = st.sampled_from(["", "", "yes", "no", "no answer for a week"])
sides = st.sampled_from([0.0, 1.0, 40.0, 180.0])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Draw any graph: loops, twins, cycles, lone boxes, several parts."""
    count = draw(st.integers(0, 9))
    boxes = [Box(f"s{n}", draw(sides), draw(sides)) for n in range(count)]
    ids = st.sampled_from([box.id for box in boxes] or [""])
    arrows = draw(st.lists(st.builds(Arrow, ids, ids, labels), max_size=14)) if count else []
    return boxes, arrows


def rectangles(placed: Placed) -> list[tuple[str, float, float, float, float]]:
    """List boxes and labels as left, top, right, bottom."""
    found = [(box.id, box.x, box.y, box.x + box.width, box.y + box.height) for box in placed.boxes]
    for route in placed.routes:
        if route.label_at:
            (x, y), arrow = route.label_at, route.arrow
            half, high = arrow.label_width / 2, arrow.label_height / 2
            found.append((arrow.label, x - half, y - high, x + half, y + high))
    return found


def side(one: Point, two: Point, three: Point) -> float:
    """Say on which side of a line a point lies."""
    return (two[0] - one[0]) * (three[1] - one[1]) - (two[1] - one[1]) * (three[0] - one[0])


def cross(one: Route, two: Route) -> int:
    """Count the points where two routes cross; touching is not crossing."""
    return sum(
        side(a, b, c) * side(a, b, d) < -1e-6 and side(c, d, a) * side(c, d, b) < -1e-6
        for (a, b), (c, d) in product(pairwise(one.points), pairwise(two.points))
    )


def place_corpus(name: str) -> Placed:
    """Lay out one graph of the corpus with boxes of usual size."""
    arrows = CORPUS[name]
    ids = sorted({end for arrow in arrows for end in arrow[:2]})
    boxes = [Box(id, 158, 43) for id in ids]
    return place(boxes, [Arrow(*arrow) for arrow in arrows])


@given(graphs(), st.sampled_from(["down", "right"]))
def test_no_two_boxes_or_labels_overlap(graph: Graph, direction: Direction) -> None:
    placed = place(*graph, direction=direction)
    for one, two in combinations(rectangles(placed), 2):
        apart = one[3] <= two[1] or two[3] <= one[1] or one[4] <= two[2] or two[4] <= one[2]
        assert apart, (one, two)


@given(graphs(), st.sampled_from(["down", "right"]))
def test_everything_lies_inside_the_drawing(graph: Graph, direction: Direction) -> None:
    placed = place(*graph, direction=direction)
    for _, left, top, right, bottom in rectangles(placed):
        assert left >= 0
        assert top >= 0
        assert right <= placed.width
        assert bottom <= placed.height
    for route in placed.routes:
        assert all(0 <= x <= placed.width and 0 <= y <= placed.height for x, y in route.points)


@given(graphs())
def test_arrows_run_down_unless_they_close_a_cycle(graph: Graph) -> None:
    placed = place(*graph)
    for route in placed.routes:
        heights = [y for _, y in route.points]
        if route.arrow.source == route.arrow.target:
            assert route.turned
        else:
            assert heights == sorted(heights, reverse=route.turned)
    straight = [(r.arrow.source, r.arrow.target) for r in placed.routes if not r.turned]
    number = {box.id: index for index, box in enumerate(placed.boxes)}
    assert not any(find_turned(len(number), [(number[a], number[b]) for a, b in straight]))


@given(graphs(), st.sampled_from(["down", "right"]))
def test_routes_start_and_end_on_the_edges_of_their_boxes(graph: Graph, direction: Direction) -> None:
    placed = place(*graph, direction=direction)
    at = {box.id: box for box in placed.boxes}
    for route in placed.routes:
        for (x, y), box in (
            (route.points[0], at[route.arrow.source]),
            (route.points[-1], at[route.arrow.target]),
        ):
            inside = box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
            on_edge = x in (box.x, box.x + box.width) or y in (box.y, box.y + box.height)
            assert inside
            assert on_edge


def enters(box: PlacedBox, one: Point, two: Point) -> bool:
    """Say whether a piece of a route passes the inside of a box, by small steps."""
    for step in range(1, 40):
        x, y = (a + (b - a) * step / 40 for a, b in zip(one, two, strict=True))
        if box.x < x < box.x + box.width and box.y < y < box.y + box.height:
            return True
    return False


@given(graphs(), st.sampled_from(["down", "right"]))
def test_no_route_passes_through_a_box(graph: Graph, direction: Direction) -> None:
    placed = place(*graph, direction=direction)
    for route in placed.routes:
        for box in placed.boxes:
            assert not any(enters(box, *piece) for piece in pairwise(route.points))


@given(graphs(), st.data())
def test_same_parts_in_another_order_give_the_same_layout(graph: Graph, data: st.DataObject) -> None:
    boxes, arrows = data.draw(st.permutations(graph[0])), data.draw(st.permutations(graph[1]))
    assert place(boxes, arrows) == place(*graph)


@given(graphs())
def test_every_box_and_arrow_is_drawn_once(graph: Graph) -> None:
    boxes, arrows = graph
    placed = place(boxes, arrows)
    assert [box.id for box in placed.boxes] == sorted(box.id for box in boxes)
    assert sorted(map(repr, arrows)) == sorted(repr(route.arrow) for route in placed.routes)
    assert all((route.label_at is None) == (not route.arrow.label) for route in placed.routes)


def test_right_is_down_with_the_axes_exchanged() -> None:
    boxes = [Box("a", 10, 40), Box("b", 20, 60), Box("c", 30, 80)]
    arrows = [Arrow("a", "b", "x", label_width=30, label_height=12), Arrow("a", "c")]
    right = place(boxes, arrows, direction="right")
    down = place(
        [Box(box.id, box.height, box.width) for box in boxes],
        [evolve(arrows[0], label_width=12, label_height=30), arrows[1]],
    )
    assert (right.width, right.height) == (down.height, down.width)
    assert [(box.x, box.y) for box in right.boxes] == [(box.y, box.x) for box in down.boxes]
    assert right.routes[0].arrow == arrows[0]


def test_a_chain_is_straight() -> None:
    ids = [f"s{number}" for number in range(12)]
    placed = place([Box(id, 150, 40) for id in ids], [Arrow(a, b, "next") for a, b in pairwise(ids)])
    assert len({x for route in placed.routes for x, _ in route.points}) == 1
    assert all(len(route.points) == 2 for route in placed.routes)


def test_a_parent_stands_over_the_middle_of_its_children() -> None:
    placed = place([Box(id, 100, 40) for id in "abc"], [Arrow("a", "b"), Arrow("a", "c")])
    middle = {box.id: box.x + box.width / 2 for box in placed.boxes}
    assert middle["a"] == pytest.approx((middle["b"] + middle["c"]) / 2)


def test_wishes_for_left_and_right_are_kept() -> None:
    boxes = [Box(id, 100, 40) for id in "abc"]
    for left, right in ("bc", "cb"):
        placed = place(boxes, [Arrow("a", left, order=0), Arrow("a", right, order=1)])
        at = {box.id: box.x for box in placed.boxes}
        assert at[left] < at[right]


@pytest.mark.parametrize("name", CORPUS)
def test_no_more_crossings_than_graphviz(name: str) -> None:
    placed = place_corpus(name)
    assert sum(cross(*pair) for pair in combinations(placed.routes, 2)) <= GRAPHVIZ_CROSSINGS[name]


def test_corpus_covers_three_to_sixty_steps() -> None:
    sizes = sorted(len({end for arrow in arrows for end in arrow[:2]}) for arrows in CORPUS.values())
    assert len(sizes) == 20
    assert sizes[0] <= 5
    assert 55 <= sizes[-1] <= 60
    assert GRAPHVIZ_CROSSINGS.keys() == CORPUS.keys()


def fewest_crossings(layers: list[list[int]], below: list[list[int]]) -> int:
    """Try every order of every layer."""
    orders = product(*(permutations(layer) for layer in layers))
    return min(count_crossings(order, below) for order in orders)


def tiny_graph(number: int) -> tuple[list[list[int]], list[list[int]], list[list[int]]]:
    """Make one of many graphs of three layers, up to four nodes each."""
    bits = iter(f"{int.from_bytes(sha256(str(number).encode()).digest()):0256b}")
    layers: list[list[int]] = []
    count = 0
    for _ in range(3):
        size = 1 + int(next(bits)) + 2 * int(next(bits))
        layers.append(list(range(count, count + size)))
        count += size
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for one, two in (pair for rows in pairwise(layers) for pair in product(*rows)):
        if next(bits) == "1":
            below[one].append(two)
            above[two].append(one)
    return layers, above, below


def test_tiny_graphs_get_almost_always_the_fewest_crossings_there_are() -> None:
    extra: list[int] = []
    for number in range(300):
        layers, above, below = tiny_graph(number)
        found = order_layers(layers, above, below)
        assert [sorted(layer) for layer in found] == layers
        extra.append(count_crossings(found, below) - fewest_crossings(layers, below))
    # The exact problem is NP-hard and the method has no proof; measured: 1 miss in these 300.
    assert sum(extra) <= 1


def test_crossings_are_counted_like_pairs_of_lines() -> None:
    below = [[3, 4], [3], [4], [], []]
    assert count_crossings([[0, 1, 2], [3, 4]], below) == 1
    assert count_crossings([[0, 1, 2], [4, 3]], below) == 2


@given(st.integers(1, 7), st.data())
def test_layers_keep_their_distance_and_start_at_zero(count: int, data: st.DataObject) -> None:
    pairs = list(combinations(range(count), 2))
    chosen = data.draw(st.lists(st.sampled_from(pairs), max_size=12)) if pairs else []
    spans = [(upper, lower, data.draw(st.integers(1, 2))) for upper, lower in chosen]
    rank = rank_nodes(count, spans)
    assert min(rank) == 0
    assert all(rank[lower] - rank[upper] >= least for upper, lower, least in spans)


def test_a_late_source_stands_close_to_its_target() -> None:
    # 0 > 1 > 2 > 3 and a second source 4 > 3: the longest path alone would put 4 at the top.
    assert rank_nodes(5, [(0, 1, 1), (1, 2, 1), (2, 3, 1), (4, 3, 1)]) == [0, 1, 2, 3, 2]


@pytest.mark.parametrize(
    ("boxes", "arrows", "words"),
    [
        ([Box("a", 1, 1), Box("a", 2, 2)], [], "share an id"),
        ([Box("a", 1, 1)], [Arrow("a", "b")], "no box has"),
    ],
)
def test_a_broken_graph_is_refused(boxes: list[Box], arrows: list[Arrow], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        place(boxes, arrows)


@pytest.mark.parametrize("length", [-1.0, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(length: float) -> None:
    with pytest.raises(DefinitionError, match="width is"):
        Box("a", length, 1)
    with pytest.raises(DefinitionError, match="label_height is"):
        Arrow("a", "b", label_height=length)


def test_nothing_gives_an_empty_drawing() -> None:
    placed = place([], [])
    assert not placed.boxes
    assert not placed.routes
    assert placed.width >= 0
    assert placed.height >= 0


def test_long_chains_need_no_deep_stack() -> None:
    ids = [f"{number:04}" for number in range(1500)]
    placed = place([Box(id, 100, 30) for id in ids], [Arrow(a, b) for a, b in pairwise(ids)])
    assert len(placed.boxes) == 1500
