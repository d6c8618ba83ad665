"""What the project says it needs is what it imports, and all of it is pinned."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OURS: Final = {"crmsdk", "bench", "crmsdk_pigeon", "crmsdk_pocket", "pigeon", "scripts", "tests"}

# Distributions of the bench group whose module bears another name; that group need not be installed here.
OTHERWISE_NAMED: Final = {
    "cel": ["common-expression-language"],
    "chdb": ["chdb-core"],
    "ibis": ["ibis-framework"],
    "json_logic": ["json-logic-qubit"],
    "statemachine": ["python-statemachine"],
}

DISTRIBUTIONS: Final = OTHERWISE_NAMED | dict(packages_distributions())
NEVER_IMPORTED: Final = {
    "sniffio": "httpcore imports it on each lock",
    "tzdata": "zoneinfo reads it where the system has no zone data",
}


def _plain(requirement: str) -> str:
    """Normalise the name of a requirement (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]).lower()


def _names(requirements: Iterable[str]) -> set[str]:
    return {_plain(requirement) for requirement in requirements} - {"crmsdk"}


def _core() -> set[str]:
    return _names(PROJECT["project"]["dependencies"])


def _extras() -> set[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    return _names(requirement for extra in extras for requirement in extra)


def _group(name: str) -> set[str]:
    return _names(entry for entry in PROJECT["dependency-groups"][name] if isinstance(entry, str))


def _imported(folder: str) -> set[str]:
    """Return the distributions that a folder's files import, the standard library and our own left out."""
    found: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    outside = found - set(sys.stdlib_module_names) - OURS
    return {_plain(name) for package in outside for name in DISTRIBUTIONS.get(package, [package])}


@pytest.mark.parametrize(
    ("folder", "groups"),
    [("src", ["test"]), ("tests", ["test", "engines"]), ("bench", ["test", "bench"]), ("scripts", ["test"])],
)
def test_everything_imported_is_declared(folder: str, groups: list[str]) -> None:
    declared = _core() | _extras()
    if folder == "src":
        # Exported suites and the pytest plug-in run inside the user's own pytest.
        declared |= {"pytest", "hypothesis"}
        declared |= {"pydantic-core"}  # the other half of pydantic, of one release with it
    else:
        declared |= {name for group in groups for name in _group(group)}
    assert _imported(folder) - declared == set()


def test_everything_declared_for_running_is_used() -> None:
    assert (_core() | _extras()) - _imported("src") - set(NEVER_IMPORTED) == set()


def test_the_extra_all_holds_every_other_extra() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    named = set(re.findall(r"crmsdk\[([\w,-]+)\]", " ".join(extras["all"])))
    held = {name for names in named for name in names.split(",")}
    # What tests need is no part of an application, and Spark is 490 MB.
    assert set(extras) - {"all", "demo", "spark", "testing"} == held


def test_every_version_is_pinned_without_an_address() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9-]+==[\w.+!]+", pin)] == []
    pinned = {pin.partition("==")[0] for pin in pins}
    groups = {name for group in PROJECT["dependency-groups"] for name in _group(group)}
    assert (_core() | _extras() | groups | _names(PROJECT["build-system"]["requires"])) - pinned == set()


def test_no_project_file_names_a_registry() -> None:
    files = ["pyproject.toml", "constraints.txt", "Makefile", ".ci/run"]
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in files)
    assert re.findall(r"(?:index-url|find-links|://)\S*", text) == []
