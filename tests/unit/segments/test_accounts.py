"""Questions about the people of an account: who they are, what counts of them, and until when."""

import inspect
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from datetime import timedelta as td
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError, UnsupportedQuestion
from crmsdk.model.codec import content_hash, dumps, loads
from crmsdk.model.colleagues import Colleagues
from crmsdk.model.comparison import Op
from crmsdk.model.customer import ACCOUNT, AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.money import Money
from crmsdk.reports.explanation import explanation
from crmsdk.segments import _accounts
from crmsdk.segments.accounts import AccountCount, AccountSum, about_account
from crmsdk.segments.checks import problems
from crmsdk.segments.compiling import compile_condition
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Predicate
from crmsdk.segments.meaning import Verdict, evaluate
from crmsdk.segments.reading import reads
from crmsdk.segments.words import account, attr, did, points, prop, score, segment
from crmsdk.testing.account_draws import (
    account_predicates,
    account_questions,
    people_of_accounts,
    shared_accounts,
)
from crmsdk.testing.draws import NOW, moments
from tests.unit.segments.oracle import answer as truly
from tests.unit.segments.oracle import first_change
from tests.unit.segments.people import TICK

DAY, WEEK = td(days=1), td(days=7)
LOGIN = did("login").within(WEEK)


def person(name: str, *events: Event, of: object = "acme", since: timedelta = td(days=99)) -> Facts:
    write = AttributeWrite(name=ACCOUNT, value=of, at=NOW - since, id=EventId("a"))  # type: ignore[arg-type]  # tests give values in normal form
    return Facts(customer=CustomerId(name)).with_events(events).with_attributes([write])


def login(ago: timedelta, name: str = "login", **properties: object) -> Event:
    at = NOW - ago
    id = EventId(f"{name}{ago}{properties}")
    return Event(id=id, customer=CustomerId("any"), name=name, at=at, received=at, properties=properties)


def beside(*people: Facts) -> Facts:
    return Colleagues(people).beside(people[0])


def answer(asked: Predicate, *people: Facts, now: datetime = NOW) -> tuple[bool, datetime | None]:
    facts = beside(*people)
    verdict = evaluate(asked, facts, now)
    assert (verdict.matched, verdict.until) == compile_condition(asked)(facts, now)
    assert verdict.matched == truly(asked, facts, now)
    assert verdict.until == first_change(asked, facts, now)
    return verdict.matched, verdict.until


# --- who counts -------------------------------------------------------------------------------------------


def test_the_person_is_one_of_the_people() -> None:
    me, other = person("me", login(DAY)), person("other", login(DAY))
    assert answer(account.any(LOGIN), me) == (True, NOW + 6 * DAY)
    assert answer(account.others.any(LOGIN), me) == (False, None)
    assert answer(account.others.any(LOGIN), me, other) == (True, NOW + 6 * DAY)
    assert answer(account.count(LOGIN) >= 2, me, other) == (True, NOW + 6 * DAY)
    assert answer(account.others.count(LOGIN) >= 2, me, other) == (False, None)


def test_a_person_without_an_account_shares_it_with_nobody() -> None:
    for value in (None, True, 1.5, ("acme",)):
        nobody, other = person("me", login(DAY), of=value), person("other", login(DAY), of=value)
        facts = attrs.evolve(nobody, colleagues=(other,))
        for asked in (account.any(LOGIN), account.all(LOGIN), account.sum(did("login"), "n") > 0):
            assert not evaluate(asked, facts, NOW).matched
        assert evaluate(account.count(LOGIN) == 0, facts, NOW).matched
        assert evaluate(account.sum(did("login"), "n") == 0, facts, NOW).matched
    assert answer(~account.any(LOGIN), Facts(customer=CustomerId("me"))) == (True, None)


def test_an_account_is_text_in_one_form_or_a_whole_number() -> None:
    for one, two, same in (
        ("é", "e\u0301", True),
        (7, "7", True),
        (7, 8, False),
        ("Acme", "acme", False),
        ("", "", True),
    ):
        me, other = person("me", of=one), person("other", login(DAY), of=two)
        facts = attrs.evolve(me, colleagues=(other,))
        assert evaluate(account.any(LOGIN), facts, NOW).matched is same


