"""What starts a run: an event, its absence, a segment, a date, a schedule or a call.

Triggers are data. ``on``, ``enters``, ``leaves``, ``on_date``, ``every`` and ``by_call`` build them.
"""

from datetime import datetime, time, timedelta
from typing import Literal, Protocol, Self

import attrs
from cronsim import CronSim, CronSimError

from crmsdk.errors import DefinitionError
from crmsdk.journeys._fields import a_span, clock_time, dated_name, one_of
from crmsdk.model.codec import definition
from crmsdk.model.comparison import PropTest
from crmsdk.model.zones import zone as known_zone
from crmsdk.segments.grammar import Predicate, Segment

__all__ = [
    "DAY",
    "ApiCall",
    "DateReached",
    "NamedProperty",
    "OnEvent",
    "Schedule",
    "SegmentChange",
    "Trigger",
    "by_call",
    "enters",
    "every",
    "leaves",
    "on",
    "on_date",
]

DAY = timedelta(days=1)
_ZERO = timedelta(0)


class NamedProperty(Protocol):
    """Anything that carries the name of a property or attribute: ``CartUpdated.cart_id``."""

    @property
    def name(self) -> str:
        """The declared name."""


def _event_name(event: str | type[object]) -> str:
    name = event if isinstance(event, str) else getattr(event, "__event_name__", None)
    if not isinstance(name, str) or not name:
        raise DefinitionError(f"{event!r} names no event; give an EventType or a non-empty name")
    return name


def _property_name(ref: str | NamedProperty) -> str:
    return ref if isinstance(ref, str) else ref.name


@attrs.frozen(kw_only=True)
class Trigger:
    """The root of all triggers.

    Attributes:
        when: A question about the customer that must hold at entry.
        max_age: Facts older than this at arrival start nothing, so importing history sends nothing.
    """

    when: Predicate | None = None
    max_age: timedelta = attrs.field(default=DAY, validator=a_span)

    def only_if(self, predicate: Predicate) -> Self:
        """Ask a question about the customer at the moment of entry."""
        return attrs.evolve(self, when=predicate if self.when is None else self.when & predicate)


@definition("on")
@attrs.frozen(kw_only=True)
class OnEvent(Trigger):
    """An event happened; or it happened and another did not follow.

    Attributes:
        event: Name of the event.
        tests: All must hold of its properties.
        key: Property whose value tells runs of one customer apart, as ``cart_id``.
        unless_event: With it, entry waits for ``within`` and is called off by this event of the same key.
        unless_tests: All must hold of the properties of the event that calls off.
        within: How long to wait for it.
        anchor: Whether a further event of the key restarts the wait (``last``) or not (``first``).
    """

    event: str
    tests: tuple[PropTest, ...] = ()
    key: str | None = None
    unless_event: str | None = None
    unless_tests: tuple[PropTest, ...] = ()
    within: timedelta = attrs.field(default=_ZERO, validator=a_span)
    anchor: Literal["first", "last"] = attrs.field(default="last", validator=one_of("first", "last"))

    def __attrs_post_init__(self) -> None:
        """Refuse an absence without a span."""
        if self.unless_event is not None and self.within <= _ZERO:
            raise DefinitionError(
                "unless needs a positive span; give within=timedelta(hours=2)", path="within"
            )

    def where(self, *tests: PropTest) -> "OnEvent":
        """Start only on events whose properties pass all tests."""
        return attrs.evolve(self, tests=(*self.tests, *tests))

    def unless(
        self,
        event: str | type[object],
        *tests: PropTest,
        within: timedelta,
        anchor: Literal["first", "last"] = "last",
    ) -> "OnEvent":
        """Start after ``within``, if that event of the same key has not come by then."""
        return attrs.evolve(
            self, unless_event=_event_name(event), unless_tests=tests, within=within, anchor=anchor
        )


@definition("segment-change")
@attrs.frozen(kw_only=True)
class SegmentChange(Trigger):
    """The customer enters or leaves a segment, by a fact or by the mere passing of time."""

    segment: Segment
    change: Literal["enter", "leave"] = attrs.field(default="enter", validator=one_of("enter", "leave"))


