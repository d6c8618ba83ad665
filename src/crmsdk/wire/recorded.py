"""Recorded facts for a simulation or an import: written by hand, or read from a table at once.

    history = [
        identify("ann", email="ann@shop.example", at=monday),
        track("ann", CartUpdated(cart_id=7, total=Money(9000, "RUB")), at=monday),
    ]
    history = load_history(csv_rows("orders.csv.gz"), orders, catalog=catalog, received=now)

``track`` and ``identify`` give what the methods of ``Crm`` of these names would take in. Both are typed as
any input, so that a list of both is a history to type checkers.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from crmsdk.model.catalog import Catalog, named_properties
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.ids import EventId
from crmsdk.model.inputs import Identify, Input, Track
from crmsdk.model.moment import to_moment
from crmsdk.model.values import properties
from crmsdk.model.zones import zone as known_zone
from crmsdk.wire.columns import Cells
from crmsdk.wire.maps import CustomerMap, EventMap
from crmsdk.wire.naming import content_id
from crmsdk.wire.report import ImportReport, ReadRow, RejectedRow, Tally
from crmsdk.wire.tables import read_rows

__all__ = ["History", "identify", "load_history", "track"]


def _named(who: str | Identifier) -> Identifier:
    return Identifier(IdentifierKind.USER, who) if isinstance(who, str) else who


def track(
    who: str | Identifier,
    event: object,
    values: Mapping[str, object] | None = None,
    *,
    at: datetime,
    id: str = "",
    source: str = "",
) -> Input:
    """Write down one event of a person.

    Args:
        who: The person: a user id, or an ``Identifier``.
        event: An event object, or a name with ``values``.
        values: Properties, when the event is a name.
        at: When it happened, aware.
        id: Names the fact for ever; derived from the content when empty, so that equal events are one.
        source: Where it came from.

    Raises:
        NaiveMoment: ``at`` has no offset.
        DefinitionError: it is no event.
    """
    name, given = named_properties(event, values)
    found, names, at = properties(given), (_named(who),), to_moment(at, "at")
    return Track(
        id=EventId(id) if id else content_id("track", names, at=at, values=found, source=source, about=name),
        identifiers=names,
        at=at,
        received=at,
        source=source,
        name=name,
        properties=found,
    )


def identify(
    who: str | Identifier,
    traits: Mapping[str, object] | None = None,
    *,
    at: datetime,
    identifiers: Iterable[Identifier] = (),
    email: str | None = None,
    phone: str | None = None,
    anonymous: str | None = None,
    zone: str | None = None,
    locale: str | None = None,
    id: str = "",
    source: str = "",
) -> Input:
    """Write down who a person is and what is known about them.

    Args:
        who: The person: a user id, or an ``Identifier``.
        traits: Attributes; None takes one away.
        at: Since when it is true, aware.
        identifiers, email, phone, anonymous: Further names of the same person.
        zone: IANA zone name.
        locale: BCP 47 tag.
        id, source: As in ``track``.

    Raises:
        NaiveMoment: ``at`` has no offset.
        UnknownZone: the zone data does not hold the zone.
    """
    more = (
        (IdentifierKind.EMAIL, email),
        (IdentifierKind.PHONE, phone),
        (IdentifierKind.ANONYMOUS, anonymous),
    )
    names = (
        _named(who),
        *identifiers,
        *(Identifier(kind, value) for kind, value in more if value is not None),
    )
    place = None if zone is None else known_zone(zone).key
    found, at = properties(traits or {}, "traits"), to_moment(at, "at")
    about = "/".join((place or "", locale or ""))
    return Identify(
        id=EventId(id)
        if id
        else content_id("identify", names, at=at, values=found, source=source, about=about),
        identifiers=names,
        at=at,
        received=at,
        source=source,
        traits=found,
        zone=place,
        locale=locale,
    )


@attrs.frozen
class History:
    """The facts of a table; loop over it, or give it to ``simulate``.

    Attributes:
        news: In the order of the table.
        account: What became of the rows; ``print`` shows it.
    """

    news: tuple[Input, ...] = attrs.field(repr=False)
    account: ImportReport

    def __iter__(self) -> Iterator[Input]:
        """Go through the facts."""
        return iter(self.news)

    def __len__(self) -> int:
        """Count the facts."""
        return len(self.news)


def load_history(
    rows: Iterable[Cells | RejectedRow],
    by: EventMap | CustomerMap,
    *,
    catalog: Catalog,
    received: datetime,
) -> History:
    """Read a table whole; ``read_rows`` does the same row by row.

    Args:
        rows: ``csv_rows``, ``frame_rows``, or mappings of column to cell.
        by: What the columns mean.
        catalog: What exists.
        received: When the table arrived, aware.

    Returns:
        The facts, and an account of every row. Rows told twice are both accepted here: who takes the facts
        in finds out which were known.

    Raises:
        UnknownName: the map names a column the table has not.
    """
    tally = Tally()
    news: list[Input] = []
    for row in read_rows(rows, by, catalog=catalog, received=received):
        match row:
            case ReadRow(inputs=inputs):
                tally.accept()
                news.extend(inputs)
            case RejectedRow():
                tally.reject(row)
    return History(tuple(news), tally.report())
