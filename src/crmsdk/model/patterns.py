r"""Patterns that a text may match: a small safe part of regular expressions that means the same everywhere.

A pattern is looked for anywhere in the text; ``^`` and ``$`` tie it to the ends. It knows

    abc  \.  \n \r \t      characters, punctuation after a backslash, three controls
    .                      any one character, a line break too
    [a-z_]  [^0-9]         one of some characters, or none of them; ranges by code point
    ab|cd  (...)  (?:...)  a choice; groups
    * + ? {2} {2,} {2,5}   repetition, counted up to 255
    ^  $                   the start and the very end of the text

It refuses what RE2 (DuckDB, ClickHouse), PostgreSQL and Java (Spark) read differently or do not share:
``\d``, ``\w``, ``\s``, ``\p{..}`` (ASCII here, Unicode or the locale there), ``\b``, ``\A``, ``\z``, ``\Z``,
code points by number (``\x41``, ``\u0041``), references to groups, lookaround, named groups, inline flags,
lazy, possessive or stacked quantifiers, repeated anchors, empty alternatives, bare ``{``, ``}`` and ``]``,
and in a class bare ``[``, ``&&`` and a ``-`` in the middle. Letters of either case are named: ``[Aa]``.

Any text is answered in time linear in its length, whatever the pattern: states are sets of places in the
pattern, kept once found, and there is no going back. Both text and pattern are in NFC.

Source:
    K. Thompson, "Regular Expression Search Algorithm", 1968; R. Cox, "Regular Expression Matching Can Be
    Simple And Fast", 2007 (lazily built automata).
"""

from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import Literal, TypeAlias

from crmsdk.model._pattern_syntax import Chars, Choice, Edge, Ranges, Reader, Repeat, Row, Tree

__all__ = ["Engine", "Pattern", "pattern_of"]

Engine: TypeAlias = Literal["re2", "postgresql", "java"]
"""Whose regular expressions: RE2 (DuckDB, ClickHouse, BigQuery), PostgreSQL's ARE, or Java's (Spark)."""

_ACCEPT = 0
_STATES = 500  # kept of one pattern; more are forgotten and found again
_CHARACTERS = 5_000  # whose class is remembered


class _State:
    """Where the search stands after some of the text."""

    __slots__ = ("ends", "live", "moves", "wins")

    def __init__(self, live: int, *, wins: bool, ends: bool, classes: int) -> None:
        self.live = live  # places that take a character, as bits
        self.wins = wins  # whether the pattern was found already
        self.ends = ends  # whether it is found if the text ends here
        self.moves: list[_State | None] = [None] * classes


