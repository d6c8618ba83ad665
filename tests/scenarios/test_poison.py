"""What one person's data breaks stays with that person: everybody else goes on, an operator can see it."""

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.steps import Send, Wait
from crmsdk.journeys.triggers import every
from crmsdk.model.address import Address, ByAttribute, ByIdentifier
from crmsdk.model.content import ChatContent, Content, Envelope
from crmsdk.model.customer import Customer, Identifier, IdentifierKind
from crmsdk.model.message import MessageState
from crmsdk.model.provider import Capabilities, Idempotency
from tests.scenarios.stage import HOUR, START, Stage, event, journey, known

pytestmark = pytest.mark.anyio

GREET = journey("greet", Send("hi", "sink"), Wait(HOUR), Send("bye", "sink"))


@pytest.mark.parametrize("chat", ["two\nlines", "x" * 5000, 10**30, True, [1], {"a": 1}, " "])
async def test_an_address_that_is_none_concerns_its_person_only(stage: Stage, chat: Any) -> None:
    reached = Capabilities(content=ChatContent, address=ByAttribute("chat"), idempotency=Idempotency.KEY)
    channel = MemoryChannel("sink", capabilities=reached)
    async with stage.open(GREET, channels=[channel]) as crm:
        await crm.identify("ann", {"chat": chat}, id="one")
        await crm.identify("bob", {"chat": "bob's"}, id="two")
        await crm.ingest(event(name, "signed_up", START, name) for name in ("ann", "bob"))
        await crm.advance()
        await crm.advance(START + HOUR)
    assert [one.to.value for one in channel.kept if one.to.value == "bob's"] == ["bob's"] * 2
    for name in ("ann", "bob"):
        assert [run.outcome for run in await stage.runs(name)] == ["completed"]


@pytest.mark.parametrize("email", ["ann@example.org\nBcc: all@example.org", "ann\x00@example.org"])
async def test_an_identifier_that_is_no_address_concerns_its_person_only(stage: Stage, email: str) -> None:
    reached = Capabilities(
        content=ChatContent, address=ByIdentifier(IdentifierKind.EMAIL), idempotency=Idempotency.KEY
    )
    channel = MemoryChannel("sink", capabilities=reached)
    async with stage.open(GREET, channels=[channel]) as crm:
        taken = await crm.ingest(
            [
                known(Identifier("user", "ann"), Identifier("email", email), at=START, id="one"),
                known(Identifier("user", "bob"), Identifier("email", "bob@example.org"), at=START, id="two"),
                *(event(name, "signed_up", START, name) for name in ("ann", "bob")),
            ]
        )
        assert taken.accepted + len(taken.refused) == 4
        await crm.advance()
    assert [one.to.value for one in channel.kept] == ["bob@example.org"]


class Strange(MemoryChannel):
    """A stranger's channel that cannot stand one of the customers."""

    def __init__(self, at: str) -> None:
        super().__init__("sink", everyone=True)
        self._at = at

    @override
    def address_of(self, customer: Customer) -> Address | None:
        if self._at == "address_of" and customer.id == "ann":
            raise ZeroDivisionError
        return super().address_of(customer)

    @override
    def check(self, envelope: Envelope[Content]) -> None:
        if self._at == "check" and envelope.to.value == "ann":
            raise ZeroDivisionError
        super().check(envelope)


@pytest.mark.parametrize("at", ["address_of", "check"])
async def test_a_channel_that_breaks_over_one_person_serves_the_others(stage: Stage, at: str) -> None:
    channel = Strange(at)
    async with stage.open(GREET, channels=[channel]) as crm:
        await crm.ingest(event(name, "signed_up", START, name) for name in ("ann", "bob"))
        done = await crm.advance()
        assert (done.sent, done.refused) == (1, 1)
        assert "ZeroDivisionError" in " ".join(done.failures)
        await crm.advance(START + HOUR)
    assert {message.state for message in await stage.messages("ann")} == {MessageState.REFUSED}
    assert {one.to.value for one in channel.kept} == {"bob"}


async def test_a_trigger_and_a_wait_beyond_the_calendar_park_alone(stage: Stage) -> None:
    end = Stage(stage.path.parent, datetime(9999, 12, 30, tzinfo=UTC))
    far, plain = journey("far", Wait(START - START.replace(year=2000))), journey("plain", Send("bye", "sink"))
    yearly = journey("yearly", Send("hi", "sink"), enter=every("0 0 1 1 *"))
    async with end.open(far, yearly, plain) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.advance()
    assert end.sent() == [("ann", "bye")]
    assert sorted(text for kind, text in await end.notes("ann") if kind == "parked") == [
        "OverflowError at enter[0]", "OverflowError at step steps[0]",
    ]  # fmt: skip


async def test_a_broken_turn_of_one_person_in_the_store_stops_nobody(stage: Stage) -> None:
    async with stage.open(GREET) as crm:
        await crm.ingest(event(name, "signed_up", START, name) for name in ("ann", "bob"))
        await crm.advance()
    (run,) = await stage.runs("ann")
    await stage.set_cursor(run.id, 99)
    async with stage.open(GREET) as crm:
        await crm.advance(START + HOUR)
    (run,) = await stage.runs("ann")
    assert run.error.startswith("IndexError")
    assert attrs.evolve(run, error="").wake is None
    assert [text for name, text in stage.sent() if name == "bob"] == ["hi", "bye"]
