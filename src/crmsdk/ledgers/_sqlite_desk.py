"""The statements of the SQLite ledger: what one transaction reads and writes."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from crmsdk.ledgers._person import PersonLedger
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.policy.record import Contact, ContactState, InDoubt, Reserve, Suppression

__all__ = ["Desk"]

_FIELDS: Final = ", ".join(Contact._fields)
_STATE: Final = Contact._fields.index("state")
_STATES: Final = {state.value: state for state in ContactState}
_ALL_TIME: Final = -(2**63)

_SELECT: Final = f"SELECT {_FIELDS} FROM crmsdk_ledger_contacts"  # noqa: S608 - our own constants
_PUT: Final = (
    f"INSERT OR REPLACE INTO crmsdk_ledger_contacts (customer, {_FIELDS}) "  # noqa: S608 - our own constants
    f"VALUES (?{', ?' * len(Contact._fields)})"
)
_DROP: Final = "DELETE FROM crmsdk_ledger_contacts WHERE customer = ? AND at = ? AND message_id = ?"
_IN_DOUBT: Final = (
    f"SELECT customer, {_FIELDS} FROM crmsdk_ledger_contacts "  # noqa: S608 - our own constants
    "WHERE state = 'sending' AND lease <= ? ORDER BY lease, message_id, customer LIMIT ?"
)
_SUPPRESSION: Final = "SELECT customer, address, channel, purpose, reason, at FROM crmsdk_ledger_suppressions"


class Desk:
    """What one transaction works with; made anew for each."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        # Most files hold no move and no suppression; then nobody is asked about them.
        self._any_moves, self._any_suppressions = database.execute(
            "SELECT EXISTS (SELECT 1 FROM crmsdk_ledger_moves), "
            "EXISTS (SELECT 1 FROM crmsdk_ledger_suppressions)"
        ).fetchone()

    def where(self, customer: CustomerId) -> CustomerId:
        """Follow moves to the person that answers for a customer now."""
        while self._any_moves:
            row = self._database.execute(
                "SELECT target FROM crmsdk_ledger_moves WHERE source = ?", (customer,)
            ).fetchone()
            if row is None:
                break
            customer = CustomerId(row[0])
        return customer

    def person(self, customer: CustomerId, *, since: int = _ALL_TIME) -> PersonLedger:
        """Read a person's contacts after a moment."""
        rows = self._database.execute(
            f"{_SELECT} WHERE customer = ? AND at > ? ORDER BY at, message_id", (customer, since)
        )
        contacts = [_contact(row) for row in rows]
        return PersonLedger(contacts, {contact.message_id: contact for contact in contacts})

    def contact(self, customer: CustomerId, message_id: MessageId) -> Contact | None:
        """Read the contact of a message, however old."""
        row = self._database.execute(
            f"{_SELECT} WHERE customer = ? AND message_id = ?", (customer, message_id)
        ).fetchone()
        return None if row is None else _contact(row)

    def complete(self, person: PersonLedger, customer: CustomerId, message_id: MessageId) -> None:
        """Add the contact of a message to a person that was read from some moment on."""
        if message_id not in person.by_message:
            contact = self.contact(customer, message_id)
            if contact is not None:
                person.write(contact)

    def put(self, contacts: Iterable[tuple[CustomerId, Contact]]) -> None:
        """Write contacts of people."""
        self._database.executemany(_PUT, [(customer, *contact) for customer, contact in contacts])

    def drop(self, contacts: Iterable[tuple[CustomerId, Contact]]) -> None:
        """Delete contacts of people."""
        self._database.executemany(
            _DROP, [(customer, contact.at, contact.message_id) for customer, contact in contacts]
        )

    def in_doubt(self, now: int, limit: int) -> list[InDoubt]:
        """Read contacts whose lease is over."""
        rows = self._database.execute(_IN_DOUBT, (now, limit))
        return [InDoubt(CustomerId(row[0]), _contact(row[1:])) for row in rows]

    def forget(self, before: int) -> int:
        """Delete old contacts that were sent."""
        return self._database.execute(
            "DELETE FROM crmsdk_ledger_contacts WHERE at < ? AND state = 'sent'", (before,)
        ).rowcount

    def suppressions(self, reserve: Reserve, customer: CustomerId) -> frozenset[Suppression]:
        """Read what stops a person or the addresses asked about."""
        if not self._any_suppressions:
            return frozenset()
        rows = self._database.execute(f"{_SUPPRESSION} WHERE customer = ? AND address = ''", (customer,))
        found = rows.fetchall()
        for address in sorted(set(reserve.addresses.values())):
            found += self._database.execute(f"{_SUPPRESSION} WHERE customer = '' AND address = ?", (address,))
        return frozenset(
            Suppression(
                customer=CustomerId(row[0]) or None,
                address=row[1],
                channel=row[2],
                purpose=row[3],
                reason=row[4],
                at=row[5],
            )
            for row in found
        )

    def suppress(self, suppressions: Iterable[Suppression]) -> None:
        """Write suppressions; of equal ones the first stays."""
        self._database.executemany(
            "INSERT OR IGNORE INTO crmsdk_ledger_suppressions VALUES (?, ?, ?, ?, ?, ?)",
            [(*self._key(each), each.reason, each.at) for each in suppressions],
        )

    def unsuppress(self, suppression: Suppression) -> bool:
        """Delete a suppression; say whether it was there."""
        deleted = self._database.execute(
            "DELETE FROM crmsdk_ledger_suppressions "
            "WHERE customer = ? AND address = ? AND channel = ? AND purpose = ?",
            self._key(suppression),
        )
        return deleted.rowcount == 1

    def _key(self, suppression: Suppression) -> tuple[str, str, str, str]:
        customer = "" if suppression.customer is None else self.where(suppression.customer)
        return (customer, suppression.address, suppression.channel, suppression.purpose)

    def lead(self, source: CustomerId, target: CustomerId) -> None:
        """Move a person's suppressions, and let calls for it act on another."""
        self._database.execute(
            "UPDATE OR IGNORE crmsdk_ledger_suppressions SET customer = ? WHERE customer = ?",
            (target, source),
        )
        # What is left is equal to one that the target has.
        self._database.execute("DELETE FROM crmsdk_ledger_suppressions WHERE customer = ?", (source,))
        self._database.execute("INSERT OR REPLACE INTO crmsdk_ledger_moves VALUES (?, ?)", (source, target))
        self._any_moves = True

    def unlead(self, source: CustomerId) -> None:
        """Let calls for a person act on that person again."""
        self._database.execute("DELETE FROM crmsdk_ledger_moves WHERE source = ?", (source,))

    def erase(self, customer: CustomerId) -> None:
        """Delete all of a person."""
        self._database.execute("DELETE FROM crmsdk_ledger_contacts WHERE customer = ?", (customer,))
        self._database.execute("DELETE FROM crmsdk_ledger_suppressions WHERE customer = ?", (customer,))
        self._database.execute(
            "WITH RECURSIVE led (id) AS (VALUES (?) UNION SELECT source FROM crmsdk_ledger_moves, led "
            "WHERE target = id) DELETE FROM crmsdk_ledger_moves WHERE source IN (SELECT id FROM led)",
            (customer,),
        )


def _contact(row: Sequence[Any]) -> Contact:
    return Contact._make((*row[:_STATE], _STATES[row[_STATE]], *row[_STATE + 1 :]))
