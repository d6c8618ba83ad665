"""What every way of sending an assembled e-mail shares: capabilities, the sender, the letter itself."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import cast

import attrs
from typing_extensions import override

from crmsdk.channels.delivery import ProviderChannel
from crmsdk.channels.mime import assemble, check_sender, mailbox, message_id
from crmsdk.channels.pacing import Pace, RetryPolicy
from crmsdk.errors import InputError, UnsupportedFeature
from crmsdk.model.address import ByIdentifier
from crmsdk.model.content import HEADERS, HTML, UNSUBSCRIBE, Content, EmailContent, Envelope
from crmsdk.model.customer import IdentifierKind
from crmsdk.model.message import Outcome, Sender
from crmsdk.model.provider import Capabilities, Idempotency, SendContext
from crmsdk.ports import Sending


@attrs.frozen(kw_only=True)
class Letter:
    """An e-mail ready for the wire: who to whom, and its bytes."""

    sender: str = attrs.field(repr=False)
    recipient: str = attrs.field(repr=False)
    message_id: str = attrs.field(repr=False)
    data: bytes = attrs.field(repr=False)


class EmailSending(Sending[EmailContent]):
    """Sends e-mails that we assemble ourselves.

    Args:
        name: The kind of channel.
        sender: Who sends where a message names nobody.
        idempotency: Whether a repeated message is recognised.
    """

    def __init__(self, name: str, *, sender: Sender | None, idempotency: Idempotency) -> None:
        self._name = name
        self._sender = sender
        self._capabilities = Capabilities(
            content=EmailContent,
            address=ByIdentifier(IdentifierKind.EMAIL),
            features={HTML, HEADERS, UNSUBSCRIBE},
            idempotency=idempotency,
            sender=sender is None,
        )

    @property
    @override
    def name(self) -> str:
        return self._name

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @override
    @abstractmethod
    async def send(self, batch: Sequence[Envelope[EmailContent]], context: SendContext) -> Sequence[Outcome]:
        raise NotImplementedError

    def sender_of(self, envelope: Envelope[EmailContent]) -> Sender:
        """Say who sends: whom the envelope names, else the channel's own sender.

        Raises:
            UnsupportedFeature: neither.
        """
        sender = envelope.sender or self._sender
        if sender is None:
            raise UnsupportedFeature(self._name, "messages without a sender")
        return sender

    def check(self, envelope: Envelope[EmailContent]) -> None:
        """Refuse addresses that cannot be written into an e-mail, without assembling it.

        Raises:
            UnsupportedFeature: the recipient or the sender has such an address.
        """
        try:
            mailbox(envelope.to.value, "to")
            check_sender(self.sender_of(envelope))
        except InputError as error:
            raise self._unwritable(error) from None

    def letter(self, envelope: Envelope[EmailContent]) -> Letter:
        """Assemble one e-mail.

        Raises:
            UnsupportedFeature: an address or header that cannot be written into an e-mail.
        """
        sender = self.sender_of(envelope)
        try:
            from_address = mailbox(sender.address, "sender.address")
            return Letter(
                sender=from_address,
                recipient=mailbox(envelope.to.value, "to"),
                message_id=message_id(envelope, from_address.rpartition("@")[2]),
                data=assemble(envelope, sender),
            )
        except InputError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: InputError) -> UnsupportedFeature:
        return UnsupportedFeature(self._name, f"an e-mail whose {error.field} {error.problem}")


class EmailChannel(ProviderChannel):
    """A channel of e-mails that we assemble ourselves; its check knows what an e-mail can hold."""

    def __init__(
        self,
        sending: EmailSending,
        *,
        retry: RetryPolicy | None = None,
        parallel: int = 1,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(sending, retry=retry, parallel=parallel, pace=pace)
        self._email = sending

    @override
    def check(self, envelope: Envelope[Content]) -> None:
        super().check(envelope)
        self._email.check(cast("Envelope[EmailContent]", envelope))
