"""``crmsdk preview``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmsdk.blocking import Crm

Say = Callable[..., Any]
WORDS = ("preview", "shop.py", "again", "--customer", "ann", "--via", "email")


@pytest.fixture
def known(project: Path) -> Path:
    with Crm.open("sqlite:///crm.db", zone="Europe/Moscow") as crm:
        crm.identify("ann", {"name": "Ann"}, email="ann@example.com")
    return project


def test_text_and_decision_are_shown(known: Path, say: Say) -> None:
    said = say(*WORDS, "--set", "amount=90")
    assert (said.status, said.err) == (0, "")
    assert "Again, Ann?" in said.out
    assert "You spent 90." in said.out
    assert "policy    " in said.out


def test_nothing_is_written(known: Path, say: Say) -> None:
    with Crm.open("sqlite:///crm.db", zone="UTC") as crm:
        before = str(crm.timeline("ann"))
    say(*WORDS, "--set", "amount=90")
    with Crm.open("sqlite:///crm.db", zone="UTC") as crm:
        assert str(crm.timeline("ann")) == before
        assert not crm.programs.pinned


def test_the_policys_answer_follows_the_person(known: Path, say: Say) -> None:
    with Crm.open("sqlite:///crm.db", zone="UTC") as crm:
        crm.consent("ann", "withdrawn", channel="email", purpose="promo")
    assert "policy    refuse" in say(*WORDS, "--set", "amount=90").out


def test_a_missing_variable_is_named(known: Path, say: Say) -> None:
    said = say(*WORDS)
    assert said.status == 2
    assert "template 'again'" in said.err
    assert "amount" in said.err


def test_values_are_json_or_text(known: Path, say: Say) -> None:
    assert "You spent ninety." in say(*WORDS, "--set", "amount=ninety").out
    assert "--set needs a name and a value" in say(*WORDS, "--set", "amount").err


def test_an_unknown_customer_is_named(known: Path, say: Say) -> None:
    said = say("preview", "shop.py", "again", "--customer", "zoe", "--via", "email", "--set", "amount=90")
    assert said.status == 2
    assert "unknown customer 'zoe'" in said.err


def test_an_unknown_template_is_named(known: Path, say: Say) -> None:
    said = say("preview", "shop.py", "agian", "--customer", "ann", "--via", "email")
    assert said.status == 2
    assert "agian" in said.err


def test_a_missing_database_is_not_made(project: Path, say: Say) -> None:
    said = say(*WORDS)
    assert "there is no database 'crm.db'" in said.err
    assert not (project.parent / "crm.db").exists()


def test_the_command_line_goes_before_the_file(known: Path, say: Say) -> None:
    said = say(*WORDS, "--db", "sqlite:///other.db")
    assert "there is no database 'other.db'" in said.err


def test_what_is_missing_in_the_file_is_named(known: Path, say: Say) -> None:
    text = known.read_text()
    known.write_text(text.replace("url = ", "link = "))
    assert "say url = 'sqlite:///crm.db'" in say(*WORDS).err
    known.write_text(text.replace("templates = ", "texts = "))
    assert "there are no templates" in say(*WORDS).err
