"""Links that know whom they are for: signed, so that nobody can make one for somebody else."""

import hmac
from collections.abc import Mapping

import attrs

from crmsdk.errors import ConfigError
from crmsdk.journeys.person import Person
from crmsdk.model.ids import MessageId, keyed_id
from crmsdk.model.message import Message

__all__ = ["UNSUBSCRIBE", "UnsubscribeLinks"]

UNSUBSCRIBE = "unsubscribe_url"
"""The template variable that holds the one-click unsubscribe link."""

_TOKEN = "{token}"  # noqa: S105 - a placeholder


@attrs.frozen
class UnsubscribeLinks:
    """Makes and reads one-click unsubscribe links.

    A token names the message and proves it: ``<message id>.<signature>``. The page that receives it hands it
    to ``Crm.unsubscribe``.

    Attributes:
        address: https, with ``{token}`` where the token goes.
        secret: The key of the signature.
    """

    address: str
    secret: bytes = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        """Refuse an address that is not https or has no place for the token."""
        if not self.address.startswith("https://") or _TOKEN not in self.address:
            raise ConfigError("unsubscribe must be an https address with {token} in it")

    def links(self, message: Message, person: Person) -> Mapping[str, str]:  # noqa: ARG002 - the shape of all links
        """Give the template variables that hold links."""
        return {UNSUBSCRIBE: self.address.replace(_TOKEN, f"{message.id}.{self._sign(message.id)}")}

    def message_of(self, token: str) -> MessageId | None:
        """Give the id of the message a token names; None when the token is not ours, whatever it holds."""
        message, _, signature = token.partition(".")
        if not token.isascii():  # no token of ours; neither hash nor comparison takes it
            return None
        return MessageId(message) if hmac.compare_digest(signature, self._sign(message)) else None

    def _sign(self, message: str) -> str:
        return keyed_id(self.secret, ("unsubscribe", message))
