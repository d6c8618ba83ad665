"""What triggers watch for on behalf of one person: segments, dates and the calendar."""

from collections.abc import Iterator
from datetime import datetime

from cronsim import CronSim

from crmsdk.journeys.deadlines import moment_of_date
from crmsdk.journeys.person import Watch
from crmsdk.journeys.programs import Slot
from crmsdk.journeys.triggers import DateReached, Schedule, SegmentChange
from crmsdk.model.changing import with_changes
from crmsdk.model.facts import Facts
from crmsdk.model.moment import to_moment
from crmsdk.model.zones import local, zone
from crmsdk.segments.compiling import compile_condition

__all__ = ["look", "new_watch", "next_occurrence"]


def new_watch(slot: Slot) -> Watch:
    """Start to watch, knowing nothing yet."""
    assert slot.watches is not None  # noqa: S101 - only triggers that watch come here
    return Watch(kind=slot.watches, journey=slot.program.name, slot=slot.index)


def look(
    slot: Slot, watch: Watch, facts: Facts, *, now: datetime, project_zone: str
) -> tuple[Watch, str | None]:
    """Look again at what is watched.

    Args:
        slot: The trigger.
        watch: As it stood.
        facts: Of the person.
        now: UTC.
        project_zone: IANA zone of people whose zone is unknown.

    Returns:
        The watch as it stands now, and the entry key if the trigger fires.
    """
    trigger = slot.trigger
    person_zone = facts.zone or project_zone
    match trigger:
        case SegmentChange():
            matched, until = compile_condition(trigger.segment)(facts, now, zone=project_zone)
            seen = with_changes(watch, matched=matched, due=until, value=slot.asks)
            if watch.value is not None and watch.value != slot.asks:
                return (
                    seen,
                    None,
                )  # a process of another version saw to it: what it saw is no change of this one
            fires = matched != watch.matched and matched == (trigger.change == "enter")
            return seen, now.isoformat() if fires else None
        case DateReached():
            value = facts.attribute(trigger.attribute, now)
            done = watch.matched and watch.value == value
            due = None if done else moment_of_date(value, trigger.offset, trigger.at, person_zone)
            if due is None or due > now:
                return with_changes(watch, value=value, due=due, matched=done), None
            reached = with_changes(watch, value=value, due=None, matched=True)
            fresh = now - due <= trigger.max_age
            return reached, f"{value}{trigger.offset!r}" if fresh else None
        case Schedule():
            due = watch.due
            following = next_occurrence(trigger, now, person_zone)
            if due is None or due > now:
                return with_changes(watch, due=following), None
            fresh = now - due <= trigger.max_age
            return with_changes(watch, due=following), due.isoformat() if fresh else None
        case _:
            raise AssertionError(trigger)


def next_occurrence(schedule: Schedule, now: datetime, person_zone: str) -> datetime:
    """Give the first occurrence of a schedule after ``now``, UTC.

    A time of day that is repeated counts once. What comes every hour comes in both of two equal hours.
    """
    name = schedule.zone or person_zone
    occurrences: Iterator[datetime] = CronSim(schedule.cron, local(now, zone(name)))
    return to_moment(next(occurrences), "cron")
