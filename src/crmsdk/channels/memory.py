"""A channel that keeps what it gets: for tests, simulations and the delivery mode ``record``."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias, assert_never

from typing_extensions import override

from crmsdk.channels.checks import check_envelope, refused
from crmsdk.errors import UnsupportedFeature
from crmsdk.model.address import Address, AddressSource, ByAttribute, ByCustomer, ByIdentifier, address_in
from crmsdk.model.changing import with_changes
from crmsdk.model.content import (
    BUTTONS,
    HEADERS,
    HTML,
    SILENT,
    UNSUBSCRIBE,
    ChatContent,
    Content,
    EmailContent,
    Envelope,
)
from crmsdk.model.customer import Customer, IdentifierKind
from crmsdk.model.message import Accepted, Ambiguous, Deferred, Outcome, Rejected
from crmsdk.model.provider import Capabilities, Idempotency
from crmsdk.ports import Channel

__all__ = ["MemoryChannel", "Responder", "usual_capabilities"]

Responder: TypeAlias = Callable[[Envelope[Content]], Outcome]
"""Decides what the imagined provider answers to an envelope."""

_EVERYTHING: Final = frozenset({BUTTONS, HEADERS, HTML, SILENT, UNSUBSCRIBE})
_ADDRESSES: Final[dict[str, AddressSource]] = {
    "email": ByIdentifier(IdentifierKind.EMAIL),
    "sms": ByIdentifier(IdentifierKind.PHONE),
    "telegram": ByAttribute("telegram_chat"),
}


def usual_capabilities(name: str, *, everyone: bool = False) -> Capabilities:
    """Describe an imagined provider of a channel that can do everything.

    Args:
        name: The channel; ``email`` carries ``EmailContent``, any other ``ChatContent``.
        everyone: Reach every customer by their id, whatever addresses they have.
    """
    return Capabilities(
        content=EmailContent if name == "email" else ChatContent,
        address=ByCustomer() if everyone else _ADDRESSES.get(name, ByAttribute(f"{name}_address")),
        features=_EVERYTHING,
        idempotency=Idempotency.KEY,
    )


class MemoryChannel(Channel):
    """Keeps envelopes in memory and answers as told; never suspends.

    It behaves like a provider that knows keys: an envelope it has accepted is accepted again under the same
    provider id and kept once. An ``Ambiguous`` answer loses only the answer: the envelope is kept.

    Args:
        name: The channel it stands for.
        capabilities: What it can do; by default everything, see ``usual_capabilities``.
        everyone: Reach every customer by their id (only without ``capabilities``).
        respond: Decides each answer; by default everything is accepted.

    Attributes:
        kept: Envelopes the imagined provider took over, in order, each key once.
        attempts: Every envelope handed in, also repeated and refused ones.
    """

    def __init__(
        self,
        name: str = "email",
        *,
        capabilities: Capabilities | None = None,
        everyone: bool = False,
        respond: Responder | None = None,
    ) -> None:
        self._name = name
        self._capabilities = capabilities or usual_capabilities(name, everyone=everyone)
        self._respond = respond
        self._script: deque[Outcome | Exception] = deque()
        self._ids: dict[str, str] = {}
        self.kept: list[Envelope[Content]] = []
        self.attempts: list[Envelope[Content]] = []

    @property
    @override
    def name(self) -> str:
        return self._name

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def script(self, answers: Iterable[Outcome | Exception]) -> None:
        """Queue answers for the next envelopes, before ``respond`` is asked; an error is raised."""
        self._script.extend(answers)

    @override
    def address_of(self, customer: Customer) -> Address | None:
        return address_in(customer, self._capabilities.address)

    @override
    def check(self, envelope: Envelope[Content]) -> None:
        check_envelope(self._name, self._capabilities, envelope)

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        return [self._take(envelope) for envelope in envelopes]

    @override
    async def aclose(self) -> None:
        """Keep everything: there is nothing to let go of."""

    def _take(self, envelope: Envelope[Content]) -> Outcome:
        self.attempts.append(envelope)
        try:
            self.check(envelope)
        except UnsupportedFeature as error:
            return refused(error)
        known = self._ids.get(envelope.key)
        if known is not None and self._capabilities.idempotency is Idempotency.KEY:
            return Accepted(provider_id=known)
        answer = self._answer(envelope)
        match answer:
            case Accepted() | Ambiguous():
                self.kept.append(envelope)
                self._ids[envelope.key] = getattr(answer, "provider_id", "") or f"memory-{len(self.kept)}"
            case Rejected() | Deferred():
                pass
            case _:
                assert_never(answer)
        if isinstance(answer, Accepted):
            return with_changes(answer, provider_id=self._ids[envelope.key])
        return answer

    def _answer(self, envelope: Envelope[Content]) -> Outcome:
        if self._script:
            answer = self._script.popleft()
            if isinstance(answer, Exception):
                raise answer
            return answer
        return self._respond(envelope) if self._respond else Accepted()
