"""One person's contacts while a ledger works on them."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection
from operator import attrgetter
from typing import Final

import attrs

from crmsdk.errors import InputError
from crmsdk.model.ids import MessageId
from crmsdk.policy.answer import Lease
from crmsdk.policy.record import Contact, ContactState, Suppression

__all__ = ["PersonLedger", "check_batch", "holds"]

_BATCH: Final = 1000
_order = attrgetter("at", "message_id")
_moment = attrgetter("at")


def check_batch(batch: Collection[object]) -> None:
    """Refuse a batch that would hold a ledger too long.

    Raises:
        InputError: more than 1,000 entries.
    """
    if len(batch) > _BATCH:
        raise InputError(f"holds {len(batch)} entries; give at most {_BATCH} at a time", field="batch")


def holds(contact: Contact | None, lease: Lease) -> Contact | None:
    """Give the contact of a lease's message, if the lease still holds it."""
    if contact is None or contact.state is ContactState.SENT or contact.attempt != lease.attempt:
        return None
    return contact


@attrs.define
class PersonLedger:
    """Contacts in the order of (moment, message id), the same by message, and what stops the person."""

    contacts: list[Contact] = attrs.field(factory=list)
    by_message: dict[MessageId, Contact] = attrs.field(factory=dict)
    suppressions: list[Suppression] = attrs.field(factory=list)

    def write(self, contact: Contact) -> None:
        """Add a contact, or put it in the place of the one of the same message."""
        contacts = self.contacts
        known = self.by_message.get(contact.message_id)
        self.by_message[contact.message_id] = contact
        if known is not None:
            place = bisect_left(contacts, _order(known), key=_order)
            if known.at == contact.at:
                contacts[place] = contact
                return
            del contacts[place]
        if not contacts or _order(contacts[-1]) < _order(contact):
            contacts.append(contact)
        else:
            insort(contacts, contact, key=_order)

    def drop(self, message_id: MessageId) -> None:
        """Take a contact away, if it is there."""
        contact = self.by_message.pop(message_id, None)
        if contact is not None:
            del self.contacts[bisect_left(self.contacts, _order(contact), key=_order)]

    def after(self, since: int, message_id: MessageId) -> tuple[Contact, ...]:
        """Give the contacts after a moment, and that of one message however old it is."""
        contacts = self.contacts
        if not contacts or contacts[0].at > since:
            return tuple(contacts)
        young = contacts[bisect_right(contacts, since, key=_moment) :]
        own = self.by_message.get(message_id)
        return tuple(young) if own is None or own.at > since else (own, *young)

    def since(self, moment: int) -> list[Contact]:
        """Give the contacts from a moment on."""
        return self.contacts[bisect_left(self.contacts, moment, key=_moment) :]

    def add(self, contact: Contact) -> bool:
        """Add a contact as sent; false if its message is known."""
        if contact.message_id in self.by_message:
            return False
        self.write(contact.sent())
        return True

    def take_from(self, giver: "PersonLedger", only: Collection[MessageId]) -> list[Contact]:
        """Take contacts over from another person; of one that both hold, a sent one is kept before a sending.

        Returns:
            The contacts written here.
        """
        moved = []
        for contact in [each for each in giver.contacts if each.message_id in only]:
            giver.drop(contact.message_id)
            known = self.by_message.get(contact.message_id)
            if known is None or (known.state, contact.state) == (ContactState.SENDING, ContactState.SENT):
                self.write(contact)
                moved.append(contact)
        return moved
