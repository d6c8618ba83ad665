"""A stored value, read as each kind it may be asked as.

A typed column is of one kind, so it is missing for all others. JSON says its kind in each row.
"""

from collections.abc import Callable
from typing import Final

from typing_extensions import override

from crmsdk.segments.sql.bounds import Span, date_of, moment_text
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Column, Kind
from crmsdk.segments.sql.terms import FALSE, Term

__all__ = ["ColumnReading", "JsonReading", "NoReading", "Reading", "in_span"]


class Reading:
    """A value that is never of the kind asked for; the kinds of readings answer what theirs can be.

    Each method gives SQL text that is null where the value is missing or of another kind; None where it
    always is.
    """

    def present(self) -> Term:
        """Say that there is a value."""
        return FALSE

    def text(self) -> str | None:
        """Read text."""
        return None

    def boolean(self) -> str | None:
        """Read a boolean."""
        return None

    def integer(self) -> str | None:
        """Read a number kept as integer."""
        return None

    def float(self) -> str | None:
        """Read a number kept as finite double."""
        return None

    def money(self, currency: str) -> str | None:  # noqa: ARG002 - the kinds that know money use it
        """Read minor units of a currency."""
        return None

    def digits(self, currency: str = "") -> str | None:  # noqa: ARG002 - the same
        """Read an integer, or minor units of a currency, as written; None where none is too wide to read."""
        return None

    def moment_in(self, span: Span) -> Term:  # noqa: ARG002 - the same
        """Say that the value is a moment within a span that is not empty."""
        return FALSE

    def day_in(self, span: Span) -> Term:  # noqa: ARG002 - the same
        """Say that the value is a date within days ``[low, high)``, counted as ``date.toordinal`` does."""
        return FALSE

    def day_of_year(self, tag: str) -> str | None:  # noqa: ARG002 - the same
        """Read month * 100 + day of a value marked ``date``, or of a ``moment`` by its date in UTC."""
        return None

    def any_item(self, condition: Callable[["Reading"], Term]) -> Term:  # noqa: ARG002 - the same
        """Say that the value is a list with an item for which the condition holds."""
        return FALSE

    def items(self) -> str | None:
        """Read how many items a list has."""
        return None

    def item(self, index: int) -> "Reading":  # noqa: ARG002 - the same
        """Read an item of a list."""
        return NoReading()

    def canonical(self) -> str:
        """Give text or a number that is equal for equal values; null where missing."""
        return "NULL"

    def odd(self) -> str | None:
        """Say that ``canonical`` cannot tell about this value; None where it always can."""
        return None


class NoReading(Reading):
    """Nothing: a value that nobody stored."""


class ColumnReading(Reading):
    """A column of one kind.

    Args:
        dialect: Whose SQL.
        x: The column, qualified.
        column: What is in it; ``kind`` is known.
        currency: Of money, the column with the code, qualified.
        nfc: Whether text is in form C already.
    """

    def __init__(self, dialect: Dialect, x: str, column: Column, *, currency: str = "", nfc: bool) -> None:
        self._dialect = dialect
        self._x = x
        self._column = column
        self._currency = currency
        self._nfc = nfc

    @override
    def present(self) -> Term:
        x = self._dialect.finite(self._x) if self._column.kind is Kind.FLOAT else self._x
        return Term(f"{x} IS NOT NULL", total=True)

    @override
    def canonical(self) -> str:
        match self._column.kind:
            case Kind.TEXT:
                return self.text() or "NULL"
            case Kind.FLOAT:
                return (
                    f"({self._dialect.finite(self._x)} + {self._dialect.double(0.0)})"  # there are two zeros
                )
            case Kind.MONEY if self._currency:
                both = f"{self._dialect.as_text(self._x)} || {self._dialect.as_text(self._currency)}"
                return f"CASE WHEN {self._x} IS NOT NULL AND {self._currency} IS NOT NULL THEN {both} END"
            case _:
                return self._x

    @property
    def kind(self) -> Kind | None:
        """What is in the column."""
        return self._column.kind

    @override
    def day_of_year(self, tag: str) -> str | None:
        if tag != "date" or not self._of(Kind.DATE):
            return None
        return f"extract(MONTH FROM {self._x}) * 100 + extract(DAY FROM {self._x})"

    def _of(self, *kinds: Kind) -> bool:
        return self._column.kind in kinds

    @override
    def text(self) -> str | None:
        if not self._of(Kind.TEXT):
            return None
        return self._dialect.binary(self._x if self._nfc else self._dialect.nfc(self._x))

    @override
    def boolean(self) -> str | None:
        return self._x if self._of(Kind.BOOLEAN) else None

    @override
    def integer(self) -> str | None:
        return self._x if self._of(Kind.INTEGER) else None

    @override
    def float(self) -> str | None:
        return self._dialect.finite(self._x) if self._of(Kind.FLOAT) else None

    @override
    def money(self, currency: str) -> str | None:
        if not self._of(Kind.MONEY):
            return None
        if self._currency:
            return f"CASE WHEN {self._currency} = {self._dialect.text(currency)} THEN {self._x} END"
        return self._x if self._column.currency == currency else None

    @override
    def moment_in(self, span: Span) -> Term:
        if not self._of(Kind.MOMENT, Kind.UTC, Kind.MICROS):
            return FALSE
        return Term(in_span(self._dialect, self._x, self._column.kind or Kind.MICROS, span))

    @override
    def day_in(self, span: Span) -> Term:
        if not self._of(Kind.DATE):
            return FALSE
        span = Span(span.low, None if span.high is None else span.high - 1)
        low = None if span.low is None else self._dialect.date(date_of(span.low))
        high = None if span.high is None else self._dialect.date(date_of(span.high))
        return Term(self._dialect.inside(self._dialect.day(self._x), low, high))


