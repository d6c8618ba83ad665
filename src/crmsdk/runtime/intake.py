"""The intake: finds out who each piece of news is about, and what of it is new; writes nothing itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar, assert_never

import attrs

from crmsdk.errors import DuplicateEvent, IdentityError, InputError
from crmsdk.identity.resolution import Owner, resolve
from crmsdk.journeys.person import Person
from crmsdk.journeys.stimuli import Happened, Input, Joined, Wrote
from crmsdk.model.customer import ACCOUNT, LOCALE, ZONE, AttributeWrite, Identifier, IdentifierKind
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId, keyed_id
from crmsdk.model.inputs import Alias, Group, Identify, Track
from crmsdk.model.inputs import Input as News
from crmsdk.model.zones import zone as known_zone
from crmsdk.ports import Store

__all__ = ["Batch", "Refused", "gather"]

_MADE = "c-"
"""What the ids begin with that are made here, for people first seen without a user id."""


_Said = TypeVar("_Said", bound=str | None)


@attrs.frozen
class Refused:
    """One piece of news that was not taken, and why.

    Attributes:
        id: The fact's id.
        error: Typed, with the mend.
        news: What was not taken: of two with one id, one may have been.
    """

    id: str
    error: InputError | IdentityError
    news: News = attrs.field(repr=False)


@attrs.define
class Batch:
    """A batch sorted out by person.

    Attributes:
        people: As stored; new ones have version 0.
        inputs: For each of them what the engine is to take.
        accepted: The news taken, by person.
        duplicates: How many were known already.
        refused: What was not taken, in order.
        conflicts: By known person, ids of events that arrived with another body.
        rest: What was not looked at yet: a stored visitor joins, and the news before that are the visitor's.
    """

    people: dict[CustomerId, Person] = attrs.field(factory=dict)
    inputs: dict[CustomerId, list[Input]] = attrs.field(factory=dict)
    accepted: dict[CustomerId, list[News]] = attrs.field(factory=dict)
    duplicates: int = 0
    refused: list[Refused] = attrs.field(factory=list)
    conflicts: dict[CustomerId, list[str]] = attrs.field(factory=dict)
    rest: Sequence[News] = ()


async def gather(store: Store, news: Sequence[News], *, now: datetime, secret: bytes) -> Batch:
    """Sort a batch out: who is meant, what is new, who becomes one.

    The news are taken in their order (moment, rank, id), so that an alias or identify of the batch is known
    to the events that come with it or after it. What is wrong with one piece concerns no other.

    Args:
        store: Where people are.
        news: Any order.
        now: UTC; the birth of people first seen.
        secret: Key from which ids of new people are derived, so that two processes derive the same.
    """
    given = sorted(news, key=lambda one: one.order)
    owned = await store.owners(list({name for one in given for name in _names(one)}))
    known = await store.find_events([one.id for one in given if isinstance(one, Track)])
    ordered = [one for one in given if not _repeats(one, owned, known)]
    wanted = dict.fromkeys(owned[name] for one in ordered for name in _names(one) if name in owned)
    loaded = await store.load(list(wanted))
    work = _Gathering(now, secret)
    work.batch.duplicates = len(given) - len(ordered)
    for person in loaded:
        if person is not None:
            work.know(person)
    for index, one in enumerate(ordered):
        try:
            if not work.take(one, known):
                work.batch.rest = ordered[index:]
                break
        except (InputError, IdentityError) as error:
            work.batch.refused.append(Refused(one.id, error, one))
    return work.batch


def _repeats(one: News, owned: Mapping[Identifier, CustomerId], known: Mapping[EventId, Event]) -> bool:
    """Say whether a plain event is known word for word: then its person need not be read."""
    if not isinstance(one, Track) or len(one.identifiers) != 1:
        return False
    before = known.get(one.id)
    return (
        before is not None
        and owned.get(one.identifiers[0]) == before.customer
        and before.same_fact(one.event(before.customer))
    )


def _names(one: News) -> tuple[Identifier, ...]:
    return (*one.identifiers, one.previous) if isinstance(one, Alias) else one.identifiers


class _Gathering:
    """The working state of one batch."""

    def __init__(self, now: datetime, secret: bytes) -> None:
        self.now = now
        self.secret = secret
        self.batch = Batch()
        self.owners: dict[Identifier, CustomerId] = {}
        self.identified: set[CustomerId] = set()
        self.users: dict[CustomerId, set[str]] = {}
        self.seen: dict[EventId, Event] = {}
        self.joined: dict[CustomerId, CustomerId] = {}
        self.written: set[tuple[str, str]] = set()

    def know(self, person: Person) -> None:
        self.batch.people[person.id] = person
        for name in person.identifiers:
            self._own(name, person.id)
        if person.identified:
            self.identified.add(person.id)

    def take(self, one: News, known: Mapping[EventId, Event]) -> bool:
        """Take one; False when those before it must be committed first."""
        names = _names(one)
        if isinstance(one, Identify) and one.zone is not None:
            known_zone(one.zone)
        found = resolve(
            names, {name: self._owner(self.owners[name]) for name in names if name in self.owners}
        )
        batch = self.batch
        if any(batch.inputs.get(other) for other in found.joins):
            return False
        customer = found.customer or self._new(one, names)
        fresh = not isinstance(one, Track) or self._fresh(one.event(customer), known)
        inputs = self._inputs(customer, one, found.adds) if fresh else []
        if not inputs and not (fresh and found.joins):
            batch.duplicates += 1
            return True
        for other in found.joins:
            self._join(customer, other, one.at)
        for name in found.adds:
            self._own(name, customer)
        if any(name.identifies for name in found.adds):
            self.identified.add(customer)
        batch.inputs.setdefault(customer, []).extend(inputs)
        batch.accepted.setdefault(customer, []).append(one)
        return True

    def _owner(self, customer: CustomerId) -> Owner:
        return Owner(
            customer=customer,
            identified=customer in self.identified,
            created=self.batch.people[customer].created,
            users=frozenset(self.users.get(customer, ())),
        )

    def _own(self, name: Identifier, customer: CustomerId) -> None:
        self.owners[name] = customer
        if name.kind is IdentifierKind.USER:
            self.users.setdefault(customer, set()).add(name.value)

    def _new(self, one: News, names: Sequence[Identifier]) -> CustomerId:
        """Make a customer; the id follows from the name, so that two processes make the same one."""
        leading = one.user or names[0]
        if leading.kind is IdentifierKind.USER and not leading.value.startswith(_MADE):
            customer = CustomerId(leading.value)
        else:  # also a user id that looks like one of ours: it must not meet the customer who has it
            customer = CustomerId(
                _MADE + keyed_id(self.secret, ("customer", leading.kind, leading.value))[:24]
            )
        if customer not in self.batch.people:
            self.batch.people[customer] = Person(
                id=customer, created=min(one.at, self.now), facts=Facts(customer=customer)
            )
        return customer

    def _fresh(self, event: Event, known: Mapping[EventId, Event]) -> bool:
        """Say whether the event is new; one id with two bodies is an error."""
        before = known.get(event.id) or self.seen.get(event.id)
        if before is None:
            self.seen[event.id] = event
            return True
        owner = self.joined.get(before.customer, before.customer)
        if not attrs.evolve(before, customer=owner).same_fact(event):
            if event.customer in self.batch.people and self.batch.people[event.customer].version:
                self.batch.conflicts.setdefault(event.customer, []).append(event.id)
            raise DuplicateEvent(event.id)
        return False

    def _join(self, customer: CustomerId, other: CustomerId, at: datetime) -> None:
        batch = self.batch
        visitor = batch.people.pop(other)
        self.joined = {old: customer if new == other else new for old, new in self.joined.items()}
        self.joined[other] = customer
        inputs = batch.inputs.setdefault(customer, [])
        if visitor.version:
            inputs.append(Joined(at=at, other=visitor))
        inputs.extend(batch.inputs.pop(other, ()))
        batch.accepted.setdefault(customer, []).extend(batch.accepted.pop(other, ()))
        if other in batch.conflicts:
            batch.conflicts.setdefault(customer, []).extend(batch.conflicts.pop(other))
        for name, owner in self.owners.items():
            if owner == other:
                self.owners[name] = customer

    def _inputs(self, customer: CustomerId, one: News, names: tuple[Identifier, ...]) -> list[Input]:
        """Put news into the words of the engine; nothing when it says nothing new."""
        match one:
            case Track():
                return [Happened(event=one.event(customer), identifiers=names)]
            case Identify():
                wrote = Wrote(
                    at=one.at,
                    id=one.id,
                    identifiers=names,
                    attributes=self._unwritten(customer, one.writes()),
                    zone=self._unsaid(customer, one, ZONE, one.zone),
                    locale=self._unsaid(customer, one, LOCALE, one.locale),
                )
            case Group():
                writes = tuple(
                    AttributeWrite(
                        name=f"account.{name}", value=value, at=one.at, id=one.id, source=one.source
                    )
                    for name, value in one.traits.items()
                )
                wrote = Wrote(
                    at=one.at,
                    id=one.id,
                    identifiers=names,
                    account=self._unsaid(customer, one, ACCOUNT, one.account),
                    attributes=self._unwritten(customer, writes),
                )
            case Alias():
                wrote = Wrote(at=one.at, id=one.id, identifiers=names)
            case _:
                assert_never(one)
        return [wrote] if self._says_something(customer, wrote) else []

    def _says_something(self, customer: CustomerId, wrote: Wrote) -> bool:
        said = (wrote.zone, wrote.locale, wrote.account)
        first = not self.batch.people[customer].version and customer not in self.batch.inputs
        return bool(wrote.identifiers or wrote.attributes or first or any(one is not None for one in said))

    def _unwritten(
        self, customer: CustomerId, writes: tuple[AttributeWrite, ...]
    ) -> tuple[AttributeWrite, ...]:
        """Leave out what an earlier delivery of the same fact wrote already, stored or in this batch."""
        new = tuple(write for write in writes if self._first(customer, write.id, write.name))
        self.written.update((write.id, write.name) for write in new)
        return new

    def _unsaid(self, customer: CustomerId, one: News, name: str, value: _Said) -> _Said | None:
        """Leave out a field of the profile that an earlier delivery of the same fact said already."""
        if value is None or not self._first(customer, one.id, name):
            return None
        self.written.add((one.id, name))
        return value

    def _first(self, customer: CustomerId, id: str, name: str) -> bool:
        log = self.batch.people[customer].facts.attributes
        return (id, name) not in self.written and not any(old.id == id and old.name == name for old in log)
