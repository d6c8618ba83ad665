"""The one door to aiosmtplib: one connection to a mail server, told what to say line by line.

Its ready-made ``sendmail`` cannot tell a connection that broke before the message had left from one that
broke after, and that is the whole difference between "again" and "nobody knows".
"""

import asyncio
import re
import ssl
from typing import Final, cast

import aiosmtplib

from crmsdk.channels._email import Letter
from crmsdk.channels._smtp_replies import Stage, outcome_of_reply
from crmsdk.channels._smtp_server import Server
from crmsdk.errors import AuthError, ConfigError, TransientError
from crmsdk.model.message import Accepted, Ambiguous, Outcome, Rejected

_BROKEN: Final = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError, TimeoutError)
_AT_ONCE: Final = 65_536
"""A message up to this size is written in one piece; the system's buffer takes it whole."""
_TICK: Final = 0.005
"""Seconds between two looks at how much of a large message has left."""
_REFUSED_ACCOUNT: Final = frozenset({530, 534, 535, 538, 550, 554})


class BrokenBefore(Exception):
    """The connection broke while the message had certainly not left."""


class Session:
    """One open connection.

    Args:
        client: Connected, and logged in where that is asked.
        timeout: Seconds for each answer.
    """

    def __init__(self, client: aiosmtplib.SMTP, *, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self.sent = 0

    @classmethod
    async def open(cls, server: Server) -> "Session":
        """Connect, encrypt and log in.

        Raises:
            TransientError: no connection now.
            AuthError: user name or password refused.
            ConfigError: the server does not do what the settings ask, or its certificate is not trusted.
        """
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.encryption == "tls",
            start_tls=server.encryption == "starttls",
            tls_context=server.tls,
            local_hostname=server.local_name,
            # Limits are ours: its own use wait_for, which on Python 3.11 can swallow a cancellation.
            timeout=None,
            username=server.username,
            password=None if server.password is None else server.password.reveal(),
        )
        try:
            async with asyncio.timeout(server.timeout):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        except aiosmtplib.SMTPAuthenticationError as error:
            if error.code in _REFUSED_ACCOUNT:
                raise AuthError("the mail server refuses user name or password; check both") from None
            raise TransientError(f"the mail server cannot log in now ({error.code})") from None
        except aiosmtplib.SMTPResponseException as error:
            raise TransientError(f"the mail server answered {error.code} to the greeting") from None
        except _BROKEN as error:
            client.close()
            if _untrusted(error) or _untrusted(error.__cause__):
                raise ConfigError(
                    "no TLS with the mail server: its certificate is not trusted, or the port speaks no TLS; "
                    "give a tls context that trusts it, or another encryption"
                ) from None
            raise TransientError(f"no connection to the mail server ({type(error).__name__})") from None
        except aiosmtplib.SMTPException:
            raise ConfigError(
                "the mail server offers no STARTTLS or no login by password; check port and encryption"
            ) from None
        return cls(client, timeout=server.timeout)

    @property
    def usable(self) -> bool:
        """Whether another message can go over it."""
        return self._client.is_connected

    async def send(self, letter: Letter) -> Outcome:
        """Hand one e-mail over.

        Raises:
            BrokenBefore: the connection broke while the message had certainly not left.
            AuthError: the server wants a login.
        """
        data = _dotted(letter.data)
        self.sent += 1
        try:
            limit = self._client.esmtp_extensions.get("size", "")
            if limit.isdecimal() and 0 < int(limit) < len(data):
                return Rejected(reason="the message is larger than the mail server takes", code="552")
            async with asyncio.timeout(self._timeout):
                if refusal := await self._prepare(letter):
                    return refusal
            async with asyncio.timeout(self._timeout):
                await self._write(data)
        except (*_BROKEN, aiosmtplib.SMTPException) as error:
            self.abandon()
            raise BrokenBefore(type(error).__name__) from None
        except BaseException:
            self.abandon()
            raise
        return await self._answer(letter)

    async def _prepare(self, letter: Letter) -> Outcome | None:
        """Announce sender, recipient and data; a refusal leaves the connection ready for the next message."""
        commands: tuple[tuple[Stage, bytes, tuple[int, ...]], ...] = (
            ("sender", f"MAIL FROM:<{letter.sender}>".encode("ascii"), (250,)),
            ("recipient", f"RCPT TO:<{letter.recipient}>".encode("ascii"), (250, 251)),
            ("message", b"DATA", (354,)),
        )
        for stage, command, good in commands:
            reply = await self._client.execute_command(command)
            if reply.code not in good:
                outcome = outcome_of_reply(reply.code, reply.message, stage)
                if self.usable:
                    await self._client.execute_command(b"RSET")
                return outcome
        return None

    async def _write(self, data: bytes) -> None:
        """Write the message; the end of a large one only once all before it has left."""
        protocol = self._protocol()
        if len(data) > _AT_ONCE:
            protocol.write(data[: -len(_END)])
            data = _END
            transport = cast("asyncio.Transport", protocol.transport)
            # asyncio tells a protocol, which is the library's, that its buffer is empty; we have to look.
            while transport.get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110 - above
                await asyncio.sleep(_TICK)
        protocol.write(data)

    async def _answer(self, letter: Letter) -> Outcome:
        """Read what became of a message that has left; without an answer nobody knows."""
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._protocol().read_response()
        except (*_BROKEN, aiosmtplib.SMTPException) as error:
            self.abandon()
            return Ambiguous(reason=f"no answer after the message ({type(error).__name__})")
        except BaseException:
            self.abandon()
            raise
        if 200 <= reply.code < 300:  # RFC 5321, section 4.2.1: done, whatever the last two digits say
            return Accepted(provider_id=letter.message_id)
        if reply.code == 421:
            self.abandon()
        return outcome_of_reply(reply.code, reply.message, "message")

    def _protocol(self) -> aiosmtplib.protocol.SMTPProtocol:
        protocol = self._client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("connection lost")
        return protocol

    def abandon(self) -> None:
        """Drop the connection without a word."""
        self._client.close()

    async def close(self) -> None:
        """Say goodbye and drop the connection, whatever the server says."""
        try:
            async with asyncio.timeout(min(self._timeout, 5)):
                await self._client.quit()
        except (*_BROKEN, aiosmtplib.SMTPException):
            pass
        finally:
            self.abandon()


def _untrusted(error: BaseException | None) -> bool:
    if not isinstance(error, ssl.SSLError):
        return False
    return isinstance(error, ssl.SSLCertVerificationError) or error.reason == "WRONG_VERSION_NUMBER"


_END: Final = b".\r\n"
_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)


def _dotted(data: bytes) -> bytes:
    """Double the dots at line starts and end the message.

    Source:
        RFC 5321, section 4.5.2.
    """
    return (_LEADING_DOT.sub(b"..", data) if b"\n." in data else data) + _END