def in_span(dialect: Dialect, x: str, kind: Kind, span: Span) -> str:
    """Say that a moment kept in one of the three kinds lies within a span that is not empty."""
    span = span.clipped()

    def literal(at: int) -> str:
        return dialect.integer(at) if kind is Kind.MICROS else dialect.moment(at, kind)

    low = None if span.low is None else literal(span.low)
    high = None if span.high is None else literal(span.high - 1)
    return dialect.inside(x, low, high)


class JsonReading(Reading):
    """A value in JSON; null where it is missing."""

    def __init__(self, dialect: Dialect, x: str, *, nfc: bool) -> None:
        self._dialect = dialect
        self._x = x
        self._nfc = nfc

    @override
    def present(self) -> Term:
        return Term(f"{self._x} IS NOT NULL", total=True)

    @override
    def text(self) -> str | None:
        text = self._dialect.json_text(self._x)
        return self._dialect.binary(text if self._nfc else self._dialect.nfc(text))

    @override
    def boolean(self) -> str | None:
        return self._dialect.json_boolean(self._x)

    @override
    def integer(self) -> str | None:
        return self._dialect.json_integer(self._x)

    @override
    def float(self) -> str | None:
        return self._dialect.json_float(self._x)

    @override
    def money(self, currency: str) -> str | None:
        return self._dialect.json_integer(self._dialect.json_money(self._x, currency))

    @override
    def digits(self, currency: str = "") -> str | None:
        x = self._dialect.json_money(self._x, currency) if currency else self._x
        return self._dialect.json_integer_text(x)

    @override
    def moment_in(self, span: Span) -> Term:
        # Text order is time order once the "Z" is off: no database has to read a year it does not know.
        x = self._dialect.binary(self._dialect.without_end(self._dialect.json_tagged(self._x, "moment"), "Z"))
        span = span.clipped()
        low = None if span.low is None else self._dialect.text(moment_text(span.low))
        high = None if span.high is None else self._dialect.text(moment_text(span.high - 1))
        return Term(self._dialect.inside(x, low, high))

    @override
    def day_in(self, span: Span) -> Term:
        x = self._dialect.binary(self._dialect.json_tagged(self._x, "date"))
        low = None if span.low is None else self._dialect.text(date_of(span.low).isoformat())
        high = None if span.high is None else self._dialect.text(date_of(span.high - 1).isoformat())
        return Term(self._dialect.inside(x, low, high))

    @override
    def day_of_year(self, tag: str) -> str:
        x = self._dialect.json_tagged(self._x, tag)
        return self._dialect.as_integer(f"substr({x}, 6, 2) || substr({x}, 9, 2)")

    @override
    def any_item(self, condition: Callable[[Reading], Term]) -> Term:
        def holds(x: str) -> str:
            return condition(JsonReading(self._dialect, x, nfc=self._nfc)).sql

        return Term(self._dialect.json_any(self._x, holds))

    @override
    def items(self) -> str | None:
        return self._dialect.json_items(self._x)

    @override
    def item(self, index: int) -> Reading:
        return JsonReading(self._dialect, self._dialect.json_item(self._x, index), nfc=self._nfc)

    @override
    def canonical(self) -> str:
        dialect, real = self._dialect, self._dialect.json_float(self._x)
        whole = f"{dialect.whole(real)} AND abs({real}) < {dialect.double(_WHOLE)}"
        written = dialect.as_text(dialect.json_shown(self._x))
        written = written if self._nfc else dialect.nfc(written)
        return (
            f"CASE WHEN {real} IS NULL THEN"
            f" COALESCE({dialect.json_integer_text(self._x)}, {written})"
            f" WHEN {whole} THEN {dialect.as_text(dialect.as_integer(real))} ELSE {dialect.as_text(real)} END"
        )

    @override
    def odd(self) -> str | None:
        dialect, real = self._dialect, self._dialect.json_float(self._x)
        return (
            f"COALESCE(abs({real}) >= {dialect.double(_WHOLE)}, {dialect.json_items(self._x)} IS NOT NULL"
            f" OR {dialect.json_is_mapping(self._x)}, FALSE)"
        )


_WHOLE: Final = 2.0**53
