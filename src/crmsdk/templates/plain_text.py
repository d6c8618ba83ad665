"""A readable plain text made of an e-mail's HTML, for those whose reader shows no HTML."""

import re
from html.parser import HTMLParser

from typing_extensions import override

__all__ = ["plain_text"]

_SPACED = frozenset(
    {
        *("blockquote", "dl", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre"),
        *("table", "ul"),
    }
)
_BLOCKS = _SPACED | frozenset(
    {
        *("address", "article", "aside", "div", "dt", "dd", "fieldset", "footer", "form", "header"),
        *("li", "main", "nav", "section", "tr"),
    }
)
_SKIPPED = frozenset({"head", "script", "style", "title"})
_SPACE = re.compile(r"[ \t\r\n\f]+")


class _Reader(HTMLParser):
    """Collects text; the breaks around blocks are owed until the next text and never add up."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.links: list[tuple[str, int]] = []
        self.skipping = 0
        self.owed = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._break(tag)
        match tag:
            case "br":
                self.parts.append("\n")
            case "a":
                self.links.append((given.get("href") or "", len(self.parts)))
            case "img":
                self.handle_data(given.get("alt") or "")
            case "td" | "th":
                self.handle_data(" ")
            case "li":
                self._write("- ")
            case _ if tag in _SKIPPED:
                self.skipping += 1
            case _:
                pass

    @override
    def handle_endtag(self, tag: str) -> None:
        self._break(tag)
        if tag in _SKIPPED:
            self.skipping = max(0, self.skipping - 1)
        elif tag == "a" and self.links:
            target, start = self.links.pop()
            label = "".join(self.parts[start:]).strip()
            address = target.removeprefix("mailto:")
            if address and not address.startswith("#") and address != label:
                self._write(f" ({address})" if label else address)

    @override
    def handle_data(self, data: str) -> None:
        text = _SPACE.sub(" ", data)
        if text.strip() or not self.owed:
            self._write(text)

    def _write(self, text: str) -> None:
        if not self.skipping:
            self.parts.append("\n" * self.owed + text)
            self.owed = 0

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.owed = max(self.owed, 2 if tag in _SPACED else 1)


def plain_text(html: str) -> str:
    """Give the text of an HTML document: one line a block, links behind their labels, lists with dashes.

    Args:
        html: The document or a part of one; broken markup is read as browsers do, as far as it goes.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = "".join(reader.parts).split("\n")
    return "\n".join(_SPACE.sub(" ", line).strip() for line in lines).strip()
