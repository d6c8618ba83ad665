"""Copies people from one store to another, with their runs, messages, timelines and definitions."""

from collections import defaultdict
from collections.abc import Iterable

import attrs

from crmsdk.journeys.person import Change, Person, Task
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId
from crmsdk.policy.record import Contact
from crmsdk.ports import Ledger, Store

__all__ = ["copy_contacts", "copy_people"]

_PAGE = 200
_CONTACTS = 1_000  # what a ledger takes at a time


async def copy_people(source: Store, target: Store) -> int:
    """Copy everybody; say how many were copied.

    The definitions come first, so that opening the copy changes nobody. People that the target has already
    are left as they are there, so an interrupted copy can be repeated. Contacts in the ledger are the
    ledger's own; ``copy_contacts`` copies them.

    Args:
        source: Read page by page; nobody should write it meanwhile.
        target: Any other store.
    """
    await target.save_definitions(await source.definitions())
    for journey in await source.paused():
        await target.set_paused(journey, True)
    copied = 0
    after = None
    while page := await source.customers(after=after, limit=_PAGE):
        after = page[-1]
        people = await source.load(page)
        messages, notes = await source.messages_of(page), await source.notes_of(page)
        tasks: defaultdict[CustomerId, list[Task]] = defaultdict(list)
        for task in await source.tasks(customers=page, open_only=False):
            tasks[task.customer].append(task)
        changes = []
        for person, rows, lines in zip(people, messages, notes, strict=True):
            if person is None:
                continue
            nobody = Person(id=person.id, created=person.created, facts=Facts(customer=person.id))
            changes.append(
                Change.between(
                    nobody,
                    attrs.evolve(person, version=0),
                    messages=rows,
                    notes=lines,
                    tasks=tasks[person.id],
                )
            )
        copied += sum(await target.commit(changes))
    return copied


async def copy_contacts(source: Ledger, target: Ledger, customers: Iterable[CustomerId]) -> int:
    """Copy people's contacts from one ledger to another, as sent; say how many were new there.

    Suppressions stay behind: no ledger can list them. Suppress again what bounced or opted out.

    Args:
        source: Read person by person.
        target: Any other ledger.
        customers: Whose contacts.
    """
    copied = 0
    waiting: list[tuple[CustomerId, Contact]] = []
    for customer in customers:
        waiting += [(customer, contact) for contact in await source.entries(customer)]
        while len(waiting) >= _CONTACTS:
            copied += sum(await target.record(waiting[:_CONTACTS]))
            del waiting[:_CONTACTS]
    return copied + sum(await target.record(waiting))
