"""Who belongs to which of many segments at one moment, packed: one row of bits a person.

A million people in a hundred segments are 16 MB beside their ids. Everything here works on whole columns of
bytes, so it needs no numerical library.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import compress
from typing import Final

import attrs

from crmsdk.errors import UnknownName
from crmsdk.model.ids import CustomerId

__all__ = ["WORD", "Memberships", "Turnover"]

WORD: Final = 60
"""How many segments one integer holds: as many bits as every database adds exactly."""

_BYTE: Final = 8
_PICKS: Final = tuple(bytes((value >> bit) & 1 for value in range(256)) for bit in range(_BYTE))
"""For each bit, a table that turns a byte into that bit."""


@attrs.frozen(kw_only=True)
class Turnover:
    """Who came and who went between two answers, of one segment.

    Attributes:
        entered: Members now who were none before, in the order of the newer answer.
        left: Members before who are none now, those who are gone altogether last.
    """

    entered: tuple[CustomerId, ...]
    left: tuple[CustomerId, ...]


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(value)


def _words(value: Iterable["array[int]"]) -> "tuple[array[int], ...]":
    return tuple(value)


@attrs.frozen(kw_only=True, eq=False)
class Memberships:
    """The answer of many segments about everybody.

    Attributes:
        at: The moment asked about, UTC.
        names: The segments, in the order they were asked.
        people: Everybody asked about, each once.
    """

    at: datetime
    names: tuple[str, ...] = attrs.field(converter=_texts)
    people: Sequence[CustomerId] = attrs.field(repr=lambda people: f"<{len(people)} people>")
    _words: "tuple[array[int], ...]" = attrs.field(converter=_words, repr=False)
    """One array for each ``WORD`` segments, with one integer a person."""

    def members(self, name: str) -> tuple[CustomerId, ...]:
        """Name the members of a segment, in the order of ``people``.

        Raises:
            UnknownName: the segment was not asked.
        """
        return tuple(compress(self.people, self.bits(name)))

    def count(self, name: str) -> int:
        """Count the members of a segment.

        Raises:
            UnknownName: the segment was not asked.
        """
        return self.bits(name).count(1)

    def counts(self) -> dict[str, int]:
        """Count the members of every segment."""
        return {name: self.count(name) for name in self.names}

    def of(self, customer: CustomerId) -> frozenset[str]:
        """Name the segments one person belongs to; none for somebody unknown."""
        try:
            row = self.people.index(customer)
        except ValueError:
            return frozenset()
        return frozenset(
            name
            for index, name in enumerate(self.names)
            if self._words[index // WORD][row] >> index % WORD & 1
        )

    def diff(self, older: "Memberships") -> Mapping[str, Turnover]:
        """Compare with an older answer: who entered and who left each segment that both were asked for."""
        aligned = older if _same(self.people, older.people) else older.arranged_as(self)
        gone = () if aligned is older else _gone(self, older)
        return {
            name: self._change(name, aligned, older, gone) for name in self.names if name in set(older.names)
        }

    def arranged_as(self, other: "Memberships") -> "Memberships":
        """Give the same answers in the order of another's people; of people unknown here all bits are off."""
        rows = {customer: row for row, customer in enumerate(self.people)}
        places = [rows.get(customer) for customer in other.people]
        words = (
            array("q", (0 if place is None else word[place] for place in places)) for word in self._words
        )
        return Memberships(at=self.at, names=self.names, people=other.people, words=words)

    def _change(
        self, name: str, aligned: "Memberships", older: "Memberships", gone: Sequence[int]
    ) -> Turnover:
        now, before = self.bits(name), aligned.bits(name)
        entered, left = _differing(now, before)
        left_rows = tuple(compress(self.people, left)) if left else ()
        if gone:
            bits = older.bits(name)
            left_rows += tuple(older.people[row] for row in gone if bits[row])
        return Turnover(entered=tuple(compress(self.people, entered)) if entered else (), left=left_rows)

    def bits(self, name: str) -> bytes:
        """Give one byte a person, in the order of ``people``: 1 for members, 0 for the others.

        Raises:
            UnknownName: the segment was not asked.
        """
        try:
            index = self.names.index(name)
        except ValueError:
            raise UnknownName("segment", name, self.names, mend="ask for it in memberships()") from None
        byte, bit = divmod(index % WORD, _BYTE)
        return bytes(memoryview(self._words[index // WORD]).cast("B")[_place(byte) :: _BYTE]).translate(
            _PICKS[bit]
        )


def _place(byte: int) -> int:
    return byte if _LITTLE else _BYTE - 1 - byte


_LITTLE: Final = array("q", [1]).tobytes()[0] == 1


def _same(one: Sequence[CustomerId], other: Sequence[CustomerId]) -> bool:
    return one is other or (len(one) == len(other) and one == other)


def _gone(newer: Memberships, older: Memberships) -> list[int]:
    there = set(newer.people)
    return [row for row, customer in enumerate(older.people) if customer not in there]


def _differing(now: bytes, before: bytes) -> tuple[bytes, bytes]:
    """Give who is on only now, and who was on only before; nothing where nothing differs."""
    if now == before:
        return b"", b""
    ones, others = int.from_bytes(now, "little"), int.from_bytes(before, "little")
    size = len(now)
    return (ones & ~others).to_bytes(size, "little"), (others & ~ones).to_bytes(size, "little")
