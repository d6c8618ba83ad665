"""Finds what a caller names: a journey; a person by the user id, by another name, or by our own id.

And with whom a person shares an account, for questions about its people.
"""

from datetime import datetime
from typing import Final

from crmsdk.errors import InputError, UnknownName
from crmsdk.journeys.person import Person
from crmsdk.journeys.programs import Programs
from crmsdk.model.changing import with_changes
from crmsdk.model.colleagues import account_keys
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.facts import Facts
from crmsdk.model.ids import AccountId, CustomerId
from crmsdk.model.values import text
from crmsdk.ports import Store

__all__ = ["find_customer", "find_person", "known_journey", "named", "with_colleagues"]

_MEND = "track or identify them first"
_PAGE: Final = 500  # people read at a time


def named(who: str | Identifier) -> Identifier:
    """Take a plain text for the application's user id.

    Raises:
        InputError: neither a text nor an identifier, or empty.
    """
    return who if isinstance(who, Identifier) else Identifier(IdentifierKind.USER, text(who, "who"))


def known_journey(programs: Programs, journey: str, *, empty: bool) -> None:
    """Refuse a name of no journey, also of none that drains; an empty one where that cannot mean all.

    Raises:
        InputError: it is empty, and all cannot be meant.
        UnknownName: there is no such journey.
    """
    text(journey, "journey", empty=True)
    known = sorted({program.name for program in programs.pinned.values()})
    there = ", ".join(known) or "none"
    if not journey and not empty:
        raise InputError(
            f"is empty; name the journey, there are {there}, or a person by who=", field="journey"
        )
    if journey and journey not in known:
        raise UnknownName("journey", journey, known, mend=f"there are {there}")


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


async def with_colleagues(store: Store, facts: Facts, now: datetime) -> Facts:
    """Give the facts of a person with those of everybody in their account, at ``now`` or later.

    Everybody is read whole, page by page; what is written meanwhile may be seen or not. Who left before
    ``now`` is let go of: no answer from then on depends on them.
    """
    accounts = account_keys(facts, now)
    found = {name for account in accounts for name in await store.customers_of(AccountId(account))}
    others = sorted(found - {facts.customer})
    colleagues: list[Facts] = []
    for first in range(0, len(others), _PAGE):
        people = await store.load(others[first : first + _PAGE])
        read = (person.facts for person in people if person is not None)
        colleagues += (other for other in read if accounts & account_keys(other, now))
    return with_changes(facts, colleagues=tuple(colleagues))
