"""Charts with one row for each name: ranked bars and funnels."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from crmsdk.reports._axes import check_values, draw_heading, side_width, write_number
from crmsdk.reports._plot import SIDE, TITLE_RULE, TOP, draw_empty
from crmsdk.reports.labels import ENGLISH, find_label
from crmsdk.reports.svg import Element, Svg, draw, element
from crmsdk.reports.text import cut, text_width

__all__ = ["Bar", "Stage", "draw_funnel", "draw_ranking"]


@frozen
class Bar:
    """One row of a ranking; the note is added to its tooltip."""

    name: str
    value: float
    note: str = ""


@frozen
class Stage:
    """One stage of a funnel and how many reached it."""

    name: str
    value: float


def draw_ranking(
    bars: Sequence[Bar],
    *,
    prefix: str,
    title: str,
    width: float = 760,
    labels: Mapping[str, str] = ENGLISH,
) -> Svg:
    """Draw named values as horizontal bars in the given order.

    Args:
        bars: The rows from the top down, no value negative.
        prefix: Id of the picture, unique in its page.
        title: What it shows.
        width: In pixels.
        labels: Words in the reader's language.

    Returns:
        The picture; its height follows from the number of bars.

    Raises:
        DefinitionError: a value is negative or not finite.
    """
    check_values("bars", [bar.value for bar in bars], len(bars))
    if not bars:
        return draw_empty(prefix, title, size=(width, 120.0), labels=labels)
    row, thick = 30.0, 16.0
    names = side_width([bar.name for bar in bars], width)
    numbers = max(text_width(write_number(bar.value)) for bar in bars) + 8
    room = width - 2 * SIDE - names - 12 - numbers
    most = max(bar.value for bar in bars) or 1
    left = SIDE + names + 12
    rows: list[Element] = []
    for number, bar in enumerate(bars):
        middle = TOP + row * number + row / 2
        length = room * bar.value / most
        told = f"{bar.name}: {write_number(bar.value)}"
        rows.append(
            element(
                "g",
                element("title", f"{told}\n{bar.note}" if bar.note else told),
                element("text", cut(bar.name, names), class_="end", x=left - 12, y=middle + 4),
                element("rect", class_="c1", x=left, y=middle - thick / 2, width=length, height=thick, rx=2),
                element("text", write_number(bar.value), class_="soft", x=left + length + 8, y=middle + 4),
            )
        )
    bottom = TOP + row * len(bars)
    return draw(
        draw_heading(title, width),
        *rows,
        element("path", class_="axis", d=f"M{left:.1f} {TOP:.1f}V{bottom:.1f}"),
        prefix=prefix,
        title=title,
        size=(width, bottom + SIDE),
        rules=TITLE_RULE,
    )


def draw_funnel(
    stages: Sequence[Stage],
    *,
    prefix: str,
    title: str,
    width: float = 760,
    labels: Mapping[str, str] = ENGLISH,
) -> Svg:
    """Draw how many reach each stage, with the shares of the first and of the previous one.

    Args:
        stages: From the first to the last; a later one may be larger, when people can enter there.
        prefix: Id of the picture, unique in its page.
        title: What it shows.
        width: In pixels.
        labels: Words in the reader's language.

    Returns:
        The picture.

    Raises:
        DefinitionError: a value is negative or not finite.
    """
    check_values("stages", [stage.value for stage in stages], len(stages))
    if not stages:
        return draw_empty(prefix, title, size=(width, 120.0), labels=labels)
    row, thick = 52.0, 28.0
    names = side_width([stage.name for stage in stages], width)
    told = [_tell_stage(stages, number, labels) for number in range(len(stages))]
    notes = max(text_width(note) for _, note in told) + 12
    left = SIDE + names + 12
    room = width - left - notes - SIDE
    most = max(stage.value for stage in stages) or 1
    parts: list[Element] = []
    for number, (stage, (figure, note)) in enumerate(zip(stages, told, strict=True)):
        top = TOP + row * number + 4
        end = left + room * stage.value / most
        if number + 1 < len(stages):
            after = left + room * stages[number + 1].value / most
            fall = f"M{left} {top + thick:.1f}H{end:.1f}L{after:.1f} {top + row:.1f}H{left}z"
            parts.append(element("path", class_="fall", d=fall))
        parts.append(
            element(
                "g",
                element("title", f"{stage.name}: {figure}\n{note}" if note else f"{stage.name}: {figure}"),
                element("text", cut(stage.name, names), class_="end", x=left - 12, y=top + thick / 2 + 4),
                element("rect", class_="c1", x=left, y=top, width=end - left, height=thick, rx=2),
                element(
                    "text", figure, class_="bold", x=end + 8, y=top + thick / 2 - 2 if note else top + 18
                ),
                element("text", note, class_="soft small", x=end + 8, y=top + thick / 2 + 12),
            )
        )
    return draw(
        draw_heading(title, width),
        *parts,
        prefix=prefix,
        title=title,
        size=(width, TOP + row * len(stages) - (row - thick) + 4 + SIDE),
        rules=TITLE_RULE + "@ .fall{fill:var(--c1);fill-opacity:.16}@ .small{font-size:11px}",
    )


def _tell_stage(stages: Sequence[Stage], number: int, labels: Mapping[str, str]) -> tuple[str, str]:
    """Write a stage's figure and its shares of the first and of the previous stage."""
    value = stages[number].value
    shares: list[str] = []
    if number and stages[0].value:
        shares.append(
            f"{write_number(value / stages[0].value, percent=True)} {find_label(labels, 'of_first')}"
        )
    if number > 1 and stages[number - 1].value:
        share = write_number(value / stages[number - 1].value, percent=True)
        shares.append(f"{share} {find_label(labels, 'of_previous')}")
    return write_number(value), ", ".join(shares)
