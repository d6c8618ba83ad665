"""Where a database keeps people, events, attributes and consents: a declared layout, bound to what is there.

    Layout(events=Events("shop.events", at="created_at", properties={"amount": money("amount_minor", "RUB")}))

Column names not said are the ones in the defaults. Columns of the people's and the events' table that have no
other meaning are attributes and properties under their own names; a JSON column holds the rest.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias

import attrs

from crmsdk.errors import ConfigError, LayoutError

__all__ = [
    "Attributes",
    "Column",
    "Consents",
    "Events",
    "Kind",
    "Layout",
    "People",
    "Schema",
    "micros",
    "money",
]


class Kind(StrEnum):
    """What the values of a column are.

    ``moment`` is a date and time with a zone, ``utc`` one without, taken as UTC; ``micros`` are moments as
    integers of microseconds since 1970 UTC. ``json`` is JSON as ``crmsdk.model.value_json`` writes it, as
    text or of the database's own type; ``nested`` are the database's own lists and structures. ``other`` is
    what no question understands.
    """

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    DATE = "date"
    MOMENT = "moment"
    UTC = "utc"
    MICROS = "micros"
    MONEY = "money"
    JSON = "json"
    NESTED = "nested"
    OTHER = "other"


Schema: TypeAlias = Mapping[str, Mapping[str, Kind]]
"""What a database has: table, then column, then the kind of its values. Tables not there are left out."""


@attrs.frozen
class Column:
    """A column and what its values are.

    Attributes:
        name: The column.
        kind: None for what the database says of it.
        currency: Of money in minor units, the code all rows share; empty when ``currency_in`` says.
        currency_in: The column with the code of each row.
    """

    name: str
    kind: Kind | None = None
    currency: str = ""
    currency_in: str = ""


def money(column: str, currency: str = "", *, currency_in: str = "") -> Column:
    """Declare integers of minor units (kopecks, cents) with one currency, or a column that names it.

    Raises:
        ConfigError: neither or both are said.
    """
    if bool(currency) == bool(currency_in):
        raise ConfigError(f"money in {column!r} needs currency='RUB' or currency_in='column', one of them")
    return Column(column, Kind.MONEY, currency, currency_in)


def micros(column: str) -> Column:
    """Declare moments kept as integers of microseconds since 1970 UTC."""
    return Column(column, Kind.MICROS)


def _column(value: "str | Column") -> Column:
    return Column(value) if isinstance(value, str) else value


def _columns(values: "Mapping[str, str | Column]") -> dict[str, Column]:
    return {name: _column(value) for name, value in values.items()}


@attrs.frozen
class People:
    """One row a person: the universe of every answer.

    Attributes:
        table: May be dotted, as ``shop.customers``.
        id: Who it is, unique.
        attributes: Attribute name to the column of its current value.
        zone: The column with an IANA zone name, null when unknown; empty for none.
    """

    table: str = "people"
    id: str = "id"
    attributes: Mapping[str, Column] = attrs.field(factory=dict, converter=_columns, kw_only=True)
    zone: str = attrs.field(default="zone", kw_only=True)


@attrs.frozen
class Events:
    """One row an event, each id once.

    Attributes:
        table: May be dotted.
        customer, name: Whose it is, and what happened.
        id: Names it for ever, and orders events of one moment; text by its code points, integers by value.
        at: When; a time with or without a zone, or an integer of microseconds.
        properties: Property name to its column.
        rest: The column with a JSON object of all other properties; empty for none.
    """

    table: str = "events"
    customer: str = attrs.field(default="customer", kw_only=True)
    id: Column = attrs.field(default=Column("id"), converter=_column, kw_only=True)
    name: str = attrs.field(default="name", kw_only=True)
    at: Column = attrs.field(default=Column("at"), converter=_column, kw_only=True)
    properties: Mapping[str, Column] = attrs.field(factory=dict, converter=_columns, kw_only=True)
    rest: str = attrs.field(default="properties", kw_only=True)


@attrs.frozen
class Attributes:
    """The attribute log: one row a write, ``value`` in JSON; the last by (at, id) is current."""

    table: str = "attributes"
    customer: str = attrs.field(default="customer", kw_only=True)
    name: str = attrs.field(default="name", kw_only=True)
    value: str = attrs.field(default="value", kw_only=True)
    at: Column = attrs.field(default=Column("at"), converter=_column, kw_only=True)
    id: str = attrs.field(default="id", kw_only=True)


@attrs.frozen
class Consents:
    """The consent log: one row an answer; the last by (at, id) that fits channel and purpose is current."""

    table: str = "consents"
    customer: str = attrs.field(default="customer", kw_only=True)
    channel: str = attrs.field(default="channel", kw_only=True)
    purpose: str = attrs.field(default="purpose", kw_only=True)
    state: str = attrs.field(default="state", kw_only=True)
    at: Column = attrs.field(default=Column("at"), converter=_column, kw_only=True)
    id: str = attrs.field(default="id", kw_only=True)


_TIMES: Final = (Kind.MOMENT, Kind.UTC, Kind.MICROS)


@attrs.frozen(kw_only=True)
class Layout:
    """The four tables.

    Attributes:
        people, events: Always there.
        attributes, consents: May be missing in the database; then questions about them are refused.
        complete: Whether you vouch that every row's customer stands in the people's table. Many questions
            then need not look at that table at all. A foreign key proves it; left unsaid, nothing is assumed.
        nfc: Whether you vouch that all text is in Unicode's form C, as crmsdk stores it. Unsaid, text that
            is compared is brought into it on the way, which costs.
    """

    people: People = attrs.field(factory=People)
    events: Events = attrs.field(factory=Events)
    attributes: Attributes | None = attrs.field(factory=Attributes)
    consents: Consents | None = attrs.field(factory=Consents)
    complete: bool = False
    nfc: bool = False

    def tables(self) -> tuple[str, ...]:
        """Name the tables, to look up what columns they have."""
        return tuple(
            each.table
            for each in (self.people, self.events, self.attributes, self.consents)
            if each is not None
        )

    def bound(self, schema: Schema) -> "Layout":
        """Compare with what the database has, and take in the columns that were not named.

        Raises:
            LayoutError: a table or column is missing, or holds what it cannot mean.
        """
        return attrs.evolve(
            self,
            people=_bound_people(self.people, schema),
            events=_bound_events(self.events, schema),
            attributes=_bound_log(self.attributes, schema, ("customer", "name", "value", "id")),
            consents=_bound_log(self.consents, schema, ("customer", "channel", "purpose", "state", "id")),
        )


def _has(table: str, schema: Schema) -> Mapping[str, Kind]:
    if table not in schema:
        raise LayoutError(table, mend="say where it is: Layout(people=People('customers'), ...)")
    return schema[table]


def _found(table: str, column: str, has: Mapping[str, Kind], field: str) -> str:
    if column not in has:
        raise LayoutError(table, column, known=tuple(has), mend=f"say which it is, as {field}='its_name'")
    return column


def _moment(table: str, column: Column, has: Mapping[str, Kind]) -> Column:
    _found(table, column.name, has, "at")
    kind = column.kind or has[column.name]
    if kind is Kind.INTEGER:
        kind = Kind.MICROS
    if kind not in _TIMES:
        raise LayoutError(
            table,
            column.name,
            problem=f"is {kind}, no moment",
            mend="give a timestamp, or microseconds as integer",
        )
    return attrs.evolve(column, kind=kind)


def _values(
    table: str, declared: Mapping[str, Column], has: Mapping[str, Kind], used: set[str]
) -> dict[str, Column]:
    out = {}
    for name, column in declared.items():
        _found(table, column.name, has, name)
        if column.currency_in:
            _found(table, column.currency_in, has, name)
        out[name] = attrs.evolve(column, kind=column.kind or has[column.name])
        used |= {column.name, column.currency_in}
    free = {name: Column(name, kind) for name, kind in has.items() if name not in used and name not in out}
    return free | out


def _bound_people(people: People, schema: Schema) -> People:
    has = _has(people.table, schema)
    _found(people.table, people.id, has, "id")
    zone = people.zone if people.zone in has else ""
    if people.zone and not zone and people.zone != _DEFAULT_ZONE:
        _found(people.table, people.zone, has, "zone")
    used = {people.id, zone}
    return attrs.evolve(people, zone=zone, attributes=_values(people.table, people.attributes, has, used))


def _bound_events(events: Events, schema: Schema) -> Events:
    has = _has(events.table, schema)
    for field, column in (("customer", events.customer), ("id", events.id.name), ("name", events.name)):
        _found(events.table, column, has, field)
    rest = events.rest if events.rest in has else ""
    if events.rest and not rest and events.rest != _DEFAULT_REST:
        _found(events.table, events.rest, has, "rest")
    used = {events.customer, events.id.name, events.name, events.at.name, rest}
    return attrs.evolve(
        events,
        id=attrs.evolve(events.id, kind=events.id.kind or has[events.id.name]),
        at=_moment(events.table, events.at, has),
        rest=rest,
        properties=_values(events.table, events.properties, has, used),
    )


def _bound_log(log: Any, schema: Schema, fields: tuple[str, ...]) -> Any:
    if log is None:
        return None
    if log.table not in schema:
        if log == type(log)():
            return None  # nobody named it, so it may be missing
        _has(log.table, schema)
    has = schema[log.table]
    for field in fields:
        _found(log.table, getattr(log, field), has, field)
    return attrs.evolve(log, at=_moment(log.table, log.at, has))


_DEFAULT_REST: Final = Events().rest
_DEFAULT_ZONE: Final = People().zone
