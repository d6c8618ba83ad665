"""A stranger's store, written from the port's docstrings, proves itself by our exported suite."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "crmsdk-pocket"
SOURCE = PACKAGE / "src/crmsdk_pocket/store.py"
TEST = PACKAGE / "tests/test_pocket.py"
PAGE = Path(__file__).parents[2] / "docs/how-to/write-a-store.md"

BROKEN = """
from crmsdk_pocket.store import PocketStore
from crmsdk.testing.store_suite import StoreSuite


class BrokenStore(PocketStore):
{fault}


class TestBroken(StoreSuite):
    def open_store(self, folder):
        return BrokenStore(folder / "pocket")
"""


def _pytest(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", str(PACKAGE / "pyproject.toml"), *arguments],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout[-6000:]


def test_its_suite_passes_and_nothing_is_skipped() -> None:
    said = _pytest("tests")
    passed = re.search(r"^(\d+) passed in", said, re.MULTILINE)
    assert passed is not None, said
    assert int(passed[1]) > 100


COMMITS_ONE_BY_ONE = """
    async def commit(self, changes):
        return [(await super(BrokenStore, self).commit([change]))[0] for change in changes]
"""
TURNS_THE_QUEUE_ROUND = """
    async def claim(self, now, **asked):
        return (await super().claim(now, **asked))[::-1]
"""
KEEPS_IT_TO_ITSELF = """
    def __init__(self, path):
        super().__init__(path.with_name(f"{id(self)}"))
"""


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        (COMMITS_ONE_BY_ONE, "test_a_failed_call_wrote_nothing"),
        (TURNS_THE_QUEUE_ROUND, "test_messages_go_by_due_priority_score_and_id"),
        (KEEPS_IT_TO_ITSELF, "test_all_is_there_after_opening_again"),
    ],
    ids=lambda given: given.split("(")[0].split()[-1],
)
def test_a_broken_variant_is_caught(fault: str, promise: str, tmp_path: Path) -> None:
    path = tmp_path / "test_broken.py"
    path.write_text(BROKEN.format(fault=fault), encoding="utf-8")
    said = _pytest("--rootdir", str(tmp_path), "-k", promise, str(path))
    assert "1 failed" in said
    assert promise in said


def test_it_uses_public_modules_only() -> None:
    for path in (SOURCE, TEST):
        named = re.findall(
            r"^(?:from|import) (crmsdk\.[\w.]*)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
        assert named
        assert not [name for name in named if "._" in name]


def test_the_how_to_shows_exactly_this_code() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (store,) = (block for block in blocks if "class PocketStore" in block)
    (test,) = (block for block in blocks if "class TestPocketStore" in block)
    assert store.strip() in SOURCE.read_text(encoding="utf-8")
    assert test.partition("class")[2].strip() in TEST.read_text(encoding="utf-8")
