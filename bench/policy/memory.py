"""The contact limiter in memory next to ``limits``' moving window: reserve and commit against one hit.

Ours gives a decision with its lease and content hash, holds the place of a message by its id, and answers a
refusal with every rule, the messages that fill it and the moment it would be allowed; a hit gives a boolean.
Each of 2,000 people is offered six messages over two days; both sides admit all of them.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from limits import RateLimitItemPerDay, RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from bench.frame import Run, Side, versus
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.policy.request import ContactFacts, ContactRequest
from crmsdk.policy.rules import Rule, cap, quiet
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.runtime.limiter import ContactLimiter

PEOPLE: Final = 2_000
OFFERS: Final = 6
N: Final = PEOPLE * OFFERS
START: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
WEEK: Final = timedelta(days=7)
FACTS: Final = ContactFacts(zones="Europe/Moscow")

ONE: Final[tuple[Rule, ...]] = (cap(6, within=WEEK),)
EIGHT: Final[tuple[Rule, ...]] = (
    cap(6, within=WEEK),
    cap(6, within=WEEK, channel="email", per="sender"),
    cap(2, within=timedelta(hours=1), distinct="channel"),
    cap(3, within=timedelta(hours=24)),
    cap(6, within=WEEK, kind="promo"),
    cap(2, within=timedelta(days=30), per="campaign"),
    cap(20, within=timedelta(days=30)),
    quiet("21:00", "08:00"),
)


def _asks() -> list[tuple[ContactRequest, datetime]]:
    """Offer each person a message every three hours on two days, each campaign twice."""
    moments = [START + timedelta(days=day, hours=3 * hour) for day in (0, 2) for hour in range(3)]
    return [
        (
            ContactRequest(
                message_id=MessageId(f"m{person}-{number}"),
                customer=CustomerId(f"p{person}"),
                channels="email",
                kind="promo",
                sender="news",
                campaign=f"c{number // 2}",
            ),
            now,
        )
        for number, now in enumerate(moments)
        for person in range(PEOPLE)
    ]


def _ours(rules: tuple[Rule, ...]) -> Side:
    def prepare() -> Run:
        limiter = ContactLimiter(ContactPolicy(*rules), MemoryLedger(), zone="Europe/Moscow")
        asks = _asks()

        async def play() -> None:
            admitted = 0
            for request, now in asks:
                decision = await limiter.reserve(request, FACTS, now)
                if decision.lease is not None:
                    admitted += await limiter.commit(decision.lease)
            assert admitted == N, admitted

        return lambda: asyncio.run(play())

    return prepare


def _hits(count: int) -> Side:
    """Hit so many limits for each message."""

    def prepare() -> Run:
        limiter = MovingWindowRateLimiter(MemoryStorage())
        items = [
            RateLimitItemPerDay(OFFERS, 7),
            *(RateLimitItemPerHour(OFFERS, hours) for hours in range(2, 9)),
        ]
        keys = [f"p{person}" for _ in range(OFFERS) for person in range(PEOPLE)]

        def play() -> None:
            admitted = sum(all(limiter.hit(item, key) for item in items[:count]) for key in keys)
            assert admitted == N, admitted

        return play

    return prepare


@versus("policy.memory_1_rule", n=N, peer="limits moving window, 1 rule", least=0.25)
def one_rule() -> tuple[Side, Side]:
    """Decide by one rule."""
    return _ours(ONE), _hits(1)


@versus("policy.memory_8_rules", n=N, peer="limits moving window, 1 rule", least=0.2)
def eight_rules() -> tuple[Side, Side]:
    """Decide by eight rules, quiet hours among them."""
    return _ours(EIGHT), _hits(1)


@versus("policy.memory_8_rules_each", n=N, peer="limits moving window, 8 rules one by one", least=2.5)
def eight_rules_each() -> tuple[Side, Side]:
    """Decide by eight rules, where the peer must ask for each."""
    return _ours(EIGHT), _hits(8)
