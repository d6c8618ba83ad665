"""What the tests of the ledger suite are written with: asks, checks, and a ledger that opens and closes."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeAlias

from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.message import MessageKind
from crmsdk.model.moment import from_micros
from crmsdk.policy.answer import Lease, Reason
from crmsdk.policy.record import Answer, Check, Contact, ContactState, Option, Reserve, field_index
from crmsdk.policy.request import ContactRequest
from crmsdk.policy.rules import ContactField
from crmsdk.ports import Ledger
from crmsdk.testing._sealed import SealedSuite

__all__ = [
    "ANN",
    "BOB",
    "DAY",
    "HOUR",
    "NOW",
    "LedgerPlay",
    "ask",
    "at_most",
    "lease_of",
    "message",
    "past",
    "record",
    "reserve",
    "with_ledger",
]

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
NOW: Final = 1_772_445_600_000_000
"""2026-03-02 10:00 UTC, in microseconds."""

ANN: Final = CustomerId("ann")
BOB: Final = CustomerId("bob")

_EARLIER: Final = 400 * DAY


def message(name: str) -> MessageId:
    """Name a message."""
    return MessageId(name)


async def record(ledger: Ledger, customer: CustomerId, contacts: Sequence[Contact]) -> Sequence[bool]:
    """Record contacts of one person."""
    return await ledger.record([(customer, contact) for contact in contacts])


def at_most(
    limit: int,
    *,
    window: int = DAY,
    since: int | None = None,
    where: Mapping[ContactField, Collection[str]] | None = None,
    distinct: str | None = None,
) -> Check:
    """Make a check: at most so many contacts, or different channels if the own one is given."""
    return Check(
        rule="rule",
        reason=Reason.CAPPED if distinct is None else Reason.DISTINCT,
        limit=limit,
        window=0 if since is not None else window,
        since=since,
        ends=0 if since is None else since + DAY,
        filters=tuple((field_index(field), frozenset(values)) for field, values in (where or {}).items()),
        distinct=None if distinct is None else field_index(ContactField.CHANNEL),
        value=distinct or "",
    )


def ask(
    name: str,
    *checks: Check,
    customer: CustomerId = ANN,
    channels: Sequence[str] = ("email",),
    now: int = NOW,
    since: int | None = None,
    lease: int = HOUR,
    kind: MessageKind = MessageKind.PROMO,
    purpose: str = "sale",
    sender: str = "news",
    journey: str = "",
    addresses: Mapping[str, str] | None = None,
    options: Sequence[Option] | None = None,
) -> Reserve:
    """Ask for a place; by default one check for all channels."""
    request = ContactRequest(
        message_id=message(name),
        customer=customer,
        channels=channels,
        kind=kind,
        purpose=purpose,
        sender=sender,
        journey=journey,
    )
    return Reserve(
        request=request,
        now=now,
        since=now - _EARLIER if since is None else since,
        lease=lease,
        options=tuple(Option(channel, checks) for channel in channels) if options is None else tuple(options),
        addresses=addresses or {},
    )


def past(
    name: str,
    at: int,
    *,
    channel: str = "email",
    kind: str = "promo",
    sender: str = "news",
    priority: int = 50,
) -> Contact:
    """Make a contact that was sent."""
    return Contact(
        at, channel, kind, "sale", sender, "", "", "", message(name), priority, ContactState.SENT, 0, 1
    )


def lease_of(answer: Answer, customer: CustomerId = ANN) -> Lease:
    """Give the lease of a place that was taken."""
    contact = answer.contact
    assert contact is not None, "no place was taken"
    return Lease(
        customer=customer,
        message_id=contact.message_id,
        attempt=contact.attempt,
        until=from_micros(contact.lease),
    )


async def reserve(ledger: Ledger, *asks: Reserve) -> list[bool]:
    """Reserve one after the other; say for each whether it took a place."""
    out = []
    for each in asks:
        (answer,) = await ledger.reserve([each])
        out.append(answer.contact is not None)
    return out


class LedgerPlay(SealedSuite, ABC):
    """A suite over ledgers."""

    @abstractmethod
    async def open_ledger(self, folder: Path) -> Ledger:
        """Open the ledger that lives in a folder.

        A second call with the same folder opens the same ledger if it is durable, and a new one else.
        """


Play: TypeAlias = Callable[[Any, Ledger], Coroutine[Any, Any, None]]


def with_ledger(play: Play) -> Callable[[LedgerPlay, Path], None]:
    """Turn a coroutine over a fresh ledger into a plain test: strangers may have no async plugin."""

    @wraps(play)
    def test(self: LedgerPlay, tmp_path: Path) -> None:
        async def run() -> None:
            ledger = await self.open_ledger(tmp_path)
            try:
                await play(self, ledger)
            finally:
                await ledger.close()

        asyncio.run(run())

    # pytest would follow it to the coroutine and ask for a fixture named ledger.
    del test.__wrapped__
    return test
