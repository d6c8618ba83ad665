"""Every answer to a message, a refusal too, moves its run on or ends it: nobody is stuck."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel
from crmsdk.errors import AuthError, ConfigError, TemplateError, TransientError
from crmsdk.journeys.person import Phase
from crmsdk.journeys.steps import Send, Wait
from crmsdk.journeys.triggers import on
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.address import ByAttribute, ByCustomer
from crmsdk.model.content import ChatContent, Content, Envelope
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import (
    Accepted,
    Ambiguous,
    Deferred,
    DeliveryEvent,
    DeliveryKind,
    MessageState,
    Outcome,
    Rejected,
    Sender,
    Suppress,
)
from crmsdk.model.provider import Capabilities, Idempotency
from crmsdk.policy.record import Suppression
from crmsdk.policy.rules import quiet
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.runtime.crm import Crm
from tests.scenarios.stage import DAY, HOUR, START, Stage, journey, templates

pytestmark = pytest.mark.anyio

GO_ON = journey("go-on", Send("hi", "sink"), Wait(HOUR), Send("bye", "other"))
LEAVE = journey("leave", Send("hi", "sink", on_refusal="exit"), Send("bye", "other"))


async def _unsubscribed(crm: Crm, stage: Stage) -> None:
    await crm.consent("ann", "withdrawn", channel="sink")


async def _suppressed(crm: Crm, stage: Stage) -> None:
    ledger = SqliteLedger(stage.path)
    await ledger.suppress([Suppression(customer=CustomerId("ann"), channel="sink", reason="by hand", at=1)])
    await ledger.close()


async def _rejected(crm: Crm, stage: Stage) -> None:
    stage.sink.script([Rejected(reason="mailbox is gone", suppress=Suppress.ADDRESS)])


WAYS = pytest.mark.parametrize("way", [_unsubscribed, _suppressed, _rejected])


@WAYS
async def test_t12_refused_at_send_time_goes_on_and_may_come_back(stage: Stage, way: Any) -> None:
    async with stage.open(GO_ON) as crm:
        await crm.track("ann", "signed_up", id="one")
        await way(crm, stage)
        done = await crm.advance()
        assert (done.sent, done.refused) == (0, 1)
        await crm.advance(START + HOUR)
        assert stage.sent() == [("ann", "bye")]
        await crm.track("ann", "signed_up", id="two")
        await crm.advance()
        await crm.advance(START + 2 * HOUR)
    assert [run.outcome for run in await stage.runs("ann")] == ["completed", "completed"]
    assert [text for _, text in stage.sent()] == ["bye", "bye"]
    told = [text for kind, text in await stage.notes("ann") if kind == "refused"]
    assert len(told) == 2
    assert all(told)


@WAYS
async def test_t12_refused_at_send_time_ends_the_run_where_it_says_exit(stage: Stage, way: Any) -> None:
    async with stage.open(LEAVE) as crm:
        await crm.track("ann", "signed_up", id="one")
        await way(crm, stage)
        await crm.advance()
        await crm.track("ann", "signed_up", id="two")
        await crm.advance()
    runs = await stage.runs("ann")
    assert len(runs) == 2
    assert all(run.outcome.startswith("refused: ") for run in runs)
    assert stage.sent() == []


async def test_t12_unsubscribed_while_the_message_is_put_off(stage: Stage) -> None:
    night = ContactPolicy(quiet("09:00", "12:00"))
    async with stage.open(LEAVE, policy=night) as crm:
        await crm.track("ann", "signed_up", id="one")
        done = await crm.advance()
        assert (done.deferred, done.next_wakeup) == (1, START + 2 * HOUR)
        await crm.consent("ann", "withdrawn")
        await crm.advance(START + 2 * HOUR)
    (run,) = await stage.runs("ann")
    assert run.phase is Phase.ENDED
    assert stage.sink.attempts == []


async def test_t12_unsubscribed_by_the_provider_holds_for_the_next_message(stage: Stage) -> None:
    async with stage.open(journey("two", Send("hi", "sink"), Wait(DAY), Send("more", "sink"))) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.advance()
        (message,) = await stage.messages("ann")
        left = DeliveryEvent(id="u", message=message.id, kind=DeliveryKind.UNSUBSCRIBED, at=START)
        assert await crm.report([left, left]) == 1
        await crm.advance(START + DAY)
    assert stage.sent() == [("ann", "hi")]
    (run,) = await stage.runs("ann")
    assert run.outcome == "completed"


async def test_a_message_put_off_beyond_its_worth_is_refused(stage: Stage) -> None:
    stage.sink.script([Deferred(reason="busy", retry_after=2 * DAY)])
    async with stage.open(LEAVE) as crm:
        await crm.track("ann", "signed_up", id="one")
        assert (await crm.advance()).refused == 1
    (run,) = await stage.runs("ann")
    assert run.outcome == "refused: expired while waiting: busy"


async def test_a_person_without_an_address_is_refused_and_goes_on(stage: Stage) -> None:
    nowhere = MemoryChannel(
        "sink",
        capabilities=Capabilities(
            content=ChatContent, address=ByAttribute("chat"), idempotency=Idempotency.KEY
        ),
    )
    async with stage.open(GO_ON, channels=[nowhere, stage.other]) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.identify("bob", {"chat": "bob's"}, id="two")
        await crm.track("bob", "signed_up", id="three")
        done = await crm.advance()
    assert (done.sent, done.refused) == (1, 1)
    assert ("refused", "no_address") in await stage.notes("ann")


async def test_a_template_that_lacks_a_variable_refuses_one_message_and_names_it(stage: Stage) -> None:
    words = {**templates("bye"), "hi": {"sink.en": "Hi {{ name }}\n"}}
    async with stage.open(GO_ON, templates=words) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.identify("bob", {"name": "Bob"}, id="two")
        await crm.track("bob", "signed_up", id="three")
        done = await crm.advance()
        assert (done.sent, done.refused) == (1, 1)
        await crm.advance(START + HOUR)
    (why,) = [text for kind, text in await stage.notes("ann") if kind == "refused"]
    assert "TemplateError" in why
    assert "name" in why
    assert [run.outcome for run in await stage.runs("ann")] == ["completed"]


async def test_a_refused_account_stops_its_channel_only_and_its_messages_wait(stage: Stage) -> None:
    stage.sink.script([AuthError("the token is not valid; renew it")])
    other = journey("other", Send("bye", "other"))
    async with stage.open(GO_ON, other) as crm:
        await crm.track("ann", "signed_up", id="one")
        done = await crm.advance()
        assert (done.sent, done.retried, done.refused) == (1, 1, 0)
        assert done.failures == ("channel 'sink': the token is not valid; renew it",)
        assert stage.sent() == [("ann", "bye")]
        assert done.next_wakeup is not None
        await crm.advance(done.next_wakeup)
    assert ("ann", "hi") in stage.sent()


@pytest.mark.parametrize(
    ("error", "idempotency", "state", "told"),
    [
        (RuntimeError("boom"), Idempotency.KEY, MessageState.SENDING, "raised RuntimeError"),
        (RuntimeError("boom"), Idempotency.NONE, MessageState.IN_DOUBT, "raised RuntimeError"),
        (ConfigError("no host"), Idempotency.NONE, MessageState.PENDING, "no host"),
        (TransientError("full"), Idempotency.NONE, MessageState.IN_DOUBT, ""),
        (TransientError("full"), Idempotency.KEY, MessageState.SENDING, ""),
    ],
)
async def test_a_channel_that_raises_loses_nothing(
    stage: Stage, error: Exception, idempotency: Idempotency, state: MessageState, told: str
) -> None:
    channel = MemoryChannel(
        "sink", capabilities=Capabilities(content=ChatContent, address=ByCustomer(), idempotency=idempotency)
    )
    channel.script([error])
    async with stage.open(GO_ON, channels=[channel, stage.other]) as crm:
        await crm.track("ann", "signed_up", id="one")
        done = await crm.advance()
        assert told in " ".join(done.failures)
        (message,) = await stage.messages("ann")
        assert message.state is state
        if state is not MessageState.IN_DOUBT:
            assert len(await _later(crm, stage)) == 2
            assert len(channel.kept) == 1
        await crm.advance(START + 3 * HOUR)
    (run,) = await stage.runs("ann")
    assert run.outcome == "completed"


async def _later(crm: Crm, stage: Stage) -> Sequence[Any]:
    await crm.advance(START + timedelta(minutes=16))
    await crm.advance(START + 2 * HOUR)
    return await stage.messages("ann")


class Miscounting(MemoryChannel):
    """Answers once too often."""

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        return [*await super().deliver(envelopes), Accepted()]


async def test_a_channel_that_miscounts_is_reported_and_nothing_is_taken_for_sent(stage: Stage) -> None:
    channel = Miscounting("sink", everyone=True)
    async with stage.open(GO_ON, channels=[channel, stage.other]) as crm:
        await crm.track("ann", "signed_up", id="one")
        done = await crm.advance()
        assert done.failures == ("channel 'sink' gave 2 outcomes for 1 messages",)
        assert (done.sent, done.retried) == (0, 1)
        assert {one.key for one in channel.kept} == {one.key for one in channel.attempts}


async def test_nobody_knows_and_the_provider_knows_keys_so_it_is_sent_again_under_the_same_key(
    stage: Stage,
) -> None:
    stage.sink.script([Ambiguous(reason="the line broke")])
    async with stage.open(GO_ON) as crm:
        await crm.track("ann", "signed_up", id="one")
        done = await crm.advance()
        assert done.next_wakeup is not None
        await crm.advance(done.next_wakeup)
    assert len({one.key for one in stage.sink.attempts}) == 1
    assert len(stage.sink.attempts) == 2
    assert len(stage.sink.kept) == 1
    assert (await stage.messages("ann"))[0].state is MessageState.SENT


async def test_a_poisoned_run_is_parked_alone(stage: Stage) -> None:
    poison = journey("poison", Wait(HOUR), Send("hi", "sink"), enter=on("signed_up"))
    calm = journey("calm", Wait(HOUR), Send("bye", "sink"))
    async with stage.open(poison, calm) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.track("bob", "signed_up", id="two")
    (run, _) = await stage.runs("ann")
    await stage.spoil(run.definition)
    async with stage.open(calm) as crm:
        await crm.advance(START + HOUR)
    assert sorted(stage.sent()) == [("ann", "bye"), ("bob", "bye")]
    assert [run.phase for run in await stage.runs("ann")] == [Phase.PARKED, Phase.ENDED]
    (run, _) = await stage.runs("ann")
    assert "is not known; register or restore it" in run.error
    assert any(kind == "parked" for kind, _ in await stage.notes("ann"))


async def test_a_sender_that_is_no_longer_registered_is_never_replaced_by_another(stage: Stage) -> None:
    news = journey("news", Wait(HOUR), Send("hi", "sink"), sender="news")
    async with stage.open(news, senders=[Sender(id="news"), Sender(id="shop")]) as crm:
        await crm.track("ann", "signed_up", id="one")
    async with stage.open(senders=[Sender(id="shop")]) as crm:
        done = await crm.advance(START + HOUR)
    assert (done.sent, done.refused) == (0, 1)
    assert any("senders=" in text for kind, text in await stage.notes("ann") if kind == "refused")


async def test_a_message_by_hand_that_cannot_be_filled_in_is_refused_and_keeps_its_key_free(
    stage: Stage,
) -> None:
    words = {"due": {"sink.en": "order {{ order_id }}\n", "other.en": "an order\n"}}
    async with stage.open(templates=words) as crm:
        await crm.identify("ann", {})
        with pytest.raises(TemplateError, match="order_id"):
            await crm.send("ann", "due", "sink", kind="service", key="k1")
        assert await stage.messages("ann") == []
        await crm.send("ann", "due", "sink", kind="service", key="k1", values={"order_id": "7"})
        await crm.send("ann", "due", ("sink", "other"), kind="service", key="k2")  # another channel can
        await crm.advance()
    assert stage.sent()[0] == ("ann", "order 7")
