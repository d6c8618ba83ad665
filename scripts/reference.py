"""Write the pages of the reference: one a public package, one section a public module.

``make reference`` writes ``docs/reference``; a test holds the pages equal to what this would write. The text
itself comes from the docstrings when the documentation is built. Modules are read, not imported.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

ROOT: Final = Path(__file__).parent.parent
SOURCE: Final = ROOT / "src" / "crmsdk"
REFERENCE: Final = ROOT / "docs" / "reference"
INTRODUCTION: Final = """# Reference

Written from the docstrings. Most names can be imported from `crmsdk` itself; each page says where they live.

| Module | What it is |
|---|---|
"""


@frozen
class Module:
    """What a page needs to know of a module."""

    name: str
    summary: str
    names: frozenset[str]


def _read(path: Path) -> Module:
    """Read a module's dotted name, the first line of its docstring, and its ``__all__``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    listed: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            listed.update(ast.literal_eval(node.value))
    return Module(
        name=".".join(parts).removesuffix(".__init__"),
        summary=(ast.get_docstring(tree) or "").partition("\n")[0],
        names=frozenset(listed),
    )


def _is_public(path: Path) -> bool:
    parts = path.relative_to(SOURCE).parts
    return path.name != "__init__.py" and not any(part.startswith("_") for part in parts)


def _families() -> Iterator[list[Module]]:
    """Hand out each public module right below ``crmsdk``, a package with the public modules inside it."""
    for path in sorted(SOURCE.iterdir(), key=lambda path: path.stem):
        if (path / "__init__.py").exists() and not path.name.startswith("_"):
            inner = [_read(module) for module in sorted(path.rglob("*.py")) if _is_public(module)]
            yield [_read(path / "__init__.py"), *inner]
        elif path.suffix == ".py" and _is_public(path):
            yield [_read(path)]


def _page(head: Module, inner: list[Module]) -> str:
    """Write one page; a module that its package hands on whole gets no section of its own."""
    lines = [f"# `{head.name}`", "", f"::: {head.name}"]
    for module in inner:
        if module.names - head.names:
            lines += ["", f"## `{module.name}`", "", f"::: {module.name}"]
            lines += ["    options:", "      heading_level: 3"]
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Return every page of the reference by its file name."""
    made: dict[str, str] = {}
    index = INTRODUCTION
    for head, *inner in _families():
        file = f"{head.name.rpartition('.')[2]}.md"
        made[file] = _page(head, inner)
        index += f"| [`{head.name}`]({file}) | {head.summary} |\n"
    return {"index.md": index} | made


def main() -> None:
    """Write the pages and remove those whose package is gone."""
    wanted = pages()
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for stale in REFERENCE.glob("*.md"):
        if stale.name not in wanted:
            stale.unlink()
    for name, text in wanted.items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
