"""What all commands share: help, errors as one line, status, speed of the start."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crmsdk.cli import main
from crmsdk.errors import ConfigError

Say = Callable[..., Any]


def test_version_names_the_release(say: Say) -> None:
    said = say("version")
    assert said.status == 0
    assert said.out.startswith(f"crmsdk {version('crmsdk')} on Python 3.")


def test_the_installed_script_runs() -> None:
    script = Path(sys.executable).parent / "crmsdk"
    done = subprocess.run([script, "version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("crmsdk ")


@pytest.mark.parametrize("words", [["--help"], ["simulate", "--help"], ["doctor", "--help"]])
def test_help_tells_what_file_means(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert "journeys    a list of journeys" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["simulat"], ["validate"]])
def test_a_wrong_command_line_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: crmsdk" in capsys.readouterr().err


def test_an_error_is_one_line_and_status_2(say: Say) -> None:
    said = say("validate", "nowhere.py")
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        "crmsdk: there is no file 'nowhere.py'; give a Python file, a JSON file, or module:name\n"
    )


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(ConfigError):
        main(["validate", "nowhere.py", "--debug"])


def test_a_file_that_cannot_be_opened_is_one_line(project: Path, say: Say) -> None:
    span = ("--start", "2026-01-01", "--until", "2026-02-01")
    said = say("simulate", "shop.py", "--history", "missing.jsonl", *span)
    assert said.status == 2
    assert said.err == "crmsdk: No such file or directory: missing.jsonl\n"


def test_an_interrupt_is_status_130(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(spec: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("crmsdk.cli.validate.load", interrupted)
    said = say("validate", "shop.py")
    assert (said.status, said.err) == (130, "crmsdk: interrupted\n")


def test_demo_reads_its_own_words(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    demo = ModuleType("crmsdk.demo")

    def play(argv: list[str]) -> int:
        given.extend(argv)
        return 3

    demo.main = play  # type: ignore[attr-defined]  # a module made up here
    monkeypatch.setitem(sys.modules, "crmsdk.demo", demo)
    assert say("demo", "--out", "page.html").status == 3
    assert given == ["--out", "page.html"]


def test_the_path_of_imports_is_left_as_it_was(project: Path, say: Say) -> None:
    before = list(sys.path)
    assert say("validate", str(project)).status == 0
    assert sys.path == before


def _loaded_by(*words: str, folder: Path) -> set[str]:
    code = f"""
import json, sys
from crmsdk.cli import main
main({list(words)!r})
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr))


def test_each_command_loads_only_what_it_needs(project: Path) -> None:
    heavy = {"asyncio", "httpx", "jinja2", "pydantic", "sqlite3", "structlog", "tenacity"}
    assert _loaded_by("version", folder=project.parent) & (heavy | {"attrs", "crmsdk.journeys"}) == set()
    assert _loaded_by("validate", "shop.py", folder=project.parent) & (heavy - {"jinja2"}) == set()
    assert _loaded_by("doctor", folder=project.parent) & (heavy - {"sqlite3", "asyncio"}) == set()
