"""The runner: what it repeats and what it leaves alone, batch by batch."""

import asyncio
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.channels.delivery import ProviderChannel, batch_key
from crmsdk.channels.pacing import RetryPolicy
from crmsdk.errors import ConfigError
from crmsdk.model.address import Address
from crmsdk.model.content import EmailContent
from crmsdk.model.ids import MessageId
from crmsdk.model.message import Accepted, Ambiguous, MessageKind, Outcome, Rejected, Sender
from crmsdk.model.provider import Idempotency, SendContext
from crmsdk.testing.channel_suite import AT, email_envelope
from tests.unit.channels.scripted import Batch, FakeSending, FakeTime, later, mails, taken

# -- what is repeated


async def test_success_is_asked_once_and_waits_for_nothing(
    channel: ProviderChannel, sending: FakeSending, time: FakeTime
) -> None:
    assert await channel.deliver(mails(1)) == [Accepted(provider_id="m0.email")]
    assert len(sending.asked) == 1
    assert time.slept == []


async def test_deferred_is_repeated_with_growing_waits_and_then_handed_back(
    channel: ProviderChannel, sending: FakeSending, time: FakeTime
) -> None:
    sending.script = [later(), later(), later()]
    assert await channel.deliver(mails(1)) == [later()]
    assert len(sending.asked) == 3
    assert time.slept == [0.5, 1.0]


async def test_waits_are_drawn_from_their_upper_half(sending: FakeSending, time: FakeTime) -> None:
    sending.script = [later(), later()]
    pace = attrs.evolve(time.pace, draw=lambda: 0.0)
    await ProviderChannel(sending, pace=pace).deliver(mails(1))
    assert time.slept == [0.25, 0.5]


async def test_provider_s_own_wait_counts_when_it_is_longer(
    channel: ProviderChannel, sending: FakeSending, time: FakeTime
) -> None:
    sending.script = [later(7), later(0)]
    assert await channel.deliver(mails(1)) == [Accepted(provider_id="m0.email")]
    assert time.slept == [7.0, 1.0]


async def test_long_wait_is_the_outbox_s(
    channel: ProviderChannel, sending: FakeSending, time: FakeTime
) -> None:
    sending.script = [later(10.5)]
    assert await channel.deliver(mails(1)) == [later(10.5)]
    assert len(sending.asked) == 1
    assert time.slept == []


async def test_rejected_is_never_repeated(channel: ProviderChannel, sending: FakeSending) -> None:
    sending.script = [Rejected(reason="no")]
    assert await channel.deliver(mails(1)) == [Rejected(reason="no")]
    assert len(sending.asked) == 1


async def test_one_attempt_is_one_attempt(sending: FakeSending, time: FakeTime) -> None:
    sending.script = [later()]
    once = ProviderChannel(sending, retry=RetryPolicy(attempts=1), pace=time.pace)
    assert await once.deliver(mails(1)) == [later()]
    assert len(sending.asked) == 1


