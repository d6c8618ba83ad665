"""Rows that questions read: the person's, and per event name or log one grouped row a person.

A feature is one aggregate over the events of one name, or over a log. Equal features are one column, whatever
question asks for them; the features of one name, or of all, are one pass over the rows.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import timedelta
from typing import ClassVar, Final, Generic, TypeVar

import attrs
from typing_extensions import override

from crmsdk.errors import LayoutError, UnknownName
from crmsdk.model.comparison import PropTest
from crmsdk.model.moment import to_micros
from crmsdk.segments.grammar import Calendar, Interval, Rolling
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.sql.bounds import Span
from crmsdk.segments.sql.comparing import compared
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Attributes, Column, Consents, Events, Kind
from crmsdk.segments.sql.readings import ColumnReading, JsonReading, Reading, in_span
from crmsdk.segments.sql.terms import Term, all_of, negated

__all__ = [
    "ZONED",
    "AttributeGroup",
    "ConsentGroup",
    "EventFeature",
    "EventGroup",
    "EventRow",
    "Group",
    "Lets",
    "Windows",
    "attribute_at",
    "column_reading",
    "span_of_window",
    "value_of_write",
]

F = TypeVar("F", bound=Hashable)
_MICROSECOND: Final = timedelta(microseconds=1)
ZONED: Final = "zoned"
"""The subquery with a row for each person: ``crmsdk_whose`` it is, and the numbers of the person's zone."""


def column_reading(dialect: Dialect, table: str, alias: str, column: Column, *, nfc: bool) -> Reading:
    """Read a column by its kind.

    Raises:
        LayoutError: it holds what no question understands.
    """
    x = f"{alias}{dialect.ident(column.name)}"
    kind = column.kind or Kind.OTHER
    if kind is Kind.OTHER:
        raise LayoutError(
            table,
            column.name,
            problem="is of a type no question understands",
            mend="give it as text or number",
        )
    if kind in (Kind.JSON, Kind.NESTED):
        return JsonReading(dialect, json_of(dialect, x, kind), nfc=nfc)
    currency = f"{alias}{dialect.ident(column.currency_in)}" if column.currency_in else ""
    return ColumnReading(dialect, x, column, currency=currency, nfc=nfc)


def json_of(dialect: Dialect, x: str, kind: Kind) -> str:
    """Read a whole column as one JSON value."""
    found = dialect.from_column(x, kind)
    return dialect.json_value(found) if kind is Kind.JSON else found


def attribute_at(dialect: Dialect, x: str, path: str) -> str:
    """Follow a dotted path into a value that may be a mapping."""
    for key in path.split("."):
        x = dialect.json_member(x, key)
    return x


