"""What a dialect writes: names, literals, text, JSON and aggregates; everything else is the same SQL.

A method takes and gives SQL text. Names and values come in as Python values and leave quoted; nothing else of
a definition or a layout ever reaches the text. JSON is what ``crmsdk.model.value_json`` writes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import date
from typing import ClassVar, Final

from crmsdk.model.patterns import Pattern
from crmsdk.segments.sql.layout import Events, Kind

__all__ = ["Dialect"]

_WIDE: Final = 2**119


class Dialect(ABC):
    """One database's way to say it.

    Attributes:
        name: As errors and settings call it.
        quote: What surrounds names; inside it is doubled.
        widest: Integers beyond this, either side of zero, are read as this; hundreds of them still add up.
        suffix: What ends every query.
        fence: What ends a subquery, so that its expressions are not copied to where its names stand.
        one_pass: Whether the events of all names are read in one pass, and not each name in its own: that
            pays where it costs more to read rows than to ask each of them for many names.
    """

    name: ClassVar[str]
    quote: ClassVar[str] = '"'
    widest: ClassVar[int] = _WIDE
    suffix: ClassVar[str] = ""
    fence: ClassVar[str] = ""
    one_pass: ClassVar[bool] = False

    # --- names and literals -----------------------------------------------------------------------------

    def ident(self, name: str) -> str:
        """Write a name."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    def table(self, name: str) -> str:
        """Write a table's name, dotted or not."""
        return ".".join(self.ident(part) for part in name.split("."))

    def text(self, value: str) -> str:
        """Write text."""
        return "'" + value.replace("'", "''") + "'"

    def integer(self, value: int) -> str:
        """Write an integer no wider than ``widest``."""
        return str(value)

    @abstractmethod
    def double(self, value: float) -> str:
        """Write a finite double, exactly."""

    @abstractmethod
    def moment(self, micros: int, kind: Kind) -> str:
        """Write a moment comparable with a column of kind ``moment`` or ``utc``."""

    def date(self, value: date) -> str:
        """Write a date, comparable with ``day``."""
        return f"DATE '{value.isoformat()}'"

    def day(self, x: str) -> str:
        """Give a column of dates, comparable with every date."""
        return x

    def inside(self, x: str, low: str | None, high: str | None) -> str:
        """Say that ``low <= x <= high``, of literals; None for an open side."""
        if low is not None and low == high:
            return f"{x} = {low}"
        parts = ([] if low is None else [f"{x} >= {low}"]) + ([] if high is None else [f"{x} <= {high}"])
        return " AND ".join(parts) if parts else f"{x} IS NOT NULL"

    def listed(self, names: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:  # noqa: ARG002 - for dialects that want types
        """Write a query that gives these rows: so many columns of text, and then integers."""
        written = ", ".join(f"({', '.join(row)})" for row in rows)
        return f"SELECT * FROM (VALUES {written}) AS listed({', '.join(names)})"

    # --- text -------------------------------------------------------------------------------------------

    @abstractmethod
    def nfc(self, x: str) -> str:
        """Bring text into Unicode's form C."""

    def binary(self, x: str) -> str:
        """Give text that compares and sorts by code points."""
        return x

    def without_end(self, x: str, char: str) -> str:
        """Take a character off the end of text, however often it stands there."""
        return f"rtrim({x}, {self.text(char)})"

    @abstractmethod
    def contains(self, x: str, part: str) -> str:
        """Say that text holds this text."""

    @abstractmethod
    def starts(self, x: str, part: str) -> str:
        """Say that text starts so."""

    @abstractmethod
    def ends(self, x: str, part: str) -> str:
        """Say that text ends so."""

    @abstractmethod
    def matches(self, x: str, pattern: Pattern) -> str:
        """Say that a pattern is found somewhere in text."""

    # --- numbers ----------------------------------------------------------------------------------------

    @abstractmethod
    def finite(self, x: str) -> str:
        """Give a double, null where it is NaN or infinite."""

    # Sums of doubles are only ever compared where they are far from the threshold, so a dialect may add them
    # up in any type that is as exact as doubles and does not overflow into an error.

    def real(self, value: float) -> str:
        """Write a finite double as such a number."""
        return self.double(value)

    @abstractmethod
    def as_real(self, x: str) -> str:
        """Turn an integer into such a number."""

    def sum_of_reals(self, x: str, condition: str) -> str:
        """Add up finite doubles."""
        return self.sum(x, condition)

    def finite_real(self, x: str) -> str:
        """Give such a number, null where it ran over."""
        return self.finite(x)

    def whole(self, x: str) -> str:
        """Say whether a double has no places."""
        return f"floor({x}) = {x}"

    @abstractmethod
    def as_integer(self, x: str) -> str:
        """Turn a whole double below 2**53 into an integer."""

    @abstractmethod
    def wide(self, x: str) -> str:
        """Make an integer wide enough for products of 118 bits."""

    @abstractmethod
    def over(self, x: str, by: int) -> str:
        """Divide an integer that is not negative, and give the whole part."""

    @abstractmethod
    def lot(self, x: str) -> str:
        """Give the first 32 bits of the MD5 of a text, as an integer."""

    def as_text(self, x: str) -> str:
        """Turn an id, a number or JSON into text."""
        return f"CAST({x} AS VARCHAR)"

    @abstractmethod
    def as_micros(self, x: str) -> str:
        """Turn a moment into microseconds since 1970 UTC."""

    # --- aggregates; each gives null of no rows, but count ----------------------------------------------

    def count(self, condition: str) -> str:
        """Count rows."""
        return f"count(*){self._filter(condition)}"

    def sum(self, x: str, condition: str) -> str:
        """Add up: integers exactly, doubles as they come."""
        return f"sum({x}){self._filter(condition)}"

    def least(self, x: str, condition: str) -> str:
        """Give the least."""
        return f"min({x}){self._filter(condition)}"

    def greatest(self, x: str, condition: str) -> str:
        """Give the greatest."""
        return f"max({x}){self._filter(condition)}"

    def distinct(self, x: str, condition: str) -> str:
        """Count different values."""
        return f"count(DISTINCT {x}){self._filter(condition)}"

    def order(self, at: str, id: str, events: Events) -> Sequence[str]:
        """Give the keys of the total order of events."""
        return at, id if events.id.kind is Kind.INTEGER else self.binary(id)

    @abstractmethod
    def at_edge(self, x: str, keys: Sequence[str], condition: str, *, last: bool) -> str:
        """Give the value of the last or first row in the order of the keys, null if it is null there."""

    @staticmethod
    def _filter(condition: str) -> str:
        return f" FILTER (WHERE {condition})" if condition else ""

    # --- JSON: each gives null for what is missing, JSON's null, or of another kind ---------------------

    @abstractmethod
    def from_column(self, x: str, kind: Kind) -> str:
        """Make JSON of a column of kind ``json`` or ``nested``, to take fields of."""

    @abstractmethod
    def json_value(self, x: str) -> str:
        """Give a whole column of JSON as one value."""

    @abstractmethod
    def field(self, x: str, key: str) -> str:
        """Give the member of an object, as JSON."""

    @abstractmethod
    def json_text(self, x: str) -> str:
        """Give a text."""

    @abstractmethod
    def json_boolean(self, x: str) -> str:
        """Give a boolean."""

    @abstractmethod
    def json_integer(self, x: str) -> str:
        """Give a number written without fraction and exponent; beyond ``widest`` that, with its sign."""

    @abstractmethod
    def json_integer_text(self, x: str) -> str:
        """Give the same number as it is written."""

    @abstractmethod
    def json_float(self, x: str) -> str:
        """Give a number written with a fraction or an exponent."""

    @abstractmethod
    def json_any(self, x: str, condition: Callable[[str], str]) -> str:
        """Say that a list has an item for which the condition holds."""

    @abstractmethod
    def json_items(self, x: str) -> str:
        """Give how many items a list has."""

    @abstractmethod
    def json_item(self, x: str, index: int) -> str:
        """Give an item of a list, counted from 0, as JSON."""

    @abstractmethod
    def marked(self, x: str, key: str) -> str:
        """Give a member of an object that is text: the marks of kinds, and what they mark."""

    def json_tagged(self, x: str, tag: str) -> str:
        """Give the text of a moment or a date."""
        return f"CASE WHEN {self.marked(x, 'is')} = {self.text(tag)} THEN {self.marked(x, 'of')} END"

    def json_money(self, x: str, currency: str) -> str:
        """Give the minor units of money of one currency, as a JSON number."""
        return (
            f"CASE WHEN {self.marked(x, 'is')} = 'money'"
            f" AND {self.marked(x, 'currency')} = {self.text(currency)}"
            f" THEN {self.field(x, 'minor')} END"
        )

    def json_shown(self, x: str) -> str:
        """Give what ``as_text`` writes as JSON text."""
        return x

    @abstractmethod
    def json_is_mapping(self, x: str) -> str:
        """Say that the value is an object without a mark, or a wrapped one."""

    def json_mapping(self, x: str) -> str:
        """Give an object that is a mapping; the marks of moments, dates and money are none."""
        mark = self.marked(x, "is")
        return f"CASE WHEN {mark} IS NULL THEN {x} WHEN {mark} = 'mapping' THEN {self.field(x, 'of')} END"

    def json_member(self, x: str, key: str) -> str:
        """Give a member of a mapping."""
        mark = self.marked(x, "is")
        return (
            f"CASE WHEN {mark} IS NULL THEN {self.field(x, key)}"
            f" WHEN {mark} = 'mapping' THEN {self.field(self.field(x, 'of'), key)} END"
        )

    def limited(self, sql: str, rows: int) -> str:
        """Let a query give no more rows than these."""
        return f"{sql.removesuffix(self.suffix)} LIMIT {rows}{self.suffix}"

    # --- packing ----------------------------------------------------------------------------------------

    def bit(self, x: str, place: int) -> str:
        """Say that a bit of a packed integer is set."""
        return f"({x} & {1 << place}) <> 0"

    def packed(self, bits: Sequence[str], *, total: bool = False) -> str:  # noqa: ARG002 - for a faster way
        """Pack at most 62 conditions into one integer, the first in the lowest bit.

        Args:
            bits: The conditions.
            total: Whether none is ever null.
        """
        return " + ".join(f"CASE WHEN {bit} THEN {1 << place} ELSE 0 END" for place, bit in enumerate(bits))
