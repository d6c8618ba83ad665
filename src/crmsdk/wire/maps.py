"""Maps: which column of a table is what, and what to do with odd rows."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.catalog import TypeName
from crmsdk.model.customer import IdentifierKind
from crmsdk.model.moment import to_moment
from crmsdk.wire.columns import Reject, Rename, Rule, Source
from crmsdk.wire.wall_clock import WallClock

__all__ = ["CustomerMap", "EventMap"]

_NOTHING: Mapping[str, Source] = {}
_UNTYPED: Mapping[str, TypeName] = {}


def _rules(value: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(value)


def _kinds(value: Mapping[IdentifierKind, str]) -> Mapping[IdentifierKind, str]:
    return {IdentifierKind(kind): column for kind, column in value.items()}


def _moment(value: datetime | str | WallClock) -> datetime | str | WallClock:
    return to_moment(value, "at") if isinstance(value, datetime) else value


def _given(column: str | None) -> tuple[str, ...]:
    return () if column is None else (column,)


def _clock(at: datetime | str | WallClock) -> tuple[str, ...]:
    if isinstance(at, datetime):
        return ()
    return (at if isinstance(at, str) else at.column,)


def _columns(sources: Iterable[Source]) -> Iterator[str]:
    for source in sources:
        yield from (source,) if isinstance(source, str) else source.columns


def _rejects(value: Iterable[Reject]) -> tuple[Reject, ...]:
    return tuple(value)


@attrs.frozen(kw_only=True)
class EventMap:
    """What the columns of a table of events mean.

    Attributes:
        event: The event's name, of every row. Where a column names it, write a ``Rename`` for each.
        customer: The column that names the person.
        customer_kind: What kind of name stands there.
        at: The column of moments: by name when each carries its offset, else as a ``WallClock``.
        id: The column of ids; None derives each id from the row's content, so that equal rows are one fact.
            Events of one moment, as with whole seconds, are then ordered by that hash, not by row.
        properties: Property to column.
        traits: Attribute of the person to column; written as of the event's moment.
        columns: Types of columns that rules ask about; all others are text, or what the dataframe holds.
        rules: The first that fits a row decides; without one the row is the event of the map.
        source: Where the table comes from; the provenance of what it says.
    """

    event: str
    customer: str
    customer_kind: IdentifierKind = attrs.field(default=IdentifierKind.USER, converter=IdentifierKind)
    at: str | WallClock
    id: str | None
    properties: Mapping[str, Source] = _NOTHING
    traits: Mapping[str, Source] = _NOTHING
    columns: Mapping[str, TypeName] = _UNTYPED
    rules: tuple[Rule, ...] = attrs.field(default=(), converter=_rules)
    source: str = ""

    @property
    def read_columns(self) -> tuple[str, ...]:
        """Every column that is read, but for those only rules ask about."""
        renamed = [rule.properties or {} for rule in self.rules if isinstance(rule, Rename)]
        sources = [
            source for mapping in (self.properties, self.traits, *renamed) for source in mapping.values()
        ]
        return (self.customer, *_given(self.id), *_clock(self.at), *_columns(sources))


@attrs.frozen(kw_only=True)
class CustomerMap:
    """What the columns of a table of people mean.

    Attributes:
        identifiers: Kind of name to column; a row needs at least one filled in.
        traits: Attribute to column; an empty cell says nothing and takes nothing away.
        at: When the table was true: a moment, or a column as in ``EventMap``.
        zone: The column of IANA zone names.
        locale: The column of BCP 47 tags.
        id: The column of ids; None derives each id from the row's content.
        columns: Types of columns that rules ask about.
        rules: The first that fits rejects the row.
        source: Where the table comes from; the provenance of what it says.
    """

    identifiers: Mapping[IdentifierKind, str] = attrs.field(converter=_kinds)
    traits: Mapping[str, Source] = _NOTHING
    at: datetime | str | WallClock = attrs.field(converter=_moment)
    zone: str | None = None
    locale: str | None = None
    id: str | None = None
    columns: Mapping[str, TypeName] = _UNTYPED
    rules: tuple[Reject, ...] = attrs.field(default=(), converter=_rejects)
    source: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse a map that names nobody."""
        if not self.identifiers:
            raise DefinitionError(
                "is empty; name a column that holds a name of the person", path="identifiers"
            )

    @property
    def read_columns(self) -> tuple[str, ...]:
        """Every column that is read, but for those only rules ask about."""
        optional = (column for name in (self.id, self.zone, self.locale) for column in _given(name))
        return (*self.identifiers.values(), *optional, *_clock(self.at), *_columns(self.traits.values()))
