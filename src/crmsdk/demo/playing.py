"""The two runs of the demo: the year on the virtual clock, and its last week through the real runtime."""

import socket
from collections.abc import Callable, Sequence
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
from crmsdk.ports import Channel, Ledger, Store
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.runtime.options import Rules
from crmsdk.segments.words import did
from crmsdk.simulation import ConstantResponses, Report, Simulation
from crmsdk.simulation.report import report_of
from crmsdk.simulation.responses import Response
from crmsdk.stores.copying import copy_people
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing.servers import SmtpSink, TelegramStub

__all__ = ["Week", "play_week", "rehearse"]

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


def rehearse(news: Sequence[Input], *, start: datetime) -> Simulation:
    """Set the simulation up: history before ``start`` known, journeys in force from then on."""
    return Simulation(
        JOURNEYS,
        news,
        start=start,
        zone=ZONE,
        channels=[MemoryChannel("email"), MemoryChannel("telegram")],
        responses=ConstantResponses(opens=0.3, clicks=0.1, unsubscribes=0.01),
        seed=SEED,
        **_SETTINGS,
    )


async def _copy(simulation: Simulation, store: Store, ledger: Ledger) -> None:
    await copy_people(simulation.store, store)
    for customer in await simulation.crm.customers():
        contacts = await simulation.ledger.entries(customer)
        if contacts:
            await ledger.record(customer, contacts)


def _loopback_is_open() -> bool:
    try:
        with socket.create_server(("127.0.0.1", 0)):
            return True
    except OSError:
        return False


async def play_week(
    folder: Path, simulation: Simulation, facts: Sequence[Input], *, rest: Callable[[], None]
) -> Week:
    """Run the days after the simulation's present once more, through SQLite, SMTP and HTTP.

    Args:
        folder: Where the database (and, without a port, the mails) go.
        simulation: Standing at the beginning of the week; ``rest`` carries it to the end.
        facts: The news of the week.
        rest: Called once the state is copied.
    """
    begin = simulation.now
    store = SqliteStore(folder / "week.db", synchronous="normal")
    ledger = SqliteLedger(folder / "week.db")
    await _copy(simulation, store, ledger)
    seen = len(simulation.instants)
    rest()
    instants = simulation.instants[seen:]
    answers = [answer for answer in simulation.answered if begin < answer.at <= simulation.now]
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
            await _feed(crm, clock, instants, facts, answers)
            report = await report_of(store, JOURNEYS, start=begin, until=simulation.now, zone=ZONE)
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
