"""The documentation runs: every Python block of README and docs, and every example in a docstring.

The blocks of one page share a namespace and run from top to bottom in an empty folder. A block may use
``await`` and ``async with`` as a notebook may; one event loop serves the page. What a page needs but a reader
does not is written in an invisible block: ``<!-- invisible-code-block: python`` … ``-->``.
"""

import ast
import asyncio
import codeop
import contextlib
import doctest
import importlib
import inspect
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, SkipParser

import crmsdk
from scripts.readme_picture import PICTURE, picture
from scripts.reference import REFERENCE, pages

ROOT: Final = Path(__file__).parent.parent
SOURCE: Final = Path(crmsdk.__file__).parent
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def _run(example: Example) -> None:
    """Run one block with the page's namespace, on the page's loop when it awaits."""
    source = "\n" * (example.line + example.parsed.line_offset) + example.parsed
    code = compile(source, example.path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    runner: asyncio.Runner = example.document.namespace["__runner__"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        awaited = eval(code, example.namespace)  # noqa: S307  # our own pages; running them is the point
        if inspect.iscoroutine(awaited):
            runner.run(awaited)
    example.document.namespace[_PRINTED] = example.document.namespace.get(_PRINTED, "") + printed.getvalue()


def _compare(example: Example) -> None:
    """Hold what a page says is printed against what was printed since the last such block."""
    printed = _lines(example.document.namespace.pop(_PRINTED, ""))
    claimed = _lines(example.parsed)
    pattern = re.escape(claimed).replace(re.escape("..."), ".*")
    assert re.fullmatch(pattern, printed, re.DOTALL), f"printed was:\n{printed}"


def _lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


_PRINTED: Final = "__printed__"
READER: Final = Sybil([CodeBlockParser("python", _run), CodeBlockParser("output", _compare), SkipParser()])


def _has_python(page: Path) -> bool:
    return any(READER.parse(page).examples())


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if _has_python(page)], ids=_name)
def test_page_runs(
    page: Path, runner: asyncio.Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document = READER.parse(page)
    document.namespace["__runner__"] = runner
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "tutorials").rglob("*.md")), ids=_name)
def test_a_tutorial_can_be_typed_at_the_prompt(page: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    read = codeop.CommandCompiler()
    read.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    for block in blocks:
        typed: list[str] = []
        for line in (*block.splitlines(), ""):
            typed.append(line)
            if read("\n".join(typed)) is not None:
                typed = []
        assert not typed, block


def _modules_with_examples() -> list[str]:
    return sorted(
        ".".join(("crmsdk", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        for path in SOURCE.rglob("*.py")
        if ">>> " in path.read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("name", _modules_with_examples())
def test_docstring_examples_run(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_the_reference_has_a_page_for_every_public_module() -> None:
    written = {page.name: page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md")}
    assert written == pages(), "run `make reference`"


def test_the_picture_of_the_example_is_up_to_date() -> None:
    assert PICTURE.read_text(encoding="utf-8") == picture(), "run `python -m scripts.readme_picture`"


def test_every_page_is_in_the_navigation_and_on_the_map() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    front = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = [
        page.relative_to(ROOT / "docs").as_posix()
        for part in ("tutorials", "how-to", "explanation")
        for page in (ROOT / "docs" / part).glob("*.md")
    ]
    assert [page for page in pages if f"- {page}\n" not in navigation] == []
    assert [page for page in pages if f"]({page})" not in front] == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=_name)
def test_a_page_beside_the_documentation_links_to_what_exists(page: Path) -> None:
    """The builder of the documentation checks its own pages only."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_decision_is_listed_once() -> None:
    folder = ROOT / "docs" / "adr"
    listed = (folder / "index.md").read_text(encoding="utf-8")
    decisions = sorted(page.name for page in folder.glob("[0-9]*.md"))
    assert [name for name in decisions if listed.count(f"({name})") != 1] == []
    numbers = [name.partition("-")[0] for name in decisions]
    assert len(numbers) == len(set(numbers))


# --- the checker itself -----------------------------------------------------------------------------------


def _play(text: str, runner: asyncio.Runner, folder: Path) -> None:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    document = READER.parse(page)
    document.namespace["__runner__"] = runner
    for example in document.examples():
        example.evaluate()


def test_a_block_sees_the_blocks_before_it_and_may_await(runner: asyncio.Runner, tmp_path: Path) -> None:
    text = """
```python
import asyncio
answer = 42
```
<!-- invisible-code-block: python
hidden = answer
-->
```python
await asyncio.sleep(0)
assert hidden == 42
```
```text
not python
```
"""
    _play(text, runner, tmp_path)


PRINTS: Final = """
```python
print("one")
```
```python
print("two", 2)
```
```output
one
{claim}
```
"""


def test_what_a_page_says_is_printed_is_printed(runner: asyncio.Runner, tmp_path: Path) -> None:
    _play(PRINTS.format(claim="two 2"), runner, tmp_path)
    _play(PRINTS.format(claim="two ..."), runner, tmp_path)


@pytest.mark.parametrize("claim", ["two 3", "two", "three ...", ""])
def test_a_wrong_claim_about_what_is_printed_is_seen(
    claim: str, runner: asyncio.Runner, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="printed was"):
        _play(PRINTS.format(claim=claim), runner, tmp_path)


def test_a_wrong_claim_in_a_page_is_seen_with_its_line(runner: asyncio.Runner, tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as failed:
        _play("text\n\n```python\nassert 1 == 2\n```\n", runner, tmp_path)
    assert failed.traceback[-1].lineno == 3


def test_a_wrong_claim_after_await_is_seen(runner: asyncio.Runner, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        _play("```python\nimport asyncio\nawait asyncio.sleep(0)\nassert 1 == 2\n```\n", runner, tmp_path)
