"""The runner: whom a provider's wish to wait holds back, and for how long."""

from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.channels.delivery import ProviderChannel
from crmsdk.channels.pacing import Pace, RetryPolicy
from crmsdk.model.message import Accepted, Deferred, Scope, Sender
from crmsdk.testing.channel_suite import email_envelope
from tests.unit.channels.scripted import FakeSending, FakeTime, later, mails

# -- gates


async def test_an_account_asked_to_wait_long_is_left_alone(
    channel: ProviderChannel, sending: FakeSending, time: FakeTime
) -> None:
    sending.script = [later(60, Scope.ACCOUNT)]
    outcomes = await channel.deliver(mails(3))
    assert len(sending.asked) == 1
    assert all(isinstance(outcome, Deferred) for outcome in outcomes)
    assert outcomes[2] == Deferred(
        reason="the provider asked this account to wait",
        retry_after=timedelta(seconds=60),
        scope=Scope.ACCOUNT,
    )
    time.elapsed += 61
    assert await channel.deliver(mails(1, start=5)) == [Accepted(provider_id="m5.email")]


async def test_an_account_asked_to_wait_shortly_is_waited_for(
    channel: ProviderChannel, sending: FakeSending, time: FakeTime
) -> None:
    sending.script = [later(3, Scope.ACCOUNT)]
    outcomes = await channel.deliver(mails(3))
    assert [type(outcome) for outcome in outcomes] == [Accepted] * 3
    assert time.slept == [3.0]
    assert len(sending.asked) == 4


async def test_side_by_side_batches_wait_at_the_same_gate(time: FakeTime) -> None:
    sending = FakeSending(script=[later(3, Scope.ACCOUNT)])
    outcomes = await ProviderChannel(sending, parallel=2, pace=time.pace).deliver(mails(6))
    assert [type(outcome) for outcome in outcomes] == [Accepted] * 6


async def test_a_gate_that_closes_again_and_again_is_not_waited_for_for_ever(
    sending: FakeSending, time: FakeTime
) -> None:
    channel = ProviderChannel(sending, pace=time.pace, parallel=1)

    async def sleep(seconds: float) -> None:
        await time.sleep(seconds)
        channel._gates.close(mails(1)[0], later(5, Scope.ACCOUNT), least=timedelta())

    channel._pace = attrs.evolve(channel._pace, sleep=sleep)
    channel._gates.close(mails(1)[0], later(5, Scope.ACCOUNT), least=timedelta())
    (outcome,) = await channel.deliver(mails(1))
    assert isinstance(outcome, Deferred)
    assert sending.asked == []


async def test_a_sender_asked_to_wait_holds_nobody_else(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    other = attrs.evolve(email_envelope(7), sender=Sender(id="other", address="b@example.com"))
    sending.script = [later(60, Scope.SENDER)]
    first, second, third = await channel.deliver([*mails(2), other])
    assert isinstance(first, Deferred)
    assert isinstance(second, Deferred)
    assert second.scope is Scope.SENDER
    assert isinstance(third, Accepted)


async def test_another_account_has_a_gate_of_its_own(channel: ProviderChannel, sending: FakeSending) -> None:
    other = attrs.evolve(
        email_envelope(7), sender=Sender(id="news", address="news@example.com", account="second")
    )
    sending.script = [later(60, Scope.ACCOUNT)]
    first, second = await channel.deliver([email_envelope(1), other])
    assert isinstance(first, Deferred)
    assert isinstance(second, Accepted)


async def test_a_recipient_asked_to_wait_closes_no_gate(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.script = [later(60)]
    first, second = await channel.deliver(mails(2))
    assert isinstance(first, Deferred)
    assert isinstance(second, Accepted)


# -- waits


@pytest.mark.parametrize(
    "settings",
    [
        {"attempts": 0},
        {"first_wait": timedelta(seconds=-1)},
        {"longest_wait": timedelta(seconds=-1)},
    ],
)
def test_retry_policies_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        RetryPolicy(**settings)


@given(st.integers(1, 200), st.floats(0, 1), st.none() | st.timedeltas(timedelta(), timedelta(days=1)))
def test_waits_stay_between_what_was_asked_and_the_longest(
    failures: int, draw: float, asked: timedelta | None
) -> None:
    policy = RetryPolicy()
    wait = policy.wait(failures, asked=asked, draw=draw)
    assert wait >= (asked or timedelta())
    assert wait <= max(asked or timedelta(), policy.longest_wait)
    assert wait >= policy.first_wait / 2


async def test_real_pace_tells_a_real_time() -> None:
    pace = Pace()
    assert pace.now().utcoffset() == timedelta()
    assert pace.elapsed() <= pace.elapsed()
    assert 0 <= pace.draw() < 1
    await pace.sleep(0)
