"""Drawing steps and ways: every step once, words inside shapes, counts told."""

import re
from itertools import pairwise
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError
from crmsdk.journeys.layout import place
from crmsdk.reports.graph import Kind, Link, Step, draw_graph, draw_placed, measure_link, measure_step
from crmsdk.reports.text import text_width
from tests.unit.reports.reading import HOSTILE, find, number, parse

KINDS: tuple[Kind, ...] = get_args(Kind)

steps = st.builds(
    Step,
    st.just(""),
    st.sampled_from(KINDS),
    st.sampled_from(HOSTILE),
    detail=st.sampled_from(HOSTILE),
    count=st.none() | st.integers(0, 10**7),
)


def chain(count: int) -> tuple[list[Step], list[Link]]:
    """Make steps in a row."""
    row = [Step(f"s{n}", KINDS[n % len(KINDS)], f"step {n}", count=100 - n) for n in range(count)]
    return row, [Link(one.id, two.id, label="next", count=two.count) for one, two in pairwise(row)]


def test_each_step_and_each_way_is_drawn_once() -> None:
    row, links = chain(9)
    root = parse(draw_graph(row, links, prefix="p", title="t"))
    assert sorted(node.get("data-step", "") for node in find(root, "g", "step")) == [step.id for step in row]
    assert {node.get("data-kind") for node in find(root, "g", "step")} == set(KINDS)
    assert len(find(root, "path", "way")) == len(find(root, "path", "head")) == len(links)


def test_every_kind_has_its_own_sign() -> None:
    row = [Step(kind, kind, kind) for kind in KINDS]
    signs = [
        node.get("d") for node in find(parse(draw_graph(row, [], prefix="p", title="t")), "path", "sign")
    ]
    assert len(signs) == len(KINDS)
    # A branch and a split share their colour; their signs must differ all the more.
    assert len(set(signs)) == len(KINDS)


def test_ways_are_as_thick_as_their_counts() -> None:
    row = [Step(id, "send", id) for id in "abcd"]
    links = [Link("a", "b", count=1000), Link("a", "c", count=500), Link("a", "d", count=0)]
    ways = find(parse(draw_graph(row, links, prefix="p", title="t")), "path", "way")
    assert [number(way, "stroke-width") for way in ways] == [8, 4, 1.5]


def test_counts_stand_on_the_ways_and_in_the_tooltips() -> None:
    row = [Step("a", "enter", "In", count=12840, note="since May"), Step("b", "send", "Mail", detail="email")]
    root = parse(draw_graph(row, [Link("a", "b", label="yes", count=1200)], prefix="p", title="t"))
    (pill,) = find(root, "text", "pilled")
    assert pill.text == "yes · 1\u202f200"
    first, second = (node.get("aria-label") for node in find(root, "g", "step"))
    assert first == "enter: In, 12\u202f840, since May"
    assert second == "send: Mail, email"


def test_equal_ways_between_two_steps_are_both_drawn() -> None:
    row = [Step("a", "branch", "a"), Step("b", "exit", "b")]
    links = [Link("a", "b", label="x", count=5), Link("a", "b", label="x", count=5), Link("a", "b")]
    root = parse(draw_graph(row, links, prefix="p", title="t"))
    assert len({way.get("d") for way in find(root, "path", "way")}) == 3


@pytest.mark.parametrize("direction", ["down", "right"])
def test_heads_touch_their_boxes_and_ways_end_at_their_heads(direction: Literal["down", "right"]) -> None:
    row = [Step(id, "send", id) for id in "abc"]
    links = [Link("a", "b"), Link("a", "c"), Link("c", "a"), Link("b", "b")]
    placed = place(map(measure_step, row), map(measure_link, links), direction=direction)
    root = parse(draw_placed(placed, row, links, prefix="p", title="t", direction=direction))
    ways, heads = (find(root, "path", style) for style in ("way", "head"))
    for route, way, head in zip(placed.routes, ways, heads, strict=True):
        one, tip, two = (tuple(map(float, point.split())) for point in head.get("d", "")[1:-1].split("L"))
        last = tuple(map(float, way.get("d", "").replace("L", " ").replace("C", " ").split()[-2:]))
        assert tip == pytest.approx(route.points[-1], abs=0.1)
        assert last == pytest.approx(((one[0] + two[0]) / 2, (one[1] + two[1]) / 2), abs=0.1)
        bent = len({x for x, _ in route.points}) > 1 and len({y for _, y in route.points}) > 1
        assert ("C" in way.get("d", "")) == (bent and route.arrow.source != route.arrow.target)


