"""Cells of a table: which are empty, what names and amounts in them mean, and rules about whole rows."""

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from typing import TypeAlias

import attrs

from crmsdk.errors import ConfigError, DefinitionError, InputError
from crmsdk.model.comparison import PropTest
from crmsdk.model.money import Money

__all__ = ["Cells", "MoneyColumn", "Reject", "Rename", "Rule", "Source"]

_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])
"""Digits enough for every amount there is; what has more is refused and never rounded."""

Cells: TypeAlias = Mapping[str, object]
"""One row: column name to what stands there."""


@attrs.frozen
class MoneyColumn:
    """A column of amounts.

    Attributes:
        column: The column.
        currency: ISO 4217 code of all its amounts.
        currency_column: The column that holds the code instead.
        digits: How many decimals of a cell are minor units: 0 for pence, 2 for pounds and pence.
    """

    column: str
    currency: str = ""
    currency_column: str = attrs.field(default="", kw_only=True)
    digits: int = attrs.field(default=0, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse two currencies, none, or a code that is none."""
        if bool(self.currency) == bool(self.currency_column):
            raise ConfigError(f"money column {self.column!r} needs either currency or currency_column")
        if self.currency:
            Money(0, self.currency)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read."""
        return (self.column, self.currency_column) if self.currency_column else (self.column,)

    def read(self, cells: Cells) -> Money | None:
        """Give the amount of a row; None when its cell is empty.

        Raises:
            InputError: no number, more decimals than ``digits``, or no currency.
        """
        cell = cells[self.column]
        if is_empty(cell):
            return None
        currency = self.currency or name_in(cells, self.currency_column)
        try:
            if isinstance(cell, bool):
                raise InvalidOperation
            minor = Decimal(str(cell).strip()).scaleb(self.digits, _EXACT)
            if minor.adjusted() > _EXACT.prec:  # 1e999999 is short and makes a million digits
                raise InvalidOperation
            whole = int(minor)
        except (DecimalException, ValueError, OverflowError):
            raise InputError(
                "is no amount; give digits with a point for decimals", field=self.column
            ) from None
        if whole != minor:
            raise InputError(
                f"has more decimals than {self.digits}; mend it, or state digits of the column",
                field=self.column,
            )
        return Money(whole, currency)


Source: TypeAlias = str | MoneyColumn
"""Where a property or trait comes from: a column by name, or a column of amounts."""


def is_empty(cell: object) -> bool:
    """Say whether nothing stands in a cell: no text but space, no value, no number."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, float) and cell != cell)  # noqa: PLR0124 - only NaN differs from itself


def name_in(cells: Cells, column: str) -> str:
    """Read a name or id: text, or a whole number as dataframes keep ids.

    Raises:
        InputError: empty, or of another kind.
    """
    cell = cells[column]
    if is_empty(cell):
        raise InputError("is missing; fill it in, or reject such rows by a rule", field=column)
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)  # a column of numbers with holes becomes one of floats in many libraries
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if not isinstance(cell, str):
        raise InputError(f"is {type(cell).__name__}; give text or a whole number", field=column)
    return cell.strip()


def tests_of(value: PropTest | Iterable[PropTest]) -> tuple[PropTest, ...]:
    """Give the questions of a rule, which may be only one.

    Raises:
        DefinitionError: it is none.
    """
    tests = tuple(value) if isinstance(value, Iterable) else (value,)
    if not all(isinstance(test, PropTest) for test in tests):
        raise DefinitionError("a rule asks about columns as prop('kind') == 'refund'", path="when")
    return tests


@attrs.frozen
class Reject:
    """Leave rows out and count them under a reason.

    Attributes:
        reason: One word to count by, as ``adjustment``.
        when: Questions about columns, all of which hold: ``prop("kind") == "adjustment"``.
    """

    reason: str
    when: tuple[PropTest, ...] = attrs.field(converter=tests_of)


@attrs.frozen
class Rename:
    """Take rows as another event.

    Attributes:
        event: The event's name.
        when: Questions about columns, all of which hold.
        properties: What stands for the properties of that event; None for those of the map.
    """

    event: str
    when: tuple[PropTest, ...] = attrs.field(converter=tests_of)
    properties: Mapping[str, Source] | None = attrs.field(default=None, kw_only=True)


Rule: TypeAlias = Reject | Rename
