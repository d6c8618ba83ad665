"""PostgreSQL 13 and newer, of UTF-8 encoding."""

from collections.abc import Callable, Sequence
from datetime import UTC
from typing import ClassVar, Final

from typing_extensions import override

from crmsdk.model.moment import from_micros
from crmsdk.model.patterns import Pattern
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Kind

__all__ = ["Postgres"]


class Postgres(Dialect):
    """PostgreSQL.

    Args:
        json: The type JSON is read as, ``json`` or ``jsonb``. ``jsonb`` writes ``1e+22`` as digits, so a
            double from 1e22 on without a fraction is taken for an integer there.
    """

    name: ClassVar[str] = "postgres"
    widest: ClassVar[int] = 2**600  # numeric holds more than any value has
    fence: ClassVar[str] = " OFFSET 0"

    def __init__(self, json: str = "jsonb") -> None:
        self._json: Final = json

    @override
    def text(self, value: str) -> str:
        # No text of this database holds a zero character, so nothing is equal to one that does.
        return "NULL" if "\0" in value else super().text(value)

    @override
    def double(self, value: float) -> str:
        return f"CAST('{value!r}' AS float8)"

    @override
    def moment(self, micros: int, kind: Kind) -> str:
        at = from_micros(micros).astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
        return f"TIMESTAMPTZ '{at}+00'" if kind is Kind.MOMENT else f"TIMESTAMP '{at}'"

    @override
    def nfc(self, x: str) -> str:
        return f"normalize({x}, NFC)"

    @override
    def binary(self, x: str) -> str:
        return f'({x}) COLLATE "C"'

    @override
    def contains(self, x: str, part: str) -> str:
        return f"strpos({x}, {self.text(part)}) > 0"

    @override
    def starts(self, x: str, part: str) -> str:
        return f"starts_with({x}, {self.text(part)})"

    @override
    def ends(self, x: str, part: str) -> str:
        return f"right({x}, {len(part)}) = {self.text(part)}"

    @override
    def matches(self, x: str, pattern: Pattern) -> str:
        return f"{x} ~ {self.text(pattern.written_for('postgresql'))}"

    @override
    def finite(self, x: str) -> str:
        return f"CASE WHEN abs({x}) < CAST('Infinity' AS float8) THEN {x} END"

    @override
    def real(self, value: float) -> str:
        return f"CAST('{value!r}' AS numeric)"

    @override
    def as_real(self, x: str) -> str:
        return f"CAST({x} AS numeric)"

    @override
    def sum_of_reals(self, x: str, condition: str) -> str:
        # A sum of float8 that overflows is an error here; by its text a double becomes an exact decimal.
        return self.sum(f"CAST(CAST({x} AS text) AS numeric)", condition)

    @override
    def finite_real(self, x: str) -> str:
        return x

    @override
    def over(self, x: str, by: int) -> str:
        return f"(({x}) / {by})"

    @override
    def lot(self, x: str) -> str:
        return f"CAST(CAST('x' || substr(md5({x}), 1, 8) AS bit(32)) AS bigint) & 4294967295"

    @override
    def as_integer(self, x: str) -> str:
        return f"CAST({x} AS bigint)"

    @override
    def wide(self, x: str) -> str:
        return f"CAST({x} AS numeric)"

    @override
    def as_text(self, x: str) -> str:
        return f"CAST({x} AS text)"

    @override
    def as_micros(self, x: str) -> str:
        return f"CAST(extract(epoch FROM {x}) * 1000000 AS bigint)"

    @override
    def at_edge(self, x: str, keys: Sequence[str], condition: str, *, last: bool) -> str:
        order = ", ".join(f"{key} {'DESC' if last else 'ASC'}" for key in keys)
        return f"(array_agg({x} ORDER BY {order}){self._filter(condition)})[1]"

    @override
    def from_column(self, x: str, kind: Kind) -> str:
        if kind is Kind.NESTED:
            return self._without_null(f"CAST(to_jsonb({x}) AS {self._json})")
        return f"CAST({x} AS {self._json})"

    @override
    def json_value(self, x: str) -> str:
        return self._without_null(f"CAST({x} AS {self._json})")

    def _without_null(self, x: str) -> str:
        if self._json == "jsonb":
            return f"nullif({x}, CAST('null' AS jsonb))"
        return f"CAST(nullif(CAST({x} AS text), 'null') AS json)"  # json knows no equality

    def _kind(self, x: str) -> str:
        return f"{self._json}_typeof({x})"

    @override
    def field(self, x: str, key: str) -> str:
        return self._without_null(f"({x} -> {self.text(key)})")

    @override
    def marked(self, x: str, key: str) -> str:
        return f"({x} ->> '{key}')"

    @override
    def json_text(self, x: str) -> str:
        return f"CASE WHEN {self._kind(x)} = 'string' THEN {x} #>> '{{}}' END"

    @override
    def json_boolean(self, x: str) -> str:
        return f"CASE WHEN {self._kind(x)} = 'boolean' THEN CAST({x} #>> '{{}}' AS boolean) END"

    @override
    def json_integer(self, x: str) -> str:
        return f"CAST({self.json_integer_text(x)} AS numeric)"

    @override
    def json_integer_text(self, x: str) -> str:
        whole = f"{self._kind(x)} = 'number' AND {x} #>> '{{}}' !~ '[.eE]'"
        return f"CASE WHEN {whole} THEN {x} #>> '{{}}' END"

    @override
    def json_float(self, x: str) -> str:
        real = f"{self._kind(x)} = 'number' AND {x} #>> '{{}}' ~ '[.eE]'"
        return f"CASE WHEN {real} THEN CAST({x} #>> '{{}}' AS float8) END"

    @override
    def json_any(self, x: str, condition: Callable[[str], str]) -> str:
        items = f"CASE WHEN {self._kind(x)} = 'array' THEN {x} ELSE CAST('[]' AS {self._json}) END"
        held = condition("listed.item")
        return f"EXISTS (SELECT 1 FROM {self._json}_array_elements({items}) AS listed(item) WHERE {held})"

    @override
    def json_items(self, x: str) -> str:
        return f"CASE WHEN {self._kind(x)} = 'array' THEN {self._json}_array_length({x}) END"

    @override
    def json_item(self, x: str, index: int) -> str:
        return self._without_null(f"({x} -> {index})")

    @override
    def json_is_mapping(self, x: str) -> str:
        mark = self.marked(x, "is")
        return f"({self._kind(x)} = 'object' AND COALESCE({mark} = 'mapping', TRUE))"
