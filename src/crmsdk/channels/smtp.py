"""E-mail over SMTP, through a few reused connections."""

import re
import socket
import ssl
from datetime import timedelta
from typing import Final

from crmsdk.channels._email import EmailChannel
from crmsdk.channels._smtp_server import Encryption, Server
from crmsdk.channels.pacing import Pace, RetryPolicy
from crmsdk.errors import ConfigError
from crmsdk.model.message import Sender
from crmsdk.model.secret import Secret, SecretSource

__all__ = ["Encryption", "SmtpChannel"]

_PORTS: Final[dict[Encryption, int]] = {"starttls": 587, "tls": 465, "none": 25}
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class SmtpChannel(EmailChannel):
    """Sends e-mails through a mail server.

    Without idempotency: SMTP does not recognise a repeated message. A connection that breaks before the end
    of a message is ``Deferred``; one that breaks after it, with no answer, is ``Ambiguous``.

    Args:
        host: Name or address of the server.
        port: Its port; by default 587 for STARTTLS, 465 for TLS, 25 without.
        username, password: The login; neither for none. The password may be a function, asked at each
            new connection.
        encryption: See ``Encryption``.
        tls: How to trust the server; by default the system's authorities.
        sender: Who sends where a message names nobody.
        name: The kind of channel.
        connections: How many connections at a time.
        messages_per_connection: After so many a connection is renewed.
        idle: A connection unused for so long is renewed: servers drop them without a word.
        timeout: How long each answer may take.
        local_name: What the client calls itself; by default this machine's name.
        retry: How failures are repeated within one call.
        pace: Time and chance.

    Raises:
        ConfigError: the extra ``smtp`` is not installed, a password would travel in the clear, a login is
            only half given, a number below 1.
    """

    def __init__(
        self,
        host: str,
        *,
        port: int | None = None,
        username: str | None = None,
        password: SecretSource | None = None,
        encryption: Encryption = "starttls",
        tls: ssl.SSLContext | None = None,
        sender: Sender | None = None,
        name: str = "email",
        connections: int = 4,
        messages_per_connection: int = 100,
        idle: timedelta = timedelta(seconds=30),
        timeout: timedelta = timedelta(seconds=60),
        local_name: str | None = None,
        retry: RetryPolicy | None = None,
        pace: Pace | None = None,
    ) -> None:
        if (username is None) != (password is None):
            raise ConfigError("username and password go together; give both or neither")
        if encryption not in _PORTS:
            raise ConfigError("encryption is none of starttls, tls, none")
        if password is not None and encryption == "none" and host not in _LOOPBACK:
            raise ConfigError("the password would travel in the clear; use encryption='starttls' or 'tls'")
        if connections < 1 or messages_per_connection < 1:
            raise ConfigError("connections or messages_per_connection is below 1")
        try:
            from crmsdk.channels._smtp_pool import Pool, SmtpSending  # noqa: PLC0415 - the extra may be missing
        except ModuleNotFoundError:
            raise ConfigError("SMTP needs aiosmtplib; install crmsdk[smtp]") from None
        pace = pace or Pace()
        server = Server(
            host=host,
            port=port or _PORTS[encryption],
            encryption=encryption,
            username=username,
            password=None if password is None else Secret.of(password),
            timeout=timeout.total_seconds(),
            tls=tls,
            local_name=local_name or _local_name(),
        )
        pool = Pool(
            server, size=connections, messages=messages_per_connection, idle=idle.total_seconds(), pace=pace
        )
        sending = SmtpSending(pool, name=name, sender=sender)
        super().__init__(sending, retry=retry, parallel=connections, pace=pace)


def _local_name() -> str:
    """Give this machine's name, without asking any name server; the address literal where it has none."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9.-]+", name) else "[127.0.0.1]"
