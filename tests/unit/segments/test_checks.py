"""Conditions against a catalog."""

from datetime import UTC, date, datetime
from datetime import timedelta as td

import pytest

from crmsdk.model.money import Money
from crmsdk.segments.checks import problems
from crmsdk.segments.grammar import Condition
from crmsdk.segments.words import attr, consent, did, everyone, prop, segment

EVENTS = {
    "purchase": {"amount": "money", "quantity": "number", "color": "text", "cart": "mapping", "tags": "list"},
    "till": {"sum": "money RUB"},
}
ATTRIBUTES = {
    "city": "text",
    "age": "number",
    "signup": "moment",
    "born": "date",
    "address": "mapping",
    "vip": "boolean",
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUB, USD = Money(1, "RUB"), Money(1, "USD")
P = did("purchase")


@pytest.mark.parametrize(
    "fine",
    [
        everyone,
        consent("email", "promo"),
        attr("city") == "Perm",
        attr("city").contains("e"),
        attr("city").matches("^P"),
        attr("city").contains_any(["e", "a"]),
        P.where(prop("tags").contains_all([3, "a"])),
        attr("age").exists(),
        attr("address.city") == "Perm",
        attr("signup").within_last(td(1)),
        attr("signup") > NOW,
        attr("born") < date(2000, 1, 1),
        attr("born").anniversary(within_days=7),
        attr("signup").days_since() > 3,
        P.where(
            prop("amount") >= RUB, prop("cart.id") == 3, prop("tags").contains(3), prop("color").in_(["a"])
        ),
        P.sum("amount") > USD,
        P.sum("quantity").between(1, 3),
        P.first_at().before(NOW),
        P.since_entry().where(prop("quantity") > 1),
        did("till").sum("sum") > RUB,
        segment("s", ~P & (attr("vip") == True)),  # noqa: E712 - the question
    ],
)
def test_what_is_declared_and_can_compare_has_no_problem(fine: Condition) -> None:
    assert problems(fine, EVENTS, ATTRIBUTES) == []


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        (did("purchse"), "event 'purchse' is not declared; did you mean 'purchase'?"),
        (did("xyz").since_entry(), "event 'xyz' is not declared; declare it first"),
        (did("xyz").sum("n") > 1, "event 'xyz' is not declared; declare it first"),
        (attr("citi") == "Perm", "attribute 'citi' is not declared; did you mean 'city'?"),
        (attr("ctiy").before(NOW), "attribute 'ctiy' is not declared; did you mean 'city'?"),
        (attr("city") == 3, "attribute 'city' is text and never compares with number; give text"),
        (attr("age").in_([1, "a"]), "attribute 'age' is number and never compares with text; give number"),
        (attr("city").contains(3), "attribute 'city' is text and never contains number; give text"),
        (attr("age").startswith("1"), "attribute 'age' is number; only text can be asked starts"),
        (attr("age").contains(1), "attribute 'age' is number; only text or list can be asked contains"),
        (
            attr("age").contains_any([1]),
            "attribute 'age' is number; only text or list can be asked contains_any",
        ),
        (
            attr("city").contains_all(["a", 3]),
            "attribute 'city' is text and never contains number; give text",
        ),
        (
            attr("age").days_since() > 3,
            "attribute 'age' is number, no date and no moment; only those lie some days ahead",
        ),
        (attr("bron").anniversary(), "attribute 'bron' is not declared; did you mean 'born'?"),
        (attr("age").matches("1"), "attribute 'age' is number; only text can be asked matches"),
        (
            attr("born").within_last(td(1)),
            (
                "attribute 'born' is date, not a moment; only moments lie before or after others;"
                " ask days_until() or days_since()"
            ),
        ),
        (
            attr("city.street") == "a",
            "attribute 'city.street' looks into 'city', which is text and no mapping",
        ),
        (
            P.where(prop("amont") > RUB),
            "property 'amont' of event 'purchase' is not declared; did you mean 'amount'?",
        ),
        (
            P.where(prop("amount") > 3),
            "property 'amount' of event 'purchase' is money and never compares with number; give money",
        ),
        (
            P.sum("color") > 3,
            "property 'color' of event 'purchase' is text and never compares with number; give text",
        ),
        (
            did("till").sum("sum") > USD,
            "property 'sum' of event 'till' is money RUB and never compares with money USD; give money RUB",
        ),
        (segment("s", everyone & ~did("visit")).predicate, "event 'visit' is not declared; declare it first"),
    ],
)
def test_each_problem_names_the_thing_and_the_mend(condition: Condition, problem: str) -> None:
    assert problems(condition, EVENTS, ATTRIBUTES) == [problem]


def test_a_problem_is_listed_once_and_in_order() -> None:
    twice = (attr("x") == 1) & did("y") & (attr("x") == 2)
    assert [each.split(" is ")[0] for each in problems(twice, EVENTS, ATTRIBUTES)] == [
        "attribute 'x'",
        "event 'y'",
    ]
