"""Failures seen in real systems, and the promises of the mission, played through the contact limiter."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError, InputError
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.policy.answer import Reason, Ruling
from crmsdk.policy.request import NOTHING_KNOWN, ContactFacts, ContactRequest
from crmsdk.policy.rules import cap, quiet
from crmsdk.policy.ruleset import ContactPolicy, default_policy
from crmsdk.runtime.limiter import ContactLimiter

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def message(
    name: object,
    *channels: str,
    customer: str = "ann",
    kind: str = "promo",
    purpose: str | None = None,
    sender: str = "",
) -> ContactRequest:
    return ContactRequest(
        message_id=MessageId(str(name)),
        customer=CustomerId(customer),
        channels=channels or ("email",),
        kind=kind,
        purpose=purpose or kind,
        sender=sender,
    )


def limiter_of(policy: ContactPolicy, *, zone: str = "UTC") -> ContactLimiter:
    return ContactLimiter(policy, MemoryLedger(), zone=zone)


async def send(
    limiter: ContactLimiter, request: ContactRequest, now: datetime, facts: ContactFacts = NOTHING_KNOWN
) -> bool:
    decision = await limiter.reserve(request, facts, now)
    if decision.lease is not None:
        await limiter.commit(decision.lease)
    return decision.allowed


async def test_t18_window_over_midnight_is_not_swapped() -> None:
    """22:00 to 06:00 is the night, in the person's zone, also on the day the clocks change."""
    limiter = limiter_of(ContactPolicy(quiet("22:00", "06:00")))
    berlin = ContactFacts(zones="Europe/Berlin")
    noon = await limiter.explain(message(1), berlin, datetime(2026, 3, 28, 11, tzinfo=UTC))
    assert noon.allowed
    night = await limiter.explain(message(1), berlin, datetime(2026, 3, 28, 23, tzinfo=UTC))
    assert night.until == datetime(2026, 3, 29, 4, tzinfo=UTC)  # 06:00 summer time; 05:00 UTC a day before
    before = await limiter.explain(message(1), berlin, datetime(2026, 3, 27, 23, tzinfo=UTC))
    assert before.until == datetime(2026, 3, 28, 5, tzinfo=UTC)


async def test_t19_each_person_has_their_own_night() -> None:
    """No offset of the workspace, no clock of the server: the zone of the person, or every candidate."""
    limiter = limiter_of(default_policy(), zone="Europe/Moscow")
    now = datetime(2026, 3, 2, 19, tzinfo=UTC)  # 22:00 in Moscow, 14:00 in New York, 04:00 in Tokyo
    zones: dict[str, tuple[str, ...]] = {
        "here": (),
        "york": ("America/New_York",),
        "tokyo": ("Asia/Tokyo",),
        "either": ("America/New_York", "Asia/Tokyo"),
    }
    decisions = {
        name: await limiter.reserve(message(1, customer=name), ContactFacts(zones=where), now)
        for name, where in zones.items()
    }
    assert {name: each.allowed for name, each in decisions.items()} == {
        "here": False,
        "york": True,
        "tokyo": False,
        "either": False,
    }
    assert decisions["here"].until == datetime(2026, 3, 3, 5, tzinfo=UTC)
    assert decisions["tokyo"].until == datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert decisions["either"].until == datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert {each.reason for each in decisions.values() if not each.allowed} == {Reason.QUIET}


async def test_t19_a_limit_a_day_ends_at_the_persons_midnight() -> None:
    limiter = limiter_of(ContactPolicy(cap(1, each="day")))
    tokyo = ContactFacts(zones="Asia/Tokyo")
    assert await send(limiter, message(1), datetime(2026, 3, 2, 14, tzinfo=UTC), tokyo)
    held = await limiter.reserve(message(2), tokyo, datetime(2026, 3, 2, 14, 59, tzinfo=UTC))
    assert held.until == datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert await send(limiter, message(2), datetime(2026, 3, 2, 15, tzinfo=UTC), tokyo)


