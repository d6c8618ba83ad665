"""What a question reads, and how that unfolds in time when no new fact comes.

Facts lie still, but what counts of them moves with ``now``: events leave rolling windows, and events and
writes dated in the future begin to count. So everything a question reads is a step function of time, given
here as its steps: pairs of a moment and the value from that moment on, the first at ``now``, moments rising.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeAlias

from crmsdk.errors import DefinitionError
from crmsdk.model.comparison import Op, compare, value_at
from crmsdk.model.consent import ConsentState, consent_state
from crmsdk.model.customer import ZONE
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.values import Value
from crmsdk.segments.grammar import ConsentTest, Occurrences, SinceEntry
from crmsdk.segments.verdict import RunView
from crmsdk.segments.windows import Interval, Rolling

__all__ = [
    "Slices",
    "attribute_steps",
    "consent_steps",
    "events_of",
    "events_since",
    "moved",
    "slices",
    "span_of",
    "zone_steps",
]

Slices: TypeAlias = Iterator[tuple[datetime, int, int]]
"""Steps of a window: which events of a list, from index to index, lie in it."""

_at = attrgetter("at")


def moved(moment: datetime, span: timedelta) -> datetime | None:
    """Give ``moment + span``; None beyond the years 1 to 9999, where nothing ever happens."""
    try:
        return moment + span
    except OverflowError:
        return None


def span_of(of: Occurrences) -> timedelta | None:
    """Give the span of a rolling window; None when events never leave."""
    return of.window.span if isinstance(of.window, Rolling) else None


def events_of(of: Occurrences, facts: Facts, now: datetime) -> list[Event]:
    """Give the events meant, in total order: those that lie in the window at ``now`` or will begin to."""
    events: Sequence[Event] = facts.events
    if isinstance(of.window, Rolling):
        since = moved(now, -of.window.span)
        if since is not None:  # before the first moment there is nothing to leave out
            events = events[bisect_right(events, since, key=_at) :]
    name = of.event
    found = [event for event in events if event.name == name]
    if isinstance(of.window, Interval):
        start, end = of.window.start, of.window.end
        found = [event for event in found if start <= event.at < end]
    for test in of.tests:
        found = [event for event in found if test.holds(event.properties)]
    return found


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


def slices(moments: Sequence[datetime], span: timedelta | None, now: datetime) -> Slices:
    """Unfold a window over events: which lie in it now, and at each later moment at which that changes.

    Args:
        moments: Of the events, rising; all after ``now - span``.
        span: An event leaves at exactly its moment + span; None when it never leaves.
        now: Events dated later are not in the window yet.
    """
    low, high, count = 0, bisect_right(moments, now), len(moments)
    yield now, low, high
    while True:
        leaves = moved(moments[low], span) if span is not None and low < high else None
        enters = moments[high] if high < count else None
        if leaves is None and enters is None:
            return
        at = min(moment for moment in (leaves, enters) if moment is not None)
        while high < count and moments[high] <= at:
            high += 1
        while span is not None and low < high and (leave := moved(moments[low], span)) and leave <= at:
            low += 1
        yield at, low, high


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


def consent_steps(node: ConsentTest, facts: Facts, now: datetime) -> Iterator[tuple[datetime, ConsentState]]:
    """Unfold the state of a consent."""
    yield now, consent_state(facts.consents, node.channel, node.purpose, now=now)
    for at in sorted({entry.at for entry in facts.consents if entry.at > now}):
        yield at, consent_state(facts.consents, node.channel, node.purpose, now=at)
