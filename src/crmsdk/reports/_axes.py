"""Scales, ticks, numbers and legends that all charts share."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from math import ceil, floor, isfinite, log10

from crmsdk.errors import DefinitionError
from crmsdk.reports.labels import find_label
from crmsdk.reports.svg import Element, element
from crmsdk.reports.text import cut, text_width

__all__ = [
    "check_values",
    "date_ticks",
    "draw_heading",
    "draw_legend",
    "nice_ticks",
    "side_width",
    "tick_name",
    "write_date",
    "write_number",
]

_GROUP = "\u202f"  # narrow no-break space: groups digits in English and in Russian alike (ISO 80000-1)
_DAY_STEPS = (1, 2, 7, 14)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
_LEGEND_ROW = 18.0


def check_values(name: str, values: Sequence[float], count: int) -> None:
    """Refuse a series that no zero-based picture can show.

    Args:
        name: How the message calls the series.
        values: The values.
        count: How many there must be.

    Raises:
        DefinitionError: too many or too few values, or one that is negative or not finite.
    """
    if len(values) != count:
        raise DefinitionError(f"{name}: {len(values)} values for {count} places; give one for each")
    if not all(isfinite(value) and value >= 0 for value in values):
        raise DefinitionError(f"{name}: a value is negative or not finite; give numbers of at least 0")


def nice_ticks(low: float, high: float, *, most: int = 6, whole: bool = False) -> tuple[float, ...]:
    """Choose round ticks that span the values.

    Args:
        low: The least value.
        high: The greatest value.
        most: About how many ticks fit.
        whole: Only whole numbers make sense, as for counts.

    Returns:
        Ticks in rising order, two at least; the first is at most ``low``, the last at least ``high``.
    """
    # Closer than this, floating point cannot hold the ticks apart.
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-3):
        high = low + 1
    raw = (high - low) / max(most - 1, 1)
    power = floor(log10(raw))
    step = next(
        factor * 10.0**power for factor in (1, 2, 2.5, 5, 10) if factor * 10.0**power >= raw * (1 - 1e-9)
    )
    if whole:
        step = max(1.0, 5.0 if step == 2.5 else step)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    digits = max(0, 3 - power)
    return tuple(round(number * step, digits) for number in range(first, max(last, first + 1) + 1))


def write_number(value: float, *, step: float = 0, percent: bool = False) -> str:
    """Write a number for a reader.

    Args:
        value: The number.
        step: Distance of the ticks it stands among; decides the decimals. 0 for a number on its own.
        percent: The value is a share; write it in per cent.
    """
    if percent:
        value, step = value * 100, step * 100
    if step:
        decimals = max(0, -floor(log10(step) + 1e-9))
        if round(step, decimals) != round(step, 12):
            decimals += 1
    elif percent:
        decimals = 1
    else:
        decimals = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 1 else 3
    text = f"{value:,.{decimals}f}".replace(",", _GROUP).replace("-", "−")
    return text + "%" if percent else text


def write_date(day: date, labels: Mapping[str, str], *, year: bool = True) -> str:
    """Write a date as ``3 Feb 2011``."""
    text = f"{day.day} {find_label(labels, f'month.{day.month}')}"
    return f"{text} {day.year}" if year else text


def date_ticks(first: date, last: date, *, most: int) -> tuple[date, ...]:
    """Choose dates to name on an axis: days, Mondays, or firsts of months.

    Args:
        first: The first date shown.
        last: The last date shown.
        most: How many names fit.

    Returns:
        Dates from ``first`` to ``last``.
    """
    days = (last - first).days + 1
    for step in _DAY_STEPS:
        if days / step <= most:
            start = first if step < 7 else first + timedelta(days=-first.weekday() % 7)
            return tuple(start + timedelta(days=shift) for shift in range(0, (last - start).days + 1, step))
    months = list(_months(first, last))
    chosen: tuple[date, ...] = ()
    for step in _MONTH_STEPS:
        chosen = tuple(day for day in months if (day.year * 12 + day.month - 1) % step == 0)
        if len(chosen) <= most:
            break
    return chosen


def tick_name(day: date, ticks: Sequence[date], labels: Mapping[str, str]) -> str:
    """Name a date on the axis; the year stands on the first tick and where it changes."""
    at = ticks.index(day)
    fresh = at == 0 or ticks[at - 1].year != day.year
    if len(ticks) > 1 and (ticks[1] - ticks[0]).days > 27:
        name = find_label(labels, f"month.{day.month}")
        return f"{name} {day.year}" if fresh else name
    return write_date(day, labels, year=fresh)


def _months(first: date, last: date) -> Iterator[date]:
    """List the firsts of months in a span."""
    year, month = first.year, first.month
    while (day := date(year, month, 1)) <= last:
        if day >= first:
            yield day
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def draw_heading(title: str, width: float) -> Element:
    """Draw the title of a picture at its left upper corner."""
    return element("text", cut(title, width - 32, size=14, bold=True), class_="title", x=16, y=26)


def draw_legend(
    names: Sequence[tuple[str, str]], *, left: float, top: float, width: float
) -> tuple[Element, float]:
    """Draw swatches with names, in as many rows as they need.

    Args:
        names: Pairs of a style class and a name.
        left: Where the first row starts.
        top: Upper edge of the first row.
        width: Room for a row.

    Returns:
        The legend and its height.
    """
    parts: list[Element] = []
    x, y = left, top
    for style, name in names:
        shown = cut(name, min(220.0, width - 16))
        room = 16 + text_width(shown)
        if x > left and x + room > left + width:
            x, y = left, y + _LEGEND_ROW
        parts += (
            element("rect", class_=style, x=x, y=y + 3, width=10, height=10, rx=2),
            element("text", shown, class_="soft", x=x + 16, y=y + 12),
        )
        x += room + 16
    return element("g", *parts), (y - top + _LEGEND_ROW if names else 0.0)


def side_width(names: Sequence[str], width: float) -> float:
    """Give the room for names of rows: as much as they need, at most a third of the picture."""
    return min(max(map(text_width, names)), width / 3)
