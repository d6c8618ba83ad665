"""``crmsdk validate``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Say = Callable[..., Any]


def test_a_sound_project_is_ok(project: Path, say: Say) -> None:
    said = say("validate", "shop.py")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("journey 'repeat-purchase': ok  (")
    assert "policy: ok  (cap-6-7d, quiet-21:00-08:00)" in said.out
    assert "catalog: ok  (1 events, 0 attributes)" in said.out
    assert "error" not in said.out


def test_the_plan_is_printed_when_asked_for(project: Path, say: Say) -> None:
    assert "amount  integer" not in say("validate", "shop.py").out
    assert "amount  integer" in say("validate", "shop.py", "--catalog").out


def test_a_plan_that_is_not_there_is_an_error(project: Path, say: Say) -> None:
    project.write_text(project.read_text() + "\ncatalog = None\n")
    said = say("validate", "shop.py", "--catalog")
    assert said.status == 2
    assert "there is no tracking plan" in said.err


def test_every_fault_is_printed_with_its_path(project: Path, say: Say) -> None:
    text = (
        project.read_text()
        .replace('Send("again",', 'Send("agian",')
        .replace("    goal=did(Purchase).since_entry(),\n", "")
    )
    project.write_text(text)
    said = say("validate", "shop.py")
    assert said.status == 1
    assert "journey 'repeat-purchase': cannot run" in said.out
    assert "error    goal: is missing" in said.out
    assert "error    steps[1].template: " in said.out
    assert "'again'" in said.out


def test_channels_are_checked_only_where_the_file_says_them(project: Path, say: Say) -> None:
    assert say("validate", "shop.py").status == 0
    project.write_text(
        project.read_text()
        + "\nfrom crmsdk.channels.memory import MemoryChannel\nchannels = [MemoryChannel('sms')]\n"
    )
    said = say("validate", "shop.py")
    assert said.status == 1
    assert "email" in said.out


def test_a_link_of_the_runtime_is_no_missing_variable(project: Path, say: Say) -> None:
    project.write_text(project.read_text().replace('unsubscribe = "https', 'elsewhere = "https'))
    said = say("validate", "shop.py")
    assert "unsubscribe_url" in said.out


def test_two_journeys_of_one_name_cannot_run(project: Path, say: Say) -> None:
    project.write_text(project.read_text() + "\nimport attrs\nother = attrs.evolve(repeat, kind='service')\n")
    said = say("validate", "shop.py")
    assert said.status == 1
    assert "name: 2 journeys bear it; rename all but one" in said.out


def test_a_file_without_definitions_is_an_error(project: Path, say: Say) -> None:
    project.write_text("answer = 42\n")
    said = say("validate", "shop.py")
    assert said.status == 2
    assert "defines no journey" in said.err
