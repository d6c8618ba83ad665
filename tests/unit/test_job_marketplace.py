"""The example of a job marketplace: a truth table of people against its segments."""

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from crmsdk.audiences.memory import MemoryAudience
from crmsdk.model.customer import ACCOUNT
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.money import Money
from crmsdk.ports import Audience
from crmsdk.segments.meaning import evaluate
from crmsdk.wire.validation import Validator
from tests.audience_databases import duckdb_of
from tests.unit.segments.people import NOW, wrote

DAY = timedelta(days=1)
GIVEN = {
    "resume_id": 1,
    "vacancy_id": 1,
    "region": "RU-PRM",
    "query": "cook",
    "amount": Money(1, "RUB"),
    "service": "top",
}


@pytest.fixture(scope="module")
def market() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "job_marketplace", Path(__file__).parents[2] / "examples/job_marketplace.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def facts(who: str, account: str = "", **days: tuple[int, ...]) -> Facts:
    """Write somebody down: of each event how many days ago it happened."""
    events = [
        Event(
            id=EventId(f"{who}-{name}-{number}"),
            customer=CustomerId(who),
            name=name,
            at=NOW - ago * DAY,
            received=NOW,
            properties={"amount": Money(60_000_00, "RUB")} if name == "order_paid" else {},
        )
        for name, agos in days.items()
        for number, ago in enumerate(agos)
    ]
    writes = [wrote(ACCOUNT, account, 400 * DAY)] if account else []
    return Facts(customer=CustomerId(who)).with_events(events).with_attributes(writes)


PEOPLE = [
    facts("visitor", vacancy_searched=(1,)),
    facts("silent"),
    facts("browsing", resume_created=(20,), vacancy_searched=(1, 2, 3)),
    facts("applying", resume_created=(20,), vacancy_searched=(1, 2, 3), application_sent=(1, 2, 3, 4, 5)),
    facts("invited", resume_created=(20,), application_sent=(1, 2, 3, 4, 5), invitation_received=(1,)),
    facts("outdated", resume_created=(300,), resume_updated=(200,), application_sent=(3,)),
    facts("asleep", resume_created=(90,), application_sent=(60,)),
    facts("new-boss", "empty"),
    facts("lone-boss", "lone", vacancy_published=(5,)),
    facts("boss", "big", order_paid=(30,)),
    facts("clerk", "big", vacancy_published=(10,), order_paid=(40,), response_received=(2,)),
    facts("reader", "read", vacancy_published=(10,), response_received=(2,)),
    facts("assistant", "read", response_opened=(1,)),
    facts("old-boss", "old", vacancy_published=(90,), vacancy_searched=(1,)),
]
TRUTH: Mapping[str, set[str]] = {
    "no resume": {"visitor"},
    "searches, does not apply": {"browsing"},
    "applies, is not invited": {"applying"},
    "resume out of date": {"outdated"},
    "candidate sleeps": {"asleep"},
    "no vacancy yet": {"new-boss"},
    "vacancy without answers": {"lone-boss"},
    "answers left unread": {"boss", "clerk"},
    "large payer": {"boss", "clerk"},
    "employer sleeps": {"old-boss"},
}


@pytest.fixture(params=["memory", "duckdb"])
def audience(request: pytest.FixtureRequest) -> Iterator[Audience]:
    with closing(MemoryAudience(PEOPLE) if request.param == "memory" else duckdb_of(PEOPLE)) as opened:
        yield opened


def test_r25_r26_the_segments_of_both_sides_mean_whom_they_say(
    market: ModuleType, audience: Audience
) -> None:
    segments = (*market.CANDIDATES, *market.EMPLOYERS)
    found = audience.memberships(segments, at=NOW)
    assert {each.name: set(found.members(each.name)) for each in segments} == TRUTH


def test_r02_r03_every_event_is_declared_and_asked_for(market: ModuleType) -> None:
    validator = Validator(market.CATALOG)
    for event in market.CATALOG.events:
        assert validator.properties(event.name, {prop.name: GIVEN[prop.name] for prop in event.properties})


def test_r03_r34_what_contacts_do_rolls_up_and_warms(market: ModuleType) -> None:
    warm = facts("boss", vacancy_published=(0, 0), order_paid=(0,))
    assert evaluate(market.HOT, warm, NOW).matched
    assert not evaluate(market.HOT, warm, NOW + 30 * DAY).matched
    because = evaluate(market.WARMTH >= 20, warm, NOW).because
    assert because.found == sum(part.found for part in because.parts) == 25  # type: ignore[misc]  # numbers


@pytest.mark.parametrize(
    ("who", "stage"),
    [
        ("invited", "invited"),
        ("applying", "applying"),
        ("browsing", "looking"),
        ("asleep", "passive"),
        ("silent", "guest"),
    ],
)
def test_r39_candidates_have_stages_of_their_own(market: ModuleType, who: str, stage: str) -> None:
    (of,) = (each for each in PEOPLE if each.customer == who)
    stages = market.CANDIDATE_STAGES
    assert [name for name in stages.names if evaluate(stages.segment(name), of, NOW).matched] == [stage]