class Lets:
    """Names for parts of expressions, computed once a row in subqueries one inside the other.

    A database takes an expression as it is written: what stands in it ten times is planned ten times.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._levels: dict[str, int] = {}

    def bind(self, sql: str, *of: str) -> str:
        """Name an expression over columns of the table and over names given before, said in ``of``."""
        name = self._names.get(sql)
        if name is None:
            name = self._names[sql] = f"crmsdk_v{len(self._names)}"
            self._levels[name] = 1 + max((self._levels[each] for each in of), default=0)
        return name

    def around(self, source: str, fence: str) -> str:
        """Write a source with everything named, around one without."""
        for level in range(1, 1 + max(self._levels.values(), default=0)):
            named = ", ".join(
                f"{sql} AS {name}" for sql, name in self._names.items() if self._levels[name] == level
            )
            source = f"(SELECT *, {named} FROM {source}{fence}) AS l{level}"
        return source

    def __bool__(self) -> bool:
        """Say whether anything is named."""
        return bool(self._names)


def span_of_window(window: Rolling | Interval | None, now: int) -> Span:
    """Give the moments at which events count, none of them after ``now``."""
    past = Span(None, now + 1)
    match window:
        case Rolling(span, ago):
            end = now - ago // _MICROSECOND
            return Span(end - span // _MICROSECOND + 1, end + 1)
        case Interval(start, end):
            return past.within(Span(to_micros(start), to_micros(end)))
        case None:
            return past


@attrs.frozen
class Windows:
    """When events count.

    Attributes:
        span: Gives the moments at which they do, or may.
        local: Writes what a window of the calendar asks besides, of a moment in microseconds, by the numbers
            of the person's zone.
    """

    span: Callable[[Occurrences], Span]
    local: Callable[[Calendar, str], str]


class Group(ABC, Generic[F]):
    """One grouped subquery: a row a person, a column a feature.

    Args:
        alias: Its name in the query.
        dialect: Whose SQL.
    """

    def __init__(self, alias: str, dialect: Dialect) -> None:
        self.alias = alias
        self.dialect = dialect
        self._features: dict[F, str] = {}

    def column(self, feature: F) -> str:
        """Give the qualified column of a feature."""
        return f"{self.alias}.{self._features.setdefault(feature, f'f{len(self._features)}')}"

    @abstractmethod
    def sql(self) -> str:
        """Write the subquery."""

    def _grouped(self, source: str, customer: str, where: Sequence[str], columns: Iterable[str]) -> str:
        key = self.dialect.ident(customer)
        named = ", ".join(f"{x} AS {name}" for x, name in zip(columns, self._features.values(), strict=True))
        filtered = f" WHERE {' AND '.join(where)}" if where else ""
        return f"SELECT {key} AS customer, {named} FROM {source}{filtered} GROUP BY {key}"


@attrs.frozen
class EventRow:
    """One row of the events' table, for aggregates to read."""

    dialect: Dialect
    events: Events
    nfc: bool
    lets: Lets = attrs.field(factory=Lets)

    @property
    def at(self) -> str:
        """The column of its moment."""
        return self.dialect.ident(self.events.at.name)

    @property
    def micros(self) -> str:
        """Its moment in microseconds."""
        return self.at if self.events.at.kind is Kind.MICROS else self.dialect.as_micros(self.at)

    def table(self, *, zoned: bool) -> str:
        """Write the table, with the numbers of the zones or without."""
        table = self.dialect.table(self.events.table)
        whose = self.dialect.ident(self.events.customer)
        return f"{table} JOIN {ZONED} ON crmsdk_whose = {whose}" if zoned else table

    @property
    def order(self) -> Sequence[str]:
        """Its place in the total order."""
        return self.dialect.order(self.at, self.dialect.ident(self.events.id.name), self.events)

    def property(self, name: str) -> Reading:
        """Read a property as ``value_at`` does.

        Raises:
            UnknownName: there is neither a column for it nor one for the rest.
        """
        column = self.events.properties.get(name)
        if column is not None and column.kind not in (Kind.JSON, Kind.NESTED):
            return column_reading(self.dialect, self.events.table, "", column, nfc=self.nfc)
        return JsonReading(self.dialect, self._place(name), nfc=self.nfc)

    def stored(self, name: str) -> tuple[str, str]:
        """Give the column or JSON value that holds a property, and of money the column of the currency."""
        column = self.events.properties.get(name)
        if column is None or column.kind in (Kind.JSON, Kind.NESTED):
            return self._place(name), ""
        code = self.dialect.ident(column.currency_in) if column.currency_in else ""
        return self.dialect.ident(column.name), code

    def _place(self, name: str) -> str:
        declared, (head, dot, path) = self.events.properties, name.partition(".")
        if name in declared:
            return self._outer(declared[name])
        places = [self._field(name)] if self.events.rest else []
        if dot:
            outer = declared.get(head)
            if outer is not None and outer.kind in (Kind.JSON, Kind.NESTED):
                places += self._inside(self._outer(outer), path)
            elif self.events.rest:
                places += self._inside(self._field(head), path)
        if not places:
            raise UnknownName("property", name, tuple(declared), mend="declare its column in the layout")
        if len(places) == 1:
            return places[0]
        return self.lets.bind(f"COALESCE({', '.join(places)})", *places)

    def _outer(self, column: Column) -> str:
        x = self.dialect.ident(column.name)
        return self.lets.bind(json_of(self.dialect, x, column.kind or Kind.JSON))

    def _field(self, name: str) -> str:
        rest = self.dialect.from_column(self.dialect.ident(self.events.rest), Kind.JSON)
        return self.lets.bind(self.dialect.field(rest, name))

    def _inside(self, outer: str, name: str) -> list[str]:
        """Give the places in a mapping where a dotted name may stand; a member of that very name is first."""
        mapping = self.lets.bind(self.dialect.json_mapping(outer), outer)
        places = [self.lets.bind(self.dialect.field(mapping, name), mapping)]
        head, dot, path = name.partition(".")
        if dot:
            inner = self.lets.bind(self.dialect.field(mapping, head), mapping)
            places += self._inside(inner, path)
        return places

    def passes(self, tests: Iterable[PropTest]) -> Term:
        """Say that the properties pass all tests."""
        asked = []
        for test in tests:
            term = compared(self.dialect, self.property(test.name), test.op, test.operand)
            asked.append(negated(term) if test.negated else term)
        return all_of(asked)


