"""The runner: carries envelopes through one provider and gives an honest outcome for each.

It checks capabilities, makes batches, repeats what may be repeated, keeps closed gates closed, and turns
whatever a provider's code raises into an outcome. Adapters hold none of this.
"""

import asyncio
import hashlib
import logging
from collections.abc import Hashable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from traceback import walk_tb
from typing import Any, Final, TypeAlias, cast

from typing_extensions import override

from crmsdk.channels._gates import Gates
from crmsdk.channels._retry import repeat
from crmsdk.channels.checks import UNSUPPORTED, check_envelope, refused
from crmsdk.channels.pacing import Pace, RetryPolicy
from crmsdk.errors import AuthError, ConfigError, PermanentError, TransientError, UnsupportedFeature
from crmsdk.model.address import Address, address_in
from crmsdk.model.content import Content, Envelope
from crmsdk.model.customer import Customer
from crmsdk.model.message import Accepted, Ambiguous, Deferred, Outcome, Rejected, Scope
from crmsdk.model.provider import Capabilities, Idempotency, SendContext
from crmsdk.ports import Channel, Sending

__all__ = ["ProviderChannel", "batch_key"]

Batch: TypeAlias = Sequence[Envelope[Any]]

_LOG: Final = logging.getLogger("crmsdk.channels")
_LOG.addHandler(logging.NullHandler())
_OUTCOMES: Final = (Accepted, Rejected, Deferred, Ambiguous)


def batch_key(batch: Batch) -> str:
    """Give the idempotency key of a batch.

    Returns:
        Of one envelope its own key; of more, 64 hexadecimal digits that depend on all keys and their order.
    """
    if len(batch) == 1:
        return batch[0].key
    whole = hashlib.sha256()
    for envelope in batch:
        raw = envelope.key.encode()
        whole.update(len(raw).to_bytes(4, "big") + raw)
    return whole.hexdigest()


