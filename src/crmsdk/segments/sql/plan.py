"""What a set of questions reads: every feature once, grouped by where its rows are."""

from collections.abc import Callable
from typing import Any, TypeVar

from crmsdk.errors import LayoutError, UnknownName
from crmsdk.segments.grammar import Occurrences
from crmsdk.segments.sql.bounds import Span
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Kind, Layout
from crmsdk.segments.sql.readings import ColumnReading, JsonReading, Reading
from crmsdk.segments.sql.sources import (
    AttributeGroup,
    ConsentGroup,
    EventFeature,
    EventGroup,
    EventRow,
    Group,
    attribute_at,
    column_reading,
    span_of_window,
)

__all__ = ["Plan"]

G = TypeVar("G", bound="Group[Any]")
PERSON = "p"


class Plan:
    """Collects the features of questions as they are written.

    Args:
        dialect: Whose SQL.
        layout: Bound to the database.
        now: The moment of asking, microseconds since 1970 UTC.

    Attributes:
        groups: The grouped subqueries by what they read.
        reads_person: Whether any question reads a column of the person.
    """

    def __init__(self, dialect: Dialect, layout: Layout, now: int) -> None:
        self.dialect = dialect
        self.layout = layout
        self.now = now
        self.groups: dict[tuple[str, str], Group[Any]] = {}
        self._doubts: dict[str, None] = {}
        self.reads_person = False

    def doubt(self, condition: str) -> None:
        """Name when rounding might decide, so that the reference has to look at the person."""
        self._doubts[condition] = None

    @property
    def doubts(self) -> str:
        """Say that somebody is in doubt; empty where nobody can be."""
        if not self._doubts:
            return ""
        return "COALESCE(" + " OR ".join(f"({doubt})" for doubt in self._doubts) + ", FALSE)"

    def span(self, of: Occurrences) -> Span:
        """Give the moments at which events count."""
        return span_of_window(of, self.now, self.dialect.name)

    def event(self, feature: EventFeature) -> tuple[str, str]:
        """Give the column of a feature of events, and the group it needs."""
        name = feature.of.event
        self.span(feature.of)  # refused here, not when the query is put together
        group = self._group(
            ("event", name), lambda alias: EventGroup(alias, self._new_row(), name, self.now), EventGroup
        )
        return group.column(feature), group.alias

    def property(self, name: str) -> Reading:
        """Read a property inside of an aggregate, to see what it can be."""
        return self._new_row().property(name)

    def has_currencies(self, name: str) -> bool:
        """Say whether a property is money with a currency in each row."""
        column = self.layout.events.properties.get(name)
        return column is not None and bool(column.currency_in)

    def property_in(self, name: str, x: str, code: str) -> Reading:
        """Read a property from the column of an aggregate that gave it."""
        column = self.layout.events.properties.get(name)
        if column is None or column.kind in (Kind.JSON, Kind.NESTED):
            return JsonReading(self.dialect, x, nfc=self.layout.nfc)
        return ColumnReading(self.dialect, x, column, currency=code, nfc=self.layout.nfc)

    def _new_row(self) -> EventRow:
        return EventRow(self.dialect, self.layout.events, self.layout.nfc)

    def consent(self, channel: str, purpose: str) -> tuple[str, str]:
        """Give the column of a consent's state, and the group it needs.

        Raises:
            LayoutError: there is no table of consents.
        """
        log = self.layout.consents
        if log is None:
            raise LayoutError("consents", mend="say which it is: Layout(consents=Consents('table'))")
        group = self._group(
            ("consent", ""), lambda alias: ConsentGroup(alias, self.dialect, log, self.now), ConsentGroup
        )
        return group.column((channel, purpose)), group.alias

    def attribute(self, name: str) -> tuple[Reading, frozenset[str]]:
        """Read an attribute, and name the group it needs.

        Raises:
            UnknownName: there is neither a column nor a log.
        """
        people, log = self.layout.people, self.layout.attributes
        head, _, path = name.partition(".")
        outer = people.attributes.get(head)
        if name in people.attributes:
            self.reads_person = True
            return self._column(name), frozenset()
        if path and outer is not None and outer.kind in (Kind.JSON, Kind.NESTED):
            self.reads_person = True
            x = self.dialect.from_column(f"{PERSON}.{self.dialect.ident(outer.name)}", outer.kind)
            inner = attribute_at(self.dialect, x, path)
            return JsonReading(self.dialect, inner, nfc=self.layout.nfc), frozenset()
        if log is None:
            raise UnknownName(
                "attribute", name, tuple(people.attributes), mend="declare its column, or the attribute log"
            )
        group = self._group(
            ("attribute", head),
            lambda alias: AttributeGroup(alias, self.dialect, log, self.now),
            AttributeGroup,
        )
        x = group.column(name)
        return JsonReading(self.dialect, x, nfc=self.layout.nfc), frozenset({group.alias})

    def _column(self, name: str) -> Reading:
        people = self.layout.people
        return column_reading(
            self.dialect, people.table, f"{PERSON}.", people.attributes[name], nfc=self.layout.nfc
        )

    def _group(self, key: tuple[str, str], make: Callable[[str], G], kind: type[G]) -> G:
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = make(f"g{len(self.groups)}")
        assert isinstance(group, kind)  # noqa: S101 - keys of one kind lead to groups of one kind
        return group
