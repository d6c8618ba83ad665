"""The runner: whatever a provider's code does, no message is without an outcome."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import attrs
import pytest

from crmsdk.channels.delivery import ProviderChannel
from crmsdk.errors import AuthError, ConfigError, PermanentError, TransientError, UnsupportedFeature
from crmsdk.model.content import EmailContent
from crmsdk.model.message import Accepted, Ambiguous, Deferred, MessageKind, Outcome, Rejected, Scope
from crmsdk.model.provider import Idempotency
from tests.unit.channels.scripted import Answer, Batch, FakeSending, FakeTime, later, mails, taken

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
    assert "its provider raised KeyError at scripted.py:" in caplog.text
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
