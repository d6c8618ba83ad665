"""How an anonymous visitor's history becomes part of a known person's."""

from collections.abc import Sequence

from crmsdk.journeys.person import Change, Enrollment, Person, WatchKind
from crmsdk.journeys.program import Program
from crmsdk.model.changing import with_changes
from crmsdk.model.facts import Facts

__all__ = ["joined", "repeats", "without_theirs"]


def joined(person: Person, other: Person) -> Person:
    """Give the person with the other's history and runs added.

    Of zone, locale and account the last by event time counts, as of any attribute; the person's own audience
    wins, and the earlier birth. Watches over segments, dates and schedules are not taken over: they are asked
    anew with the joined facts. Absences of either are left out: they begin again over the joined facts.
    """
    facts: Facts = person.facts.with_events(
        with_changes(event, customer=person.id) for event in other.facts.events
    ).with_attributes(other.facts.attributes)
    own = tuple(watch for watch in person.watches if watch.kind is not WatchKind.ABSENCE)
    known = {watch.id for watch in own}
    carried = tuple(
        watch for watch in other.watches if watch.kind is WatchKind.EVENT and watch.id not in known
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
        watches=(*own, *carried),
    )


def repeats(run: Enrollment, person: Person, program: Program | None) -> bool:
    """Say whether a visitor's run is one that the person's own runs would have barred.

    Args:
        run: Of the visitor.
        person: As they were before.
        program: What the run is pinned to, whose entry policy counts; None when that is lost.
    """
    again = "after_exit" if program is None else program.journey.entry.again
    return again != "always" and any(
        (own.journey, own.key) == (run.journey, run.key) and (own.alive or again == "never")
        for own in person.enrollments
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
