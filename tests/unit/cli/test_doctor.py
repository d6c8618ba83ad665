"""``crmsdk doctor``."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from crmsdk.blocking import Crm
from crmsdk.cli import doctor
from crmsdk.cli.loading import Loaded, load
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.stores import inspection

Say = Callable[..., Any]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def found(url: str | None = None, *, loaded: Loaded | None = None, now: datetime = NOW) -> dict[str, str]:
    return {
        finding.about: f"{finding.state}: {finding.said}"
        for finding in doctor.examine(loaded or Loaded(), url, now=now)
    }


@contextmanager
def forbidden(path: Path) -> Iterator[None]:
    """Take all rights away, and skip where the user has them all the same."""
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        if os.access(path, os.R_OK):
            pytest.skip("this user may read everything")
        yield
    finally:
        path.chmod(mode)


def test_a_sound_machine_is_ok(project: Path, say: Say) -> None:
    said = say("doctor")
    assert said.status == 0
    assert said.out.endswith("0 failed, 0 warned\n")
    assert {line.split()[0] for line in said.out.splitlines() if line} == {"ok", "0"}
    assert sorted(path.name for path in project.parent.iterdir()) == ["history.csv", "shop.py", "templates"]


def test_an_old_python_fails() -> None:
    assert doctor.python((3, 10, 4)).state == "fail"
    assert doctor.python((3, 11, 0)).state == "ok"


def test_old_and_missing_zone_data(monkeypatch: pytest.MonkeyPatch) -> None:
    release = datetime(int(found()["zone data"].split()[2].split(".")[0]), 1, 1, tzinfo=UTC)
    assert doctor.zones(release + timedelta(days=730)).state == "ok"
    assert doctor.zones(release + timedelta(days=731)).state == "warn"
    monkeypatch.setattr(doctor, "version", _missing)
    assert doctor.zones(NOW).state == "fail"


def _missing(name: str) -> str:
    raise PackageNotFoundError(name)


def test_an_old_sqlite_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "sqlite_release", lambda: (3, 36, 9))
    assert doctor.sqlite().state == "fail"
    assert "3.37.0 or newer" in doctor.sqlite().said


def test_an_extra_that_is_missing_is_told_and_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found()["[smtp]"] == "ok: installed"
    monkeypatch.setattr(doctor, "version", _missing)
    assert {one.about: one.said for one in doctor.extras()}["[smtp]"].startswith("not installed; pip install")


def test_a_missing_folder_fails(tmp_path: Path) -> None:
    said = found(f"sqlite:///{tmp_path}/nowhere/crm.db")
    assert said["folder"].startswith("fail: folder 'nowhere' cannot be written (FileNotFoundError)")


def test_a_file_system_without_shared_memory_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise sqlite3.OperationalError

    monkeypatch.setattr(inspection, "_probe", refuse)
    assert "fail: folder" in found(f"sqlite:///{tmp_path}/crm.db")["folder"]


def test_a_database_to_be_made_is_ok(tmp_path: Path) -> None:
    assert found(f"sqlite:///{tmp_path}/crm.db")["database"] == (
        "ok: crm.db does not exist yet; the first opening makes it"
    )
    assert list(tmp_path.iterdir()) == []


def made(folder: Path, *, at: datetime = NOW) -> str:
    url = f"sqlite:///{folder}/crm.db"
    with Crm.open(url, zone="UTC", clock=VirtualClock(at)) as crm:
        crm.track("ann", "seen", id="e1")
    (folder / "crm.db").chmod(0o600)
    return url


def test_a_sound_database_is_ok(tmp_path: Path) -> None:
    said = found(made(tmp_path))
    assert said["rights"] == "ok: crm.db is this user's alone"
    assert said["database"] == f"ok: schema {inspection.NEWEST_SCHEMA}"
    assert said["clock"] == "ok: 2026-03-02 12:00:00 UTC"


def test_a_clock_behind_the_database_warns(tmp_path: Path) -> None:
    url = made(tmp_path)
    assert found(url, now=NOW - timedelta(minutes=5))["clock"].startswith("ok")
    assert found(url, now=NOW - timedelta(days=2))["clock"] == (
        "warn: the database knows moments 2 days, 0:00:00 ahead of this machine's clock; set the clock"
    )


def test_a_file_others_may_read_warns(tmp_path: Path) -> None:
    url = made(tmp_path)
    (tmp_path / "crm.db").chmod(0o644)
    assert found(url)["rights"].startswith("warn: others may read crm.db")


def test_a_file_without_rights_fails(tmp_path: Path) -> None:
    url = made(tmp_path)
    with forbidden(tmp_path / "crm.db"):
        assert found(url)["rights"].startswith("fail")


def test_a_newer_database_fails(tmp_path: Path, say: Say) -> None:
    url = made(tmp_path)
    with closing(sqlite3.connect(tmp_path / "crm.db")) as database:
        database.execute("UPDATE meta SET value = '999' WHERE key = 'schema'")
        database.commit()
    said = say("doctor", "--db", url)
    assert said.status == 1
    assert "fail  database   schema 999 is of a newer release" in said.out


def test_an_older_database_will_be_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = made(tmp_path)
    newer = inspection.NEWEST_SCHEMA + 1
    monkeypatch.setattr(inspection, "NEWEST_SCHEMA", newer)
    assert found(url)["database"].endswith(f"; the next opening migrates it to {newer}")


@pytest.mark.parametrize("text", ["no database " * 100, ""])
def test_a_file_that_is_no_database(tmp_path: Path, text: str) -> None:
    (tmp_path / "crm.db").write_text(text)
    said = found(f"sqlite:///{tmp_path}/crm.db")["database"]
    assert said.startswith("fail: 'crm.db' cannot be read as a database" if text else "ok: schema 0")


def test_a_database_of_something_else_fails(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "crm.db")) as database:
        database.execute("CREATE TABLE other (one)")
        database.commit()
    assert "tables of something else" in found(f"sqlite:///{tmp_path}/crm.db")["database"]


def test_a_wrong_url_fails() -> None:
    assert found("sqlite://host/crm.db")["database"].startswith("fail: the URL names no SQLite file")


def test_channels_of_the_file_are_looked_at(project: Path, say: Say) -> None:
    project.write_text(
        project.read_text()
        + "\nfrom crmsdk.channels.memory import MemoryChannel\nfrom crmsdk.channels.eml import EmlChannel\n"
        + "channels = [MemoryChannel('email'), MemoryChannel('sms'), MemoryChannel('sms')]\n"
    )
    said = found(loaded=load("shop.py"))
    assert said["channel email"] == "ok: MemoryChannel"
    assert said["channel sms"] == "fail: two channels bear this name; give one of them another"
    assert say("doctor", "shop.py").status == 1


def test_a_channel_that_needs_a_sender_and_one_without_templates(project: Path) -> None:
    text = project.read_text() + (
        "\nfrom crmsdk.channels.memory import MemoryChannel\nfrom crmsdk.channels.eml import EmlChannel\n"
        "channels = [EmlChannel('out'), MemoryChannel('sms')]\n"
    )
    project.write_text(text)
    said = found(loaded=load("shop.py"))
    assert said["channel email"].startswith("fail: needs a sending identity")
    assert said["channel sms"].startswith("warn: no template has a file sms.<locale>")
    project.write_text(text + "senders = [Sender(id='shop', address='shop@example.com')]\n")
    assert found(loaded=load("shop.py"))["channel email"] == "ok: EmlChannel"


def test_an_unknown_zone_fails() -> None:
    assert found(loaded=Loaded(zone="Europe/Nowhere"))["zone"].startswith("fail")
    assert found(loaded=Loaded(zone="Europe/Berlin"))["zone"].startswith("ok: Europe/Berlin")
