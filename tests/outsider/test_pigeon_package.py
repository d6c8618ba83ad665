"""A stranger's channel package, written from the how-to, proves itself by our exported suites."""

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "crmsdk-pigeon"
SOURCE = PACKAGE / "src/crmsdk_pigeon/channel.py"
ALLOWED = re.compile(r"^from (crmsdk(?:\.[a-z][a-z_]*)+) import", re.MULTILINE)


def test_its_suite_passes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "pyproject.toml", "tests"],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 100


def test_it_uses_public_modules_only() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        named = [line for line in text.splitlines() if re.match(r"(from|import) crmsdk\.", line)]
        assert len(named) == len(ALLOWED.findall(text)), path


def test_the_how_to_shows_exactly_this_code() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/write-a-channel.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    shown = [block.strip() for block in blocks if "class Pigeon" in block or "class TextContent" in block]
    ours = "".join((SOURCE, PACKAGE / "tests/test_pigeon.py")[place].read_text() for place in (0, 1))
    assert len(shown) >= 4
    for block in shown:
        assert block in ours