def test_all_of_nobody_is_false() -> None:
    me = person("me", login(DAY))
    assert answer(account.all(LOGIN), me) == (True, NOW + 6 * DAY)
    assert answer(account.others.all(LOGIN), me) == (False, None)
    assert answer(account.others.all(~LOGIN), me, person("other")) == (True, None)
    assert answer(account.all(LOGIN), me, person("other")) == (False, None)


def test_people_belong_to_an_account_at_the_moment_asked() -> None:
    comes = person("comes", login(DAY), since=-2 * DAY)
    left = person("left", login(DAY)).with_attributes(
        [AttributeWrite(name=ACCOUNT, value="other", at=NOW + DAY, id=EventId("b"))]
    )
    me = person("me")
    assert answer(account.others.any(LOGIN), me, comes) == (False, NOW + 2 * DAY)
    assert answer(account.others.any(LOGIN), me, comes, now=NOW + 2 * DAY) == (True, NOW + 6 * DAY)
    assert answer(account.others.any(LOGIN), me, left) == (True, NOW + DAY)
    assert answer(account.others.any(LOGIN), me, left, comes) == (True, NOW + DAY)
    assert answer(account.others.any(LOGIN), left, me, now=NOW + DAY) == (False, None)


def test_who_moves_to_another_account_is_asked_about_its_people() -> None:
    me = person("me").with_attributes(
        [AttributeWrite(name=ACCOUNT, value="other", at=NOW + DAY, id=EventId("b"))]
    )
    there = person("there", login(DAY), of="other")
    assert answer(account.any(LOGIN), me, there) == (False, NOW + DAY)


def test_strangers_among_the_colleagues_do_not_count() -> None:
    me, stranger = person("me"), person("stranger", login(DAY), of="other")
    facts = attrs.evolve(me, colleagues=(stranger, me, me))
    assert not evaluate(account.any(LOGIN), facts, NOW).matched
    assert evaluate(account.count(~LOGIN) == 1, facts, NOW).matched


# --- until ------------------------------------------------------------------------------------------------


def test_numbers_turn_at_the_moment_somebody_turns() -> None:
    people = [person(f"p{n}", login(n * DAY)) for n in range(1, 5)]
    assert answer(account.count(LOGIN) >= 3, *people) == (True, NOW + 4 * DAY)
    assert answer(account.count(LOGIN) >= 4, *people) == (True, NOW + 3 * DAY)
    assert answer(account.count(LOGIN) == 2, *people) == (False, NOW + 4 * DAY)
    assert answer(account.count(LOGIN).between(1, 3), *people) == (False, NOW + 3 * DAY)
    assert answer(account.count(LOGIN) != 4, *people, now=NOW + 3 * DAY - TICK) == (False, NOW + 3 * DAY)


def test_two_who_turn_at_one_moment_change_nothing() -> None:
    quiet = ~did("login").within(2 * DAY)
    people = [person("a", login(DAY)), person("b", login(-DAY))]
    leaves = did("login").within(2 * DAY)
    assert answer(account.count(leaves) == 1, *people) == (True, NOW + 3 * DAY)
    assert answer(account.count(quiet) == 1, *people) == (True, NOW + 3 * DAY)


def test_what_turns_very_often_is_asked_again_in_between() -> None:
    people = [
        person(f"p{n}").with_attributes(
            [AttributeWrite(name="born", value=NOW.date() + n * DAY, at=NOW - DAY, id=EventId("b"))]
        )
        for n in range(3)
    ]
    asked, facts = account.count(attr("born").anniversary()) >= 2, beside(*people)
    verdict = evaluate(asked, facts, NOW)
    assert not verdict.matched
    assert verdict.until is not None
    assert verdict.until > NOW + 300 * DAY


# --- sums -------------------------------------------------------------------------------------------------


def test_a_sum_is_of_one_currency_over_everybody() -> None:
    me = person(
        "me", login(DAY, "buy", amount=Money(5, "RUB")), login(2 * DAY, "buy", amount=Money(7, "USD"))
    )
    other = person("other", login(3 * DAY, "buy", amount=Money(4, "RUB")), login(DAY, "buy", amount=100))
    bought = account.sum(did("buy").within(WEEK), "amount")
    assert answer(bought >= Money(9, "RUB"), me, other) == (True, NOW + 4 * DAY)
    assert answer(bought >= Money(10, "RUB"), me, other) == (False, None)
    assert answer(bought == Money(7, "USD"), me, other) == (True, NOW + 5 * DAY)
    assert answer(bought == 100, me, other) == (True, NOW + 6 * DAY)
    assert answer(account.others.sum(did("buy").within(WEEK), "amount") == Money(4, "RUB"), me, other)[0]
    dear = account.sum(did("buy").where(prop("amount") > Money(4, "RUB")), "amount")
    assert answer(dear == Money(5, "RUB"), me, other) == (True, None)


