"""A provider over HTTP: adapter and runner against bare httpx with the same pools and workers."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any, Final

import httpx
from typing_extensions import override

from bench.channels._world import envelopes, port_of
from bench.frame import Side, versus
from crmsdk.channels.answers import outcome_of_status
from crmsdk.channels.http import HttpChannel
from crmsdk.model.address import ByIdentifier
from crmsdk.model.content import HTML, EmailContent, Envelope
from crmsdk.model.customer import IdentifierKind
from crmsdk.model.message import Accepted, Outcome
from crmsdk.model.provider import Capabilities, ProviderRequest, ProviderResponse, SendContext
from crmsdk.ports import ChannelAdapter
from crmsdk.testing.servers import HttpStub

MESSAGES: Final = 400
WORKERS: Final = 32
POOLS: Final = 8


def _body(envelope: Envelope[EmailContent]) -> bytes:
    content = envelope.content
    fields = {"to": envelope.to.value, "subject": content.subject, "html": content.html, "text": content.text}
    return json.dumps(fields, ensure_ascii=False).encode()


class JsonAdapter(ChannelAdapter[EmailContent]):
    """A provider as most are: one message a request, JSON in and out."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._capabilities = Capabilities(
            content=EmailContent, address=ByIdentifier(IdentifierKind.EMAIL), features={HTML}
        )

    @property
    @override
    def name(self) -> str:
        return "email"

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @override
    def build(self, batch: Sequence[Envelope[EmailContent]], context: SendContext) -> ProviderRequest:
        headers = {"Content-Type": "application/json", "Authorization": "Bearer token"}
        return ProviderRequest(method="POST", url=self._url, headers=headers, body=_body(batch[0]))

    @override
    def parse(self, batch: Sequence[Envelope[Any]], response: ProviderResponse) -> Sequence[Outcome]:
        return [outcome_of_status(response) or Accepted(provider_id=str(response.json()))]


def _url() -> str:
    return f"http://127.0.0.1:{port_of(HttpStub)}/send"


def _ours() -> Side:
    runner = asyncio.Runner()
    channel = HttpChannel(JsonAdapter(_url()), parallel=WORKERS)
    mails = envelopes(MESSAGES)

    def run() -> None:
        outcomes = runner.run(channel.deliver(mails))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)

    return lambda: run


def _bare() -> Side:
    runner = asyncio.Runner()
    limits = httpx.Limits(max_connections=WORKERS // POOLS, max_keepalive_connections=WORKERS // POOLS)
    clients = cycle([httpx.AsyncClient(limits=limits) for _ in range(POOLS)])
    url, mails = _url(), envelopes(MESSAGES)
    headers = {"Content-Type": "application/json", "Authorization": "Bearer token"}

    async def work(waiting: Iterator[Envelope[EmailContent]]) -> None:
        for mail in waiting:
            response = await next(clients).post(url, content=_body(mail), headers=headers)
            assert response.json() == {}

    async def send() -> None:
        waiting = iter(mails)
        await asyncio.gather(*(work(waiting) for _ in range(WORKERS)))

    def run() -> None:
        runner.run(send())

    return lambda: run


@versus("channels.http", n=MESSAGES, peer="httpx, same pools", most=1.15, rounds=9)
def http_against_httpx() -> tuple[Side, Side]:
    """Send through adapter and runner, against posting the same bytes."""
    return _ours(), _bare()
