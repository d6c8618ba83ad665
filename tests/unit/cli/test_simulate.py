"""``crmsdk simulate``."""

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Say = Callable[..., Any]
SPAN = ("--start", "2026-01-01", "--until", "2026-03-01")


def test_history_is_played_and_counted(project: Path, say: Say) -> None:
    said = say("simulate", "shop.py", "--history", "history.csv", *SPAN)
    assert said.status == 0
    assert "2025-12-31 to 2026-02-28, 2 customers" in said.out  # midnight in Moscow is the evening before
    assert said.out.count("repeat-purchase") == 2
    assert "busiest day" in said.out


def test_rows_not_taken_are_told_on_stderr(project: Path, say: Say) -> None:
    said = say("simulate", "shop.py", "--history", "history.csv", *SPAN)
    assert "history: 5 rows, 2 rejected\n" in said.err
    assert "history.csv: row 4: field 'customer': is missing; fill it in\n" in said.err
    assert "history.csv: row 5: field 'purchase.amount': is text; give integer\n" in said.err


def test_of_many_rows_not_taken_some_are_told(project: Path, say: Say) -> None:
    path = project.parent / "history.csv"
    path.write_text(path.read_text() + ",purchase,2026-01-21T10:00:00Z,x,1\n" * 9)
    said = say("simulate", "shop.py", "--history", "history.csv", *SPAN)
    assert said.err.count("history.csv: row ") == 5
    assert "history.csv: and 6 more\n" in said.err


def test_the_same_seed_gives_the_same_report(project: Path, say: Say) -> None:
    project.write_text(
        project.read_text()
        + "\nfrom crmsdk.simulation import ConstantResponses\n"
        + "responses = ConstantResponses(opens=0.9, clicks=0.9, buys=0.9, event='purchase', "
        + "properties=lambda message: {'amount': 5})\n"
    )
    span = ("--start", "2026-01-01", "--until", "2027-01-01")
    words = ("simulate", "shop.py", "--history", "history.csv", *span)
    first = say(*words, "--seed", "1").out
    assert say(*words, "--seed", "1").out == first
    assert say(*words, "--seed", "2").out != first


def test_sends_by_and_a_timeline(project: Path, say: Say) -> None:
    words = ("simulate", "shop.py", "--history", "history.csv", *SPAN)
    said = say(*words, "--by", "channel,template", "--timeline", "bob")
    assert "channel  template  sends" in said.out
    assert "message sent" in said.out
    assert say(*words, "--by", "colour").status == 2
    assert "unknown grouping 'colour'" in say(*words, "--by", "colour").err
    assert "unknown customer 'zoe'" in say(*words, "--timeline", "zoe").err


def test_a_map_in_the_file_reads_the_table(project: Path, say: Say) -> None:
    table = "who,when,pence\nann,2026-01-05 10:00,100\nbob,2026-01-06 10:00,\n"
    (project.parent / "orders.csv").write_text(table)
    project.write_text(
        project.read_text()
        + "\nfrom crmsdk.wire.maps import EventMap\nfrom crmsdk.wire.wall_clock import WallClock\n"
        + "placed = WallClock('when', 'Europe/London')\n"
        + "orders = EventMap(event='purchase', customer='who', id=None, at=placed, "
        + "properties={'amount': 'pence'})\n"
    )
    said = say("simulate", "shop.py", "--history", "orders.csv", *SPAN)
    assert said.status == 0
    assert "history: 2 rows, 1 rejected" in said.err
    assert say("simulate", "shop.py", "--history", "orders=orders.csv", *SPAN).out == said.out


def test_a_table_that_several_maps_could_read_must_name_one(project: Path, say: Say) -> None:
    project.write_text(
        project.read_text()
        + "\nfrom crmsdk.wire.maps import CustomerMap, EventMap\n"
        + "orders = EventMap(event='purchase', customer='who', id=None, at='when')\n"
        + "people = CustomerMap(identifiers={'user': 'who'}, at='when')\n"
    )
    said = say("simulate", "shop.py", "--history", "history.csv", *SPAN)
    assert "there are 2 maps; say which reads history.csv: --history orders=history.csv" in said.err
    said = say("simulate", "shop.py", "--history", "order=history.csv", *SPAN)
    assert "unknown map 'order'; did you mean 'orders'?" in said.err


