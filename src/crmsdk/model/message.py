"""Messages on their way out, what became of an attempt, and what providers report afterwards."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.ids import CustomerId, EnrollmentId, MessageId
from crmsdk.model.values import EMPTY, Properties

__all__ = [
    "Accepted",
    "Ambiguous",
    "Deferred",
    "DeliveryEvent",
    "DeliveryKind",
    "Message",
    "MessageKind",
    "MessageState",
    "Outcome",
    "Rejected",
    "Scope",
    "Sender",
    "Suppress",
    "kind_of",
]


class MessageKind(StrEnum):
    """Why a message is sent; the contact policy rules by it.

    Source:
        Kinds of messages of a communication strategy: promotional, content, triggered, service.
    """

    PROMO = "promo"
    CONTENT = "content"
    TRIGGER = "trigger"
    SERVICE = "service"


def kind_of(value: MessageKind | str) -> MessageKind:
    """Read the kind of a message in a definition.

    Raises:
        DefinitionError: there is no such kind.
    """
    try:
        return MessageKind(value)
    except ValueError:
        known = ", ".join(MessageKind)
        raise DefinitionError(f"unknown kind {value!r}; kinds are {known}", path="kind") from None


class MessageState(StrEnum):
    """Where a message stands. ``pending`` and ``sending`` are alive, all others are final."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    SUPPRESSED = "suppressed"

    @property
    def final(self) -> bool:
        """Whether nothing more will be done about it."""
        return self not in (MessageState.PENDING, MessageState.SENDING)


@attrs.frozen(kw_only=True)
class Sender:
    """A typed sending identity.

    Attributes:
        id: The name rules and messages refer to, as ``news``.
        address: The From address or sending name; not shown in reprs.
        name: The display name.
        reply_to: Where answers go.
        account: Which account of the provider sends, when there are several.
    """

    id: str
    address: str = attrs.field(default="", repr=False)
    name: str = ""
    reply_to: str | None = attrs.field(default=None, repr=False)
    account: str = ""


@attrs.frozen(kw_only=True)
class Message:
    """One message to one person, from the wish to its end; the row of the outbox.

    Attributes:
        id: The same for every attempt; derived, so that a repeated step makes the same message.
        customer: Whom it is for.
        journey, definition, enrollment, step: Which run asked for it, at which step key; empty for a
            message sent by hand.
        template: Name of the content.
        channels: Channels that may carry it, in order of preference.
        kind, purpose, topic, campaign, sender: What the policy rules by. ``sender`` is a ``Sender.id``.
        priority: 0 to 100; higher goes first.
        score: Breaks ties of priority; higher goes first.
        due: When the step asked for it, UTC.
        not_before: When to try (again), UTC.
        expires: From this moment it is refused, UTC.
        payload: Values for the template: properties of the entry event.
        state, reason: Where it stands, and why if it was not sent.
        channel: The channel that carried it, once chosen.
        attempts: How many times a provider was called.
        lease: Until when one worker holds it, UTC; None if free.
        worker: Who holds it.
        provider_id: The provider's name for it.
        content: Hash of the final text.
        seed: Sent to a seed list: left out of metrics.
        control: The run is in a holdout: walked through, never handed over.
    """

    id: MessageId
    customer: CustomerId
    template: str
    channels: tuple[str, ...]
    kind: MessageKind
    purpose: str
    due: datetime
    not_before: datetime
    expires: datetime
    journey: str = ""
    definition: str = ""
    enrollment: EnrollmentId | None = None
    step: str = ""
    topic: str = ""
    campaign: str = ""
    sender: str = ""
    priority: int = 50
    score: float = 0.0
    payload: Properties = attrs.field(default=EMPTY, repr=False, hash=False)
    state: MessageState = MessageState.PENDING
    reason: str = ""
    channel: str = ""
    attempts: int = 0
    lease: datetime | None = None
    worker: str = ""
    provider_id: str = attrs.field(default="", repr=False)
    content: str = ""
    seed: bool = False
    control: bool = False

    @property
    def order(self) -> tuple[datetime, int, float, str]:
        """The order in which one person's due messages go: due, priority, score, id."""
        return (self.due, -self.priority, -self.score, self.id)


class Scope(StrEnum):
    """Whom a provider's "not now" concerns."""

    RECIPIENT = "recipient"
    SENDER = "sender"
    ACCOUNT = "account"


class Suppress(StrEnum):
    """What must never be written to again, after a final refusal."""

    ADDRESS = "address"
    TOKEN = "token"  # noqa: S105 - a kind of address, not a secret
    OPT_OUT = "opt_out"
    COMPLAINT = "complaint"


@attrs.frozen(kw_only=True)
class Accepted:
    """The provider took the message over."""

    provider_id: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Rejected:
    """The provider will never take it.

    Attributes:
        reason: In a few words, without an address.
        code: The provider's own code.
        suppress: What to suppress from now on, if anything.
        moved_to: The address that replaces this one, where the provider named it; not shown in reprs.
    """

    reason: str
    code: str = ""
    suppress: Suppress | None = None
    moved_to: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Deferred:
    """The provider did certainly not take it, and may later.

    Attributes:
        reason: In a few words, without an address.
        retry_after: How long to wait; None if the provider did not say.
        scope: Whom the wait concerns.
    """

    reason: str
    retry_after: timedelta | None = None
    scope: Scope = Scope.RECIPIENT


@attrs.frozen(kw_only=True)
class Ambiguous:
    """Nobody knows whether the provider took it: the connection broke after the request had left."""

    reason: str


Outcome: TypeAlias = Accepted | Rejected | Deferred | Ambiguous


class DeliveryKind(StrEnum):
    """What a provider reports after acceptance; the order of the first five is the order of progress."""

    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class DeliveryEvent:
    """One report of a provider about one message.

    Attributes:
        id: The provider's event id, or a content hash: a repeated report changes nothing.
        message: Which message, by our id.
        kind: What happened.
        at: When, UTC.
        machine: Done by a scanner or privacy proxy, not by a person.
        reason: In a few words, without an address.
    """

    id: str
    message: MessageId
    kind: DeliveryKind
    at: datetime
    machine: bool = False
    reason: str = ""
