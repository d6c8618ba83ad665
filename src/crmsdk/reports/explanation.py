"""Show why a person is in a segment, or is not: a tree for a terminal, a notebook, or a page of one's own."""

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from attrs import field, frozen

from crmsdk.segments.explain import Line, lines
from crmsdk.segments.phrases import Language
from crmsdk.segments.verdict import Because, Verdict

__all__ = ["Explanation", "explanation"]

# Okabe and Ito's green and vermilion: they differ for every kind of colour vision, and the words say it, too.
_STYLE = (
    ".crmsdk-why{font:14px/1.5 system-ui,sans-serif}"
    ".crmsdk-why ul{list-style:none;margin:0;padding-left:1.4em;border-left:1px solid #94a0b055}"
    ".crmsdk-why>ul{padding-left:0;border:0}"
    ".crmsdk-why b{display:inline-block;min-width:2.6em;color:#d55e00}"
    ".crmsdk-why .holds>b{color:#009e73}"
    ".crmsdk-why small{opacity:.75;overflow-wrap:anywhere}"
)


@frozen
class Explanation:
    """Every part of a verdict in words, in the order of the definition.

    Printed it is an indented tree; a notebook shows it as HTML. The values found are shown, and attributes
    may be personal: keep it from people who may not see them. The repr shows none.

    Attributes:
        lines: The parts, each before its own parts.
    """

    lines: tuple[Line, ...] = field(repr=False)

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        return "\n".join(
            f"{'  ' * line.depth}{line.answer:3} {'; '.join((line.text, *_notes(line)))}"
            for line in self.lines
        )

    def to_html(self) -> str:
        """Give a fragment of HTML with its own style: no script, nothing from the network."""
        return f'<div class="crmsdk-why"><style>{_STYLE}</style><ul>{"".join(_items(self.lines))}</ul></div>'

    def _repr_html_(self) -> str:
        return self.to_html()


def explanation(verdict: Verdict | Because, language: Language = "en") -> Explanation:
    """Say why, part by part: what was found, which events counted, and until when it holds.

    Raises:
        DefinitionError: a language we do not speak.
    """
    return Explanation(tuple(lines(verdict, language)))


def _notes(line: Line) -> tuple[str, ...]:
    return tuple(filter(None, (line.found, *line.counted, line.until)))


def _items(all_lines: tuple[Line, ...]) -> Iterator[str]:
    end = Line(depth=0, matched=False, answer="", text="", found="", counted=(), until="")
    for line, following in pairwise((*all_lines, end)):
        notes = f" <small>{escape('; '.join(_notes(line)))}</small>" if _notes(line) else ""
        holds = ' class="holds"' if line.matched else ""
        yield f"<li{holds}><b>{escape(line.answer)}</b>{escape(line.text)}{notes}"
        deeper = following.depth - line.depth
        yield "<ul>" if deeper > 0 else "</li>" + "</ul></li>" * -deeper
