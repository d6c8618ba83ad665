"""One customer's history: attributes as of a moment, and what tells the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def facts(*writes: tuple[str, Any]) -> Facts:
    log = [
        AttributeWrite(name=name, value=value, at=NOON + HOUR * place, id=EventId(str(place)))
        for place, (name, value) in enumerate(writes)
    ]
    return Facts(customer=CustomerId("c")).with_attributes(log)


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (facts(("a", {"b": 1})), 1),
        (facts(("a", {"b": {"c": 1}})), {"c": 1}),
        (facts(("a", {"b": 1}), ("a.b", 2)), 2),
        (facts(("a.b", 2), ("a", {"b": 1})), 1),
        (facts(("a", {"b": 1}), ("a.b", None)), None),
        (facts(("a.b", None), ("a", None)), None),
        (facts(("a", "text")), None),
        (facts(), None),
    ],
)
def test_a_dotted_name_reads_what_was_written_last(log: Facts, found: object) -> None:
    assert log.attribute("a.b", NOON + HOUR * 9) == found


def test_attributes_count_from_their_moment_on() -> None:
    log = facts(("a.b", 1), ("a.b", 2))
    assert [log.attribute("a.b", NOON + HOUR * at) for at in (-1, 0, 1)] == [None, 1, 2]


def told(**values: object) -> Event:
    return Event(
        id=EventId("1"), customer=CustomerId("c"), name="n", at=NOON, received=NOON, properties=values
    )


def test_true_and_one_are_two_facts() -> None:
    assert told(a=1).same_fact(told(a=1.0))
    assert not told(a=1).same_fact(told(a=True))
    assert not told(a=[{"b": 0}]).same_fact(told(a=[{"b": False}]))
