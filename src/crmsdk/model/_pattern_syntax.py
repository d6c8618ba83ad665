"""The syntax of patterns: read into a tree, everything refused that engines read differently."""

from typing import NoReturn, TypeAlias

import attrs

from crmsdk.errors import DefinitionError

LAST = 0x10FFFF
LONGEST = 500
LARGEST = 500  # characters and anchors after counted repetitions are written out
_DEEPEST = 20
_MOST = 255  # PostgreSQL repeats no more

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Code points, both ends included; rising, without overlap."""

Tree: TypeAlias = "Chars | Edge | Row | Choice | Repeat"


@attrs.frozen
class Chars:
    """One character out of some."""

    ranges: Ranges


@attrs.frozen
class Edge:
    """The start of the text, or its end."""

    start: bool


@attrs.frozen
class Row:
    """One after another."""

    parts: tuple[Tree, ...]


@attrs.frozen
class Choice:
    """Any of several."""

    parts: tuple[Tree, ...]


@attrs.frozen
class Repeat:
    """The part so many times; ``high`` None for any number."""

    part: Tree
    low: int
    high: int | None


def size(tree: Tree) -> int:
    """Count the characters and anchors once counted repetitions are written out."""
    match tree:
        case Chars() | Edge():
            return 1
        case Row(parts) | Choice(parts):
            return sum(map(size, parts))
        case Repeat(part, low, high):
            return size(part) * max(high if high is not None else low, 1)


_META = frozenset("\\.[](){}*+?|^$")
_ESCAPED = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~")  # punctuation; RE2 knows no \_
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_QUANTIFIERS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_CLASSES = frozenset("dDwWsShHvVpPX")
_BORDERS = frozenset("bBAzZGyYmM<>")


def merged(ranges: list[tuple[int, int]]) -> Ranges:
    """Sort ranges, and join those that touch."""
    out: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return tuple(out)


def complement(ranges: Ranges) -> Ranges:
    """Give all code points but these."""
    out, begin = [], 0
    for low, high in ranges:
        if begin < low:
            out.append((begin, low - 1))
        begin = high + 1
    return (*out, (begin, LAST)) if begin <= LAST else tuple(out)


class Reader:
    """Reads one pattern; ``ends`` are the places of ``$`` in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.ends: list[int] = []

    def read(self) -> Tree:
        """Read the whole text.

        Raises:
            DefinitionError: it is no pattern, or one that engines read differently; says where and the mend.
        """
        if not self.text:
            raise DefinitionError("is an empty pattern, which every text matches; ask exists()")
        if len(self.text) > LONGEST:
            raise DefinitionError(f"is a pattern of over {LONGEST} characters; ask several questions")
        if "\0" in self.text:
            self._refuse("the character NUL, which not every database keeps; leave it out")
        tree = self._choice(0)
        if self.at < len(self.text):
            self._refuse("a ')' that closes nothing; write \\) for the character")
        if size(tree) > LARGEST:
            raise DefinitionError(
                f"is a pattern of over {LARGEST} characters once its repetitions are written out; repeat less"
            )
        return tree

    def _refuse(self, what: str) -> NoReturn:
        raise DefinitionError(f"is no pattern we take: at character {self.at + 1} it has {what}")

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _takes(self, text: str) -> bool:
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def _choice(self, depth: int) -> Tree:
        if depth > _DEEPEST:
            self._refuse(f"groups nested deeper than {_DEEPEST}; flatten them")
        parts = [self._row(depth)]
        while self._takes("|"):
            parts.append(self._row(depth))
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _row(self, depth: int) -> Tree:
        parts: list[Tree] = []
        while self._next() not in {"", "|", ")"}:
            parts.append(self._repeated(self._atom(depth)))
        if not parts:
            self._refuse("nothing to choose; give every alternative a character, or write (...)?")
        return parts[0] if len(parts) == 1 else Row(tuple(parts))

    def _atom(self, depth: int) -> Tree:
        char = self._next()
        if char == "(":
            return self._group(depth)
        if char == "[":
            self.at += 1
            return self._class()
        if char == "\\":
            return self._one(self._escape())
        if char in "*+?{":
            self._refuse(f"{char!r} with nothing before it to repeat; write \\{char} for the character")
        if char in "]}":
            self._refuse(f"a bare {char!r}; write \\{char} for the character")
        self.at += 1
        match char:
            case "^":
                return Edge(start=True)
            case "$":
                self.ends.append(self.at - 1)
                return Edge(start=False)
            case ".":
                return Chars(((0, LAST),))
            case _:
                return self._one(char)

    @staticmethod
    def _one(char: str) -> Chars:
        return Chars(((ord(char), ord(char)),))

    def _group(self, depth: int) -> Tree:
        if not self._takes("(?:"):
            if self.text.startswith("(?", self.at):
                self._refuse(
                    "a group that looks around, has a name or sets flags, which engines do not share; "
                    "only (...) and (?:...) are taken, and [Aa] for letters of either case"
                )
            self.at += 1
        tree = self._choice(depth + 1)
        if not self._takes(")"):
            self._refuse("a '(' that is never closed before it; write \\( for the character")
        return tree

    def _escape(self) -> str:
        char = self.text[self.at + 1 : self.at + 2]
        if char in _ESCAPED or char in _CONTROLS:
            self.at += 2
            return _CONTROLS.get(char, char)
        if char.isdigit():
            what = "a reference to a group, which takes more than linear time; leave it out"
        elif char in _CLASSES:
            what = (
                f"\\{char}, which engines read differently beyond ASCII; name the characters, as [0-9], "
                "[A-Za-z0-9_] or [ \\t]"
            )
        elif char in _BORDERS:
            what = (
                f"\\{char}, which engines read differently; write ^ and $ for the ends of the text, and name "
                "the characters around a word, as (^|[ ,])word([ ,]|$)"
            )
        else:
            what = "a backslash before no punctuation; write \\\\ for the character"
        return self._refuse(what)

    def _class(self) -> Chars:
        negated = self._takes("^")
        ranges: list[tuple[int, int]] = []
        first = True
        while True:
            if self._next() == "":
                self._refuse("a '[' that is never closed before it; write \\[ for the character")
            if self._takes("]"):
                break
            low = self._member(first=first)
            first = False
            if self._next() == "-" and self.text[self.at + 1 : self.at + 2] not in {"]", ""}:
                self.at += 1
                high = self._member(first=False, end=True)
                if high < low:
                    self._refuse("a range that runs backwards before it; give the smaller character first")
                ranges.append((ord(low), ord(high)))
            else:
                ranges.append((ord(low), ord(low)))
        if first:
            self._refuse("an empty class before it; name a character in it, and write \\] for a bracket")
        found = merged(ranges)
        return Chars(complement(found) if negated else found)

    def _member(self, *, first: bool, end: bool = False) -> str:
        char = self._next()
        if char == "\\":
            return self._escape()
        if char == "[" or (char == "&" and self.text.startswith("&&", self.at)):
            self._refuse(f"a bare {char!r} in a class, which engines read differently; write \\{char}")
        if char == "-" and (end or not (first or self.text.startswith("-]", self.at))):
            self._refuse("a '-' in the middle of a class; put it first or last, or write \\-")
        self.at += 1
        return char

    def _repeated(self, part: Tree) -> Tree:
        found = self._quantifier()
        if found is None:
            return part
        if isinstance(part, Edge):
            self._refuse("a repeated anchor before it; once is enough")
        low, high = found
        if self._next() in {"*", "+", "?", "{"}:
            self._refuse(
                "a second quantifier (lazy and possessive ones change nothing about whether a text matches); "
                "leave it out, or put the first into (?:...)"
            )
        return Repeat(part, low, high)

    def _quantifier(self) -> tuple[int, int | None] | None:
        char = self._next()
        if char in _QUANTIFIERS:
            self.at += 1
            return _QUANTIFIERS[char]
        if char != "{":
            return None
        closing = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : max(closing, self.at + 1)].partition(",")
        numbers = [low, high] if comma and high else [low]
        if not all(number.isascii() and number.isdecimal() for number in numbers):
            self._refuse("a '{' that begins no {2}, {2,} or {2,5}; write \\{ for the character")
        least = int(low) if len(low) <= len(str(_MOST)) else _MOST + 1
        most = (int(high) if len(high) <= len(str(_MOST)) else _MOST + 1) if comma and high else None
        most = least if not comma else most
        if least > _MOST or (most is not None and most > _MOST):
            self._refuse(f"more than {_MOST} repetitions, which PostgreSQL does not take; use + or *")
        if most is not None and (most < least or most == 0):
            self._refuse("bounds that repeat nothing; give the smaller number first")
        self.at = closing + 1
        return least, most
