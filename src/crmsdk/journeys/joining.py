"""How an anonymous visitor's history becomes part of a known person's."""

from crmsdk.journeys.person import Person, WatchKind
from crmsdk.model.changing import with_changes
from crmsdk.model.facts import Facts

__all__ = ["joined"]


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