def test_json_lines_are_read_also_from_gzip(project: Path, say: Say) -> None:
    line = {
        "type": "track",
        "userId": "ann",
        "event": "purchase",
        "timestamp": "2026-01-05T10:00:00Z",
        "messageId": "e1",
        "properties": {"amount": 100},
    }
    text = json.dumps(line) + "\nnot json\n"
    (project.parent / "events.jsonl").write_text(text)
    with gzip.open(project.parent / "events.ndjson.gz", "wt") as file:
        file.write(text)
    plain = say("simulate", "shop.py", "--history", "events.jsonl", *SPAN)
    assert plain.status == 0
    assert "history: 2 rows, 1 rejected" in plain.err
    assert say("simulate", "shop.py", "--history", "events.ndjson.gz", *SPAN).out == plain.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--start", "2026-01-01", "--until", "2026-01-01"), "field 'until': is not after start"),
        (("--start", "0001-01-01", "--until", "2026-01-01"), "field 'start': lies outside the years"),
        (("--start", "01.02.2026", "--until", "2026-01-01"), "field 'start': is no date"),
        (("--start", "2026-01-01T09:00", "--until", "2026-02-01"), "field 'start': is text without an o"),
    ],
)
def test_a_wrong_span_is_named(project: Path, say: Say, words: tuple[str, ...], said: str) -> None:
    found = say("simulate", "shop.py", "--history", "history.csv", *words)
    assert found.status == 2
    assert said in found.err


def test_a_moment_with_an_offset_is_taken_as_it_is(project: Path, say: Say) -> None:
    words = ("--start", "2026-01-01T00:00+03:00", "--until", "2026-03-01T00:00+03:00")
    exact = say("simulate", "shop.py", "--history", "history.csv", *words)
    assert exact.out == say("simulate", "shop.py", "--history", "history.csv", *SPAN).out


def test_the_zone_must_be_said_somewhere(project: Path, say: Say) -> None:
    project.write_text(project.read_text().replace("zone = ", "town = "))
    assert "zone is missing" in say("simulate", "shop.py", "--history", "history.csv", *SPAN).err
    assert say("simulate", "shop.py", "--history", "history.csv", *SPAN, "--zone", "UTC").status == 0


def test_a_table_without_the_columns_is_named(project: Path, say: Say) -> None:
    (project.parent / "odd.csv").write_text("client,event,at\nann,purchase,2026-01-05T10:00:00Z\n")
    assert "unknown column 'customer'" in say("simulate", "shop.py", "--history", "odd.csv", *SPAN).err


def test_a_history_without_facts_is_an_error(project: Path, say: Say) -> None:
    (project.parent / "empty.csv").write_text("customer,event,at\n,purchase,2026-01-05T10:00:00Z\n")
    assert "holds no facts" in say("simulate", "shop.py", "--history", "empty.csv", *SPAN).err


def test_a_file_without_journeys_is_an_error(project: Path, say: Say) -> None:
    project.write_text("zone = 'UTC'\n")
    assert "nothing to simulate" in say("simulate", "shop.py", "--history", "history.csv", *SPAN).err


def test_the_page_is_written(project: Path, say: Say) -> None:
    said = say("simulate", "shop.py", "--history", "history.csv", *SPAN, "--html", "report.html")
    assert "written to report.html" in said.out
    assert "<svg" in (project.parent / "report.html").read_text()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_progress_line_is_for_terminals_only(
    project: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "simulating" not in say("simulate", "shop.py", "--history", "history.csv", *SPAN).err
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    say("simulate", "shop.py", "--history", "history.csv", *SPAN)
    assert "\rsimulating 2026-01-" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\033[K")
