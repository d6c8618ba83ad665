"""The meaning of questions about several events at once: their order, their trend, their rhythm."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias, assert_never
from zoneinfo import ZoneInfo

from crmsdk.model.comparison import compare
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.segments.chaining import spells_of
from crmsdk.segments.recurring import (
    gap_holds,
    middle_of,
    periods_with,
    regular_steps,
    streak_steps,
    variation_of,
)
from crmsdk.segments.rhythms import Gap, GapVariation, Regular, Streak
from crmsdk.segments.sequences import InOrder
from crmsdk.segments.spells import Spell, answer_of
from crmsdk.segments.trending import trend_holds, trend_ratio, trend_steps
from crmsdk.segments.trends import Trend
from crmsdk.segments.unfolding import (
    ANYWHERE,
    Answer,
    first_flip,
    in_zones,
    occurrence_steps,
    zone_at,
)
from crmsdk.segments.verdict import Threshold
from crmsdk.segments.windows import Calendar

__all__ = ["Habit", "habit_answer", "habit_found", "habit_holds"]

_Stepwise: TypeAlias = Trend | Streak | Regular | Gap | GapVariation
Habit: TypeAlias = InOrder | _Stepwise


def _is_local(node: Habit) -> bool:
    if isinstance(node, Streak | Regular):
        return True
    return isinstance(node.window if isinstance(node, InOrder) else node.of.window, Calendar)


def habit_answer(node: Habit, facts: Facts, now: datetime, zone: str) -> Answer:
    """Answer the question; arguments as of ``evaluate``."""
    answer = partial(_answer, node, facts)
    return in_zones(answer, facts, zone, now) if _is_local(node) else answer(now, ANYWHERE)


def habit_holds(node: Habit, facts: Facts, now: datetime, zone: str) -> bool:
    """Say whether it holds now, without looking for the moment at which that changes."""
    tz = zone_at(facts, zone, now) if _is_local(node) else ANYWHERE
    if isinstance(node, InOrder):
        return _answer(node, facts, now, tz)[0]
    steps, holds = _unfolding(node, facts, now, tz)
    return holds(next(steps)[1])


def _answer(node: Habit, facts: Facts, now: datetime, tz: ZoneInfo) -> Answer:
    if isinstance(node, InOrder):
        return answer_of(spells_of(node, facts, now, tz), now)
    return first_flip(*_unfolding(node, facts, now, tz))


def _unfolding(
    node: _Stepwise, facts: Facts, now: datetime, tz: ZoneInfo
) -> tuple[Iterator[tuple[datetime, Any]], Callable[[Any], bool]]:
    """Give what a question reads as it unfolds, and what makes it hold."""
    match node:
        case Trend():
            return trend_steps(node, facts, now, tz), partial(trend_holds, node)
        case Streak(_, _, _, op, operand):
            rows = streak_steps(node, facts, now, tz)
            return rows, lambda clocked: compare(op, periods_with(node, clocked, tz), operand)
        case Regular():
            periods = regular_steps(node, facts, now, tz)
            return periods, lambda clocked: periods_with(node, clocked, tz) >= node.at_least
        case Gap() | GapVariation():
            return occurrence_steps(node.of, facts, now, tz), partial(gap_holds, node)
        case _:
            assert_never(node)


def habit_found(
    node: Habit, facts: Facts, now: datetime, zone: str
) -> tuple[Threshold, Threshold, Sequence[Event]]:
    """Give what was found, what it is compared with, and the events that count."""
    tz = zone_at(facts, zone, now) if _is_local(node) else ANYWHERE
    if isinstance(node, InOrder):
        covering = [spell for spell in spells_of(node, facts, now, tz) if spell.covers(now)]
        return None, None, max(covering, key=_last).events if covering else ()
    if isinstance(node, Trend):
        _, windows = next(trend_steps(node, facts, now, tz))
        return trend_ratio(node, windows), node.operand, windows[0]
    _, events = next(occurrence_steps(node.of, facts, now, tz))
    match node:
        case Streak():
            return periods_with(node, (events, now), tz), node.operand, events
        case Regular():
            return periods_with(node, (events, now), tz), node.at_least, events
        case Gap():
            return middle_of(node, events), node.operand, events
        case GapVariation():
            return variation_of(events), node.operand, events
        case _:
            assert_never(node)


def _last(spell: Spell) -> tuple[datetime, str]:
    return spell.events[-1].position