def test_a_sum_of_doubles_is_rounded_once() -> None:
    people = [person(f"p{n}", login(DAY, "buy", amount=0.1)) for n in range(10)]
    assert answer(account.sum(did("buy"), "amount") == 1, *people) == (True, None)


# --- the whole of a question ------------------------------------------------------------------------------


def test_the_reason_names_who_counted() -> None:
    people = [person("b", login(DAY)), person("a", login(2 * DAY)), person("c")]
    found = evaluate(account.count(LOGIN) >= 2, beside(*people), NOW)
    because = found.because
    assert (because.found, because.asked, because.people) == (2, 2, ("a", "b"))
    assert str(explanation(found)) == (
        "yes number of the account's people (did login in the last 7 days) is at least 2; found 2; "
        "people a, b; until 2026-04-03 01:00:00 UTC"
    )
    everybody = evaluate(account.all(LOGIN), beside(*people), NOW).because
    assert (everybody.found, everybody.asked, everybody.people) == (2, 3, ("a", "b"))
    people.append(person("d", login(3 * DAY, "buy", amount=3), login(2 * DAY, "buy", amount=2)))
    added = evaluate(account.sum(did("buy"), "amount") > 4, beside(*people), NOW).because
    assert (added.found, added.asked, added.people, len(added.events)) == (5, 4, ("d",), 2)
    assert added.events[0].startswith("buy3")


SAID: list[tuple[Predicate, str, str]] = [
    (
        account.any(did("login")),
        "of the account's people any (did login)",
        "среди людей организации есть хотя бы один (было событие login)",
    ),
    (
        account.others.any(did("login")),
        "of the account's other people any (did login)",
        "среди других людей организации есть хотя бы один (было событие login)",
    ),
    (
        account.all(did("login")),
        "of the account's people all (did login)",
        "все люди организации (было событие login)",
    ),
    (
        account.others.count(did("login")) < 3,
        "number of the account's other people (did login) is less than 3",
        "число других людей организации (было событие login) меньше 3",
    ),
    (
        account.sum(did("buy"), "amount") >= 3,
        "sum of amount over buy of the account's people is at least 3",
        "сумма amount по событиям buy людей организации не меньше 3",
    ),
]


@pytest.mark.parametrize(("asked", "english", "russian"), SAID)
def test_questions_are_said(asked: Predicate, english: str, russian: str) -> None:
    assert (describe(asked), describe(asked, "ru")) == (english, russian)


def test_any_is_one_or_more() -> None:
    assert account.any(LOGIN) == (account.count(LOGIN) >= 1)
    assert content_hash(account.any(LOGIN)) != content_hash(account.others.any(LOGIN))
    assert repr(account.others) == "<the account's other people>"
    assert repr(account) == "<the account's people>"


def test_without_the_colleagues_nothing_is_answered() -> None:
    for asked in (account.any(LOGIN), account.all(LOGIN), account.sum(did("buy"), "amount") > 1):
        with pytest.raises(UnsupportedQuestion, match=r"Facts\.colleagues") as raised:
            evaluate(asked, person("me"), NOW)
        assert raised.value.node.startswith("account-")
        with pytest.raises(UnsupportedQuestion, match=r"Facts\.colleagues"):
            compile_condition(asked)(person("me"), NOW)


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: account.any(account.any(LOGIN)), "predicate: is about the account's people itself"),
    (lambda: account.all(segment("s", ~account.others.any(LOGIN))), "about the account's people itself"),
    (lambda: account.any(score(points(1, when=account.any(LOGIN))) > 0), "about the account's people itself"),
    (lambda: account.any(did("buy").since_entry()), "has no meaning here"),  # type: ignore[arg-type]  # the fault
    (lambda: account.any(attr("x")), "is no condition"),  # type: ignore[arg-type]  # the fault
    (lambda: account.count(did("buy").since_entry()), "has no meaning here"),  # type: ignore[arg-type]  # the fault
    (lambda: account.count(LOGIN) >= 1.5, "a number of people is whole"),
    (lambda: account.count(LOGIN) >= -1, "a number of people is never below zero"),
    (lambda: account.count(LOGIN) >= "three", "text"),
    (lambda: account.count(LOGIN).between(3, 1), "operand"),
    (lambda: AccountCount(LOGIN, Op.EXISTS, None), "cannot be asked exists"),
    (lambda: account.sum(did("buy"), "amount") >= "much", "text"),
    (lambda: account.sum(did("buy").at_least(2), "amount"), "give the events alone"),
    (lambda: account.sum(attr("x"), "amount"), "a sum is over events, not Attr"),  # type: ignore[arg-type]  # the fault
    (lambda: account.sum(did("buy"), ""), "name"),
    (lambda: bool(account.count(LOGIN)), "not a condition yet"),
]


