"""Scores: points of events and of predicates, added up exactly, in parts of a point."""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeAlias

import attrs
from typing_extensions import override

from crmsdk.segments.conditions import Predicate
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.scoring import HALVINGS, UNIT, Points, Score
from crmsdk.segments.sql.bounds import Span
from crmsdk.segments.sql.comparing import numbered
from crmsdk.segments.sql.features import CountOf
from crmsdk.segments.sql.layout import Kind
from crmsdk.segments.sql.measures import comparisons
from crmsdk.segments.sql.plan import PERSON, Plan
from crmsdk.segments.sql.readings import in_span
from crmsdk.segments.sql.sources import EventFeature, EventRow, Group
from crmsdk.segments.sql.terms import Term, all_of

__all__ = ["Ask", "scored"]

_MICROSECOND: Final = timedelta(microseconds=1)
Ask: TypeAlias = Callable[[Predicate, Plan], Term]
"""Writes a predicate into a plan."""


@attrs.frozen
class FadingOf(EventFeature):
    """What is left of one point of each event, in parts of a point: half at each full half-life.

    Attributes:
        now: The moment of asking, microseconds since 1970 UTC.
        half_life: In microseconds.
    """

    of: Occurrences
    now: int
    half_life: int

    @override
    def aggregate(self, row: EventRow, condition: str) -> str:
        kind = row.events.at.kind or Kind.MICROS
        steps = "".join(
            f" WHEN {in_span(row.dialect, row.at, kind, Span(self.now - (halved + 1) * self.half_life + 1))}"
            f" THEN {UNIT >> halved}"
            for halved in range(HALVINGS)
        )
        return row.dialect.sum(f"CASE{steps} ELSE 0 END", condition)


class _Total(StrEnum):
    """What is known of a score."""

    UNITS = "units"
    DOUBT = "doubt"


class ScoreGroup(Group[_Total]):
    """The score of each person, over what its parts read, joined for itself."""

    def __init__(self, alias: str, plan: Plan, parts: tuple[Points, ...], ask: Ask) -> None:
        super().__init__(alias, plan.dialect)
        self.each = Plan(plan.dialect, plan.layout, plan.now, within=plan)
        self._units = " + ".join(_added(part, self.each, ask) for part in parts)

    @override
    def sql(self) -> str:
        people = self.each.layout.people
        key = f"{PERSON}.{self.dialect.ident(people.id)}"
        parts = {
            _Total.UNITS: self._units,
            _Total.DOUBT: f"CASE WHEN {self.each.doubts or 'FALSE'} THEN 1 ELSE 0 END",
        }
        columns = ", ".join(f"{parts[each]} AS {name}" for each, name in self._features.items())
        joins = "".join(
            f" LEFT JOIN ({group.sql()}) AS {group.alias} ON {group.alias}.customer = {key}"
            for group in self.each.groups.values()
        )
        table = self.dialect.table(people.table)
        return f"SELECT {key} AS customer, {columns} FROM {table} AS {PERSON}{joins}"


def _added(part: Points, plan: Plan, ask: Ask) -> str:
    dialect = plan.dialect
    if part.when is not None:
        return f"CASE WHEN {ask(part.when, plan).sql} THEN {part.points * UNIT} ELSE 0 END"
    of = part.per
    assert of is not None  # noqa: S101 - the definition has seen to it
    if plan.span(of).empty:
        return "0"
    if part.half_life is None:
        column, _ = plan.event(CountOf(of))
        return f"{dialect.wide(f'COALESCE({column}, 0)')} * {part.points * UNIT}"
    column, _ = plan.event(FadingOf(of, plan.now, part.half_life // _MICROSECOND))
    return f"{dialect.wide(f'COALESCE({column}, 0)')} * {part.points}"


def scored(node: Score, plan: Plan, ask: Ask) -> Term:
    """Compare a sum of points."""
    group = plan.group(
        ("score", node.parts), lambda alias: ScoreGroup(alias, plan, node.parts, ask), ScoreGroup
    )
    if group.each.doubts:
        plan.doubt(f"{group.column(_Total.DOUBT)} > 0", group.alias)
    units = group.column(_Total.UNITS)
    asked = all_of(
        numbered(plan.dialect, units, None, op, bound * UNIT)
        for op, bound in comparisons(node.op, node.operand)
    )
    return Term(asked.sql, needs=frozenset({group.alias}))
