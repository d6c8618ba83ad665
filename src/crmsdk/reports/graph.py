"""Draw steps and the ways between them: a journey, or the map of all journeys.

The module takes plain values and knows no journeys. It measures the words, asks the layout for places, and
draws a shape for each kind of step, and ways as thick as their counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

from attrs import field, frozen

from crmsdk.errors import DefinitionError
from crmsdk.journeys.layout import Arrow, Box, Placed, PlacedBox, Point, Route, place
from crmsdk.reports._axes import draw_heading, write_number
from crmsdk.reports._glyphs import GLYPHS
from crmsdk.reports.labels import ENGLISH, find_label
from crmsdk.reports.svg import Element, Svg, draw, element
from crmsdk.reports.text import text_width, wrap

__all__ = ["Kind", "Link", "Step", "draw_graph", "draw_placed", "measure_link", "measure_step"]

Kind: TypeAlias = Literal["enter", "send", "wait", "branch", "split", "update", "task", "goal", "exit"]

_COLOURS: Mapping[str, int] = {
    "enter": 3,
    "send": 1,
    "wait": 2,
    "branch": 4,
    "split": 4,
    "update": 5,
    "task": 6,
    "goal": 3,
    "exit": 7,
}
_TITLE_SIZE, _DETAIL_SIZE, _PILL_SIZE = 13.0, 11.5, 11.5
_LINE_HEIGHT = 16.0
_PADDING = 10.0
_BADGE = 34.0
_NARROWEST, _WIDEST = 96.0, 190.0
_SLANT = 14.0
_PILL_HEIGHT = 18.0
_HEADING = 34.0
_THINNEST, _THICKEST = 1.5, 8.0


def _check_kind(_: object, __: object, value: str) -> None:
    """Refuse an unknown kind."""
    if value not in get_args(Kind):
        raise DefinitionError(f"kind {value!r} is unknown; give one of {', '.join(get_args(Kind))}")


def _check_count(_: object, __: object, value: int | None) -> None:
    """Refuse a negative count."""
    if value is not None and value < 0:
        raise DefinitionError(f"count is {value}; give at least 0, or None when nobody counted")


@frozen
class Step:
    """A step to draw.

    Args:
        id: Unique in its picture; becomes ``data-step``, by which a page finds the step's facts.
        kind: Decides shape, colour and sign.
        title: What it is, at most two lines.
        detail: More about it in smaller letters, at most two lines.
        note: Shown when the pointer rests on it.
        count: People who reached it; None when nobody counted.
    """

    id: str
    kind: Kind = field(validator=_check_kind)
    title: str
    detail: str = field(default="", kw_only=True)
    note: str = field(default="", kw_only=True)
    count: int | None = field(default=None, kw_only=True, validator=_check_count)


@frozen
class Link:
    """A way from step to step.

    Args:
        source: Id of the step it leaves.
        target: Id of the step it reaches.
        label: When it is taken, as ``yes`` or ``after 2 days``.
        count: People who took it; decides how thick it is drawn. None when nobody counted.
        order: Wish from left to right among the links of one step.
    """

    source: str
    target: str
    label: str = field(default="", kw_only=True)
    count: int | None = field(default=None, kw_only=True, validator=_check_count)
    order: int = field(default=0, kw_only=True)


def draw_graph(
    steps: Iterable[Step],
    links: Iterable[Link],
    *,
    prefix: str,
    title: str,
    direction: Literal["down", "right"] = "down",
    labels: Mapping[str, str] = ENGLISH,
) -> Svg:
    """Lay out and draw steps and links.

    Args:
        steps: The steps, ids unique.
        links: The ways between them.
        prefix: Id of the picture, unique in its page.
        title: What it shows.
        direction: Where the ways run.
        labels: Words in the reader's language.

    Returns:
        The picture.

    Raises:
        DefinitionError: two steps share an id, or a link names a step that is not there.
    """
    shown, ways = list(steps), list(links)
    placed = place(map(measure_step, shown), map(measure_link, ways), direction=direction)
    return draw_placed(placed, shown, ways, prefix=prefix, title=title, direction=direction, labels=labels)


def measure_step(step: Step) -> Box:
    """Give the box that a step's words need."""
    title, detail = _wrap_step(step)
    words = max(
        [text_width(line, size=_TITLE_SIZE, bold=True) for line in title]
        + [text_width(line, size=_DETAIL_SIZE) for line in detail]
        + [_count_width(step)],
        default=0.0,
    )
    width = max(
        words + _BADGE + 2 * _PADDING + (_SLANT if step.kind in {"branch", "split"} else 0), _NARROWEST
    )
    rows = len(title) + len(detail) + (step.count is not None)
    return Box(step.id, round(width), max(rows * _LINE_HEIGHT + 2 * _PADDING, 40.0))


