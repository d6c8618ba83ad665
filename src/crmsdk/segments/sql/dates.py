"""Questions about dates in whole local days: how far a date lies from today, and its anniversaries.

In each zone today is one known day, so that a question becomes a range of dates and one of moments. Zones
that agree on both are one case.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

import attrs
from typing_extensions import override

from crmsdk.errors import UnsupportedQuestion
from crmsdk.segments.days import Anniversary, AttrDays, Sense
from crmsdk.segments.reckoning import holds_on
from crmsdk.segments.sql.bounds import Span, integer_bounds
from crmsdk.segments.sql.layout import Column, Kind
from crmsdk.segments.sql.measures import comparisons
from crmsdk.segments.sql.plan import Plan
from crmsdk.segments.sql.readings import ColumnReading, JsonReading, Reading
from crmsdk.segments.sql.sources import ZONED, AttributeGroup, Group
from crmsdk.segments.sql.terms import FALSE, Term, all_of, any_of
from crmsdk.segments.sql.zoning import moments_of
from crmsdk.segments.windows import Unit

__all__ = ["anniversary", "days"]

_LAST_DAY: Final = date.max.toordinal()
_LEAP_YEAR: Final = tuple(range(date(2024, 1, 1).toordinal(), date(2025, 1, 1).toordinal()))
_MOMENTS: Final = (Kind.MOMENT, Kind.UTC, Kind.MICROS)


class DatedGroup(Group[str]):
    """A value of each person beside numbers of the person's zone, which are the features."""

    def __init__(self, alias: str, plan: Plan, source: AttributeGroup | Column, value: str) -> None:
        super().__init__(alias, plan.dialect)
        self._people = plan.layout.people
        self._source = source
        self._value = value

    @override
    def sql(self) -> str:
        dialect = self.dialect
        numbers = "".join(f", {number} AS {name}" for number, name in self._features.items())
        if isinstance(self._source, AttributeGroup):
            source, key = f"({self._source.sql()}) AS w", "w.customer"
        else:
            source, key = f"{dialect.table(self._people.table)} AS w", f"w.{dialect.ident(self._people.id)}"
        return (
            f"SELECT {key} AS customer, {self._value} AS written{numbers}"
            f" FROM {source} JOIN {ZONED} ON crmsdk_whose = {key}"
        )


@attrs.frozen
class _Value:
    """An attribute beside the zones."""

    group: DatedGroup
    reading: Reading
    plan: Plan

    def each_case(self, cases: Sequence[tuple[object, Term]]) -> Term:
        """Join what is asked in each zone, given in the order of zones; equal cases are asked once."""
        known = list(dict.fromkeys(case for case, _ in cases))
        column = self.group.column(self.plan.zoned.column([known.index(case) for case, _ in cases]))
        asked = (
            all_of((Term(f"{column} = {known.index(case)}"), term)) for case, term in dict(cases).items()
        )
        found = any_of(asked)
        return found if found == FALSE else Term(found.sql, needs=frozenset({self.group.alias}))


def _value_of(name: str, plan: Plan) -> _Value:
    """Give the attribute; those whose zone nobody knows are in doubt."""
    plan.needs_zones()
    dialect, people, nfc = plan.dialect, plan.layout.people, plan.layout.nfc
    outer = people.attributes.get(name)
    log = plan.layout.attributes
    if outer is None and log is not None and name.partition(".")[0] not in people.attributes:
        source = AttributeGroup("w", dialect, log, plan.now)
        value = source.column(name)
        group = plan.group(("dated", name), lambda alias: DatedGroup(alias, plan, source, value), DatedGroup)
        return _Value(group, JsonReading(dialect, f"{group.alias}.written", nfc=nfc), plan)
    plan.attribute(name)  # refused here, if nobody knows the name
    column = outer if outer is not None else people.attributes[name.partition(".")[0]]
    if outer is None or column.kind in (Kind.JSON, Kind.NESTED, Kind.OTHER):
        raise UnsupportedQuestion(
            dialect.name, "attr-days", f"local days of {name!r} inside JSON; declare a column of dates for it"
        )
    value = f"w.{dialect.ident(column.name)}"
    group = plan.group(("dated", name), lambda alias: DatedGroup(alias, plan, column, value), DatedGroup)
    return _Value(group, ColumnReading(dialect, f"{group.alias}.written", column, nfc=nfc), plan)


