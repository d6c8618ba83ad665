"""SMTP: login and encryption, against aiosmtpd."""

import asyncio
import logging
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from crmsdk.channels.smtp import SmtpChannel
from crmsdk.errors import AuthError, ConfigError
from crmsdk.model.message import Accepted, Deferred
from crmsdk.testing.servers import SmtpSink
from tests.unit.channels.mailing import ONCE, outcome

CERTIFICATE = Path(__file__).with_name("localhost.pem")


class Keeper(Sink):
    """Keeps who logged in and what came."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((session.authenticated, session.ssl is not None, envelope))
        return "250 2.0.0 ok"


def judge(server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
    good = isinstance(auth, LoginPassword) and (auth.login, auth.password) == (b"shop", b"s3cret")
    return AuthResult(success=good, handled=False)


@asynccontextmanager
async def aiosmtpd(**settings: Any) -> AsyncIterator[tuple[int, Keeper]]:
    keeper = Keeper()

    def serve() -> SMTP:
        with warnings.catch_warnings():
            # It warns of logins without TLS, which is what some of these tests are about.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(keeper, hostname="test", **settings)

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], keeper
    finally:
        server.close()
        for _ in range(10):  # its connections notice that the client has gone
            await asyncio.sleep(0)


def server_tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def client_tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


LOGIN = {"authenticator": judge, "auth_required": True, "auth_require_tls": False}


async def test_login_with_a_password() -> None:
    async with aiosmtpd(**LOGIN) as (port, keeper):
        channel = SmtpChannel("127.0.0.1", port=port, encryption="none", username="shop", password="s3cret")
        assert isinstance(await outcome(channel), Accepted)
        await channel.aclose()
    assert keeper.mails[0][0] is True


async def test_wrong_password_stops_the_run_and_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with aiosmtpd(**LOGIN) as (port, _):
        channel = SmtpChannel("127.0.0.1", port=port, encryption="none", username="shop", password="wr0ng")
        with pytest.raises(AuthError) as caught:
            await outcome(channel)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("mail.")]
    shown = [*ours, repr(caught.value), repr(channel), repr(vars(channel._sending))]
    assert not any("wr0ng" in text for text in shown)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_rotated_password_is_used_at_the_next_connection() -> None:
    passwords = iter(["old", "s3cret"])
    async with aiosmtpd(**LOGIN) as (port, _):
        channel = SmtpChannel(
            "127.0.0.1", port=port, encryption="none", username="shop", password=lambda: next(passwords)
        )
        with pytest.raises(AuthError):
            await outcome(channel)
        assert isinstance(await outcome(channel), Accepted)
        await channel.aclose()


async def test_server_without_login_is_a_setting_that_cannot_work() -> None:
    async with SmtpSink() as sink:
        channel = SmtpChannel(
            sink.host, port=sink.port, encryption="none", username="shop", password="s3cret"
        )
        with pytest.raises(ConfigError, match="no STARTTLS or no login"):
            await outcome(channel)


async def test_temporary_trouble_with_logins_is_deferred() -> None:
    def busy(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False, message="454 4.7.0 temporary failure")

    async with aiosmtpd(**(LOGIN | {"authenticator": busy})) as (port, _):
        channel = SmtpChannel(
            "127.0.0.1", port=port, encryption="none", username="shop", password="s3cret", retry=ONCE
        )
        assert isinstance(await outcome(channel), Deferred)


async def test_login_that_is_required_and_not_given_stops_the_run() -> None:
    async with aiosmtpd(**LOGIN) as (port, _):
        channel = SmtpChannel("127.0.0.1", port=port, encryption="none")
        with pytest.raises(AuthError):
            await outcome(channel)


async def test_starttls() -> None:
    async with aiosmtpd(tls_context=server_tls(), require_starttls=True) as (port, keeper):
        channel = SmtpChannel("localhost", port=port, tls=client_tls())
        assert isinstance(await outcome(channel), Accepted)
        await channel.aclose()
    assert keeper.mails[0][1] is True


async def test_starttls_is_never_left_out() -> None:
    """A server, or somebody on the way, that hides STARTTLS gets no message and no password."""
    async with SmtpSink() as sink:
        channel = SmtpChannel("127.0.0.1", port=sink.port, username="shop", password="s3cret")
        with pytest.raises(ConfigError, match="STARTTLS"):
            await outcome(channel)
        assert "AUTH" not in sink.commands
        assert sink.mails == []


async def test_untrusted_certificate_is_a_setting_that_cannot_work() -> None:
    async with aiosmtpd(tls_context=server_tls()) as (port, keeper):
        with pytest.raises(ConfigError, match="not trusted"):
            await outcome(SmtpChannel("localhost", port=port))
        assert keeper.mails == []


async def test_tls_to_a_plain_port_is_a_setting_that_cannot_work() -> None:
    async with SmtpSink() as sink:
        with pytest.raises(ConfigError, match="no TLS"):
            await outcome(SmtpChannel("localhost", port=sink.port, encryption="tls", tls=client_tls()))