def measure_link(link: Link) -> Arrow:
    """Give the arrow that a link needs, with room for its label and its count."""
    label = _write_link(link)
    return Arrow(
        link.source,
        link.target,
        label,
        order=link.order,
        label_width=round(text_width(label, size=_PILL_SIZE) + 16) if label else 0.0,
        label_height=_PILL_HEIGHT,
    )


def draw_placed(
    placed: Placed,
    steps: Sequence[Step],
    links: Sequence[Link],
    *,
    prefix: str,
    title: str,
    direction: Literal["down", "right"] = "down",
    labels: Mapping[str, str] = ENGLISH,
) -> Svg:
    """Draw steps and links at places already found.

    Args:
        placed: The layout of `measure_step` of each step and `measure_link` of each link.
        steps: The steps.
        links: The links.
        prefix: Id of the picture, unique in its page.
        title: What it shows.
        direction: The direction the layout was made for.
        labels: Words in the reader's language.

    Returns:
        The picture.
    """
    known = {step.id: step for step in steps}
    counts: dict[Arrow, list[int | None]] = {}
    for link in links:
        counts.setdefault(measure_link(link), []).append(link.count)
    most = max((link.count or 0 for link in links), default=0)
    ways: list[Element] = []
    pills: list[Element] = []
    for route in placed.routes:
        count = counts[route.arrow].pop(0)
        told = " → ".join(known[end].title for end in (route.arrow.source, route.arrow.target))
        told += f"\n{route.arrow.label}" if route.arrow.label else ""
        ways.append(_draw_way(route, _thickness(count, most), told=told, direction=direction))
        if route.label_at:
            pills.append(_draw_pill(route, route.label_at))
    width = max(placed.width, min(text_width(title, size=14, bold=True) + 40, 760))
    body = element(
        "g",
        *ways,
        *(_draw_step(known[box.id], box, labels) for box in placed.boxes),
        *pills,
        transform=f"translate({(width - placed.width) / 2:.1f} {_HEADING})",
    )
    return draw(
        draw_heading(title, width),
        body,
        prefix=prefix,
        title=title,
        size=(width, placed.height + _HEADING),
        rules=_RULES,
        role="group",
    )


_RULES = (
    "@ .title{font-size:14px;font-weight:600}"
    "@ .way{fill:none;stroke:var(--edge);stroke-linecap:butt}"
    "@ .turned{stroke-dasharray:5 4}"
    "@ .head{fill:var(--edge)}"
    "@ .pill{fill:var(--paper);stroke:var(--line)}"
    f"@ .pilled{{font-size:{_PILL_SIZE}px}}"
    "@ .shape{fill:var(--panel);stroke:var(--line)}"
    "@ .name{font-size:13px;font-weight:600}"
    f"@ .detail{{font-size:{_DETAIL_SIZE}px;fill:var(--soft)}}"
    f"@ .count{{font-size:{_DETAIL_SIZE}px;font-weight:600}}"
    "@ .sign{fill:none;stroke:var(--paper);stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}"
    "@ .step:hover .shape,@ .step:focus .shape,@ .chosen .shape{stroke:var(--c1);stroke-width:2}"
    "@ .step:focus{outline:none}"
)


def _wrap_step(step: Step) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Break a step's title and detail into lines."""
    title = wrap(step.title, _WIDEST - _BADGE, size=_TITLE_SIZE, bold=True)
    return title, wrap(step.detail, _WIDEST - _BADGE, size=_DETAIL_SIZE)


def _count_width(step: Step) -> float:
    """Give the width of a step's count."""
    return (
        text_width(write_number(step.count), size=_DETAIL_SIZE, bold=True) if step.count is not None else 0.0
    )


def _write_link(link: Link) -> str:
    """Write what stands on a way."""
    words = " ".join(wrap(link.label, _WIDEST, size=_PILL_SIZE, lines=1))
    count = write_number(link.count) if link.count is not None else ""
    return " · ".join(part for part in (words, count) if part)


def _thickness(count: int | None, most: int) -> float:
    """Give a way's thickness: in proportion to its count, but never too thin to see."""
    return max(_THINNEST, _THICKEST * (count or 0) / most) if most else _THINNEST