class EventFeature(ABC):
    """One aggregate over events; a frozen value, equal ones are computed once.

    Attributes:
        apart: Whether a database may have to go over the rows once more for it.
        of: Which events.
    """

    apart: ClassVar[bool] = False
    of: Occurrences

    @abstractmethod
    def aggregate(self, row: EventRow, condition: str) -> str:
        """Write the aggregate over the rows of the condition, empty for all rows."""


class EventGroup(Group[EventFeature]):
    """Features of events that are read in one pass.

    Args:
        alias: Its name in the query.
        row: A row of the table.
        windows: When events count.
        zoned: Whether any of the windows follows the calendar.
    """

    def __init__(self, alias: str, row: EventRow, windows: Windows, *, zoned: bool) -> None:
        super().__init__(alias, row.dialect)
        self._row = row
        self._windows = windows
        self._zoned = zoned

    @override
    def sql(self) -> str:
        features = list(self._features)
        spans = [self._windows.span(feature.of) for feature in features]
        lows = [span.low for span in spans]
        widest = Span(
            None if None in lows else min(low for low in lows if low is not None),
            max(span.high for span in spans if span.high is not None),
        )
        names = sorted({feature.of.event for feature in features})
        where = self._base(names, widest)
        tests = [self._tests(feature) for feature in features]
        if len(names) > 1:
            tests = [
                [self._named([feature.of.event]), *asked]
                for feature, asked in zip(features, tests, strict=True)
            ]
        shared = [test for test in tests[0] if all(test in each for each in tests)]
        columns = [  # before the source is written, because they may name parts
            feature.aggregate(
                self._row,
                " AND ".join([*self._inside(span, widest), *(test for test in asked if test not in shared)]),
            )
            for feature, span, asked in zip(features, spans, tests, strict=True)
        ]
        return self._grouped(self._source(where, shared), self._row.events.customer, (), columns)

    def _source(self, base: Sequence[str], tests: Sequence[str]) -> str:
        """Write the rows: without named parts the table and its filters, else around them."""
        table, lets = self._row.table(zoned=self._zoned), self._row.lets
        if not lets:
            return f"{table} WHERE {' AND '.join([*base, *tests])}"
        rows = lets.around(f"(SELECT * FROM {table} WHERE {' AND '.join(base)}) AS l0", self.dialect.fence)
        return f"{rows} WHERE {' AND '.join(tests)}" if tests else rows

    def _base(self, names: Sequence[str], span: Span) -> list[str]:
        at = in_span(self.dialect, self._row.at, self._row.events.at.kind or Kind.MICROS, span)
        return [self._named(names), at]

    def _named(self, names: Sequence[str]) -> str:
        name, (first, *more) = self.dialect.ident(self._row.events.name), map(self.dialect.text, names)
        return f"{name} IN ({', '.join([first, *more])})" if more else f"{name} = {first}"

    def _inside(self, span: Span, widest: Span) -> list[str]:
        inner = Span(
            None if span.low == widest.low else span.low, None if span.high == widest.high else span.high
        )
        if inner == Span():
            return []
        return [in_span(self.dialect, self._row.at, self._row.events.at.kind or Kind.MICROS, inner)]

    def _tests(self, feature: EventFeature) -> list[str]:
        window = feature.of.window
        local = [self._windows.local(window, self._row.micros)] if isinstance(window, Calendar) else []
        return local + [
            f"({term.sql})" for test in feature.of.tests if (term := self._row.passes((test,))).sql != "TRUE"
        ]


