"""The properties of questions about accounts can fail: each planted fault is found."""

from datetime import timedelta
from functools import cache

import pytest

from crmsdk.model import colleagues
from crmsdk.model.changing import with_changes
from crmsdk.model.colleagues import Colleagues
from crmsdk.model.customer import ACCOUNT
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId
from crmsdk.segments import accounting
from crmsdk.segments.accounts import AccountCount, AccountSum
from crmsdk.segments.words import account, did
from crmsdk.testing.account_draws import account_questions, shared_accounts
from crmsdk.testing.draws import NOW
from tests.unit.segments.oracle import around
from tests.unit.segments.people import happened, wrote
from tests.unit.segments.planting import Fault, World, disagrees, drawn, plant

FAULTS: dict[str, Fault] = {
    "the person is nobody of the account": (accounting.people_steps, "[facts, *others]", "others"),
    "the person is one of the others": (accounting.people_steps, "others if node.others else ", ""),
    "everybody is in the account": (
        accounting.people_steps,
        "if _at(logs[person.customer], at) == account:",
        "if True:",
    ),
    "who has no account shares it": (
        accounting.people_steps,
        "asked if account is not None else ()",
        "asked",
    ),
    "nobody ever moves": (accounting.people_steps, "if at > now}", "if False}"),
    "an answer stands for ever": (accounting.people_steps, "at < last[1]", "True"),
    "an answer that is due stands": (accounting.people_steps, "at < last[1]", "at <= last[1]"),
    "nobody turns by time": (
        accounting.people_steps,
        "later = [until for _, until in known.values() if until is not None]",
        "later = []",
    ),
    "all of nobody holds": (accounting._truths, "0 < number == len(told)", "number == len(told)"),
    "all is any": (accounting._truths, "0 < number == len(told)", "0 < number"),
    "only the person's own money counts": (
        accounting._together,
        "for _, brought in added",
        "for _, brought in added[:1]",
    ),
    "an account begins a moment late": (accounting._at, "at <= now", "at < now"),
    "the first account is the last": (accounting._at, "reversed(log)", "log"),
    "a number is no account": (
        colleagues.account_key,
        "str(value) if isinstance(value, int)",
        "None if True",
    ),
    "truth is an account": (colleagues.account_key, "not isinstance(value, bool)", "True"),
    "text is compared as it is written": (colleagues.account_key, "value.isascii()", "True"),
}


def person(name: str, account: str, day: int, amount: int = 1) -> Facts:
    facts = Facts(customer=CustomerId(name)).with_events(
        [happened("visit", timedelta(days=day), name), happened("buy", timedelta(days=day), amount=amount)]
    )
    return facts.with_attributes([wrote(ACCOUNT, account, timedelta(days=90))])


def rare() -> list[World]:
    """Give what is seldom drawn: several people who turn one after another."""
    people = [person("a", "é", 1), person("b", "e\u0301", 2), person("c", "é", 30)]
    facts, visited = Colleagues(people).beside(people[0]), did("visit").within(timedelta(days=7))
    asked = (
        account.all(visited),
        account.count(visited) >= 2,
        account.count(visited) == 1,
        account.sum(did("buy").within(timedelta(days=7)), "amount") == 2,
    )
    return [World(each, facts, NOW) for each in asked]


@cache
def worlds() -> list[World]:
    """Give questions with people who share accounts, at moments where something may happen."""
    people, asked = drawn(shared_accounts(), 60), drawn(account_questions(), 60)
    out = rare()
    for place, question in enumerate(asked):
        for facts in people[place % 4 :: 4]:
            near = [at for at in around(question, facts) if 2024 <= at.year <= 2027] or [NOW]
            out.append(World(question, facts, near[(7 * place + len(out)) % len(near)]))
    return out


@cache
def exact_worlds() -> list[World]:
    """Leave out where anniversaries never end."""
    return [world for world in worlds() if not disagrees(world, exact=True)]


def anew(world: World) -> World:
    """Forget what was found out about the facts, not what is true of them."""
    others = tuple(with_changes(other) for other in world.facts.colleagues or ())
    again = World(world.condition, with_changes(world.facts, colleagues=others), world.now)
    vars(again).update(vars(world))
    return again


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [anew(world) for world in exact_worlds()]
    plant(monkeypatch, *FAULTS[fault])
    assert any(disagrees(world, exact=True) for world in asked)


def test_without_a_fault_there_is_none_to_be_found() -> None:
    assert not any(disagrees(world) for world in worlds())
    assert len(exact_worlds()) > 0.9 * len(worlds())


def test_every_kind_of_question_is_drawn() -> None:
    kinds = {type(world.condition) for world in worlds()}
    assert {AccountCount, AccountSum} <= kinds