def _draw_way(route: Route, thick: float, *, told: str, direction: str) -> Element:
    """Draw a way with its head; bends are curves that start and end along the direction."""
    points = list(route.points)
    loop = route.arrow.source == route.arrow.target
    sign = -1 if route.turned else 1
    # A loop arrives at the side of its box, every other way along the direction.
    ahead = (sign, 0) if (direction == "right") != loop else (0, sign)
    long, wide = 7 + thick * 0.4, 3.5 + thick / 2
    (x, y), (dx, dy) = points[-1], ahead
    base = (x - dx * long, y - dy * long)
    points[-1] = base
    head = ((base[0] + dy * wide, base[1] + dx * wide), (x, y), (base[0] - dy * wide, base[1] - dx * wide))
    return element(
        "g",
        element("title", told),
        element(
            "path",
            class_="way turned" if route.turned else "way",
            d=_write_polyline(points) if loop else _write_curves(points, direction),
            stroke_width=thick,
        ),
        element("path", class_="head", d=_write_polyline(head) + "z"),
    )


def _write_polyline(points: Sequence[Point]) -> str:
    """Write straight pieces."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _write_curves(points: Sequence[Point], direction: str) -> str:
    """Write straight pieces where a way runs along the direction, and curves where it changes sides."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (ax, ay), (bx, by) in pairwise(points):
        if ax == bx or ay == by:
            path += f"L{bx:.1f} {by:.1f}"
        elif direction == "down":
            middle = (ay + by) / 2
            path += f"C{ax:.1f} {middle:.1f} {bx:.1f} {middle:.1f} {bx:.1f} {by:.1f}"
        else:
            middle = (ax + bx) / 2
            path += f"C{middle:.1f} {ay:.1f} {middle:.1f} {by:.1f} {bx:.1f} {by:.1f}"
    return path


def _draw_pill(route: Route, at: Point) -> Element:
    """Draw a label on its way."""
    (x, y), width = at, route.arrow.label_width
    return element(
        "g",
        element(
            "rect",
            class_="pill",
            x=x - width / 2,
            y=y - _PILL_HEIGHT / 2,
            width=width,
            height=_PILL_HEIGHT,
            rx=_PILL_HEIGHT / 2,
        ),
        element("text", route.arrow.label, class_="pilled mid", x=x, y=y + 4),
    )


def _draw_step(step: Step, box: PlacedBox, labels: Mapping[str, str]) -> Element:
    """Draw a step: shape, sign, words, count."""
    title, detail = _wrap_step(step)
    kind = find_label(labels, f"kind.{step.kind}")
    count = () if step.count is None else (write_number(step.count),)
    slant = _SLANT / 2 if step.kind in {"branch", "split"} else 0.0
    left = box.x + slant + _PADDING + _BADGE
    lines = [("name", line) for line in title] + [("detail", line) for line in detail]
    lines += [("count", line) for line in count]
    first = box.y + box.height / 2 - _LINE_HEIGHT * len(lines) / 2 + 12
    told = "\n".join(part for part in (f"{kind}: {step.title}", step.detail, *count, step.note) if part)
    return element(
        "g",
        element("title", told),
        _draw_shape(step.kind, box),
        _draw_sign(step.kind, box.x + slant + _PADDING + 12, box.y + box.height / 2),
        *(
            element("text", line, class_=style, x=left, y=first + _LINE_HEIGHT * number)
            for number, (style, line) in enumerate(lines)
        ),
        class_="step",
        data_step=step.id,
        data_kind=step.kind,
        role="img",
        aria_label=told.replace("\n", ", "),
    )


def _draw_shape(kind: Kind, box: PlacedBox) -> Element:
    """Draw the outline that tells a kind without colour."""
    x, y, width, height = box.x, box.y, box.width, box.height
    right, bottom = x + width, y + height
    if kind in {"branch", "split"}:
        corners = [(x + _SLANT, y), (right - _SLANT, y), (right, y + height / 2)]
        corners += [(right - _SLANT, bottom), (x + _SLANT, bottom), (x, y + height / 2)]
        return element("path", class_="shape", d=_write_polyline(corners) + "z")
    if kind == "task":
        corners = [(x, y), (right - _SLANT, y), (right, y + _SLANT), (right, bottom), (x, bottom)]
        return element("path", class_="shape", d=_write_polyline(corners) + "z")
    radius = {"wait": 2.0, "send": 10.0, "update": 10.0}.get(kind, min(height / 2, 22.0))
    return element("rect", class_="shape", x=x, y=y, width=width, height=height, rx=radius)


def _draw_sign(kind: Kind, x: float, y: float) -> Element:
    """Draw the coloured badge with the sign of a kind."""
    return element(
        "g",
        element("circle", class_=f"c{_COLOURS[kind]}", r=12),
        element("path", class_="sign", d=GLYPHS[kind]),
        transform=f"translate({x:.1f} {y:.1f})",
    )
