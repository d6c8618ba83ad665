"""The meaning of every condition: the reference that all other executors must agree with.

Truth is two-valued and ``~`` is the complement. A comparison with a missing value, or one of another kind,
is false. Of no events count and sum are zero; first and last are missing. Windows are half-open; facts dated
after ``now`` do not count until then, and ``until`` says when.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never, cast, overload
from zoneinfo import ZoneInfo

import attrs

from crmsdk.model.comparison import compare
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId
from crmsdk.model.moment import to_moment
from crmsdk.model.values import Value
from crmsdk.segments.accounting import account_answer, account_found
from crmsdk.segments.explain import heading
from crmsdk.segments.framing import EVER, frame_of
from crmsdk.segments.grammar import (
    Absolute,
    AccountAll,
    AccountCount,
    AccountSum,
    Aggregate,
    Always,
    And,
    Anniversary,
    AttrChanged,
    AttrDays,
    AttrHeld,
    AttrTest,
    AttrTime,
    Bucket,
    Condition,
    ConsentTest,
    Counted,
    Did,
    Edge,
    EventTime,
    Function,
    Gap,
    GapVariation,
    InOrder,
    Node,
    Not,
    Or,
    Points,
    Predicate,
    Regular,
    Relation,
    Relative,
    RunAnd,
    RunNot,
    RunOr,
    RunPredicate,
    Score,
    Segment,
    SinceEntry,
    Streak,
    Timing,
    Trend,
)
from crmsdk.segments.habits import habit_answer, habit_found
from crmsdk.segments.knowing import person_answer, person_found
from crmsdk.segments.measuring import aggregate_holds, aggregate_steps, aggregated
from crmsdk.segments.tallying import Added, points_of, score_answer, tally
from crmsdk.segments.unfolding import (
    Answer,
    Slices,
    attribute_steps,
    consent_steps,
    events_of,
    events_since,
    first_flip,
    in_zone_of,
    moved,
    occurrence_steps,
    slices,
    zone_of,
)
from crmsdk.segments.verdict import Because, RunView, Threshold, Verdict

__all__ = ["Because", "RunView", "Verdict", "evaluate"]


@overload
def evaluate(
    condition: Predicate, facts: Facts, now: datetime, *, run: RunView | None = None, zone: str = "UTC"
) -> Verdict: ...
@overload
def evaluate(
    condition: RunPredicate, facts: Facts, now: datetime, *, run: RunView, zone: str = "UTC"
) -> Verdict: ...
@overload
def evaluate(
    condition: Condition, facts: Facts, now: datetime, *, run: RunView, zone: str = "UTC"
) -> Verdict: ...
def evaluate(
    condition: Condition, facts: Facts, now: datetime, *, run: RunView | None = None, zone: str = "UTC"
) -> Verdict:
    """Answer one condition about one customer at one moment.

    Args:
        condition: What is asked.
        facts: Everything known about the customer.
        now: The moment of asking, aware; past and future ones are as good.
        run: The run it is asked in; needed for conditions about a run.
        zone: IANA zone of people whose zone is unknown, for questions about local days.

    Returns:
        The truth, and ``until``: no earlier change is possible without a new fact. It is the exact moment of
        the next change for single questions; for joined ones it may come earlier, never later.

    Raises:
        NaiveMoment: ``now`` has no zone.
        DefinitionError: the condition is about a run, and none is given.
        UnknownZone: a local day is asked for, and the zone data does not hold the zone.
        UnsupportedQuestion: the people of an account are asked about, and ``facts.colleagues`` is not given.
    """
    now = to_moment(now, "now")
    matched, until = _answer(condition, facts, now, run, zone)
    return Verdict(matched, until, partial(_because, condition, facts, now, run, zone))


def _answer(condition: Condition, facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
    node = cast("Node", condition)  # the kinds are closed; whatever else is a Condition ends in assert_never
    match node:
        case Did():
            return in_zone_of(node.of.window, partial(_done, node, facts), facts, zone, now)
        case AttrTest():
            steps = attribute_steps(facts, node.name, now)
            return first_flip(steps, lambda value: compare(node.op, value, node.operand))
        case And() | RunAnd():
            return _all((_answer(part, facts, now, run, zone) for part in node.parts), wanted=True)
        case Not() | RunNot():
            matched, until = _answer(node.part, facts, now, run, zone)
            return not matched, until
        case Or() | RunOr():
            return _all((_answer(part, facts, now, run, zone) for part in node.parts), wanted=False)
        case Segment():
            return _answer(node.predicate, facts, now, run, zone)
        case AttrTime():
            return _first_turn(attribute_steps(facts, node.name, now), node.timing)
        case EventTime():
            return in_zone_of(node.of.window, partial(_at_edge, node, facts), facts, zone, now)
        case Aggregate():
            return in_zone_of(node.of.window, partial(_aggregated, node, facts), facts, zone, now)
        case InOrder() | Trend() | Streak() | Regular() | Gap() | GapVariation():
            return habit_answer(node, facts, now, zone)
        case Score():
            return score_answer(node, facts, now, zone, _asker(facts, run, zone))
        case SinceEntry():
            moments = [event.at for event in events_since(node, facts, run)]
            return _counted(node, slices(moments, EVER, now))
        case ConsentTest():
            return first_flip(consent_steps(node, facts, now), lambda state: state is node.state)
        case AttrChanged() | AttrHeld() | AttrDays() | Anniversary() | Bucket():
            return person_answer(node, facts, now, zone)
        case AccountCount() | AccountAll() | AccountSum():
            return account_answer(node, facts, now, zone, _asker_of_each(zone))
        case Always():
            return node.holds, None
        case _:
            assert_never(node)


def _asker(facts: Facts, run: RunView | None, zone: str) -> Callable[[Predicate, datetime], Answer]:
    return lambda predicate, at: _answer(predicate, facts, at, run, zone)


def _asker_of_each(zone: str) -> Callable[[Predicate, Facts, datetime], Answer]:
    return lambda predicate, person, at: _answer(predicate, person, at, None, zone)


def _all(answers: Iterable[Answer], *, wanted: bool) -> Answer:
    """Join the answers of parts: ``wanted`` where every part is so, else the opposite.

    "And" holds where every part holds; "or" is its mirror, it fails where every part fails.
    """
    agreeing: datetime | None = None
    opposing: datetime | None = None
    opposed = False
    for matched, until in answers:
        if matched is wanted:
            if agreeing is None or (until is not None and until < agreeing):
                agreeing = until
        elif until is None:
            return not wanted, None  # one part that stays so for ever decides for ever
        else:
            opposed = True
            if opposing is None or until > opposing:
                opposing = until
    # While any part opposes nothing changes, so the last of them to turn bounds the answer from below.
    return (not wanted, opposing) if opposed else (wanted, agreeing)


def _done(node: Did, facts: Facts, now: datetime, tz: ZoneInfo) -> Answer:
    frame = frame_of(node.of.window, tz)
    events = events_of(node.of, frame, facts, now)
    return _counted(node, slices([event.at for event in events], frame, now))


def _aggregated(node: Aggregate, facts: Facts, now: datetime, tz: ZoneInfo) -> Answer:
    return first_flip(aggregate_steps(node, facts, now, tz), partial(aggregate_holds, node))


def _counted(node: Counted, steps: Slices) -> Answer:
    low, high = node.low, node.high
    _, start, end = next(steps)
    matched = low <= end - start and (high is None or end - start <= high)
    for at, start, end in steps:
        if (low <= end - start and (high is None or end - start <= high)) is not matched:
            return matched, at
    return matched, None


def _at_edge(node: EventTime, facts: Facts, now: datetime, tz: ZoneInfo) -> Answer:
    edges = _edges(node, facts, now, tz)
    return _first_turn(((at, event.at if event else None) for at, event in edges), node.timing)


def _edges(
    node: EventTime, facts: Facts, now: datetime, tz: ZoneInfo
) -> Iterator[tuple[datetime, Event | None]]:
    for at, events in occurrence_steps(node.of, facts, now, tz):
        if not events:
            yield at, None
        else:
            yield at, events[0] if node.edge is Edge.FIRST else events[-1]


def _first_turn(steps: Iterable[tuple[datetime, Value]], timing: Timing) -> Answer:
    """Follow a moment in time to the first turn of a question about it: between the steps too."""
    following = iter(steps)
    now, value = next(following)
    matched, turn = _lies(value, timing, now)
    for at, later in following:
        if turn is not None and turn < at:
            break
        holds, turn = _lies(later, timing, at)
        if holds is not matched:
            return matched, at
    return matched, turn


def _lies(value: Value, timing: Timing, now: datetime) -> Answer:
    """Answer a question about one moment that stays as it is."""
    if not isinstance(value, datetime):
        return False, None
    match timing:
        case Absolute(start, end):
            return (start is None or start <= value) and (end is None or value < end), None
        case Relative(relation, span):
            return _RELATED[relation](value, span, now)


def _within_last(value: datetime, span: timedelta, now: datetime) -> Answer:
    if now < value:
        return False, value
    leaves = moved(value, span)
    return (True, leaves) if leaves is None or now < leaves else (False, None)


def _more_than_ago(value: datetime, span: timedelta, now: datetime) -> Answer:
    due = moved(value, span)
    return (True, None) if due is not None and due <= now else (False, due)


def _within_next(value: datetime, span: timedelta, now: datetime) -> Answer:
    if value <= now:
        return False, None
    begins = moved(value, -span)
    return (True, value) if begins is None or begins <= now else (False, begins)


_RELATED: Mapping[Relation, Callable[[datetime, timedelta, datetime], Answer]] = {
    Relation.WITHIN_LAST: _within_last,
    Relation.MORE_THAN_AGO: _more_than_ago,
    Relation.WITHIN_NEXT: _within_next,
}


def _because(condition: Condition, facts: Facts, now: datetime, run: RunView | None, zone: str) -> Because:
    node = cast("Node", condition)
    matched, until = _answer(node, facts, now, run, zone)
    found: Threshold = None
    asked: Threshold = None
    events: Sequence[Event] = ()
    people: Sequence[CustomerId] = ()
    parts: tuple[Condition, ...] = ()
    match node:
        case Did():
            _, events = next(occurrence_steps(node.of, facts, now, zone_of(node.of.window, facts, zone, now)))
            found, asked = len(events), (node.low, node.high)
        case InOrder() | Trend() | Streak() | Regular() | Gap() | GapVariation():
            found, asked, events = habit_found(node, facts, now, zone)
        case SinceEntry():
            events = [event for event in events_since(node, facts, run) if event.at <= now]
            found, asked = len(events), (node.low, node.high)
        case AttrChanged() | AttrHeld() | AttrDays() | Anniversary() | Bucket():
            found, asked = person_found(node, facts, now, zone)
        case AttrTest():
            found, asked = facts.attribute(node.name, now), node.operand
        case AttrTime():
            found, asked = facts.attribute(node.name, now), _asked_of(node.timing)
        case EventTime():
            _, event = next(_edges(node, facts, now, zone_of(node.of.window, facts, zone, now)))
            found, asked = event.at if event else None, _asked_of(node.timing)
            events = (event,) if event else ()
        case Aggregate():
            _, brought = next(aggregate_steps(node, facts, now, zone_of(node.of.window, facts, zone, now)))
            found, asked = aggregated(node, brought), node.operand
            edge = {Function.FIRST: brought[:1], Function.LAST: brought[-1:]}
            events = [event for event, _ in edge.get(node.function, brought)]
        case Score():
            return _score_because(node, facts, now, run, zone)
        case AccountCount() | AccountAll() | AccountSum():
            found, asked, people, events = account_found(node, facts, now, zone, _asker_of_each(zone))
        case ConsentTest():
            _, state = next(consent_steps(node, facts, now))
            found, asked = state.value, node.state.value
        case And() | Or() | RunAnd() | RunOr():
            parts = node.parts
        case Not() | RunNot():
            parts = (node.part,)
        case Segment():
            parts = (node.predicate,)
        case Always():
            pass
        case _:
            assert_never(node)
    return Because(
        condition=node,
        text=heading(node),
        matched=matched,
        until=until,
        found=found,
        asked=asked,
        events=tuple(event.id for event in events),
        people=tuple(people),
        parts=tuple(_because(part, facts, now, run, zone) for part in parts),
    )


def _score_because(node: Score, facts: Facts, now: datetime, run: RunView | None, zone: str) -> Because:
    """Open a score up: what its parts found adds to what the whole found, exactly."""
    matched, until = score_answer(node, facts, now, zone, _asker(facts, run, zone))
    added = tally(node, facts, now, zone, _asker(facts, run, zone))
    return Because(
        condition=node,
        text=heading(node),
        matched=matched,
        until=until,
        found=points_of(sum(one.units for one in added)),
        asked=node.operand,
        parts=tuple(
            _score_part(part, one, lambda asked: _because(asked, facts, now, run, zone))
            for part, one in zip(node.parts, added, strict=True)
        ),
    )


def _score_part(part: Points, added: Added, why: Callable[[Predicate], Because]) -> Because:
    points = points_of(added.units)
    if part.per is None:
        assert part.when is not None  # noqa: S101 - it has either
        return attrs.evolve(why(part.when), found=points, asked=None)
    return Because(
        condition=Did(part.per),
        text=heading(Did(part.per)),
        matched=bool(added.events),
        until=added.until,
        found=points,
        events=tuple(event.id for event in added.events),
    )


def _asked_of(timing: Timing) -> Threshold:
    match timing:
        case Relative(_, span):
            return span
        case Absolute(start, end):
            return (start, end)
