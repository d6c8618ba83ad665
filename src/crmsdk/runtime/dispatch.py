"""The dispatcher: takes what is due from the outbox, asks the policy, renders, hands over, and says so.

One message passes these points, and a crash between any two loses nothing: claimed (a lease in the outbox) →
reserved (a place in the ledger) → marked ``sending`` → handed to the provider → place committed → message
final and run informed, in one commit. A message found ``sending`` with its lease over was in the hands of a
worker that died: with an idempotent provider it is sent again under the same key; without one its fate is
unknown, and the declared choice decides.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import assert_never

import attrs

from crmsdk.errors import AuthError, ConfigError, CrmsdkError, InputError, TemplateError, UnsupportedFeature
from crmsdk.journeys.person import Note, NoteKind, Person
from crmsdk.journeys.programs import Programs
from crmsdk.model.changing import with_changes
from crmsdk.model.content import Content, Envelope
from crmsdk.model.customer import Customer
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.message import (
    Accepted,
    Ambiguous,
    Deferred,
    Message,
    MessageKind,
    MessageState,
    Outcome,
    Rejected,
    Sender,
    Suppress,
)
from crmsdk.model.moment import to_micros
from crmsdk.model.provider import Idempotency
from crmsdk.model.settings import DeliveryMode
from crmsdk.model.values import EMPTY, Properties
from crmsdk.policy.answer import Decision, Lease, Reason, Ruling
from crmsdk.policy.record import ContactState, Suppression
from crmsdk.ports import Channel, Ledger, Store, TemplateEngine
from crmsdk.runtime.limiter import ContactLimiter
from crmsdk.runtime.logs import logger
from crmsdk.runtime.modes import Gate
from crmsdk.runtime.reaching import address_hash, contact_facts, contact_request, template_values
from crmsdk.runtime.settling import Ended, message_note, settle_ends
from crmsdk.segments.grammar import Predicate

__all__ = ["LEASE", "Dispatched", "Dispatcher"]

LEASE = timedelta(minutes=15)
"""How long one worker holds a message: longer than the slowest provider may take over one call."""

_MOST = 1_000  # what the limiter decides about at a time
_BACKOFF = timedelta(minutes=1)
_BACKOFF_MAX = timedelta(hours=1)
_RECHECK = timedelta(minutes=1)
_HELD = timedelta(hours=1)  # a resume brings the message forward, so this is only how often it is looked at

PAUSED = "paused"
"""Why a message waits whose run an operator has paused for its person."""


@attrs.frozen(kw_only=True)
class Dispatched:
    """What one round of the dispatcher did, in numbers of messages."""

    taken: int = 0
    sent: int = 0
    deferred: int = 0
    refused: int = 0
    retried: int = 0
    in_doubt: int = 0
    failures: tuple[str, ...] = ()


@attrs.frozen
class _Ready:
    """A message that may go out now."""

    message: Message
    envelope: Envelope[Content]
    lease: Lease


@attrs.define
class Dispatcher:
    """Empties the outbox as far as the policy and the providers allow.

    Attributes:
        store, ledger, limiter, templates, channels: What it works with; channels by name.
        senders: By id; the first one is the default.
        gate: Delivery mode and allowlist.
        secret: Key under which addresses are hashed.
        active: Who counts as active; None when there is no source of activity.
        zone: IANA zone of people whose zone is unknown.
        links: Makes per-person links for templates, as ``unsubscribe_url``.
        at_least_once: Kinds that are sent again when nobody knows whether they left.
        worker: Name of this process among others.
    """

    store: Store
    ledger: Ledger
    limiter: ContactLimiter
    templates: TemplateEngine
    channels: Mapping[str, Channel]
    senders: Mapping[str, Sender]
    gate: Gate
    secret: bytes = attrs.field(repr=False)
    active: Predicate | None
    zone: str
    links: Callable[[Message, Person], Mapping[str, str]]
    at_least_once: frozenset[MessageKind]
    worker: str

    async def round(
        self, programs: Programs, *, now: datetime, paused: frozenset[str], limit: int = 200
    ) -> Dispatched:
        """Work on messages that are due at ``now``, at most ``limit`` of them.

        Args:
            programs: The journeys, to tell runs what became of their messages.
            now: UTC.
            paused: Names of journeys whose messages stay where they are.
            limit: How many messages.
        """
        if self.gate.mode is DeliveryMode.OFF:
            return Dispatched()
        claimed = await self.store.claim(
            now, limit=min(limit, _MOST), worker=self.worker, lease=now + LEASE, paused=paused
        )
        if not claimed:
            return Dispatched()
        work = _Round(self, now)
        ready = await work.prepare(claimed)
        await work.deliver(ready)
        await settle_ends(
            self.store,
            programs,
            work.ends,
            known=work.told_nothing_else(),
            now=now,
            paused=paused,
            worker=self.worker,
        )
        return Dispatched(
            taken=len(claimed),
            sent=work.count(MessageState.SENT),
            refused=work.count(MessageState.REFUSED),
            in_doubt=work.count(MessageState.IN_DOUBT),
            deferred=work.deferred,
            retried=work.retried,
            failures=tuple(work.failures),
        )

    async def bring_forward(self, customer: CustomerId, now: datetime) -> None:
        """Try messages again that waited because their runs were paused."""
        (messages,) = await self.store.messages_of([customer])
        held = [
            with_changes(message, not_before=now)
            for message in messages
            if message.state is MessageState.PENDING and message.reason == PAUSED and message.lease is None
        ]
        await self.store.settle(held, worker=self.worker)


class _Round:
    """The state of one round."""

    def __init__(self, dispatcher: Dispatcher, now: datetime) -> None:
        self.of = dispatcher
        self.now = now
        self.ends: list[Ended] = []
        self.failures: list[str] = []
        self.deferred = 0
        self.retried = 0
        self.profiles: dict[CustomerId, Customer] = {}
        self.people: dict[CustomerId, Person] = {}
        self.marked: set[MessageId] = set()
        self._freed: list[Lease] = []
        self._rows: list[Message] = []
        self._notes: dict[MessageId, list[Note]] = {}

    def count(self, state: MessageState) -> int:
        return sum(end.message.state is state for end in self.ends)

    def told_nothing_else(self) -> Mapping[CustomerId, Person]:
        """Give people as they were read, whose ends are all of messages marked and sent in this round.

        An end that another worker writes meanwhile is a write of its person. So if the person is still as it
        was read before the message was marked, no end was written, and none need be looked for.
        """
        others = {
            end.message.customer
            for end in self.ends
            if end.message.state is not MessageState.SENT or end.message.id not in self.marked
        }
        return {id: person for id, person in self.people.items() if id not in others}

    # ------------------------------------------------------------------- from claimed to ready to send

    async def prepare(self, claimed: Sequence[Message]) -> list[_Ready]:
        customers = list(dict.fromkeys(message.customer for message in claimed))
        people = self.people
        people.update(
            (person.id, person) for person in await self.of.store.load(customers) if person is not None
        )
        asking: list[tuple[Message, Person]] = []
        for message in claimed:
            person = people.get(message.customer)
            if person is None:
                self._free(message, self.now + _RECHECK)  # absorbed this very moment; its new owner follows
            elif message.state is MessageState.PENDING and _held(message, person):
                self._free(message, self.now + _HELD, PAUSED)
            elif not await self._lost(message):
                asking.append((message, person))
        decisions = await self._decisions(asking)
        ready = []
        for (message, person), decision in zip(asking, decisions, strict=True):
            one = await self._act_on(message, person, decision)
            if one is not None:
                ready.append(one)
        return await self._mark(ready)

    async def _mark(self, ready: Sequence[_Ready]) -> list[_Ready]:
        """Mark messages as being sent, all at once; those withdrawn meanwhile, as their run ended, stay."""
        for one in ready:
            self._write_back(one.message)
        written = await self._settle()
        self.marked = {one.message.id for one in ready} & written
        self._freed += [one.lease for one in ready if one.message.id not in self.marked]
        await self._let_go()
        return [one for one in ready if one.message.id in self.marked]

    async def _decisions(self, asking: Sequence[tuple[Message, Person]]) -> Sequence[Decision | None]:
        """Ask the policy about all of them at once; None for one that no channel here can carry."""
        of = self.of
        known = [self._channels(message) for message, _ in asking]
        wanted: defaultdict[CustomerId, set[str]] = defaultdict(set)
        for (_, person), names in zip(asking, known, strict=True):
            wanted[person.id].update(names)
        facts = {
            person.id: contact_facts(
                person,
                self._profile(person),
                {name: channel for name, channel in of.channels.items() if name in wanted[person.id]},
                now=self.now,
                secret=of.secret,
                active=of.active,
                zone=of.zone,
                broken=self._broken,
            )
            for person in {person.id: person for _, person in asking}.values()
        }
        requests = [
            (contact_request(message, person, names), facts[person.id]) if names else None
            for (message, person), names in zip(asking, known, strict=True)
        ]
        answers = iter(await of.limiter.reserve_many([one for one in requests if one], now=self.now))
        return [next(answers) if one else None for one in requests]

    def _profile(self, person: Person) -> Customer:
        """Give the view of a person, made once a round."""
        found = self.profiles.get(person.id)
        if found is None:
            found = self.profiles[person.id] = person.profile(self.now)
        return found

    def _channels(self, message: Message) -> tuple[str, ...]:
        """Name the channels that may carry a message; once it is being sent only its own."""
        if message.state is MessageState.SENDING:
            return (message.channel,)
        return tuple(name for name in message.channels if name in self.of.channels)

    async def _lost(self, message: Message) -> bool:
        """Settle a message whose worker died while sending it, where it must not be sent again."""
        if message.state is not MessageState.SENDING:
            return False
        if await self._told_sent(message):  # it died after the provider's answer
            return True
        channel = self.of.channels.get(message.channel)
        again = channel is not None and (
            channel.capabilities.idempotency is Idempotency.KEY or message.kind in self.of.at_least_once
        )
        if not again:
            self._end(message, MessageState.IN_DOUBT, NoteKind.IN_DOUBT, "the worker died while sending")
        return not again

    async def _told_sent(self, message: Message) -> bool:
        """Settle a message that the ledger knows as sent."""
        contacts = await self.of.ledger.entries(message.customer, since=to_micros(message.due))
        for one in contacts:
            if one.message_id == message.id and one.state is ContactState.SENT:
                self._end(with_changes(message, channel=one.channel), MessageState.SENT, NoteKind.SENT)
                return True
        return False

    async def _act_on(self, message: Message, person: Person, decision: Decision | None) -> _Ready | None:
        if decision is None:
            self._refuse(message, f"no channel {' or '.join(message.channels)} is configured")
            return None
        match decision.outcome:
            case Ruling.ALLOW:
                return self._open(message, person, decision)
            case Ruling.DEFER:
                self._defer(message, decision)
                return None
            case Ruling.REFUSE:
                # Another worker took it over and was quicker: it is sent, not refused.
                if decision.reason is not Reason.DUPLICATE or not await self._told_sent(message):
                    self._give_up(message, str(decision.reason or "refused"), _blocked(decision))
                return None
            case _:
                assert_never(decision.outcome)

    def _open(self, message: Message, person: Person, decision: Decision) -> _Ready | None:
        lease = decision.lease
        assert lease is not None  # noqa: S101 - an allow always holds a place
        try:
            envelope, digest = self._envelope(message, person, decision.channel)
        except (TemplateError, UnsupportedFeature, InputError) as error:
            self._close(message, lease, f"{type(error).__name__}: {error}")
            return None
        except Exception as error:  # noqa: BLE001 - a stranger's channel or engine; the others must go out
            self._broken(decision.channel, error)
            self._close(message, lease, f"{type(error).__name__} while the message was made")
            return None
        barred = self.of.gate.bars(envelope.to)
        if barred:
            self._close(message, lease, barred)
            return None
        sending = with_changes(
            message,
            state=MessageState.SENDING,
            channel=decision.channel,
            content=digest,
            attempts=message.attempts + 1,
            reason="",
        )
        return _Ready(sending, envelope, lease)

    def _close(self, message: Message, lease: Lease, reason: str) -> None:
        """Give a message up that has a place; the place of one that was on its way before stays counted."""
        if message.state is not MessageState.SENDING:
            self._freed.append(lease)
        self._give_up(message, reason)

    def _envelope(self, message: Message, person: Person, name: str) -> tuple[Envelope[Content], str]:
        channel = self.of.channels[name]
        profile = self._profile(person)
        values = template_values(profile, message, self.of.links(message, person))
        rendered = self.of.templates.render(
            message.template, name, locale=person.locale, values=values, kind=message.kind
        )
        address = channel.address_of(profile)
        if address is None:
            raise UnsupportedFeature(name, "reaching this customer")
        envelope: Envelope[Content] = Envelope(
            message=message.id,
            channel=name,
            to=address,
            content=rendered.content,
            kind=message.kind,
            at=message.due,
            sender=self._sender(message),
            locale=rendered.locale,
            seed=message.seed,
        )
        channel.check(envelope)
        return envelope, rendered.content_hash

    def _sender(self, message: Message) -> Sender | None:
        if message.sender:
            known = self.of.senders.get(message.sender)
            if known is None:  # never under another name than the one asked for
                raise InputError(f"{message.sender!r} is not registered; give it in senders=", field="sender")
            return known
        return next(iter(self.of.senders.values()), None)

    # ------------------------------------------------------------------------------- handing over

    async def deliver(self, ready: Sequence[_Ready]) -> None:
        by_channel: defaultdict[str, list[_Ready]] = defaultdict(list)
        for one in ready:
            by_channel[one.envelope.channel].append(one)
        for name, batch in by_channel.items():
            outcomes = await self._hand_over(name, batch)
            sent = [
                one.lease
                for one, outcome in zip(batch, outcomes, strict=True)
                if isinstance(outcome, Accepted)
            ]
            if sent:
                await self.of.limiter.commit_many(sent)
            stopped = [
                self._suppression(one, outcome.suppress)
                for one, outcome in zip(batch, outcomes, strict=True)
                if isinstance(outcome, Rejected) and outcome.suppress is not None
            ]
            for one, outcome in zip(batch, outcomes, strict=True):
                self._record(one, outcome)
            await self._let_go()
            if stopped:
                await self.of.ledger.suppress(stopped)
            await self._settle()

    async def _hand_over(self, name: str, batch: Sequence[_Ready]) -> Sequence[Outcome]:
        if self.of.gate.mode is DeliveryMode.RECORD:
            return [Accepted(provider_id="recorded")] * len(batch)
        channel = self.of.channels[name]
        try:
            outcomes = tuple(await channel.deliver([one.envelope for one in batch]))
        except (AuthError, ConfigError) as error:
            logger().error("channel stopped", channel=name, error=type(error).__name__)
            self.failures.append(f"channel {name!r}: {error}")
            return [Deferred(reason=type(error).__name__)] * len(batch)
        except CrmsdkError as error:  # of a batch it may have stopped half-way, whatever it says of one
            logger().warning("channel failed", channel=name, error=type(error).__name__)
            return [Ambiguous(reason=type(error).__name__)] * len(batch)
        except Exception as error:  # noqa: BLE001 - a stranger's channel may raise anything, nothing may be lost
            self._broken(name, error)
            return [Ambiguous(reason=f"the channel raised {type(error).__name__}")] * len(batch)
        if len(outcomes) != len(batch):
            logger().error("channel miscounted", channel=name, given=len(batch), told=len(outcomes))
            self.failures.append(f"channel {name!r} gave {len(outcomes)} outcomes for {len(batch)} messages")
            return [Ambiguous(reason="the channel miscounted its outcomes")] * len(batch)
        return [self._understood(name, outcome) for outcome in outcomes]

    def _understood(self, name: str, outcome: object) -> Outcome:
        """Take what is no outcome for an answer that was lost."""
        if isinstance(outcome, Outcome):
            return outcome
        logger().error("channel gave no outcome", channel=name, kind=type(outcome).__name__)
        self.failures.append(f"channel {name!r} gave {type(outcome).__name__} for an outcome")
        return Ambiguous(reason="the channel gave no outcome")

    def _broken(self, name: str, error: Exception) -> None:
        logger().error("channel raised", channel=name, error=type(error).__name__)
        self.failures.append(f"channel {name!r} raised {type(error).__name__}")

    def _record(self, one: _Ready, outcome: Outcome) -> None:
        message, lease = one.message, one.lease
        match outcome:
            case Accepted(provider_id=provider_id):  # its place is committed already
                recorded = self.of.gate.mode is DeliveryMode.RECORD
                self._end(
                    with_changes(message, provider_id=provider_id),
                    MessageState.SENT,
                    NoteKind.SENT,
                    data={"recorded": True} if recorded else EMPTY,
                )
            case Rejected(reason=reason):
                self._freed.append(lease)
                self._refuse(message, reason)
            case Deferred(reason=reason, retry_after=retry_after):
                self._freed.append(lease)
                self._retry(message, reason, retry_after)
            case Ambiguous(reason=reason):
                self._doubt(message, reason)
            case _:
                assert_never(outcome)

    def _suppression(self, one: _Ready, what: Suppress) -> Suppression:
        """Stop the address for good; a refusal by the person stops the person on this channel."""
        channel, at = one.message.channel, to_micros(self.now)
        if what in (Suppress.OPT_OUT, Suppress.COMPLAINT):
            return Suppression(customer=one.message.customer, channel=channel, reason=str(what), at=at)
        hashed = address_hash(self.of.secret, channel, one.envelope.to)
        return Suppression(address=hashed, channel=channel, reason=str(what), at=at)

    def _retry(self, message: Message, reason: str, retry_after: timedelta | None) -> None:
        backoff = min(_BACKOFF * 2 ** min(message.attempts - 1, 10), _BACKOFF_MAX)
        wait = max(retry_after or timedelta(0), backoff)
        if wait >= message.expires - self.now:
            self._refuse(message, f"expired while waiting: {reason}")
            return
        at = self.now + wait
        self.retried += 1
        waiting = with_changes(
            message, state=MessageState.PENDING, not_before=at, lease=None, worker="", reason=reason
        )
        self._write_back(waiting, message_note(message, NoteKind.RETRY, self.now, reason))

    def _doubt(self, message: Message, reason: str) -> None:
        channel = self.of.channels[message.channel]
        idempotent = channel.capabilities.idempotency is Idempotency.KEY
        if not idempotent and message.kind not in self.of.at_least_once:
            self._end(with_changes(message, reason=reason), MessageState.IN_DOUBT, NoteKind.IN_DOUBT, reason)
            return
        self.retried += 1
        # It stays `sending` and counted until its lease is over; then it is sent again under the same key.
        self._write_back(
            with_changes(message, reason=reason), message_note(message, NoteKind.RETRY, self.now, reason)
        )

    # ------------------------------------------------------------------------------------- ends

    def _end(
        self, message: Message, state: MessageState, kind: NoteKind, text: str = "", data: Properties = EMPTY
    ) -> None:
        final = with_changes(message, state=state, lease=None, worker="", reason=text)
        self.ends.append(Ended(final, message_note(message, kind, self.now, text or message.channel, data)))

    def _refuse(self, message: Message, reason: str, data: Properties = EMPTY) -> None:
        self._end(message, MessageState.REFUSED, NoteKind.REFUSED, reason, data)

    def _give_up(self, message: Message, reason: str, data: Properties = EMPTY) -> None:
        """Refuse a message before it is handed over; one that was on its way before may have arrived."""
        if message.state is MessageState.SENDING:
            self._end(message, MessageState.IN_DOUBT, NoteKind.IN_DOUBT, f"not sent again: {reason}", data)
        else:
            self._refuse(message, reason, data)

    def _defer(self, message: Message, decision: Decision) -> None:
        until = decision.until or self.now + _RECHECK
        reason = str(decision.reason or "")
        self.deferred += 1
        notes = (
            [
                message_note(
                    message, NoteKind.DEFERRED, self.now, reason, {**_blocked(decision), "until": until}
                )
            ]
            if message.reason != reason or message.not_before != until
            else []
        )
        self._write_back(
            with_changes(message, not_before=until, lease=None, worker="", reason=reason), *notes
        )

    def _free(self, message: Message, at: datetime, reason: str = "") -> None:
        freed = with_changes(message, not_before=at, lease=None, worker="", reason=reason or message.reason)
        self._write_back(freed)

    # ------------------------------------------------------------------- what is written in one go

    def _write_back(self, message: Message, *notes: Note) -> None:
        self._rows.append(message)
        self._notes[message.id] = list(notes)

    async def _settle(self) -> set[MessageId]:
        """Write back what is to be written; name the messages that were."""
        rows, notes = self._rows, self._notes
        self._rows, self._notes = [], {}
        written = await self.of.store.settle(rows, worker=self.of.worker, notes=notes) if rows else ()
        return {message.id for message, done in zip(rows, written, strict=True) if done}

    async def _let_go(self) -> None:
        """Free the places of messages that were certainly not sent."""
        freed, self._freed = self._freed, []
        if freed:
            await self.of.limiter.release_many(freed)


def _held(message: Message, person: Person) -> bool:
    return any(run.paused and run.id == message.enrollment for run in person.enrollments)


def _blocked(decision: Decision) -> Properties:
    """Put the rules that held a message back into plain values, for the timeline."""
    return {
        "policy": decision.policy,
        "blocked": tuple(
            {
                "rule": one.rule,
                "reason": str(one.reason),
                "channel": one.channel,
                "limit": one.limit,
                "used": one.used,
                "since": one.since,
                "messages": tuple(one.messages),
                "until": one.until,
            }
            for one in decision.blocked
        ),
    }
