"""Channels over HTTP: an adapter that makes requests and reads answers, and a transport that carries them."""

from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from crmsdk.channels._http import HttpClient, HttpxTransport, Timeouts, transport_over
from crmsdk.channels.delivery import ProviderChannel
from crmsdk.channels.pacing import Pace, RetryPolicy
from crmsdk.errors import CrmsdkError, PermanentError
from crmsdk.model.content import Envelope
from crmsdk.model.message import Outcome
from crmsdk.model.provider import Capabilities, ProviderRequest, ProviderResponse, SendContext
from crmsdk.ports import ChannelAdapter, Sending, Transport

__all__ = ["HttpChannel", "HttpClient", "HttpSending", "HttpxTransport", "Timeouts"]


class HttpSending(Sending[Any]):
    """Sends what an adapter builds, and has it read the answer."""

    def __init__(self, adapter: ChannelAdapter[Any], transport: Transport) -> None:
        self._adapter = adapter
        self._transport = transport

    @property
    @override
    def name(self) -> str:
        return self._adapter.name

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._adapter.capabilities

    @override
    async def send(self, batch: Sequence[Envelope[Any]], context: SendContext) -> Sequence[Outcome]:
        answer = await self._transport.exchange(self._build(batch, context))
        if isinstance(answer, ProviderResponse):
            return self._adapter.parse(batch, answer)
        return [answer] * len(batch)

    @override
    async def aclose(self) -> None:
        await self._transport.aclose()

    def _build(self, batch: Sequence[Envelope[Any]], context: SendContext) -> ProviderRequest:
        try:
            return self._adapter.build(batch, context)
        except CrmsdkError:
            raise
        except Exception as error:  # noqa: BLE001 - a fault in an adapter must not lose a message
            # Nothing has left, so it is not ambiguous; and it would fail again, so it is not deferred.
            raise PermanentError(f"no request could be built ({type(error).__name__})") from None


class HttpChannel(ProviderChannel):
    """A channel over a provider spoken to by HTTP.

    Args:
        adapter: Makes the requests and reads the answers.
        client: An ``httpx.AsyncClient`` or another ``Transport`` to use instead of own connection pools.
        retry: How failures are repeated within one call.
        parallel: How many requests are on their way at a time.
        pace: Time and chance.
    """

    def __init__(
        self,
        adapter: ChannelAdapter[Any],
        *,
        client: HttpClient | Transport | None = None,
        retry: RetryPolicy | None = None,
        parallel: int = 32,
        pace: Pace | None = None,
    ) -> None:
        sending = HttpSending(adapter, transport_over(client))
        super().__init__(sending, retry=retry, parallel=parallel, pace=pace)
