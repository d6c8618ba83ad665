"""Lists, and what became of attributes, moving people through journeys."""

from datetime import timedelta

import pytest

from crmsdk.errors import CheckFailed, ConfigError, InputError
from crmsdk.journeys.definition import each_time
from crmsdk.journeys.steps import Send
from crmsdk.journeys.triggers import enters
from crmsdk.model.customer import Identifier
from crmsdk.segments.words import account, attr, did, in_account, in_list, reachable
from tests.scenarios.stage import DAY, START, Stage, device, journey, user

pytestmark = pytest.mark.anyio

VIP = in_list("vip")


async def test_people_are_put_on_a_list_and_taken_off_and_it_is_dated_and_undone(stage: Stage) -> None:
    greeting = journey("greet", Send("hi", "sink"), enter=enters(VIP, "vips"), entry=each_time())
    async with stage.open(greeting) as crm:
        await crm.put_on_list("ann", "vip", id="one")
        again = await crm.put_on_list("ann", "vip", id="one", at=START)
        assert again.duplicates == 1
        assert (await crm.advance()).sent == 1
        assert (await crm.explain("ann", VIP)).matched
        assert (await crm.customer("ann")).attributes == {}
        stage.clock.tick(DAY)
        await crm.take_off_list("ann", "vip")
        assert not (await crm.explain("ann", VIP)).matched
        assert (await crm.explain("ann", VIP, at=START)).matched
        await crm.put_on_list("bob", "vip", at=START + 3 * DAY)
        assert (await crm.advance()).sent == 0
        assert (await crm.advance(START + 3 * DAY)).sent == 1
        with pytest.raises(InputError, match="lists"):
            await crm.put_on_list("ann", "")
    assert [who for who, _ in stage.sent()] == ["ann", "bob"]


async def test_nobody_is_put_on_a_list_by_a_trait(stage: Stage) -> None:
    async with stage.open() as crm:
        with pytest.raises(InputError, match=r"traits\.crmsdk\.list\.vip.*is kept for crmsdk"):
            await crm.identify(user("eve"), {"crmsdk.list.vip": True})
        with pytest.raises(InputError, match=r"traits\.crmsdk'.*is kept for crmsdk"):
            await crm.identify(user("eve"), {"crmsdk": {"list": {"vip": True}}})


async def test_t32_a_profile_update_that_changes_nothing_starts_nothing(stage: Stage) -> None:
    upgraded = attr("plan").changed_within(timedelta(hours=1)) & (attr("plan") == "pro")
    cheer = journey("cheer", Send("hi", "sink"), enter=enters(upgraded, "upgraded"), entry=each_time())
    async with stage.open(cheer) as crm:
        await crm.identify("ann", {"plan": "pro"})
        assert (await crm.advance()).sent == 1
        stage.clock.tick(DAY)
        await crm.identify("ann", {"plan": "pro", "city": "Perm"})
        assert (await crm.advance()).sent == 0
        stage.clock.tick(timedelta(minutes=1))
        await crm.identify("ann", {"plan": "free"})
        stage.clock.tick(timedelta(minutes=1))
        await crm.identify("ann", {"plan": "pro"})
        assert (await crm.advance()).sent == 1


async def test_a_value_that_is_held_long_enough_starts_a_journey_at_its_very_moment(stage: Stage) -> None:
    loyal = attr("plan").has_been("pro", at_least=30 * DAY)
    async with stage.open(journey("loyal", Send("hi", "sink"), enter=enters(loyal, "loyal"))) as crm:
        await crm.identify("ann", {"plan": "pro"})
        stage.clock.tick(DAY)
        await crm.identify("ann", {"plan": "pro"})
        assert await crm.next_wakeup() == START + 30 * DAY
        assert (await crm.advance(START + 30 * DAY - timedelta(microseconds=1))).sent == 0
        assert (await crm.advance(START + 30 * DAY)).sent == 1


async def test_who_has_an_address_and_has_not_said_no_is_reachable(stage: Stage) -> None:
    by_mail, by_phone = reachable("email"), reachable("sms")
    async with stage.open(journey("hello", Send("hi", "sink"), enter=enters(by_mail, "mailable"))) as crm:
        await crm.track(device("phone"), "visit", id="one")
        await crm.identify("ann", {"city": "Perm"})
        assert not (await crm.explain("ann", by_mail)).matched
        await crm.identify("ann", email="ann@example.com")
        assert (await crm.advance()).sent == 1
        assert (await crm.explain("ann", by_mail)).matched
        assert not (await crm.explain("ann", by_phone)).matched
        assert (await crm.customer("ann")).attributes == {"city": "Perm"}
        await crm.consent("ann", "withdrawn", channel="sms")
        assert (await crm.explain("ann", by_mail)).matched
        await crm.consent("ann", "withdrawn", channel="email")
        assert not (await crm.explain("ann", by_mail)).matched
        stage.clock.tick(DAY)
        await crm.consent("ann", "granted", channel="email", purpose="promo")
        assert (await crm.explain("ann", by_mail)).matched
        assert not (await crm.explain("ann", reachable("email", "news"))).matched
        assert not (await crm.explain("ann", by_mail, at=START - DAY)).matched


