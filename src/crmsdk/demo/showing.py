"""Runs the demo and prints what it did, as plain text."""

import argparse
import asyncio
import gc
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crmsdk.demo.history import find_data, invoice_rows, people_of
from crmsdk.demo.playing import Week, play_week, rehearse
from crmsdk.demo.shop import CATALOG, JOURNEYS, LIFECYCLE, ZONE
from crmsdk.journeys.person import Person
from crmsdk.model.ids import CustomerId
from crmsdk.model.inputs import Input
from crmsdk.reports.page import Cards, Section
from crmsdk.reports.page import Table as PageTable
from crmsdk.runtime.crm import Crm
from crmsdk.segments.stages import stage_of
from crmsdk.simulation.report import Report
from crmsdk.simulation.tables import Table
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.wire.report import ImportReport, Row

__all__ = ["main"]

RECEIVED = datetime(2011, 12, 10, tzinfo=UTC)
START = datetime(2010, 12, 10, tzinfo=UTC)
END = datetime(2011, 12, 10, tzinfo=UTC)
WEEK = timedelta(days=7)
DATES = tuple(datetime(2011, month, day, tzinfo=UTC) for month, day in ((4, 1), (7, 1), (10, 1)))
CUSTOMER = "16745"  # bought again and again; quiet nights and missing addresses held messages back
_FILES = ("import.db", "week.db", "report.html")


def _say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class _Progress:
    """One line on a terminal that tells how far the simulation is; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, _start: datetime, now: datetime, _end: datetime) -> None:
        if self._shown:
            share = (now - START) / (END - START)
            sys.stderr.write(f"\r  simulating {now:%Y-%m-%d} {share:4.0%}")
            sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._shown:
            sys.stderr.write("\r" + " " * 40 + "\r")


def _heading(number: int, text: str) -> None:
    _say(f"\n{number}. {text}")


def _indent(text: object) -> str:
    return "\n".join(f"   {line}".rstrip() for line in str(text).splitlines())


async def _import(folder: Path, rows: Sequence[Row]) -> tuple[ImportReport, ImportReport]:
    async with Crm.over(SqliteStore(folder / "import.db"), zone=ZONE, catalog=CATALOG) as crm:
        return await crm.import_rows(rows), await crm.import_rows(rows)


async def _segments(folder: Path) -> Table:
    """Count the stages at three dates; everybody is in exactly one."""
    store = SqliteStore(folder / "import.db")
    people: list[Person] = []
    after: CustomerId | None = None
    while page := await store.customers(after=after, limit=1000):
        after = page[-1]
        people.extend(person for person in await store.load(page) if person is not None)
    await store.close()
    columns: dict[str, list[int | str]] = {"stage": [*LIFECYCLE.names, "total"]}
    for moment in DATES:
        known = [person for person in people if person.facts.events and person.facts.events[0].at <= moment]
        counts = Counter(stage_of(LIFECYCLE, person.facts, moment, zone=ZONE).name for person in known)
        columns[f"{moment - timedelta(days=1):%Y-%m-%d}"] = [
            *(counts[name] for name in LIFECYCLE.names),
            sum(counts.values()),
        ]
    return Table(columns)


def _compared(rehearsed: Report, real: Report) -> str:
    planned, done = rehearsed.decisions(), real.decisions()
    if planned == done:
        return f"equal: {len(done):,} decisions of production are those of the simulation"
    missing, extra = set(planned) - set(done), set(done) - set(planned)
    return f"NOT EQUAL: {len(missing)} decisions are missing, {len(extra)} are new"


def _page(report: Report, account: ImportReport, stages: Table, week: Week, verdict: str) -> str:
    more = [
        Section(
            "Import",
            (
                PageTable(
                    ("rows", "count"),
                    (
                        ("read", f"{account.read:,}"),
                        ("stored", f"{account.accepted:,}"),
                        *(
                            (f"rejected: {why}", f"{count:,}")
                            for why, count in sorted(account.rejected.items())
                        ),
                    ),
                    numeric=[1],
                ),
            ),
        ),
        Section(
            "Segments",
            (
                PageTable(
                    tuple(stages.columns),
                    tuple(tuple(str(cell) for cell in row.values()) for row in stages),
                    caption="everybody is in exactly one stage",
                    numeric=range(1, len(stages.columns)),
                ),
            ),
        ),
        Section(
            "The last week for real",
            (
                Cards(
                    (
                        ("e-mails", f"{week.mails:,}"),
                        ("Telegram messages", f"{week.chats:,}"),
                        ("compared", verdict),
                    )
                ),
            ),
        ),
    ]
    return report.to_html(title="A year of a gift shop, rehearsed", customers=[CUSTOMER], more=more)


def _clear(folder: Path) -> None:
    """Remove what an earlier demo left, and nothing else of the folder."""
    for name in _FILES:
        for ending in ("", "-wal", "-shm"):
            (folder / f"{name}{ending}").unlink(missing_ok=True)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for garbage rarely: histories only grow here, and walking them again finds nothing."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@_few_collections()
def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; give 0, or 1 when production decided otherwise than the simulation."""
    parser = argparse.ArgumentParser(prog="crmsdk demo", description="Run the main job on real purchases.")
    parser.add_argument(
        "--folder", type=Path, default=Path("crmsdk-demo"), help="where databases and page go"
    )
    folder: Path = parser.parse_args(argv).folder
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)

    _heading(1, "Import: real invoices of a gift shop through the typed catalog into SQLite")
    rows = list(invoice_rows(find_data(), received=RECEIVED))
    first, second = asyncio.run(_import(folder, rows))
    _say(_indent(first))
    _say(f"   a second import adds {second.accepted}: {second.duplicates:,} rows were known")
    _say(f"   every rejected row is listed, as row {first.rows[0].row}: {first.rows[0].reason}")

    _heading(2, "Segments: everybody in exactly one stage")
    stages = asyncio.run(_segments(folder))
    _say(_indent(stages))

    _heading(
        3, f"Journeys: {', '.join(journey.name for journey in JOURNEYS)}, under the default contact policy"
    )
    news: list[Input] = list(people_of(rows))
    progress = _Progress()
    rehearsed = rehearse(folder, news, start=START, week=END - WEEK, end=END, progress=progress)
    week = asyncio.run(play_week(folder, rehearsed, news))
    progress.end()
    report = rehearsed.year
    _heading(4, "The year on the virtual clock")
    _say(_indent(report))
    _say()
    _say(_indent(report.exits()))
    _say(f"\n   customer {CUSTOMER}, why messages were not sent, or not at once:")
    for entry in report.timeline(CUSTOMER).not_sent()[:5]:
        _say(f"   {entry.at:%Y-%m-%d %H:%M}  {entry.what}  {entry.about}  {entry.why}")

    _heading(5, f"The last week again, through the real runtime on SQLite, e-mail {week.by}")
    verdict = _compared(rehearsed.week, week.report)
    _say(f"   {week.mails:,} e-mails and {week.chats:,} Telegram messages arrived")
    _say(f"   {verdict}")

    page = folder / "report.html"
    page.write_text(_page(report, first, stages, week, verdict), encoding="utf-8")
    _heading(6, f"One page with pictures: {page} ({page.stat().st_size / 1024:,.0f} KB)")
    _say(f"\ndone in {time.monotonic() - began:.0f} s")
    return 0 if verdict.startswith("equal") else 1
