"""The simulation itself: facts in their order, timers between them, answers woven in."""

import heapq
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Unpack, cast

import attrs
from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel, usual_capabilities
from crmsdk.errors import ConfigError, InputError
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.program import arms_of
from crmsdk.journeys.steps import Send, Step
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.model.address import Address
from crmsdk.model.changing import with_changes
from crmsdk.model.content import Content, Envelope
from crmsdk.model.customer import Customer
from crmsdk.model.ids import MessageId
from crmsdk.model.inputs import Alias, Group, Identify, Track
from crmsdk.model.inputs import Input as News
from crmsdk.model.message import DeliveryEvent, Message, Outcome
from crmsdk.model.moment import to_moment
from crmsdk.model.provider import Capabilities
from crmsdk.ports import Channel
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.runtime.options import Options, Rules, listed_journeys
from crmsdk.runtime.turning import Taken
from crmsdk.simulation.driving import drive
from crmsdk.simulation.report import Report, report_of
from crmsdk.simulation.responses import NoResponses, Response, Responses
from crmsdk.stores.memory import MemoryStore
from crmsdk.templates.standing_in import StandInTemplates

__all__ = ["Progress", "Simulation"]

Progress = Callable[[datetime, datetime, datetime], None]
"""Called now and then with start, the present moment and the end."""


class _Watched(Channel):
    """Hands on to an imagined channel and remembers what was handed over since last asked."""

    def __init__(self, inner: Channel) -> None:
        self._inner = inner
        self.fresh: list[Envelope[Content]] = []

    @property
    @override
    def name(self) -> str:
        return self._inner.name

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    @override
    def address_of(self, customer: Customer) -> Address | None:
        return self._inner.address_of(customer)

    @override
    def check(self, envelope: Envelope[Content]) -> None:
        self._inner.check(envelope)

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        self.fresh.extend(envelopes)
        return await self._inner.deliver(envelopes)

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()


def _sends(steps: Iterable[Step]) -> Iterator[Send]:
    for step in steps:
        if isinstance(step, Send):
            yield step
        for _, nested in arms_of(step):
            yield from _sends(nested)


def _channels_of(journeys: Iterable[Journey]) -> list[Channel]:
    names = {name for journey in journeys for send in _sends(journey.steps) for name in send.via}
    return [MemoryChannel(name, capabilities=_of_anything(name)) for name in sorted(names)]


def _of_anything(name: str) -> Capabilities:
    # Nobody said which channel production has: a template of an adapter's own content is as good as any.
    anything = cast("type[Content]", object)
    return attrs.evolve(usual_capabilities(name, everyone=True), content=anything)