@pytest.mark.parametrize("durable", [False, True])
def test_t23_two_triggers_in_the_same_millisecond_give_one_send(durable: bool, tmp_path: Path) -> None:
    async def run() -> None:
        ledger = SqliteLedger(tmp_path / "ledger.db") if durable else MemoryLedger()
        limiter = ContactLimiter(ContactPolicy(cap(1, within=WEEK)), ledger, zone="UTC")
        try:
            for number in range(20):
                pair = [message(f"{number}-{each}", customer=f"p{number}", kind="trigger") for each in "ab"]
                sent = await asyncio.gather(*(send(limiter, each, MONDAY) for each in pair))
                assert sorted(sent) == [False, True]
        finally:
            await ledger.close()

    asyncio.run(run())


async def test_t26_rule_holds_for_every_campaign_and_never_for_service() -> None:
    """A frequency rule is not forgotten by campaigns, and does not spill over to transactional mail."""
    limiter = limiter_of(ContactPolicy(cap(1, within=WEEK)))
    assert await send(limiter, message("receipt-1", kind="service"), MONDAY)
    assert await send(limiter, message("campaign-1"), MONDAY)
    for kind in ("promo", "content", "trigger"):
        assert not await send(limiter, message(f"{kind}-2", kind=kind), MONDAY)
    for number in range(2, 9):
        assert await send(limiter, message(f"receipt-{number}", kind="service"), MONDAY)


async def test_t27_people_who_share_an_address_are_counted_apart_and_stopped_together() -> None:
    """Reaching one does not mark the other as reached; an address that bounced is dead for both."""
    limiter = limiter_of(ContactPolicy(cap(1, within=WEEK)))
    shared = ContactFacts(addresses={"email": "one-hash", "sms": "another"})
    assert await send(limiter, message(1, customer="ann"), MONDAY, shared)
    assert await send(limiter, message(2, customer="bob"), MONDAY, shared)
    assert not await send(limiter, message(3, customer="ann"), MONDAY, shared)
    await limiter.suppress_address("one-hash", reason="complaint", now=MONDAY)
    for customer in ("ann", "bob"):
        decision = await limiter.explain(message(4, customer=customer), shared, MONDAY + WEEK)
        assert (decision.outcome, decision.reason) == (Ruling.REFUSE, Reason.SUPPRESSED)
    assert await send(limiter, message(5, "email", "sms", customer="ann"), MONDAY + WEEK, shared)


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["email", "sms", "push", "call"])), max_size=60)
)
def test_r73_no_rolling_week_holds_more_than_six(offers: list[tuple[int, str]]) -> None:
    async def run() -> list[datetime]:
        limiter, now, sent = limiter_of(default_policy()), MONDAY, []
        for number, (hours, channel) in enumerate(offers):
            now += hours * HOUR
            if await send(limiter, message(number, channel, sender=f"s{number % 3}"), now):
                sent.append(now)
        return sent

    sent = asyncio.run(run())
    assert max((sum(each - WEEK < other <= each for other in sent) for each in sent), default=0) <= 6


async def test_r73_the_seventh_message_of_a_week_waits_for_the_first_to_leave() -> None:
    limiter = limiter_of(default_policy())
    moments = [MONDAY + number * DAY for number in range(6)]
    channels = ["email", "sms", "push"] * 2
    for number, (channel, now) in enumerate(zip(channels, moments, strict=True)):
        assert await send(limiter, message(number, channel), now)
    held = await limiter.reserve(message(6, "telegram"), NOTHING_KNOWN, MONDAY + 6 * DAY)
    assert (held.outcome, held.reason, held.until) == (Ruling.DEFER, Reason.CAPPED, MONDAY + WEEK)
    assert (held.blocked[0].rule, held.blocked[0].limit, held.blocked[0].used) == ("all-week", 6, 6)
    assert held.blocked[0].messages == ("0", "1", "2", "3", "4", "5")
    assert await send(limiter, message(6, "telegram"), MONDAY + WEEK)


