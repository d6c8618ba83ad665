"""Single questions as functions, each made for one question.

They are quick where no fact is dated after ``now``: then values stay as they are, events only leave windows,
and of a count only the newest few matter. All else is left to the reference: facts of the future, windows
seldom asked for, and kinds of questions that are not known here.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, TypeAlias, TypeGuard

from crmsdk.model.comparison import Op, compare, value_at
from crmsdk.model.consent import ANY, ConsentState
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.money import Money
from crmsdk.model.values import Properties, Value
from crmsdk.segments import meaning
from crmsdk.segments._accounts import of_account
from crmsdk.segments._written import Constants, compared, function, passing, read, tested
from crmsdk.segments.grammar import (
    Absolute,
    AccountAll,
    AccountCount,
    Aggregate,
    AttrTime,
    Condition,
    ConsentTest,
    Did,
    Edge,
    EventTime,
    Function,
    Gap,
    GapVariation,
    InOrder,
    Regular,
    Relation,
    Rolling,
    SinceEntry,
    Streak,
    Timing,
    Trend,
    Window,
)
from crmsdk.segments.habits import Habit, habit_holds
from crmsdk.segments.measuring import total
from crmsdk.segments.unfolding import moved
from crmsdk.segments.verdict import RunView

__all__ = ["Answer", "Answering", "Holding", "answering", "by_reference", "holding"]

Answer: TypeAlias = tuple[bool, datetime | None]
Answering: TypeAlias = Callable[[Facts, datetime, RunView | None, str], Answer]
"""Facts, moment in UTC, run and zone to the truth and the earliest moment at which it may change."""

Holding: TypeAlias = Callable[[Facts, datetime, RunView | None, str], bool]
"""The same arguments, to the truth alone."""

_at = attrgetter("at")
_NO: Answer = (False, None)
_Passes: TypeAlias = Callable[[Properties], bool] | None
_Lying: TypeAlias = Callable[[datetime, datetime], Answer]


def answering(question: Condition) -> Answering:
    """Make the function of one question; of a kind that is not known here, the reference itself."""
    make, otherwise = _MAKERS.get(type(question)), by_reference(question)
    made = make(question, otherwise) if make else None
    return otherwise if made is None else made


def holding(question: Condition) -> Holding:
    """Make the function that gives the truth of one question alone."""
    make = _HOLDING.get(type(question))
    made = make(question) if make else None
    if made is not None:
        return made
    answer = answering(question)
    return lambda facts, now, run, zone: answer(facts, now, run, zone)[0]


def by_reference(condition: Condition) -> Answering:
    """Leave a condition to the reference."""

    def answer(facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
        verdict = meaning.evaluate(condition, facts, now, run=run, zone=zone)  # type: ignore[arg-type]  # it asks for the run itself
        return verdict.matched, verdict.until

    return answer


# --- attributes and consents -------------------------------------------------------------------------------


def _attr_time(node: AttrTime, otherwise: Answering) -> Answering:
    name, lies = node.name, _lying(node.timing)

    def answer(facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
        log = facts.attributes
        if log and log[-1].at > now:
            return otherwise(facts, now, run, zone)
        value = facts.values(now, (name,))[name]
        return lies(value, now) if isinstance(value, datetime) else _NO

    return answer


def _consent(node: ConsentTest, otherwise: Answering) -> Answering:
    channels, purposes, wanted = (node.channel, ANY), (node.purpose, ANY), node.state

    def answer(facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
        last = None
        for entry in facts.consents:
            if entry.at > now:
                return otherwise(facts, now, run, zone)
            if (
                entry.channel in channels
                and entry.purpose in purposes
                and (last is None or (entry.at, entry.id) > (last.at, last.id))
            ):
                last = entry
        return (ConsentState.UNKNOWN if last is None else last.state) is wanted, None

    return answer


# --- moments -----------------------------------------------------------------------------------------------


def _lying(timing: Timing) -> _Lying:
    """Make the function that says how a moment lies to now."""
    if isinstance(timing, Absolute):
        start, end = timing.start, timing.end
        return lambda at, _: ((start is None or start <= at) and (end is None or at < end), None)
    span = timing.span

    def within_last(at: datetime, now: datetime) -> Answer:
        if now < at:
            return False, at
        leaves = moved(at, span)
        return (True, leaves) if leaves is None or leaves > now else _NO

    def more_than_ago(at: datetime, now: datetime) -> Answer:
        due = moved(at, span)
        return (True, None) if due is not None and due <= now else (False, due)

    def within_next(at: datetime, now: datetime) -> Answer:
        if at <= now:
            return _NO
        begins = moved(at, -span)
        return (True, at) if begins is None or begins <= now else (False, begins)

    related: Mapping[Relation, _Lying] = {
        Relation.WITHIN_LAST: within_last,
        Relation.MORE_THAN_AGO: more_than_ago,
        Relation.WITHIN_NEXT: within_next,
    }
    return related[timing.relation]


def _slides(window: Window | None) -> TypeGuard[Rolling | None]:
    """Whether events only leave a window, each a span after it happened, or never."""
    return window is None or (isinstance(window, Rolling) and not window.ago)


def _event_time(node: EventTime, otherwise: Answering) -> Answering | None:
    name, passes, lies = node.of.event, passing(node.of.tests), _lying(node.timing)
    window, last = node.of.window, node.edge is Edge.LAST
    if not _slides(window) or (window is not None and not last):
        return None
    span = window.span if window else None

    def answer(facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
        events = facts.named(name)
        if not events:
            return _NO
        if events[-1].at > now:
            return otherwise(facts, now, run, zone)
        found = _edge(events, passes, None if span is None else moved(now, -span), last=last)
        if found is None:
            return _NO
        matched, turn = lies(found, now)
        leaves = None if span is None else moved(found, span)
        if leaves is None:
            return matched, turn
        if matched:  # until it leaves: then there is none, and no question about it holds
            return True, leaves if turn is None or leaves < turn else turn
        return False, turn if turn is not None and turn < leaves else None

    return answer


def _edge(events: Sequence[Event], passes: _Passes, since: datetime | None, *, last: bool) -> datetime | None:
    for event in reversed(events) if last else events:
        if since is not None and event.at <= since:
            return None
        if passes is None or passes(event.properties):
            return event.at
    return None


# --- counts and sums ---------------------------------------------------------------------------------------


def _did(node: Did, otherwise: Answering) -> Answering | None:
    name, window, passes = node.of.event, node.of.window, passing(node.of.tests)
    low, high = node.low, node.high
    if not _slides(window) or (low == 0 and high is None):
        return None
    span = window.span if window else None
    enough = low if high is None else high + 1  # the newest so many decide
    reached = high is None
    short: Answer = (not reached, None)

    def one_bound(facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
        events = facts.named(name)
        if not events:
            return short
        if events[-1].at > now:
            return otherwise(facts, now, run, zone)
        if len(events) < enough:
            return short
        if span is None:
            return reached, None
        leaves = moved(events[-enough].at, span)
        return (reached, leaves) if leaves is None or leaves > now else short

    def bounded(facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
        events = facts.named(name)
        if events and events[-1].at > now:
            return otherwise(facts, now, run, zone)
        return _bounded(_newest(events, passes, enough, now, span), low, high, span)

    return one_bound if passes is None and (high is None or low == 0) else bounded


def _newest(
    events: Sequence[Event], passes: _Passes, enough: int, now: datetime, span: timedelta | None
) -> list[datetime]:
    """Give the moments of the newest events that pass and lie in the window, the last one first."""
    since = moved(now, -span) if span is not None else None
    out: list[datetime] = []
    for event in reversed(events):
        if since is not None and event.at <= since:
            break
        if passes is None or passes(event.properties):
            out.append(event.at)
            if len(out) == enough:
                break
    return out


def _bounded(newest: Sequence[datetime], low: int, high: int | None, span: timedelta | None) -> Answer:
    """Answer by the moments of the newest events, at most so many as decide, the last one first."""
    found = len(newest)
    if found < low:
        return _NO
    if high is None or found <= high:
        return True, moved(newest[low - 1], span) if low and span is not None else None
    oldest = newest[-1]  # with it leave all of its moment; the count may fall below both bounds at once
    left = sum(at > oldest for at in newest)
    return False, moved(oldest, span) if left >= low and span is not None else None


def _since_entry(node: SinceEntry, otherwise: Answering) -> Answering:
    name, passes, span, keyed = node.event, passing(node.tests), node.span, node.keyed
    low, high = node.low, node.high

    def answer(facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
        events = facts.named(name)
        if run is None or (events and events[-1].at > now):
            return otherwise(facts, now, run, zone)
        moment, entry_id = run.entry
        end = None if span is None else moved(moment, span)
        key_name = run.key_name if keyed else None
        found = 0
        for event in reversed(events):
            at = event.at
            if at < moment or (at == moment and event.id <= entry_id):
                break
            if (
                (end is None or at <= end)
                and (passes is None or passes(event.properties))
                and (key_name is None or compare(Op.EQ, value_at(event.properties, key_name), run.key))
            ):
                found += 1
        return low <= found and (high is None or found <= high), None

    return answer


def _aggregate(node: Aggregate, otherwise: Answering) -> Answering | None:
    name, window = node.of.event, node.of.window
    if node.function is not Function.SUM or not _slides(window):
        return None
    span = window.span if window else None
    adding, holds = _adding(node, "(e.at, v)"), _of_sum(node)

    def answer(facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
        events = facts.named(name)
        if events and events[-1].at > now:
            return otherwise(facts, now, run, zone)
        added = adding(_lying_in(events, now, span))
        left = total([each for _, each in added])
        matched = holds(left)
        if span is None:
            return matched, None
        if isinstance(left, float):  # which depends on the order of adding and taking away
            return otherwise(facts, now, run, zone)
        for place, (at, each) in enumerate(added, 1):
            left -= each
            if place < len(added) and added[place][0] == at:
                continue  # they leave together
            if holds(left) is not matched:
                return matched, moved(at, span)
        return matched, None

    return answer


def _aggregate_holds(node: Aggregate) -> Holding | None:
    name, window = node.of.event, node.of.window
    if node.function is not Function.SUM or not _slides(window):
        return None
    span = window.span if window else None
    adding, holds = _adding(node, "v"), _of_sum(node)

    def truth(facts: Facts, now: datetime, _run: RunView | None, _zone: str) -> bool:
        return holds(total(adding(_lying_in(facts.named(name), now, span))))

    return truth


def _lying_in(events: Sequence[Event], now: datetime, span: timedelta | None) -> Sequence[Event]:
    """Give the events up to ``now`` that did not leave the window."""
    if not events:
        return events
    since = None if span is None else moved(now, -span)
    low = 0 if since is None else bisect_right(events, since, key=_at)
    high = len(events) if events[-1].at <= now else bisect_right(events, now, key=_at)
    return events[low:high]


def _of_sum(node: Aggregate) -> Callable[[int | float], bool]:
    constants = Constants()
    return function("v", [compared(node.op, _minors(node.operand), "v", constants)], constants)


def _minors(operand: Value) -> Value:
    if isinstance(operand, tuple):
        return tuple(_minors(item) for item in operand)
    return operand.minor if isinstance(operand, Money) else operand


def _adding(node: Aggregate, gives: str) -> Callable[[Sequence[Event]], list[Any]]:
    """Make the function that gives something of each event that adds ``v`` to a sum, money in minor units."""
    like = node.operand[0] if isinstance(node.operand, tuple) else node.operand
    constants = Constants()
    asks = [f"({tested(node.of.tests, constants)})"] if node.of.tests else []
    asks.append(f"(v := {read(node.prop, constants)}) is not None")
    if isinstance(like, Money):
        asks.append(f"isinstance(v, Money) and v.currency == {constants.name(like.currency)}")
        asks.append("((v := v.minor) or True)")
    else:
        asks.append("(isinstance(v, int) or isinstance(v, float)) and v is not True and v is not False")
    line = f"[{gives} for e in events if (p := e.properties) is not None and {' and '.join(asks)}]"
    return function("events", [line], constants)


_MAKERS: Mapping[type, Callable[[Any, Answering], Answering | None]] = {
    AccountAll: of_account,
    AccountCount: of_account,
    Aggregate: _aggregate,
    AttrTime: _attr_time,
    ConsentTest: _consent,
    Did: _did,
    EventTime: _event_time,
    SinceEntry: _since_entry,
}


def _habit_holds(node: Habit) -> Holding:
    return lambda facts, now, _, zone: habit_holds(node, facts, now, zone)


_HOLDING: Mapping[type, Callable[[Any], Holding | None]] = {
    Aggregate: _aggregate_holds,
    **dict.fromkeys((Gap, GapVariation, InOrder, Regular, Streak, Trend), _habit_holds),
}
"""Those whose truth alone is much cheaper."""
