"""What is asked of a contact policy: the message that wants to go out, and what is known of the person."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import attrs

from crmsdk.errors import InputError
from crmsdk.model.consent import ConsentWrite
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.message import MessageKind
from crmsdk.model.moment import to_moment

__all__ = ["NOTHING_KNOWN", "ContactFacts", "ContactRequest"]


def _channels(value: str | Iterable[str]) -> tuple[str, ...]:
    channels = (value,) if isinstance(value, str) else tuple(value)
    if not channels or not all(channels) or len(set(channels)) != len(channels):
        raise InputError("must name one channel or more, each once, the preferred first", field="channels")
    return channels


def _expires(value: datetime | None) -> datetime | None:
    return None if value is None else to_moment(value, "expires")


def _kind(value: str) -> MessageKind:
    try:
        return MessageKind(value)
    except ValueError:
        known = ", ".join(MessageKind)
        raise InputError(f"is no kind of message; kinds are {known}", field="kind") from None


@attrs.frozen(kw_only=True)
class ContactRequest:
    """One message that wants to reach one person.

    Attributes:
        message_id: The same for every attempt to send this message; names its place in the ledger.
        customer: Whom it is for.
        channels: Channels that may carry it, in order of preference; one text stands for one channel.
        kind, purpose, sender, journey, campaign, topic: What rules tell contacts apart by. An empty purpose
            takes the kind; an empty sender is the default sender.
        audience: The declared audience of the person; chooses the rules of that audience.
        priority: 0 to 100, kept in the ledger with the contact.
        expires: From this moment the message is refused, UTC; None for never.
    """

    message_id: MessageId
    customer: CustomerId
    channels: tuple[str, ...] = attrs.field(converter=_channels)
    kind: MessageKind = attrs.field(converter=_kind)
    purpose: str = attrs.field()
    sender: str = ""
    journey: str = ""
    campaign: str = ""
    topic: str = ""
    audience: str = ""
    priority: int = 50
    expires: datetime | None = attrs.field(default=None, converter=_expires)

    @purpose.default
    def _purpose(self) -> str:
        return self.kind.value

    def __attrs_post_init__(self) -> None:
        """Refuse a message or a person without a name."""
        if not self.message_id:
            raise InputError("is empty; give the id that every attempt shares", field="message_id")
        if not self.customer:
            raise InputError("is empty; give the customer's id", field="customer")


def _log(value: Iterable[ConsentWrite]) -> tuple[ConsentWrite, ...]:
    return tuple(value)


_NO_ZONES: Final[tuple[str, ...]] = ()


def _zones(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _set(value: Iterable[str]) -> frozenset[str]:
    return frozenset(value)


@attrs.frozen(kw_only=True)
class ContactFacts:
    """What is known of a person when a message wants to go out.

    Attributes:
        zones: IANA names of the zones the person may be in: one when it is known, the candidates of phone
            and country when it is not (all must allow a contact), none for the project's zone.
        consents: The consent log, any order.
        suppressed: Channels the person must not be written to, known from outside the ledger; ``*`` for all.
        addresses: For each channel the person can be reached by, a keyed hash of the address. None when
            nobody looked; then no channel is refused for want of an address.
        active: Whether the person is active; None when there is no source of activity.
    """

    zones: tuple[str, ...] = attrs.field(default=_NO_ZONES, converter=_zones)
    consents: tuple[ConsentWrite, ...] = attrs.field(default=(), converter=_log)
    suppressed: frozenset[str] = attrs.field(default=frozenset(), converter=_set)
    addresses: Mapping[str, str] | None = attrs.field(default=None, repr=False, hash=False)
    active: bool | None = None


NOTHING_KNOWN: Final = ContactFacts()
"""The facts of somebody of whom nothing is known: the project's zone, no consent asked, not inactive."""
