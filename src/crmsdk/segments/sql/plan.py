"""What a set of questions reads: every feature once, grouped by where its rows are."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from crmsdk.errors import LayoutError, UnknownName
from crmsdk.segments.grammar import Occurrences
from crmsdk.segments.memberships import WORD
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
    Windows,
    attribute_at,
    column_reading,
    span_of_window,
)
from crmsdk.segments.sql.terms import FALSE, TRUE, Term
from crmsdk.segments.sql.zoning import Strangers, Zoned, ZoneNames
from crmsdk.segments.windows import Calendar

__all__ = ["PERSON", "Plan"]

G = TypeVar("G", bound="Group[Any]")
F = TypeVar("F", bound=Hashable)
PERSON = "p"


class Plan:
    """Collects the features of questions as they are written.

    Args:
        dialect: Whose SQL.
        layout: Bound to the database.
        now: The moment of asking, microseconds since 1970 UTC.
        masks: Whether many questions are asked at once: then each group answers its own, before people and
            groups are joined, because a column for each feature through every join is what costs.
        zones: Gives the names of zones that people may be in.
        within: The plan of the query that this one is a part of; it has the zones.

    Attributes:
        groups: The grouped subqueries by what they read.
        reads_person: Whether any question reads a column of the person.
    """

    def __init__(
        self,
        dialect: Dialect,
        layout: Layout,
        now: int,
        *,
        masks: bool = False,
        zones: ZoneNames = tuple,
        within: "Plan | None" = None,
    ) -> None:
        self.dialect = dialect
        self.layout = layout
        self.now = now
        self.zoned: Zoned = Zoned(dialect, layout, now, zones) if within is None else within.zoned
        self._windows = Windows(self.span, self.zoned.inside)
        self.groups: dict[tuple[str, Hashable], Group[Any]] = {}
        self._doubts: dict[str, dict[str, None]] = {}
        # For each group the questions it answers, each with its place and whether it holds without a row.
        self._masks: dict[str, dict[str, tuple[int, bool]]] | None = {} if masks else None
        self.reads_person = False

    def doubt(self, condition: str, group: str) -> None:
        """Name when rounding might decide, so that the reference has to look at the person."""
        self._doubts.setdefault(group, {})[condition] = None

    @property
    def doubts(self) -> str:
        """Say that somebody is in doubt; empty where nobody can be."""
        return self._joined([each for conditions in self._doubts.values() for each in conditions])

    def _joined(self, conditions: Iterable[str]) -> str:
        joined = " OR ".join(f"({condition})" for condition in conditions)
        return f"COALESCE({joined}, FALSE)" if joined else ""

    def atom(self, asked: Term) -> Term:
        """Take one question in: where many are asked, it becomes a bit of the group that it reads."""
        if self._masks is None or asked in (TRUE, FALSE):
            return asked
        alias = min(asked.needs | asked.needs_if_not, default=PERSON)
        bits = self._masks.setdefault(alias, {})
        place = bits.setdefault(asked.sql, (len(bits), bool(asked.needs_if_not)))[0]
        word, bit = divmod(place, WORD)
        return Term(self.dialect.bit(f"{alias}m{word}", bit), total=True)

    def group_sql(self, group: "Group[Any]") -> str:
        """Write a grouped subquery; where many are asked, with its questions answered and packed."""
        if self._masks is None:
            return group.sql()
        columns = [f"{group.alias}.customer", *self._packed(group.alias)]
        doubt = self._joined(self._doubts.get(group.alias, ()))
        if doubt:
            columns.append(f"CASE WHEN {doubt} THEN 1 ELSE 0 END AS doubt")
        return f"SELECT {', '.join(columns)} FROM ({group.sql()}) AS {group.alias}"

    def _packed(self, alias: str) -> list[str]:
        bits = list((self._masks or {}).get(alias, ()))
        words = [bits[start : start + WORD] for start in range(0, len(bits), WORD)]
        return [f"{self.dialect.packed(word)} AS {alias}m{place}" for place, word in enumerate(words)]

    def mask_columns(self) -> list[str]:
        """Give the packed answers of every group about one person, and whether there is doubt as the last."""
        columns, doubts = self._packed(PERSON), []
        for group in self.groups.values():
            answers = list((self._masks or {}).get(group.alias, {}).values())
            for start in range(0, len(answers), WORD):
                of_none = sum(
                    1 << bit for bit, (_, holds) in enumerate(answers[start : start + WORD]) if holds
                )
                name = f"{group.alias}m{start // WORD}"
                columns.append(f"COALESCE({group.alias}.{name}, {of_none}) AS {name}")
            if group.alias in self._doubts:
                doubts.append(f"COALESCE({group.alias}.doubt, 0)")
        return [*columns, f"{' + '.join(doubts)} AS doubt"] if doubts else columns

    def span(self, of: Occurrences) -> Span:
        """Give the moments at which events count."""
        if isinstance(of.window, Calendar):
            self.needs_zones()
            return self.zoned.hull(of.window)
        return span_of_window(of.window, self.now)

    def needs_zones(self) -> None:
        """Take in the zones; those whose zone is not among them are in doubt."""
        self.zoned.used = True
        strangers = self.group(("strangers", ""), lambda alias: Strangers(alias, self.dialect), Strangers)
        self.doubt(f"{strangers.column('')} > 0", strangers.alias)

    def event(self, feature: EventFeature) -> tuple[str, str]:
        """Give the column of a feature of events, and the group it needs."""
        zoned = isinstance(feature.of.window, Calendar)
        name = None if self.dialect.one_pass and not feature.apart else feature.of.event
        group = self.group(
            ("local event" if zoned else "event", name),
            lambda alias: EventGroup(alias, self._new_row(), self._windows, zoned=zoned),
            EventGroup,
        )
        self.span(feature.of)
        return group.column(feature), group.alias

    def grouped(
        self,
        key: tuple[str, Hashable],
        make: Callable[[str, EventRow], Group[F]],
        feature: F,
    ) -> tuple[str, str]:
        """Give the column of a feature of a group of its own, and the group."""
        group: Group[Any] | None = self.groups.get(key)
        if group is None:
            group = self.groups[key] = make(f"g{len(self.groups)}", self._new_row())
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
        group = self.group(
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
        group = self.group(
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

    def group(self, key: tuple[str, Hashable], make: Callable[[str], G], kind: type[G]) -> G:
        """Give a group of a kind by its key, made if it is not there yet."""
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = make(f"g{len(self.groups)}")
        assert isinstance(group, kind)  # noqa: S101 - keys of one kind lead to groups of one kind
        return group