@pytest.mark.parametrize(("make", "mend"), REFUSED)
def test_what_cannot_be_asked_is_refused(make: Callable[[], object], mend: str) -> None:
    def ask() -> None:
        made = make()
        if not isinstance(made, Predicate):
            _ = made > 3  # type: ignore[operator]  # a sum is refused when it is compared

    with pytest.raises(DefinitionError, match=mend):
        ask()


def test_names_are_checked_against_a_catalog() -> None:
    events, attributes = {"buy": {"amount": "money"}}, {"role": "text"}
    assert problems(account.any(did("by")), events, attributes) == [
        "event 'by' is not declared; did you mean 'buy'?"
    ]
    assert problems(account.all(attr("rle") == "boss"), events, attributes) == [
        "attribute 'rle' is not declared; did you mean 'role'?"
    ]
    assert problems(account.sum(did("buy"), "amount") > 3, events, attributes) == [
        "property 'amount' of event 'buy' is money and never compares with number; give money"
    ]
    assert problems(account.sum(did("buy"), "amount") > Money(3, "RUB"), events, attributes) == []


def test_what_is_read_of_anybody_is_named() -> None:
    read = reads(account.any(did("login") & (attr("role") == "boss")))
    assert read.events == {"login"}
    assert read.attributes == {ACCOUNT, "crmsdk", "role"}
    assert reads(account.sum(did("buy"), "amount") > 1).events == {"buy"}
    assert reads(account.sum(did("buy").this("month"), "amount") > 1).zone


def test_a_question_about_accounts_is_found_wherever_it_stands() -> None:
    asked = account.any(LOGIN)
    assert about_account(segment("s", LOGIN | ~asked))
    assert about_account(score(points(1, when=asked)) > 0)
    assert not about_account(LOGIN)


# --- what holds for all -----------------------------------------------------------------------------------


@given(shared_accounts(), account_predicates(), moments())
def test_the_reference_agrees_with_brute_force(facts: Facts, asked: Predicate, now: datetime) -> None:
    verdict = evaluate(asked, facts, now)
    assert verdict.matched == truly(asked, facts, now)
    assert_alike(compile_condition(asked)(facts, now), verdict)
    assert compile_condition(asked).holds(facts, now, None, "UTC") == verdict.matched


def assert_alike(answer: tuple[bool, datetime | None], verdict: Verdict) -> None:
    assert answer[0] == verdict.matched
    if verdict.until is None or verdict.until < NOW + 800 * DAY:  # anniversaries come for ever
        assert answer[1] == verdict.until


Asking = Callable[[Facts, datetime], tuple[bool, datetime | None]]


def assert_never_stale(
    ask: Asking, people: Sequence[Facts], asked: Predicate, ats: Sequence[datetime]
) -> None:
    for at in ats:
        for fewer in (people, [attrs.evolve(each, events=each.events[1:]) for each in people], people):
            for place in range(len(fewer)):
                facts = Colleagues(fewer).beside(fewer[place])
                assert_alike(ask(facts, at), evaluate(asked, facts, at))


@given(people_of_accounts(3), account_questions(), st.lists(moments(), min_size=1, max_size=4))
def test_what_is_kept_of_answers_is_never_stale(
    people: tuple[Facts, ...], asked: Predicate, ats: list[datetime]
) -> None:
    assert_never_stale(compile_condition(asked), people, asked, ats)


