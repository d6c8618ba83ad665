"""The ledger in one SQLite file, shared by all processes of a machine; the default."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from os import PathLike
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

import attrs
from typing_extensions import override

from crmsdk.errors import ConfigError
from crmsdk.ledgers._person import PersonLedger, check_batch, holds
from crmsdk.ledgers._sqlite_desk import Desk
from crmsdk.ledgers._sqlite_file import LedgerFile
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.moment import from_micros
from crmsdk.policy.answer import Lease
from crmsdk.policy.limits import place
from crmsdk.policy.record import Answer, Contact, ContactState, InDoubt, Reserve, Standing, Suppression
from crmsdk.ports import Ledger

__all__ = ["SqliteLedger"]

T = TypeVar("T")


class SqliteLedger(Ledger):
    """Keeps contacts in a file; any number of processes of one machine may open it at a time.

    The file may be a store's own. It must lie on a local disk: SQLite's locks fail on network shares.

    Args:
        path: The file; made if it is not there.
        busy: How long to wait for other processes before ``StoreBusy``.
        synchronous: ``normal`` survives a crash of the process, and may lose the last contacts when the
            power fails; ``full`` survives that too, at many times the cost of a single reserve.

    Raises:
        StoreBusy: another process holds the file too long.
        NewerStore: a newer release wrote it.
        StoreError: it cannot be opened or is no database.
        ConfigError: the path means a database in memory.
    """

    durable: ClassVar[bool] = True

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        busy: timedelta = timedelta(seconds=5),
        synchronous: Literal["normal", "full"] = "normal",
    ) -> None:
        if not str(path) or str(path).startswith((":memory:", "file:")):
            raise ConfigError(
                "a SQLite ledger needs the path of a file; MemoryLedger keeps contacts in memory"
            )
        if synchronous not in {"normal", "full"}:
            raise ConfigError(f"synchronous is {synchronous!r}; say 'normal' or 'full'")
        self._file = LedgerFile(Path(path), busy=busy, synchronous=synchronous)

    @override
    async def reserve(self, batch: Sequence[Reserve]) -> Sequence[Answer]:
        check_batch(batch)
        return await self._write(lambda desk: _reserve(desk, batch))

    @override
    async def read(self, batch: Sequence[Reserve]) -> Sequence[Standing]:
        check_batch(batch)
        return await self._read(lambda desk: _standings(desk, batch))

    @override
    async def commit(self, leases: Sequence[Lease]) -> Sequence[bool]:
        check_batch(leases)
        return await self._write(
            lambda desk: [_commit(desk, desk.where(lease.customer), lease.message_id) for lease in leases]
        )

    @override
    async def release(self, leases: Sequence[Lease]) -> Sequence[bool]:
        check_batch(leases)
        return await self._write(lambda desk: [_release(desk, lease) for lease in leases])

    @override
    async def renew(self, lease: Lease, until: int) -> Lease | None:
        return await self._write(lambda desk: _renew(desk, lease, until))

    @override
    async def record(self, contacts: Sequence[tuple[CustomerId, Contact]]) -> Sequence[bool]:
        check_batch(contacts)
        return await self._write(lambda desk: _record(desk, contacts))

    @override
    async def entries(self, customer: CustomerId, *, since: int = 0) -> Sequence[Contact]:
        return await self._read(lambda desk: desk.person(desk.where(customer), since=since - 1).contacts)

    @override
    async def in_doubt(self, now: int, *, limit: int = 1000) -> Sequence[InDoubt]:
        return await self._read(lambda desk: desk.in_doubt(now, limit))

    @override
    async def resolve(self, customer: CustomerId, message_id: MessageId, *, sent: bool, now: int) -> bool:
        return await self._write(
            lambda desk: _resolve(desk, desk.where(customer), message_id, sent=sent, now=now)
        )

    @override
    async def suppress(self, suppressions: Sequence[Suppression]) -> None:
        check_batch(suppressions)
        await self._write(lambda desk: desk.suppress(suppressions))

    @override
    async def unsuppress(self, suppressions: Sequence[Suppression]) -> Sequence[bool]:
        check_batch(suppressions)
        return await self._write(lambda desk: [desk.unsuppress(each) for each in suppressions])

    @override
    async def move(
        self, source: CustomerId, target: CustomerId, *, only: Collection[MessageId] | None = None
    ) -> Sequence[MessageId]:
        return await self._write(lambda desk: _move(desk, source, target, only))

    @override
    async def erase(self, customer: CustomerId) -> None:
        await self._write(lambda desk: desk.erase(desk.where(customer)))

    @override
    async def forget(self, before: int) -> int:
        return await self._write(lambda desk: desk.forget(before))

    @override
    async def close(self) -> None:
        await self._file.close()

    async def _write(self, work: Callable[[Desk], T]) -> T:
        return await self._file.write(lambda database: work(Desk(database)))

    async def _read(self, work: Callable[[Desk], T]) -> T:
        return await self._file.read(lambda database: work(Desk(database)))


def _reserve(desk: Desk, batch: Sequence[Reserve]) -> list[Answer]:
    people: dict[CustomerId, PersonLedger] = {}
    written: list[tuple[CustomerId, Contact]] = []
    since = min((each.since for each in batch), default=0)
    answers = []
    for reserve in batch:
        message_id = reserve.request.message_id
        customer = desk.where(reserve.request.customer)
        person = people.get(customer)
        if person is None:
            person = people[customer] = desk.person(customer, since=since)
        desk.complete(person, customer, message_id)
        standing = Standing(
            now=reserve.now,
            contacts=person.after(reserve.since, message_id),
            suppressions=desk.suppressions(reserve, customer),
        )
        own = person.by_message.get(message_id)
        contact = place(reserve, contacts=person.contacts, own=own, suppressions=standing.suppressions)
        if contact is not None:
            person.write(contact)
            written.append((customer, contact))
        answers.append(Answer(contact=contact, standing=standing))
    desk.put(written)
    return answers


def _standings(desk: Desk, batch: Sequence[Reserve]) -> list[Standing]:
    out = []
    for reserve in batch:
        message_id = reserve.request.message_id
        customer = desk.where(reserve.request.customer)
        person = desk.person(customer, since=reserve.since)
        desk.complete(person, customer, message_id)
        out.append(
            Standing(
                now=reserve.now,
                contacts=person.after(reserve.since, message_id),
                suppressions=desk.suppressions(reserve, customer),
            )
        )
    return out


def _commit(desk: Desk, customer: CustomerId, message_id: MessageId) -> bool:
    contact = desk.contact(customer, message_id)
    if contact is None:
        return False
    if contact.state is not ContactState.SENT:
        desk.put([(customer, contact.sent())])
    return True


def _release(desk: Desk, lease: Lease) -> bool:
    customer = desk.where(lease.customer)
    contact = holds(desk.contact(customer, lease.message_id), lease)
    if contact is None:
        return False
    desk.drop([(customer, contact)])
    return True


def _renew(desk: Desk, lease: Lease, until: int) -> Lease | None:
    customer = desk.where(lease.customer)
    contact = holds(desk.contact(customer, lease.message_id), lease)
    if contact is None:
        return None
    desk.put([(customer, contact._replace(lease=until))])
    return attrs.evolve(lease, until=from_micros(until))


def _record(desk: Desk, contacts: Sequence[tuple[CustomerId, Contact]]) -> list[bool]:
    people: dict[CustomerId, PersonLedger] = {}
    added = []
    new = []
    for whose, contact in contacts:
        customer = desk.where(whose)
        person = people.get(customer)
        if person is None:
            person = people[customer] = desk.person(customer)
        added.append(person.add(contact))
        if added[-1]:
            new.append((customer, person.by_message[contact.message_id]))
    desk.put(new)
    return added


def _resolve(desk: Desk, customer: CustomerId, message_id: MessageId, *, sent: bool, now: int) -> bool:
    contact = desk.contact(customer, message_id)
    if contact is None or not contact.in_doubt(now):
        return False
    if sent:
        return _commit(desk, customer, message_id)
    desk.drop([(customer, contact)])
    return True


def _move(
    desk: Desk, source: CustomerId, target: CustomerId, only: Collection[MessageId] | None
) -> list[MessageId]:
    if only is None:
        target = desk.where(target)
    else:
        desk.unlead(target)
        source = desk.where(source)
    if source == target:
        return []
    giver, taker = desk.person(source), desk.person(target)
    leaving = [each for each in giver.contacts if only is None or each.message_id in only]
    replaced = dict(taker.by_message)
    moved = taker.take_from(giver, [each.message_id for each in leaving])
    desk.drop((source, each) for each in leaving)
    desk.drop((target, replaced[each.message_id]) for each in moved if each.message_id in replaced)
    desk.put((target, each) for each in moved)
    if only is None:
        desk.lead(source, target)
    return [each.message_id for each in moved]
