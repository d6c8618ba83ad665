"""The one door to httpx: carries plain requests through a few small connection pools.

Several small pools, because httpx scans all connections of a pool at each request: eight pools of four
connections cost about a third of one pool of thirty-two.
"""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import cycle
from typing import Any, Final, Protocol, cast

import attrs
import httpx
from typing_extensions import override

from crmsdk.errors import ConfigError
from crmsdk.model.message import Ambiguous, Deferred, Rejected, Scope
from crmsdk.model.provider import ProviderRequest, ProviderResponse
from crmsdk.ports import Transport

__all__ = ["HttpClient", "HttpxTransport", "Timeouts", "transport_over"]

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""No byte of the request left; everything else may have been processed."""

_NO_REQUEST: Final = (
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
    TypeError,
)
"""It is no request that HTTP knows; nothing was opened."""


class HttpClient(Protocol):
    """An ``httpx.AsyncClient``, named by what is asked of it: no signature of ours holds a foreign type."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        extensions: Mapping[str, Any],
        follow_redirects: bool,
    ) -> Any:
        """Carry one request."""


@attrs.frozen(kw_only=True)
class Timeouts:
    """How long each phase of one exchange may take.

    Attributes:
        connect: Opening a connection, TLS included.
        write: Sending one piece.
        read: Waiting for one piece of the answer.
        pool: Waiting for a free connection.
        whole: Everything together: a provider that drips byte by byte ends here.
    """

    connect: timedelta = timedelta(seconds=5)
    write: timedelta = timedelta(seconds=10)
    read: timedelta = timedelta(seconds=20)
    pool: timedelta = timedelta(seconds=10)
    whole: timedelta = timedelta(seconds=45)


class HttpxTransport(Transport):
    """Carries requests by httpx.

    Clients are made at the first exchange, and anew in another event loop: connections belong to the loop
    that opened them.

    Args:
        client: A client to use instead of own pools, with its own timeouts of each phase; it stays open, its
            maker closes it.
        pools: How many clients take turns.
        connections: How many connections each may hold.
        timeouts: Of each phase of own pools, and of the whole.

    Raises:
        ConfigError: no pool, or no connection.
    """

    def __init__(
        self,
        *,
        client: HttpClient | None = None,
        pools: int = 8,
        connections: int = 4,
        timeouts: Timeouts | None = None,
    ) -> None:
        if pools < 1 or connections < 1:
            raise ConfigError("pools or connections is below 1; give at least one of each")
        self._given = client
        self._pools = pools
        self._connections = connections
        limits = timeouts or Timeouts()
        self._whole = limits.whole.total_seconds()
        self._phases = httpx.Timeout(
            connect=limits.connect.total_seconds(),
            read=limits.read.total_seconds(),
            write=limits.write.total_seconds(),
            pool=limits.pool.total_seconds(),
        )
        self._clients: list[httpx.AsyncClient] = []
        self._turns: Iterator[httpx.AsyncClient] = iter(())
        self._loop: asyncio.AbstractEventLoop | None = None

    @override
    async def exchange(self, request: ProviderRequest) -> ProviderResponse | Rejected | Deferred | Ambiguous:
        target = None if request.target is None else request.target.reveal()
        client = self._client()
        try:
            extensions = {} if target is None else {"target": target.encode("ascii")}
            async with asyncio.timeout(self._whole):
                response = await client.request(
                    request.method,
                    request.url,
                    content=request.body,
                    headers=request.headers,
                    extensions=extensions,
                    follow_redirects=False,
                )
        except _NOT_SENT as error:
            return Deferred(reason=f"no connection ({type(error).__name__})", scope=Scope.ACCOUNT)
        except _NO_REQUEST as error:
            # Their texts quote the offending header, which may be a token.
            return Rejected(reason=f"no valid request ({type(error).__name__})", code="request")
        except (httpx.HTTPError, TimeoutError) as error:
            return Ambiguous(reason=f"no answer ({type(error).__name__})")
        # The mapping of httpx guesses an encoding for each header; HTTP's own is Latin-1.
        headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in response.headers.raw}
        return ProviderResponse(status=response.status_code, headers=headers, body=response.content)

    @override
    async def aclose(self) -> None:
        clients, self._clients, self._loop = self._clients, [], None
        for client in clients:
            await client.aclose()

    def _client(self) -> HttpClient:
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            limits = httpx.Limits(
                max_connections=self._connections, max_keepalive_connections=self._connections
            )
            self._loop = loop
            # One context for all: reading the authorities' certificates takes longer than anything else here.
            trust = httpx.create_ssl_context()
            self._clients = [
                httpx.AsyncClient(limits=limits, timeout=self._phases, verify=trust)
                for _ in range(self._pools)
            ]
            self._turns = cycle(self._clients)
        return next(self._turns)


def transport_over(client: HttpClient | Transport | None) -> Transport:
    """Make the transport of a channel from what ``client=`` was given.

    Raises:
        ConfigError: it is neither an ``httpx.AsyncClient`` nor a ``Transport``.
    """
    if client is None or isinstance(client, httpx.AsyncClient):
        return HttpxTransport(client=client)
    if hasattr(client, "exchange"):
        return cast("Transport", client)
    raise ConfigError(f"client is {type(client).__name__}; give an httpx.AsyncClient or a Transport")
