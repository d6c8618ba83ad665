"""What every store does alike with a change, in values alone."""

from datetime import datetime

import attrs

from crmsdk.errors import StoreError
from crmsdk.journeys.person import Change, Person
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import Message, MessageState

__all__ = ["absorbed_by", "free_from", "taken_over", "written"]


def free_from(message: Message) -> datetime | None:
    """Say from when a worker may take a message; None for a final one.

    A pending message waits for its moment and for the lease of whoever holds it; one being sent only for the
    lease, because its moment has come already.
    """
    match message.state:
        case MessageState.PENDING:
            if message.lease is None or message.lease < message.not_before:
                return message.not_before
            return message.lease
        case MessageState.SENDING:
            return message.not_before if message.lease is None else message.lease
        case _:
            return None


def absorbed_by(change: Change) -> frozenset[CustomerId]:
    """Name the customers a change absorbs.

    Raises:
        StoreError: the person itself is among them.
    """
    absorbed = frozenset(person.id for person in change.absorbs)
    if change.person.id in absorbed:
        raise StoreError("a change absorbs its own person; give only other customers in 'absorbs'")
    return absorbed


def taken_over(person: Person) -> Person:
    """Make every event of a person its own, also those that came from an absorbed customer."""
    facts = person.facts
    events = tuple(
        event if event.customer == person.id else attrs.evolve(event, customer=person.id)
        for event in facts.events
    )
    return attrs.evolve(person, facts=attrs.evolve(facts, customer=person.id, events=events))


def written(person: Person) -> Person:
    """Give the person as it reads after its commit: one version on."""
    # Called for every change of a simulation: a plain call costs a third of attrs.evolve.
    return Person(
        id=person.id,
        version=person.version + 1,
        created=person.created,
        identifiers=person.identifiers,
        facts=person.facts,
        locale=person.locale,
        audience=person.audience,
        account=person.account,
        enrollments=person.enrollments,
        watches=person.watches,
    )
