"""What a question reads, and how that unfolds in time when no new fact comes.

Facts lie still, but what counts of them moves with ``now``: events leave rolling windows, and events and
writes dated in the future begin to count. So everything a question reads is a step function of time, given
here as its steps: pairs of a moment and the value from that moment on, the first at ``now``, moments rising.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from crmsdk.errors import DefinitionError
from crmsdk.model.comparison import Op, compare, value_at
from crmsdk.model.consent import ConsentState, consent_state
from crmsdk.model.customer import ZONE
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.values import Value
from crmsdk.model.zones import zone as zone_named
from crmsdk.segments.framing import Frame, frame_of, moved
from crmsdk.segments.grammar import ConsentTest, Occurrences, SinceEntry
from crmsdk.segments.verdict import RunView
from crmsdk.segments.windows import Calendar, Interval, Window

__all__ = [
    "ANYWHERE",
    "Answer",
    "Slices",
    "attribute_steps",
    "consent_steps",
    "events_of",
    "events_since",
    "first_flip",
    "in_zone_of",
    "in_zones",
    "moved",
    "occurrence_steps",
    "slices",
    "together",
    "zone_at",
    "zone_of",
    "zone_steps",
]

T = TypeVar("T")
U = TypeVar("U")

Slices: TypeAlias = Iterator[tuple[datetime, int, int]]
"""Steps of a window: which events of a list, from index to index, lie in it."""
Answer: TypeAlias = tuple[bool, datetime | None]
"""Whether it holds, and the earliest moment at which that may change with no new fact."""

ANYWHERE = zone_named("UTC")
"""The zone of questions that look at no calendar."""


def events_of(of: Occurrences, frame: Frame, facts: Facts, now: datetime) -> list[Event]:
    """Give the events meant, in total order: those that lie in the window at ``now`` or will begin to.

    Args:
        of: Which are meant.
        frame: Their window, bound to a zone.
        facts: Of the customer.
        now: What left the window by then is not among them.
    """
    name = of.event
    found = [event for event in frame.kept(facts.events, now) if event.name == name]
    if isinstance(of.window, Interval):
        start, end = of.window.start, of.window.end
        found = [event for event in found if start <= event.at < end]
    for test in of.tests:
        found = [event for event in found if test.holds(event.properties)]
    return found


def occurrence_steps(
    of: Occurrences, facts: Facts, now: datetime, tz: ZoneInfo
) -> Iterator[tuple[datetime, list[Event]]]:
    """Unfold which events lie in a window, in total order."""
    frame = frame_of(of.window, tz)
    events = events_of(of, frame, facts, now)
    for at, low, high in slices([event.at for event in events], frame, now):
        yield at, events[low:high]


def events_since(node: SinceEntry, facts: Facts, run: RunView | None) -> list[Event]:
    """Give the events after the run's entry that a condition counts, in total order, future ones included.

    Raises:
        DefinitionError: there is no run.
    """
    if run is None:
        raise DefinitionError("since_entry has a meaning only inside a run; evaluate with run=RunView(...)")
    name, found = node.event, []
    for event in reversed(facts.events):
        if event.position <= run.entry:
            break
        if event.name == name:
            found.append(event)
    found.reverse()
    if node.span is not None:
        end = moved(run.entry[0], node.span)
        found = [event for event in found if end is None or event.at <= end]
    if node.keyed and run.key_name is not None:
        key_name, key = run.key_name, run.key
        found = [event for event in found if compare(Op.EQ, value_at(event.properties, key_name), key)]
    for test in node.tests:
        found = [event for event in found if test.holds(event.properties)]
    return found


def slices(moments: Sequence[datetime], frame: Frame, now: datetime) -> Slices:
    """Unfold a window over events: which lie in it now, and at each later moment at which that changes.

    Args:
        moments: Of the events, rising; none has left at ``now``.
        frame: When events enter and leave.
        now: Events that enter later are not in the window yet.
    """
    low, count = 0, len(moments)
    high = bisect_right(moments, now)
    while high and not _by(frame.enters(moments[high - 1]), now):
        high -= 1
    yield now, low, high
    while True:
        leaves = frame.leaves(moments[low]) if low < high else None
        enters = frame.enters(moments[high]) if high < count else None
        if leaves is None and enters is None:
            return
        at = min(moment for moment in (leaves, enters) if moment is not None)
        while high < count and _by(frame.enters(moments[high]), at):
            high += 1
        while low < high and _by(frame.leaves(moments[low]), at):
            low += 1
        yield at, low, high


def _by(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def first_flip(steps: Iterable[tuple[datetime, T]], holds: Callable[[T], bool]) -> Answer:
    """Follow a value in time to the first step at which the answer turns."""
    following = iter(steps)
    _, value = next(following)
    matched = holds(value)
    for at, later in following:
        if holds(later) is not matched:
            return matched, at
    return matched, None


def together(
    one: Iterable[tuple[datetime, T]], two: Iterable[tuple[datetime, U]]
) -> Iterator[tuple[datetime, tuple[T, U]]]:
    """Join two unfoldings of one ``now`` into one of both values."""
    first, second = iter(one), iter(two)
    (now, left), (_, right) = next(first), next(second)
    yield now, (left, right)
    ahead, beside = next(first, None), next(second, None)
    while ahead or beside:
        at = min(step[0] for step in (ahead, beside) if step)
        if ahead and ahead[0] == at:
            left, ahead = ahead[1], next(first, None)
        if beside and beside[0] == at:
            right, beside = beside[1], next(second, None)
        yield at, (left, right)


def attribute_steps(facts: Facts, name: str, now: datetime) -> Iterator[tuple[datetime, Value]]:
    """Unfold the value of an attribute."""
    yield now, facts.attribute(name, now)
    if facts.attributes and facts.attributes[-1].at > now:
        names = (name, name.partition(".")[0])
        for at in sorted({write.at for write in facts.attributes if write.at > now and write.name in names}):
            yield at, facts.attribute(name, at)


def zone_steps(facts: Facts, zone: str, now: datetime) -> Iterator[tuple[datetime, str]]:
    """Unfold the name of the person's zone.

    Args:
        facts: A zone written into the log counts from its moment on; before that the one known today does.
        zone: Of people whose zone is unknown.
        now: The first step.
    """
    for at, written in attribute_steps(facts, ZONE, now):
        yield at, written if isinstance(written, str) else facts.zone or zone


def zone_of(window: Window | None, facts: Facts, zone: str, now: datetime) -> ZoneInfo:
    """Give the person's zone at a moment, where the window of the events follows the calendar."""
    return zone_at(facts, zone, now) if isinstance(window, Calendar) else ANYWHERE


