"""The facts of a few people read back from tables, for the reference to judge where rounding might decide."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final, TypeAlias

import attrs

from crmsdk.model.consent import ConsentWrite
from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.moment import from_micros
from crmsdk.model.money import Money
from crmsdk.model.value_json import properties_from_json, value_from_json
from crmsdk.model.values import Value, normal
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Column, Kind, Layout

__all__ = ["Rows", "recalled"]

Rows: TypeAlias = Callable[[str], Iterable[Sequence[Any]]]
"""Runs a query and gives its rows."""

_BEFORE: Final = datetime.min.replace(tzinfo=UTC)
_MOMENTS: Final = (Kind.MOMENT, Kind.UTC, Kind.MICROS)


def recalled(dialect: Dialect, layout: Layout, customers: Sequence[CustomerId], run: Rows) -> Iterator[Facts]:
    """Read everything the layout knows of some people.

    Args:
        dialect: Whose SQL.
        layout: Bound to the database.
        customers: At most some hundreds.
        run: Runs a query.

    Raises:
        InputError: a stored value is none that crmsdk knows.
    """
    found = {customer: Facts(customer=customer) for customer in customers}
    for reader in (_people, _attributes, _consents, _events):
        for customer, change in reader(dialect, layout, customers, run):
            found[customer] = change(found[customer])
    yield from found.values()


Change: TypeAlias = Callable[[Facts], Facts]


def _with_event(event: Event, facts: Facts) -> Facts:
    return facts.with_events([event])


def _with_writes(writes: Sequence[AttributeWrite], facts: Facts) -> Facts:
    return facts.with_attributes(writes)


def _select(
    dialect: Dialect, table: str, key: str, columns: Sequence[str], customers: Sequence[CustomerId]
) -> str:
    whose = dialect.as_text(dialect.ident(key))
    ids = ", ".join(dialect.text(customer) for customer in customers)
    listed = ", ".join([whose, *columns])
    return f"SELECT {listed} FROM {dialect.table(table)} WHERE {whose} IN ({ids}){dialect.suffix}"


def _shown(dialect: Dialect, column: Column) -> list[str]:
    x, kind = dialect.ident(column.name), column.kind or Kind.OTHER
    if kind in (Kind.MOMENT, Kind.UTC):
        return [dialect.as_micros(x)]
    if kind in (Kind.JSON, Kind.NESTED):
        return [_json(dialect, x, kind)]
    return [x, dialect.ident(column.currency_in)] if column.currency_in else [x]


def _json(dialect: Dialect, x: str, kind: Kind) -> str:
    return dialect.as_text(dialect.json_shown(dialect.from_column(x, kind)))


def _values(columns: Mapping[str, Column], row: Sequence[Any]) -> dict[str, Value]:
    cells, out = iter(row), {}
    for name, column in columns.items():
        cell = next(cells)
        code = next(cells) if column.currency_in else column.currency
        out[name] = None if cell is None else _value(cell, column.kind or Kind.OTHER, code, name)
    return out


def _value(cell: Any, kind: Kind, code: str, name: str) -> Value:
    match kind:
        case Kind.MONEY:
            return Money(int(cell), code) if code else None
        case Kind.MOMENT | Kind.UTC | Kind.MICROS:
            return from_micros(int(cell))
        case Kind.FLOAT:
            number = float(cell)
            return number if abs(number) < float("inf") else None
        case Kind.INTEGER:
            return int(cell)
        case Kind.BOOLEAN:
            return bool(cell)
        case Kind.DATE:
            return (
                date.fromisoformat(cell) if isinstance(cell, str) else date(cell.year, cell.month, cell.day)
            )
        case Kind.JSON | Kind.NESTED:
            return normal(value_from_json(json.loads(cell), name), name)
        case _:
            return normal(cell, name)


def _people(
    dialect: Dialect, layout: Layout, customers: Sequence[CustomerId], run: Rows
) -> Iterator[tuple[CustomerId, Change]]:
    people = layout.people
    columns = {name: each for name, each in people.attributes.items() if each.kind is not Kind.OTHER}
    shown = [dialect.ident(people.zone)] if people.zone else ["NULL"]
    shown += [x for column in columns.values() for x in _shown(dialect, column)]
    for whose, zone, *row in run(_select(dialect, people.table, people.id, shown, customers)):
        writes = [
            AttributeWrite(name=name, value=value, at=_BEFORE, id=EventId(""))
            for name, value in _values(columns, row).items()
        ]

        def change(facts: Facts, zone: Any = zone, writes: Any = writes) -> Facts:
            return attrs.evolve(facts, zone=zone).with_attributes(writes)

        yield CustomerId(whose), change


def _events(
    dialect: Dialect, layout: Layout, customers: Sequence[CustomerId], run: Rows
) -> Iterator[tuple[CustomerId, Change]]:
    events = layout.events
    columns = {name: each for name, each in events.properties.items() if each.kind is not Kind.OTHER}
    shown = [
        dialect.as_text(dialect.ident(events.id.name)),
        dialect.ident(events.name),
        *_shown(dialect, events.at),
    ]
    rest = dialect.ident(events.rest) if events.rest else ""
    shown += [_json(dialect, rest, Kind.JSON) if rest else "NULL"]
    shown += [x for column in columns.values() for x in _shown(dialect, column)]
    for whose, id, name, at, others, *row in run(
        _select(dialect, events.table, events.customer, shown, customers)
    ):
        properties = properties_from_json(json.loads(others), "properties") if others else {}
        event = Event(
            id=EventId(id.zfill(20) if events.id.kind is Kind.INTEGER else id),  # text order is theirs, then
            customer=CustomerId(whose),
            name=name,
            at=from_micros(int(at)),
            received=from_micros(int(at)),
            properties={**properties, **_values(columns, row)},
        )
        yield CustomerId(whose), partial(_with_event, event)


def _attributes(
    dialect: Dialect, layout: Layout, customers: Sequence[CustomerId], run: Rows
) -> Iterator[tuple[CustomerId, Change]]:
    log = layout.attributes
    if log is None:
        return
    shown = [
        dialect.ident(log.name),
        _json(dialect, dialect.ident(log.value), Kind.JSON),
        *_shown(dialect, log.at),
        dialect.as_text(dialect.ident(log.id)),
    ]
    declared = layout.people.attributes
    for whose, name, value, at, id in run(_select(dialect, log.table, log.customer, shown, customers)):
        if name in declared:
            continue  # the column counts
        found = None if value is None else normal(value_from_json(json.loads(value), name), name)
        write = AttributeWrite(name=name, value=found, at=from_micros(int(at)), id=EventId(id))
        yield CustomerId(whose), partial(_with_writes, [write])


def _consents(
    dialect: Dialect, layout: Layout, customers: Sequence[CustomerId], run: Rows
) -> Iterator[tuple[CustomerId, Change]]:
    log = layout.consents
    if log is None:
        return
    shown = [
        *(dialect.ident(each) for each in (log.channel, log.purpose, log.state)),
        *_shown(dialect, log.at),
        dialect.as_text(dialect.ident(log.id)),
    ]
    for whose, channel, purpose, state, at, id in run(
        _select(dialect, log.table, log.customer, shown, customers)
    ):
        write = ConsentWrite(channel=channel, purpose=purpose, state=state, at=from_micros(int(at)), id=id)

        def change(facts: Facts, write: ConsentWrite = write) -> Facts:
            return attrs.evolve(facts, consents=(*facts.consents, write))

        yield CustomerId(whose), change
