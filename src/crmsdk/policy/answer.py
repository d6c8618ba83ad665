"""What a contact policy answers: allow, defer or refuse, with every rule that held the message back."""

from datetime import datetime
from enum import StrEnum

import attrs

from crmsdk.model.ids import CustomerId, MessageId

__all__ = ["Blocked", "Decision", "Lease", "Reason", "Ruling"]


class Ruling(StrEnum):
    """What becomes of the message: it goes out now, may go out later, or never."""

    ALLOW = "allow"
    DEFER = "defer"
    REFUSE = "refuse"


class Reason(StrEnum):
    """Why a message was held back; a closed set."""

    CAPPED = "capped"
    """A limit on contacts is used up."""
    DISTINCT = "distinct"
    """One more channel (or sender …) would be too many within the span."""
    QUIET = "quiet"
    """It is a quiet time where the person is, or may be."""
    INACTIVE = "inactive"
    """The person is inactive, and the message is not meant for the inactive."""
    NO_CONSENT = "no_consent"
    """Consent is denied, withdrawn, not confirmed, or required and never given."""
    SUPPRESSED = "suppressed"
    """The person or the address must not be written to."""
    NO_ADDRESS = "no_address"
    """The person cannot be reached by the channel."""
    EXPIRED = "expired"
    """The message has expired, or would before it is allowed."""
    DUPLICATE = "duplicate"
    """This very message was sent, or may have been sent by a channel it can no longer use."""
    BUSY = "busy"
    """Another worker is sending this very message."""


@attrs.frozen(kw_only=True)
class Blocked:
    """One rule that held the message back on one channel.

    Attributes:
        rule: The rule's id; for what no rule says, the name of the reason.
        reason: Why.
        channel: The channel it concerns.
        limit, used: Of a cap: how many are allowed, and how many there are. 0 for other reasons.
        since: Contacts after this moment were counted, UTC; None for other reasons.
        messages: Ids of the messages that fill the limit, oldest first.
        until: When this rule alone would let the message pass, if nothing else happens, UTC; None for never.
    """

    rule: str
    reason: Reason
    channel: str
    limit: int = 0
    used: int = 0
    since: datetime | None = None
    messages: tuple[MessageId, ...] = ()
    until: datetime | None = None


@attrs.frozen(kw_only=True)
class Lease:
    """The right to send one message now; given back to the ledger when its fate is known.

    Attributes:
        customer: Whose ledger holds it.
        message_id: The message.
        attempt: 1 for the first attempt; grows when the same message takes its own expired lease over, so
            that a worker that was thought dead cannot free the place of its successor.
        until: When the lease ends, UTC; from then on the message is in doubt.
    """

    customer: CustomerId
    message_id: MessageId
    attempt: int
    until: datetime


@attrs.frozen(kw_only=True)
class Decision:
    """The answer to one request.

    Attributes:
        outcome: Allow, defer or refuse.
        channel: The channel to use; empty unless allowed.
        until: Of a defer: the earliest moment at which the message is allowed if nothing else happens, UTC.
        reason: Why it was deferred or refused; None when allowed.
        blocked: Every rule that held it back, channel by channel in order of preference; of an allowed
            message, the rules that closed the channels before the chosen one.
        lease: The place in the ledger, when one was taken; None in an explanation.
        policy: Content hash of the policy that decided.
    """

    outcome: Ruling
    channel: str = ""
    until: datetime | None = None
    reason: Reason | None = None
    blocked: tuple[Blocked, ...] = ()
    lease: Lease | None = None
    policy: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the message may go out now."""
        return self.outcome is Ruling.ALLOW
