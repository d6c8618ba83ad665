"""One rule of five terms about one person, next to libraries of rules: CEL (in Rust) and JSON Logic.

All sides ask the same rule of the same people, compiled, of data at hand; only truth is asked. Ours reads
``Facts`` that were asked before. CEL is asked twice: of a dict, as an application has it, and of a context
made of the dict outside the clock, so that only its own evaluation counts.

``rule_attributes`` asks five attributes. In ``rule_history`` two terms count and sum events in windows. No
peer can: they are given the number and the sum as fields, worked out outside the clock; ours reads events.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from random import Random
from typing import Any, Final

import cel
from json_logic import jsonLogic

from bench.frame import Bench, Run, Side, versus, within
from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.money import Money
from crmsdk.segments.compiling import compile_condition
from crmsdk.segments.grammar import Predicate
from crmsdk.segments.words import attr, did

__all__ = ["PEERS", "RULES", "rule_sides"]

N: Final = 5_000
NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY: Final = timedelta(days=1)
LARGE: Final = 100_000

Fields = dict[str, Any]
Ask = Callable[[Any], bool]

COUNTRY, AGE, PLAN = attr("country").in_(["RU", "KZ"]), attr("age") >= 25, attr("plan") == "pro"
BOUGHT = did("purchase").within(30 * DAY).at_least(3)
SPENT = did("purchase").within(365 * DAY).sum("amount") > Money(LARGE, "RUB")

RULES: Final[dict[str, Predicate]] = {
    "attributes": AGE & ((COUNTRY & (attr("orders") >= 3)) | ((attr("spent") > LARGE) & ~PLAN)),
    "history": AGE & ((COUNTRY & BOUGHT) | (SPENT & ~PLAN)),
}
"""The same rule twice: of attributes that somebody keeps up, and of events."""

_CEL: Final = (
    'age >= 25 && ((country in ["RU", "KZ"] && orders >= 3) || (spent > 100000 && !(plan == "pro")))'
)
_LOGIC: Final[Fields] = {
    "and": [
        {">=": [{"var": "age"}, 25]},
        {
            "or": [
                {"and": [{"in": [{"var": "country"}, ["RU", "KZ"]]}, {">=": [{"var": "orders"}, 3]}]},
                {"and": [{">": [{"var": "spent"}, LARGE]}, {"!": {"==": [{"var": "plan"}, "pro"]}}]},
            ]
        },
    ]
}


PEERS: Final[dict[str, tuple[Ask, Callable[[Fields], Any]]]] = {
    "CEL, of a dict": (cel.compile(_CEL).execute, dict),
    "CEL, of its own context": (cel.compile(_CEL).execute, lambda fields: cel.Context(variables=fields)),
    "JSON Logic": (partial(jsonLogic, _LOGIC), dict),
}
"""How each peer is asked, and how the form in which it takes the fields of a person is made."""


@cache
def _people(n: int) -> list[tuple[Facts, Fields]]:
    """Make people with twenty events and five attributes, and what the peers know of them."""
    luck = Random(7)
    return [_person(number, luck) for number in range(n)]


def _person(number: int, luck: Random) -> tuple[Facts, Fields]:
    customer = CustomerId(f"c{number}")
    events = tuple(
        Event(
            id=EventId(f"e{number}-{place}"),
            customer=customer,
            name=luck.choices(("purchase", "visit"), (1, 3))[0],
            at=at,
            received=at,
            properties={"amount": Money(luck.randrange(1_000, 50_000), "RUB")},
        )
        for place, at in enumerate(
            sorted(NOW - luck.random() * luck.choice((30, 400)) * DAY for _ in range(20))
        )
    )
    bought = [event for event in events if event.name == "purchase"]
    fields = {
        "country": luck.choice(("RU", "KZ", "BY", "AM")),
        "age": luck.randrange(18, 70),
        "plan": luck.choice(("free", "pro")),
        "orders": sum(event.at > NOW - 30 * DAY for event in bought),
        "spent": sum(_minor(event) for event in bought if event.at > NOW - 365 * DAY),
    }
    log = tuple(
        AttributeWrite(name=name, value=value, at=NOW - 9 * DAY, id=EventId(f"w{number}-{place}"))
        for place, (name, value) in enumerate(fields.items())
    )
    return Facts(customer=customer, events=events, attributes=log), fields


def _minor(event: Event) -> int:
    amount = event.properties["amount"]
    assert isinstance(amount, Money)
    return amount.minor


def _asking(ask: Ask, people: Sequence[Any], expected: int) -> Run:
    def play() -> None:
        matched = 0
        for person in people:
            if ask(person):
                matched += 1
        assert matched == expected, matched

    return play


def _holding(rule: Predicate, people: Sequence[Facts], expected: int) -> Run:
    def play() -> None:
        holds = compile_condition(rule).holds
        matched = 0
        for person in people:
            if holds(person, NOW, None, "UTC"):
                matched += 1
        assert matched == expected, matched

    return play


def rule_sides(n: int, rule: str, peer: str) -> tuple[Side, Side]:
    """Ask a rule about so many people, and ask a peer."""
    people = _people(n)
    ask, takes = PEERS[peer]
    expected = sum(bool(ask(takes(fields))) for _, fields in people)
    facts, forms = [facts for facts, _ in people], [takes(fields) for _, fields in people]
    return (lambda: _holding(RULES[rule], facts, expected)), (lambda: _asking(ask, forms, expected))


def _against(rule: str, peer: str, least: float) -> Bench:
    return versus(f"segments.rule_{rule}", n=N, peer=peer, least=least)(lambda: rule_sides(N, rule, peer))


attributes_cel = _against("attributes", "CEL, of a dict", 8)
attributes_context = _against("attributes", "CEL, of its own context", 1.4)
attributes_logic = _against("attributes", "JSON Logic", 25)
history_cel = _against("history", "CEL, of a dict", 0.9)
history_context = _against("history", "CEL, of its own context", 0.18)
history_logic = _against("history", "JSON Logic", 3.5)


@within("segments.rule_attributes", n=N, budget=lambda: 0.5e-6)
def two_million_a_second() -> Side:
    """Ask of five attributes two million times a CPU second."""
    return rule_sides(N, "attributes", "JSON Logic")[0]
