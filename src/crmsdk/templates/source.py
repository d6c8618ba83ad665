"""The file a marketer writes: header lines, a line ``---``, the body.

    subject: You left {{ count }} things behind
    preheader: They wait for you
    unsubscribe: {{ unsubscribe_url }}
    ---
    <p>Hello {{ name }}!</p>
    --- text
    Hello {{ name }}!

A file without any line ``---`` is all body. A body that holds such a line itself begins with one.
"""

from collections.abc import Collection
from difflib import get_close_matches

import attrs

from crmsdk.errors import InputError, TemplateError
from crmsdk.model.values import text

__all__ = ["SOURCE_MAX", "Piece", "Source", "read_source"]

SOURCE_MAX = 256 * 1024
"""The most characters a file may have: four times the longest e-mail that is sensible."""

_FENCE = "---"
_TEXT_FENCE = "--- text"


@attrs.frozen
class Piece:
    """A part of a file that is rendered by itself.

    Attributes:
        text: The part.
        line: The line of the file it begins at, counted from 1.
    """

    text: str
    line: int


@attrs.frozen(kw_only=True)
class Source:
    """A file taken apart.

    Attributes:
        headers: Names in lower case with their values, in the order of the file.
        body: What stands after ``---``; None when there is only a text part.
        text: What stands after ``--- text``; None without one.
    """

    headers: tuple[tuple[str, Piece], ...]
    body: Piece | None
    text: Piece | None

    def header(self, name: str) -> Piece | None:
        """Give the first header of a name; None without one."""
        return next((piece for found, piece in self.headers if found == name), None)


def read_source(
    template: str, file: str, source: str, *, known: Collection[str], repeats: Collection[str] = ()
) -> Source:
    """Take a file apart.

    Args:
        template: The template's name, for errors.
        file: The file's name, for errors.
        source: The file's text, lines ended by a line feed.
        known: The header names allowed; ``x-…`` allows every name that starts so.
        repeats: Those of them that may stand several times.

    Raises:
        TemplateError: too long, half a surrogate pair, a line above ``---`` that is no header, an unknown or
            empty header, or one that stands twice.
    """
    if len(source) > SOURCE_MAX:
        raise TemplateError(template, f"{file} has over {SOURCE_MAX} characters; shorten it")
    try:
        text(source, "text", empty=True)
    except InputError as error:
        raise TemplateError(template, f"{file} {error.problem}") from None
    lines = source.split("\n")
    fences = [at for at, line in enumerate(lines) if line.rstrip() in {_FENCE, _TEXT_FENCE}]
    if not fences:
        return Source(headers=(), body=Piece(source.strip("\n"), 1), text=None)
    first = fences[0]
    headers = tuple(
        _header(template, f"{file} line {number}", line, Piece("", number), known)
        for number, line in enumerate(lines[:first], 1)
        if line.strip()
    )
    names = [name for name, _ in headers]
    twice = next((name for name in names if names.count(name) > 1 and name not in repeats), None)
    if twice is not None:
        raise TemplateError(template, f"{file} has the header {twice!r} twice; keep one")
    text_at = next((at for at in fences if lines[at].rstrip() == _TEXT_FENCE), None)
    body = None if text_at == first else _piece(lines, first + 1, text_at)
    plain = None if text_at is None else _piece(lines, text_at + 1, None)
    return Source(headers=headers, body=body, text=plain)


def _piece(lines: list[str], start: int, end: int | None) -> Piece:
    return Piece("\n".join(lines[start:end]).strip("\n"), start + 1)


def _header(template: str, where: str, line: str, piece: Piece, known: Collection[str]) -> tuple[str, Piece]:
    name, colon, value = line.partition(":")
    name = name.strip().lower()
    if not colon:
        raise TemplateError(
            template, f"{where} is no header; write 'name: value', or begin the file with a line '---'"
        )
    if name not in known and not (name.startswith("x-") and "x-…" in known):
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
        raise TemplateError(template, f"{where} has the unknown header {name!r}; {hint}")
    if not value.strip():
        raise TemplateError(template, f"{where} has an empty header {name!r}; fill it in or remove the line")
    return name, attrs.evolve(piece, text=value.strip())
