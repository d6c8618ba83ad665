"""The two runs of the demo: the year on the virtual clock, and its last week through the real runtime."""

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import attrs

from crmsdk import default_policy
from crmsdk.channels.eml import EmlChannel
from crmsdk.channels.memory import MemoryChannel
from crmsdk.channels.smtp import SmtpChannel
from crmsdk.channels.telegram import TelegramChannel
from crmsdk.demo.shop import CATALOG, JOURNEYS, SENDER, TEMPLATES, ZONE
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.inputs import Input
from crmsdk.model.message import DeliveryEvent
from crmsdk.ports import Channel
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.runtime.options import Rules
from crmsdk.segments.words import did
from crmsdk.simulation import ConstantResponses, Report, Simulation
from crmsdk.simulation.driving import drive
from crmsdk.simulation.parallel import joined, shards, side_by_side
from crmsdk.simulation.report import report_of
from crmsdk.simulation.responses import Response
from crmsdk.simulation.running import Progress
from crmsdk.stores.copying import copy_contacts, copy_people
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing.servers import SmtpSink, TelegramStub

__all__ = ["Rehearsed", "Week", "play_week", "rehearse"]

SEED = 7
_SETTINGS: Rules = {
    "policy": default_policy(),
    "catalog": CATALOG,
    "templates": TEMPLATES,
    "senders": [SENDER],
    "active": did("purchase").within(timedelta(days=60)) | did("message_opened").within(timedelta(days=60)),
    "unsubscribe": "https://online-retail.invalid/unsubscribe/{token}",
}
_TOKEN = "1:demo"  # noqa: S105 - the stub's


@attrs.frozen(kw_only=True)
class Week:
    """The last week through the real runtime.

    Attributes:
        report: What it decided and sent.
        mails, chats: How many messages arrived at the mail server (or in the folder) and at Telegram's stub.
        by: How e-mail left, in words.
    """

    report: Report
    mails: int
    chats: int
    by: str


@attrs.frozen(kw_only=True)
class Rehearsed:
    """The year on the virtual clock, and what its last week needs to be played again.

    Attributes:
        year, week: What was decided and sent, in all and in the last week.
        instants: When the simulation advanced in the last week, UTC.
        answers: What people answered in the last week.
    """

    year: Report
    week: Report
    instants: frozenset[datetime]
    answers: tuple[Response, ...]


@attrs.frozen(kw_only=True)
class Rehearsal:
    """Simulates a part of the people; a value, so that another process can do it.

    Attributes:
        folder: Where the state at the beginning of the last week goes.
        parts: News of people, in parts.
        start, week, end: From when on the journeys are in force, when the last week begins, the end.
        progress: Told how far the first part is.
    """

    folder: Path
    parts: Sequence[Sequence[Input]]
    start: datetime
    week: datetime
    end: datetime
    progress: Progress | None = None

    def __call__(self, part: int) -> Rehearsed:
        """Simulate one part; history before ``start`` is known, journeys are in force from then on."""
        progress = self.progress if part == 0 else None
        simulation = Simulation(
            JOURNEYS,
            self.parts[part],
            start=self.start,
            zone=ZONE,
            channels=[MemoryChannel("email"), MemoryChannel("telegram")],
            responses=ConstantResponses(opens=0.3, clicks=0.1, unsubscribes=0.01),
            seed=SEED,
            **_SETTINGS,
        )
        simulation.run(self.week, progress=progress)
        asyncio.run(_copy(simulation, self.folder))
        seen = len(simulation.instants)
        simulation.run(self.end, progress=progress)
        return Rehearsed(
            year=simulation.report(),
            week=drive(report_of(simulation.store, JOURNEYS, start=self.week, until=self.end, zone=ZONE)),
            instants=frozenset(simulation.instants[seen:]),
            answers=tuple(answer for answer in simulation.answered if self.week < answer.at <= self.end),
        )