def zone_at(facts: Facts, zone: str, now: datetime) -> ZoneInfo:
    """Give the person's zone at a moment; arguments as of ``zone_steps``."""
    return zone_named(next(zone_steps(facts, zone, now))[1])


def in_zone_of(
    window: Window | None,
    answer: Callable[[datetime, ZoneInfo], Answer],
    facts: Facts,
    zone: str,
    now: datetime,
) -> Answer:
    """Answer a question about events, in the person's zone where their window follows the calendar."""
    if isinstance(window, Calendar):
        return in_zones(answer, facts, zone, now)
    return answer(now, ANYWHERE)


def in_zones(
    answer: Callable[[datetime, ZoneInfo], Answer], facts: Facts, zone: str, now: datetime
) -> Answer:
    """Follow an answer that depends on the person's zone through the moments at which the zone changes.

    Args:
        answer: Answers at a moment in a zone.
        facts, zone, now: As of ``zone_steps``.
    """
    following = zone_steps(facts, zone, now)
    matched, until = answer(now, zone_named(next(following)[1]))
    for at, name in following:
        if until is not None and until < at:
            break
        holds, until = answer(at, zone_named(name))
        if holds is not matched:
            return matched, at
    return matched, until


def consent_steps(node: ConsentTest, facts: Facts, now: datetime) -> Iterator[tuple[datetime, ConsentState]]:
    """Unfold the state of a consent."""
    yield now, consent_state(facts.consents, node.channel, node.purpose, now=now)
    for at in sorted({entry.at for entry in facts.consents if entry.at > now}):
        yield at, consent_state(facts.consents, node.channel, node.purpose, now=at)
