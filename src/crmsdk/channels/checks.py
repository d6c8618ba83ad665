"""Hold an envelope against a channel's capabilities, before anything is sent."""

from typing import Any

from crmsdk.errors import UnsupportedFeature
from crmsdk.model.content import Envelope
from crmsdk.model.message import Rejected
from crmsdk.model.provider import Capabilities

__all__ = ["UNSUPPORTED", "check_envelope", "refused"]

UNSUPPORTED = "unsupported"
"""The code of a ``Rejected`` that the channel itself decided, before any provider was asked."""


def check_envelope(name: str, capabilities: Capabilities, envelope: Envelope[Any]) -> None:
    """Refuse an envelope that asks for what the capabilities do not hold.

    Args:
        name: The channel's name, for the error.
        capabilities: What the channel can do.
        envelope: What shall be sent.

    Raises:
        UnsupportedFeature: the first thing that does not fit.
    """
    content = envelope.content
    if not isinstance(content, capabilities.content):
        wanted, given = capabilities.content.__name__, type(content).__name__
        raise UnsupportedFeature(
            name,
            f"{given}: it carries {wanted}",
            mend=f"give the template engine kinds={{{name!r}: ...}} that makes {wanted}",
        )
    if capabilities.sender and envelope.sender is None:
        raise UnsupportedFeature(name, "messages without a sender", mend="open with senders=[Sender(...)]")
    if lacking := content.lacks(envelope.kind):
        raise UnsupportedFeature(
            name, f"{envelope.kind} messages without {lacking}", mend=f"add {lacking} to the template"
        )
    if beyond := content.needs - capabilities.features:
        raise UnsupportedFeature(name, ", ".join(sorted(beyond)))
    if capabilities.length_max is not None and content.length > capabilities.length_max:
        raise UnsupportedFeature(
            name,
            f"content of length {content.length}, its limit is {capabilities.length_max}",
            mend="shorten the template",
        )


def refused(error: UnsupportedFeature) -> Rejected:
    """Turn a refusal before sending into the outcome of that one envelope."""
    return Rejected(reason=f"the channel cannot do {error.feature}", code=UNSUPPORTED)