class Pattern:
    """A pattern, ready to look for; equal patterns are one object while ``pattern_of`` remembers them.

    Raises:
        DefinitionError: the text is no pattern, or one that engines read differently.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        reader = Reader(text)
        tree = reader.read()
        self._ends = tuple(reader.ends)
        # A place either takes a character or leads on at once (a choice, an anchor); place 0 is the end.
        self._ranges: list[Ranges | None] = [None]
        self._onward: list[list[int]] = [[]]
        self._edges: list[Edge | None] = [None]
        begin = self._built(tree, _ACCEPT)
        # Characters that no range tells apart are one class.
        wanted: dict[Ranges, int] = {}
        for place, ranges in enumerate(self._ranges):
            if ranges is not None:
                wanted[ranges] = wanted.get(ranges, 0) | 1 << place
        self._cuts = sorted(
            {0, *(cut for ranges in wanted for low, high in ranges for cut in (low, high + 1))}
        )
        self._takers = [0] * len(self._cuts)
        for ranges, places in wanted.items():
            for low, high in ranges:
                for kind in range(bisect_left(self._cuts, low), bisect_left(self._cuts, high + 1)):
                    self._takers[kind] |= places
        self._open = self._closures()
        self._last = self._closures(end=True)
        self._classes: dict[str, int] = {}
        self._states: dict[tuple[int, int], _State] = {}
        self._first = self._state(
            self._closures(start=True)[begin], self._closures(start=True, end=True)[begin]
        )
        self._again = (self._open[begin], self._last[begin])

    def found_in(self, text: str) -> bool:
        """Say whether the pattern occurs in a text (NFC), in time linear in its length."""
        state, classes = self._first, self._classes
        if state.wins:
            return True
        for char in text:
            kind = classes.get(char)
            if kind is None:
                kind = self._class_of(char)
            following = state.moves[kind]
            if following is None:
                following = self._move(state, kind)
            if following.wins:
                return True
            state = following
        return state.ends

    def written_for(self, engine: Engine) -> str:
        """Give the text that means the same to an engine that looks for it anywhere in a text.

        All take the same characters, classes and repetitions. ``(?s)`` lets a point stand for a line break
        too (PostgreSQL's default), and to Java ``$`` would also mean the place before a last line break.
        """
        text = self.text
        if engine == "java":
            for place in reversed(self._ends):
                text = f"{text[:place]}\\z{text[place + 1 :]}"
        return text if engine == "postgresql" else f"(?s){text}"

    def __repr__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        return f"<pattern of {len(self._cuts)} classes and {len(self._onward)} places>"

    # ---------------------------------------------------------------------------------- before any text

    def _place(self, *onward: int, chars: Chars | None = None, edge: Edge | None = None) -> int:
        self._ranges.append(None if chars is None else chars.ranges)
        self._edges.append(edge)
        self._onward.append(list(onward))
        return len(self._onward) - 1

    def _built(self, tree: Tree, onward: int) -> int:
        """Write a tree down as places that lead on; give the one it begins with."""
        match tree:
            case Chars():
                return self._place(onward, chars=tree)
            case Edge():
                return self._place(onward, edge=tree)
            case Row(parts):
                for part in reversed(parts):
                    onward = self._built(part, onward)
                return onward
            case Choice(parts):
                return self._place(*(self._built(part, onward) for part in parts))
            case Repeat(part, low, None):
                again = self._place(onward)
                body = self._built(part, again)
                self._onward[again].insert(0, body)
                begin = again if low == 0 else body
                for _ in range(low - 1):
                    begin = self._built(part, begin)
                return begin
            case Repeat(part, low, int(high)):
                begin = onward
                for _ in range(high - low):
                    begin = self._place(self._built(part, begin), onward)
                for _ in range(low):
                    begin = self._built(part, begin)
                return begin
            case _:
                raise AssertionError(tree)

    def _closures(self, *, start: bool = False, end: bool = False) -> list[int]:
        """Give for each place those reached from it at once that take a character or are the end, as bits."""
        out = [
            1 << place if place == _ACCEPT or ranges is not None else 0
            for place, ranges in enumerate(self._ranges)
        ]
        leading = [
            place
            for place, edge in enumerate(self._edges)
            if not out[place] and (edge is None or (start if edge.start else end))
        ]
        changed = True
        while changed:  # once for each level of repetition in repetition
            changed = False
            for place in leading:
                reached = 0
                for onward in self._onward[place]:
                    reached |= out[onward]
                if reached != out[place]:
                    out[place], changed = reached, True
        return out

    # -------------------------------------------------------------------------------------- in a text

    def _class_of(self, char: str) -> int:
        kind = bisect_right(self._cuts, ord(char)) - 1
        if len(self._classes) < _CHARACTERS:
            self._classes[char] = kind
        return kind

    def _move(self, state: _State, kind: int) -> _State:
        """Find the state after one more character, and keep it."""
        live, last = self._again  # the pattern may begin at every place of the text
        taking = state.live & self._takers[kind]
        while taking:
            lowest = taking & -taking
            onward = self._onward[lowest.bit_length() - 1][0]
            live |= self._open[onward]
            last |= self._last[onward]
            taking ^= lowest
        found = self._states.get((live, last))
        if found is None:
            if len(self._states) >= _STATES:
                self._forget()
            found = self._states[live, last] = self._state(live, last)
        state.moves[kind] = found
        return found

    def _state(self, live: int, last: int) -> _State:
        return _State(live & ~1, wins=bool(live & 1), ends=bool(last & 1), classes=len(self._cuts))

    def _forget(self) -> None:
        self._states = {}
        self._first.moves = [None] * len(self._cuts)


@lru_cache(maxsize=256)
def pattern_of(text: str) -> Pattern:
    """Give the pattern of a text; the last 256 are remembered.

    Raises:
        DefinitionError: it is no pattern, or one that engines read differently; says where, and the mend.

    >>> pattern_of("^[^@ ]+@shop[.](ru|com)$").found_in("ann@shop.ru")
    True
    """
    return Pattern(text)