class Simulation:
    """Journeys and a policy on recorded facts, stepwise; ``simulate`` runs one to its end.

    Facts before ``start`` are history: they are known, and start nothing. The same arguments give the same
    result, to the message id.

    Args:
        journeys: Those that take entries from ``start`` on.
        history: News of people, any order.
        start: When the journeys come into force, aware.
        policy, zone, templates, catalog, active, senders, secret: As of ``Crm.open``. Without templates every
            template exists.
        channels: Imagined ones; by default one for each name the journeys use, that reaches everybody.
        responses: How people answer messages.
        seed: Of the answers.

    Attributes:
        instants: When it advanced, UTC; production that advances then decides the same.
        answered: What people answered, in order.
        taken: What became of the facts.
        store, ledger: What it writes to.
        crm: The runtime it drives.
    """

    def __init__(
        self,
        journeys: Sequence[Journey],
        history: Iterable[News],
        *,
        start: datetime,
        zone: str = "UTC",
        channels: Iterable[Channel] | None = None,
        responses: Responses | None = None,
        seed: int = 0,
        **settings: Unpack[Rules],
    ) -> None:
        journeys = listed_journeys(journeys)
        self.start = to_moment(start, "start")
        self.instants: list[datetime] = []
        self.taken = Taken()
        self.store = MemoryStore()
        self.ledger = MemoryLedger()
        self._seed = seed
        self._responses = NoResponses() if responses is None else responses
        self._clock = VirtualClock(self.start)
        self._order = count()
        self._wakeup: datetime | None = None
        self._answers: list[tuple[datetime, int, Response, MessageId]] = []
        self.answered: list[Response] = []
        self._channels = [
            _Watched(channel) for channel in (_channels_of(journeys) if channels is None else channels)
        ]
        ordered = sorted(facts_of(history), key=lambda one: one.order)
        known = [one for one in ordered if one.at < self.start]
        self._future = ordered[len(known) :]
        self._place = 0
        if settings.get("templates") is None:
            settings["templates"] = StandInTemplates()
        own = {"zone": zone, "ledger": self.ledger, "clock": self._clock, "mode": "live"}
        common = cast("Options", {**own, **settings})  # Rules are some of the Options
        before = Crm.over(self.store, **common)
        drive(before.__aenter__())
        self.taken += drive(before.ingest(known))
        common["journeys"] = journeys
        common["channels"] = self._channels
        self.crm = Crm.over(self.store, **common)
        drive(self.crm.__aenter__())
        self._advance()

    @property
    def now(self) -> datetime:
        """Where the virtual clock stands, UTC."""
        return self._clock.now()

    def run(self, until: datetime, *, progress: Progress | None = None) -> None:
        """Go on to a moment, that moment included.

        Args:
            until: Aware; an earlier one than now does nothing.
            progress: Called about once per simulated day.
        """
        end = to_moment(until, "until")
        told = self.now
        self._wakeup = drive(self.crm.next_wakeup())  # the user may have paused or sent something
        while True:
            moment = self._next()
            if moment is None or moment > end:
                break
            self._clock.set(moment)
            self._take(moment)
            self._advance()
            if progress is not None and (self.now - told).days:
                told = self.now
                progress(self.start, told, end)
        self._clock.set(end)

    def report(self) -> Report:
        """Sum up what has happened so far."""
        return drive(
            report_of(
                self.store,
                self.crm.journeys,
                start=self.start,
                until=self.now,
                taken=self.taken,
                zone=self.crm.programs.project.zone,
            )
        )

    # --------------------------------------------------------------------------------------- within

    def _next(self) -> datetime | None:
        moments = [self._wakeup]
        if self._place < len(self._future):
            moments.append(self._future[self._place].at)
        if self._answers:
            moments.append(self._answers[0][0])
        # What was put off to the past (a policy that says "now") is done now; the clock never goes back.
        return min((max(moment, self.now) for moment in moments if moment is not None), default=None)

    def _take(self, moment: datetime) -> None:
        first = self._place
        while self._place < len(self._future) and self._future[self._place].at <= moment:
            self._place += 1
        news: list[News] = list(self._future[first : self._place])
        reports: list[DeliveryEvent] = []
        while self._answers and self._answers[0][0] <= moment:
            _, _, answer, message = heapq.heappop(self._answers)
            self.answered.append(answer)
            if isinstance(answer, DeliveryEvent):
                reports.append(answer)
            else:
                news.append(self._said(answer, message))
        if news:
            self.taken += with_changes(drive(self.crm.ingest(news)), ids=frozenset())
        if reports:
            drive(self.crm.report(reports))

    def _advance(self) -> None:
        self.instants.append(self.now)
        self._wakeup = drive(self.crm.advance()).next_wakeup
        fresh = [envelope.message for channel in self._channels for envelope in channel.fresh]
        for channel in self._channels:
            channel.fresh.clear()
        if not fresh or isinstance(self._responses, NoResponses):
            return
        for message in drive(self.store.messages(fresh)):
            if message is not None:
                self._answer(message)

    def _said(self, answer: Track, message: MessageId) -> Track:
        """Put an answer in the name of whoever has the message by now: visitors have no user id."""
        (row,) = drive(self.store.messages([message]))
        (person,) = drive(self.store.load([row.customer])) if row is not None else (None,)
        return answer if person is None else attrs.evolve(answer, identifiers=person.identifiers[:1])

    def _answer(self, message: Message) -> None:
        luck = random.Random(f"{self._seed}:{message.id}")  # noqa: S311 - imagined people, not secrets
        for answer in self._responses.respond(with_changes(message, not_before=self.now), luck):
            if answer.at < self.now:
                raise ConfigError("a response lies before its message; date it at or after the sending")
            heapq.heappush(self._answers, (answer.at, next(self._order), answer, message.id))


def facts_of(history: Iterable[News]) -> Iterator[News]:
    for index, one in enumerate(history):
        if not isinstance(one, Alias | Identify | Group | Track):
            raise InputError(
                f"is {type(one).__name__}, no fact; make facts by track(...) and identify(...), tables by "
                "load_history(...), and join lists as [*people, *events]",
                field=f"history[{index}]",
            )
        yield one
