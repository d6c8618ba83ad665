"""Where local days begin for each person: calendars of all zones, worked out before the database is asked.

At one moment of asking a zone's today, this week or last month is a pair of moments. They are found with the
zone data of Python, as the reference finds them, and reach the query as numbers, one row a zone. No zone data
of any database is read, so none can differ or be missing.

Who is in a zone that is not in the list, because nobody knows it or it is new, is left to the reference.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from typing_extensions import override

from crmsdk.errors import InputError
from crmsdk.model.customer import ZONE
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.model.zones import zone
from crmsdk.segments.calendars import period_of, start_of
from crmsdk.segments.sql.bounds import FIRST, LAST, NEVER, Span
from crmsdk.segments.sql.clocks import clock_changes, stretches
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Kind, Layout
from crmsdk.segments.sql.sources import ZONED, AttributeGroup, Group
from crmsdk.segments.windows import Calendar, Unit

__all__ = ["CLOCKS", "Strangers", "ZoneNames", "Zoned", "moments_of", "zones_of_people"]

CLOCKS: Final = "clocks"
"""The subquery with the stretches of all clocks."""
_ANYWHERE: Final = "UTC"

ZoneNames: TypeAlias = Callable[[], Iterable[str]]
"""Gives the names of zones that people may be in; asked only for questions about local days."""


def moments_of(first: int, last: int, unit: Unit, tz: ZoneInfo) -> Span:
    """Give the moments of the periods of a zone from one number to another, both included."""
    least, most = (period_of(from_micros(edge), unit, zone(_ANYWHERE)) for edge in (FIRST, LAST))
    if first > most or last < least:
        return NEVER
    low = start_of(first, unit, tz) if first > least else None
    high = start_of(last + 1, unit, tz) if last < most else None
    return Span(None if low is None else to_micros(low), None if high is None else to_micros(high))


class Zoned:
    """The numbers that questions need of each zone.

    Args:
        dialect: Whose SQL.
        layout: Bound to the database.
        now: The moment of asking, microseconds since 1970 UTC.
        names: The zones that people may be in.
    """

    def __init__(self, dialect: Dialect, layout: Layout, now: int, names: ZoneNames) -> None:
        self._dialect = dialect
        self._layout = layout
        self._now = now
        self._names = names
        self._columns: dict[tuple[int, ...], str] = {}
        self.used = False
        self.clocked = False

    @cached_property
    def zones(self) -> Sequence[ZoneInfo]:
        """The zones that the zone data knows."""
        out = {}
        for name in (_ANYWHERE, *self._names()):
            try:
                out[name] = zone(name)
            except InputError:
                continue
        return tuple(out.values())

    def column(self, numbers: Sequence[int]) -> str:
        """Name the column of a number of each zone, in their order."""
        self.used = True
        return self._columns.setdefault(tuple(numbers), f"crmsdk_z{len(self._columns)}")

    def period(self, unit: Unit, tz: ZoneInfo) -> int:
        """Give the number of the period that holds now."""
        return period_of(from_micros(self._now), unit, tz)

    def spans(self, window: Calendar) -> list[Span]:
        """Give the moments of a window in each zone, none of them after now."""
        past, out = Span(None, self._now + 1), []
        for tz in self.zones:
            now = self.period(window.unit, tz)
            out.append(moments_of(now - window.oldest, now - window.newest, window.unit, tz).within(past))
        return out

    def hull(self, window: Calendar) -> Span:
        """Give the moments that lie in the window in any zone."""
        spans = self.spans(window)
        lows = [FIRST if span.low is None else span.low for span in spans]
        return Span(min(lows), max(self._now + 1 if span.high is None else span.high for span in spans))

    def inside(self, window: Calendar, x: str) -> str:
        """Say that a moment in microseconds lies in the window; beside the columns of the zones."""
        spans = self.spans(window)
        low = self.column([FIRST if span.low is None else span.low for span in spans])
        high = self.column([LAST + 1 if span.high is None else span.high for span in spans])
        return f"{x} >= {low} AND {x} < {high}"

    def clock(self) -> str:
        """Name the column that says which of the clocks is the person's."""
        changes = [clock_changes(tz) for tz in self.zones]
        self.clocked = True
        return self.column([changes.index(each) for each in changes])

    def clocks_sql(self) -> str:
        """Write the clocks as rows: when a stretch begins and ends, and what to add to a moment in it."""
        rows = {}
        changes = [clock_changes(tz) for tz in self.zones]
        for tz, each in zip(self.zones, changes, strict=True):
            rows[changes.index(each)] = stretches(tz, self._now)
        listed = self._dialect.listed(
            ("clock", "begins", "ends", "shift", "skipped"),
            [
                tuple(map(self._dialect.integer, (clock, *stretch)))
                for clock, several in rows.items()
                for stretch in several
            ],
            texts=0,
        )
        micros = ", ".join(f"{name} * 1000000 AS {name}" for name in ("begins", "ends", "shift"))
        return f"SELECT clock, {micros}, skipped FROM ({listed}) AS c"

    def sql(self) -> str:
        """Write the subquery."""
        dialect, people = self._dialect, self._layout.people
        names = [dialect.text(tz.key or _ANYWHERE) for tz in self.zones]
        rows = [
            (name, *(dialect.integer(column[place]) for column in self._columns))
            for place, name in enumerate(names)
        ]
        listed = dialect.listed(("crmsdk_zone", *self._columns.values()), rows)
        key = f"p.{dialect.ident(people.id)}"
        written, join = self._written(key)
        known = [f"nullif(p.{dialect.ident(people.zone)}, '')"] if people.zone else []
        name = f"COALESCE({', '.join([*written, *known, dialect.text(_ANYWHERE)])})"
        columns = ", ".join(f"z.{column}" for column in ("crmsdk_zone", *self._columns.values()))
        return (
            f"SELECT {key} AS crmsdk_whose, {columns} FROM {dialect.table(people.table)} AS p{join}"
            f" LEFT JOIN ({listed}) AS z ON z.crmsdk_zone = {name}"
        )

    def _written(self, key: str) -> tuple[list[str], str]:
        """Give the zone that the attribute log says, and where it is from."""
        dialect, log = self._dialect, self._layout.attributes
        column = self._layout.people.attributes.get(ZONE)
        if column is not None:
            return [f"p.{dialect.ident(column.name)}"], ""
        if log is None:
            return [], ""
        group = AttributeGroup("w", dialect, log, self._now)
        return [
            dialect.json_text(group.column(ZONE))
        ], f" LEFT JOIN ({group.sql()}) AS w ON w.customer = {key}"


class Strangers(Group[str]):
    """People in a zone that is not in the list."""

    @override
    def sql(self) -> str:
        return (
            f"SELECT crmsdk_whose AS customer, count(*) AS f0 FROM {ZONED} WHERE crmsdk_zone IS NULL"
            " GROUP BY crmsdk_whose"
        )


def zones_of_people(dialect: Dialect, layout: Layout) -> list[str]:
    """Write the queries that name every zone anybody is in, or has been in."""
    people, log, out = layout.people, layout.attributes, []
    for column in (people.zone, getattr(people.attributes.get(ZONE), "name", "")):
        if column:
            x = dialect.ident(column)
            out.append(f"SELECT DISTINCT {x} FROM {dialect.table(people.table)} WHERE {x} IS NOT NULL")
    if log is not None:
        x = dialect.json_text(dialect.json_value(dialect.from_column(dialect.ident(log.value), Kind.JSON)))
        named = f"{dialect.ident(log.name)} = {dialect.text(ZONE)} AND {x} IS NOT NULL"
        out.append(f"SELECT DISTINCT {x} FROM {dialect.table(log.table)} WHERE {named}")
    return [query + dialect.suffix for query in out]
