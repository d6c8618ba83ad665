"""Build one self-contained HTML page from sections of cards, figures, tables and time lines.

The page asks for nothing from the network, and its own security policy forbids it to. It prints, it follows
the reader's light or dark theme, and it reads well without its script, which only shows the facts of a step.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from typing import Literal, TypeAlias, assert_never, get_args

from attrs import field, frozen

from crmsdk.errors import DefinitionError
from crmsdk.reports._page_style import SCRIPT, STYLE
from crmsdk.reports.labels import ENGLISH, find_label
from crmsdk.reports.svg import Svg, theme_rules

__all__ = ["Block", "Cards", "Entry", "Figure", "Section", "Table", "Text", "Timeline", "Tone", "build_page"]

Tone: TypeAlias = Literal["plain", "good", "held", "bad"]

_ROOT_ID = re.compile(r'<svg [^>]*?\bid="([^"]*)"')
_ROOT_HEIGHT = re.compile(r'<svg [^>]*? height="([\d.]+)"')
_TALL = 1900  # pixels; shrunk to one printed page, a taller picture could not be read


@frozen
class Text:
    """A paragraph."""

    text: str


@frozen
class Cards:
    """Key figures: pairs of a name and a value, already written for a reader."""

    facts: tuple[tuple[str, str], ...]


@frozen
class Figure:
    """A picture.

    Args:
        svg: The picture, as the chart and graph functions give it.
        caption: What to see in it.
        facts: For each step id of a graph, pairs of a name and a value to show when the step is chosen.
    """

    svg: Svg
    caption: str = ""
    facts: Mapping[str, Sequence[tuple[str, str]]] = field(factory=dict, kw_only=True)


def _to_indexes(indexes: Iterable[int]) -> frozenset[int]:
    """Accept any collection of column indexes."""
    return frozenset(indexes)


@frozen
class Table:
    """A table of texts.

    Args:
        columns: Names of the columns.
        rows: Cells, one a column.
        caption: What the table lists.
        numeric: Indexes of columns with numbers, which stand at the right.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = field(default="", kw_only=True)
    numeric: frozenset[int] = field(default=frozenset(), kw_only=True, converter=_to_indexes)

    def __attrs_post_init__(self) -> None:
        """Refuse rows that do not fit the columns."""
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise DefinitionError(
                    f"row {number}: {len(row)} cells for {len(self.columns)} columns; give one for each"
                )


def _check_tone(_: object, __: object, value: str) -> None:
    """Refuse an unknown tone."""
    if value not in get_args(Tone):
        raise DefinitionError(f"tone {value!r} is unknown; give one of {', '.join(get_args(Tone))}")


@frozen
class Entry:
    """One thing that happened.

    Args:
        moment: When, already written for a reader.
        title: What.
        detail: Why, or more about it.
        tone: ``good`` for a goal, ``held`` for a message not sent yet, ``bad`` for a failure.
    """

    moment: str
    title: str
    detail: str = ""
    tone: Tone = field(default="plain", kw_only=True, validator=_check_tone)


@frozen
class Timeline:
    """What happened, in order."""

    entries: tuple[Entry, ...]


Block: TypeAlias = Text | Cards | Figure | Table | Timeline


@frozen
class Section:
    """A part of the page under a heading."""

    title: str
    blocks: tuple[Block, ...]


def build_page(
    title: str, sections: Sequence[Section], *, subtitle: str = "", labels: Mapping[str, str] = ENGLISH
) -> str:
    """Write the page.

    Args:
        title: Its title.
        sections: Its parts, in order.
        subtitle: One line under the title, as the span and the source of the data.
        labels: Words in the reader's language; ``lang`` names the language.

    Returns:
        A whole HTML document. The same parts give the same characters.

    Raises:
        DefinitionError: two pictures carry the same prefix.
    """
    _check_prefixes(sections)
    facts: dict[str, Mapping[str, Sequence[tuple[str, str]]]] = {}
    bodies: list[str] = []
    for number, section in enumerate(sections, 1):
        blocks = (
            _write_block(block, f"{number}-{at}", facts, labels) for at, block in enumerate(section.blocks)
        )
        bodies.append(
            f'<section id="part-{number}"><h2>{escape(section.title)}</h2>{"".join(blocks)}</section>'
        )
    head = (
        f"<header><h1>{escape(title)}</h1>" + (f"<p>{escape(subtitle)}</p>" if subtitle else "") + "</header>"
    )
    style = theme_rules(":root") + STYLE
    return "".join(
        (
            f'<!doctype html>\n<html lang="{escape(find_label(labels, "lang"))}"><head>',
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_write_policy()}">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{escape(title)}</title><style>{style}</style></head><body>",
            head,
            _write_contents(sections, labels),
            "<main>",
            *bodies,
            "</main>",
            f'<script type="application/json" id="facts">{_write_island(facts)}</script>' if facts else "",
            f"<script>{SCRIPT}</script>" if facts else "",
            "</body></html>\n",
        )
    )


