"""Facts: everything known about one customer, in the order predicates read it."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter

import attrs

from crmsdk.model.changing import with_changes
from crmsdk.model.consent import ConsentWrite
from crmsdk.model.customer import RESERVED, AttributeWrite
from crmsdk.model.event import Event, Position
from crmsdk.model.ids import CustomerId
from crmsdk.model.values import Value

__all__ = ["Facts", "keep_accounts"]

_at = attrgetter("at")
_EVER = datetime.min.replace(tzinfo=UTC)


def _place(event: Event) -> Position:
    return (event.at, event.id)


def _written(write: AttributeWrite) -> Position:
    return (write.at, write.id)


def _put(events: list[Event], event: Event) -> None:
    if not events or _place(events[-1]) < _place(event):
        events.append(event)
    else:
        insort(events, event, key=_place)


def _more(named: Mapping[str, Sequence[Event]], added: Iterable[Event]) -> dict[str, Sequence[Event]]:
    out = dict(named)
    for event in added:
        of = list(out.get(event.name, ()))
        _put(of, event)
        out[event.name] = of
    return out


def _last(log: tuple[AttributeWrite, ...], name: str) -> Value:
    head, _, path = name.partition(".")
    found: Value = None
    for write in reversed(log):
        if write.name == name:
            return write.value
        if path and write.name == head:
            found = write.value
            break
    return _inside(found, path) if path else found


def _inside(value: Value, path: str) -> Value:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


class _Seen:
    """What was looked up once; no fields, so never compared, hashed, shown or pickled, nor copied unasked.

    Attributes:
        newest: The moment of the last write, and the attributes asked for so far as they are from then on.
        accounts: The accounts of the person in time, as ``crmsdk.model.colleagues`` finds them.
    """

    __slots__ = ("_named", "accounts", "newest")
    accounts: list[tuple[datetime, str | None]]
    _named: dict[str, Sequence[Event]]
    newest: tuple[datetime, dict[str, Value]]


@attrs.frozen(kw_only=True)
class Facts(_Seen):
    """The history of one customer; adding to it gives a new one.

    Attributes:
        customer: Whose it is.
        zone: IANA zone name; None when unknown (the project's zone stands in).
        events: In total order (event time, event id); future ones included.
        attributes: The attribute log in the order (moment, fact id); future ones included.
        consents: The consent log, any order.
        colleagues: Facts of everybody else who was, is or will be in an account of the customer, for
            questions about its people; None where nobody looked. ``crmsdk.model.colleagues`` finds them.
    """

    customer: CustomerId
    zone: str | None = None
    events: tuple[Event, ...] = attrs.field(default=(), repr=lambda events: f"<{len(events)} events>")
    attributes: tuple[AttributeWrite, ...] = attrs.field(default=(), repr=lambda log: f"<{len(log)} writes>")
    consents: tuple[ConsentWrite, ...] = ()
    colleagues: "tuple[Facts, ...] | None" = attrs.field(default=None, repr=False)

    def with_events(self, events: Iterable[Event]) -> "Facts":
        """Add events at their places."""
        new = list(self.events)
        added = tuple(events)
        for event in added:
            _put(new, event)
        made = with_changes(self, events=tuple(new))
        newest, named = getattr(self, "newest", None), getattr(self, "_named", None)
        if newest is not None:  # attributes are as they were
            _keep_newest(made, newest)
        if named is not None:
            _keep_named(made, _more(named, added))
        return made

    def with_attributes(self, writes: Iterable[AttributeWrite]) -> "Facts":
        """Add entries of the attribute log at their places."""
        made = with_changes(self, attributes=tuple(sorted((*self.attributes, *writes), key=_written)))
        named = getattr(self, "_named", None)
        if named is not None:  # events are as they were
            _keep_named(made, named)
        return made

    def named(self, name: str) -> Sequence[Event]:
        """Give the events of one name, in total order, future ones included."""
        try:
            return self._named.get(name, ())
        except AttributeError:
            named: dict[str, list[Event]] = {}
            for event in self.events:
                try:
                    named[event.name].append(event)
                except KeyError:
                    named[event.name] = [event]
            _keep_named(self, named)
            return named.get(name, ())

    def values(self, now: datetime, names: Iterable[str]) -> Mapping[str, Value]:
        """Give what ``attribute`` gives as of ``now``, for these names and perhaps more."""
        log = self._log(now)
        if log is not self.attributes:
            return {name: _last(log, name) for name in names}
        try:
            _, known = self.newest
        except AttributeError:
            known = {}
            _keep_newest(self, (log[-1].at if log else _EVER, known))
        for name in names:
            if name not in known:
                known[name] = _last(log, name)
        return known

    def attribute(self, name: str, now: datetime) -> Value:
        """Give the value of an attribute as of ``now``; None when missing.

        A dotted name reads into mappings, as ``address.city``. Where there is an attribute of that very name,
        too, what was written last counts: that attribute, or the mapping.
        """
        return _last(self._log(now), name)

    def _log(self, now: datetime) -> tuple[AttributeWrite, ...]:
        log = self.attributes
        return log[: bisect_right(log, now, key=_at)] if log and log[-1].at > now else log

    def history(self, name: str) -> list[tuple[datetime, Value]]:
        """Give the values of an attribute in time, future ones included: each with the moment it began.

        Moments rise, and from each on ``attribute`` gives the value; it may be the one from before. Ahead
        of the first the attribute is missing.
        """
        head, _, path = name.partition(".")
        steps: list[tuple[datetime, Value]] = []
        for write in self.attributes:
            if write.name == name or (path and write.name == head):
                value = write.value if write.name == name else _inside(write.value, path)
                if steps and steps[-1][0] == write.at:
                    steps.pop()
                steps.append((write.at, value))
        return steps

    def current(self, now: datetime) -> dict[str, Value]:
        """Give every attribute that has a value as of ``now``; zone, locale, account and lists are none."""
        out = {
            write.name: write.value
            for write in self.attributes
            if write.at <= now and not write.name.startswith(RESERVED)
        }
        return {name: value for name, value in out.items() if value is not None}

    def between(self, after: Position, upto: Position) -> tuple[Event, ...]:
        """Give the events with ``after < position <= upto``, in total order."""
        low = bisect_right(self.events, after, key=_place)
        return self.events[low : bisect_right(self.events, upto, key=_place)]

    def event(self, position: Position) -> Event | None:
        """Give the event at a place of the total order, or None."""
        index = bisect_left(self.events, position, key=_place)
        if index < len(self.events) and _place(self.events[index]) == position:
            return self.events[index]
        return None


_keep_named: Callable[[Facts, Mapping[str, Sequence[Event]]], None] = vars(_Seen)["_named"].__set__
_keep_newest: Callable[[Facts, tuple[datetime, dict[str, Value]]], None] = vars(_Seen)["newest"].__set__
keep_accounts: Callable[[Facts, list[tuple[datetime, str | None]]], None] = vars(_Seen)["accounts"].__set__
"""Keep what was found out about the accounts of a person."""
