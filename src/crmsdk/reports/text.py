"""Measure and wrap words without a font at hand.

Pictures are laid out before anybody's browser has chosen a font, so widths are estimates from above: they are
those of a wide system font. In a narrower font the words get more room, never less.

Source:
    Advance widths of DejaVu Sans 2.37, rounded to 0.05 em; its bold is 1.11 times as wide on average.
"""

# ruff: noqa: RUF001 - Cyrillic letters that look Latin are measured here, too

import unicodedata
from collections.abc import Iterator

__all__ = ["cut", "text_width", "wrap"]

_WIDTHS = {
    char: width / 100
    for width, chars in {
        30: "' ,.IJijl·’\u00a0",
        20: "\u2009\u202f",
        35: "-/:;\\f|",
        40: "!()[]rt",
        45: '"',
        50: "*_`sz–„“”",
        55: "?Lcгзсэ",
        60: "FPTYaekovxyГРТУабвекотухчьяё«»",
        65: "$0123456789EKSbdghnpqu{}ЕЗийлнпрЁ₽€",
        70: "ABCRVXZАБВКСХЧЬЭЯдцъ",
        75: "DGHNUИЙЛНПм",
        80: "&OQwДОЦы",
        85: "#+<=>M^~МФЪфю×→",
        90: "Ыжш",
        95: "%mщ",
        100: "@W…—",
        105: "Ш№",
        110: "ЖЩЮ",
    }.items()
    for char in chars
}
_NARROW, _WIDE, _EMOJI = 0.7, 1.0, 1.4
_BOLD = 1.11
_EMOJI_FROM = 0x1F000
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAGS = range(0x1F1E6, 0x1F200)


def text_width(text: str, *, size: float = 12, bold: bool = False) -> float:
    """Estimate the width of one line.

    Args:
        text: The line.
        size: The font size in pixels.
        bold: The words are drawn semi-bold or bold.

    Returns:
        The width in pixels, rather too large than too small.
    """
    return sum(map(_char_width, text)) * size * (_BOLD if bold else 1)


def _char_width(char: str) -> float:
    """Give the width of a character in em."""
    known = _WIDTHS.get(char)
    if known is not None:
        return known
    if char in _JOINERS or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0.0
    if ord(char) >= _EMOJI_FROM:
        return _EMOJI
    return _WIDE if unicodedata.east_asian_width(char) in "WF" else _NARROW


def cut(text: str, width: float, *, size: float = 12, bold: bool = False) -> str:
    """Shorten one line with an ellipsis so that it is no wider than asked.

    Args:
        text: The line.
        width: The room in pixels.
        size: The font size in pixels.
        bold: As for `text_width`.

    Returns:
        The line, or its beginning and ``…``.
    """
    if text_width(text, size=size, bold=bold) <= width:
        return text
    room = width - text_width("…", size=size, bold=bold)
    kept = ""
    for cluster in _clusters(text):
        if text_width(kept + cluster, size=size, bold=bold) > room:
            break
        kept += cluster
    return kept.rstrip() + "…"


def wrap(text: str, width: float, *, size: float = 12, bold: bool = False, lines: int = 2) -> tuple[str, ...]:
    """Break text into lines no wider than asked.

    A word that is too long is broken; the last line ends in ``…`` when text is left over.

    Args:
        text: The text; runs of white space count as one space.
        width: The room in pixels.
        size: The font size in pixels.
        bold: As for `text_width`.
        lines: The most lines to give.

    Returns:
        One to ``lines`` lines; none for empty text.
    """
    found: list[str] = []
    line = ""
    words = [piece for word in text.split() for piece in _break(word, width, size=size, bold=bold)]
    for piece, glued in words:
        longer = line + piece if glued or not line else f"{line} {piece}"
        if line and text_width(longer, size=size, bold=bold) > width:
            found.append(line)
            line = piece
        else:
            line = longer
    if line:
        found.append(line)
    if len(found) > lines:
        rest = text_width("…", size=size, bold=bold)
        last = cut(found[lines - 1], width - rest, size=size, bold=bold).removesuffix("…")
        return (*found[: lines - 1], last + "…")
    return tuple(found)


def _break(word: str, width: float, *, size: float, bold: bool) -> Iterator[tuple[str, bool]]:
    """Break a word wider than a line; each piece but the first is glued to the one before."""
    piece, glued = "", False
    for cluster in _clusters(word):
        if piece and text_width(piece + cluster, size=size, bold=bold) > width:
            yield piece, glued
            piece, glued = "", True
        piece += cluster
    if piece:
        yield piece, glued


def _clusters(text: str) -> Iterator[str]:
    """Split text into what a reader sees as characters: accents and joined emoji stay together."""
    cluster = ""
    for char in text:
        number = ord(char)
        flag = number in _FLAGS and len(cluster) == 1 and ord(cluster) in _FLAGS
        tied = char in _JOINERS or unicodedata.combining(char) or number in _SKIN_TONES
        if cluster and not (tied or flag or cluster[-1] == "\u200d"):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster
