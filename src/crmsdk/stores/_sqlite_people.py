"""The tables of what a person is made of, and their rows.

Booleans and enumerations are written as plain integers and text: for a subclass sqlite3 would look for an
adapter each time.
"""

from collections.abc import Callable
from typing import Final

from crmsdk.journeys.person import Enrollment, Person, Phase, Watch, WatchKind
from crmsdk.model.changing import assembler
from crmsdk.model.consent import ConsentWrite
from crmsdk.model.customer import AttributeWrite, Identifier
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.stores._sqlite_table import Row, Table
from crmsdk.stores._sqlite_values import (
    micros,
    moment,
    properties_of,
    properties_text,
    value_of,
    value_text,
)

__all__ = ["ATTRIBUTES", "CONSENTS", "ENROLLMENTS", "EVENTS", "IDENTIFIERS", "PARTS", "PEOPLE", "WATCHES"]


_made_event: Callable[..., Event] = assembler(Event)


def _person_row(owner: str, person: Person) -> Row:
    return (
        owner,
        person.version + 1,  # a row is written by a commit, which takes the version one on
        micros(person.wake),
        to_micros(person.created),
        person.facts.zone,
        person.locale,
        person.audience,
        person.account,
    )


def _person(row: Row) -> Person:
    id, version, _, created, zone, locale, audience, account = row
    return Person(
        id=id,
        version=version,
        created=from_micros(created),
        facts=Facts(customer=id, zone=zone),
        locale=locale,
        audience=audience,
        account=account,
    )


def _identifier_row(owner: str, identifier: Identifier) -> Row:
    return (owner, identifier.kind.value, identifier.value)


def _identifier(row: Row) -> Identifier:
    return Identifier(row[1], row[2])


def _event_row(owner: str, event: Event) -> Row:
    return (
        owner,
        to_micros(event.at),
        event.id,
        event.name,
        to_micros(event.received),
        properties_text(event.properties),
        event.source,
    )


def _event(row: Row) -> Event:
    customer, at, id, name, received, properties, source = row
    return _made_event(
        id=id,
        customer=customer,
        name=name,
        at=from_micros(at),
        received=from_micros(received),
        properties=properties_of(properties),
        source=source,
    )


def _attribute_row(owner: str, write: AttributeWrite) -> Row:
    return (owner, to_micros(write.at), write.id, write.name, value_text(write.value), write.source)


def _attribute(row: Row) -> AttributeWrite:
    _, at, id, name, value, source = row
    return AttributeWrite(name=name, value=value_of(value), at=from_micros(at), id=id, source=source)


def _consent_row(owner: str, write: ConsentWrite) -> Row:
    return (
        owner,
        to_micros(write.at),
        write.id,
        write.channel,
        write.purpose,
        write.state.value,
        write.basis,
        write.source,
        write.evidence,
    )


def _consent(row: Row) -> ConsentWrite:
    _, at, id, channel, purpose, state, basis, source, evidence = row
    return ConsentWrite(
        channel=channel,
        purpose=purpose,
        state=state,
        at=from_micros(at),
        id=id,
        basis=basis,
        source=source,
        evidence=evidence,
    )


def _enrollment_row(owner: str, run: Enrollment) -> Row:
    return (
        owner,
        run.id,
        run.journey,
        run.definition,
        run.customer,
        run.key,
        run.key_name,
        value_text(run.key_value),
        to_micros(run.position[0]),
        run.position[1],
        to_micros(run.entered),
        properties_text(run.values),
        int(run.control),
        run.cursor,
        run.phase.value,
        to_micros(run.since),
        micros(run.due),
        run.token,
        run.waits_for,
        int(run.paused),
        micros(run.wake),
        micros(run.goal_at),
        int(run.goal_open),
        micros(run.ended),
        run.outcome,
        run.error,
    )


def _enrollment(row: Row) -> Enrollment:
    (_, id, journey, definition, customer, key, key_name, key_value, position_at, position_id, entered,
     values, control, cursor, phase, since, due, token, waits_for, paused, wake, goal_at, goal_open,
     ended, outcome, error) = row  # fmt: skip
    return Enrollment(
        id=id,
        journey=journey,
        definition=definition,
        customer=customer,
        key=key,
        key_name=key_name,
        key_value=value_of(key_value),
        position=(from_micros(position_at), position_id),
        entered=from_micros(entered),
        values=properties_of(values),
        control=bool(control),
        cursor=cursor,
        phase=Phase(phase),
        since=from_micros(since),
        due=moment(due),
        token=token,
        waits_for=waits_for,
        paused=bool(paused),
        wake=moment(wake),
        goal_at=moment(goal_at),
        goal_open=bool(goal_open),
        ended=moment(ended),
        outcome=outcome,
        error=error,
    )


def _watch_row(owner: str, watch: Watch) -> Row:
    at, id = watch.position or (None, None)
    return (
        owner,
        watch.kind.value,
        watch.journey,
        watch.slot,
        watch.key,
        micros(watch.due),
        int(watch.matched),
        micros(at),
        id,
        value_text(watch.value),
    )


def _watch(row: Row) -> Watch:
    _, kind, journey, slot, key, due, matched, position_at, position_id, value = row
    return Watch(
        kind=WatchKind(kind),
        journey=journey,
        slot=slot,
        key=key,
        due=moment(due),
        matched=bool(matched),
        position=None if position_at is None else (from_micros(position_at), position_id),
        value=value_of(value),
    )


PEOPLE: Final = Table[Person](
    name="person",
    columns=("id", "version", "wake", "created", "zone", "locale", "audience", "account"),
    key=("id",),
    row=_person_row,
    value=_person,
)

IDENTIFIERS: Final = Table[Identifier](
    name="identifier",
    columns=("customer", "kind", "value"),
    key=("kind", "value"),
    row=_identifier_row,
    value=_identifier,
)

EVENTS: Final = Table[Event](
    name="event",
    columns=("customer", "at", "id", "name", "received", "properties", "source"),
    row=_event_row,
    value=_event,
)

ATTRIBUTES: Final = Table[AttributeWrite](
    name="attribute_write",
    columns=("customer", "at", "id", "name", "value", "source"),
    row=_attribute_row,
    value=_attribute,
)

CONSENTS: Final = Table[ConsentWrite](
    name="consent",
    columns=("customer", "at", "id", "channel", "purpose", "state", "basis", "source", "evidence"),
    row=_consent_row,
    value=_consent,
)

ENROLLMENTS: Final = Table[Enrollment](
    name="enrollment",
    columns=(
        *("owner", "id", "journey", "definition", "customer", "key", "key_name", "key_value"),
        *("position_at", "position_id", "entered", "values", "control", "cursor", "phase", "since"),
        *("due", "token", "waits_for", "paused", "wake", "goal_at", "goal_open", "ended"),
        *("outcome", "error"),
    ),
    key=("owner", "id"),
    row=_enrollment_row,
    value=_enrollment,
)

WATCHES: Final = Table[Watch](
    name="watch",
    columns=(
        *("owner", "kind", "journey", "slot", "key"),
        *("due", "matched", "position_at", "position_id", "value"),
    ),
    key=("owner", "kind", "journey", "slot", "key"),
    row=_watch_row,
    value=_watch,
)

PARTS: Final = (
    (IDENTIFIERS, "seq"),
    (EVENTS, "customer, at, id"),
    (ATTRIBUTES, "customer, at, id, seq"),
    (CONSENTS, "seq"),
    (ENROLLMENTS, "seq"),
    (WATCHES, "owner, kind, journey, slot, key"),
)
"""What a person is read from besides its own row, and the order in which."""
