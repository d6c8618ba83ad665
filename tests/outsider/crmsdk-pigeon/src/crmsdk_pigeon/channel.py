# mypy: disable-error-code="explicit-override"
# A stranger need not mark what it overrides.
"""A channel for Pigeon Post, an imagined provider of text messages."""

import json
from collections.abc import Mapping, Sequence

import attrs

from crmsdk.channels.answers import outcome_of_status, retry_after
from crmsdk.channels.http import HttpChannel, HttpClient
from crmsdk.channels.pacing import Pace
from crmsdk.errors import AuthError
from crmsdk.model.address import ByIdentifier
from crmsdk.model.content import Envelope
from crmsdk.model.customer import IdentifierKind
from crmsdk.model.message import (
    Accepted,
    Ambiguous,
    Deferred,
    MessageKind,
    Outcome,
    Rejected,
    Scope,
    Suppress,
)
from crmsdk.model.provider import (
    Capabilities,
    Idempotency,
    ProviderRequest,
    ProviderResponse,
    SendContext,
)
from crmsdk.model.secret import Secret, SecretSource
from crmsdk.ports import ChannelAdapter, Transport


@attrs.frozen(kw_only=True)
class TextContent:
    """The content of one text message."""

    text: str = attrs.field(repr=False)

    @property
    def length(self) -> int:
        return len(self.text)

    @property
    def needs(self) -> frozenset[str]:
        return frozenset()

    def lacks(self, kind: MessageKind) -> str | None:
        return None

    def parts(self) -> Mapping[str, str]:
        return {"text": self.text}


class PigeonAdapter(ChannelAdapter[TextContent]):
    """Makes Pigeon Post's requests and reads its answers."""

    name = "sms"
    capabilities = Capabilities(
        content=TextContent,
        address=ByIdentifier(IdentifierKind.PHONE),
        length_max=500,
        batch_max=3,
        idempotency=Idempotency.KEY,
    )

    def __init__(self, key: SecretSource, base_url: str) -> None:
        self._key = Secret.of(key)
        self._url = f"{base_url}/v1/pigeons"

    def build(self, batch: Sequence[Envelope[TextContent]], context: SendContext) -> ProviderRequest:
        pigeons = [{"to": envelope.to.value, "text": envelope.content.text} for envelope in batch]
        return ProviderRequest(
            method="POST",
            url=self._url,
            headers={
                "Authorization": f"Bearer {self._key.reveal()}",
                "Content-Type": "application/json",
                "Idempotency-Key": context.key,
            },
            body=json.dumps({"pigeons": pigeons}).encode(),
        )

    def parse(self, batch: Sequence[Envelope[TextContent]], response: ProviderResponse) -> Sequence[Outcome]:
        if response.status == 403:
            raise AuthError("Pigeon Post refuses the key; make a new one in its loft")
        if response.status == 429:
            wait = retry_after(response)
            busy = Deferred(reason="all pigeons are out", retry_after=wait, scope=Scope.ACCOUNT)
            return [busy] * len(batch)
        if judged := outcome_of_status(response):
            return [judged] * len(batch)
        answer = response.json()
        flights = answer.get("flights") if isinstance(answer, dict) else None
        if not isinstance(flights, list) or len(flights) != len(batch):
            return [Ambiguous(reason="an answer that is not Pigeon Post's")] * len(batch)
        return [_outcome(flight) for flight in flights]


def _outcome(flight: object) -> Outcome:
    match flight:
        case {"ring": str(ring)}:
            return Accepted(provider_id=ring)
        case {"error": "no such roof"}:
            return Rejected(reason="no such number", code="roof", suppress=Suppress.ADDRESS)
        case {"error": str()}:
            return Rejected(reason="Pigeon Post refuses it", code="refused")
        case _:
            return Ambiguous(reason="a flight that is not Pigeon Post's")


class PigeonChannel(HttpChannel):
    """Sends text messages by Pigeon Post."""

    def __init__(
        self,
        key: SecretSource,
        *,
        base_url: str = "https://api.pigeon.example",
        client: HttpClient | Transport | None = None,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(PigeonAdapter(key, base_url), client=client, parallel=4, pace=pace)
