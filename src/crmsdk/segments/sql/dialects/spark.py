"""Spark SQL 4 and newer, where JSON is read as VARIANT.

It cannot bring text into Unicode's form C, so a layout has to vouch for it where text is compared.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from typing_extensions import override

from crmsdk.errors import UnsupportedQuestion
from crmsdk.model.moment import from_micros
from crmsdk.model.patterns import Pattern
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Kind

__all__ = ["Spark"]

_WIDE = "DECIMAL(38, 0)"


class Spark(Dialect):
    """Spark SQL."""

    name: ClassVar[str] = "spark"
    quote: ClassVar[str] = "`"
    one_pass: ClassVar[bool] = True

    @override
    def text(self, value: str) -> str:
        escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
        return f"'{escaped}'"

    @override
    def integer(self, value: int) -> str:
        return str(value) if abs(value) < 2**63 else f"CAST('{value}' AS {_WIDE})"

    @override
    def double(self, value: float) -> str:
        return f"CAST('{value!r}' AS DOUBLE)"

    @override
    def moment(self, micros: int, kind: Kind) -> str:
        if kind is Kind.MOMENT:
            return f"timestamp_micros({micros})"
        return f"TIMESTAMP_NTZ '{from_micros(micros).replace(tzinfo=None).isoformat(sep=' ')}'"

    @override
    def nfc(self, x: str) -> str:
        raise UnsupportedQuestion(
            self.name, "text", "it cannot bring text into form C; vouch for it by Layout(nfc=True)"
        )

    @override
    def without_end(self, x: str, char: str) -> str:
        # Its rtrim of two takes what is cut off first.
        return f"trim(TRAILING {self.text(char)} FROM {x})"

    @override
    def contains(self, x: str, part: str) -> str:
        return f"contains({x}, {self.text(part)})"

    @override
    def starts(self, x: str, part: str) -> str:
        return f"startswith({x}, {self.text(part)})"

    @override
    def ends(self, x: str, part: str) -> str:
        return f"endswith({x}, {self.text(part)})"

    @override
    def matches(self, x: str, pattern: Pattern) -> str:
        return f"rlike({x}, {self.text(pattern.written_for('java'))})"

    @override
    def finite(self, x: str) -> str:
        # NaN is larger than all here.
        return f"CASE WHEN abs({x}) < CAST('Infinity' AS DOUBLE) THEN {x} END"

    @override
    def as_real(self, x: str) -> str:
        return f"CAST({x} AS DOUBLE)"

    # Its floor is an integer, and fails where none holds it; what branches share is computed for all rows.
    @override
    def whole(self, x: str) -> str:
        return f"{x} % CAST(1 AS DOUBLE) = 0"

    @override
    def as_integer(self, x: str) -> str:
        return f"TRY_CAST({x} AS BIGINT)"

    @override
    def wide(self, x: str) -> str:
        return f"CAST({x} AS {_WIDE})"

    @override
    def over(self, x: str, by: int) -> str:
        return f"(({x}) DIV {by})"

    @override
    def lot(self, x: str) -> str:
        return f"CAST(conv(substr(md5({x}), 1, 8), 16, 10) AS BIGINT)"

    @override
    def as_text(self, x: str) -> str:
        return f"CAST({x} AS STRING)"

    @override
    def as_micros(self, x: str) -> str:
        return f"unix_micros(CAST({x} AS TIMESTAMP))"

    @override
    def sum(self, x: str, condition: str) -> str:
        return f"sum(CAST({x} AS {_WIDE})){self._filter(condition)}"

    @override
    def sum_of_reals(self, x: str, condition: str) -> str:
        return f"sum({x}){self._filter(condition)}"

    @override
    def at_edge(self, x: str, keys: Sequence[str], condition: str, *, last: bool) -> str:
        named = ", ".join(f"{key} AS k{place}" for place, key in enumerate(keys))
        return f"{'max' if last else 'min'}_by({x}, struct({named})){self._filter(condition)}"

    @override
    def from_column(self, x: str, kind: Kind) -> str:
        return f"parse_json(to_json({x}))" if kind is Kind.NESTED else f"parse_json({x})"

    @override
    def json_value(self, x: str) -> str:
        return f"CASE WHEN NOT is_variant_null({x}) THEN {x} END"

    def _at(self, x: str, path: str, kind: str = "variant") -> str:
        return f"try_variant_get({x}, {self.text(path)}, '{kind}')"

    @override
    def field(self, x: str, key: str) -> str:
        if '"' in key:
            raise UnsupportedQuestion(self.name, "name", "a name inside JSON holds a quotation mark")
        return self.json_value(self._at(x, f'$["{key}"]'))

    @override
    def marked(self, x: str, key: str) -> str:
        return self._at(x, f"$.{key}", "string")

    # A value is never cast, even where its kind was asked first: parts that many questions share are computed
    # for every row, also for those whose kind is another.
    @override
    def json_text(self, x: str) -> str:
        return f"CASE WHEN schema_of_variant({x}) = 'STRING' THEN {self._at(x, '$', 'string')} END"

    @override
    def json_boolean(self, x: str) -> str:
        return f"CASE WHEN schema_of_variant({x}) = 'BOOLEAN' THEN {self._at(x, '$', 'boolean')} END"

    @override
    def json_integer(self, x: str) -> str:
        return f"CASE WHEN {self._whole(x)} THEN {self._at(x, '$', _WIDE)} END"

    @override
    def json_integer_text(self, x: str) -> str:
        return f"CASE WHEN {self._whole(x)} THEN {self._at(x, '$', 'string')} END"

    def _whole(self, x: str) -> str:
        # A short decimal without places was written as 7.0, and is a double.
        return rf"rlike(schema_of_variant({x}), '^(BIGINT|DECIMAL\\((19|[23][0-9]),0\\))$')"

    @override
    def json_float(self, x: str) -> str:
        kind = f"schema_of_variant({x})"
        real = f"rlike({kind}, '^(DOUBLE|FLOAT|DECIMAL)') AND NOT {self._whole(x)}"
        return f"CASE WHEN {real} THEN {self._at(x, '$', 'double')} END"

    @override
    def json_any(self, x: str, condition: Callable[[str], str]) -> str:
        return f"exists({self._at(x, '$', 'array<variant>')}, item -> {condition('item')})"

    @override
    def json_items(self, x: str) -> str:
        items = self._at(x, "$", "array<variant>")
        return f"CASE WHEN startswith(schema_of_variant({x}), 'ARRAY') THEN size({items}) END"

    @override
    def json_item(self, x: str, index: int) -> str:
        return self.json_value(self._at(x, f"$[{index}]"))

    @override
    def json_shown(self, x: str) -> str:
        return f"to_json({x})"

    @override
    def json_is_mapping(self, x: str) -> str:
        mark = self.marked(x, "is")
        return f"(startswith(schema_of_variant({x}), 'OBJECT') AND COALESCE({mark} = 'mapping', TRUE))"
