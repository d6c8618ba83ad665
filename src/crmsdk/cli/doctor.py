"""``crmsdk doctor``: what would go wrong on this machine, each with its mend; nothing is sent or changed."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Final, Literal

import attrs

from crmsdk.cli.loading import Loaded, load
from crmsdk.errors import ConfigError, CrmsdkError
from crmsdk.model.zones import zone

__all__ = ["Finding", "examine", "execute"]

_OLDEST_PYTHON: Final = (3, 11)
_OLD_ZONES: Final = timedelta(days=2 * 365)
"""Zone rules of some country change every year; data of this age is wrong somewhere."""
_CLOCK_OFF: Final = timedelta(minutes=5)
_OTHERS: Final = 0o077
_SQLITE: Final = "sqlite:"


@attrs.frozen
class Finding:
    """One line of the report.

    Attributes:
        state: ``ok``; ``warn``: it works, but; ``fail``: it will not work.
        about: What was looked at.
        said: What was found, with the mend if it is not ok.
    """

    state: Literal["ok", "warn", "fail"]
    about: str
    said: str

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        """Show it as a line."""
        return f"{self.state:<5} {self.about:<10} {self.said}"


def execute(args: argparse.Namespace) -> int:
    """Print everything found.

    Returns:
        1 when anything failed, else 0.
    """
    loaded = load(args.file) if args.file else Loaded()
    findings = list(examine(loaded, args.db or loaded.url, now=datetime.now(UTC)))
    for finding in findings:
        print(finding)
    failed = sum(finding.state == "fail" for finding in findings)
    warned = sum(finding.state == "warn" for finding in findings)
    print(f"\n{failed} failed, {warned} warned")
    return 1 if failed else 0


def examine(loaded: Loaded, url: str | None, *, now: datetime) -> Iterator[Finding]:
    """Look at the machine, the database and the channels.

    Args:
        loaded: What the user's file says.
        url: The database; None looks at the current folder instead.
        now: By this machine's clock, UTC.
    """
    yield python(sys.version_info[:3])
    yield zones(now)
    yield sqlite()
    yield from extras()
    if url is None or url.startswith(_SQLITE):
        yield from place(url, now=now)
    if loaded.zone is not None:
        yield _tried(
            "zone", lambda: f"{zone(str(loaded.zone)).key} is the zone of people whose zone is unknown"
        )
    yield from channels(loaded)


def python(release: Sequence[int]) -> Finding:
    """Look at the release of Python."""
    said = ".".join(map(str, release))
    if tuple(release) < _OLDEST_PYTHON:
        return Finding("fail", "python", f"{said} is too old; install 3.11 or newer")
    return Finding("ok", "python", said)


def zones(now: datetime) -> Finding:
    """Look at the zone data."""
    try:
        release = version("tzdata")
        zone("Europe/Moscow")
    except (PackageNotFoundError, CrmsdkError):
        return Finding("fail", "zone data", "tzdata is missing; pip install tzdata")
    year = re.match(r"\d{4}", release)
    if year is not None and now - datetime(int(year[0]), 1, 1, tzinfo=UTC) > _OLD_ZONES:
        return Finding("warn", "zone data", f"tzdata {release} is old; pip install --upgrade tzdata")
    return Finding("ok", "zone data", f"tzdata {release}")


def sqlite() -> Finding:
    """Look at the SQLite library."""
    from crmsdk.stores.inspection import OLDEST_SQLITE, sqlite_release  # noqa: PLC0415 - sqlite3 may be missing

    release = sqlite_release()
    said = ".".join(map(str, release))
    if release < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        return Finding("fail", "sqlite", f"{said} is too old; use a Python built with {oldest} or newer")
    return Finding("ok", "sqlite", said)


def extras() -> Iterator[Finding]:
    """Look which optional parts are installed; one that is not is no fault."""
    try:
        metadata = distribution("crmsdk").metadata
    except PackageNotFoundError:
        yield Finding("warn", "crmsdk", "runs from a folder, so its extras are unknown; pip install it")
        return
    yield Finding("ok", "crmsdk", str(metadata["Version"]))
    needs = [str(line) for line in metadata.get_all("Requires-Dist") or ()]
    for extra in sorted(set(metadata.get_all("Provides-Extra") or ()) - {"all", "demo"}):
        own = [line for line in needs if re.search(rf"extra == ['\"]{re.escape(extra)}['\"]", line)]
        missing = [name for name in (re.split(r"[^\w.-]", line)[0] for line in own) if not _installed(name)]
        said = f"not installed; pip install 'crmsdk[{extra}]' to use it" if missing else "installed"
        yield Finding("ok", f"[{extra}]", said)


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def place(url: str | None, *, now: datetime) -> Iterator[Finding]:
    """Look at the folder of the database, and at the database itself where there is one."""
    from crmsdk.stores.inspection import probe_folder  # noqa: PLC0415 - as above

    try:
        path = _path(url)
    except ConfigError as error:
        yield Finding("fail", "database", str(error))
        return
    folder = Path.cwd() if path is None else path.resolve().parent

    def probed() -> str:
        probe_folder(folder)
        return f"{folder.name or folder} holds a write-ahead log"

    yield _tried("folder", probed)
    if path is None:
        return
    if not path.exists():
        yield Finding("ok", "database", f"{path.name} does not exist yet; the first opening makes it")
        return
    yield _rights(path)
    yield from _inside(path, now)


def _path(url: str | None) -> Path | None:
    from crmsdk.stores.sqlite import SqliteStore  # noqa: PLC0415 - as above

    return None if url is None else SqliteStore.open(url).path


def _rights(path: Path) -> Finding:
    if not os.access(path, os.R_OK | os.W_OK):
        return Finding("fail", "rights", f"{path.name} cannot be read and written; chown or chmod it")
    if os.name == "posix" and path.stat().st_mode & _OTHERS:
        return Finding("warn", "rights", f"others may read {path.name}, which holds personal data; chmod 600")
    return Finding("ok", "rights", f"{path.name} is this user's alone")


def _inside(path: Path, now: datetime) -> Iterator[Finding]:
    from crmsdk.stores.inspection import NEWEST_SCHEMA, inspect_file  # noqa: PLC0415 - as above

    try:
        found = inspect_file(path)
    except CrmsdkError as error:
        yield Finding("fail", "database", str(error))
        return
    if found.schema > NEWEST_SCHEMA:
        said = f"schema {found.schema} is of a newer release, this one reads {NEWEST_SCHEMA}; upgrade crmsdk"
        yield Finding("fail", "database", said)
        return
    older = f"; the next opening migrates it to {NEWEST_SCHEMA}" if 0 < found.schema < NEWEST_SCHEMA else ""
    yield Finding("ok", "database", f"schema {found.schema}{older}")
    if found.newest is not None and found.newest - now > _CLOCK_OFF:
        ahead = str(found.newest - now).split(".")[0]
        said = f"the database knows moments {ahead} ahead of this machine's clock; set the clock"
        yield Finding("warn", "clock", said)
    else:
        yield Finding("ok", "clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def channels(loaded: Loaded) -> Iterator[Finding]:
    """Look at the channels of the user's file, sending nothing."""
    seen: set[str] = set()
    for channel in loaded.channels or ():
        about = f"channel {channel.name}"
        if channel.name in seen:
            yield Finding("fail", about, "two channels bear this name; give one of them another")
        elif channel.capabilities.sender and not loaded.senders:
            yield Finding("fail", about, "needs a sending identity; say senders = [Sender(...)] in FILE")
        elif loaded.templates is not None and not _has_template(loaded, channel.name):
            yield Finding("warn", about, f"no template has a file {channel.name}.<locale>; write one")
        else:
            yield Finding("ok", about, type(channel).__name__)
        seen.add(channel.name)


def _has_template(loaded: Loaded, channel: str) -> bool:
    engine = loaded.templates
    return engine is not None and any(
        file.partition(".")[0] == channel for name in engine.names() for file in engine.variables(name)
    )


def _tried(about: str, work: Callable[[], str]) -> Finding:
    try:
        return Finding("ok", about, work())
    except CrmsdkError as error:
        return Finding("fail", about, str(error))
