"""A channel that answers what none may answer: nothing is lost, nobody is stuck, an operator is told."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.steps import Send
from crmsdk.model.content import Content, Envelope
from crmsdk.model.message import Deferred, MessageState, Outcome
from tests.scenarios.stage import HOUR, START, Stage, event, journey

pytestmark = pytest.mark.anyio

GREET = journey("greet", Send("hi", "sink"))


class Odd(MemoryChannel):
    """Takes the messages over, and garbles the first answer."""

    def __init__(self, garble: Callable[[list[Outcome]], Any]) -> None:
        super().__init__("sink", everyone=True)
        self._garble: Callable[[list[Outcome]], Any] | None = garble

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        outcomes = list(await super().deliver(envelopes))
        garble, self._garble = self._garble, None
        return outcomes if garble is None else garble(outcomes)


@pytest.mark.parametrize(
    "garble",
    [
        lambda _: None,
        lambda outcomes: outcomes[:-1],
        lambda outcomes: [*outcomes, *outcomes],
        lambda outcomes: ["ok" for _ in outcomes],
        lambda outcomes: [None, *outcomes[1:]],
    ],
)
async def test_answers_that_are_none_leave_messages_in_doubt_until_they_are_asked_again(
    stage: Stage, garble: Callable[[list[Outcome]], Any]
) -> None:
    channel = Odd(garble)
    async with stage.open(GREET, channels=[channel]) as crm:
        await crm.ingest(event(name, "signed_up", START, name) for name in ("ann", "bob"))
        done = await crm.advance()
        assert done.failures
        assert done.next_wakeup == START + timedelta(minutes=15)
        done = await crm.advance(START + HOUR)
        assert (done.failures, done.next_wakeup) == ((), None)
    assert sorted(one.to.value for one in channel.kept) == ["ann", "bob"]
    for name in ("ann", "bob"):
        assert [one.state for one in await stage.messages(name)] == [MessageState.SENT]


async def test_answers_come_in_any_iterable(stage: Stage) -> None:
    channel = Odd(iter)
    async with stage.open(GREET, channels=[channel]) as crm:
        await crm.ingest(event(name, "signed_up", START, name) for name in ("ann", "bob"))
        assert (await crm.advance()).sent == 2


@pytest.mark.parametrize("span", [timedelta.max, timedelta.min, timedelta(days=-1)])
async def test_a_provider_that_names_an_absurd_wait_stops_nobody(stage: Stage, span: timedelta) -> None:
    stage.sink.script([Deferred(reason="busy", retry_after=span)])
    async with stage.open(GREET) as crm:
        await crm.ingest(event(name, "signed_up", START, name) for name in ("ann", "bob"))
        await crm.advance()
        await crm.advance(START + HOUR)
    states = {one.state for name in ("ann", "bob") for one in await stage.messages(name)}
    assert states == ({MessageState.SENT, MessageState.REFUSED} if span > HOUR else {MessageState.SENT})
