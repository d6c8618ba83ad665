"""One event without another: what is watched for after an anchor, and what calls it off."""

from collections.abc import Mapping
from datetime import datetime

from crmsdk.journeys.person import Watch, WatchKind
from crmsdk.journeys.program import key_text
from crmsdk.journeys.programs import Slot
from crmsdk.journeys.triggers import OnEvent
from crmsdk.model.comparison import value_at
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts

__all__ = ["absence_after", "anchored", "anchors_after", "calls_off", "entry_key", "passes"]

_LAST_ID = "\U0010ffff"  # sorts behind every id


def entry_key(trigger: OnEvent, event: Event) -> str | None:
    """Read the entry key as text: empty where none is declared, None where the event has none."""
    if trigger.key is None:
        return ""
    value = value_at(event.properties, trigger.key)
    return None if value is None or isinstance(value, Mapping | tuple) else key_text(value)


def passes(trigger: OnEvent, event: Event) -> bool:
    """Say whether an event of the trigger's name passes its tests."""
    return all(test.holds(event.properties) for test in trigger.tests)


def calls_off(trigger: OnEvent, watch: Watch, event: Event) -> bool:
    """Say whether an event ends an absence: right name and key, after the anchor, up to the deadline."""
    return (
        event.name == trigger.unless_event
        and watch.position is not None
        and watch.due is not None
        and watch.position < event.position
        and event.at <= watch.due
        and all(test.holds(event.properties) for test in trigger.unless_tests)
        and entry_key(trigger, event) == watch.key
    )


def anchored(slot: Slot | None, watch: Watch, facts: Facts) -> tuple[Slot, OnEvent, Event] | None:
    """Give an absence's trigger and anchor, if they still fit: another version may have other triggers."""
    event = facts.event(watch.position) if watch.position is not None else None
    if slot is None or event is None or not isinstance(slot.trigger, OnEvent):
        return None
    trigger = slot.trigger
    same = trigger.event == event.name and trigger.unless_event is not None
    return (slot, trigger, event) if same and entry_key(trigger, event) == watch.key else None


def absence_after(
    slot: Slot, trigger: OnEvent, event: Event, older: Watch | None, *, facts: Facts, now: datetime
) -> Watch | None:
    """Give what is watched for once an anchor event has come, whatever the order of arrival.

    Args:
        slot: The trigger's place.
        trigger: With ``unless_event``, and a key the event has.
        event: The anchor.
        older: What was watched for of the same key before.
        facts: Of the person, the event included.
        now: UTC; facts dated later do not count yet.

    Returns:
        The watch from now on: ``older`` where the event changes nothing, None where it is called off already.
    """
    key = entry_key(trigger, event) or ""
    watch = Watch(
        kind=WatchKind.ABSENCE,
        journey=slot.program.name,
        slot=slot.index,
        key=key,
        due=event.at + trigger.within,
        position=event.position,
    )
    if older is not None and older.position is not None:
        if trigger.anchor == "first" and older.position < event.position:
            return older
        if trigger.anchor == "last" and older.position > event.position:
            return older
    came = facts.between(event.position, (event.at + trigger.within, _LAST_ID))
    came = tuple(one for one in came if one.at <= now)
    if trigger.anchor == "last" and any(_begins(trigger, one, key) for one in came):
        return older  # it arrived late: in its place, a later one had taken over
    if any(calls_off(trigger, watch, one) for one in came):
        # Come in time, a first wait would have been called off, and the later anchor have begun its own.
        return older if trigger.anchor == "first" else None
    return watch


def anchors_after(trigger: OnEvent, event: Event, *, facts: Facts, now: datetime) -> tuple[Event, ...]:
    """Give the anchors of the key that come after the event that called its first wait off.

    While that wait stood they meant nothing; now the first of them begins one, if nothing calls that off too.
    """
    if trigger.anchor == "last":
        return ()
    key = entry_key(trigger, event)
    later = facts.between(event.position, (now, _LAST_ID))
    return tuple(one for one in later if _begins(trigger, one, key))


def _begins(trigger: OnEvent, event: Event, key: str | None) -> bool:
    return event.name == trigger.event and entry_key(trigger, event) == key and passes(trigger, event)
