"""Tests of what a newcomer reads after a slip at the handle of an application."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crmsdk import Crm, Journey, MemoryChannel, Segment, Send, Sender, did, on
from crmsdk.errors import ConfigError, CrmsdkError, DefinitionError, InputError, NaiveMoment, UnknownName
from crmsdk.templates.standing_in import StandInTemplates

PAID = did("paid").since_entry()
PLAN = Journey("plan", on("came"), [Send("hi", "email")], kind="trigger", goal=PAID)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"zon": "UTC"}, "there is no setting 'zon'; did you mean 'zone'"),
        ({"zone": "UTC", "database": "x"}, "there is no setting 'database'; there are active, allowlist"),
        ({}, "zone is missing; give that of people whose zone is unknown"),
        ({"zone": "UTC", "mode": "production"}, "mode is none of off, record, allowlist, live"),
        ({"zone": "UTC", "at_least_once": ["service", "promos"]}, "at_least_once: holds no kind of message"),
        ({"zone": "UTC", "at_least_once": "service"}, "at_least_once: is one text"),
        ({"zone": "UTC", "allowlist": "me@example.com"}, "allowlist: is one text"),
        ({"zone": "UTC", "senders": [Sender(id="a"), Sender(id="a")]}, "two senders have the id 'a'"),
        ({"zone": "UTC", "journeys": PLAN}, r"journeys: is Journey; give a list, as journeys=\[welcome\]"),
        ({"zone": "UTC", "journeys": "plan"}, "journeys: is str; give a list"),
        ({"zone": "UTC", "journeys": [PLAN, did("paid")]}, "journeys: holds Did; give journeys only"),
        ({"zone": "UTC", "active": "paid"}, "active: str is no condition; finish it as"),
        ({"zone": "UTC", "active": PAID}, "active: a condition about a run"),
    ],
)
def test_a_setting_that_is_none_is_named(settings: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Crm.open("memory://", **settings)


def test_a_plain_with_is_told_of_async_with() -> None:
    crm: Any = Crm.open("memory://", zone="UTC")
    with pytest.raises(ConfigError, match=r"use 'async with Crm.open.* or Crm of crmsdk\.blocking"), crm:
        pass


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("slip", "error", "said"),
    [
        (
            lambda crm: crm.pause(),
            InputError,
            "'journey': is empty; name the journey, there are plan, or a pers",
        ),
        (lambda crm: crm.track("ann", "came", at="2026-03-01"), NaiveMoment, "'at': is text without an offs"),
        (lambda crm: crm.resume("plans"), UnknownName, "did you mean 'plan'"),
        (lambda crm: crm.stop("ann", journey="plans"), UnknownName, "did you mean 'plan'"),
        (lambda crm: crm.pause("plans", who="ann"), UnknownName, "did you mean 'plan'"),
        (lambda crm: crm.resume("plans", who="ann"), UnknownName, "did you mean 'plan'"),
        (lambda crm: crm.consent("ann", "yes"), InputError, "'state': is no consent; give one of unknown"),
        (
            lambda crm: crm.send("ann", "hi", "email", kind="promo", key="1", vals={}),
            UnknownName,
            "unknown option of crm.send 'vals'; did you mean 'values'",
        ),
        (
            lambda crm: crm.preview("hi", "ann", "email", topic="news"),
            UnknownName,
            "unknown option of crm.preview 'topic'; there are purpose, sender, values",
        ),
        (lambda crm: crm.explain("ann", "sleeping"), DefinitionError, "str is no condition"),
        (lambda crm: crm.explain("ann", PAID), DefinitionError, "has no meaning here"),
    ],
)
async def test_a_call_that_cannot_be_meant_is_told(
    slip: Callable[[Any], Awaitable[None]], error: type[CrmsdkError], said: str
) -> None:
    async with Crm.open(
        "memory://",
        zone="UTC",
        journeys=[PLAN],
        channels=[MemoryChannel("email")],
        templates=StandInTemplates(),
    ) as crm:
        await crm.identify("ann")
        with pytest.raises(error, match=said):
            await slip(crm)
        assert not (await crm.explain("ann", Segment("paid", did("paid")))).matched


ODD = [None, "", 5, b"x", ["x"], {"x": 1}, "half \ud800"]


@pytest.mark.anyio
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__ + str(len(repr(odd))))
@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda crm, odd: crm.track(odd, "came"), "who|identifiers.user"),
        (lambda crm, odd: crm.customer(odd), "who|identifiers.user"),
        (lambda crm, odd: crm.alias("ann", odd), "previous"),
        (lambda crm, odd: crm.group("ann", odd), "account"),
        (lambda crm, odd: crm.consent("ann", "granted", channel=odd), "channel"),
        (lambda crm, odd: crm.enter("ann", "plan", key=odd), "key"),
        (lambda crm, odd: crm.record_contact("ann", odd, id="1"), "channel"),
        (lambda crm, odd: crm.record_contact("ann", "phone", id=odd), "id"),
        (lambda crm, odd: crm.record_contact("ann", "phone", id="1", kind=odd), "kind"),
        (lambda crm, odd: crm.send("ann", odd, "email", kind="promo", key="1"), "template"),
        (lambda crm, odd: crm.send("ann", "hi", ["email", odd], kind="promo", key="1"), "via"),
        (lambda crm, odd: crm.send("ann", "hi", "email", kind=odd, key="1"), "kind"),
        (lambda crm, odd: crm.send("ann", "hi", "email", kind="promo", key=odd), "key"),
        (lambda crm, odd: crm.send("ann", "hi", "email", kind="promo", key="1", expires=odd), "expires"),
        (lambda crm, odd: crm.complete_task(odd), "task"),
        (lambda crm, odd: crm.ingest([odd]), "news"),
        (lambda crm, odd: crm.report([odd]), "events"),
    ],
)
async def test_a_value_no_store_could_keep_is_refused_by_its_field(call: Any, field: str, odd: Any) -> None:
    channel = MemoryChannel(everyone=True)
    async with Crm.open(
        "memory://", zone="UTC", journeys=[PLAN], channels=[channel], templates=StandInTemplates()
    ) as crm:
        await crm.identify("ann")
        before = await crm.timeline("ann")
        with pytest.raises(InputError, match=f"^field '({field})"):
            await call(crm, odd)
        assert str(await crm.timeline("ann")) == str(before)
        await crm.advance()


@pytest.mark.anyio
async def test_one_piece_of_a_batch_that_no_store_could_keep_is_refused_where_it_is_made() -> None:
    async with Crm.open("memory://", zone="UTC") as crm:
        with pytest.raises(InputError, match=r"^field 'id': is empty; give non-empty text"):
            await crm.track("ann", "came", id="")  # it would count each repetition
        with pytest.raises(InputError, match=r"^field 'limit': is not positive"):
            await crm.advance(limit=0)
        assert await crm.customers() == []


@pytest.mark.anyio
async def test_a_template_nobody_wrote_is_refused_where_it_is_asked_for() -> None:
    texts = {"hello": {"email.en": "subject: s\n---\nx\n"}}
    async with Crm.open("memory://", zone="UTC", templates=texts, channels=[MemoryChannel()]) as crm:
        await crm.identify("ann", email="ann@shop.example")
        with pytest.raises(
            UnknownName, match=r"^field 'template': unknown template 'helo'; did you mean 'hello'"
        ):
            await crm.send("ann", "helo", "email", kind="promo", key="1")
        assert not (await crm.timeline("ann")).entries
        assert await crm.send("ann", "hello", "email", kind="promo", key="1")
