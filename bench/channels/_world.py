"""What both sides send, and to whom: servers in a process of their own, whose time is not counted."""

import asyncio
import atexit
import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from multiprocessing.connection import Connection

from crmsdk.model.address import Address
from crmsdk.model.content import EmailContent, Envelope
from crmsdk.model.ids import MessageId
from crmsdk.model.message import MessageKind, Sender
from crmsdk.testing.servers import HttpStub, SmtpSink

HTML = (
    "<p>Здравствуйте! Ваша корзина ждёт, в ней три товара. <a href='https://shop.example/c'>Открыть</a></p>"
)
TEXT = "Здравствуйте! Ваша корзина ждёт, в ней три товара.\nhttps://shop.example/c\n"
SUBJECT = "Ваша корзина ждёт"
SENDER = Sender(id="news", address="news@shop.example", name="Магазин")


def envelopes(count: int) -> list[Envelope[EmailContent]]:
    """Make personal e-mails of about 4 KB with text and html."""
    return [
        Envelope(
            message=MessageId(f"{number:032x}"),
            channel="email",
            to=Address(f"person{number}@example.org"),
            content=EmailContent(subject=SUBJECT, html=HTML * 11 + str(number), text=TEXT * 6 + str(number)),
            kind=MessageKind.TRIGGER,
            at=datetime(2026, 3, 1, tzinfo=UTC),
            sender=SENDER,
        )
        for number in range(count)
    ]


def _serve(make: Callable[[], SmtpSink | HttpStub], told: Connection) -> None:
    async def serve() -> None:
        async with make() as server:
            told.send(server.port)
            while True:
                await asyncio.sleep(1)
                # What was kept would only grow.
                kept = server.mails if isinstance(server, SmtpSink) else server.calls
                kept.clear()

    asyncio.run(serve())


@cache
def port_of(make: Callable[[], SmtpSink | HttpStub]) -> int:
    """Start a server in another process, once, and tell its port; it ends with this process."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(make, theirs), daemon=True)
    process.start()
    atexit.register(process.kill)
    port: int = ours.recv()
    return port
