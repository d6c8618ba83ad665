"""The face of the package: what it hands on, and how little it loads.

The order of every ``__all__`` is ruff's to hold (RUF022); that each is whole is held here.
"""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import crmsdk

FACE = Path(crmsdk.__file__)
HEAVY = ("aiosmtplib", "asyncio", "duckdb", "httpx", "jinja2", "numpy", "pydantic", "structlog", "tenacity")


def _typing_imports() -> dict[str, str]:
    """Read which name the face imports from which module for type checkers."""
    blocks = [
        node
        for node in ast.parse(FACE.read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    return {
        alias.asname or alias.name: node.module or ""
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _modules_after(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the top-level modules it has loaded."""
    probe = (
        f"{code}\nimport json, sys\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


def test_every_public_name_has_a_home_and_no_home_is_unlisted() -> None:
    assert sorted(crmsdk._HOMES) == sorted(crmsdk.__all__)


def test_type_checkers_see_the_same_homes() -> None:
    assert _typing_imports() == crmsdk._HOMES


def test_every_public_name_resolves_and_is_public_at_home() -> None:
    for name, home in crmsdk._HOMES.items():
        module = importlib.import_module(home)
        assert getattr(crmsdk, name) is getattr(module, name)
        assert name in module.__all__, f"{name} is not in {home}.__all__"


def test_completion_lists_the_public_names() -> None:
    assert dir(crmsdk) == sorted(crmsdk.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Jorney'"):
        crmsdk.__getattr__("Jorney")


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert _modules_after("import crmsdk").isdisjoint(HEAVY)


def test_asking_for_every_name_would_be_noticed() -> None:
    """The probe sees what is loaded: without this, the test above could pass blind."""
    assert "asyncio" in _modules_after("import asyncio")


def _is_published(name: str, value: object) -> bool:
    return not name.startswith("_") and not isinstance(value, ModuleType)


def _public_modules() -> list[str]:
    root = FACE.parent
    return sorted(
        ".".join(("crmsdk", *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
        for path in root.rglob("*.py")
        if not any(part.startswith("_") and part != "__init__.py" for part in path.relative_to(root).parts)
    )


@pytest.mark.parametrize("name", _public_modules())
def test_public_module_lists_names_that_exist_once_each(name: str) -> None:
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", None)
    if listed is None:
        # Only a package that hands nothing on may go without.
        listed = [entry for entry, value in vars(module).items() if _is_published(entry, value)]
        assert listed == []
    assert len(listed) == len(set(listed))
    assert [entry for entry in listed if not hasattr(module, entry)] == []