def days(node: AttrDays, plan: Plan) -> Term:
    """Compare how many local days a date lies ahead, or ago."""
    value = _value_of(node.name, plan)
    low, high = _bounds(node)
    cases: list[tuple[object, Term]] = []
    for tz in plan.zoned.zones:
        today = plan.zoned.period(Unit.DAY, tz)
        first = 1 if low is None else max(today + low, 1)
        last = _LAST_DAY if high is None else min(today + high, _LAST_DAY)
        if first > last:
            cases.append((None, FALSE))
            continue
        moments = moments_of(first, last, Unit.DAY, tz)
        found = any_of((value.reading.day_in(Span(first, last + 1)), value.reading.moment_in(moments)))
        cases.append(((first, last, moments), found))
    return value.each_case(cases)


def _bounds(node: AttrDays) -> tuple[int | None, int | None]:
    """Give the days ahead for which the question holds, both included; None for an open side."""
    lows, highs = [], []
    for op, operand in comparisons(node.op, node.operand):
        low, high = integer_bounds(op, operand) or (0, -1)
        if node.sense is Sense.SINCE:
            low, high = (None if high is None else -high), (None if low is None else -low)
        lows += [] if low is None else [low]
        highs += [] if high is None else [high]
    return max(lows, default=None), min(highs, default=None)


def anniversary(node: Anniversary, plan: Plan) -> Term:
    """Ask for days of the year; where the local date of a moment might decide, the reference looks."""
    value = _value_of(node.name, plan)
    dialect = plan.dialect
    whole, part = value.reading.day_of_year("date"), value.reading.day_of_year("moment")
    if whole is None and part is None:
        if isinstance(value.reading, ColumnReading) and value.reading.kind in _MOMENTS:
            raise UnsupportedQuestion(
                dialect.name,
                "anniversary",
                f"{node.name!r} is a column of moments, whose local date is not known; give one of dates",
            )
        return FALSE
    cases, doubts = [], []
    for tz in plan.zoned.zones:
        today = plan.zoned.period(Unit.DAY, tz)
        fits = [holds_on(node, day, today) for day in _LEAP_YEAR]
        sure = [all(fits[each] for each in _around(place)) for place in range(len(fits))]
        perhaps = [any(fits[each] for each in _around(place)) for place in range(len(fits))]
        unsure = [one and not other for one, other in zip(perhaps, sure, strict=True)]
        found = any_of((_among(whole, fits), _among(part, sure)))
        cases.append((today, found))
        doubts.append((today, _among(part, unsure)))
    doubt = value.each_case(doubts)
    if doubt != FALSE:
        plan.doubt(doubt.sql, value.group.alias)
    return value.each_case(cases)


def _around(place: int) -> Iterable[int]:
    """Give the days of a leap year that may be a day before or after another one."""
    count = len(_LEAP_YEAR)
    return {(place + shift) % count for shift in ((-2, -1, 0, 1, 2) if 57 <= place <= 61 else (-1, 0, 1))}


def _among(x: str | None, fits: Sequence[bool]) -> Term:
    """Say that a day of the year, as month * 100 + day, is one of these."""
    if x is None or not any(fits):
        return FALSE
    runs: list[tuple[int, int]] = []
    for place, fit in enumerate(fits):
        day = date.fromordinal(_LEAP_YEAR[place])
        number = day.month * 100 + day.day
        if fit:
            runs.append((runs.pop()[0], number) if place and fits[place - 1] else (number, number))
    return any_of(Term(f"{x} BETWEEN {low} AND {high}") for low, high in runs)
