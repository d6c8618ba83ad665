"""BigQuery: parsed in tests, never run there. Experimental.

JSON columns are of the type JSON. A number is an integer where its text has neither point nor exponent.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from typing_extensions import override

from crmsdk.model.moment import from_micros
from crmsdk.model.patterns import Pattern
from crmsdk.segments.sql.dialects.unfiltered import Unfiltered
from crmsdk.segments.sql.layout import Kind

__all__ = ["BigQuery"]

_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\0": "\\0", "`": "\\`"}


class BigQuery(Unfiltered):
    """BigQuery."""

    name: ClassVar[str] = "bigquery"

    @override
    def ident(self, name: str) -> str:
        return "`" + "".join(_ESCAPES.get(each, each) for each in name) + "`"

    @override
    def text(self, value: str) -> str:
        return "'" + "".join(_ESCAPES.get(each, each) for each in value) + "'"

    @override
    def integer(self, value: int) -> str:
        return str(value) if abs(value) < 2**63 else f"BIGNUMERIC '{value}'"

    @override
    def double(self, value: float) -> str:
        return f"CAST('{value!r}' AS FLOAT64)"

    @override
    def moment(self, micros: int, kind: Kind) -> str:
        if kind is Kind.MOMENT:
            return f"TIMESTAMP_MICROS({micros})"
        return f"DATETIME '{from_micros(micros).replace(tzinfo=None).isoformat(sep=' ')}'"

    @override
    def listed(self, names: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
        types = ", ".join(f"{name} {'STRING' if n < texts else 'INT64'}" for n, name in enumerate(names))
        written = ", ".join(f"({', '.join(row)})" for row in rows)
        return f"SELECT * FROM UNNEST(ARRAY<STRUCT<{types}>>[{written}])"

    @override
    def nfc(self, x: str) -> str:
        return f"NORMALIZE({x}, NFC)"

    @override
    def contains(self, x: str, part: str) -> str:
        return f"STRPOS({x}, {self.text(part)}) > 0"

    @override
    def starts(self, x: str, part: str) -> str:
        return f"STARTS_WITH({x}, {self.text(part)})"

    @override
    def ends(self, x: str, part: str) -> str:
        return f"ENDS_WITH({x}, {self.text(part)})"

    @override
    def matches(self, x: str, pattern: Pattern) -> str:
        return f"REGEXP_CONTAINS({x}, {self.text(pattern.written_for('re2'))})"

    @override
    def finite(self, x: str) -> str:
        return f"CASE WHEN NOT (IS_NAN({x}) OR IS_INF({x})) THEN {x} END"

    @override
    def as_real(self, x: str) -> str:
        return f"CAST({x} AS FLOAT64)"

    @override
    def as_integer(self, x: str) -> str:
        return f"CAST({x} AS INT64)"

    @override
    def wide(self, x: str) -> str:
        return f"CAST({x} AS BIGNUMERIC)"

    @override
    def over(self, x: str, by: int) -> str:
        return f"DIV({x}, {by})"

    @override
    def lot(self, x: str) -> str:
        return f"CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5({x})), 1, 8)) AS INT64)"

    @override
    def as_text(self, x: str) -> str:
        return f"CAST({x} AS STRING)"

    @override
    def as_micros(self, x: str) -> str:
        return f"UNIX_MICROS(TIMESTAMP({x}))"

    @override
    def count(self, condition: str) -> str:
        return f"COUNTIF({condition})" if condition else "COUNT(*)"

    @override
    def sum(self, x: str, condition: str) -> str:
        return super().sum(f"CAST({x} AS BIGNUMERIC)", condition)

    @override
    def sum_of_reals(self, x: str, condition: str) -> str:
        return super().sum(x, condition)

    @staticmethod
    @override
    def _where(x: str, condition: str) -> str:
        return f"IF({condition}, {x}, NULL)" if condition else x

    @override
    def at_edge(self, x: str, keys: Sequence[str], condition: str, *, last: bool) -> str:
        order = ", ".join(f"{key} {'DESC' if last else 'ASC'}" for key in keys)
        row = self._where(f"STRUCT({x} AS v)", condition)
        return f"ARRAY_AGG({row} IGNORE NULLS ORDER BY {order} LIMIT 1)[SAFE_OFFSET(0)].v"

    @override
    def from_column(self, x: str, kind: Kind) -> str:
        return f"TO_JSON({x})" if kind is Kind.NESTED else x

    @override
    def json_value(self, x: str) -> str:
        return f"CASE WHEN JSON_TYPE({x}) <> 'null' THEN {x} END"

    @override
    def field(self, x: str, key: str) -> str:
        return self.json_value(f"{x}[{self.text(key)}]")

    @override
    def marked(self, x: str, key: str) -> str:
        return f"LAX_STRING({x}['{key}'])"

    @override
    def json_text(self, x: str) -> str:
        return f"CASE WHEN JSON_TYPE({x}) = 'string' THEN STRING({x}) END"

    @override
    def json_boolean(self, x: str) -> str:
        return f"CASE WHEN JSON_TYPE({x}) = 'boolean' THEN BOOL({x}) END"

    @override
    def json_integer(self, x: str) -> str:
        return f"SAFE_CAST({self.json_integer_text(x)} AS BIGNUMERIC)"

    @override
    def json_integer_text(self, x: str) -> str:
        text = f"TO_JSON_STRING({x})"
        return f"CASE WHEN JSON_TYPE({x}) = 'number' AND NOT REGEXP_CONTAINS({text}, '[.eE]') THEN {text} END"

    @override
    def json_float(self, x: str) -> str:
        real = f"JSON_TYPE({x}) = 'number' AND REGEXP_CONTAINS(TO_JSON_STRING({x}), '[.eE]')"
        return f"CASE WHEN {real} THEN FLOAT64({x}) END"

    @override
    def json_any(self, x: str, condition: Callable[[str], str]) -> str:
        return f"EXISTS (SELECT 1 FROM UNNEST(JSON_QUERY_ARRAY({x})) AS item WHERE {condition('item')})"

    @override
    def json_items(self, x: str) -> str:
        return f"CASE WHEN JSON_TYPE({x}) = 'array' THEN ARRAY_LENGTH(JSON_QUERY_ARRAY({x})) END"

    @override
    def json_item(self, x: str, index: int) -> str:
        return self.json_value(f"{x}[{index}]")

    @override
    def json_shown(self, x: str) -> str:
        return f"TO_JSON_STRING({x})"

    @override
    def json_is_mapping(self, x: str) -> str:
        return f"(JSON_TYPE({x}) = 'object' AND COALESCE({self.marked(x, 'is')} = 'mapping', TRUE))"
