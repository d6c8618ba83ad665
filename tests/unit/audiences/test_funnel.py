"""An ordered funnel on a recorded clickstream: whoever starts anew is counted, in every executor."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmsdk.audiences.memory import MemoryAudience
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.ports import Audience
from crmsdk.segments.live import LiveSegments
from crmsdk.segments.words import did, segment, sequence
from tests.audience_databases import duckdb_of

DATA = Path(__file__).parents[2] / "data" / "ecom.csv.gz"
STEPS = ("catalog", "product_view", "add_to_cart", "cart", "shipping_details", "payment_details", "purchase")
FUNNEL = [
    segment(name, sequence(*(did(step) for step in STEPS[: place + 1]))) for place, name in enumerate(STEPS)
]
PASSED = [600, 596, 502, 419, 315, 209, 109]
"""How many users made each step after all the ones before it."""
IN_FIRST_TIMES = [600, 368, 300, 180, 84, 45, 19]
"""How many would be left if only the first event of each name counted, as in funnels by first timestamps."""


@pytest.fixture(scope="module")
def people() -> list[Facts]:
    events: defaultdict[str, list[Event]] = defaultdict(list)
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            at = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
            events[row["user_id"]].append(
                Event(
                    id=EventId(f"{number:06}"),
                    customer=CustomerId(row["user_id"]),
                    name=row["event"],
                    at=at,
                    received=at,
                    properties={},
                )
            )
    return [Facts(customer=CustomerId(user)).with_events(of) for user, of in events.items()]


@pytest.fixture(scope="module")
def end(people: Sequence[Facts]) -> datetime:
    return max(event.at for facts in people for event in facts.events)


def chains(facts: Facts) -> int:
    """Say how many steps somebody made in order: the earliest event that fits is always the best."""
    made = 0
    for event in facts.events:
        made += made < len(STEPS) and event.name == STEPS[made]
    return made


def test_the_figures_are_those_of_a_plain_loop(people: Sequence[Facts]) -> None:
    made = [chains(facts) for facts in people]
    assert [sum(each > place for each in made) for place in range(len(STEPS))] == PASSED


def test_first_timestamps_would_lose_most_of_them(people: Sequence[Facts]) -> None:
    def in_order(facts: Facts, steps: Sequence[str]) -> bool:
        first = {event.name: event.position for event in reversed(facts.events)}
        found = [first[step] for step in steps if step in first]
        return len(found) == len(steps) and found == sorted(found)

    places = range(1, len(STEPS) + 1)
    assert [sum(in_order(each, STEPS[:n]) for each in people) for n in places] == IN_FIRST_TIMES


@pytest.fixture(params=["memory", "duckdb"])
def audience(request: pytest.FixtureRequest, people: list[Facts]) -> Iterator[Audience]:
    with closing(MemoryAudience(people) if request.param == "memory" else duckdb_of(people)) as opened:
        yield opened


def test_sets_count_those_who_start_anew(audience: Audience, end: datetime) -> None:
    found = audience.memberships(FUNNEL, at=end)
    assert [found.counts()[step] for step in STEPS] == PASSED


def test_a_stream_counts_those_who_start_anew(people: list[Facts], end: datetime) -> None:
    live = LiveSegments(FUNNEL)
    for event in sorted((event for facts in people for event in facts.events), key=lambda one: one.position):
        live.take(event.customer, now=event.at, events=(event,))
    live.advance(end)
    assert [live.counts()[step] for step in STEPS] == PASSED