@definition("on-date")
@attrs.frozen(kw_only=True)
class DateReached(Trigger):
    """A date or moment held in an attribute, moved by an offset, is reached.

    Attributes:
        attribute: Holds a date (then ``at`` tells the local time) or a moment (then the offset is exact).
        offset: Before it when negative; whole days where the attribute is a date.
        at: Local time of day, for dates.
    """

    attribute: str
    offset: timedelta = attrs.field(default=_ZERO, validator=a_span)
    at: time = time(9)

    def __attrs_post_init__(self) -> None:
        """Refuse a time of day with a zone: it is local to each person."""
        if self.at.tzinfo is not None:
            raise DefinitionError("the time of day is local to each person; leave its zone away", path="at")


@definition("every")
@attrs.frozen(kw_only=True)
class Schedule(Trigger):
    """A recurring moment, for everybody for whom ``when`` holds then.

    Attributes:
        cron: Five fields, as ``0 10 * * mon``.
        zone: IANA name; None for each person's own zone.
    """

    cron: str
    zone: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a line that is no cron expression, and a zone there is not.

        Raises:
            UnknownZone: the zone data does not hold the zone.
        """
        if len(self.cron.split()) != 5:  # with six, the first would be seconds
            raise DefinitionError(f"{self.cron!r} is no cron expression: give five fields", path="cron")
        if self.zone is not None:
            known_zone(self.zone)
        try:
            CronSim(self.cron, datetime(2026, 1, 1))  # noqa: DTZ001 - only parsed, never read
        except CronSimError as error:
            raise DefinitionError(f"{self.cron!r} is no cron expression: {error}", path="cron") from None


@definition("by-call")
@attrs.frozen(kw_only=True)
class ApiCall(Trigger):
    """The application says so, by ``crm.enter``; it gives the entry key."""


def on(event: str | type[object], *, key: str | NamedProperty | None = None) -> OnEvent:
    """Start when an event happens.

    >>> on("cart_updated", key="cart_id").unless("purchase", within=timedelta(hours=2)).within
    datetime.timedelta(seconds=7200)
    """
    return OnEvent(event=_event_name(event), key=None if key is None else _property_name(key))


def _segment(segment: Segment | Predicate, name: str) -> Segment:
    if isinstance(segment, Segment):
        return segment
    if not name:
        raise DefinitionError("a bare predicate needs a name here; wrap it as Segment('name', predicate)")
    return Segment(name, segment)


def enters(segment: Segment | Predicate, name: str = "") -> SegmentChange:
    """Start when the customer enters a segment."""
    return SegmentChange(segment=_segment(segment, name), change="enter")


def leaves(segment: Segment | Predicate, name: str = "") -> SegmentChange:
    """Start when the customer leaves a segment."""
    return SegmentChange(segment=_segment(segment, name), change="leave")


def on_date(
    attribute: str | NamedProperty, offset: timedelta = _ZERO, *, at: time | str = time(9)
) -> DateReached:
    """Start when a date attribute, moved by an offset, is reached; it follows the attribute.

    A date more than ``max_age`` (a day) past when it becomes known starts nothing. Ask for a birthday by
    its anniversary:
    ``enters(attr("birthday").anniversary(), "birthday")``.

    Args:
        attribute: Holds a date (then ``at`` tells the local time) or a moment (then the offset is exact).
        offset: Before it when negative; whole days where the attribute is a date.
        at: Local time of day, as ``10:00``; for dates.
    """
    return DateReached(attribute=dated_name(attribute, offset), offset=offset, at=clock_time(at))


def every(cron: str, *, segment: Predicate | None = None, zone: str | None = None) -> Schedule:
    """Start at recurring moments for everybody in a segment.

    Args:
        cron: Five fields, as ``0 10 * * mon``.
        segment: Who; None for everybody.
        zone: IANA name; None for each person's own zone.
    """
    return Schedule(cron=cron, when=segment, zone=zone)


def by_call() -> ApiCall:
    """Start when the application calls ``crm.enter``."""
    return ApiCall()
