"""DuckDB 1.4 and newer; nothing has to be loaded or downloaded, JSON is part of it."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from typing_extensions import override

from crmsdk.model.patterns import Pattern
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Events, Kind

__all__ = ["DuckDB"]


class DuckDB(Dialect):
    """DuckDB: the default."""

    name: ClassVar[str] = "duckdb"

    @override
    def integer(self, value: int) -> str:
        # Beyond 64 bits a bare literal may be read as a double.
        return str(value) if abs(value) < 2**63 else f"'{value}'::HUGEINT"

    @override
    def double(self, value: float) -> str:
        return f"'{value!r}'::DOUBLE"

    @override
    def moment(self, micros: int, kind: Kind) -> str:
        # A literal with a zone would need the zone data; a column without one must not meet the session's.
        return f"make_timestamp{'tz' if kind is Kind.MOMENT else ''}({micros})"

    @override
    def nfc(self, x: str) -> str:
        return f"nfc_normalize({x})"

    @override
    def contains(self, x: str, part: str) -> str:
        return f"contains({x}, {self.text(part)})"

    @override
    def starts(self, x: str, part: str) -> str:
        return f"starts_with({x}, {self.text(part)})"

    @override
    def ends(self, x: str, part: str) -> str:
        return f"ends_with({x}, {self.text(part)})"

    @override
    def matches(self, x: str, pattern: Pattern) -> str:
        return f"regexp_matches({x}, {self.text(pattern.written_for('re2'))})"

    @override
    def finite(self, x: str) -> str:
        return f"CASE WHEN isfinite({x}) THEN {x} END"

    @override
    def as_real(self, x: str) -> str:
        return f"CAST({x} AS DOUBLE)"

    @override
    def over(self, x: str, by: int) -> str:
        return f"(({x}) // {by})"

    @override
    def lot(self, x: str) -> str:
        return f"CAST('0x' || substr(md5({x}), 1, 8) AS BIGINT)"

    @override
    def as_integer(self, x: str) -> str:
        return f"CAST({x} AS BIGINT)"

    @override
    def wide(self, x: str) -> str:
        return f"CAST({x} AS HUGEINT)"

    @override
    def as_micros(self, x: str) -> str:
        return f"epoch_us({x})"

    @override
    def order(self, at: str, id: str, events: Events) -> Sequence[str]:
        if events.id.kind is not Kind.INTEGER:
            return super().order(at, id, events)
        # One integer for both: half the time of a row of two.
        moment = at if events.at.kind is Kind.MICROS else f"epoch_us({at})"
        return (f"CAST({moment} AS HUGEINT) * 18446744073709551616 + {id}",)

    @override
    def at_edge(self, x: str, keys: Sequence[str], condition: str, *, last: bool) -> str:
        # Plain arg_max passes over rows whose value is null; the last row counts, null or not.
        key = keys[0] if len(keys) == 1 else f"row({', '.join(keys)})"
        return f"arg_{'max' if last else 'min'}_null({x}, {key}){self._filter(condition)}"

    @override
    def packed(self, bits: Sequence[str], *, total: bool = False) -> str:
        if not total:
            return super().packed(bits)
        # Half the time of a sum of cases: eight bits in a byte, and nothing that has to look for overflow.
        eights = [bits[start : start + 8] for start in range(0, len(bits), 8)]
        return " | ".join(f"CAST({_byte(eight)} AS BIGINT) * {1 << 8 * n}" for n, eight in enumerate(eights))

    @override
    def from_column(self, x: str, kind: Kind) -> str:
        # No json(): it would write every row anew, and extracting reads text as well.
        return f"nullif(to_json({x}), 'null'::JSON)" if kind is Kind.NESTED else x

    @override
    def json_value(self, x: str) -> str:
        return f"nullif(CAST({x} AS JSON), 'null'::JSON)"

    @override
    def field(self, x: str, key: str) -> str:
        # A pointer, because in a path some names would be patterns. On a list a number would be an index.
        pointer = self.text("/" + key.replace("~", "~0").replace("/", "~1"))
        found = f"nullif(json_extract({x}, {pointer}), 'null'::JSON)"
        return f"CASE WHEN json_type({x}) = 'OBJECT' THEN {found} END" if key.isdigit() else found

    @override
    def marked(self, x: str, key: str) -> str:
        return f"json_extract_string({x}, '/{key}')"

    @override
    def json_text(self, x: str) -> str:
        return f"CASE WHEN json_type({x}) = 'VARCHAR' THEN {x}->>'$' END"

    @override
    def json_boolean(self, x: str) -> str:
        return f"CASE WHEN json_type({x}) = 'BOOLEAN' THEN CAST({x} AS BOOLEAN) END"

    @override
    def json_integer(self, x: str) -> str:
        # A number beyond 64 bits calls itself a double; its text tells.
        most, least = self.integer(self.widest), self.integer(-self.widest)
        text = f"{x}->>'$'"
        huge = (
            f"COALESCE(greatest({least}, least({most}, TRY_CAST({text} AS HUGEINT))),"
            f" CASE WHEN starts_with({text}, '-') THEN {least} ELSE {most} END)"
        )
        return (
            f"CASE json_type({x}) WHEN 'UBIGINT' THEN CAST({x} AS HUGEINT)"
            f" WHEN 'BIGINT' THEN CAST({x} AS HUGEINT)"
            f" WHEN 'DOUBLE' THEN CASE WHEN NOT {_FRACTION.format(x)} THEN {huge} END END"
        )

    @override
    def json_integer_text(self, x: str) -> str:
        kinds = "'UBIGINT', 'BIGINT', 'DOUBLE'"
        return f"CASE WHEN json_type({x}) IN ({kinds}) AND NOT {_FRACTION.format(x)} THEN {x}->>'$' END"

    @override
    def json_float(self, x: str) -> str:
        return f"CASE WHEN json_type({x}) = 'DOUBLE' AND {_FRACTION.format(x)} THEN CAST({x} AS DOUBLE) END"

    @override
    def json_any(self, x: str, condition: Callable[[str], str]) -> str:
        items = f"CAST(CASE WHEN json_type({x}) = 'ARRAY' THEN {x} END AS JSON[])"
        return f"len(list_filter({items}, lambda item: COALESCE({condition('item')}, FALSE))) > 0"

    @override
    def json_items(self, x: str) -> str:
        return f"CASE WHEN json_type({x}) = 'ARRAY' THEN json_array_length({x}) END"

    @override
    def json_item(self, x: str, index: int) -> str:
        return f"nullif(json_extract({x}, '/{index}'), 'null'::JSON)"

    @override
    def json_is_mapping(self, x: str) -> str:
        mark = self.marked(x, "is")
        return f"(json_type({x}) = 'OBJECT' AND COALESCE({mark} = 'mapping', TRUE))"


def _byte(bits: Sequence[str]) -> str:
    shifted = (f"CAST(({bit}) AS UTINYINT) * {1 << place}::UTINYINT" for place, bit in enumerate(bits))
    return f"({' | '.join(f'({each})' for each in shifted)})"


_FRACTION = "regexp_matches({}->>'$', '[.eE]')"
