"""The contact limiter over a ledger: what it reserves is what it explains."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import ConfigError, InputError, NaiveMoment, StoreError, UnknownZone
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.policy.answer import Decision, Reason, Ruling
from crmsdk.policy.record import Answer, Reserve
from crmsdk.policy.request import NOTHING_KNOWN, ContactFacts, ContactRequest
from crmsdk.policy.rules import Rule, cap, opt_in, quiet
from crmsdk.policy.ruleset import ContactPolicy, default_policy
from crmsdk.runtime.limiter import ContactLimiter

ANN = CustomerId("ann")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EDGES = [timedelta(0), HOUR, 7 * HOUR, DAY, DAY - timedelta(microseconds=1)]


def offer(name: str, *channels: str, customer: str = "ann", kind: str = "promo") -> ContactRequest:
    return ContactRequest(
        message_id=MessageId(name),
        customer=CustomerId(customer),
        channels=channels or ("email",),
        kind=kind,
    )


def limiter_of(*rules: Rule, lease: timedelta = HOUR) -> ContactLimiter:
    return ContactLimiter(ContactPolicy(*rules), MemoryLedger(), zone="UTC", lease=lease)


async def test_reserve_takes_a_place_and_commit_keeps_it() -> None:
    limiter = limiter_of(cap(1, within=DAY))
    first = await limiter.reserve(offer("m1"), NOTHING_KNOWN, NOON)
    assert first.allowed
    assert first.lease is not None
    assert (first.lease.until, first.lease.attempt) == (NOON + HOUR, 1)
    assert (first.channel, first.blocked, len(first.policy)) == ("email", (), 32)
    second = await limiter.reserve(offer("m2"), NOTHING_KNOWN, NOON)
    assert (second.outcome, second.until, second.lease) == (Ruling.DEFER, NOON + DAY, None)
    assert await limiter.commit(first.lease)
    third = await limiter.reserve(offer("m1"), NOTHING_KNOWN, NOON)
    assert (third.outcome, third.reason) == (Ruling.REFUSE, Reason.DUPLICATE)


async def test_release_frees_the_place() -> None:
    limiter = limiter_of(cap(1, within=DAY))
    first = await limiter.reserve(offer("m1"), NOTHING_KNOWN, NOON)
    assert first.lease is not None
    assert await limiter.release(first.lease)
    assert not await limiter.release(first.lease)
    assert (await limiter.reserve(offer("m2"), NOTHING_KNOWN, NOON)).allowed


async def test_renew_holds_a_slow_send() -> None:
    limiter = limiter_of()
    first = await limiter.reserve(offer("m1"), NOTHING_KNOWN, NOON)
    assert first.lease is not None
    renewed = await limiter.renew(first.lease, NOON + HOUR / 2)
    assert renewed is not None
    assert renewed.until == NOON + HOUR * 1.5
    again = await limiter.reserve(offer("m1"), NOTHING_KNOWN, NOON + HOUR)
    assert (again.reason, again.until) == (Reason.BUSY, NOON + HOUR * 1.5)
    taken = await limiter.reserve(offer("m1"), NOTHING_KNOWN, NOON + HOUR * 2)
    assert taken.lease is not None
    assert taken.lease.attempt == 2
    assert await limiter.renew(first.lease, NOON + HOUR * 2) is None


async def test_fallback_says_why_the_preferred_channel_was_closed() -> None:
    limiter = limiter_of(cap(1, within=DAY, channel="email", id="mail"), opt_in(channels="sms"))
    await limiter.reserve(offer("m1"), NOTHING_KNOWN, NOON)
    decision = await limiter.reserve(offer("m2", "sms", "email", "push"), NOTHING_KNOWN, NOON)
    assert (decision.outcome, decision.channel) == (Ruling.ALLOW, "push")
    assert decision.lease is not None
    assert [(each.channel, each.rule) for each in decision.blocked] == [
        ("sms", "opt-in-sms"),
        ("email", "mail"),
    ]


async def test_reserve_many_answers_each_as_reserve_would() -> None:
    rules = (cap(1, within=DAY), quiet("11:00", "13:00", channels="push"))
    offers = [offer("m1"), offer("m2"), offer("m3", customer="bob"), offer("m4", "push", customer="cem")]
    together, alone = limiter_of(*rules), limiter_of(*rules)
    decisions = await together.reserve_many([(each, NOTHING_KNOWN) for each in offers], NOON)
    assert list(decisions) == [await alone.reserve(each, NOTHING_KNOWN, NOON) for each in offers]
    assert [each.outcome for each in decisions] == [Ruling.ALLOW, Ruling.DEFER, Ruling.ALLOW, Ruling.DEFER]
    assert list(await together.reserve_many([], NOON)) == []
    leases = [each.lease for each in decisions if each.lease is not None]
    assert list(await together.commit_many(leases)) == [True, True]
    assert list(await together.release_many(leases)) == [False, False]


async def test_reserve_many_takes_a_thousand_and_no_more() -> None:
    limiter = limiter_of(quiet("11:00", "13:00", channels="push"))
    thousand = [
        (offer(f"m{number}", "push" if number % 2 else "email"), NOTHING_KNOWN) for number in range(1000)
    ]
    decisions = await limiter.reserve_many(thousand, NOON)
    assert [each.allowed for each in decisions] == [number % 2 == 0 for number in range(1000)]
    with pytest.raises(InputError, match="1001 messages"):
        await limiter.reserve_many([*thousand, thousand[0]], NOON)


async def test_suppressions_reach_the_ledger() -> None:
    limiter = limiter_of()
    facts = ContactFacts(addresses={"email": "h1", "sms": "h2"})
    await limiter.suppress_address("h1", reason="bounced", now=NOON)
    decision = await limiter.reserve(offer("m1", "email", "sms"), facts, NOON)
    assert (decision.channel, decision.blocked[0].reason) == ("sms", Reason.SUPPRESSED)
    await limiter.suppress_customer(CustomerId("bob"), purpose="promo", reason="stop", now=NOON)
    assert not (await limiter.reserve(offer("m2", customer="bob"), NOTHING_KNOWN, NOON)).allowed
    assert (await limiter.reserve(offer("m3", customer="bob", kind="service"), NOTHING_KNOWN, NOON)).allowed


async def test_withdrawal_between_plan_and_send_stops_the_message() -> None:
    limiter = limiter_of()
    assert (await limiter.explain(offer("m1"), NOTHING_KNOWN, NOON)).allowed
    await limiter.suppress_customer(ANN, channel="email", reason="unsubscribed", now=NOON)
    assert (await limiter.reserve(offer("m1"), NOTHING_KNOWN, NOON)).reason is Reason.SUPPRESSED


async def test_naive_moment_and_unknown_zone_are_named() -> None:
    limiter = limiter_of(quiet("21:00", "08:00"))
    with pytest.raises(NaiveMoment, match="now"):
        await limiter.reserve(offer("m1"), NOTHING_KNOWN, datetime(2026, 3, 2))  # noqa: DTZ001 - the point
    with pytest.raises(NaiveMoment, match="at"):
        await limiter.explain(offer("m1"), NOTHING_KNOWN, datetime(2026, 3, 2))  # noqa: DTZ001 - the point
    with pytest.raises(UnknownZone, match="Mars"):
        await limiter.reserve(offer("m1"), ContactFacts(zones="Mars"), NOON)
    with pytest.raises(UnknownZone, match="Mars"):
        ContactLimiter(ContactPolicy(), MemoryLedger(), zone="Mars")
    with pytest.raises(ConfigError, match="a lease of no length"):
        limiter_of(lease=timedelta(0))
    assert limiter.policy == ContactPolicy(quiet("21:00", "08:00"))


class Stubborn(MemoryLedger):
    """Refuses whatever is allowed."""

    async def reserve(self, batch: Sequence[Reserve]) -> Sequence[Answer]:
        return [Answer(contact=None, standing=standing) for standing in await self.read(batch)]


async def test_ledger_that_breaks_its_promise_is_not_believed() -> None:
    limiter = ContactLimiter(ContactPolicy(), Stubborn(), zone="UTC")
    with pytest.raises(StoreError, match="run the ledger suite"):
        await limiter.reserve(offer("m1"), NOTHING_KNOWN, NOON)


def test_memory_never_suspends() -> None:
    """A simulation drives it without an event loop."""
    limiter = limiter_of(cap(1, within=DAY))
    for number in range(2):
        coroutine = limiter.reserve(offer(f"m{number}"), NOTHING_KNOWN, NOON)
        with pytest.raises(StopIteration) as ended:
            coroutine.send(None)
        assert isinstance(ended.value.value, Decision)


# ------------------------------------------------------------------------------------------- properties

Play = tuple[str, tuple[str, ...], str, timedelta, str]

moves = st.lists(
    st.tuples(
        st.sampled_from(["m0", "m1", "m2", "m3", "m4", "m5"]),
        st.sampled_from([("email",), ("sms", "email"), ("push", "sms", "email")]),
        st.sampled_from(["promo", "trigger", "service"]),
        st.sampled_from([timedelta(0), timedelta(microseconds=1), HOUR, 5 * HOUR, DAY, -HOUR]),
        st.sampled_from(["commit", "release", "die"]),
    ),
    max_size=14,
)


def _without_lease(decision: Decision) -> Decision:
    return attrs.evolve(decision, lease=None)


async def _play(
    limiter: ContactLimiter, plays: Sequence[tuple[str, tuple[str, ...], str, timedelta, str]]
) -> None:
    now = NOON
    for name, channels, kind, wait, fate in plays:
        now += wait
        request = offer(name, *channels, kind=kind)
        facts = ContactFacts(zones=("UTC", "Europe/Berlin"))
        explained = await limiter.explain(request, facts, now)
        assert explained == await limiter.explain(request, facts, now), "explaining changed something"
        decision = await limiter.reserve(request, facts, now)
        assert _without_lease(decision) == explained
        assert (decision.lease is not None) == decision.allowed
        if decision.lease is not None and fate != "die":
            await (limiter.commit if fate == "commit" else limiter.release)(decision.lease)


@given(moves)
def test_explain_says_what_reserve_does(
    plays: list[Play],
) -> None:
    limiter = ContactLimiter(default_policy(), MemoryLedger(), zone="UTC", lease=HOUR)
    asyncio.run(_play(limiter, plays))


def test_explain_says_what_reserve_does_over_sqlite(tmp_path: Path) -> None:
    async def run() -> None:
        ledger = SqliteLedger(tmp_path / "ledger.db")
        limiter = ContactLimiter(default_policy(), ledger, zone="UTC", lease=HOUR)
        plays = [
            (f"m{number % 9}", ("push", "sms", "email")[number % 3 :], "promo", HOUR * (number % 5), fate)
            for number, fate in enumerate(["commit", "die", "release", "commit"] * 8)
        ]
        try:
            await _play(limiter, plays)
        finally:
            await ledger.close()

    asyncio.run(run())


@given(
    st.lists(st.sampled_from(EDGES), max_size=40),
    st.integers(1, 4),
    st.sampled_from([DAY, 3 * DAY]),
)
def test_rolling_window_is_filled_to_the_limit_and_never_over_it(
    waits: list[timedelta], limit: int, window: timedelta
) -> None:
    limiter = limiter_of(cap(limit, within=window))

    async def run() -> list[datetime]:
        sent, now = [], NOON
        for number, wait in enumerate(waits):
            now += wait
            decision = await limiter.reserve(offer(f"m{number}"), NOTHING_KNOWN, now)
            if decision.lease is not None:
                await limiter.commit(decision.lease)
                sent.append(now)
        return sent

    expected: list[datetime] = []
    now = NOON
    for wait in waits:
        now += wait
        if sum(each > now - window for each in expected) < limit:
            expected.append(now)
    assert asyncio.run(run()) == expected
