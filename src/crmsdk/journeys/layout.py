"""Lay out a directed graph in layers: boxes that never overlap, arrows that run one way, labels kept free.

The module knows nothing of journeys. It breaks cycles, chooses layers, orders each layer and gives
coordinates; the steps stand in private modules beside it. The same graph gives the same picture, in whatever
order its parts are listed. All lengths are in the caller's unit, say CSS pixels; ``y`` grows downward.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from math import inf
from typing import Literal

from attrs import Attribute, define, evolve, field, frozen

from crmsdk.errors import DefinitionError
from crmsdk.journeys._layout_columns import place_columns
from crmsdk.journeys._layout_layers import find_turned, rank_nodes
from crmsdk.journeys._layout_order import order_layers

__all__ = ["Arrow", "Box", "Placed", "PlacedBox", "Point", "Route", "place"]

Point = tuple[float, float]

_MARGIN = 16.0
_BOX_GAP = 28.0
_LINE_GAP = 18.0
_ROW_GAP = 28.0
_WIDEST_ROW_GAP = 96.0
_SLANT = 0.16  # a gap grows by this share of its longest sideways run, or flat curves lie on each other
_COMPONENT_GAP = 48.0
_LOOP = 26.0
_TURNED_SHIFT = 18.0
_LABEL_UNIT = 7.0
_LABEL_HEIGHT = 18.0


def _check_length(_: object, attribute: "Attribute[float]", value: float) -> None:
    """Refuse what is no length."""
    if not 0 <= value < inf:
        raise DefinitionError(f"{attribute.name} is {value}; give a finite length of at least 0")


@frozen
class Box:
    """Something to place, with its size."""

    id: str
    width: float = field(validator=_check_length)
    height: float = field(validator=_check_length)


@frozen
class Arrow:
    """A wish to connect two boxes.

    Args:
        source: Id of the box where it leaves.
        target: Id of the box where it arrives; the source itself for a loop.
        label: Text that will be drawn on it; empty means no place is kept.
        order: Wish from left to right among the arrows of one source; ties are ordered by target and label.
        label_width: Width to keep free; seven units a character when not given.
        label_height: Height to keep free.
    """

    source: str
    target: str
    label: str = ""
    order: int = field(default=0, kw_only=True)
    label_width: float = field(kw_only=True, validator=_check_length)
    label_height: float = field(default=_LABEL_HEIGHT, kw_only=True, validator=_check_length)

    @label_width.default
    def _estimate_width(self) -> float:
        return _LABEL_UNIT * len(self.label)


@frozen
class PlacedBox:
    """A box with its left upper corner."""

    id: str
    x: float
    y: float
    width: float
    height: float


@frozen
class Route:
    """The way of one arrow.

    Args:
        arrow: The arrow drawn.
        points: From the source's edge to the target's edge, two at least. Straight lines between them meet no
            other box; nor do curves that start and end along the direction of the layout.
        label_at: Centre of the label; None without a label.
        turned: The arrow runs against the direction of the layout, because it closes a cycle.
    """

    arrow: Arrow
    points: tuple[Point, ...]
    label_at: Point | None
    turned: bool


@frozen
class Placed:
    """A finished layout: boxes by id, routes by source, order, target and label."""

    boxes: tuple[PlacedBox, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def place(
    boxes: Iterable[Box], arrows: Iterable[Arrow], *, direction: Literal["down", "right"] = "down"
) -> Placed:
    """Lay out a graph.

    Args:
        boxes: The boxes, ids unique, any order.
        arrows: The arrows between them, any order; several may connect the same two boxes.
        direction: Where arrows run: downward, or to the right.

    Returns:
        The layout; parts of the graph that are not connected stand side by side.

    Raises:
        DefinitionError: two boxes share an id, or an arrow names a box that is not there.
    """
    ordered = sorted(boxes, key=lambda box: box.id)
    known = {box.id for box in ordered}
    if len(known) < len(ordered):
        raise DefinitionError("boxes: two of them share an id; give each its own")
    wishes = sorted(arrows, key=_rank_arrow)
    if any(end not in known for arrow in wishes for end in (arrow.source, arrow.target)):
        raise DefinitionError(
            "arrows: one starts or ends at an id that no box has; add the box or drop the arrow"
        )
    if direction == "right":
        return _lie_down(
            place(
                [Box(box.id, box.height, box.width) for box in ordered],
                [evolve(a, label_width=a.label_height, label_height=a.label_width) for a in wishes],
            )
        )
    return _join([_place_component(*part) for part in _split(ordered, wishes)])


def _rank_arrow(arrow: Arrow) -> tuple[str, int, str, str, float, float]:
    """Give the place of an arrow among all."""
    return arrow.source, arrow.order, arrow.target, arrow.label, arrow.label_width, arrow.label_height


def _split(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> Iterator[tuple[list[Box], list[Arrow]]]:
    """Split a graph into its connected parts, by the smallest id of each."""
    near: dict[str, set[str]] = {box.id: set() for box in boxes}
    for arrow in arrows:
        near[arrow.source].add(arrow.target)
        near[arrow.target].add(arrow.source)
    seen: set[str] = set()
    for box in boxes:
        if box.id in seen:
            continue
        part, waiting = {box.id}, [box.id]
        while waiting:
            fresh = near[waiting.pop()] - part
            part |= fresh
            waiting.extend(fresh)
        seen |= part
        yield [one for one in boxes if one.id in part], [one for one in arrows if one.source in part]


def _join(parts: Sequence[Placed]) -> Placed:
    """Stand the parts side by side inside one margin."""
    left = _MARGIN
    boxes: list[PlacedBox] = []
    routes: list[Route] = []
    for part in parts:
        boxes += (evolve(box, x=box.x + left, y=box.y + _MARGIN) for box in part.boxes)
        for route in part.routes:
            points = tuple((x + left, y + _MARGIN) for x, y in route.points)
            at = route.label_at and (route.label_at[0] + left, route.label_at[1] + _MARGIN)
            routes.append(evolve(route, points=points, label_at=at))
        left += part.width + _COMPONENT_GAP
    return Placed(
        tuple(sorted(boxes, key=lambda box: box.id)),
        tuple(sorted(routes, key=lambda route: _rank_arrow(route.arrow))),
        max(left - _COMPONENT_GAP, _MARGIN) + _MARGIN,
        max((part.height for part in parts), default=0.0) + 2 * _MARGIN,
    )


def _lie_down(placed: Placed) -> Placed:
    """Exchange the two axes."""
    return Placed(
        tuple(PlacedBox(box.id, box.y, box.x, box.height, box.width) for box in placed.boxes),
        tuple(
            Route(
                evolve(
                    route.arrow,
                    label_width=route.arrow.label_height,
                    label_height=route.arrow.label_width,
                ),
                tuple((y, x) for x, y in route.points),
                route.label_at and (route.label_at[1], route.label_at[0]),
                route.turned,
            )
            for route in placed.routes
        ),
        placed.height,
        placed.width,
    )


@define
class _Net:
    """A layered graph in the making: boxes first, then the bends of arrows longer than one layer."""

    boxes: Sequence[Box]
    rank: list[int]
    width: list[float]
    height: list[float]
    above: list[list[int]]
    below: list[list[int]]
    chains: dict[int, list[int]] = field(factory=dict)

    def apart(self, left: int, right: int) -> float:
        """Give the least distance between two centres side by side."""
        boxes = (left < len(self.boxes)) + (right < len(self.boxes))
        gap = _BOX_GAP if boxes == 2 else _LINE_GAP  # both are boxes
        return (self.width[left] + self.width[right]) / 2 + gap

    def connect(self, upper: int, lower: int) -> None:
        """Link two nodes of neighbouring layers."""
        self.below[upper].append(lower)
        self.above[lower].append(upper)

    def add_bend(self, rank: int) -> int:
        """Add a node for an arrow that passes a layer."""
        self.rank.append(rank)
        self.width.append(0.0)
        self.height.append(0.0)
        self.above.append([])
        self.below.append([])
        return len(self.rank) - 1


def _place_component(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> Placed:
    """Lay out one connected graph from the origin."""
    number = {box.id: index for index, box in enumerate(boxes)}
    ends = [(number[arrow.source], number[arrow.target]) for arrow in arrows]
    proper = [index for index, (source, target) in enumerate(ends) if source != target]
    flags = find_turned(len(boxes), [ends[index] for index in proper])
    turned = {index for index, flag in zip(proper, flags, strict=True) if flag}
    net = _build(boxes, arrows, [ends[i][::-1] if i in turned else ends[i] for i in range(len(ends))], turned)
    rows: list[list[int]] = [[] for _ in range(max(net.rank) + 1)]
    for node, rank in enumerate(net.rank):
        rows[rank].append(node)
    rows = order_layers(rows, net.above, net.below)
    centre = place_columns(rows, net.above, net.below, boxes=len(boxes), apart=net.apart)
    left = min(at - width / 2 for at, width in zip(centre, net.width, strict=True))
    centre = [at - left for at in centre]
    tops, height = _place_rows(net, rows, centre)
    corners = tuple(
        PlacedBox(
            box.id,
            centre[index] - box.width / 2,
            tops[net.rank[index]][0] + (tops[net.rank[index]][1] - box.height) / 2,
            box.width,
            box.height,
        )
        for index, box in enumerate(boxes)
    )
    loops = _draw_loops(arrows, corners, number)
    routes = [
        loops[index]
        if index in loops
        else _route(arrow, net.chains[index], (centre, tops, net.rank), corners, turned=index in turned)
        for index, arrow in enumerate(arrows)
    ]
    width = max(at + width / 2 for at, width in zip(centre, net.width, strict=True))
    return Placed(corners, tuple(routes), width, height)


def _build(
    boxes: Sequence[Box], arrows: Sequence[Arrow], ends: Sequence[tuple[int, int]], turned: set[int]
) -> _Net:
    """Choose layers and cut long arrows into pieces of one layer.

    An arrow with a label, or with a twin, passes a layer between its ends, where it has a place to itself.
    """
    spans: dict[int, tuple[int, int, int]] = {}
    twins: set[tuple[int, int]] = set()
    room, high = [box.width for box in boxes], [box.height for box in boxes]
    for index, (upper, lower) in enumerate(ends):
        if upper == lower:
            room[upper] += 2 * _loop_width(
                arrows[index]
            )  # on both sides, so that the box stays in the middle
            high[upper] = max(high[upper], arrows[index].label_height if arrows[index].label else 0.0)
            continue
        spans[index] = upper, lower, 2 if arrows[index].label or (upper, lower) in twins else 1
        twins.add((upper, lower))
    net = _Net(
        boxes,
        rank_nodes(len(boxes), list(spans.values())),
        room,
        high,
        [[] for _ in boxes],
        [[] for _ in boxes],
    )
    for index, (upper, lower, _) in spans.items():
        chain = [upper, *(net.add_bend(rank) for rank in range(net.rank[upper] + 1, net.rank[lower])), lower]
        for one, two in pairwise(chain):
            net.connect(one, two)
        if arrows[index].label:
            bearer = chain[-2 if index in turned else 1]
            net.width[bearer] = arrows[index].label_width
            net.height[bearer] = arrows[index].label_height
        net.chains[index] = chain
    return net


def _place_rows(
    net: _Net, rows: Sequence[Sequence[int]], centre: Sequence[float]
) -> tuple[list[tuple[float, float]], float]:
    """Give each row its top and height; a gap with long sideways runs is higher."""
    tops: list[tuple[float, float]] = []
    top = 0.0
    for row in rows:
        height = max(net.height[node] for node in row)
        tops.append((top, height))
        run = max(
            (abs(centre[node] - centre[other]) for node in row for other in net.below[node]), default=0.0
        )
        top += height + min(max(_ROW_GAP, run * _SLANT), _WIDEST_ROW_GAP)
    return tops, tops[-1][0] + tops[-1][1]


def _route(
    arrow: Arrow,
    chain: Sequence[int],
    places: tuple[Sequence[float], Sequence[tuple[float, float]], Sequence[int]],
    corners: Sequence[PlacedBox],
    *,
    turned: bool,
) -> Route:
    """Lead an arrow through its bends: upright inside rows, sideways only between them."""
    centre, tops, rank = places
    points: list[Point] = []
    for node in chain:
        top, height = tops[rank[node]]
        if node not in (chain[0], chain[-1]):
            points += [(centre[node], top), (centre[node], top + height)]
            continue
        toward = centre[chain[1] if node == chain[0] else chain[-2]] - centre[node]
        shift = min(_TURNED_SHIFT, corners[node].width / 4) * (1 if toward >= 0 else -1) if turned else 0.0
        x = centre[node] + shift
        if node == chain[0]:
            points += [(x, corners[node].y + corners[node].height), (x, top + height)]
        else:
            points += [(x, top), (x, corners[node].y)]
    label_at = None
    if arrow.label:
        bearer = chain[-2 if turned else 1]
        top, height = tops[rank[bearer]]
        label_at = (centre[bearer], top + height / 2)
    if turned:
        points.reverse()
    return Route(arrow, _simplify(points), label_at, turned)


def _simplify(points: Sequence[Point]) -> tuple[Point, ...]:
    """Drop repeated points and the middle ones of upright runs."""
    kept: list[Point] = []
    for point in points:
        if kept and kept[-1] == point:
            continue
        if len(kept) > 1 and kept[-2][0] == kept[-1][0] == point[0]:
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _loop_width(arrow: Arrow) -> float:
    """Give the room a loop takes beside its box."""
    return _LOOP + (arrow.label_width + _LINE_GAP if arrow.label else 0.0)


def _draw_loops(
    arrows: Sequence[Arrow], corners: Sequence[PlacedBox], number: Mapping[str, int]
) -> dict[int, Route]:
    """Lead each loop out of the right side of its box and back, one around the other."""
    routes: dict[int, Route] = {}
    for source, group in groupby(range(len(arrows)), key=lambda index: arrows[index].source):
        own = [index for index in group if arrows[index].target == source]
        box = corners[number[source]]
        right, middle, out = box.x + box.width, box.y + box.height / 2, 0.0
        for order, index in enumerate(own, 1):
            arrow, half = arrows[index], box.height / 2 * order / (len(own) + 1)
            edge = right + out + _LOOP
            points = (
                (right, middle - half),
                (edge, middle - half),
                (edge, middle + half),
                (right, middle + half),
            )
            label_at = (edge + (_LINE_GAP + arrow.label_width) / 2, middle) if arrow.label else None
            routes[index] = Route(arrow, points, label_at, turned=True)
            out += _loop_width(arrow)
    return routes
