"""A customer of a report is found by every name the application may know."""

from datetime import UTC, datetime, timedelta

import pytest

from crmsdk.errors import UnknownName
from crmsdk.model.customer import Identifier
from crmsdk.simulation import Report, simulate
from crmsdk.wire.recorded import identify, track

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DEVICE = Identifier("anonymous", "device")


@pytest.fixture
def report() -> Report:
    """Report on a visitor who became Bob: the id is that of the visitor, and not his user id."""
    history = [
        track(DEVICE, "visit", at=MONDAY),
        identify("bob", email="bob@shop.example", anonymous="device", at=MONDAY + HOUR),
        track("ann", "visit", at=MONDAY),
    ]
    return simulate([], history, start=MONDAY, until=MONDAY + 2 * HOUR)


def test_a_timeline_is_found_by_every_name(report: Report) -> None:
    told = report.timeline("bob")
    assert [entry.what for entry in told] == ["event"]
    assert report.timeline(DEVICE) == report.timeline(Identifier("email", "bob@shop.example")) == told
    assert told.customer != "bob"
    assert report.timeline(told.customer) == told
    assert len(report.timeline("ann")) == 1


@pytest.mark.parametrize("who", ["cat", Identifier("email", "cat@shop.example")])
def test_nobody_of_that_name_is_an_error_without_the_address(report: Report, who: str | Identifier) -> None:
    with pytest.raises(UnknownName) as refused:
        report.timeline(who)
    assert "shop.example" not in str(refused.value)
