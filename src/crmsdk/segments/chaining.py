"""The meaning of sequences: every chain of events holds for a spell, and any spell will do.

Of the chains that end with one event, the one that begins last is within the span if any is, and leaves the
window last; so one chain for each last event tells all. Where an event must not follow, the span runs from
the first event, and each first event is judged by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.segments.framing import Frame, frame_of, moved
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.sequences import InOrder
from crmsdk.segments.spells import Spell
from crmsdk.segments.windows import Interval

__all__ = ["spells_of"]


def spells_of(node: InOrder, facts: Facts, now: datetime, tz: ZoneInfo) -> list[Spell]:
    """Give the spells during which a sequence holds, those that are over by ``now`` perhaps left out."""
    frame = frame_of(node.window, tz)
    events = frame.kept(facts.events, now)
    chains = _complete(node, events) if node.absent is None else _settled(node, node.absent, events)
    return [spell for known, chain in chains if (spell := _spell(known, chain, frame)) is not None]


def _spell(known: datetime, chain: tuple[Event, ...], frame: Frame) -> Spell | None:
    enters, leaves = frame.enters(chain[-1].at), frame.leaves(chain[0].at)
    if enters is None:
        return None
    begin = max(known, enters)
    return Spell(begin, leaves, chain) if leaves is None or begin < leaves else None


def _complete(node: InOrder, events: Sequence[Event]) -> Iterator[tuple[datetime, tuple[Event, ...]]]:
    """Give, for each event that ends a chain, the chain that begins last, known when it ends."""
    fits = [_fitting(step, node) for step in node.steps]
    begun: list[tuple[Event, ...] | None] = [None] * len(fits)
    for event in events:
        for place in range(len(fits) - 1, -1, -1):  # backwards, so that one event never takes two steps
            before = begun[place - 1] if place else ()
            if before is None or not fits[place](event):
                continue
            chain = begun[place] = (*before, event)
            if place == len(fits) - 1 and (node.span is None or event.at - chain[0].at <= node.span):
                yield event.at, chain


def _settled(
    node: InOrder, absent: Occurrences, events: Sequence[Event]
) -> Iterator[tuple[datetime, tuple[Event, ...]]]:
    """Give, for each first event that no absent one spoils, the chain that ends first, known at its due."""
    fits, spoils = [_fitting(step, node) for step in node.steps], _fitting(absent)
    for first, event in enumerate(events):
        due = moved(event.at, node.span) if node.span is not None and fits[0](event) else None
        if due is None:
            continue
        after = [later for later in events[first + 1 :] if later.at <= due]
        chain = _earliest(event, fits[1:], after, spoils)
        if chain is not None:
            yield due, chain


def _earliest(
    first: Event,
    fits: Sequence[Callable[[Event], bool]],
    after: Sequence[Event],
    spoils: Callable[[Event], bool],
) -> tuple[Event, ...] | None:
    """Make the chain that ends first, of those whose end no spoiling event follows."""
    chain, spoilt = [first], max((place for place, later in enumerate(after) if spoils(later)), default=-1)
    at = 0
    for step, fit in enumerate(fits):
        if step == len(fits) - 1:
            at = max(at, spoilt)  # the last step may itself be what must not follow it
        while at < len(after) and not fit(after[at]):
            at += 1
        if at == len(after):
            return None
        chain.append(after[at])
        at += 1
    return tuple(chain) if fits or spoilt < 0 else None


def _fitting(of: Occurrences, node: InOrder | None = None) -> Callable[[Event], bool]:
    window = node.window if node is not None else None

    def fits(event: Event) -> bool:
        if event.name != of.event or not all(test.holds(event.properties) for test in of.tests):
            return False
        return not isinstance(window, Interval) or window.start <= event.at < window.end

    return fits
