"""Tables become facts: a map says which column is what, and what to do with odd rows.

invoices = EventMap(
    event="purchase", id="invoice", customer="customer",
    at=WallClock("placed_at", "Europe/London"),
    properties={"amount": MoneyColumn("amount_pence", "GBP"), "units": "units"},
    columns={"amount_pence": "integer"},
    rules=[
        Reject("missing_customer", prop("customer").missing()),
        Rename("cancellation", prop("kind") == "cancellation"),
        Reject("amount_not_positive", prop("amount_pence") <= 0),
    ],
)
for row in read_rows(csv_rows("invoices.csv.gz"), invoices, catalog=catalog, received=now): ...
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from crmsdk.errors import CrmsdkError, InputError, UnknownName
from crmsdk.model.catalog import Catalog, PropSpec
from crmsdk.model.customer import Identifier
from crmsdk.model.ids import EventId
from crmsdk.model.inputs import Identify, Input, Track
from crmsdk.model.moment import to_moment
from crmsdk.model.values import Properties, Value, normal
from crmsdk.model.zones import zone
from crmsdk.wire.columns import Cells, MoneyColumn, Reject, Rename, Rule, Source, is_empty, name_in
from crmsdk.wire.maps import CustomerMap, EventMap
from crmsdk.wire.naming import content_id
from crmsdk.wire.report import ReadRow, RejectedRow, Row
from crmsdk.wire.validation import Validator
from crmsdk.wire.wall_clock import WallClock, read_moment

__all__ = ["read_rows"]


def read_rows(
    rows: Iterable[Cells | RejectedRow],
    by: EventMap | CustomerMap,
    *,
    catalog: Catalog,
    received: datetime,
) -> Iterator[Row]:
    """Turn the rows of a table into news; what is wrong with one row stops no other.

    Args:
        rows: ``csv_rows``, ``frame_rows``, or mappings of column to cell.
        by: What the columns mean.
        catalog: What exists.
        received: When the table arrived, aware.

    Yields:
        One row for each given, in order; numbers count from 1.

    Raises:
        UnknownName: the map names a column the table has not.
    """
    reader = _Reader(by, catalog, to_moment(received, "received"))
    known = False
    for number, row in enumerate(rows, 1):
        if isinstance(row, RejectedRow):
            yield row
            continue
        if not known:
            reader.check(row)
            known = True
        yield reader.row(number, row)


class _Reader:
    """Reads the rows of one table."""

    def __init__(self, by: EventMap | CustomerMap, catalog: Catalog, received: datetime) -> None:
        self.by = by
        self.received = received
        self.validator = Validator(catalog, lax=True)
        typed = [PropSpec(name, kind, optional=True) for name, kind in by.columns.items()]
        self.asked = Validator(Catalog((), typed), lax=True)
        self.questions = {test.name for rule in by.rules for test in rule.when}
        self.columns = (*by.read_columns, *by.columns, *self.questions)
        self.needed = frozenset(self.columns)

    def check(self, cells: Cells) -> None:
        """Refuse a map that names columns the table has not."""
        for column in self.columns:
            if column not in cells:
                raise UnknownName("column", column, list(cells))

    def row(self, number: int, cells: Cells) -> Row:
        """Read one row."""
        try:
            if not self.needed <= cells.keys():  # mappings from elsewhere may each have other keys
                lost = next(column for column in self.columns if column not in cells)
                raise InputError("is missing; give every row all columns, empty ones too", field=lost)
            rule = self._rule(cells)
            if isinstance(rule, Reject):
                return RejectedRow(number, rule.reason)
            if isinstance(self.by, EventMap):
                return ReadRow(number, self._event(self.by, cells, rule))
            return ReadRow(number, (self._person(self.by, cells),))
        except CrmsdkError as error:
            return RejectedRow.of(number, error)

    def _event(self, by: EventMap, cells: Cells, rule: Rename | None) -> tuple[Input, ...]:
        name, sources = by.event, by.properties
        if rule is not None:
            name, sources = rule.event, by.properties if rule.properties is None else rule.properties
        who = (Identifier(by.customer_kind, name_in(cells, by.customer)),)
        at = _moment(by.at, cells)
        found = self.validator.properties(name, _values(sources, cells))
        id = (
            content_id("track", who, at=at, values=found, source=by.source, about=name)
            if by.id is None
            else EventId(name_in(cells, by.id))
        )
        event = Track(
            id=id,
            identifiers=who,
            at=at,
            received=self.received,
            source=by.source,
            name=name,
            properties=found,
        )
        traits = self._traits(by.traits, cells, by.source)
        if not traits:
            return (event,)
        said = Identify(
            id=EventId(f"{id}/traits"),
            identifiers=who,
            at=at,
            received=self.received,
            source=by.source,
            traits=traits,
        )
        return (said, event)

    def _person(self, by: CustomerMap, cells: Cells) -> Identify:
        who = [
            Identifier(kind, name_in(cells, column))
            for kind, column in by.identifiers.items()
            if not is_empty(cells[column])
        ]
        if not who:
            raise InputError("is missing; fill one in", field=" and ".join(by.identifiers.values()))
        at = _moment(by.at, cells)
        traits = self._traits(by.traits, cells, by.source)
        place, locale = _text(by.zone, cells), _text(by.locale, cells)
        about = "/".join((place or "", locale or ""))
        return Identify(
            id=content_id("identify", who, at=at, values=traits, source=by.source, about=about)
            if by.id is None
            else EventId(name_in(cells, by.id)),
            identifiers=who,
            at=at,
            received=self.received,
            source=by.source,
            traits=traits,
            zone=None if place is None else zone(place, str(by.zone)).key,
            locale=locale,
        )

    def _traits(self, sources: Mapping[str, Source], cells: Cells, source: str) -> Properties:
        said = {name: value for name, value in _values(sources, cells).items() if value is not None}
        return self.validator.traits(said, source=source)

    def _rule(self, cells: Cells) -> Rule | None:
        if not self.by.rules:
            return None
        values = {name: self._value(name, cells[name]) for name in self.questions}
        return next((rule for rule in self.by.rules if all(test.holds(values) for test in rule.when)), None)

    def _value(self, name: str, cell: object) -> Value:
        if is_empty(cell):
            return None
        if name not in self.by.columns:
            return normal(cell.strip() if isinstance(cell, str) else cell, name)
        try:
            return self.asked.traits({name: cell})[name]
        except InputError as error:
            raise InputError(error.problem, field=name) from None


def _values(sources: Mapping[str, Source], cells: Cells) -> dict[str, object]:
    return {
        name: source.read(cells) if isinstance(source, MoneyColumn) else _cell(cells[source])
        for name, source in sources.items()
    }


def _cell(cell: object) -> object:
    return None if is_empty(cell) else cell


def _text(column: str | None, cells: Cells) -> str | None:
    return None if column is None or is_empty(cells[column]) else name_in(cells, column)


def _moment(at: datetime | str | WallClock, cells: Cells) -> datetime:
    if isinstance(at, datetime):
        return at
    column = at if isinstance(at, str) else at.column
    if is_empty(cells[column]):
        raise InputError("is missing; fill it in, or reject such rows by a rule", field=column)
    return read_moment(cells[column], column) if isinstance(at, str) else at.moment(cells[column])
