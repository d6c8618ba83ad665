"""Bad input, settings and disks: each has a typed error that names thing and mend; nothing is lost."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from crmsdk.channels.memory import MemoryChannel
from crmsdk.channels.telegram import TelegramAdapter
from crmsdk.errors import (
    CheckFailed,
    ConfigError,
    DuplicateEvent,
    InputError,
    NaiveMoment,
    NewerStore,
    StoreBusy,
    StoreFull,
    UnknownName,
    UnknownZone,
)
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.steps import Exit, Send, Wait
from crmsdk.journeys.triggers import by_call, on
from crmsdk.model.catalog import Catalog
from crmsdk.model.declared import AttributeSet, EventType, Prop
from crmsdk.runtime.crm import Crm
from crmsdk.segments.words import did
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.sqlite import SqliteStore
from tests.scenarios.stage import DAY, START, Stage, device, event, journey, known, user

pytestmark = pytest.mark.anyio

SERIES = journey("series", Send("hi", "sink"), Wait(DAY), Send("bye", "sink"))


class SignedUp(EventType, name="signed_up"):
    plan: Prop[str]
    seats: Prop[int]


class Person(AttributeSet):
    city: Prop[str]


PLAN = Catalog((SignedUp,), (Person,))
TELEGRAM = TelegramAdapter("1:token", base_url="https://t.example", name="telegram", attribute="chat")


class StoreOfSomeoneElse:
    """Nobody knows which ledger goes with it."""


async def test_unknown_event_and_wrong_type_name_the_field_and_the_mend(stage: Stage) -> None:
    async with stage.open(catalog=PLAN) as crm:
        with pytest.raises(UnknownName, match="unknown event 'signedup'; did you mean 'signed_up'"):
            await crm.track("ann", "signedup", {}, id="one")
        with pytest.raises(InputError, match="seats") as caught:
            await crm.track("ann", "signed_up", {"plan": "gold", "seats": "many"}, id="two")
        assert "many" not in str(caught.value)
        with pytest.raises(UnknownName, match="'town'"):
            await crm.identify("ann", {"town": "Moscow"}, id="three")
        assert await crm.customers() == []
        await crm.track("ann", SignedUp(plan="gold", seats=2), id="four")
        assert await crm.customers() == ["ann"]


async def test_a_naive_moment_names_its_field(stage: Stage) -> None:
    naive = datetime(2026, 3, 2)  # noqa: DTZ001 - the point
    async with stage.open() as crm:
        with pytest.raises(NaiveMoment, match=r"'at': is a naive datetime"):
            await crm.track("ann", "signed_up", id="one", at=naive)
        with pytest.raises(NaiveMoment, match="naive"):
            await crm.advance(naive)
        with pytest.raises(NaiveMoment, match=r"properties\.when"):
            await crm.track("ann", "signed_up", {"when": naive}, id="two")
    assert await stage.runs("ann") == ()


async def test_one_id_with_two_bodies_is_an_error_on_record_and_the_first_stands(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.track("ann", "visit", {"page": "a"}, id="one", at=START)
        with pytest.raises(DuplicateEvent, match=r"'one' is stored with another body.*use a new id"):
            await crm.track("ann", "visit", {"page": "b"}, id="one", at=START)
        taken = await crm.ingest(
            [
                event("ann", "visit", START, "one", page="c"),
                event("bob", "visit", START, "one", page="a"),
                event("ann", "signed_up", START, "two"),
            ]
        )
        assert (taken.accepted, taken.duplicates, len(taken.refused)) == (1, 0, 2)
        shown = [entry for entry in await crm.timeline("ann") if entry.about == "visit"]
        assert [dict(entry.data) for entry in shown] == [{"page": "a"}]
    assert [kind for kind, text in await stage.notes("ann") if "'one' arrived with another body" in text] == [
        "conflict"
    ] * 2


async def test_an_unknown_zone_is_refused_at_every_door_and_stops_nobody(stage: Stage) -> None:
    with pytest.raises(UnknownZone, match="unknown time zone 'Mars/Base'; use an IANA name"):
        stage.open(zone="Mars/Base")
    async with stage.open(SERIES) as crm:
        with pytest.raises(UnknownZone):
            await crm.identify("ann", id="one", zone="Mars/Base")
        taken = await crm.ingest(
            [
                known(user("ann"), at=START, id="two", zone="Mars/Base"),
                event("bob", "signed_up", START, "three"),
            ]
        )
        assert taken.accepted == 1
        assert [type(one.error) for one in taken.refused] == [UnknownZone]
        assert (await crm.advance()).sent == 1


def test_a_journey_that_cannot_run_is_refused_with_all_its_faults_at_once(stage: Stage) -> None:
    forever = journey(
        "forever",
        Wait(DAY),
        Send("nothing", "fax", sender="nobody"),
        Send("hi", "sink"),
        enter=on("never_declared"),
    )
    told: list[str] = []
    with pytest.raises(CheckFailed) as caught:
        stage.open(forever, catalog=PLAN, warn=told.append)
    faults = "\n".join(caught.value.faults)
    for part in ("channel 'fax'", "template 'nothing'", "sender 'nobody'", "'never_declared'"):
        assert part in faults
    assert not stage.path.exists()


def test_a_journey_without_a_goal_or_with_an_unreachable_step_is_refused(stage: Stage) -> None:
    with pytest.raises(CheckFailed, match="goal: is missing"):
        stage.open(Journey("a", on("b"), [Send("hi", "sink")], kind="promo"))
    with pytest.raises(CheckFailed, match=r"steps\[1\]"):
        stage.open(journey("a", Exit(), Send("hi", "sink")))


def test_what_may_be_meant_is_a_warning(stage: Stage) -> None:
    told: list[str] = []
    words = {"hi": {"sink.en": "{{ city }} {{ gift }}\n"}}
    goal = did("signed_up").since_entry()
    stage.open(
        journey("a", Send("hi", "sink"), enter=by_call(), goal=goal),
        templates=words,
        catalog=PLAN,
        warn=told.append,
    )
    assert told
    assert all(line.startswith("journey 'a': ") for line in told)
    assert "gift" in "".join(told)


async def test_settings_that_cannot_work_are_named(stage: Stage) -> None:
    with pytest.raises(ConfigError, match="two channels are named 'sink'"):
        stage.open(channels=[stage.sink, stage.sink])
    with pytest.raises(ConfigError, match="mode is none of"):
        stage.open(mode="everywhere")
    crm = stage.open(SERIES)
    with pytest.raises(ConfigError, match="is not open"):
        await crm.track("ann", "signed_up", id="one")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (MemoryChannel, "channels: MemoryChannel is a class; give an object of it"),
        (TELEGRAM, "channels: TelegramAdapter is no Channel; wrap .* a ChannelAdapter in HttpChannel"),
    ],
)
def test_what_is_no_channel_is_named(given: Any, found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        Crm.over(MemoryStore(), zone="UTC", channels=[given])


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (MemoryStore, "store: MemoryStore is a class; give an object of it"),
        (
            StoreOfSomeoneElse(),
            "no ledger goes with StoreOfSomeoneElse by itself; give ledger=, as SqliteLedger",
        ),
    ],
)
def test_what_is_no_store_of_ours_is_named(given: Any, found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        Crm.over(given, zone="UTC")


async def test_a_database_of_a_newer_version_is_left_alone(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.track("ann", "signed_up", id="one")
    with closing(sqlite3.connect(stage.path)) as connection, connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'schema'")
    with pytest.raises(NewerStore, match=r"version 999.*upgrade crmsdk"):
        async with stage.open(SERIES):
            pass


async def test_a_full_disk_says_so_and_nothing_is_half_written(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.track("ann", "signed_up", id="one")
    store = SqliteStore(stage.path)
    async with Crm.over(store, **stage.settings(SERIES)) as crm:
        await store._session.write(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
        with pytest.raises(StoreFull):
            await crm.ingest(
                event(f"p{number}", "signed_up", START, f"e{number}", text="x" * 5000) for number in range(99)
            )
        await store._session.write(
            lambda connection: connection.execute("PRAGMA max_page_count = 1073741823")
        )
        taken = await crm.ingest(
            event(f"p{number}", "signed_up", START, f"e{number}", text="x" * 5000) for number in range(99)
        )
        assert taken.accepted == 99
        assert (await crm.advance()).sent == 100
    assert len(stage.sent()) == len(set(stage.sent())) == 100


async def test_a_locked_database_is_busy_and_what_was_due_is_still_due(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.track("ann", "signed_up", id="one")
    store = SqliteStore(stage.path, busy_timeout=timedelta(milliseconds=20))
    async with Crm.over(store, **stage.settings(SERIES)) as crm:
        with closing(sqlite3.connect(stage.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy):
                await crm.track("bob", "signed_up", id="two")
            with pytest.raises(StoreBusy):
                await crm.advance()
            other.execute("ROLLBACK")
        assert stage.sent() == []
        await crm.track("bob", "signed_up", id="two")
        await crm.advance()
    assert sorted(stage.sent()) == [("ann", "hi"), ("bob", "hi")]


async def test_a_user_id_that_looks_like_one_of_ours_meets_nobody(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.track("dan", "visit", id="zero")
        await crm.track(device("phone"), "visit", id="one")
        (made,) = [one for one in await crm.customers() if one != "dan"]
        taken = await crm.track(made, "signed_up", id="two")
        assert taken.accepted == 1
        assert len(await crm.customers()) == 3


async def test_what_nobody_knows_is_named(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        for call in (
            crm.timeline("eve"),
            crm.consent("eve", "granted"),
            crm.complete_task("t"),
            crm.customer("eve"),
        ):
            with pytest.raises(UnknownName, match=r"eve|'t'"):
                await call
        await crm.identify("ann", id="one")
        with pytest.raises(Exception, match=r"no by_call\(\) trigger"):
            await crm.enter("ann", "series", key="k")
