"""Many people at once for executors of sets: the edges of ``crmsdk.testing.draws`` in tables' sizes.

Two hundred histories drawn one by one take hypothesis seconds. These come from a seeded generator: what
shrinks is the question, and the people stay.
"""

from collections.abc import Mapping
from functools import cache
from random import Random  # noqa: TID251 - seeded, so that people repeat
from typing import Any, Final

from crmsdk.model.consent import ANY, ConsentState, ConsentWrite
from crmsdk.model.customer import ACCOUNT, HAS, ZONE, AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.values import Value, normal
from crmsdk.testing._edges import EVENTS, MOMENTS, VALUES, ZONES
from crmsdk.testing.people_draws import BORN, PLANS, VIP

__all__ = ["population"]

_ATTRIBUTES: Final = ("city", "age", "signup", "tags", "address.city", "address")
_POOLS: Final[Mapping[str, tuple[Value, ...]]] = {
    "plan": PLANS,
    "born": BORN,
    VIP: (True, None),
    ZONE: ZONES,
    f"{HAS}email": (True, True, None),
}
_WRITTEN: Final = (*_ATTRIBUTES, *_POOLS, "plan", "plan", "born", ZONE)
_CHANNELS: Final = ("email", "sms", ANY)
_PURPOSES: Final = ("promo", "service", ANY)
_ODD_ACCOUNTS: Final[tuple[Value, ...]] = ("", "é", "e\u0301", 7, "7", 7.0, True, None, 2**70, ("a1",), "'")
_ODD_NAMES: Final = ("' OR 1=1 --", "житель", "a\\b", '"', "%")


@cache
def population(seed: int, size: int = 200) -> tuple[Facts, ...]:
    """Make the facts of many people; the same seed makes the same people."""
    random = Random(seed)  # noqa: S311 - draws, no secret
    names = (*_ODD_NAMES, *(f"c{number}" for number in range(size - len(_ODD_NAMES))))
    people = [_person(random, CustomerId(name)) for name in names]
    return tuple(each.with_attributes(_accounts(random)) for each in people)


def _person(random: Random, customer: CustomerId) -> Facts:
    facts = Facts(
        customer=customer, zone=random.choice(ZONES), consents=tuple(_consents(random, random.randrange(4)))
    )
    return facts.with_events(
        _event(random, customer, number) for number in range(random.randrange(9))
    ).with_attributes(_write(random, number) for number in range(random.randrange(12)))


def _accounts(random: Random) -> list[AttributeWrite]:
    """Put most people into one of many accounts, at times into another one later."""
    return [
        AttributeWrite(
            name=ACCOUNT,
            value=normal(random.choice((*_ODD_ACCOUNTS, *(f"a{random.randrange(30)}",) * 22)), "account"),
            at=random.choice(MOMENTS),
            id=EventId(f"account{number}"),
        )
        for number in range(random.choice((0, 1, 1, 1, 2)))
    ]


def _event(random: Random, customer: CustomerId, number: int) -> Event:
    at = random.choice(MOMENTS)
    found: dict[str, Any] = {
        "amount": random.choice((*VALUES, float("nan"))),
        "qty": random.choice(VALUES),
        random.choice(("tag", "cart", "cart.id")): random.choice(VALUES),
    }
    return Event(
        id=EventId(f"{random.choice('abcя')}{number}{customer}"),  # ids sort anyhow, also within a moment
        customer=customer,
        name=random.choice(EVENTS),
        at=at,
        received=at,
        properties=found,
    )


def _write(random: Random, number: int) -> AttributeWrite:
    name = random.choice(_WRITTEN)
    return AttributeWrite(
        name=name,
        value=normal(random.choice(_POOLS.get(name, VALUES)), "value"),
        at=random.choice(MOMENTS),
        id=EventId(f"{random.choice('abcя')}{number}"),
    )


def _consents(random: Random, count: int) -> list[ConsentWrite]:
    return [
        ConsentWrite(
            channel=random.choice(_CHANNELS),
            purpose=random.choice(_PURPOSES),
            state=random.choice(tuple(ConsentState)),
            at=random.choice(MOMENTS),
            id=f"{random.choice('abcя')}{number}",
        )
        for number in range(count)
    ]
