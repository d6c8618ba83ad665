"""What of a history can still change an answer: the rest need not be kept."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from crmsdk.model.changing import with_changes
from crmsdk.model.customer import ACCOUNT
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.segments._written import passing
from crmsdk.segments.accounts import AccountAll, AccountCount, AccountSum
from crmsdk.segments.aggregates import Aggregate
from crmsdk.segments.conditions import Condition, leaves
from crmsdk.segments.grammar import AttrTest, AttrTime, Did, Edge, EventTime, Occurrences
from crmsdk.segments.reading import reads
from crmsdk.segments.unfolding import moved
from crmsdk.segments.windows import Interval, Rolling

__all__ = ["Keeping"]

_Keep: TypeAlias = Callable[[Sequence[Event], datetime], Iterable[Event]]
"""Of events of one name, in total order, those that a question may still need."""


class Keeping:
    """Says which facts questions may still need, also when older facts arrive later.

    Args:
        questions: Single ones.
    """

    def __init__(self, questions: Iterable[Condition]) -> None:
        self._events: dict[str, list[_Keep]] = {}
        self._whole = {ACCOUNT, ACCOUNT.partition(".")[0]}  # few writes, and they tell who shares an account
        self._newest: set[str] = set()
        for question in _of_one_person(questions):
            read = reads(question)
            for name in read.events:
                self._events.setdefault(name, []).append(_keep(question))
            simple = isinstance(question, AttrTest | AttrTime)
            (self._newest if simple else self._whole).update(read.attributes)

    def trimmed(self, facts: Facts, now: datetime) -> Facts:
        """Give the facts without those that no question needs at ``now`` or later."""
        kept: set[int] = set()
        for name, several in self._events.items():
            events = facts.named(name)
            for keep in several if events else ():
                kept.update(map(id, keep(events, now)))
        last: dict[str, int] = {}
        for place, write in enumerate(facts.attributes):
            if write.at <= now:
                last[write.name] = place
        return with_changes(
            facts,
            events=tuple(event for event in facts.events if id(event) in kept),
            attributes=tuple(
                write
                for place, write in enumerate(facts.attributes)
                if write.name in self._whole
                or (write.name in self._newest and (write.at > now or last[write.name] == place))
            ),
        )


def _of_one_person(questions: Iterable[Condition]) -> Iterator[Condition]:
    """Give what each of the people of an account is asked, where others are asked about."""
    for question in questions:
        match question:
            case AccountCount() | AccountAll():
                yield from leaves(question.predicate)
            case AccountSum():
                yield question.each
            case _:
                yield question


def _keep(question: Condition) -> _Keep:
    of = getattr(question, "of", None)
    if not isinstance(of, Occurrences) or not isinstance(question, Did | EventTime | Aggregate):
        return lambda events, _: events
    passes = passing(of.tests)
    within = _within(question, of)

    def keep(events: Sequence[Event], now: datetime) -> Iterable[Event]:
        return within([event for event in events if passes is None or passes(event.properties)], now)

    return keep


def _within(question: Condition, of: Occurrences) -> _Keep:
    window = of.window
    match window:
        case Rolling(span, ago):

            def rolling(events: Sequence[Event], now: datetime) -> Iterable[Event]:
                since = moved(now, -span - ago)
                return [event for event in events if since is None or event.at > since]

            return rolling
        case Interval(start, end):
            return lambda events, _: [event for event in events if start <= event.at < end]
        case None if isinstance(question, Did):
            enough = question.low if question.high is None else question.high + 1

            def newest(events: Sequence[Event], now: datetime) -> Iterable[Event]:
                past = [event for event in events if event.at <= now]
                return [*past[len(past) - enough :], *events[len(past) :]] if enough < len(past) else events

            return newest
        case None if isinstance(question, EventTime):
            if question.edge is Edge.FIRST:
                return lambda events, now: [*events[:1], *(event for event in events[1:] if event.at > now)]

            def last(events: Sequence[Event], now: datetime) -> Iterable[Event]:
                past = sum(event.at <= now for event in events)
                return events[max(past - 1, 0) :]

            return last
        case _:
            return lambda events, _: events