async def test_t05_ambiguous_is_not_repeated_without_keys(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.script = [Ambiguous(reason="cut")]
    assert await channel.deliver(mails(1)) == [Ambiguous(reason="cut")]
    assert len(sending.asked) == 1


async def test_t05_ambiguous_is_repeated_with_the_same_key_batch_and_context(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.idempotency, sending.batch_max = Idempotency.KEY, 3
    sending.script = [Ambiguous(reason="cut"), Ambiguous(reason="cut")]
    outcomes = await channel.deliver(mails(3))
    assert [type(outcome) for outcome in outcomes] == [Accepted] * 3
    first, *others = sending.asked
    assert others == [first, first]


async def test_t05_the_same_envelope_after_a_crash_bears_the_same_key(time: FakeTime) -> None:
    """A worker dies between the provider's yes and our commit; another one delivers the row again."""
    dead, alive = FakeSending(), FakeSending()
    await ProviderChannel(dead, pace=time.pace).deliver(mails(1))
    await ProviderChannel(alive, pace=time.pace).deliver(mails(1))
    assert dead.asked[0][1].key == alive.asked[0][1].key
    assert dead.asked[0][0] == alive.asked[0][0]


async def test_certain_failure_after_doubt_leaves_the_doubt(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    """That the second attempt surely failed says nothing about the first."""
    sending.idempotency = Idempotency.KEY
    sending.script = [Ambiguous(reason="cut"), later(), later(60)]
    assert await channel.deliver(mails(1)) == [Ambiguous(reason="cut")]
    assert len(sending.asked) == 3


async def test_long_wait_after_doubt_ends_the_attempts(
    channel: ProviderChannel, sending: FakeSending, time: FakeTime
) -> None:
    sending.idempotency = Idempotency.KEY
    sending.script = [Ambiguous(reason="cut"), later(60)]
    assert await channel.deliver(mails(1)) == [Ambiguous(reason="cut")]
    assert len(sending.asked) == 2


async def test_refusal_after_doubt_is_the_provider_s_word(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.idempotency = Idempotency.KEY
    sending.script = [Ambiguous(reason="cut"), Rejected(reason="no")]
    assert await channel.deliver(mails(1)) == [Rejected(reason="no")]


# -- batches


async def test_batches_have_at_most_the_declared_size_and_keep_the_order(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.batch_max = 3
    outcomes = await channel.deliver(mails(7))
    assert sending.messages == [["m0", "m1", "m2"], ["m3", "m4", "m5"], ["m6"]]
    assert [outcome.provider_id for outcome in outcomes if isinstance(outcome, Accepted)] == [
        f"m{number}.email" for number in range(7)
    ]


async def test_only_what_was_not_taken_goes_again_under_a_key_of_its_own(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.batch_max = 3
    sending.script = [lambda batch: [Accepted(), later(), Rejected(reason="no")]]
    outcomes = await channel.deliver(mails(3))
    assert outcomes == [Accepted(), Accepted(provider_id="m1.email"), Rejected(reason="no")]
    assert sending.messages == [["m0", "m1", "m2"], ["m1"]]
    assert sending.asked[1][1].key == "m1.email"


async def test_a_batch_partly_in_doubt_goes_again_unchanged(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.batch_max, sending.idempotency = 3, Idempotency.KEY
    sending.script = [lambda batch: [Accepted(provider_id="first"), Ambiguous(reason="?"), later()]]
    outcomes = await channel.deliver(mails(3))
    assert outcomes[0] == Accepted(provider_id="first")
    assert [type(outcome) for outcome in outcomes] == [Accepted] * 3
    assert sending.asked[0] == sending.asked[1]


async def test_one_address_never_stands_twice_in_a_batch(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.batch_max = 9
    envelopes = mails(4)
    envelopes[2] = attrs.evolve(envelopes[2], to=envelopes[0].to)
    await channel.deliver(envelopes)
    assert sending.messages == [["m0", "m1", "m3"], ["m2"]]


async def test_a_batch_has_one_sender(channel: ProviderChannel, sending: FakeSending) -> None:
    sending.batch_max = 9
    envelopes = mails(4)
    envelopes[1] = attrs.evolve(envelopes[1], sender=Sender(id="other", address="b@example.com"))
    await channel.deliver(envelopes)
    assert sending.messages == [["m0", "m2", "m3"], ["m1"]]


@given(st.lists(st.text(min_size=1, max_size=4), min_size=2, max_size=5, unique=True))
def test_batch_keys_depend_on_every_key_and_their_order(names: list[str]) -> None:
    batch = [attrs.evolve(email_envelope(0), message=MessageId(name)) for name in names]
    keys = {batch_key(batch), batch_key(batch[::-1]), batch_key(batch[:-1]), batch_key(batch[1:])}
    assert len(keys) == (3 if len(names) == 2 and batch[:-1] == batch[1:] else 4)
    assert batch_key(batch) == batch_key(list(batch))
    assert batch_key(batch[:1]) == batch[0].key


@given(st.lists(st.sampled_from("abcdefgh"), max_size=20), st.integers(1, 4), st.integers(1, 4))
def test_any_mix_of_addresses_gives_each_envelope_one_send_in_order(
    addresses: list[str], size: int, parallel: int
) -> None:
    sending = FakeSending(batch_max=size)
    envelopes = [
        attrs.evolve(email_envelope(number), to=Address(f"{name}@example.org"))
        for number, name in enumerate(addresses)
    ]
    outcomes = asyncio.run(ProviderChannel(sending, parallel=parallel).deliver(envelopes))
    assert outcomes == taken(envelopes)
    for name in set(addresses):
        sent = [e.message for batch, _ in sending.asked for e in batch if e.to.value.startswith(name)]
        assert sent == [e.message for e in envelopes if e.to.value.startswith(name)]
    assert all(len(batch) <= size for batch, _ in sending.asked)


async def test_batches_go_side_by_side_up_to_the_limit(sending: FakeSending) -> None:
    running, most = 0, 0

    class Counting(FakeSending):
        async def send(self, batch: Batch, context: SendContext) -> Sequence[Outcome]:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            return taken(batch)

    await ProviderChannel(Counting(), parallel=3).deliver(mails(10))
    assert most == 3


# -- the rest


async def test_checks_come_before_the_first_byte(channel: ProviderChannel, sending: FakeSending) -> None:
    promo = attrs.evolve(email_envelope(0), kind=MessageKind.PROMO)
    html = attrs.evolve(email_envelope(1), content=EmailContent(subject="s", html="<b>b</b>"))
    first, second = await channel.deliver([promo, html])
    assert first == Rejected(
        reason="the channel cannot do promo messages without an unsubscribe link", code="unsupported"
    )
    assert second == Rejected(reason="the channel cannot do html text", code="unsupported")
    assert sending.asked == []


async def test_context_holds_the_moment_of_the_first_attempt(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.script = [later()]
    await channel.deliver(mails(1))
    assert [context.now for _, context in sending.asked] == [AT, AT]


async def test_cancelled_delivery_stops(time: FakeTime) -> None:
    class Hangs(FakeSending):
        async def send(self, batch: Batch, context: SendContext) -> Sequence[Outcome]:
            self.asked.append((batch, context))
            await asyncio.Event().wait()
            return []

    sending = Hangs()
    task = asyncio.create_task(ProviderChannel(sending, parallel=2, pace=time.pace).deliver(mails(5)))
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(sending.asked) == 2


async def test_closing_closes_the_provider(channel: ProviderChannel, sending: FakeSending) -> None:
    await channel.aclose()
    assert sending.closed == 1


def test_no_batch_at_a_time_is_refused(sending: FakeSending) -> None:
    with pytest.raises(ConfigError, match="parallel"):
        ProviderChannel(sending, parallel=0)
