"""The ledger in memory: the reference of the port, for tests, notebooks and simulations."""

import os
from collections.abc import Collection, Sequence
from threading import Lock
from typing import ClassVar

import attrs
from typing_extensions import override

from crmsdk.errors import StoreError
from crmsdk.ledgers._person import PersonLedger, check_batch, holds
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.moment import from_micros
from crmsdk.policy.answer import Lease
from crmsdk.policy.limits import place
from crmsdk.policy.record import Answer, Contact, ContactState, InDoubt, Reserve, Standing, Suppression
from crmsdk.ports import Ledger

__all__ = ["MemoryLedger"]


class MemoryLedger(Ledger):
    """Keeps contacts in this process only; it never suspends.

    Threads may share it. A forked process may not: each copy would admit the whole limit, so the copy
    raises ``StoreError``.
    """

    durable: ClassVar[bool] = False

    def __init__(self) -> None:
        self._people: dict[CustomerId, PersonLedger] = {}
        self._addresses: dict[str, list[Suppression]] = {}
        self._moved: dict[CustomerId, CustomerId] = {}
        self._lock = Lock()
        self._process = os.getpid()
        self._closed = False

    @override
    async def reserve(self, batch: Sequence[Reserve]) -> Sequence[Answer]:
        self._check(batch)
        with self._lock:
            return [self._reserve(each) for each in batch]

    def _reserve(self, reserve: Reserve) -> Answer:
        customer = self._where(reserve.request.customer)
        person = self._people.get(customer) or PersonLedger()
        standing = self._standing(reserve, person)
        own = person.by_message.get(reserve.request.message_id)
        contact = place(reserve, contacts=person.contacts, own=own, suppressions=standing.suppressions)
        if contact is not None:
            person.write(contact)
            self._people[customer] = person
        return Answer(contact=contact, standing=standing)

    def _standing(self, reserve: Reserve, person: PersonLedger) -> Standing:
        suppressions = person.suppressions
        if self._addresses and reserve.addresses:
            found = (self._addresses.get(address, ()) for address in set(reserve.addresses.values()))
            suppressions = [*suppressions, *(each for some in found for each in some)]
        return Standing(
            now=reserve.now,
            contacts=person.after(reserve.since, reserve.request.message_id),
            suppressions=frozenset(suppressions),
        )

    @override
    async def read(self, batch: Sequence[Reserve]) -> Sequence[Standing]:
        self._check(batch)
        with self._lock:
            return [self._standing(each, self._find(each.request.customer)) for each in batch]

    @override
    async def commit(self, leases: Sequence[Lease]) -> Sequence[bool]:
        self._check(leases)
        with self._lock:
            return [self._commit(lease.customer, lease.message_id) for lease in leases]

    def _commit(self, customer: CustomerId, message_id: MessageId) -> bool:
        person = self._find(customer)
        contact = person.by_message.get(message_id)
        if contact is None:
            return False
        if contact.state is not ContactState.SENT:
            person.write(contact.sent())
        return True

    @override
    async def release(self, leases: Sequence[Lease]) -> Sequence[bool]:
        self._check(leases)
        with self._lock:
            return [self._release(lease) for lease in leases]

    def _release(self, lease: Lease) -> bool:
        person = self._find(lease.customer)
        if holds(person.by_message.get(lease.message_id), lease) is None:
            return False
        person.drop(lease.message_id)
        return True

    @override
    async def renew(self, lease: Lease, until: int) -> Lease | None:
        self._check()
        with self._lock:
            person = self._find(lease.customer)
            contact = holds(person.by_message.get(lease.message_id), lease)
            if contact is None:
                return None
            person.write(contact._replace(lease=until))
        return attrs.evolve(lease, until=from_micros(until))

    @override
    async def record(self, contacts: Sequence[tuple[CustomerId, Contact]]) -> Sequence[bool]:
        self._check(contacts)
        with self._lock:
            return [
                self._people.setdefault(self._where(customer), PersonLedger()).add(contact)
                for customer, contact in contacts
            ]

    @override
    async def entries(self, customer: CustomerId, *, since: int = 0) -> Sequence[Contact]:
        self._check()
        with self._lock:
            return self._find(customer).since(since)

    @override
    async def in_doubt(self, now: int, *, limit: int = 1000) -> Sequence[InDoubt]:
        self._check()
        with self._lock:
            found = [
                InDoubt(customer, contact)
                for customer, person in self._people.items()
                for contact in person.contacts
                if contact.in_doubt(now)
            ]
        found.sort(key=lambda each: (each.contact.lease, each.contact.message_id, each.customer))
        return found[:limit]

    @override
    async def resolve(self, customer: CustomerId, message_id: MessageId, *, sent: bool, now: int) -> bool:
        self._check()
        with self._lock:
            person = self._find(customer)
            contact = person.by_message.get(message_id)
            if contact is None or not contact.in_doubt(now):
                return False
            if sent:
                return self._commit(customer, message_id)
            person.drop(message_id)
            return True

    @override
    async def suppress(self, suppressions: Sequence[Suppression]) -> None:
        self._check(suppressions)
        with self._lock:
            for each in suppressions:
                self._suppress(self._settled(each))

    @override
    async def unsuppress(self, suppressions: Sequence[Suppression]) -> Sequence[bool]:
        self._check(suppressions)
        with self._lock:
            return [self._unsuppress(self._settled(each)) for each in suppressions]

    def _unsuppress(self, suppression: Suppression) -> bool:
        held = self._stopping(suppression)
        if suppression not in held:
            return False
        held.remove(suppression)
        return True

    @override
    async def move(
        self, source: CustomerId, target: CustomerId, *, only: Collection[MessageId] | None = None
    ) -> Sequence[MessageId]:
        self._check()
        with self._lock:
            if only is not None:
                self._moved.pop(target, None)
                source = self._where(source)
                return [] if source == target else self._transfer(source, target, only)
            target = self._where(target)
            if source == target:
                return []
            person = self._people.get(source) or PersonLedger()
            moved = self._transfer(source, target, tuple(person.by_message))
            for each in person.suppressions:
                self._suppress(attrs.evolve(each, customer=target))
            self._people.pop(source, None)
            self._moved[source] = target
            return moved

    def _transfer(
        self, source: CustomerId, target: CustomerId, only: Collection[MessageId]
    ) -> list[MessageId]:
        giver = self._people.get(source) or PersonLedger()
        taker = self._people.setdefault(target, PersonLedger())
        return [contact.message_id for contact in taker.take_from(giver, only)]

    @override
    async def erase(self, customer: CustomerId) -> None:
        self._check()
        with self._lock:
            person = self._where(customer)
            self._people.pop(person, None)
            for source in [each for each in self._moved if self._where(each) == person]:
                del self._moved[source]

    @override
    async def forget(self, before: int) -> int:
        self._check()
        with self._lock:
            old = [
                (person, contact.message_id)
                for person in self._people.values()
                for contact in person.contacts
                if contact.at < before and contact.state is ContactState.SENT
            ]
            for person, message_id in old:
                person.drop(message_id)
        return len(old)

    @override
    async def close(self) -> None:
        self._closed = True

    def _check(self, batch: Sequence[object] = ()) -> None:
        """Refuse work that would lose or double contacts."""
        if self._closed:
            raise StoreError("the ledger is closed; open a new one")
        if os.getpid() != self._process:
            raise StoreError(
                "a ledger in memory cannot cross a fork; open SqliteLedger for several processes"
            )
        check_batch(batch)

    def _where(self, customer: CustomerId) -> CustomerId:
        """Follow moves to the person that answers for a customer now."""
        while customer in self._moved:
            customer = self._moved[customer]
        return customer

    def _find(self, customer: CustomerId) -> PersonLedger:
        return self._people.get(self._where(customer)) or PersonLedger()

    def _suppress(self, suppression: Suppression) -> None:
        held = self._stopping(suppression)
        if suppression not in held:
            held.append(suppression)

    def _stopping(self, suppression: Suppression) -> list[Suppression]:
        """Give the list that a suppression belongs to."""
        if suppression.customer:
            return self._people.setdefault(suppression.customer, PersonLedger()).suppressions
        return self._addresses.setdefault(suppression.address, [])

    def _settled(self, suppression: Suppression) -> Suppression:
        """Name the person that answers now."""
        if suppression.customer in self._moved:
            return attrs.evolve(suppression, customer=self._where(suppression.customer))
        return suppression
