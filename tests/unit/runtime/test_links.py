"""Unsubscribe links: nobody makes one for somebody else, and a click on one does what it says."""

from datetime import UTC, datetime

import pytest

from crmsdk import Crm, MemoryChannel
from crmsdk.model.message import MessageState
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.templates.standing_in import StandInTemplates

pytestmark = pytest.mark.anyio

ADDRESS = "https://shop.example/u/{token}"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def opened() -> Crm:
    return Crm.open(
        "memory://",
        zone="UTC",
        mode="live",
        channels=[MemoryChannel("email", everyone=True)],
        templates=StandInTemplates(),
        unsubscribe=ADDRESS,
        clock=VirtualClock(NOON),
    )


async def sent(crm: Crm, key: str) -> MessageState:
    id = await crm.send("ann", "news", "email", kind="content", key=key)
    await crm.advance()
    (message,) = await crm._parts.store.messages([id])
    assert message is not None
    return message.state


def token(crm: Crm, message: str) -> str:
    links = crm._parts.unsubscribe
    assert links is not None
    return f"{message}.{links._sign(message)}"


async def test_a_click_withdraws_the_consent_and_a_later_one_does_so_again() -> None:
    async with opened() as crm:
        await crm.identify("ann")
        first = await crm.send("ann", "news", "email", kind="content", key="1")
        await crm.advance()
        for key in ("2", "3"):
            assert await crm.unsubscribe(token(crm, first))
            await crm.advance(crm._now().replace(hour=13 + int(key)))
            assert await sent(crm, key) is MessageState.REFUSED
            await crm.consent("ann", "granted", channel="email")
        assert await sent(crm, "4") is MessageState.SENT
        told = [entry.about for entry in await crm.timeline("ann")]
        assert told.count("message_unsubscribed") == 2


@pytest.mark.parametrize("odd", ["", ".", "x", "x.y", "é.é", "\ud800.\ud800", "a\x00b.c", "." * 5000])
async def test_a_token_that_is_not_ours_changes_nothing(odd: str) -> None:
    async with opened() as crm:
        assert not await crm.unsubscribe(odd)


async def test_a_token_of_another_message_or_changed_is_not_ours() -> None:
    async with opened() as crm:
        await crm.identify("ann")
        first = await crm.send("ann", "news", "email", kind="content", key="1")
        second = await crm.send("ann", "news", "email", kind="content", key="2")
        mixed = f"{first}.{token(crm, second).partition('.')[2]}"
        assert not await crm.unsubscribe(mixed)
        assert not await crm.unsubscribe(token(crm, first)[:-1])
        assert not await crm.unsubscribe(token(crm, "of-no-message"))


async def test_without_links_no_token_is_ours() -> None:
    async with Crm.open("memory://", zone="UTC") as crm:
        assert not await crm.unsubscribe("0123.4567")
