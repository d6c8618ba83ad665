"""A small project of a user, as files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from crmsdk.cli import main

PROJECT = '''
"""Made for the tests of the command line."""

from datetime import timedelta as td

from crmsdk import (
    Catalog, ContactPolicy, EventType, Journey, Prop, Send, Sender, Wait, cap, did, on, quiet,
)


class Purchase(EventType, name="purchase"):
    amount: Prop[int]


catalog = Catalog([Purchase], strict=False)
repeat = Journey(
    "repeat-purchase",
    enter=on(Purchase),
    goal=did(Purchase).since_entry(),
    steps=[Wait(td(days=30)), Send("again", via="email", key="again")],
    kind="promo",
)
policy = ContactPolicy(cap(6, within=td(days=7)), quiet("21:00", "08:00"))
templates = "templates"
zone = "Europe/Moscow"
url = "sqlite:///crm.db"
unsubscribe = "https://example.com/u/{token}"
secret = "of this project"
'''
EMAIL = """subject: Again, {{ name | default('friend') }}?
unsubscribe: {{ unsubscribe_url }}
---
<p>You spent {{ amount }}.</p><p><a href="{{ unsubscribe_url }}">No more</a></p>
"""
HISTORY = """customer,event,at,id,amount
ann,purchase,2026-01-05T10:00:00Z,e1,100
bob,purchase,2026-01-06T10:00:00Z,e2,200
ann,purchase,2026-01-20T10:00:00Z,e3,300
,purchase,2026-01-21T10:00:00Z,e4,300
cat,purchase,2026-01-22T10:00:00Z,e5,many
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project's folder and go there; give the path of its file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "templates" / "again").mkdir(parents=True)
    (tmp_path / "templates" / "again" / "email.en").write_text(EMAIL, encoding="utf-8")
    (tmp_path / "history.csv").write_text(HISTORY, encoding="utf-8")
    path = tmp_path / "shop.py"
    path.write_text(PROJECT, encoding="utf-8")
    return path


class Said:
    """What one command gave."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command in this process."""

    def run(*words: str) -> Said:
        status = main(words)
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return run
