"""When a wait is over, and when a date attribute comes due: wall clock in the person's zone."""

from datetime import date, datetime, time, timedelta

from crmsdk.journeys.steps import UntilLocal, Wait
from crmsdk.model.facts import Facts
from crmsdk.model.moment import to_moment
from crmsdk.model.values import Value
from crmsdk.model.zones import at_local, local, next_local, zone

__all__ = ["due_of", "moment_of_date", "same_time_after"]

_TICK = timedelta(microseconds=1)


def moment_of_date(value: Value, offset: timedelta, at: time, zone_name: str) -> datetime | None:
    """Give the instant a date attribute names, moved by an offset.

    Args:
        value: A moment (the offset is exact) or a date (the offset moves whole days, ``at`` is the local
            time); anything else is missing.
        offset: Before it when negative.
        at: Local time of day, for dates.
        zone_name: IANA zone of the person.

    Returns:
        UTC, or None when missing.
    """
    match value:
        case datetime():
            return value + offset
        case date():
            return at_local(value + timedelta(days=offset.days), at, zone(zone_name)) + (
                offset - timedelta(days=offset.days)
            )
        case _:
            return None


def due_of(wait: Wait, since: datetime, *, facts: Facts, now: datetime, zone: str) -> datetime | None:
    """Give the instant a wait is over, or None when its date is missing.

    Args:
        wait: The step.
        since: When the run came to it, UTC.
        facts: For the date attribute and the person's zone.
        now: As of when the attribute is read, UTC.
        zone: IANA zone of people whose zone is unknown.
    """
    until = wait.until
    if isinstance(until, timedelta):
        return since + until
    if isinstance(until, datetime):
        return to_moment(until, "until")
    person_zone = facts.zone or zone
    if isinstance(until, UntilLocal):
        return _next(since - _TICK, until.at, person_zone, until.weekdays)
    return moment_of_date(facts.attribute(until.attribute, now), until.offset, until.at, person_zone)


def _next(after: datetime, at: time, zone_name: str, weekdays: frozenset[int]) -> datetime:
    return next_local(after, at, zone(zone_name), weekdays=weekdays)


def same_time_after(nominal: datetime, now: datetime, zone_name: str) -> datetime:
    """Give the next instant after ``now`` at which the person's clock shows the time it showed at ``nominal``."""
    return _next(now, local(nominal, zone(zone_name)).time(), zone_name, frozenset(range(7)))
