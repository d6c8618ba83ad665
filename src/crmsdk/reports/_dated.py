"""Charts over dates: stacked bars and lines with intervals."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby, pairwise

from attrs import frozen

from crmsdk.errors import DefinitionError
from crmsdk.reports._axes import check_values, draw_heading, draw_legend, nice_ticks, write_date, write_number
from crmsdk.reports._plot import SIDE, TITLE_RULE, TOP, Plot, draw_empty
from crmsdk.reports.labels import ENGLISH, find_label
from crmsdk.reports.svg import Element, Svg, draw, element

__all__ = ["Line", "Series", "add_by_week", "draw_lines", "draw_stacks"]

_DAY = timedelta(days=1)
_COLOURS = 7


@frozen
class Series:
    """One category of a stacked chart: a name and one value for each start of a bar, none negative."""

    name: str
    values: tuple[float, ...]


@frozen
class Line:
    """One line over dates; None is a gap.

    Args:
        name: Its name in the legend.
        values: One a date.
        lower: Lower ends of the interval, one a date; empty without an interval.
        upper: Upper ends, likewise.
    """

    name: str
    values: tuple[float | None, ...]
    lower: tuple[float | None, ...] = ()
    upper: tuple[float | None, ...] = ()


def add_by_week(
    days: Sequence[date], series: Sequence[Series]
) -> tuple[tuple[date, ...], tuple[Series, ...]]:
    """Add daily values up by week, for spans whose days are too many to tell apart.

    Args:
        days: Days, rising.
        series: Values for these days.

    Returns:
        The Mondays, and the series for them.
    """
    weeks = [day - timedelta(days=day.weekday()) for day in days]
    mondays = tuple(week for week, _ in groupby(weeks))
    added: list[Series] = []
    for one in series:
        check_values(f"series {one.name!r}", one.values, len(days))
        sums = dict.fromkeys(mondays, 0.0)
        for week, value in zip(weeks, one.values, strict=True):
            sums[week] += value
        added.append(Series(one.name, tuple(sums.values())))
    return mondays, tuple(added)


def draw_stacks(
    starts: Sequence[date],
    series: Sequence[Series],
    *,
    prefix: str,
    title: str,
    span: timedelta = _DAY,
    width: float = 760,
    height: float = 280,
    labels: Mapping[str, str] = ENGLISH,
) -> Svg:
    """Draw counts over time as stacked bars.

    Dates without a bar stay empty, so a pause is seen as one. Of more than seven categories the smallest are
    added up and drawn as one.

    Args:
        starts: The first day of each bar, rising.
        series: The categories from the bottom up, each with one value a bar.
        prefix: Id of the picture, unique in its page.
        title: What it shows.
        span: What one bar covers: a day or a week.
        width: In pixels.
        height: In pixels, without the rows of the legend.
        labels: Words in the reader's language.

    Returns:
        The picture.

    Raises:
        DefinitionError: starts do not rise, or a series does not fit them.
    """
    _check_rising(starts)
    for one in series:
        check_values(f"series {one.name!r}", one.values, len(starts))
    shown = _fold(series, find_label(labels, "other"))
    legend, high = draw_legend(
        [(f"c{number}", one.name) for number, one in enumerate(shown, 1)],
        left=SIDE,
        top=TOP,
        width=width - 2 * SIDE,
    )
    height += high
    if not starts or not shown:
        return draw_empty(prefix, title, size=(width, height), labels=labels)
    totals = [sum(values) for values in zip(*(one.values for one in shown), strict=True)]
    ticks = nice_ticks(0, max(totals), whole=True)
    plot = Plot.over((starts[0], starts[-1] + span), ticks, size=(width, height), top=TOP + high + 8)
    bars: list[Element] = []
    for number, (start, total) in enumerate(zip(starts, totals, strict=True)):
        parts = [(colour, one) for colour, one in enumerate(shown, 1) if one.values[number]]
        told = [
            _write_span(start, span, labels),
            *(f"{o.name}: {write_number(o.values[number])}" for _, o in parts),
        ]
        if len(parts) > 1:
            told.append(f"{find_label(labels, 'total')}: {write_number(total)}")
        sides = plot.x(start), plot.x(start + span)
        marks = _draw_stack(plot, sides, [(colour, one.values[number]) for colour, one in parts])
        if parts:
            bars.append(element("g", element("title", "\n".join(told)), *marks))
    return draw(
        draw_heading(title, width),
        legend,
        *plot.draw_frame(starts[-1], labels=labels, centred_on=span.days / 2),
        *bars,
        plot.draw_base(),
        prefix=prefix,
        title=title,
        size=(width, height),
        rules=TITLE_RULE,
    )


def draw_lines(
    days: Sequence[date],
    lines: Sequence[Line],
    *,
    prefix: str,
    title: str,
    percent: bool = False,
    width: float = 760,
    height: float = 280,
    labels: Mapping[str, str] = ENGLISH,
) -> Svg:
    """Draw lines over dates with their intervals as bands.

    The axis need not start at zero: a line shows change, not size.

    Args:
        days: The dates, rising.
        lines: Up to seven lines with one value a date.
        prefix: Id of the picture, unique in its page.
        title: What it shows.
        percent: The values are shares; write them in per cent.
        width: In pixels.
        height: In pixels, without the rows of the legend.
        labels: Words in the reader's language.

    Returns:
        The picture.

    Raises:
        DefinitionError: dates do not rise, a line does not fit them, or there are more than seven.
    """
    _check_rising(days)
    if len(lines) > _COLOURS:
        raise DefinitionError(f"lines: {len(lines)} given; more than seven cannot be told apart, draw fewer")
    for line in lines:
        for values in (line.values, line.lower or line.values, line.upper or line.values):
            if len(values) != len(days):
                raise DefinitionError(
                    f"line {line.name!r}: {len(values)} values for {len(days)} dates; give one each"
                )
    names = [(f"c{number}", line.name) for number, line in enumerate(lines, 1)]
    if any(line.lower and line.upper for line in lines):
        names.append(("band", find_label(labels, "interval")))
    legend, high = draw_legend(names, left=SIDE, top=TOP, width=width - 2 * SIDE)
    height += high
    known = [
        value
        for line in lines
        for part in (line.values, line.lower, line.upper)
        for value in part
        if value is not None
    ]
    if not known:
        return draw_empty(prefix, title, size=(width, height), labels=labels)
    ticks = nice_ticks(min(known), max(known))
    edges = days[0], max(days[-1], days[0] + _DAY)
    plot = Plot.over(edges, ticks, size=(width, height), top=TOP + high + 8, percent=percent)
    bands = [
        element("path", class_=f"c{number} band", d=_write_band(plot, run))
        for number, line in enumerate(lines, 1)
        if line.lower and line.upper
        for run in _runs(days, list(zip(line.lower, line.upper, strict=True)))
    ]
    strokes = [
        element("path", class_=f"line s{number}", d=_write_line(plot, run))
        for number, line in enumerate(lines, 1)
        for run in _runs(days, [(value, value) for value in line.values])
    ]
    dots = [
        dot
        for number, line in enumerate(lines, 1)
        for dot in _draw_dots(plot, days, line, colour=number, labels=labels)
    ]
    rules = "@ .line{fill:none;stroke-width:2;stroke-linejoin:round}@ .band{fill-opacity:.18}"
    rules += "@ .dot{fill-opacity:0}@ .dot:hover{fill-opacity:1}" + "".join(
        f"@ .s{number}{{stroke:var(--c{number})}}" for number in range(1, len(lines) + 1)
    )
    return draw(
        draw_heading(title, width),
        legend,
        *plot.draw_frame(days[-1], labels=labels),
        *bands,
        *strokes,
        *dots,
        plot.draw_base(),
        prefix=prefix,
        title=title,
        size=(width, height),
        rules=TITLE_RULE + rules,
    )


def _check_rising(days: Sequence[date]) -> None:
    """Refuse dates that do not rise."""
    if any(one >= two for one, two in pairwise(days)):
        raise DefinitionError("dates: they do not rise; sort them and add up what falls on one date")


def _fold(series: Sequence[Series], other: str) -> list[Series]:
    """Keep the largest categories in their order and add the rest up."""
    if len(series) <= _COLOURS:
        return list(series)
    ranked = sorted(range(len(series)), key=lambda index: -sum(series[index].values))
    kept = sorted(ranked[: _COLOURS - 1])
    rest = [series[index].values for index in ranked[_COLOURS - 1 :]]
    return [*(series[index] for index in kept), Series(other, tuple(map(sum, zip(*rest, strict=True))))]


def _draw_stack(
    plot: Plot, sides: tuple[float, float], parts: Sequence[tuple[int, float]]
) -> Iterator[Element]:
    """Draw one bar from its colours and values, the first at the bottom."""
    left, right = sides
    # Between bars thinner than three pixels a gap is no gap but a haze.
    gap = 0.0 if right - left < 3 else min(2.0, (right - left) * 0.2) / 2
    level = 0.0
    for colour, value in parts:
        bottom, top = plot.y(level), plot.y(level + value)
        shape = f"M{left + gap:.1f} {bottom:.1f}V{top:.1f}H{right - gap:.1f}V{bottom:.1f}z"
        yield element("path", class_=f"c{colour}", d=shape)
        level += value


def _write_span(start: date, span: timedelta, labels: Mapping[str, str]) -> str:
    """Name what a bar covers."""
    if span <= _DAY:
        return write_date(start, labels)
    return f"{write_date(start, labels)} – {write_date(start + span - _DAY, labels)}"


Run = list[tuple[date, float, float]]


def _runs(days: Sequence[date], pairs: Sequence[tuple[float | None, float | None]]) -> Iterator[Run]:
    """Split values at their gaps."""
    run: Run = []
    for day, (low, high) in zip(days, pairs, strict=True):
        if low is None or high is None:
            if run:
                yield run
            run = []
        else:
            run.append((day, low, high))
    if run:
        yield run


def _write_line(plot: Plot, run: Run) -> str:
    """Write the path of a line; a lone point becomes a short dash."""
    points = [f"{plot.x(day):.1f} {plot.y(value):.1f}" for day, value, _ in run]
    return "M" + "L".join(points) + ("" if len(points) > 1 else "h3")


def _write_band(plot: Plot, run: Run) -> str:
    """Write the outline of a band: along the lower ends, back along the upper ones."""
    lower = [f"{plot.x(day):.1f} {plot.y(low):.1f}" for day, low, _ in run]
    upper = [f"{plot.x(day):.1f} {plot.y(high):.1f}" for day, _, high in reversed(run)]
    return "M" + "L".join(lower + upper) + "z"


def _draw_dots(
    plot: Plot, days: Sequence[date], line: Line, *, colour: int, labels: Mapping[str, str]
) -> Iterator[Element]:
    """Draw the points which tell their figures when the pointer rests on them."""
    for at, (day, value) in enumerate(zip(days, line.values, strict=True)):
        if value is None:
            continue
        told = f"{write_date(day, labels)}\n{line.name}: {write_number(value, percent=plot.percent)}"
        ends = (line.lower[at], line.upper[at]) if line.lower and line.upper else (None, None)
        if ends[0] is not None and ends[1] is not None:
            low, high = (write_number(end, percent=plot.percent) for end in ends if end is not None)
            told += f" ({low} – {high})"
        yield element(
            "circle", element("title", told), class_=f"c{colour} dot", cx=plot.x(day), cy=plot.y(value), r=5
        )