STALE: dict[str, tuple[str, str]] = {
    "facts are never new": ("and _same(facts, person):", "and facts:"),
    "an answer stood always": ("since <= at and ", ""),
    "a zone is as good as another": ("if of == zone and", "if of != '' and"),
}


@pytest.mark.parametrize("fault", STALE)
def test_answers_that_are_kept_too_long_are_found(fault: str) -> None:
    right, wrong = STALE[fault]
    source = inspect.getsource(_accounts)
    assert right in source
    scope: dict[str, Any] = {"__name__": "planted"}
    exec(compile(source.replace(right, wrong, 1), "<fault>", "exec"), scope)  # noqa: S102 - our own source, one change
    asked = account.count(did("login").this("day")) >= 1
    people = [attrs.evolve(person(f"p{n}", login(n * DAY), login(-DAY)), zone="UTC") for n in range(2)]
    people.append(person("p2", login(2 * td(hours=1))))
    made = scope["of_account"](asked, None)

    def look() -> None:
        ats = [NOW, NOW + DAY, NOW - DAY, NOW + 5 * DAY, NOW]
        assert_never_stale(lambda facts, now: made(facts, now, None, "UTC"), people, asked, ats)
        alone = beside(people[2])
        for zone in ("UTC", "Asia/Tokyo"):
            assert_alike(made(alone, NOW, None, zone), evaluate(asked, alone, NOW, zone=zone))

    with pytest.raises(AssertionError):
        look()


@given(shared_accounts(3), account_questions(), moments())
def test_until_is_the_first_change(facts: Facts, asked: Predicate, now: datetime) -> None:
    change, until = first_change(asked, facts, now), evaluate(asked, facts, now).until
    if until is not None and until > NOW + 800 * DAY:  # anniversaries come for ever
        assert change is None or until <= change
    else:
        assert until == change


@given(shared_accounts(), account_questions(), moments(), st.lists(st.floats(0, 1), max_size=4))
def test_the_answer_is_constant_until_then(
    facts: Facts, asked: Predicate, now: datetime, shares: list[float]
) -> None:
    verdict = evaluate(asked, facts, now)
    end = verdict.until or max(now, NOW + td(days=400))
    for at in {now + (end - now) * share for share in shares} | {end - TICK, now}:
        if now <= at < end:
            assert evaluate(asked, facts, at).matched == verdict.matched


@given(account_predicates())
def test_a_question_comes_back_from_json(asked: Predicate) -> None:
    assert loads(dumps(asked), Predicate) == asked
    assert content_hash(loads(dumps(asked), Predicate)) == content_hash(asked)
    assert describe(asked)
    assert describe(asked, "ru")


@given(shared_accounts(), account_questions(), moments())
def test_every_answer_can_be_explained(facts: Facts, asked: Predicate, now: datetime) -> None:
    verdict = evaluate(asked, facts, now)
    because = verdict.because
    assert (because.matched, because.until) == (verdict.matched, verdict.until)
    assert because.people == tuple(sorted(set(because.people)))
    if isinstance(asked, AccountSum):
        assert bool(because.people) == bool(because.events)
    else:
        assert because.found == len(because.people)


@given(shared_accounts(), account_questions(), moments())
def test_the_order_of_the_colleagues_does_not_matter(facts: Facts, asked: Predicate, now: datetime) -> None:
    turned = attrs.evolve(facts, colleagues=tuple(reversed(facts.colleagues or ())))
    one, two = evaluate(asked, facts, now), evaluate(asked, turned, now)
    assert one == two
    assert one.because == two.because


def test_colleagues_are_found_by_every_account_they_had() -> None:
    mover = person("mover", of="old").with_attributes(
        [AttributeWrite(name=ACCOUNT, value="new", at=NOW, id=EventId("b"))]
    )
    known = Colleagues([mover, person("old", of="old"), person("new", of="new"), person("none", of=None)])
    assert set(known.of(CustomerId("mover"))) == {"old", "new"}
    assert list(known.of(CustomerId("none"))) == list(known.of(CustomerId("nobody"))) == []
    known.put(person("mover", of="old"))
    assert list(known.of(CustomerId("mover"))) == ["old"]
    assert [list(known.of(CustomerId(name))) for name in ("old", "new")] == [["mover"], []]
    known.drop(CustomerId("mover"))
    known.drop(CustomerId("mover"))
    assert list(known.of(CustomerId("old"))) == []
