"""The contact limiter: one policy over one shared ledger. The runtime asks it for every send.

It is of use alone, too: in front of any code that sends, in any number of processes.

    >>> import asyncio
    >>> from datetime import UTC, datetime, timedelta
    >>> from crmsdk.ledgers.memory import MemoryLedger
    >>> from crmsdk.policy.request import NOTHING_KNOWN, ContactRequest
    >>> from crmsdk.policy.rules import cap, quiet
    >>> from crmsdk.policy.ruleset import ContactPolicy
    >>> policy = ContactPolicy(cap(1, within=timedelta(days=1), id="daily"), quiet("21:00", "08:00"))
    >>> async def two_offers(noon):
    ...     limiter = ContactLimiter(policy, MemoryLedger(), zone="Europe/Moscow")
    ...     for name in ("first", "second"):
    ...         offer = ContactRequest(message_id=name, customer="ann", channels="email", kind="promo")
    ...         decision = await limiter.reserve(offer, NOTHING_KNOWN, noon)
    ...         if decision.lease is not None:
    ...             print(name, "goes out by", decision.channel)
    ...             await limiter.commit(decision.lease)
    ...         else:
    ...             print(name, decision.reason, "until", decision.until, "by", decision.blocked[0].messages)
    >>> asyncio.run(two_offers(datetime(2026, 3, 2, 12, tzinfo=UTC)))
    first goes out by email
    second capped until 2026-03-03 12:00:00+00:00 by ('first',)
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from crmsdk.errors import ConfigError, InputError, StoreError
from crmsdk.model.changing import with_changes
from crmsdk.model.consent import ANY
from crmsdk.model.ids import CustomerId
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.policy.answer import Decision, Lease, Ruling
from crmsdk.policy.evaluation import Evaluator
from crmsdk.policy.record import Answer, Reserve, Suppression
from crmsdk.policy.request import ContactFacts, ContactRequest
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.ports import Ledger

__all__ = ["ContactLimiter"]

_MICROSECOND: Final = timedelta(microseconds=1)
_BATCH: Final = 1000
_NO_ADDRESSES: Final[dict[str, str]] = {}


class ContactLimiter:
    """Decides about messages and holds their places: reserve, send, then commit or release.

    A sender that dies in between leaves its message in doubt: the place stays taken, and only the same
    message id gets it again.

    Args:
        policy: The rules.
        ledger: Where contacts are counted; every process must use the same one.
        zone: The project's IANA zone: whose clock rules a person of unknown zone.
        lease: How long a place is held for its sender; longer than any single send takes.

    Raises:
        UnknownZone: the zone data does not hold the zone.
        ConfigError: a lease of no length.
    """

    def __init__(
        self, policy: ContactPolicy, ledger: Ledger, *, zone: str, lease: timedelta = timedelta(minutes=5)
    ) -> None:
        if lease < _MICROSECOND:
            raise ConfigError("a lease of no length ends before the send; give the longest time a send takes")
        self._evaluator = Evaluator(policy, zone=zone)
        self._ledger = ledger
        self._lease = lease // _MICROSECOND

    @property
    def policy(self) -> ContactPolicy:
        """The rules."""
        return self._evaluator.policy

    async def reserve(self, request: ContactRequest, facts: ContactFacts, now: datetime) -> Decision:
        """Decide about a message, and take its place in the ledger if it is allowed.

        The first allowed channel in the order of preference is chosen.

        Args:
            request: The message.
            facts: What is known of the person.
            now: The present moment, aware.

        Returns:
            Allow with a lease, defer with the earliest moment to ask again, or refuse with a reason.

        Raises:
            NaiveMoment: ``now`` has no offset.
            UnknownZone: a candidate zone of the person does not exist.
            StoreError: the ledger could not answer; nothing was taken, or it is in doubt after the lease.
        """
        ask = self._ask(request, facts, to_micros(now, "now"))
        if not ask.options:
            return await self._unreserved(ask, facts)
        (answer,) = await self._ledger.reserve((ask,))
        return self._decided(ask, facts, answer)

    async def reserve_many(
        self, requests: Sequence[tuple[ContactRequest, ContactFacts]], now: datetime
    ) -> Sequence[Decision]:
        """Decide about up to 1,000 messages with one call of the ledger, each as ``reserve`` would.

        Messages of one person are decided in the order given, each after those before it.

        Args:
            requests: Messages with the facts of their persons.
            now: The present moment, aware.

        Returns:
            One decision for each, in order.

        Raises:
            InputError: more than 1,000 messages, or as ``reserve``.
            StoreError: as ``reserve``, about all of them.
        """
        if len(requests) > _BATCH:
            raise InputError(
                f"holds {len(requests)} messages; give at most {_BATCH} at a time", field="requests"
            )
        moment = to_micros(now, "now")
        asks = [(self._ask(request, facts, moment), facts) for request, facts in requests]
        open_ = [ask for ask, _ in asks if ask.options]
        answers = iter(await self._ledger.reserve(open_) if open_ else ())
        held_back = [ask for ask, _ in asks if not ask.options]
        standings = iter(await self._ledger.read(held_back) if held_back else ())
        return [
            self._decided(ask, facts, next(answers))
            if ask.options
            else self._evaluator.decide(ask.request, facts, next(standings))
            for ask, facts in asks
        ]

    async def explain(self, request: ContactRequest, facts: ContactFacts, at: datetime) -> Decision:
        """Say what ``reserve`` would decide at a moment, if nothing else happens before; writes nothing.

        Args:
            request: The message.
            facts: What is known of the person.
            at: The moment asked about, aware; later than now shows what will be.

        Raises:
            NaiveMoment: ``at`` has no offset.
            UnknownZone: a candidate zone of the person does not exist.
            StoreError: the ledger could not answer.
        """
        return await self._unreserved(self._ask(request, facts, to_micros(at, "at")), facts)

    async def commit(self, lease: Lease) -> bool:
        """Report the message as sent; false if its place is gone because the person was erased."""
        return (await self.commit_many((lease,)))[0]

    async def commit_many(self, leases: Sequence[Lease]) -> Sequence[bool]:
        """Report up to 1,000 messages as sent."""
        return await self._ledger.commit(leases)

    async def release(self, lease: Lease) -> bool:
        """Free the place of a message that was certainly not sent; false if it is not held any more."""
        return (await self.release_many((lease,)))[0]

    async def release_many(self, leases: Sequence[Lease]) -> Sequence[bool]:
        """Free the places of up to 1,000 messages that were certainly not sent."""
        return await self._ledger.release(leases)

    async def renew(self, lease: Lease, now: datetime) -> Lease | None:
        """Hold the place of a slow send for one more lease from now; None if it is not held any more."""
        return await self._ledger.renew(lease, to_micros(now, "now") + self._lease)

    async def suppress_address(self, address: str, *, reason: str, now: datetime) -> None:
        """Stop every message to an address, whoever's it is, from this moment on.

        Args:
            address: The keyed hash, as in ``ContactFacts.addresses``.
            reason: In a few words, without the address, as ``bounced``.
            now: The present moment, aware.
        """
        await self._ledger.suppress((Suppression(address=address, reason=reason, at=to_micros(now, "now")),))

    async def suppress_customer(
        self,
        customer: CustomerId,
        *,
        channel: str = ANY,
        purpose: str = ANY,
        reason: str,
        now: datetime,
    ) -> None:
        """Stop messages to a person, on one channel or all, for one purpose or all, from this moment on."""
        suppression = Suppression(
            customer=customer, channel=channel, purpose=purpose, reason=reason, at=to_micros(now, "now")
        )
        await self._ledger.suppress((suppression,))

    def _ask(self, request: ContactRequest, facts: ContactFacts, now: int) -> Reserve:
        return Reserve(
            request=request,
            now=now,
            since=now - self._evaluator.looks_back,
            lease=self._lease,
            options=self._evaluator.options(request, facts, now=now),
            addresses=facts.addresses or _NO_ADDRESSES,
        )

    async def _unreserved(self, ask: Reserve, facts: ContactFacts) -> Decision:
        (standing,) = await self._ledger.read((ask,))
        return self._evaluator.decide(ask.request, facts, standing)

    def _decided(self, ask: Reserve, facts: ContactFacts, answer: Answer) -> Decision:
        request, contact = ask.request, answer.contact
        if contact is None:
            decision = self._evaluator.decide(request, facts, answer.standing)
            if decision.allowed:
                raise StoreError(
                    "the ledger refused what the policy allows; run the ledger suite of crmsdk.testing on it"
                )
            return decision
        lease = Lease(
            customer=request.customer,
            message_id=contact.message_id,
            attempt=contact.attempt,
            until=from_micros(contact.lease),
        )
        if contact.channel == request.channels[0]:
            return Decision(
                outcome=Ruling.ALLOW, channel=contact.channel, lease=lease, policy=self._evaluator.hash
            )
        # A channel that is preferred was closed; the decision says by what.
        return with_changes(self._evaluator.decide(request, facts, answer.standing), lease=lease)
