"""The aggregates questions ask for, each a small value that writes itself."""

from enum import StrEnum
from typing import ClassVar

import attrs
from typing_extensions import override

from crmsdk.segments.grammar import Edge
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.sql.sources import EventFeature, EventRow

__all__ = ["CountOf", "DistinctOf", "EdgeOf", "OddOf", "Part", "SumOf", "ValueOf"]


@attrs.frozen
class CountOf(EventFeature):
    """How many events."""

    of: Occurrences

    @override
    def aggregate(self, row: EventRow, condition: str) -> str:
        return row.dialect.count(condition)


@attrs.frozen
class EdgeOf(EventFeature):
    """The moment of the first or last event."""

    of: Occurrences
    edge: Edge

    @override
    def aggregate(self, row: EventRow, condition: str) -> str:
        if self.edge is Edge.FIRST:
            return row.dialect.least(row.at, condition)
        return row.dialect.greatest(row.at, condition)


class Part(StrEnum):
    """What of the numbers of a property is added up or counted."""

    INTEGERS = "integers"
    FLOATS = "floats"
    SIZES = "sizes"
    MANY_INTEGERS = "number of integers"
    MANY_FLOATS = "number of floats"


@attrs.frozen
class SumOf(EventFeature):
    """One of the figures that make up a sum: integers exactly, floats with what bounds their error.

    Attributes:
        prop: The property.
        currency: Of money, whose minor units are the integers; empty for numbers.
        part: Which figure.
    """

    of: Occurrences
    prop: str
    currency: str
    part: Part

    @override
    def aggregate(self, row: EventRow, condition: str) -> str:
        dialect, reading = row.dialect, row.property(self.prop)
        whole = reading.money(self.currency) if self.currency else reading.integer()
        x = (whole if self.part in (Part.INTEGERS, Part.MANY_INTEGERS) else reading.float()) or "NULL"
        match self.part:
            case Part.INTEGERS:
                return dialect.sum(x, condition)
            case Part.FLOATS:
                return dialect.sum_of_reals(x, condition)
            case Part.SIZES:
                return dialect.sum_of_reals(f"abs({x})", condition)
            case Part.MANY_INTEGERS | Part.MANY_FLOATS:
                return dialect.count(_and(condition, f"({x}) IS NOT NULL"))


@attrs.frozen
class ValueOf(EventFeature):
    """The value of the first or last event; of money its currency, if each row has one.

    Attributes:
        prop: The property.
        last: Whether the last is meant.
        code: Whether the currency is meant.
    """

    of: Occurrences
    prop: str
    last: bool
    code: bool = False

    @override
    def aggregate(self, row: EventRow, condition: str) -> str:
        x = row.stored(self.prop)
        return row.dialect.at_edge(x[1] if self.code else x[0], row.order, condition, last=self.last)


@attrs.frozen
class DistinctOf(EventFeature):
    """How many different values."""

    apart: ClassVar[bool] = True
    of: Occurrences
    prop: str

    @override
    def aggregate(self, row: EventRow, condition: str) -> str:
        return row.dialect.distinct(row.property(self.prop).canonical(), condition)


@attrs.frozen
class OddOf(EventFeature):
    """How many values whose equality only the reference can tell: lists, mappings, very large doubles."""

    of: Occurrences
    prop: str

    @override
    def aggregate(self, row: EventRow, condition: str) -> str:
        return row.dialect.count(_and(condition, row.property(self.prop).odd() or "FALSE"))


def _and(condition: str, other: str) -> str:
    return f"{condition} AND {other}" if condition else other