async def test_r74_third_channel_within_the_hour_is_deferred_with_that_reason() -> None:
    limiter = limiter_of(default_policy())
    assert await send(limiter, message(1, "email"), MONDAY)
    assert await send(limiter, message(2, "sms"), MONDAY + HOUR / 2)
    third = await limiter.reserve(message(3, "push"), NOTHING_KNOWN, MONDAY + HOUR - HOUR / 60)
    assert (third.outcome, third.reason, third.until) == (Ruling.DEFER, Reason.DISTINCT, MONDAY + HOUR)
    assert (third.blocked[0].rule, third.blocked[0].used) == ("channels-hour", 2)
    assert await send(limiter, message(4, "sms"), MONDAY + HOUR / 2)
    assert await send(limiter, message(3, "push"), MONDAY + HOUR)


async def test_r75_four_emails_a_week_from_one_sender() -> None:
    limiter = limiter_of(default_policy())
    for number in range(4):
        assert await send(limiter, message(number, sender="news"), MONDAY + number * HOUR)
    fifth = await limiter.reserve(message(4, sender="news"), NOTHING_KNOWN, MONDAY + DAY)
    assert (fifth.reason, fifth.until, fifth.blocked[0].rule) == (
        Reason.CAPPED,
        MONDAY + WEEK,
        "email-sender-week",
    )
    assert await send(limiter, message(5, sender="shop"), MONDAY + DAY)
    assert await send(limiter, message(6, "sms", sender="news"), MONDAY + DAY)


async def test_r76_kind_is_mandatory_and_rules_go_by_it() -> None:
    with pytest.raises(TypeError, match="kind"):
        ContactRequest(message_id=MessageId("m"), customer=CustomerId("ann"), channels="email")  # type: ignore[call-arg]  # the point
    with pytest.raises(InputError, match="kinds are promo, content, trigger, service"):
        message(1, kind="newsletter")
    with pytest.raises(DefinitionError, match="kinds are promo, content, trigger, service"):
        cap(1, within=DAY, kind="newsletter")
    night = MONDAY + 13 * HOUR
    limiter = limiter_of(default_policy())
    outcomes = {
        kind: (await limiter.reserve(message(kind, kind=kind), NOTHING_KNOWN, night)).outcome
        for kind in ("promo", "content", "trigger", "service")
    }
    assert Counter(outcomes.values()) == {Ruling.DEFER: 3, Ruling.ALLOW: 1}
    assert outcomes["service"] is Ruling.ALLOW


async def test_r79_inactive_people_get_nothing_but_win_back() -> None:
    limiter = limiter_of(default_policy())
    asleep, unknown = ContactFacts(active=False), ContactFacts(active=None)
    ordinary = await limiter.reserve(message(1), asleep, MONDAY)
    assert (ordinary.outcome, ordinary.reason) == (Ruling.REFUSE, Reason.INACTIVE)
    assert await send(limiter, message(2, purpose="winback"), MONDAY, asleep)
    assert await send(limiter, message(3, kind="service"), MONDAY, asleep)
    assert await send(limiter, message(4), MONDAY, unknown)


async def test_r58_service_passes_promo_caps_and_is_logged() -> None:
    ledger = MemoryLedger()
    limiter = ContactLimiter(default_policy(), ledger, zone="UTC")
    for number in range(6):
        assert await send(limiter, message(number, ("email", "sms")[number % 2]), MONDAY + number * HOUR)
    assert not await send(limiter, message("promo"), MONDAY + 7 * HOUR)
    assert await send(limiter, message("status", kind="service"), MONDAY + 7 * HOUR)
    assert [each.kind for each in await ledger.entries(CustomerId("ann"))][-1] == "service"


async def test_r80_companies_are_written_to_more_seldom() -> None:
    policy = ContactPolicy(
        cap(6, within=WEEK, id="week"), audiences={"employer": [cap(2, within=WEEK, id="week")]}
    )
    limiter = limiter_of(policy)

    async def sent_to(audience: str) -> int:
        offers = [
            ContactRequest(
                message_id=MessageId(f"{audience}-{number}"),
                customer=CustomerId(audience),
                channels="email",
                kind="promo",
                audience=audience,
            )
            for number in range(9)
        ]
        return sum([await send(limiter, each, MONDAY) for each in offers])

    assert [await sent_to("employer"), await sent_to("seeker")] == [2, 6]
