"""Tests of timelines: what a person at a terminal reads when somebody got nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from crmsdk import Crm, Journey, MemoryChannel, Send, VirtualClock, did, on
from crmsdk.runtime.telling import Timeline

EVENING = datetime(2026, 3, 2, 20, 59, tzinfo=UTC)
PLAN = Journey(
    "hello",
    enter=on("came"),
    kind="promo",
    goal=did("bought").since_entry(),
    steps=[Send("hi", "email", key="hi")],
)
TEXTS = {"hi": {"email.en": "subject: Hi\nunsubscribe: https://shop.example/u\n---\nHi\n"}}


async def told(mode: str, at: datetime) -> Timeline:
    async with Crm.open(
        "memory://",
        zone="UTC",
        journeys=[PLAN],
        templates=TEXTS,
        channels=[MemoryChannel("email")],
        clock=VirtualClock(at),
        mode=mode,
    ) as crm:
        await crm.identify("ann", email="ann@shop.example", id="one")
        await crm.track("ann", "came", id="two")
        await crm.advance()
        await crm.send("ann", "hi", "email", kind="promo", key="by-hand")
        await crm.advance(at + timedelta(minutes=2))
        return await crm.timeline("ann")


@pytest.mark.anyio
@pytest.mark.parametrize(("mode", "why"), [("live", "email"), ("record", "not handed over")])
async def test_a_message_that_was_only_recorded_is_told_apart(mode: str, why: str) -> None:
    sent = [entry.why for entry in await told(mode, EVENING) if entry.what == "message sent"]
    assert len(sent) == 1
    assert sent[0].startswith("email")
    assert why in sent[0]
    assert ("record" in sent[0]) is (mode == "record")


@pytest.mark.anyio
async def test_a_message_by_hand_bears_the_name_of_its_template() -> None:
    whole = await told("live", EVENING)
    held = whole.not_sent()
    assert [(entry.what, entry.about) for entry in held] == [("message put off", "hi")]
    assert [entry.about for entry in whole if entry.what == "message waiting"] == ["hi"]


@pytest.mark.anyio
async def test_a_part_of_a_timeline_is_a_timeline() -> None:
    whole = await told("live", EVENING)
    assert isinstance(whole.not_sent(), Timeline)
    assert str(whole.not_sent()) == str(whole.not_sent()[0:1])
    assert "2026-03-02 21:01:00  message put off" in str(whole.not_sent())
    assert str(whole[:1]) in str(whole)
    assert (whole[0], whole[-1]) == (whole.entries[0], whole.entries[-1])
    assert not whole.not_sent()[1:]