async def _copy(simulation: Simulation, folder: Path) -> None:
    store, ledger = _opened(folder)
    await copy_people(simulation.store, store)
    await copy_contacts(simulation.ledger, ledger, await simulation.crm.customers())
    await store.close()
    await ledger.close()


def _opened(folder: Path) -> tuple[SqliteStore, SqliteLedger]:
    return SqliteStore(folder / "week.db", synchronous="normal"), SqliteLedger(folder / "week.db")


def rehearse(
    folder: Path,
    news: Iterable[Input],
    *,
    start: datetime,
    week: datetime,
    end: datetime,
    progress: Progress | None = None,
) -> Rehearsed:
    """Simulate the year in two processes, each with half of the people."""
    rehearsal = Rehearsal(
        folder=folder, parts=shards(news, 2), start=start, week=week, end=end, progress=progress
    )
    halves = side_by_side(rehearsal, range(2))
    return Rehearsed(
        year=joined([half.year for half in halves]),
        week=joined([half.week for half in halves]),
        instants=frozenset().union(*(half.instants for half in halves)),
        answers=tuple(answer for half in halves for answer in half.answers),
    )


def _loopback_is_open() -> bool:
    try:
        with socket.create_server(("127.0.0.1", 0)):
            return True
    except OSError:
        return False


async def play_week(folder: Path, rehearsed: Rehearsed, news: Iterable[Input]) -> Week:
    """Run the last week once more, through SQLite, SMTP and HTTP.

    Args:
        folder: With the state at the beginning of the week; without a port the mails go there.
        rehearsed: What was simulated.
        news: All of them; those of the week are taken.
    """
    begin, end = rehearsed.week.start, rehearsed.week.until
    facts = sorted((one for one in news if begin < one.at <= end), key=lambda one: one.order)
    store, ledger = _opened(folder)
    async with AsyncExitStack() as stack:
        channels, count, by = await _channels(stack, folder)
        clock = VirtualClock(begin)
        crm = Crm.over(
            store,
            ledger=ledger,
            journeys=JOURNEYS,
            channels=channels,
            clock=clock,
            mode="live",
            zone=ZONE,
            **_SETTINGS,
        )
        async with crm:
            await _feed(crm, clock, sorted(rehearsed.instants), facts, rehearsed.answers)
            report = await report_of(store, JOURNEYS, start=begin, until=end, zone=ZONE)
            mails, chats = count()
    return Week(report=report, mails=mails, chats=chats, by=by)


async def _channels(
    stack: AsyncExitStack, folder: Path
) -> tuple[list[Channel], Callable[[], tuple[int, int]], str]:
    if not _loopback_is_open():
        box = folder / "mails"
        chats = MemoryChannel("telegram")
        return (
            [EmlChannel(box, sender=SENDER), chats],
            lambda: (len(list(box.glob("*.eml"))), len(chats.kept)),
            "as .eml files, because no port could be opened",
        )
    sink = await stack.enter_async_context(SmtpSink())
    stub = await stack.enter_async_context(TelegramStub(token=_TOKEN))
    channels: list[Channel] = [
        SmtpChannel(sink.host, port=sink.port, encryption="none", sender=SENDER),
        TelegramChannel(_TOKEN, base_url=f"http://{stub.host}:{stub.port}"),
    ]
    return channels, lambda: (len(sink.mails), len(stub.messages)), "by SMTP to a server on loopback"


async def _feed(
    crm: Crm,
    clock: VirtualClock,
    instants: Sequence[datetime],
    facts: Sequence[Input],
    answers: Sequence[Response],
) -> None:
    """Give the runtime the same facts at the same instants as the simulation."""
    left, replies = list(facts), sorted(answers, key=lambda answer: (answer.at, answer.id))
    for instant in instants:
        clock.set(instant)
        due = [news for news in left if news.at <= instant]
        left = left[len(due) :]
        reports = [reply for reply in replies if reply.at <= instant]
        replies = replies[len(reports) :]
        if due:
            await crm.ingest(due)
        if reports:
            await crm.report([one for one in reports if isinstance(one, DeliveryEvent)])
        await crm.advance()
