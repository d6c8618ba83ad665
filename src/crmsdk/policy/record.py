"""What a ledger keeps and compares: contacts, checks and suppressions. All moments are integer microseconds.

A ledger knows no zone, no rule and no kind of message. Zones, calendars and scopes are resolved before it is
asked; it compares integers and texts.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import attrs

from crmsdk.errors import InputError
from crmsdk.model.consent import ANY
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.policy.answer import Reason
from crmsdk.policy.request import ContactRequest
from crmsdk.policy.rules import ContactField

__all__ = [
    "Answer",
    "Check",
    "Contact",
    "ContactState",
    "InDoubt",
    "Option",
    "Reserve",
    "Standing",
    "Suppression",
    "field_index",
]


class ContactState(StrEnum):
    """Where a contact stands: leased to a worker that is sending, or sent."""

    SENDING = "sending"
    SENT = "sent"


class Contact(NamedTuple):
    """One entry of a person's ledger: a message that took a place.

    A named tuple and no attrs value, because checks compare its fields by index in the innermost loop.

    Attributes:
        at: Its moment: that of the reserve, but never before the person's last one.
        channel, kind, purpose, sender, journey, campaign, topic: What checks compare.
        message_id: Unique within the person.
        priority: 0 to 100.
        state: Sending or sent.
        lease: While sending, when the lease ends; 0 once sent. From that moment the message is in doubt.
        attempt: How often the place was taken by this message.
    """

    at: int
    channel: str
    kind: str
    purpose: str
    sender: str
    journey: str
    campaign: str
    topic: str
    message_id: MessageId
    priority: int
    state: ContactState
    lease: int
    attempt: int

    def sent(self) -> "Contact":
        """Give the same contact as sent."""
        return Contact._make((*self[:_STATE], ContactState.SENT, 0, self.attempt))

    def in_doubt(self, now: int) -> bool:
        """Say whether nobody knows if it was sent: still sending although its lease is over."""
        return self.state is ContactState.SENDING and self.lease <= now


_STATE: Final = Contact._fields.index("state")
_INDEX: Final = {field: Contact._fields.index(field.value) for field in ContactField}


def field_index(field: ContactField) -> int:
    """Give the place of a field in a ``Contact``."""
    return _INDEX[field]


class Check(NamedTuple):
    """One limit, resolved: compare integers and texts, nothing else.

    A contact is counted when ``contact.at > bound``, where the bound is ``since`` if that is given and else
    ``now - window``, and when for each filter ``contact[index] in values``. The check fails when as many as
    ``limit`` are counted. With ``distinct`` (an index of ``Contact``) the different values of that field
    are counted instead, and the check holds if ``value`` is among them.

    Attributes:
        rule: Id of the rule it comes from.
        reason: Capped or distinct.
        limit: At least 1.
        window: Length of the rolling span; 0 when ``since`` is given.
        since: The moment before a calendar period, as an absolute bound; None for a rolling span.
        ends: The end of that calendar period; 0 for a rolling span.
        filters: Pairs of an index of ``Contact`` and the values allowed there; all must fit.
        distinct: Index of the field whose different values are counted; None to count contacts.
        value: The message's own value of that field.
    """

    rule: str
    reason: Reason
    limit: int
    window: int
    since: int | None
    ends: int
    filters: tuple[tuple[int, frozenset[str]], ...]
    distinct: int | None
    value: str

    def bound(self, now: int) -> int:
        """Give the moment after which contacts count."""
        return now - self.window if self.since is None else self.since


@attrs.frozen
class Option:
    """One channel that may carry the message, with the checks that must hold for it."""

    channel: str
    checks: tuple[Check, ...]


@attrs.frozen(kw_only=True)
class Suppression:
    """Somebody, or an address, that must not be written to.

    Exactly one of ``customer`` and ``address`` is given. What names the same customer or address, channel
    and purpose is the same suppression.

    Attributes:
        customer: The person; empty when it is about an address.
        address: Keyed hash of the address; empty when it is about a person. It outlives an erasure.
        channel: ``*`` for every channel.
        purpose: ``*`` for every purpose.
        reason: In a few words, without an address, as ``complaint``.
        at: When it was made.
    """

    customer: CustomerId | None = None
    address: str = attrs.field(default="", repr=False)
    channel: str = ANY
    purpose: str = ANY
    reason: str = attrs.field(default="", eq=False)
    at: int = attrs.field(default=0, eq=False)

    def __attrs_post_init__(self) -> None:
        """Refuse to suppress nobody, or two things at once."""
        if bool(self.customer) == bool(self.address):
            raise InputError(
                "must name either a customer or the keyed hash of an address", field="suppression"
            )

    def stops(self, channel: str, purpose: str, addresses: Mapping[str, str]) -> bool:
        """Say whether it stops a message of this purpose on this channel to the person it was found for."""
        return (
            self.channel in (channel, ANY)
            and self.purpose in (purpose, ANY)
            and (not self.address or addresses.get(channel) == self.address)
        )


@attrs.frozen(kw_only=True)
class Reserve:
    """Ask for a place in a person's ledger.

    Attributes:
        request: The message; its fields become those of the contact.
        now: The moment of asking; contacts count by it.
        since: No check looks at contacts at or before this moment, now or later.
        lease: How long the place is held for the sender.
        options: Channels that are open for all a ledger does not know, in order of preference; may be none.
        addresses: Keyed hash of the person's address for each channel, for suppressed addresses.
    """

    request: ContactRequest
    now: int
    since: int
    lease: int
    options: tuple[Option, ...]
    addresses: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class Standing:
    """What a ledger holds about a person.

    Attributes:
        now: The moment by which the ledger ruled.
        contacts: In the order of (moment, message id); all after ``Reserve.since``, and the one of the asking
            message however old it is.
        suppressions: Of the person, and of the addresses asked about.
    """

    now: int
    contacts: tuple[Contact, ...] = ()
    suppressions: frozenset[Suppression] = frozenset()

    def own(self, message_id: MessageId) -> Contact | None:
        """Find the place the message itself holds."""
        return next((contact for contact in self.contacts if contact.message_id == message_id), None)


@attrs.frozen(kw_only=True)
class Answer:
    """A ledger's answer to a reserve.

    Attributes:
        contact: The place that was taken, leased to the asker; None when there was none.
        standing: What the ledger held before this reserve.
    """

    contact: Contact | None
    standing: Standing


@attrs.frozen
class InDoubt:
    """A contact nobody knows about: its lease is over and no one reported its fate."""

    customer: CustomerId
    contact: Contact
