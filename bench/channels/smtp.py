"""E-mail over SMTP: our channel, which assembles each mail, against aiosmtplib with and without that work."""

import asyncio
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Final

import aiosmtplib

from bench.channels._world import SENDER, envelopes, port_of
from bench.frame import Side, versus
from crmsdk.channels.mime import assemble
from crmsdk.channels.smtp import SmtpChannel
from crmsdk.model.content import EmailContent, Envelope
from crmsdk.model.message import Accepted
from crmsdk.testing.servers import SmtpSink

MAILS: Final = 400
CONNECTIONS: Final = 4


def _ours() -> Side:
    runner = asyncio.Runner()
    channel = SmtpChannel(
        "127.0.0.1",
        port=port_of(SmtpSink),
        encryption="none",
        connections=CONNECTIONS,
        messages_per_connection=10**9,
    )
    mails = envelopes(MAILS)

    def run() -> None:
        outcomes = runner.run(channel.deliver(mails))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)

    return lambda: run


def _theirs(write: Callable[[Envelope[EmailContent]], bytes]) -> Side:
    """Send by aiosmtplib over as many reused connections."""
    runner = asyncio.Runner()
    mails = envelopes(MAILS)

    async def connect() -> list[aiosmtplib.SMTP]:
        clients = [
            aiosmtplib.SMTP(hostname="127.0.0.1", port=port_of(SmtpSink), start_tls=False)
            for _ in range(CONNECTIONS)
        ]
        for client in clients:
            await client.connect()
        return clients

    clients = runner.run(connect())

    async def work(client: aiosmtplib.SMTP, waiting: Iterator[Envelope[EmailContent]]) -> None:
        for mail in waiting:
            await client.sendmail(SENDER.address, [mail.to.value], write(mail))

    async def send() -> None:
        waiting = iter(mails)
        await asyncio.gather(*(work(client, waiting) for client in clients))

    def run() -> None:
        runner.run(send())

    return lambda: run


def _by_library(mail: Envelope[EmailContent]) -> bytes:
    """Build a mail as the standard library's documentation shows."""
    message = EmailMessage()
    message["From"] = f"{SENDER.name} <{SENDER.address}>"
    message["To"] = mail.to.value
    message["Subject"] = mail.content.subject
    message["Message-ID"] = f"<{mail.message}@shop.example>"
    message.set_content(mail.content.text or "")
    message.add_alternative(mail.content.html or "", subtype="html")
    return message.as_bytes()


@versus("channels.smtp.ready_bytes", n=MAILS, peer="aiosmtplib, ready bytes", least=0.9)
def smtp_against_ready_bytes() -> tuple[Side, Side]:
    """Assemble and send, against sending what was assembled beforehand."""
    ready = {mail.message: assemble(mail, SENDER) for mail in envelopes(MAILS)}
    return _ours(), _theirs(lambda mail: ready[mail.message])


@versus("channels.smtp.email_message", n=MAILS, peer="aiosmtplib + EmailMessage", least=8, rounds=3)
def smtp_against_email_message() -> tuple[Side, Side]:
    """Assemble and send, against the standard library's assembly and the same sending."""
    return _ours(), _theirs(_by_library)


@versus("channels.mime", n=MAILS, peer="EmailMessage", least=20, rounds=3)
def assembly_alone() -> tuple[Side, Side]:
    """Assemble only."""
    mails = envelopes(MAILS)

    def over(write: Callable[[Envelope[EmailContent]], bytes]) -> Side:
        def run() -> None:
            for mail in mails:
                assert write(mail)

        return lambda: run

    return over(lambda mail: assemble(mail, SENDER)), over(_by_library)
