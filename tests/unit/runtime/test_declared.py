"""News are as the catalog declares them, whichever door they come by."""

from datetime import UTC, datetime, timedelta

import pytest

from crmsdk.errors import ConfigError, DefinitionError, InputError, UnknownName
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.steps import Send
from crmsdk.journeys.triggers import on
from crmsdk.model.catalog import Catalog
from crmsdk.model.declared import AttributeSet, EventType, Prop, declare
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.inputs import Identify, Input, Track
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.words import attr, did, prop
from crmsdk.simulation.simulating import simulate
from crmsdk.stores.memory import MemoryStore
from tests.scenarios.stage import user

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Paid(EventType):
    """Somebody paid."""

    order: Prop[str]
    count: Prop[int] = declare(default=1)


class Person(AttributeSet):
    """What is known of somebody."""

    age: Prop[int]


CATALOG = Catalog(events=[Paid], attributes=[Person])


def track(id: str, name: str = "paid", **values: object) -> Track:
    return Track(
        id=EventId(id), identifiers=(user("ann"),), at=NOW, received=NOW, name=name, properties=values
    )


def identify(id: str, **traits: object) -> Identify:
    return Identify(id=EventId(id), identifiers=(user("ann"),), at=NOW, received=NOW, traits=traits)


NEWS: list[Input] = [
    track("good", order="1"),
    track("other name", "payd"),
    track("other kind", order=5),
    track("missing"),
    identify("known", age=7),
    identify("unknown", agee=7),
    identify("text", age="seven"),
]
REFUSED = {
    "other name": UnknownName,
    "other kind": InputError,
    "missing": InputError,
    "unknown": UnknownName,
    "text": InputError,
}


async def test_a_batch_is_checked_and_lists_what_is_not_as_declared() -> None:
    store = MemoryStore()
    async with Crm.over(store, zone="UTC", catalog=CATALOG, clock=VirtualClock(NOW)) as crm:
        taken = await crm.ingest(NEWS)
        assert {one.id: type(one.error) for one in taken.refused} == REFUSED
        assert (taken.accepted, taken.duplicates) == (2, 0)
        (event,) = (await store.find_events([EventId("good")])).values()
        assert event.properties == {"order": "1", "count": 1}  # the default is filled in
        again = await crm.ingest(NEWS)
        assert (again.accepted, again.duplicates, len(again.refused)) == (0, 2, len(REFUSED))


async def test_without_a_catalog_everything_is_declared() -> None:
    async with Crm.open("memory://", zone="UTC", clock=VirtualClock(NOW)) as crm:
        assert (await crm.ingest(NEWS)).refused == ()


def test_a_rehearsal_lists_what_is_not_as_declared() -> None:
    bought = Journey(
        "thanks", enter=on(Paid), steps=[Send("thanks", "email")], kind="content", goal=did(Paid)
    )
    report = simulate([bought], NEWS, start=NOW, until=NOW + timedelta(days=1), catalog=CATALOG)
    assert {one.id: type(one.error) for one in report.taken.refused} == REFUSED
    assert report.people[CustomerId("ann")].facts.attribute("age", NOW) == 7


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (did("payd"), "did you mean 'paid'"),
        (attr("agee") > 3, "did you mean 'age'"),
        (did(Paid).where(prop("ordr") == "1"), "did you mean 'order'"),
        (attr("age") == "old", "number"),
    ],
)
async def test_a_question_about_what_nobody_declared_is_refused(asked: Predicate, fault: str) -> None:
    async with Crm.open("memory://", zone="UTC", catalog=CATALOG, clock=VirtualClock(NOW)) as crm:
        await crm.identify("ann", {"age": 7})
        with pytest.raises(DefinitionError, match=fault):
            await crm.explain("ann", asked)
        assert (await crm.explain("ann", (attr("age") == 7) & ~did("message_opened"))).matched
    with pytest.raises(ConfigError, match=f"active: .*{fault}"):
        Crm.open("memory://", zone="UTC", catalog=CATALOG, active=asked)


async def test_a_catalog_that_is_not_strict_lets_undeclared_names_be_asked() -> None:
    loose = Catalog(events=[Paid], attributes=[Person], strict=False)
    async with Crm.open("memory://", zone="UTC", catalog=loose, clock=VirtualClock(NOW)) as crm:
        await crm.identify("ann", {})
        assert not (await crm.explain("ann", did("payd"))).matched
        with pytest.raises(DefinitionError, match="number"):
            await crm.explain("ann", attr("age") == "old")