def _check_prefixes(sections: Sequence[Section]) -> None:
    """Refuse two pictures with one prefix: their styles and ids would mix."""
    seen: set[str] = set()
    for figure in (block for section in sections for block in section.blocks if isinstance(block, Figure)):
        found = _ROOT_ID.match(figure.svg)
        prefix = found.group(1) if found else ""
        if prefix in seen:
            raise DefinitionError(f"figures: two carry the prefix {prefix!r}; give each picture its own")
        seen.add(prefix)


def _write_policy() -> str:
    """Allow the page its styles and its one script, by the script's hash, and nothing else."""
    digest = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _write_island(facts: Mapping[str, Mapping[str, Sequence[tuple[str, str]]]]) -> str:
    """Write facts as JSON that cannot end its script element or open a comment in it.

    Source:
        WHATWG HTML, "Restrictions for contents of script elements".
    """
    text = json.dumps(facts, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _write_contents(sections: Sequence[Section], labels: Mapping[str, str]) -> str:
    """Write links to the sections."""
    links = "".join(f'<a href="#part-{number}">{escape(s.title)}</a>' for number, s in enumerate(sections, 1))
    return (
        f'<nav aria-label="{escape(find_label(labels, "contents"))}">{links}</nav>'
        if len(sections) > 1
        else ""
    )


def _write_block(
    block: Block,
    key: str,
    facts: dict[str, Mapping[str, Sequence[tuple[str, str]]]],
    labels: Mapping[str, str],
) -> str:
    """Write one block; a figure's facts are put aside for the island."""
    match block:
        case Text():
            return f"<p>{escape(block.text)}</p>"
        case Cards():
            cards = "".join(
                f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in block.facts
            )
            return f'<dl class="cards">{cards}</dl>'
        case Figure():
            if block.facts:
                facts[key] = block.facts
            return _write_figure(block, key, labels)
        case Table():
            return _write_table(block)
        case Timeline():
            return f'<ol class="timeline">{"".join(_write_entries(block.entries))}</ol>'
        case _:
            assert_never(block)


def _write_figure(figure: Figure, key: str, labels: Mapping[str, str]) -> str:
    """Write a picture, its caption, and the place where facts appear."""
    caption = f"<figcaption>{escape(figure.caption)}</figcaption>" if figure.caption else ""
    picture = f'<div class="scroll">{figure.svg}</div>{caption}'
    height = _ROOT_HEIGHT.match(figure.svg)
    style = ' class="tall"' if height and float(height.group(1)) > _TALL else ""
    if not figure.facts:
        return f"<figure{style}>{picture}</figure>"
    hint = escape(find_label(labels, "choose_step"))
    aside = f'<aside aria-live="polite"><p>{hint}</p></aside>'
    return f'<figure{style} data-facts="{key}">{picture}{aside}</figure>'


def _write_table(table: Table) -> str:
    """Write a table that scrolls on its own where it is too wide."""

    def write_cells(tag: str, cells: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=number' if place in table.numeric else ''}>{escape(cell)}</{tag}>"
            for place, cell in enumerate(cells)
        )

    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    rows = "".join(f"<tr>{write_cells('td', row)}</tr>" for row in table.rows)
    head = f"<thead><tr>{write_cells('th', table.columns)}</tr></thead>"
    return f'<div class="scroll"><table>{caption}{head}<tbody>{rows}</tbody></table></div>'


def _write_entries(entries: Sequence[Entry]) -> Iterator[str]:
    """Write the points of a time line."""
    for entry in entries:
        detail = f"<p>{escape(entry.detail)}</p>" if entry.detail else ""
        yield (
            f'<li class="{escape(entry.tone)}"><time>{escape(entry.moment)}</time>'
            f"<div><b>{escape(entry.title)}</b>{detail}</div></li>"
        )