def test_a_way_back_is_dashed() -> None:
    row = [Step(id, "send", id) for id in "ab"]
    root = parse(draw_graph(row, [Link("a", "b"), Link("b", "a"), Link("a", "a")], prefix="p", title="t"))
    assert len(find(root, "path", "turned")) == 2


@given(steps)
def test_words_stay_inside_their_box(step: Step) -> None:
    box = measure_step(step)
    root = parse(draw_graph([step], [], prefix="p", title="t"))
    (group,) = find(root, "g", "step")
    sizes = {"name": (13.0, True), "detail": (11.5, False), "count": (11.5, True)}
    for node in find(group, "text"):
        size, bold = sizes[node.get("class", "")]
        end = number(node, "x") + text_width(node.text or "", size=size, bold=bold)
        assert end <= 16 + box.width
        assert number(node, "y") - size * 0.75 >= 16
        assert number(node, "y") + size * 0.25 <= 16 + box.height


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("direction", ["down", "right"])
def test_hostile_words_stay_text(text: str, direction: str) -> None:
    row = [Step("a" + text, "send", text, detail=text, note=text), Step("b", "exit", text)]
    links = [Link("a" + text, "b", label=text, count=3)]
    picture = draw_graph(
        row, links, prefix="p", title=text, direction="right" if direction == "right" else "down"
    )
    assert "<script" not in picture
    assert "<img" not in picture
    root = parse(picture)
    assert len(find(root, "g", "step")) == 2
    words = [node.text or "" for node in find(root, "text") if node.get("class") != "title"]
    assert all(text_width(word, size=11.5) <= 230 for word in words)


def test_two_pictures_share_no_id() -> None:
    row, links = chain(3)
    pictures = [draw_graph(row, links, prefix=prefix, title="t") for prefix in ("one", "two")]
    ids = [{node.get("id") for node in parse(picture).iter()} - {None} for picture in pictures]
    assert not ids[0] & ids[1]
    selectors = re.findall(r"#([a-z]+)[ {,]", pictures[0][: pictures[0].index("</style>")])
    assert set(selectors) == {"one"}


def test_counts_do_not_change_places() -> None:
    row = [Step(id, "send", id) for id in "abc"]

    def find_order(left: int, right: int) -> list[str]:
        links = [Link("a", "b", count=left), Link("a", "c", count=right)]
        placed = place(map(measure_step, row), map(measure_link, links))
        return [box.id for box in sorted(placed.boxes, key=lambda box: box.x)]

    assert find_order(100, 200) == find_order(200, 100)


def test_the_order_of_steps_and_links_does_not_matter() -> None:
    row, links = chain(6)
    links.append(Link("s0", "s5", count=3))
    turned = draw_graph(row[::-1], links[::-1], prefix="p", title="t")
    assert turned == draw_graph(row, links, prefix="p", title="t")


def test_a_layout_may_come_from_elsewhere() -> None:
    row, links = chain(4)
    placed = place(map(measure_step, row), map(measure_link, links))
    assert draw_placed(placed, row, links, prefix="p", title="t") == draw_graph(
        row, links, prefix="p", title="t"
    )


def test_kinds_are_named_in_the_readers_language() -> None:
    picture = draw_graph([Step("a", "wait", "x")], [], prefix="p", title="t", labels={"kind.wait": "ждать"})
    assert "ждать: x" in picture


def test_a_picture_is_named_and_its_steps_are_read_one_by_one() -> None:
    root = parse(draw_graph(*chain(2), prefix="p", title="Cart"))
    assert (root.get("role"), root.get("aria-label")) == ("group", "Cart")
    assert all(step.get("role") == "img" for step in find(root, "g", "step"))


def test_broken_steps_are_refused() -> None:
    with pytest.raises(DefinitionError, match="kind 'jump' is unknown"):
        Step("a", "jump", "x")  # type: ignore[arg-type] # what a caller without a type checker may write
    with pytest.raises(DefinitionError, match="count is -1"):
        Link("a", "b", count=-1)
    with pytest.raises(DefinitionError, match="no box has"):
        draw_graph([Step("a", "send", "a")], [Link("a", "b")], prefix="p", title="t")