class ProviderChannel(Channel):
    """A channel over one provider.

    Args:
        sending: Talks to the provider.
        retry: How failures are repeated within one call.
        parallel: How many batches are on their way at a time.
        pace: Time and chance.
    """

    def __init__(
        self,
        sending: Sending[Any],
        *,
        retry: RetryPolicy | None = None,
        parallel: int = 8,
        pace: Pace | None = None,
    ) -> None:
        if parallel < 1:
            raise ConfigError("parallel is below 1; give the number of batches on their way at a time")
        self._sending = sending
        self._retry = retry or RetryPolicy()
        self._parallel = parallel
        self._pace = pace or Pace()
        self._gates = Gates(self._pace.elapsed)

    @property
    @override
    def name(self) -> str:
        return self._sending.name

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._sending.capabilities

    @override
    def address_of(self, customer: Customer) -> Address | None:
        return address_in(customer, self._sending.capabilities.address)

    @override
    def check(self, envelope: Envelope[Content]) -> None:
        check_envelope(self._sending.name, self._sending.capabilities, envelope)

    @override
    async def aclose(self) -> None:
        await self._sending.aclose()

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        run = _Run(envelopes)
        ready = [place for place, envelope in enumerate(envelopes) if self._fits(envelope, place, run)]
        for batches in self._rounds(envelopes, ready):
            if run.stopped is None:
                await self._carry_all(batches, run)
        return run.results()

    def _fits(self, envelope: Envelope[Content], place: int, run: "_Run") -> bool:
        try:
            self.check(envelope)
        except UnsupportedFeature as error:
            run.outcomes[place] = refused(error)
        except Exception as error:  # noqa: BLE001 - one faulty content must not stop the others
            self._report("content", error)
            reason = f"the content raised {type(error).__name__}"
            run.outcomes[place] = Rejected(reason=reason, code=UNSUPPORTED)
        return run.outcomes[place] is None

    def _rounds(self, envelopes: Batch, ready: Sequence[int]) -> Iterator[list[list[int]]]:
        """Split places into rounds, the second envelope to an address in the second, and those into batches.

        A batch has one sender, so that a closed gate concerns all of it or none.
        """
        if len(ready) == 1:
            yield [list(ready)]
            return
        seen: dict[Address, int] = {}
        rounds: list[dict[Hashable, list[int]]] = []
        for place in ready:
            to = envelopes[place].to
            number = seen[to] = seen.get(to, -1) + 1
            if number == len(rounds):
                rounds.append({})
            rounds[number].setdefault(envelopes[place].sender, []).append(place)
        size = self.capabilities.batch_max
        for by_sender in rounds:
            yield [
                places[start : start + size]
                for places in by_sender.values()
                for start in range(0, len(places), size)
            ]

    async def _carry_all(self, batches: Sequence[Sequence[int]], run: "_Run") -> None:
        waiting = iter(batches)

        async def work() -> None:
            for places in waiting:
                if run.stopped is not None:
                    return
                await self._carry(places, run)

        workers = min(self._parallel, len(batches))
        if workers == 1:
            # No task: a channel in memory runs without an event loop.
            await work()
            return
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())

    async def _carry(self, places: Sequence[int], run: "_Run") -> None:
        """Send one batch, and again as often as is allowed and of use."""
        sent = places
        pause: timedelta | None = None

        async def attempt() -> None:
            nonlocal sent, pause
            sent = self._again(sent, run)
            answers = await self._attempt([run.envelopes[place] for place in sent], run)
            for place, answer in zip(sent, answers, strict=True):
                run.settle(place, answer)
            asked = [
                answer.retry_after
                for place, answer in zip(sent, answers, strict=True)
                if isinstance(answer, Deferred)
                and answer.retry_after
                and self._repeatable(run.outcomes[place])
            ]
            pause = max(asked, default=None)

        def wanted(_: None) -> bool:
            if run.stopped is not None or (pause is not None and pause > self._retry.longest_wait):
                return False
            return any(self._repeatable(run.outcomes[place]) for place in sent)

        await attempt()
        if wanted(None):
            await repeat(
                None, attempt, wanted=wanted, asked=lambda _: pause, policy=self._retry, pace=self._pace
            )

    def _again(self, sent: Sequence[int], run: "_Run") -> Sequence[int]:
        """Choose what of a batch goes out next.

        A batch in doubt goes out unchanged, so that key and bytes are the same; of any other, what was
        certainly not taken.
        """
        if any(isinstance(run.outcomes[place], Ambiguous) for place in sent):
            return sent
        return [place for place in sent if self._repeatable(run.outcomes[place])]

    def _repeatable(self, outcome: Outcome | None) -> bool:
        match outcome:
            case Deferred(retry_after=asked):
                return asked is None or asked <= self._retry.longest_wait
            case Ambiguous():
                return self.capabilities.idempotency is Idempotency.KEY
            case _:
                return outcome is None

    async def _attempt(self, batch: Batch, run: "_Run") -> Sequence[Outcome | None]:
        if closed := await self._closed(batch):
            return [closed] * len(batch)
        outcomes = await self._ask(batch, run)
        for envelope, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Deferred) and outcome.scope is not Scope.RECIPIENT:
                self._gates.close(envelope, outcome, least=self._retry.first_wait)
        return outcomes

    async def _closed(self, batch: Batch) -> Deferred | None:
        """Wait for a gate that opens soon; give the reason for one that does not."""
        for _ in range(self._retry.attempts):
            closed = self._gates.closed(batch)
            if closed is None or closed.retry_after is None or closed.retry_after > self._retry.longest_wait:
                return closed
            await self._pace.sleep(closed.retry_after.total_seconds())
        return self._gates.closed(batch)

    async def _ask(self, batch: Batch, run: "_Run") -> Sequence[Outcome | None]:
        """Call the provider's code once; whatever it does, one outcome an envelope comes back.

        None stands for an envelope that was not sent because the run has stopped.
        """
        if run.stopped is not None:
            return [None] * len(batch)
        context = run.context(batch, self._pace)
        try:
            outcomes = await self._sending.send(batch, context)
        except (AuthError, ConfigError) as error:
            run.stopped = run.stopped or error
            return [None] * len(batch)
        except (UnsupportedFeature, PermanentError) as error:
            if len(batch) > 1:  # nothing was taken: find out whose fault it is
                return [outcome for envelope in batch for outcome in await self._ask([envelope], run)]
            if isinstance(error, UnsupportedFeature):
                return [refused(error)]
            self._report("provider", error)
            return [Rejected(reason="the provider will never take it", code="permanent")]
        except TransientError as error:
            reason = "the provider cannot take it now"
            return [Deferred(reason=reason, retry_after=error.retry_after)] * len(batch)
        except Exception as error:  # noqa: BLE001 - a fault in a provider's code must not lose a message
            self._report("provider", error)
            return [Ambiguous(reason=f"the channel raised {type(error).__name__}")] * len(batch)
        if not _one_each(outcomes, len(batch)):
            _LOG.warning(
                "channel %s: %d messages, and its provider gave %s; it must be a list of one outcome each",
                self.name,
                len(batch),
                len(outcomes) if isinstance(outcomes, Sequence) else type(outcomes).__name__,
            )
            return [Ambiguous(reason="the channel gave no outcome for each message")] * len(batch)
        return outcomes

    def _report(self, what: str, error: Exception) -> None:
        # Only kind and place: the text of a foreign error may hold an address or a token.
        frames = [(Path(frame.f_code.co_filename).name, line) for frame, line in walk_tb(error.__traceback__)]
        place = " > ".join(f"{name}:{line}" for name, line in frames[1:] or frames)
        _LOG.warning("channel %s: its %s raised %s at %s", self.name, what, type(error).__name__, place)


