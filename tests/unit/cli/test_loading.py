"""What a user's file may be, and what is said about one that cannot be used."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmsdk.cli.loading import load
from crmsdk.errors import ConfigError, DefinitionError, UnknownVersion
from crmsdk.model.codec import dumps

Say = Callable[..., Any]


def test_every_name_is_read(project: Path) -> None:
    loaded = load(str(project))
    assert [journey.name for journey in loaded.journeys] == ["repeat-purchase"]
    assert loaded.policy is not None
    assert loaded.catalog is not None
    assert loaded.templates is not None
    assert loaded.templates.names() == ("again",)
    assert (loaded.zone, loaded.url) == ("Europe/Moscow", "sqlite:///crm.db")
    assert loaded.secret is not None
    assert loaded.secret.reveal() == "of this project"
    assert "of this project" not in repr(loaded)


def test_a_list_named_journeys_goes_before_others(project: Path) -> None:
    text = (
        project.read_text()
        + "\nimport attrs\nother = attrs.evolve(repeat, name='other')\njourneys = [other]\n"
    )
    project.write_text(text)
    assert [journey.name for journey in load("shop.py").journeys] == ["other"]


def test_one_name_of_a_file_or_module(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write_text(project.read_text() + "\nimport attrs\nother = attrs.evolve(repeat, name='other')\n")
    assert [journey.name for journey in load("shop.py:other").journeys] == ["other"]
    monkeypatch.syspath_prepend(project.parent)
    assert [journey.name for journey in load("shop:other").journeys] == ["other"]
    with pytest.raises(ConfigError, match="shop has no name 'third'"):
        load("shop:third")


def test_a_journey_borne_by_two_names_is_taken_once(project: Path) -> None:
    project.write_text(project.read_text() + "\nagain = repeat\n")
    assert len(load("shop.py").journeys) == 1


def test_modules_beside_the_file_can_be_imported(project: Path) -> None:
    (project.parent / "beside_the_file.py").write_text("NAME = 'beside'\n")
    project.write_text(project.read_text() + "\nfrom beside_the_file import NAME\nzone = NAME\n")
    assert load("shop.py").zone == "beside"


def test_json_of_one_definition_and_of_many(project: Path) -> None:
    loaded = load("shop.py")
    (journey,) = loaded.journeys
    one = project.parent / "journey.json"
    one.write_text(dumps(journey))
    assert load("journey.json").journeys == (journey,)
    many = [json.loads(dumps(value)) for value in (journey, loaded.policy, loaded.catalog)]
    one.write_text(json.dumps(many))
    again = load("journey.json")
    assert (again.journeys, again.policy, again.catalog) == ((journey,), loaded.policy, loaded.catalog)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("{", DefinitionError, "is not JSON"),
        ('{"is": "journey"}', DefinitionError, "no format version"),
        ('{"crmsdk": 99, "is": "journey"}', UnknownVersion, "format version 99"),
        ('{"crmsdk": 1, "is": "poem"}', DefinitionError, "poem"),
        ("[7]", DefinitionError, "no format version"),
    ],
)
def test_broken_json_is_named(project: Path, text: str, error: type[Exception], said: str) -> None:
    (project.parent / "broken.json").write_text(text)
    with pytest.raises(error, match=said) as caught:
        load("broken.json")
    assert str(caught.value).startswith("broken.json: ")


def test_json_that_is_no_text_or_too_deep_is_named(project: Path) -> None:
    broken = project.parent / "broken.json"
    broken.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"broken.json is not UTF-8 text"):
        load("broken.json")
    broken.write_text("[" * 100_000)
    with pytest.raises(DefinitionError, match=r"broken.json: is nested deeper"):
        load("broken.json")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1/0", r"shop.py cannot be imported: ZeroDivisionError: division by zero \(line \d+\)"),
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("def broken(:", "SyntaxError: .*line"),
        ("raise SystemExit(1)", "ends the program when imported"),
        ("journeys = 7", "journeys is int; give a list of journeys"),
        ("journeys = [7]", "journeys holds int; give journeys only"),
        ("journeys = 'all'", "journeys is str"),
        ("policy = {}", "policy is dict; give ContactPolicy"),
        ("zone = 3", "zone is int; give str"),
        ("channels = 'email'", "channels is str; give a list of Channel"),
        ("templates = 3", "templates is int; give a folder, a mapping, or an engine"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_mend(project: Path, line: str, said: str) -> None:
    project.write_text(f"{project.read_text()}\n{line}\n")
    with pytest.raises(ConfigError, match=said):
        load("shop.py")


def test_functions_that_bear_a_documented_name_are_left_alone(project: Path) -> None:
    project.write_text("def policy(): ...\ndef channels(): ...\nimport json as templates\n")
    loaded = load("shop.py")
    assert (loaded.policy, loaded.channels, loaded.templates) == (None, None, None)


def test_an_impossible_definition_is_said_as_it_is(project: Path, say: Say) -> None:
    project.write_text(project.read_text().replace('"repeat-purchase"', '""'))
    said = say("validate", "shop.py")
    assert (said.status, said.err) == (2, "crmsdk: name: a journey needs a name\n")


def test_a_file_of_another_kind_is_refused(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"history.csv is no Python file"):
        load("history.csv")


def test_an_unknown_module_is_one_line(project: Path) -> None:
    with pytest.raises(ConfigError, match="no_such_shop cannot be imported: ModuleNotFoundError"):
        load("no_such_shop:journeys")
