"""ClickHouse 25 and newer, also embedded as chdb.

It reads JSON by itself, so two things differ: integers of more than 64 bits are text to it, and a whole
double inside a nested value is an integer.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import ClassVar, Final

from typing_extensions import override

from crmsdk.model.moment import from_micros, to_micros
from crmsdk.model.patterns import Pattern
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Kind

__all__ = ["ClickHouse"]

_EPOCH: Final = date(1970, 1, 1).toordinal()
# What a DateTime64 holds.
_FIRST: Final = to_micros(datetime(1900, 1, 1, tzinfo=UTC))
_LAST: Final = to_micros(datetime(2299, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))


class ClickHouse(Dialect):
    """ClickHouse."""

    name: ClassVar[str] = "clickhouse"
    # Without the first, people without events would have zeros; without the third, 0.1 may be its neighbour.
    suffix: ClassVar[str] = (
        " SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1, precise_float_parsing = 1"
    )

    @override
    def ident(self, name: str) -> str:
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

    @override
    def text(self, value: str) -> str:
        escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
        return f"'{escaped}'"

    @override
    def integer(self, value: int) -> str:
        return str(value) if abs(value) < 2**63 else f"toInt128('{value}')"

    @override
    def double(self, value: float) -> str:
        return f"toFloat64('{value!r}')"

    @override
    def moment(self, micros: int, kind: Kind) -> str:
        at = from_micros(min(max(micros, _FIRST), _LAST)).replace(tzinfo=None)
        return f"toDateTime64('{at.isoformat(sep=' ', timespec='microseconds')}', 6, 'UTC')"

    @override
    def date(self, value: date) -> str:
        return str(value.toordinal() - _EPOCH)

    @override
    def day(self, x: str) -> str:
        return f"toInt32(toDate32({x}))"  # its dates end before ours do

    @override
    def listed(self, names: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
        types = ", ".join(f"{name} {'String' if n < texts else 'Int64'}" for n, name in enumerate(names))
        written = ", ".join(f"({', '.join(row)})" for row in rows)
        return f"SELECT * FROM values({self.text(types)}, {written})"

    @override
    def nfc(self, x: str) -> str:
        return f"normalizeUTF8NFC({x})"

    @override
    def contains(self, x: str, part: str) -> str:
        return f"position({x}, {self.text(part)}) > 0"

    @override
    def starts(self, x: str, part: str) -> str:
        return f"startsWith({x}, {self.text(part)})"

    @override
    def ends(self, x: str, part: str) -> str:
        return f"endsWith({x}, {self.text(part)})"

    @override
    def matches(self, x: str, pattern: Pattern) -> str:
        return f"match({x}, {self.text(pattern.written_for('re2'))})"

    @override
    def finite(self, x: str) -> str:
        return f"CASE WHEN isFinite({x}) THEN {x} END"

    @override
    def as_real(self, x: str) -> str:
        return f"toFloat64({x})"

    @override
    def over(self, x: str, by: int) -> str:
        return f"intDiv({x}, {by})"

    @override
    def lot(self, x: str) -> str:
        return f"toInt64(reinterpretAsUInt32(reverse(substring(MD5({x}), 1, 4))))"

    @override
    def as_integer(self, x: str) -> str:
        return f"toInt64({x})"

    @override
    def wide(self, x: str) -> str:
        return f"toInt128({x})"

    @override
    def as_text(self, x: str) -> str:
        return f"toString({x})"

    @override
    def as_micros(self, x: str) -> str:
        return f"toUnixTimestamp64Micro(toDateTime64({x}, 6))"

    # Plain aggregates give zero of no rows, and a sum of 64 bits runs over in silence.

    @override
    def sum(self, x: str, condition: str) -> str:
        return f"sumOrNull(toInt128({x})){self._filter(condition)}"

    @override
    def sum_of_reals(self, x: str, condition: str) -> str:
        return f"sumOrNull({x}){self._filter(condition)}"

    @override
    def least(self, x: str, condition: str) -> str:
        return f"minOrNull({x}){self._filter(condition)}"

    @override
    def greatest(self, x: str, condition: str) -> str:
        return f"maxOrNull({x}){self._filter(condition)}"

    @override
    def at_edge(self, x: str, keys: Sequence[str], condition: str, *, last: bool) -> str:
        # Without the tuple, rows whose value is null are passed over; without toNullable, nothing is ''.
        function = "argMax" if last else "argMin"
        found = f"{function}(tuple(toNullable({x})), ({', '.join(keys)})){self._filter(condition)}"
        return f"tupleElement({found}, 1)"

    @override
    def bit(self, x: str, place: int) -> str:
        return f"bitTest({x}, {place})"

    @override
    def from_column(self, x: str, kind: Kind) -> str:
        return f"toJSONString({x})" if kind is Kind.NESTED else x

    @override
    def json_value(self, x: str) -> str:
        return f"nullif({x}, 'null')"

    @override
    def field(self, x: str, key: str) -> str:
        name = self.text(key)
        # What is taken out is written anew, and 1.0 comes out as 1.
        raw = f"JSONExtractRaw({x}, {name})"
        whole = f"JSONType({x}, {name}) = 'Double' AND NOT match({raw}, '[.eE]')"
        found = f"if(ifNull({whole}, 0), concat({raw}, '.0'), {raw})"
        return f"CASE WHEN JSONType({x}) = 'Object' AND {raw} NOT IN ('', 'null') THEN {found} END"

    @override
    def marked(self, x: str, key: str) -> str:
        return f"nullif(JSONExtractString({x}, '{key}'), '')"

    @override
    def json_text(self, x: str) -> str:
        return f"CASE WHEN JSONType({x}) = 'String' THEN JSONExtractString({x}) END"

    @override
    def json_boolean(self, x: str) -> str:
        return f"CASE WHEN JSONType({x}) = 'Bool' THEN JSONExtractBool({x}) END"

    @override
    def json_integer(self, x: str) -> str:
        return f"toInt128OrNull({self.json_integer_text(x)})"

    @override
    def json_integer_text(self, x: str) -> str:
        return f"CASE WHEN JSONType({x}) IN ('Int64', 'UInt64') THEN {x} END"

    @override
    def json_float(self, x: str) -> str:
        return f"CASE WHEN JSONType({x}) = 'Double' THEN JSONExtractFloat({x}) END"

    @override
    def json_any(self, x: str, condition: Callable[[str], str]) -> str:
        held = f"ifNull({condition('item')}, 0)"
        return f"arrayExists(item -> {held}, JSONExtractArrayRaw(ifNull({x}, '')))"

    @override
    def json_items(self, x: str) -> str:
        return f"CASE WHEN JSONType({x}) = 'Array' THEN JSONLength({x}) END"

    @override
    def json_item(self, x: str, index: int) -> str:
        raw = f"JSONExtractRaw({x}, {index + 1})"
        return f"CASE WHEN JSONType({x}) = 'Array' THEN nullif(nullif({raw}, ''), 'null') END"

    @override
    def json_is_mapping(self, x: str) -> str:
        mark = self.marked(x, "is")
        return f"(JSONType({x}) = 'Object' AND COALESCE({mark} = 'mapping', TRUE))"
