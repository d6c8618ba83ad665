"""The plane of a chart over dates: scales, grid and axis names."""

from collections.abc import Mapping, Sequence
from datetime import date

from attrs import frozen

from crmsdk.reports._axes import date_ticks, draw_heading, tick_name, write_number
from crmsdk.reports.labels import find_label
from crmsdk.reports.svg import Element, Svg, draw, element
from crmsdk.reports.text import text_width

__all__ = ["SIDE", "TITLE_RULE", "TOP", "Plot", "draw_empty"]

TOP = 40.0
SIDE = 16.0
TITLE_RULE = "@ .title{font-size:14px;font-weight:600}"

_BELOW = 30.0
_NAME_ROOM = 84.0


@frozen(kw_only=True)
class Plot:
    """A plane with dates from left to right and values from the bottom up.

    Args:
        first: The date at the left edge.
        last: The date at the right edge.
        ticks: Values to name, rising; the outer ones are the edges.
        left: Left edge in pixels; the others likewise.
        percent: The values are shares, written in per cent.
    """

    first: date
    last: date
    ticks: tuple[float, ...]
    left: float
    right: float
    top: float
    bottom: float
    percent: bool = False

    @classmethod
    def over(
        cls,
        dates: tuple[date, date],
        ticks: tuple[float, ...],
        *,
        size: tuple[float, float],
        top: float,
        percent: bool = False,
    ) -> "Plot":
        """Fit a plane into a picture, with room for the names of its ticks.

        Args:
            dates: The first and the last date, the edges of the plane.
            ticks: Values to name.
            size: Width and height of the picture.
            top: Upper edge of the plane.
            percent: The values are shares.
        """
        names = [write_number(tick, step=ticks[1] - ticks[0], percent=percent) for tick in ticks]
        return cls(
            first=dates[0],
            last=dates[1],
            ticks=ticks,
            left=SIDE + max(map(text_width, names)) + 8,
            right=size[0] - SIDE,
            top=top,
            bottom=size[1] - _BELOW,
            percent=percent,
        )

    def x(self, day: date) -> float:
        """Give the place of a date from the left."""
        return self.left + (self.right - self.left) * (day - self.first).days / (self.last - self.first).days

    def y(self, value: float) -> float:
        """Give the place of a value from the top."""
        low, high = self.ticks[0], self.ticks[-1]
        return self.bottom - (self.bottom - self.top) * (value - low) / (high - low)

    def draw_frame(self, last: date, *, labels: Mapping[str, str], centred_on: float = 0) -> list[Element]:
        """Draw grid lines and the names of values and dates.

        Args:
            last: The last date to name.
            labels: Words in the reader's language.
            centred_on: How many days right of its date's start a name stands in the middle.
        """
        step = self.ticks[1] - self.ticks[0]
        parts: list[Element] = []
        for tick in self.ticks:
            y = self.y(tick)
            name = write_number(tick, step=step, percent=self.percent)
            parts += (
                element("path", class_="grid", d=f"M{self.left:.1f} {y:.1f}H{self.right:.1f}"),
                element("text", name, class_="soft end", x=self.left - 8, y=y + 4),
            )
        days = date_ticks(self.first, last, most=max(2, int((self.right - self.left) / _NAME_ROOM)))
        per_day = (self.right - self.left) / (self.last - self.first).days
        for day in days:
            name = tick_name(day, days, labels)
            x, half = self.x(day) + per_day * centred_on, text_width(name) / 2
            at = min(max(x, self.left + half - 8), self.right - half + 8)
            parts += (
                element("path", class_="axis", d=f"M{x:.1f} {self.bottom:.1f}v4"),
                element("text", name, class_="soft mid", x=at, y=self.bottom + 18),
            )
        return parts

    def draw_base(self) -> Element:
        """Draw the lower edge."""
        return element("path", class_="axis", d=f"M{self.left:.1f} {self.bottom:.1f}H{self.right:.1f}")


def draw_empty(
    prefix: str,
    title: str,
    *,
    size: tuple[float, float],
    labels: Mapping[str, str],
    above: Sequence[Element] = (),
) -> Svg:
    """Draw a chart that has nothing to show, and say so."""
    width, height = size
    text = find_label(labels, "no_data")
    return draw(
        draw_heading(title, width),
        *above,
        element("text", text, class_="soft mid", x=width / 2, y=(TOP + height) / 2),
        prefix=prefix,
        title=f"{title}: {text}",
        size=size,
        rules=TITLE_RULE,
    )
