"""Snowflake: parsed in tests, never run there. Experimental.

JSON columns are of the type VARIANT, which keeps ``1.0`` as an integer.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from typing_extensions import override

from crmsdk.errors import UnsupportedQuestion
from crmsdk.model.moment import from_micros
from crmsdk.model.patterns import Pattern
from crmsdk.segments.sql.dialects.unfiltered import Unfiltered
from crmsdk.segments.sql.layout import Kind

__all__ = ["Snowflake"]

_NUMBER = "NUMBER(38, 0)"


class Snowflake(Unfiltered):
    """Snowflake."""

    name: ClassVar[str] = "snowflake"

    @override
    def text(self, value: str) -> str:
        return super().text(value.replace("\\", "\\\\"))

    @override
    def double(self, value: float) -> str:
        return f"CAST('{value!r}' AS DOUBLE)"

    @override
    def moment(self, micros: int, kind: Kind) -> str:
        at = from_micros(micros).replace(tzinfo=None).isoformat(sep=" ")
        return f"'{at} +0000'::TIMESTAMP_TZ" if kind is Kind.MOMENT else f"'{at}'::TIMESTAMP_NTZ"

    @override
    def nfc(self, x: str) -> str:
        raise UnsupportedQuestion(
            self.name, "text", "it cannot bring text into form C; vouch for it by Layout(nfc=True)"
        )

    @override
    def contains(self, x: str, part: str) -> str:
        return f"CONTAINS({x}, {self.text(part)})"

    @override
    def starts(self, x: str, part: str) -> str:
        return f"STARTSWITH({x}, {self.text(part)})"

    @override
    def ends(self, x: str, part: str) -> str:
        return f"ENDSWITH({x}, {self.text(part)})"

    @override
    def matches(self, x: str, pattern: Pattern) -> str:
        # REGEXP_LIKE wants the whole text, and its classes are Java's.
        return f"REGEXP_INSTR({x}, {self.text(pattern.written_for('java'))}) > 0"

    @override
    def finite(self, x: str) -> str:
        return f"CASE WHEN abs({x}) < CAST('inf' AS DOUBLE) THEN {x} END"

    @override
    def as_real(self, x: str) -> str:
        return f"CAST({x} AS DOUBLE)"

    @override
    def as_integer(self, x: str) -> str:
        return f"CAST({x} AS {_NUMBER})"

    @override
    def wide(self, x: str) -> str:
        return f"CAST({x} AS {_NUMBER})"

    @override
    def over(self, x: str, by: int) -> str:
        return f"((({x}) - mod({x}, {by})) / {by})"

    @override
    def lot(self, x: str) -> str:
        return f"TO_NUMBER(SUBSTR(MD5({x}), 1, 8), 'XXXXXXXX')"

    @override
    def as_micros(self, x: str) -> str:
        return f"DATE_PART(EPOCH_MICROSECOND, {x})"

    @override
    def count(self, condition: str) -> str:
        return f"COUNT_IF({condition})" if condition else "COUNT(*)"

    @staticmethod
    @override
    def _where(x: str, condition: str) -> str:
        return f"IFF({condition}, {x}, NULL)" if condition else x

    @override
    def at_edge(self, x: str, keys: Sequence[str], condition: str, *, last: bool) -> str:
        order = ", ".join(f"{key} {'DESC' if last else 'ASC'}" for key in keys)
        row = self._where(f"OBJECT_CONSTRUCT_KEEP_NULL('v', {x})", condition)  # nulls are not gathered
        return f"STRIP_NULL_VALUE(GET(GET(ARRAY_AGG({row}) WITHIN GROUP (ORDER BY {order}), 0), 'v'))"

    @override
    def from_column(self, x: str, kind: Kind) -> str:
        return f"TO_VARIANT({x})" if kind is Kind.NESTED else x

    @override
    def json_value(self, x: str) -> str:
        return f"STRIP_NULL_VALUE({x})"

    @override
    def field(self, x: str, key: str) -> str:
        return f"STRIP_NULL_VALUE(GET({x}, {self.text(key)}))"

    @override
    def marked(self, x: str, key: str) -> str:
        return f"AS_VARCHAR(GET({x}, '{key}'))"

    @override
    def json_text(self, x: str) -> str:
        return f"CASE WHEN TYPEOF({x}) = 'VARCHAR' THEN AS_VARCHAR({x}) END"

    @override
    def json_boolean(self, x: str) -> str:
        return f"CASE WHEN TYPEOF({x}) = 'BOOLEAN' THEN AS_BOOLEAN({x}) END"

    @override
    def json_integer(self, x: str) -> str:
        return f"CASE WHEN TYPEOF({x}) = 'INTEGER' THEN CAST({x} AS {_NUMBER}) END"

    @override
    def json_integer_text(self, x: str) -> str:
        return f"CASE WHEN TYPEOF({x}) = 'INTEGER' THEN CAST({x} AS VARCHAR) END"

    @override
    def json_float(self, x: str) -> str:
        return f"CASE WHEN TYPEOF({x}) IN ('DECIMAL', 'DOUBLE') THEN CAST({x} AS DOUBLE) END"

    @override
    def json_any(self, x: str, condition: Callable[[str], str]) -> str:
        items = f"AS_ARRAY(CASE WHEN TYPEOF({x}) = 'ARRAY' THEN {x} END)"
        return f"ARRAY_SIZE(FILTER({items}, item -> {condition('item')})) > 0"

    @override
    def json_items(self, x: str) -> str:
        return f"CASE WHEN TYPEOF({x}) = 'ARRAY' THEN ARRAY_SIZE({x}) END"

    @override
    def json_item(self, x: str, index: int) -> str:
        return f"STRIP_NULL_VALUE(GET({x}, {index}))"

    @override
    def json_shown(self, x: str) -> str:
        return f"TO_JSON({x})"

    @override
    def json_is_mapping(self, x: str) -> str:
        return f"(TYPEOF({x}) = 'OBJECT' AND COALESCE({self.marked(x, 'is')} = 'mapping', TRUE))"

    @override
    def bit(self, x: str, place: int) -> str:
        return f"BITAND({x}, {1 << place}) <> 0"
