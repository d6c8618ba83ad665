"""The account of an import: each row tells what became of itself, also where rows share an id."""

from datetime import UTC, datetime, timedelta

import pytest

from crmsdk import Crm
from crmsdk.model.customer import Identifier
from crmsdk.model.ids import EventId
from crmsdk.model.inputs import Track
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.wire.report import ReadRow

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def row(number: int, id: str, hours: int = 0, **values: object) -> ReadRow:
    at = NOON + timedelta(hours=hours)
    who = (Identifier("user", "ann"),)
    order = Track(id=EventId(id), identifiers=who, at=at, received=at, name="order", properties=values)
    return ReadRow(number, (order,))


async def test_rows_of_one_id_are_told_apart() -> None:
    rows = [
        row(1, "a", paid=1),
        row(2, "a", paid=1),  # the same again
        row(3, "b", hours=-1, paid=1),
        row(4, "b", hours=-2, paid=2),  # earlier, so this one stands and the one above is refused
        row(5, "c"),
    ]
    async with Crm.open("memory://", zone="UTC", clock=VirtualClock(NOON)) as crm:
        report = await crm.import_rows(rows)
        assert (report.read, report.accepted, report.duplicates) == (5, 3, 1)
        assert [(one.row, one.reason) for one in report.rows] == [(3, "duplicate_event")]
        again = await crm.import_rows(rows)
        assert (again.accepted, again.duplicates) == (0, 4)
