"""Copies people from one store to another, with their runs, messages, timelines and definitions."""

import attrs

from crmsdk.journeys.person import Change, Person
from crmsdk.model.facts import Facts
from crmsdk.ports import Store

__all__ = ["copy_people"]

_PAGE = 200


async def copy_people(source: Store, target: Store) -> int:
    """Copy everybody; say how many were copied.

    The definitions come first, so that opening the copy changes nobody. People that the target has already
    are left as they are there, so an interrupted copy can be repeated. Contacts in the ledger are the
    ledger's own; ``Ledger.record`` takes them over.

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
        changes = []
        for person in await source.load(page):
            if person is None:
                continue
            nobody = Person(id=person.id, created=person.created, facts=Facts(customer=person.id))
            changes.append(
                Change.between(
                    nobody,
                    attrs.evolve(person, version=0),
                    messages=await source.messages_of(person.id),
                    notes=await source.notes_of(person.id),
                    tasks=await source.tasks(customer=person.id, open_only=False),
                )
            )
        copied += sum(await target.commit(changes))
    return copied
