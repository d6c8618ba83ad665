"""Heat maps: counts in a table as shades."""

from collections.abc import Mapping, Sequence

from crmsdk.errors import DefinitionError
from crmsdk.reports._axes import check_values, draw_heading, side_width, write_number
from crmsdk.reports._plot import SIDE, TITLE_RULE, TOP, draw_empty
from crmsdk.reports.labels import ENGLISH, find_label
from crmsdk.reports.svg import Element, Svg, draw, element
from crmsdk.reports.text import cut, text_width

__all__ = ["draw_heat_map", "draw_week_map"]


def draw_week_map(
    values: Sequence[Sequence[float]],
    *,
    prefix: str,
    title: str,
    width: float = 760,
    labels: Mapping[str, str] = ENGLISH,
) -> Svg:
    """Draw a heat map of weekday by hour.

    Args:
        values: Seven rows from Monday on, of 24 values from midnight on.
        prefix: Id of the picture, unique in its page.
        title: What it shows.
        width: In pixels.
        labels: Words in the reader's language.
    """
    days = [find_label(labels, f"weekday.{number}") for number in range(1, 8)]
    hours = [f"{hour:02}" for hour in range(24)]
    return draw_heat_map(
        values, rows=days, columns=hours, prefix=prefix, title=title, width=width, labels=labels
    )


def draw_heat_map(
    values: Sequence[Sequence[float]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    prefix: str,
    title: str,
    width: float = 760,
    labels: Mapping[str, str] = ENGLISH,
) -> Svg:
    """Draw a table of counts as shades; an empty cell differs from a small one.

    Args:
        values: One sequence a row, one value a column, none negative.
        rows: Names of the rows.
        columns: Names of the columns; only as many are written as fit.
        prefix: Id of the picture, unique in its page.
        title: What it shows.
        width: In pixels.
        labels: Words in the reader's language.

    Returns:
        The picture.

    Raises:
        DefinitionError: values do not fit rows and columns, or one is negative or not finite.
    """
    if len(values) != len(rows):
        raise DefinitionError(f"values: {len(values)} rows for {len(rows)} names; give one for each")
    for name, row in zip(rows, values, strict=True):
        check_values(f"row {name!r}", row, len(columns))
    if not rows or not columns:
        return draw_empty(prefix, title, size=(width, 120.0), labels=labels)
    names = side_width(rows, width)
    left, top = SIDE + names + 10, TOP + 22
    side = (width - left - SIDE) / len(columns)
    high = min(max(side, 20.0), 28.0)
    most = max(max(row) for row in values)
    every = -(-max(text_width(name) + 6 for name in columns) // side)
    parts = [
        element("text", name, class_="soft mid", x=left + side * (at + 0.5), y=top - 8)
        for at, name in enumerate(columns)
        if at % every == 0
    ]
    for at, (name, row) in enumerate(zip(rows, values, strict=True)):
        y = top + high * at
        parts.append(element("text", cut(name, names), class_="end", x=left - 10, y=y + high / 2 + 4))
        for place, (column, value) in enumerate(zip(columns, row, strict=True)):
            parts.append(
                element(
                    "rect",
                    element("title", f"{name} {column}: {write_number(value)}"),
                    class_="c1" if value else "none",
                    x=left + side * place + 1,
                    y=y + 1,
                    width=side - 2,
                    height=high - 2,
                    rx=2,
                    fill_opacity=_shade(value, most) if value else None,
                )
            )
    bottom = top + high * len(rows)
    return draw(
        draw_heading(title, width),
        *parts,
        _draw_scale(most, right=width - SIDE, top=bottom + 10),
        prefix=prefix,
        title=title,
        size=(width, bottom + 40),
        rules=TITLE_RULE + "@ .none{fill:var(--panel)}",
    )


def _shade(value: float, most: float) -> float:
    """Give the strength of a cell's colour; the smallest count is still seen."""
    return 0.14 + 0.86 * value / most


def _draw_scale(most: float, *, right: float, top: float) -> Element:
    """Draw what the shades mean, from nothing to the most."""
    steps, side = 6, 16.0
    name = write_number(most)
    left = right - text_width(name) - 8 - side * steps
    cells = [
        element(
            "rect",
            class_="c1" if step else "none",
            x=left + side * step,
            y=top,
            width=side - 1,
            height=12,
            fill_opacity=_shade(step, steps - 1) if step else None,
        )
        for step in range(steps)
    ]
    return element(
        "g",
        element("text", "0", class_="soft end", x=left - 8, y=top + 10),
        *cells,
        element("text", name, class_="soft end", x=right, y=top + 10),
    )
