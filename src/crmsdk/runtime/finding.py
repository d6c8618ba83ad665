"""Finds what a caller names: a journey; a person by the user id, by another name, or by our own id."""

from crmsdk.errors import UnknownName
from crmsdk.journeys.person import Person
from crmsdk.journeys.programs import Programs
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.ids import CustomerId
from crmsdk.model.values import text
from crmsdk.ports import Store

__all__ = ["find_customer", "find_person", "known_journey", "named"]

_MEND = "track or identify them first"


def named(who: str | Identifier) -> Identifier:
    """Take a plain text for the application's user id.

    Raises:
        InputError: neither a text nor an identifier, or empty.
    """
    return who if isinstance(who, Identifier) else Identifier(IdentifierKind.USER, text(who, "who"))


def known_journey(programs: Programs, journey: str, *, empty: bool) -> None:
    """Refuse a name of no journey, also of none that drains; an empty one where that cannot mean all.

    Raises:
        UnknownName: there is no such journey.
    """
    text(journey, "journey", empty=True)
    known = sorted({program.name for program in programs.pinned.values()})
    if journey not in known and (journey or not empty):
        raise UnknownName("journey", journey, known, mend=f"there are {', '.join(known) or 'none'}")


async def find_customer(store: Store, who: str | Identifier) -> CustomerId:
    """Give the id of a known person.

    Raises:
        UnknownName: nobody of that name.
    """
    name = named(who)
    owner = (await store.owners([name])).get(name)
    if owner is None and isinstance(who, str):
        (person,) = await store.load([CustomerId(who)])
        owner = None if person is None else person.id
    if owner is None:
        raise UnknownName("customer", who if isinstance(who, str) else f"by {who.kind}", mend=_MEND)
    return owner


async def find_person(store: Store, who: str | Identifier) -> Person:
    """Give a known person whole.

    Raises:
        UnknownName: nobody of that name.
    """
    customer = await find_customer(store, who)
    (person,) = await store.load([customer])
    if person is None:
        raise UnknownName("customer", customer, mend=_MEND)
    return person
