"""The meaning of scores: what each part adds at a moment, and when that changes."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeAlias

import attrs

from crmsdk.model.comparison import compare
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.scoring import HALVINGS, UNIT, Points, Score
from crmsdk.segments.unfolding import Answer, moved, occurrence_steps, zone_of, zone_steps
from crmsdk.segments.windows import Calendar

__all__ = ["Added", "points_of", "score_answer", "tally"]

_LOOKS = 100
Ask: TypeAlias = Callable[[Predicate, datetime], Answer]


@attrs.frozen
class Added:
    """What one part adds at a moment.

    Attributes:
        units: Parts of points, ``UNIT`` to the point.
        until: When that changes at the earliest with no new fact, UTC; None for never.
        events: Those it counts.
    """

    units: int
    until: datetime | None
    events: tuple[Event, ...] = ()


def tally(node: Score, facts: Facts, now: datetime, zone: str, ask: Ask) -> list[Added]:
    """Say what each part of a score adds.

    Args:
        node: The score.
        facts: Of the customer.
        now: UTC.
        zone: IANA zone of people whose zone is unknown.
        ask: Answers the predicates of its parts.
    """
    return [_added(part, facts, now, zone, ask) for part in node.parts]


def points_of(units: int) -> int | float:
    """Give points as a number, exactly: whole ones as an integer."""
    whole, rest = divmod(units, UNIT)
    return units / UNIT if rest else int(whole)


def score_answer(node: Score, facts: Facts, now: datetime, zone: str, ask: Ask) -> Answer:
    """Answer a score; ``until`` is the moment it turns, or an earlier one after very many steps."""
    moments = _steps(node, facts, now, zone, ask)
    at, total = next(moments)
    matched = _holds(node, total)
    for _ in range(_LOOKS):
        following = next(moments, None)
        if following is None:
            return matched, None
        at, total = following
        if _holds(node, total) is not matched:
            return matched, at
    return matched, at


def _steps(node: Score, facts: Facts, now: datetime, zone: str, ask: Ask) -> Iterator[tuple[datetime, int]]:
    at: datetime | None = now
    while at is not None:
        added = tally(node, facts, at, zone, ask)
        yield at, sum(part.units for part in added)
        at = min((part.until for part in added if part.until is not None), default=None)


def _holds(node: Score, total: int) -> bool:
    operand: Any = node.operand  # whole numbers, the definition has seen to it
    bound = tuple(item * UNIT for item in operand) if isinstance(operand, tuple) else operand * UNIT
    return compare(node.op, total, bound)


def _added(part: Points, facts: Facts, now: datetime, zone: str, ask: Ask) -> Added:
    if part.when is not None:
        matched, until = ask(part.when, now)
        return Added(part.points * UNIT if matched else 0, until)
    of = part.per
    assert of is not None  # noqa: S101 - the definition has seen to it
    windows = occurrence_steps(of, facts, now, zone_of(of.window, facts, zone, now))
    _, events = next(windows)
    changes = [at for at, _ in (next(windows, (None, None)),)]
    if isinstance(of.window, Calendar):
        changes += [at for at, _ in zone_steps(facts, zone, now)][1:2]
    units = 0
    for event in events:
        halved = 0 if part.half_life is None else (now - event.at) // part.half_life
        if halved < HALVINGS:
            units += part.points * UNIT >> halved
            if part.half_life is not None:
                changes.append(moved(event.at, part.half_life * (halved + 1)))
    return Added(units, min((at for at in changes if at is not None), default=None), tuple(events))
