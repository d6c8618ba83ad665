"""SMTP: what each broken connection means, and how connections are kept."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from crmsdk.channels.pacing import Pace, RetryPolicy
from crmsdk.channels.smtp import SmtpChannel
from crmsdk.model.message import Accepted, Ambiguous, Deferred, Scope
from crmsdk.testing.channel_suite import email_envelope, fake_pace
from crmsdk.testing.servers import SmtpFault, SmtpSink
from tests.unit.channels.mailing import ONCE, big, channel_to, message_of_mail, outcome

# -- broken connections


@pytest.mark.parametrize("stage", ["connect", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_cut_before_the_message_is_deferred(stage: Any) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault(stage, None)])
        found = await outcome(channel)
        assert isinstance(found, Deferred)
        assert found.scope is Scope.ACCOUNT
        assert sink.mails == []


async def test_cut_inside_a_large_message_is_deferred() -> None:
    """Its end has not left yet, so the server has nothing it could deliver."""
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault("body", None)])
        (found,) = await channel.deliver([big(1, 16_000_000)])
        assert isinstance(found, Deferred)
        assert sink.mails == []


@pytest.mark.parametrize("keep", [True, False])
async def test_t05_cut_after_the_message_is_ambiguous_and_not_repeated(keep: bool) -> None:
    """Whether the server took it or not, nobody here can know."""
    async with SmtpSink() as sink, channel_to(sink, retry=RetryPolicy()) as channel:
        sink.fail([SmtpFault("dot", None, keep=keep)])
        found = await outcome(channel)
        assert isinstance(found, Ambiguous)
        assert len(sink.mails) == int(keep)
        assert sink.commands.count("DATA") == 1


@pytest.mark.parametrize(
    ("stage", "expected"), [("connect", Deferred), ("RCPT", Deferred), ("dot", Ambiguous)]
)
async def test_silent_server(stage: Any, expected: type) -> None:
    async with (
        SmtpSink() as sink,
        channel_to(sink, timeout=timedelta(milliseconds=50)) as channel,
    ):
        sink.fail([SmtpFault(stage, "")])
        assert isinstance(await outcome(channel), expected)


async def test_silent_server_inside_a_large_message_is_deferred() -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x\r\n")
        for reply in (b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n"):
            await reader.readline()
            writer.write(reply)
        await done.wait()
        writer.close()

    done = asyncio.Event()
    server = await asyncio.start_server(stall, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = SmtpChannel(
        "127.0.0.1", port=port, encryption="none", timeout=timedelta(milliseconds=100), retry=ONCE
    )
    (found,) = await channel.deliver([big(1, 16_000_000)])
    assert isinstance(found, Deferred)
    done.set()
    await asyncio.sleep(0)
    server.close()
    await channel.aclose()


async def test_nonsense_for_an_answer_is_ambiguous() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault("dot", "what?")])
        assert isinstance(await outcome(channel), Ambiguous)


async def test_nonsense_before_the_message_is_deferred() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault("RCPT", "what?")])
        assert isinstance(await outcome(channel), Deferred)
        assert isinstance(await outcome(channel, 2), Accepted)


@pytest.mark.parametrize("greeting", ["421 4.3.2 not now", "554 no mail here"])
async def test_unfriendly_greeting_is_deferred(greeting: str) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault("connect", greeting)])
        found = await outcome(channel)
        assert isinstance(found, Deferred)
        assert found.scope is Scope.ACCOUNT


async def test_no_server_is_deferred() -> None:
    async with SmtpSink() as sink:
        channel = SmtpChannel(sink.host, port=sink.port, encryption="none", pace=fake_pace())
        await sink.stop()
        found = await outcome(channel)
        assert isinstance(found, Deferred)
        assert found.scope is Scope.ACCOUNT


# -- kept connections


async def test_connection_is_kept() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        for number in range(5):
            await outcome(channel, number)
        assert sink.connections == 1
        assert sink.commands.count("EHLO") == 1


async def test_no_more_connections_than_allowed() -> None:
    async with SmtpSink() as sink, channel_to(sink, connections=3) as channel:
        calls = [
            channel.deliver([email_envelope(number + 10 * call) for number in range(5)]) for call in range(4)
        ]
        await asyncio.gather(*calls)
        assert len(sink.mails) == 20
        assert sink.connections <= 3


@pytest.mark.parametrize(
    "fault", [SmtpFault("MAIL", None), SmtpFault("MAIL", "421 4.4.2 idle too long"), SmtpFault("RCPT", None)]
)
async def test_kept_connection_that_died_is_renewed_unseen(fault: SmtpFault) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        await outcome(channel, 1)
        sink.fail([fault])
        assert isinstance(await outcome(channel, 2), Accepted)
        assert sink.connections == 2
        assert [message_of_mail(mail.data) for mail in sink.mails] == ["m1", "m2"]


async def test_restarted_server_is_reached_again() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        await outcome(channel, 1)
        await sink.cut()
        assert isinstance(await outcome(channel, 2), Accepted)


async def test_421_on_a_new_connection_is_deferred_and_repeated() -> None:
    async with SmtpSink() as sink, channel_to(sink, retry=RetryPolicy()) as channel:
        sink.fail([SmtpFault("RCPT", "421 4.7.0 too many"), SmtpFault("dot", "421 4.3.0 closing")])
        assert isinstance(await outcome(channel), Accepted)
        assert sink.connections == 3
        assert len(sink.mails) == 1


async def test_connection_is_renewed_after_so_many_messages() -> None:
    async with SmtpSink() as sink, channel_to(sink, messages_per_connection=2) as channel:
        for number in range(5):
            await outcome(channel, number)
        assert sink.connections == 3
        assert sink.commands.count("QUIT") == 2


async def test_idle_connection_is_renewed() -> None:
    elapsed = 0.0
    pace = Pace(elapsed=lambda: elapsed)
    async with SmtpSink() as sink, channel_to(sink, pace=pace, idle=timedelta(seconds=30)) as channel:
        await outcome(channel, 1)
        elapsed = 30.0
        await outcome(channel, 2)
        assert sink.connections == 1
        elapsed = 61.0
        await outcome(channel, 3)
        assert sink.connections == 2


async def test_closing_says_goodbye() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        await outcome(channel)
        await channel.aclose()
        assert sink.commands[-1] == "QUIT"


@pytest.mark.parametrize("fault", [SmtpFault("QUIT", None), SmtpFault("QUIT", "500 what?")])
async def test_closing_does_not_mind_a_rude_server(fault: SmtpFault) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        await outcome(channel)
        sink.fail([fault])
        await channel.aclose()


def test_each_event_loop_gets_connections_of_its_own() -> None:
    channel: SmtpChannel | None = None

    async def once(port: int) -> tuple[int, object]:
        nonlocal channel
        sink = SmtpSink()
        sink.port = port
        async with sink:
            channel = channel or SmtpChannel(sink.host, port=sink.port, encryption="none")
            return sink.port, await outcome(channel)

    port, first = asyncio.run(once(0))
    _, second = asyncio.run(once(port))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)


@pytest.mark.parametrize("stage", ["connect", "MAIL", "dot"])
async def test_cancelled_message_gives_its_connection_up(stage: Any) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault(stage, "")])
        task = asyncio.create_task(outcome(channel))
        for _ in range(200):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await outcome(channel, 2), Accepted)
        assert sink.connections == 2
