"""Random small worlds: few people, journeys of one family, news that come late, twice and by device."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import attrs
from hypothesis import strategies as st

from crmsdk.journeys.definition import Holdout, Journey, each_time, once
from crmsdk.journeys.steps import (
    Arm,
    Branch,
    Emit,
    HandOver,
    Send,
    Split,
    Update,
    Wait,
    WaitFor,
    When,
    date_of,
    local_time,
)
from crmsdk.journeys.triggers import enters, every, leaves, on, on_date
from crmsdk.model.ids import EventId
from crmsdk.model.inputs import Alias, Input
from crmsdk.policy.rules import cap, quiet
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.segments.words import attr, did
from tests.scenarios.stage import DAY, HOUR, START, device, event, journey, known, user

__all__ = ["JOURNEYS", "POLICIES", "World", "worlds"]

_VISITOR = did("visit").within(timedelta(days=2))
_BOUGHT = did("buy").since_entry()

JOURNEYS: Final[Sequence[Journey]] = (
    journey(
        "welcome",
        Send("hi", "sink"),
        Wait(DAY),
        Branch(When(attr("vip").exists(), [Send("bye", "other")]), otherwise=[Send("more", "sink")]),
        entry=once(),
        goal=_BOUGHT,
    ),
    journey(
        "cart",
        Send("hi", ("sink", "other")),
        Wait(2 * HOUR),
        Send("more", "other"),
        enter=on("cart", key="cart").unless("buy", within=2 * HOUR),
        exit=_BOUGHT,
    ),
    journey(
        "morning",
        Wait(local_time("09:00", on="weekdays")),
        Send("hi", "sink"),
        Wait(local_time("09:00")),
        Send("bye", "sink"),
        enter=on("visit"),
        goal=_BOUGHT,
    ),
    journey(
        "answer",
        Send("hi", "sink"),
        WaitFor(
            did("visit").since_entry(),
            timeout=DAY,
            then=[Send("more", "sink")],
            otherwise=[Send("bye", "sink")],
        ),
        entry=each_time(),
        overdue="skip",
    ),
    journey(
        "absent",
        Split(
            "size", Arm("a", 1, [Send("hi", "sink")]), Arm("b", 2, [Update("vip", True), Send("bye", "sink")])
        ),
        enter=leaves(_VISITOR, "visitors"),
        holdout=Holdout(0.5),
    ),
    journey("present", Emit("buy"), Wait(3 * HOUR), Send("more", "sink"), enter=enters(_VISITOR, "visitors")),
    journey(
        "trial",
        Wait(date_of("trial", timedelta(days=-1)), past="exit"),
        Send("hi", "sink"),
        enter=(on("signed_up"), on_date("trial")),
    ),
    journey(
        "weekly",
        Send("hi", "other"),
        enter=every("0 10 * * wed", segment=did("visit")),
        kind="promo",
        lifetime=DAY,
    ),
    journey(
        "call",
        HandOver("call", to="sales", within=5 * HOUR, overdue=[Send("more", "sink")]),
        enter=on("cart"),
        holdout=Holdout(0.3, "calls"),
    ),
)

POLICIES: Final[Sequence[ContactPolicy]] = (
    ContactPolicy(),
    ContactPolicy(cap(1, within=DAY), quiet("21:00", "08:00")),
    ContactPolicy(
        cap(2, within=timedelta(days=2)),
        cap(1, within=HOUR, distinct="channel"),
        cap(1, each="day", per="journey"),
    ),
)

_PEOPLE = ("ann", "bob", "eve")
_ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
_SPAN = 8 * 48  # half hours


@attrs.frozen
class World:
    """Journeys, a policy and news; those before ``START`` are history."""

    journeys: tuple[Journey, ...]
    policy: ContactPolicy
    news: tuple[Input, ...]

    @property
    def end(self) -> datetime:
        """A moment by which everything has happened."""
        return START + timedelta(days=12)


@st.composite
def _one(draw: st.DrawFn, index: int) -> Input:
    at = START + timedelta(minutes=30 * draw(st.integers(-96, _SPAN)))
    person = draw(st.sampled_from(_PEOPLE))
    match draw(st.sampled_from(("event", "event", "event", "event", "visit", "traits", "zone", "alias"))):
        case "event":
            name = draw(st.sampled_from(("signed_up", "cart", "buy", "visit")))
            values = {"cart": draw(st.integers(1, 2))} if name in {"cart", "buy"} else {}
            return event(person, name, at, f"e{index}", **values)
        case "visit":
            return event(
                device(f"phone of {person}"),
                draw(st.sampled_from(("visit", "cart"))),
                at,
                f"e{index}",
                cart=1,
            )
        case "traits":
            day = (START + timedelta(days=draw(st.integers(0, 6)))).date()
            traits: dict[str, Any] = draw(
                st.sampled_from(({"vip": True}, {"vip": None}, {"trial": date(day.year, day.month, day.day)}))
            )
            return known(user(person), at=at, id=f"i{index}", **traits)
        case "zone":
            return known(user(person), at=at, id=f"i{index}", zone=draw(st.sampled_from(_ZONES)))
        case _:
            return Alias(
                id=EventId(f"a{index}"),
                identifiers=(user(person),),
                previous=device(f"phone of {person}"),
                at=at,
                received=at,
            )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world of one to three journeys and up to twenty news, some of them twice."""
    journeys = draw(
        st.lists(st.sampled_from(JOURNEYS), min_size=1, max_size=3, unique_by=lambda one: one.name)
    )
    count = draw(st.integers(1, 20))
    news = [draw(_one(index)) for index in range(count)]
    again = draw(st.lists(st.sampled_from(news), max_size=3))
    return World(tuple(journeys), draw(st.sampled_from(POLICIES)), tuple(news + again))