def _one_each(given: object, count: int) -> bool:
    """Say whether a provider's code kept to its port; a forgotten ``return`` gives None."""
    return (
        isinstance(given, Sequence)
        and len(given) == count
        and all(isinstance(outcome, _OUTCOMES) for outcome in given)
    )


class _Run:
    """What one call of ``deliver`` knows so far."""

    def __init__(self, envelopes: Batch) -> None:
        self.envelopes = envelopes
        self.outcomes: list[Outcome | None] = [None] * len(envelopes)
        self.stopped: AuthError | ConfigError | None = None
        self._contexts: dict[str, SendContext] = {}

    def context(self, batch: Batch, pace: Pace) -> SendContext:
        """Give the context of a batch, the same at every attempt."""
        key = batch_key(batch)
        if key not in self._contexts:
            self._contexts[key] = SendContext(key=key, now=pace.now())
        return self._contexts[key]

    def settle(self, place: int, outcome: Outcome | None) -> None:
        """Take in the outcome of one more attempt.

        What is final stays. After an ambiguous attempt only a definite answer counts: that a later attempt
        certainly failed says nothing about the earlier one.
        """
        before = self.outcomes[place]
        if isinstance(before, Accepted | Rejected) or outcome is None:
            return
        if isinstance(before, Ambiguous) and isinstance(outcome, Deferred):
            return
        self.outcomes[place] = outcome

    def results(self) -> Sequence[Outcome]:
        """Give all outcomes, or raise what stopped the run before anything was handed over."""
        handed_over = any(isinstance(outcome, Accepted | Ambiguous) for outcome in self.outcomes)
        if self.stopped is not None:
            if not handed_over:
                raise self.stopped
            left = Deferred(reason=f"stopped by {type(self.stopped).__name__}", scope=Scope.ACCOUNT)
            return [left if outcome is None else outcome for outcome in self.outcomes]
        return cast("list[Outcome]", self.outcomes)
