"""The application's handle: facts in, messages out, and the answer to "why"."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Unpack

from crmsdk.errors import DuplicateEvent, InputError, UnknownName
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import Task
from crmsdk.journeys.programs import Programs
from crmsdk.journeys.stimuli import Answered, Consented, Entered, Held, Resumed, Stopped
from crmsdk.model.catalog import named_properties
from crmsdk.model.changing import with_changes
from crmsdk.model.consent import ANY, ConsentState, ConsentWrite, state_of
from crmsdk.model.customer import Customer, Identifier, IdentifierKind
from crmsdk.model.ids import AccountId, CustomerId, EventId, MessageId
from crmsdk.model.inputs import Alias, Group, Identify, Track
from crmsdk.model.inputs import Input as News
from crmsdk.model.message import DeliveryEvent
from crmsdk.model.moment import to_moment
from crmsdk.model.values import EMPTY, properties, text
from crmsdk.ports import Store
from crmsdk.runtime._opened import Opened
from crmsdk.runtime.advanced import Advanced
from crmsdk.runtime.finding import find_customer, find_person, known_journey, named, with_colleagues
from crmsdk.runtime.importing import import_rows
from crmsdk.runtime.intake import Refused
from crmsdk.runtime.opening import parts_of
from crmsdk.runtime.options import ByHand, Options, Shown, known_options, settled
from crmsdk.runtime.reporting import clicked_off, inputs_of, report_id
from crmsdk.runtime.sending import Preview, check_filled, check_template, hand_made, preview
from crmsdk.runtime.telling import Timeline, timeline
from crmsdk.runtime.turning import Taken
from crmsdk.segments.accounts import about_account
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.evaluating import evaluate, evaluate_once
from crmsdk.segments.verdict import Verdict
from crmsdk.wire.report import ImportReport, Row

__all__ = ["Crm"]

_PAGE = 500
_ROUNDS = 10_000  # rounds of one advance; more means that something wakes itself for ever
_POLL = timedelta(seconds=30)


class Crm(Opened):
    """Customers, journeys and messages of one application.

    Open it as an async context manager. Any number of processes may open the same database.

    A person is named by the application's user id (a plain text) or by an ``Identifier``.
    """

    @classmethod
    def open(cls, url: str, **settings: Unpack[Options]) -> "Crm":
        """Open an application's database.

        >>> import asyncio
        >>> async def hello():
        ...     async with Crm.open("memory://", zone="Europe/Moscow") as crm:
        ...         await crm.identify("ann", {"city": "Moscow"})
        ...         return await crm.customer("ann")
        >>> asyncio.run(hello()).id
        'ann'

        Args:
            url: ``sqlite:///crm.db`` (a path), or ``memory://``.
            settings: As in ``crmsdk.runtime.opening.parts_of``: journeys, policy, channels, templates, zone …

        Raises:
            ConfigError: a setting that cannot work, by its name.
            CheckFailed: a journey that cannot run, with all its faults.
        """
        return cls(parts_of(url, **settled(settings)))

    @classmethod
    def over(cls, store: Store, **settings: Unpack[Options]) -> "Crm":
        """Work over a store that is there already, with settings as of ``open``."""
        return cls(parts_of(store, **settled(settings)))

    async def close(self) -> None:
        """Let go of channels and the database; may be repeated."""
        await self._close()

    # ---------------------------------------------------------------------------------- facts in

    async def track(
        self,
        who: str | Identifier,
        event: object,
        values: Mapping[str, object] | None = None,
        *,
        id: str | None = None,
        at: datetime | None = None,
        source: str = "",
    ) -> Taken:
        """Record an event of a person, and let it start, move and end runs.

        Args:
            who: The person; one never seen is made.
            event: An event object, or a name with ``values``.
            values: Properties, when the event is a name.
            id: Names the fact for ever: the same id again changes nothing. Without it every call is a new
                fact, so a retried call is counted twice.
            at: When it happened, aware; if left out the moment of the first call with this id.
            source: Where it came from.

        Raises:
            DuplicateEvent: the id is stored with another body.
            UnknownName, InputError: not as the catalog declares it.
            MergeRefused: the names belong to two identified people.
        """
        name, given = named_properties(event, values)
        now = self._now()
        fact = Track(
            id=EventId(self._fresh_id() if id is None else id),
            identifiers=(named(who),),
            at=now if at is None else to_moment(at, "at"),
            received=now,
            source=source,
            name=name,
            properties=self._parts.checked_event(name, given),
        )
        if id is None or at is not None:
            return await self._one(fact)
        dated = await self._dated(fact)
        try:
            return await self._one(dated)
        except DuplicateEvent:
            again = await self._dated(fact)
            if again == dated:
                raise
            return await self._one(again)  # a twin of this call was stored meanwhile, by another process

    async def identify(
        self,
        who: str | Identifier,
        traits: Mapping[str, object] | None = None,
        *,
        identifiers: Iterable[Identifier] = (),
        email: str | None = None,
        phone: str | None = None,
        anonymous: str | None = None,
        zone: str | None = None,
        locale: str | None = None,
        id: str | None = None,
        at: datetime | None = None,
        source: str = "",
    ) -> Taken:
        """Say who a person is and what is known about them.

        Args:
            who: The person.
            traits: Attributes; None takes one away.
            identifiers, email, phone, anonymous: Further names of the same person. A visitor known by the
                anonymous id joins the person with the whole history.
            zone: IANA zone name.
            locale: BCP 47 tag.
            id, at, source: As in ``track``.

        Raises:
            MergeRefused: two of the names belong to two identified people.
            UnknownZone: the zone data does not hold the zone.
            InputError: not as the catalog declares it.
        """
        more = [
            Identifier(kind, value)
            for kind, value in (
                (IdentifierKind.EMAIL, email),
                (IdentifierKind.PHONE, phone),
                (IdentifierKind.ANONYMOUS, anonymous),
            )
            if value is not None
        ]
        now = self._now()
        return await self._one(
            Identify(
                id=EventId(self._fresh_id() if id is None else id),
                identifiers=(named(who), *identifiers, *more),
                at=now if at is None else to_moment(at, "at"),
                received=now,
                source=source,
                traits=self._parts.checked_traits(traits or {}, source),
                zone=self._parts.checked_zone(zone),
                locale=locale,
            )
        )

    async def put_on_list(
        self,
        who: str | Identifier,
        name: str,
        *,
        id: str | None = None,
        at: datetime | None = None,
        source: str = "",
    ) -> Taken:
        """Put a person on a manual list, which conditions ask for as ``in_list(name)``.

        Membership is a dated fact like any attribute: it is there from its moment on, also a past or a future
        one, and ``take_off_list`` undoes it.

        Args:
            who: The person; one never seen is made.
            name: The list.
            id, at, source: As in ``track``.
        """
        return await self._list(who, name, member=True, id=id, at=at, source=source)

    async def take_off_list(
        self,
        who: str | Identifier,
        name: str,
        *,
        id: str | None = None,
        at: datetime | None = None,
        source: str = "",
    ) -> Taken:
        """Take a person off a manual list; arguments as of ``put_on_list``."""
        return await self._list(who, name, member=False, id=id, at=at, source=source)

    async def _list(
        self,
        who: str | Identifier,
        name: str,
        *,
        member: bool,
        id: str | None,
        at: datetime | None,
        source: str,
    ) -> Taken:
        now = self._now()
        return await self._one(
            Identify(
                id=EventId(self._fresh_id() if id is None else id),
                identifiers=(named(who),),
                at=now if at is None else to_moment(at, "at"),
                received=now,
                source=source,
                lists={name: member},
            )
        )

    async def alias(self, who: str | Identifier, previous: Identifier, *, id: str | None = None) -> Taken:
        """Say that a person was known under another name before.

        Raises:
            MergeRefused: both names belong to identified people.
        """
        now = self._now()
        return await self._one(
            Alias(
                id=EventId(self._fresh_id() if id is None else id),
                identifiers=(named(who),),
                previous=previous,
                at=now,
                received=now,
            )
        )

    async def group(
        self, who: str | Identifier, account: str, traits: Mapping[str, object] | None = None
    ) -> Taken:
        """Say to which organisation a person belongs; its traits become attributes ``account.<name>``."""
        now = self._now()
        return await self._one(
            Group(
                id=EventId(self._fresh_id()),
                identifiers=(named(who),),
                account=AccountId(account),
                traits=properties(traits or {}, "traits"),
                at=now,
                received=now,
            )
        )

    async def ingest(self, news: Iterable[News]) -> Taken:
        """Take a batch of news, as ``crmsdk.wire`` reads them; refused ones are listed, not raised.

        What is not as the catalog declares it is among the refused. History may be taken this way: facts
        older than a trigger's ``max_age`` start nothing.
        """
        refused: list[Refused] = []
        taken = await self._turn().take(self._parts.sifted(news, refused))
        self._news.set()
        return with_changes(taken, refused=(*refused, *taken.refused))

    async def import_rows(self, rows: Iterable[Row]) -> ImportReport:
        """Take the rows of a table that ``crmsdk.wire`` has read, and account for every one of them."""
        report = await import_rows(self._turn(), rows)
        self._news.set()
        return report

    async def consent(
        self,
        who: str | Identifier,
        state: ConsentState | str,
        *,
        channel: str = ANY,
        purpose: str = ANY,
        source: str = "",
        basis: str = "",
        evidence: str = "",
    ) -> None:
        """Record a yes or no of a person, with its evidence."""
        write = ConsentWrite(
            channel=text(channel, "channel"),
            purpose=text(purpose, "purpose"),
            state=state_of(state),
            at=self._now(),
            id=self._fresh_id(),
            basis=text(basis, "basis", empty=True),
            source=text(source, "source", empty=True),
            evidence=text(evidence, "evidence", empty=True),
        )
        await self._command(who, Consented(consent=write))

    async def report(self, events: Iterable[DeliveryEvent]) -> int:
        """Take what providers report: delivered, opened, clicked, unsubscribed …; say how many were new.

        Each becomes an event ``message_<kind>`` of the customer, with the message's journey, step, channel
        and template, so conditions can ask about it. An unsubscribe or complaint withdraws the consent of
        that channel. Reports about unknown messages are left out. An answer is dated after the asking,
        however coarse the provider's clock.
        """
        given = tuple(events)
        for one in given:
            if not isinstance(one, DeliveryEvent):
                raise InputError(f"is {type(one).__name__}; give DeliveryEvent objects", field="events")
        rows = await self._parts.store.messages([one.message for one in given])
        known = {*await self._parts.store.find_events([report_id(one) for one in given])}
        new = 0
        for one, row in zip(given, rows, strict=True):
            if row is not None and report_id(one) not in known:
                known.add(report_id(one))
                await self._turn().command(row.customer, inputs_of(one, row, now=self._now()))
                new += 1
        return new

    async def unsubscribe(self, token: str) -> bool:
        """Take a click on an unsubscribe link by its token, and say whether it is one of ours."""
        return await self.report(clicked_off(self._parts.unsubscribe, token, now=self._now())) > 0

    async def record_contact(
        self,
        who: str | Identifier,
        channel: str,
        *,
        id: str,
        kind: str = "service",
        at: datetime | None = None,
    ) -> bool:
        """Count a contact made elsewhere, as a phone call; False when the id is counted already."""
        customer = await find_customer(self._parts.store, who)
        moment = self._now() if at is None else to_moment(at, "at")
        (new,) = await self._parts.ledger.record(
            [(customer, self._parts.contact(id, channel=channel, kind=kind, at=moment))]
        )
        return new

    # ------------------------------------------------------------------------------- time goes on

    async def advance(self, now: datetime | None = None, *, limit: int = 500) -> Advanced:
        """Do everything that is due: timers, then messages, until nothing is due any more.

        Args:
            now: Only with a clock that can be set (``VirtualClock``): go there first.
            limit: How many people and messages are taken at a time.

        Raises:
            ConfigError: ``now`` is given and the clock cannot be set.
            InputError: ``limit`` is not positive.
            StoreError: the store failed; what was not done is still due.
        """
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise InputError("is not positive; give how many are taken at a time", field="limit")
        if now is not None:
            self._parts.set_clock(now)
        turner, dispatcher = self._turn(), self._dispatch()
        done = Advanced()
        wakeup = None
        for _ in range(_ROUNDS):
            paused = await self._parts.store.paused()
            wakeup = await self._next_wakeup(paused)
            if wakeup is None or wakeup > self._now():
                break
            turned = await turner.tick(limit)
            sent = await dispatcher.round(turner.programs, now=self._now(), paused=paused, limit=limit)
            done = done.plus(turned, sent)
            if not turned and not sent.taken:
                break
        return with_changes(done, next_wakeup=wakeup)

    async def next_wakeup(self) -> datetime | None:
        """Give the moment at which ``advance`` will have work, UTC; None when only facts make any."""
        return await self._next_wakeup(await self._parts.store.paused())

    async def run(self, *, poll: timedelta = _POLL) -> None:
        """Advance for ever, sleeping in between, until ``stop_running``.

        A task that is cancelled instead may leave messages in doubt that were on their way.

        Args:
            poll: The longest sleep, for facts that other processes store.
        """
        self._stopping = False
        while not self._stopping:
            self._news.clear()
            done = await self.advance()
            now = self._now()
            wait = poll if done.next_wakeup is None else min(poll, done.next_wakeup - now)
            seconds = max(wait.total_seconds(), 1.0 if done.turned + done.sent == 0 else 0.0)
            try:
                await asyncio.wait_for(self._news.wait(), timeout=seconds)
            except TimeoutError:
                continue

    def stop_running(self) -> None:
        """Let ``run`` return when the advance in hand is done; where nothing runs, nothing happens."""
        self._stopping = True
        self._news.set()

    # ------------------------------------------------------------------------------------ commands

    async def enter(
        self, who: str | Identifier, journey: str, *, key: str, values: Mapping[str, object] | None = None
    ) -> None:
        """Start a run by hand; the journey needs a ``by_call()`` trigger, the same key starts only one."""
        await self._command(
            who,
            Entered(
                at=self._now(),
                journey=text(journey, "journey"),
                key=text(key, "key"),
                values=EMPTY if values is None else properties(values, "values"),
            ),
        )

    async def stop(self, who: str | Identifier, *, journey: str = "", reason: str = "stopped") -> None:
        """End the runs of one person, of one journey or of all; unsent messages are withdrawn."""
        known_journey(self.programs, journey, empty=True)
        why = text(reason, "reason", empty=True)
        await self._command(who, Stopped(at=self._now(), journey=journey, reason=why))

    async def pause(self, journey: str = "", *, who: str | Identifier | None = None) -> None:
        """Freeze a journey, or the runs of one person; nobody is dropped, nothing is sent."""
        known_journey(self.programs, journey, empty=who is not None)
        if who is not None:
            await self._command(who, Held(at=self._now(), journey=journey))
            return
        await self._parts.store.set_paused(journey, True)

    async def resume(self, journey: str = "", *, who: str | Identifier | None = None) -> None:
        """Let a journey, or the runs of one person, go on; what became due meanwhile follows ``overdue``."""
        known_journey(self.programs, journey, empty=who is not None)
        if who is not None:
            await self._command(who, Resumed(at=self._now(), journey=journey))
            await self._dispatch().bring_forward(await find_customer(self._parts.store, who), self._now())
            return
        await self._parts.store.set_paused(journey, False)
        await self._parts.store.rouse(journey, self._now())
        self._news.set()

    async def tasks(self, *, open_only: bool = True) -> Sequence[Task]:
        """List what people were asked to do, the most urgent first."""
        return await self._parts.store.tasks(open_only=open_only)

    async def complete_task(self, task: str, answer: str = "") -> None:
        """Answer a task; its run goes on, and the answer is an event ``task_answered``.

        Raises:
            UnknownName: there is no such open task.
        """
        text(task, "task")
        text(answer, "answer", empty=True)
        found = [one for one in await self._parts.store.tasks() if one.id == task]
        if not found:
            raise UnknownName("open task", task, mend="crm.tasks() lists those that are open")
        await self._turn().command(
            found[0].customer, [Answered(at=self._now(), task=found[0], answer=answer)]
        )

    async def send(
        self,
        who: str | Identifier,
        template: str,
        via: str | Sequence[str],
        *,
        kind: str,
        key: str,
        seed: bool = False,
        **options: Unpack[ByHand],
    ) -> MessageId:
        """Put one message into the outbox by hand; the policy rules it like any other.

        Args:
            who: The person.
            template, via, kind: As in ``Send``.
            key: Names the message for ever: the same key of a person makes only one.
            seed: It goes to a seed list: marked, and left out of metrics.
            options: As in ``Send``: purpose, sender, topic, campaign, priority, expires, values.

        Returns:
            The message's id.

        Raises:
            UnknownName: nobody of that name, no such template, or no such option.
            InputError: a field of another kind.
            TemplateError: no channel's text can be filled in as things are; the key is free still.
        """
        known_options("crm.send", options, ByHand.__optional_keys__)
        check_template(self._parts.templates, template)
        person = await find_person(self._parts.store, who)
        now, secret = self._now(), self._parts.project.secret
        message = hand_made(
            person.id, template, via, kind=kind, key=key, seed=seed, now=now, secret=secret, **options
        )
        (known,) = await self._parts.store.messages([message.id])
        if known is None:
            check_filled(self._dispatch(), person, message)
            await self._turn().command(message.customer, messages=[message])
            self._news.set()
        return message.id

    # ------------------------------------------------------------------------------------- answers

    async def customer(self, who: str | Identifier) -> Customer:
        """Give the current view of a person.

        Raises:
            UnknownName: nobody of that name.
        """
        return (await find_person(self._parts.store, who)).profile(self._now())

    async def customers(self) -> Sequence[CustomerId]:
        """List all customers, in text order."""
        out: list[CustomerId] = []
        after = None
        while page := await self._parts.store.customers(after=after, limit=_PAGE):
            out.extend(page)
            after = page[-1]
        return out

    async def timeline(self, who: str | Identifier) -> Timeline:
        """Give everything about a person in order: events, decisions, messages, and why one was not sent."""
        person = await find_person(self._parts.store, who)
        store = self._parts.store
        (notes,), (messages,) = await store.notes_of([person.id]), await store.messages_of([person.id])
        return timeline(person, notes, messages)

    async def explain(
        self, who: str | Identifier, segment: Predicate, *, at: datetime | None = None
    ) -> Verdict:
        """Say whether a person is in a segment, until when, and because of what.

        A question about the people of an account reads everybody whole who was ever in it, and asks those
        who are in it from ``at`` on: the cost grows with the account and with the histories of its people.

        Raises:
            UnknownName: nobody of that name.
            DefinitionError: it asks what the catalog does not know.
        """
        asked = self._parts.question(segment)
        moment = self._now() if at is None else to_moment(at, "at")
        facts = (await find_person(self._parts.store, who)).facts
        zone = self._parts.project.zone
        if about_account(asked):
            facts = await with_colleagues(self._parts.store, facts, moment)
            return evaluate_once(asked, facts, moment, zone=zone)
        return evaluate(asked, facts, moment, zone=zone)

    async def preview(
        self,
        template: str,
        who: str | Identifier,
        via: str | Sequence[str],
        *,
        kind: str = "promo",
        **options: Unpack[Shown],
    ) -> Preview:
        """Show the final text for a person, warnings, and what the policy would decide; nothing is sent."""
        known_options("crm.preview", options, Shown.__optional_keys__)
        person = await find_person(self._parts.store, who)
        return await preview(self._dispatch(), person, template, via, kind=kind, now=self._now(), **options)

    @property
    def programs(self) -> Programs:
        """The journeys in force, compiled."""
        return self._turn().programs

    @property
    def journeys(self) -> Sequence[Journey]:
        """The journeys in force."""
        return self._parts.journeys
