"""When a wait is over, and when a date attribute comes due: wall clock in the person's zone."""

from datetime import date, datetime, time, timedelta

from crmsdk.errors import InputError
from crmsdk.journeys.steps import UntilLocal, Wait
from crmsdk.model.facts import Facts
from crmsdk.model.moment import to_moment
from crmsdk.model.values import Value
from crmsdk.model.zones import at_local, local, next_local, zone

__all__ = ["due_of", "moment_of_date", "same_time_after"]


def moment_of_date(value: Value, offset: timedelta, at: time, zone_name: str) -> datetime | None:
    """Give the instant a date attribute names, moved by an offset.

    Args:
        value: A moment (the offset is exact) or a date (the offset moves whole days, ``at`` is the local
            time); anything else is missing.
        offset: Before it when negative.
        at: Local time of day, for dates.
        zone_name: IANA zone of the person.

    Returns:
        UTC, or None when missing, or outside the years 1 to 9999.
    """
    match value:
        case datetime():
            return moved(value, offset)
        case date():
            return _instant(value, offset, at, zone_name)
        case _:
            return None


def _instant(day: date, offset: timedelta, at: time, zone_name: str) -> datetime | None:
    days = timedelta(days=offset.days)
    try:
        # "Never" is often written as the last day of the year 9999: its edges lie outside of time.
        return moved(at_local(day + days, at, zone(zone_name)), offset - days)
    except (OverflowError, InputError):
        return None


def moved(moment: datetime, span: timedelta) -> datetime | None:
    """Give ``moment + span``; None outside the years 1 to 9999."""
    try:
        return moment + span
    except OverflowError:
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
        return _next(since, until.at, person_zone, until.weekdays)
    return moment_of_date(facts.attribute(until.attribute, now), until.offset, until.at, person_zone)


def _next(after: datetime, at: time, zone_name: str, weekdays: frozenset[int]) -> datetime:
    return next_local(after, at, zone(zone_name), weekdays=weekdays)


def same_time_after(nominal: datetime, now: datetime, zone_name: str) -> datetime:
    """Give the next instant after ``now`` at which the person's clock shows what it showed at ``nominal``."""
    return _next(now, local(nominal, zone(zone_name)).time(), zone_name, frozenset(range(7)))