async def test_an_address_that_was_told_before_the_user_id_counts(stage: Stage) -> None:
    async with stage.open() as crm:
        await crm.identify(Identifier("phone", "+7 900 000-00-01"))
        await crm.identify("ann", phone="+7 900 000-00-01")
        assert (await crm.explain("ann", reachable("sms"))).matched


async def test_joining_an_account_moves_people_at_once(stage: Stage) -> None:
    retail = in_account() & (attr("account.industry") == "retail")
    async with stage.open(journey("b2b", Send("hi", "sink"), enter=enters(retail, "retail"))) as crm:
        await crm.identify("ann", {"account.industry": "retail"})
        assert (await crm.advance()).sent == 0
        await crm.group("ann", "acme")
        assert (await crm.advance()).sent == 1
        assert (await crm.explain("ann", in_account("acme"))).matched


async def test_an_account_is_the_same_in_either_form_of_its_letters(stage: Stage) -> None:
    async with stage.open() as crm:
        await crm.group("ann", "cafe\u0301")
        assert (await crm.explain("ann", in_account("café"))).matched
        assert (await crm.customer("ann")).account == "café"


async def test_journeys_refuse_questions_about_other_people_with_the_mend(stage: Stage) -> None:
    asked = account.others.any(did("invoice_opened"))
    with pytest.raises(CheckFailed, match="ask an audience or LiveSegments, put those found on a list"):
        stage.open(journey("opened", Send("hi", "sink"), enter=enters(asked, "opened")))
    with pytest.raises(ConfigError, match="active: is about the account's people"):
        stage.open(active=~asked)


async def test_other_people_of_an_account_are_asked_about(stage: Stage) -> None:
    asked = account.others.any(did("invoice_opened"))
    async with stage.open() as crm:
        await crm.identify("ann")
        for who in ("ann", "bob"):
            await crm.group(who, "acme")
        assert not (await crm.explain("ann", asked)).matched
        await crm.track("bob", "invoice_opened", {})
        await crm.track("eve", "invoice_opened", {})
        verdict = await crm.explain("ann", asked)
        assert (verdict.matched, verdict.because.people) == (True, ("bob",))
        assert not (await crm.explain("bob", asked)).matched
        assert not (await crm.explain("eve", asked)).matched


async def test_a_visitor_who_joins_brings_the_account_along(stage: Stage) -> None:
    asked = account.count(did("invoice_opened"))
    async with stage.open() as crm:
        await crm.group("ann", "acme")
        await crm.identify("bob")
        await crm.track(device("d1"), "invoice_opened", {})
        await crm.group(device("d1"), "acme")
        await crm.group(device("d2"), "acme")
        assert (await crm.explain("ann", account.others.count(~did("never")) == 2)).matched
        assert (await crm.explain("ann", asked == 1)).matched
        await crm.identify("bob", anonymous="d1")
        await crm.identify("ann", anonymous="d2")
        verdict = await crm.explain("ann", asked == 1)
        assert (verdict.matched, verdict.because.people) == (True, ("bob",))
        assert (await crm.explain("bob", account.count(~did("never")) == 2)).matched


async def test_the_account_is_that_of_the_moment_asked_about(stage: Stage) -> None:
    asked = account.others.any(did("invoice_opened"))
    async with stage.open() as crm:
        for who, where in (("ann", "acme"), ("bob", "acme"), ("eve", "other")):
            await crm.group(who, where)
            await crm.track(who, "invoice_opened", {"by": who})
        stage.clock.tick(DAY)
        await crm.group("ann", "other")
        for at, people in ((None, ("eve",)), (START, ("bob",)), (START + DAY, ("eve",))):
            assert (await crm.explain("ann", asked, at=at)).because.people == people
        assert not (await crm.explain("bob", asked)).matched
        then = await crm.explain("bob", asked, at=START)
        assert (then.because.people, then.until) == (("ann",), START + DAY)
        assert not (await crm.explain("ann", asked, at=START - DAY)).matched
