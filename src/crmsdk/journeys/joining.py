"""How an anonymous visitor's history becomes part of a known person's."""

from collections.abc import Sequence

from crmsdk.journeys.person import Change, Person, WatchKind
from crmsdk.model.changing import with_changes
from crmsdk.model.facts import Facts

__all__ = ["joined", "without_theirs"]


def joined(person: Person, other: Person) -> Person:
    """Give the person with the other's history, runs and open absences added.

    Of zone, locale and account the last by event time counts, as of any attribute; the person's own audience
    wins, and the earlier birth. Watches over segments, dates and schedules are not taken over: they are asked
    anew with the joined facts.
    """
    facts: Facts = person.facts.with_events(
        with_changes(event, customer=person.id) for event in other.facts.events
    ).with_attributes(other.facts.attributes)
    own = {watch.id for watch in person.watches}
    carried = tuple(
        watch
        for watch in other.watches
        if watch.kind in (WatchKind.ABSENCE, WatchKind.EVENT) and watch.id not in own
    )
    return with_changes(
        person,
        created=min(person.created, other.created),
        identifiers=tuple(dict.fromkeys((*person.identifiers, *other.identifiers))),
        facts=with_changes(
            facts,
            zone=person.facts.zone or other.facts.zone,
            consents=(*person.facts.consents, *other.facts.consents),
        ),
        locale=person.locale or other.locale,
        audience=person.audience or other.audience,
        account=person.account or other.account,
        enrollments=(*person.enrollments, *other.enrollments),
        watches=(*person.watches, *carried),
    )


def without_theirs(change: Change, others: Sequence[Person]) -> Change:
    """Leave out of a change what the joined visitors had already: it is stored, and only changes hands."""
    theirs = {event.id for other in others for event in other.facts.events}
    writes = {id(write) for other in others for write in other.facts.attributes}
    consents = {id(consent) for other in others for consent in other.facts.consents}
    names = {identifier for other in others for identifier in other.identifiers}
    return with_changes(
        change,
        events=tuple(event for event in change.events if event.id not in theirs),
        attributes=tuple(write for write in change.attributes if id(write) not in writes),
        consents=tuple(consent for consent in change.consents if id(consent) not in consents),
        identifiers=tuple(identifier for identifier in change.identifiers if identifier not in names),
    )
