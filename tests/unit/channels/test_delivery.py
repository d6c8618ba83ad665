"""The runner: what it repeats, what it leaves alone, and that no message is without an outcome."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.channels.delivery import ProviderChannel, batch_key
from crmsdk.channels.pacing import Pace, RetryPolicy
from crmsdk.errors import (
    AuthError,
    ConfigError,
    PermanentError,
    TransientError,
    UnsupportedFeature,
)
from crmsdk.model.address import Address, ByIdentifier
from crmsdk.model.content import EmailContent, Envelope
from crmsdk.model.customer import IdentifierKind
from crmsdk.model.ids import MessageId
from crmsdk.model.message import (
    Accepted,
    Ambiguous,
    Deferred,
    MessageKind,
    Outcome,
    Rejected,
    Scope,
    Sender,
)
from crmsdk.model.provider import Capabilities, Idempotency, SendContext
from crmsdk.testing.channel_suite import AT, email_envelope

Batch = Sequence[Envelope[Any]]
Answer = Outcome | Exception | Callable[[Batch], Sequence[Outcome]]


def taken(batch: Batch) -> list[Outcome]:
    return [Accepted(provider_id=envelope.key) for envelope in batch]


@attrs.define
class FakeSending:
    """A provider that plays a script and keeps what it was asked."""

    script: list[Answer] = attrs.Factory(list)
    batch_max: int = 1
    idempotency: Idempotency = Idempotency.NONE
    name: str = "email"
    asked: list[tuple[Batch, SendContext]] = attrs.Factory(list)
    closed: int = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            content=EmailContent,
            address=ByIdentifier(IdentifierKind.EMAIL),
            batch_max=self.batch_max,
            idempotency=self.idempotency,
        )

    async def send(self, batch: Batch, context: SendContext) -> Sequence[Outcome]:
        self.asked.append((list(batch), context))
        await asyncio.sleep(0)
        answer = self.script.pop(0) if self.script else taken
        if isinstance(answer, Exception):
            raise answer
        return answer(batch) if callable(answer) else [answer] * len(batch)

    async def aclose(self) -> None:
        self.closed += 1

    @property
    def messages(self) -> list[list[str]]:
        return [[envelope.message for envelope in batch] for batch, _ in self.asked]


@attrs.define
class FakeTime:
    """A clock that moves by sleeping only."""

    elapsed: float = 0.0
    slept: list[float] = attrs.Factory(list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds
        await asyncio.sleep(0)

    def now(self) -> datetime:
        return AT + timedelta(seconds=self.elapsed)

    @property
    def pace(self) -> Pace:
        return Pace(now=self.now, elapsed=lambda: self.elapsed, sleep=self.sleep, draw=lambda: 1.0)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def sending() -> FakeSending:
    return FakeSending()


@pytest.fixture
def channel(sending: FakeSending, time: FakeTime) -> ProviderChannel:
    return ProviderChannel(sending, pace=time.pace, parallel=1)


def mails(count: int, *, start: int = 0) -> list[Envelope[Any]]:
    return [email_envelope(number) for number in range(start, start + count)]


def later(seconds: float | None = None, scope: Scope = Scope.RECIPIENT) -> Deferred:
    return Deferred(
        reason="later", retry_after=None if seconds is None else timedelta(seconds=seconds), scope=scope
    )


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


# -- a provider's code that misbehaves


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (KeyError("ann@example.org"), Ambiguous(reason="the channel raised KeyError")),
        (RuntimeError(), Ambiguous(reason="the channel raised RuntimeError")),
        (TransientError("busy", retry_after=timedelta(hours=1)), later(3600)),
        (PermanentError("no"), Rejected(reason="the provider will never take it", code="permanent")),
        (
            UnsupportedFeature("email", "stamps"),
            Rejected(reason="the channel cannot do stamps", code="unsupported"),
        ),
    ],
)
async def test_what_it_raises_becomes_the_outcome_of_its_message_only(
    raised: Exception, outcome: Outcome, channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.script = [taken, raised, taken]
    found = await channel.deliver(mails(3))
    assert isinstance(found[0], Accepted)
    assert isinstance(found[2], Accepted)
    if isinstance(outcome, Deferred):
        outcome = attrs.evolve(outcome, reason="the provider cannot take it now")
    assert found[1] == outcome


async def test_t06_a_fault_after_the_provider_s_yes_is_doubt_and_not_failure(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    """Finishing fails after a real send: neither "failed" (sent again) nor "sent" (lost) is true."""

    def accept_then_fail(batch: Batch) -> Sequence[Outcome]:
        message = "finishing failed"
        raise ValueError(message)

    sending.script = [accept_then_fail]
    assert await channel.deliver(mails(1)) == [Ambiguous(reason="the channel raised ValueError")]
    assert len(sending.asked) == 1


@pytest.mark.parametrize("raised", [UnsupportedFeature("email", "stamps"), PermanentError("no")])
async def test_a_batch_refused_as_a_whole_is_taken_apart(
    raised: Exception, channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.batch_max = 3
    sending.script = [raised, taken, raised, taken]
    outcomes = await channel.deliver(mails(3))
    assert [type(outcome) for outcome in outcomes] == [Accepted, Rejected, Accepted]
    assert sending.messages == [["m0", "m1", "m2"], ["m0"], ["m1"], ["m2"]]


@pytest.mark.parametrize("answer", [[], [Accepted()], [Accepted()] * 3, ["sent", "sent"], [None, None], None])
async def test_not_one_outcome_for_each_is_doubt(
    answer: Any, channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.batch_max = 2
    sending.script = [lambda batch: answer]
    outcomes = await channel.deliver(mails(2))
    assert outcomes == [Ambiguous(reason="the channel gave no outcome for each message")] * 2


async def test_a_content_that_raises_stops_nobody(channel: ProviderChannel, sending: FakeSending) -> None:
    class Evil(EmailContent):
        def lacks(self, kind: MessageKind) -> str | None:
            raise KeyError(kind)

    envelopes = mails(2)
    envelopes[0] = attrs.evolve(envelopes[0], content=Evil(subject="s", text="t"))
    first, second = await channel.deliver(envelopes)
    assert first == Rejected(reason="the content raised KeyError", code="unsupported")
    assert isinstance(second, Accepted)


async def test_faults_are_logged_without_their_text(
    channel: ProviderChannel, sending: FakeSending, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sending.script = [KeyError("ann@example.org")]
    await channel.deliver(mails(1))
    assert "its provider raised KeyError at test_delivery.py:" in caplog.text
    assert "ann@example.org" not in caplog.text


# -- what stops a run


@pytest.mark.parametrize("error", [AuthError("refused"), ConfigError("no extra")])
async def test_a_refused_account_is_an_error_when_nothing_left(
    error: Exception, channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.script = [error]
    with pytest.raises(type(error)) as caught:
        await channel.deliver(mails(3))
    assert caught.value is error
    assert len(sending.asked) == 1


@pytest.mark.parametrize("before", [taken, Ambiguous(reason="cut")])
async def test_outcomes_before_a_refused_account_are_not_lost(
    before: Answer, channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.script = [before, AuthError("refused")]
    first, second, third = await channel.deliver(mails(3))
    assert isinstance(first, Accepted | Ambiguous)
    assert second == third == Deferred(reason="stopped by AuthError", scope=Scope.ACCOUNT)
    assert len(sending.asked) == 2
    sending.script = [AuthError("refused")]
    with pytest.raises(AuthError):
        await channel.deliver(mails(2, start=1))


async def test_a_refused_account_stops_side_by_side_batches_too(time: FakeTime) -> None:
    sending = FakeSending(script=[AuthError("refused")] * 50)
    with pytest.raises(AuthError):
        await ProviderChannel(sending, parallel=4, pace=time.pace).deliver(mails(50))
    assert len(sending.asked) <= 4


async def test_a_refused_account_while_repeating_keeps_the_doubt(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.idempotency = Idempotency.KEY
    sending.script = [Ambiguous(reason="cut"), AuthError("refused")]
    assert await channel.deliver(mails(1)) == [Ambiguous(reason="cut")]


async def test_a_refused_account_inside_a_batch_taken_apart_is_asked_once(
    channel: ProviderChannel, sending: FakeSending
) -> None:
    sending.batch_max = 3
    sending.script = [PermanentError("no"), AuthError("refused")]
    with pytest.raises(AuthError):
        await channel.deliver(mails(3))
    assert len(sending.asked) == 2


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