def value_of_write(dialect: Dialect, log: Attributes, feature: str, lets: Lets) -> tuple[str, str]:
    """Give the value an entry of the attribute log says a name has, and which entries say one.

    A dotted name is followed step by step in ``lets``, which are to be put around the rows.
    """
    name, (head, dot, path) = dialect.ident(log.name), feature.partition(".")
    found = dialect.json_value(dialect.from_column(dialect.ident(log.value), Kind.JSON))
    if dot:
        inner = found = lets.bind(found)
        for key in path.split("."):
            mapping = lets.bind(dialect.json_mapping(inner), inner)
            inner = lets.bind(dialect.field(mapping, key), mapping)
        found = f"CASE WHEN {name} = {dialect.text(feature)} THEN {found} ELSE {inner} END"
    return found, f"{name} IN ({', '.join(map(dialect.text, sorted({feature, head})))})"


class AttributeGroup(Group[str]):
    """The current value of one attribute of the log; its features are names that begin with it."""

    def __init__(self, alias: str, dialect: Dialect, log: Attributes, now: int) -> None:
        super().__init__(alias, dialect)
        self._log = log
        self._now = now

    @override
    def sql(self) -> str:
        at = self.dialect.ident(self._log.at.name)
        name = self.dialect.ident(self._log.name)
        order = (at, self.dialect.binary(self.dialect.ident(self._log.id)))
        past = in_span(self.dialect, at, self._log.at.kind or Kind.MICROS, Span(None, self._now + 1))
        names, columns, lets = set(), list[str](), Lets()
        for feature in self._features:
            found, condition = value_of_write(self.dialect, self._log, feature, lets)
            columns.append(self.dialect.at_edge(found, order, condition, last=True))
            names |= {feature, feature.partition(".")[0]}
        where = [f"{name} IN ({', '.join(map(self.dialect.text, sorted(names)))})", past]
        table = self.dialect.table(self._log.table)
        if not lets:
            return self._grouped(table, self._log.customer, where, columns)
        rows = lets.around(f"(SELECT * FROM {table} WHERE {' AND '.join(where)}) AS l0", self.dialect.fence)
        return self._grouped(rows, self._log.customer, (), columns)


class ConsentGroup(Group[tuple[str, str]]):
    """The current states of channels and purposes."""

    def __init__(self, alias: str, dialect: Dialect, log: Consents, now: int) -> None:
        super().__init__(alias, dialect)
        self._log = log
        self._now = now

    @override
    def sql(self) -> str:
        ident, text = self.dialect.ident, self.dialect.text
        at = ident(self._log.at.name)
        order = (at, self.dialect.binary(ident(self._log.id)))
        columns = []
        for channel, purpose in self._features:
            fits = (
                f"{ident(self._log.channel)} IN ({text(channel)}, '*')"
                f" AND {ident(self._log.purpose)} IN ({text(purpose)}, '*')"
            )
            columns.append(self.dialect.at_edge(ident(self._log.state), order, fits, last=True))
        past = in_span(self.dialect, at, self._log.at.kind or Kind.MICROS, Span(None, self._now + 1))
        return self._grouped(self.dialect.table(self._log.table), self._log.customer, [past], columns)
