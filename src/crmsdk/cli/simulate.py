"""``crmsdk simulate``: journeys on recorded history, on a virtual clock."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from crmsdk.cli.history import History, read_history
from crmsdk.cli.loading import load
from crmsdk.errors import ConfigError, InputError
from crmsdk.model.moment import to_moment
from crmsdk.model.zones import zone as known_zone

__all__ = ["execute"]

_SHOWN: Final = 5
_DATE: Final = 10
"""Characters of a date: 2026-03-01."""


def execute(args: argparse.Namespace) -> int:
    """Run a simulation and print its counts.

    Raises:
        ConfigError: there is no journey, or no zone.
        InputError: a moment that is none, or a table that cannot be read.
        CheckFailed: a journey that cannot run.
    """
    loaded = load(args.file)
    if not loaded.journeys:
        raise ConfigError(f"{args.file} defines no journey, so there is nothing to simulate")
    zone = loaded.zone_or(args.zone)
    start, until = _moment(args.start, "start", zone), _moment(args.until, "until", zone)
    if until <= start:
        raise InputError("is not after start; give a later one", field="until")
    history = read_history(
        args.history, catalog=loaded.catalog, names=loaded.names, received=datetime.now(UTC)
    )
    _tell(history)
    from crmsdk.simulation import simulate  # noqa: PLC0415 - not before the history is known to be good

    settings = loaded.settings(
        "policy", "catalog", "templates", "channels", "senders", "active", "unsubscribe", "secret"
    )
    responses = loaded.names.get("responses")
    if responses is not None and hasattr(responses, "respond"):
        settings["responses"] = responses
    with _progress() as progress:
        report = simulate(
            loaded.journeys,
            history.news,
            start=start,
            until=until,
            seed=args.seed,
            zone=zone,
            progress=progress,
            **settings,
        )
    print(report)
    if args.by:
        print()
        print(report.sends(tuple(name.strip() for name in args.by.split(","))))
    if args.timeline:
        print()
        print(report.timeline(args.timeline))
    if args.html:
        page = report.to_html(customers=[args.timeline] if args.timeline else [])
        Path(args.html).write_text(page, encoding="utf-8")
        print(f"\nwritten to {args.html}")
    return 0


def _moment(text: str, field: str, zone: str) -> datetime:
    """Read a date as its midnight in the project's zone, anything longer as a moment with an offset."""
    if len(text) > _DATE:
        return to_moment(text, field)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InputError("is no date; write 2026-03-01, or 2026-03-01T09:00+03:00", field=field) from None
    return to_moment(datetime(day.year, day.month, day.day, tzinfo=known_zone(zone)), field)


def _tell(history: History) -> None:
    """Account for the rows on stderr, so that the table on stdout stays a table."""
    lost = sum(len(rows) for rows in history.rejected.values())
    print(f"history: {history.rows:,} rows, {lost:,} rejected", file=sys.stderr)
    for name, rows in history.rejected.items():
        for row in rows[:_SHOWN]:
            problem = row.problem.removeprefix(f"row {row.row}: ") or row.reason
            print(f"  {name}: row {row.row}: {problem}", file=sys.stderr)
        if len(rows) > _SHOWN:
            print(f"  {name}: and {len(rows) - _SHOWN:,} more", file=sys.stderr)
    if not history.news:
        raise InputError("holds no facts; nothing can be simulated", field="history")


@contextmanager
def _progress() -> Iterator[Callable[[datetime, datetime, datetime], None] | None]:
    """Show how far it is, on a terminal only; the line is gone afterwards."""
    if not sys.stderr.isatty():
        yield None
        return

    def show(start: datetime, now: datetime, end: datetime) -> None:
        share = (now - start) / (end - start)
        print(f"\rsimulating {now:%Y-%m-%d}  {share:4.0%}", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
