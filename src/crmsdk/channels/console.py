"""A channel that prints: to see on a terminal what would leave."""

from collections.abc import Sequence
from typing import TextIO

from typing_extensions import override

from crmsdk.channels.checks import check_envelope, refused
from crmsdk.channels.memory import usual_capabilities
from crmsdk.errors import UnsupportedFeature
from crmsdk.model.address import Address, address_in
from crmsdk.model.content import Content, Envelope
from crmsdk.model.customer import Customer
from crmsdk.model.message import Accepted, Outcome
from crmsdk.model.provider import Capabilities, Idempotency
from crmsdk.ports import Channel

__all__ = ["ConsoleChannel", "rendering"]


def rendering(envelope: Envelope[Content], *, show_address: bool = False) -> str:
    """Set an envelope as plain text of several lines, ending with an empty one.

    Args:
        envelope: What shall be shown.
        show_address: Show where it goes; otherwise only that it goes to one address.
    """
    to = envelope.to.value if show_address else "(address hidden)"
    sender = "" if envelope.sender is None else f" from {envelope.sender.id}"
    seed = ", seed list" if envelope.seed else ""
    head = f"--- {envelope.channel} {envelope.message}{sender} to {to} ({envelope.kind}{seed})"
    lines = [head]
    for name, text in envelope.content.parts().items():
        whole = text.rstrip("\r\n")
        lines.append(f"{name}:\n{whole}" if "\n" in whole else f"{name}: {whole}")
    return "\n".join([*lines, "", ""])


class ConsoleChannel(Channel):
    """Prints each envelope to a stream once and accepts it; never suspends.

    Args:
        stream: Where to print, as ``sys.stdout``.
        name: The channel it stands for.
        capabilities: What it can do; by default everything, see ``usual_capabilities``.
        everyone: Reach every customer by their id (only without ``capabilities``).
        show_address: Print addresses, too.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        name: str = "email",
        capabilities: Capabilities | None = None,
        everyone: bool = False,
        show_address: bool = False,
    ) -> None:
        self._stream = stream
        self._name = name
        self._capabilities = capabilities or usual_capabilities(name, everyone=everyone)
        self._show_address = show_address
        self._printed: set[str] = set()

    @property
    @override
    def name(self) -> str:
        return self._name

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @override
    def address_of(self, customer: Customer) -> Address | None:
        return address_in(customer, self._capabilities.address)

    @override
    def check(self, envelope: Envelope[Content]) -> None:
        check_envelope(self._name, self._capabilities, envelope)

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        return [self._print(envelope) for envelope in envelopes]

    @override
    async def aclose(self) -> None:
        self._stream.flush()

    def _print(self, envelope: Envelope[Content]) -> Outcome:
        try:
            self.check(envelope)
        except UnsupportedFeature as error:
            return refused(error)
        known = self._capabilities.idempotency is Idempotency.KEY and envelope.key in self._printed
        if not known:
            self._stream.write(rendering(envelope, show_address=self._show_address))
            self._printed.add(envelope.key)
        return Accepted(provider_id=envelope.key)
