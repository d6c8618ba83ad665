"""Read people and rows by many keys at once: a few queries, however many keys."""

import re
import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeVar

import attrs

from crmsdk.journeys.person import Person
from crmsdk.model.customer import ACCOUNT, Identifier, IdentifierKind
from crmsdk.model.facts import Facts
from crmsdk.model.ids import AccountId, CustomerId
from crmsdk.model.moment import to_micros
from crmsdk.stores._sqlite_known import KnownPeople
from crmsdk.stores._sqlite_people import (
    ATTRIBUTES,
    CONSENTS,
    ENROLLMENTS,
    EVENTS,
    IDENTIFIERS,
    PARTS,
    PEOPLE,
    WATCHES,
)
from crmsdk.stores._sqlite_table import Row, Table
from crmsdk.stores._sqlite_values import value_text

__all__ = ["among", "customers_of", "of_people", "owners_of", "people", "values_among"]

_CHUNK: Final = 500
"""Keys a query: SQLite takes many more, but each length is a statement of its own in the cache."""

_OF_ACCOUNTS: Final = "FROM attribute_write INDEXED BY attribute_write_by_account"
_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]*")

_Value = TypeVar("_Value")


def among(
    connection: sqlite3.Connection,
    sql: str,
    keys: Iterable[str],
    *,
    order: str = "",
    first: Sequence[str | int] = (),
) -> Iterator[Row]:
    """Run a query that ends in ``IN`` for many keys.

    Args:
        connection: Inside of a transaction.
        sql: A constant, up to and with ``IN``.
        keys: Any number; the rows of one key come together.
        order: What follows the keys, as ``ORDER BY …``; holds for the rows of one key.
        first: Parameters before the keys.
    """
    left = iter(dict.fromkeys(keys))
    while chunk := list(islice(left, _CHUNK)):
        marks = ", ".join("?" * len(chunk))
        yield from connection.execute(f"{sql} ({marks}) {order}", [*first, *chunk])


def values_among(
    connection: sqlite3.Connection, table: Table[_Value], key: str, keys: Iterable[str], *, order: str = ""
) -> list[_Value]:
    """Read the values of a table whose column ``key`` is one of ``keys``."""
    return [
        table.value(row) for row in among(connection, f"{table.select} WHERE {key} IN", keys, order=order)
    ]


def of_people(
    connection: sqlite3.Connection,
    *,
    table: Table[_Value],
    customers: Sequence[CustomerId],
    since: datetime | None,
    moment: str,
    then: str,
) -> list[list[_Value]]:
    """Read the values of a table that belong to each customer, by a column of moments and another one.

    Args:
        connection: Inside of a transaction.
        table: Its first column names the owner.
        customers: Any number.
        since: Read only what is of this moment or later.
        moment, then: The columns.
    """
    late, first = ("", []) if since is None else (f"{moment} >= ? AND ", [to_micros(since)])
    owner = table.columns[0]
    rows = among(
        connection,
        f"{table.select} WHERE {late}{owner} IN",
        customers,
        order=f"ORDER BY {owner}, {moment}, {then}",
        first=first,
    )
    found: dict[str, list[_Value]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(table.value(row))
    return [found.get(customer, []) for customer in customers]


def owners_of(
    connection: sqlite3.Connection, identifiers: Iterable[Identifier]
) -> dict[Identifier, CustomerId]:
    """Say which customer owns each identifier; identifiers nobody owns are left out."""
    wanted: dict[IdentifierKind, list[str]] = defaultdict(list)
    for identifier in identifiers:
        wanted[identifier.kind].append(identifier.value)
    sql = "SELECT kind, value, customer FROM identifier WHERE kind = ? AND value IN"
    return {
        Identifier(kind, value): owner
        for wanted_kind, values in wanted.items()
        for kind, value, owner in among(connection, sql, values, first=[wanted_kind.value])
    }


def customers_of(connection: sqlite3.Connection, account: AccountId) -> list[CustomerId]:
    """Name everybody whose log ever held an account, in text order."""
    # The name stands in the text: behind a parameter SQLite could not tell that the partial index fits.
    sql = f"SELECT DISTINCT customer {_OF_ACCOUNTS} WHERE name = '{ACCOUNT}' AND value IN"
    return sorted(customer for (customer,) in among(connection, sql, _spellings(account)))


def _spellings(account: str) -> Iterator[str]:
    """Give the texts of a column in which an account may stand."""
    yield value_text(unicodedata.normalize("NFC", account))
    yield value_text(unicodedata.normalize("NFD", account))  # as it came, before the door normalised it
    if _WHOLE.fullmatch(account):
        yield account


def people(
    connection: sqlite3.Connection, customers: Iterable[CustomerId], known: KnownPeople
) -> dict[CustomerId, Person]:
    """Read whole people by id: one query a table for those who are not known in their present version."""
    known.agree(connection)
    found: dict[CustomerId, Person] = {}
    unknown: dict[CustomerId, Person] = {}
    for row in among(connection, f"{PEOPLE.select} WHERE id IN", customers):
        person = known.get(row[0], row[1])
        if person is None:
            unknown[row[0]] = PEOPLE.value(row)
        else:
            found[row[0]] = person
    if unknown:
        for person in _with_parts(connection, unknown):
            known.put(person)
            found[person.id] = person
    return found


def _with_parts(connection: sqlite3.Connection, heads: dict[CustomerId, Person]) -> list[Person]:
    parts: dict[str, dict[str, list[Any]]] = {}
    for table, order in PARTS:
        owner = table.columns[0]
        rows = among(connection, f"{table.select} WHERE {owner} IN", heads, order=f"ORDER BY {order}")
        of_table = parts[table.name] = defaultdict(list)
        for row in rows:
            of_table[row[0]].append(table.value(row))
    return [_whole(person, parts) for person in heads.values()]


def _whole(head: Person, parts: dict[str, dict[str, list[Any]]]) -> Person:
    def of(table: Table[_Value]) -> tuple[_Value, ...]:
        return tuple(parts[table.name].get(head.id, ()))

    return attrs.evolve(
        head,
        identifiers=of(IDENTIFIERS),
        facts=Facts(
            customer=head.id,
            zone=head.facts.zone,
            events=of(EVENTS),
            attributes=of(ATTRIBUTES),
            consents=of(CONSENTS),
        ),
        enrollments=of(ENROLLMENTS),
        watches=of(WATCHES),
    )
