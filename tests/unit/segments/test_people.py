"""Questions about the past of an attribute, lists, accounts and buckets."""

from collections.abc import Callable
from datetime import datetime
from datetime import timedelta as td
from hashlib import md5

import attrs
import pytest
from hypothesis import given

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import content_hash, dumps, loads
from crmsdk.model.consent import ConsentState, ConsentWrite
from crmsdk.model.customer import ACCOUNT, LIST, AttributeWrite, IdentifierKind
from crmsdk.model.declared import AttributeSet, Prop
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.values import Value
from crmsdk.segments.checks import problems
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Condition
from crmsdk.segments.knowing import changes
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.people import AttrHeld, Bucket
from crmsdk.segments.reading import Reads, reads
from crmsdk.segments.words import attr, bucket, in_account, in_list, reachable, segment
from crmsdk.testing.draws import histories
from tests.unit.segments.people import NOW, TICK, ann, wrote

WEEK = td(days=7)
CHANGED = attr("plan").changed_within(WEEK)
PRO = attr("plan").has_been("pro", at_least=td(days=30))


class Shopper(AttributeSet):
    plan: Prop[str]
    visits: Prop[int]


def plans(*told: tuple[Value, td], name: str = "plan") -> Facts:
    """Write the plan so long before NOW, in this order of arrival."""
    return ann().with_attributes(
        AttributeWrite(name=name, value=value, at=NOW - ago, id=EventId(f"w{number}"))
        for number, (value, ago) in enumerate(told)
    )


def answer(condition: Condition, facts: Facts, at: datetime = NOW) -> tuple[bool, datetime | None]:
    verdict = evaluate(condition, facts, at)  # type: ignore[call-overload]  # conditions about people alone
    return verdict.matched, verdict.until


@pytest.mark.parametrize(
    ("facts", "matched", "until"),
    [
        (plans(), False, None),
        (plans(("free", td(days=1))), True, NOW + td(days=6)),  # a first value is a change
        (plans(("free", WEEK)), False, None),  # it leaves at exactly its moment + span
        (plans(("free", WEEK - TICK)), True, NOW + TICK),
        (plans(("free", td(0))), True, NOW + WEEK),
        (plans(("free", td(days=30)), ("free", td(days=1))), False, None),  # the same value is no change
        (plans(("free", td(days=30)), ("pro", td(days=1))), True, NOW + td(days=6)),
        (plans(("free", td(days=30)), (None, td(days=1))), True, NOW + td(days=6)),  # taken away
        (plans((None, td(days=1))), False, None),  # nothing taken from nothing
        (plans((1, td(days=30)), (1.0, td(days=1))), False, None),
        (plans((1, td(days=30)), (True, td(days=1))), True, NOW + td(days=6)),
        (
            plans(("free", td(days=30)), ("pro", td(days=1)), ("free", td(days=1))),
            False,
            None,
        ),  # at one moment
        (plans(("a", td(days=3)), ("b", td(days=1))), True, NOW + td(days=6)),
        (
            plans(("a", td(days=6)), ("b", -td(days=1))),
            True,
            NOW + td(days=8),
        ),  # the next before the last left
        (plans(("a", td(days=6)), ("b", -td(days=2))), True, NOW + td(days=1)),
        (plans(("a", -td(days=2))), False, NOW + td(days=2)),  # future-dated
        (plans(("b", td(days=1)), ("a", td(days=30)), ("b", td(days=20))), False, None),  # told late
    ],
)
def test_t32_an_attribute_changed_only_where_its_value_did(
    facts: Facts, matched: bool, until: datetime | None
) -> None:
    assert answer(CHANGED, facts) == (matched, until)


def test_a_late_write_can_make_and_unmake_a_change() -> None:
    facts = plans(("free", td(days=30)), ("pro", td(days=1)))
    late = wrote("plan", "pro", td(days=10))
    assert answer(CHANGED, facts)[0]
    assert answer(CHANGED, facts.with_attributes([late])) == (False, None)


@pytest.mark.parametrize(
    ("facts", "matched", "until"),
    [
        (plans(), False, None),
        (plans(("pro", td(days=30))), True, None),
        (plans(("pro", td(days=30) - TICK)), False, NOW + TICK),
        (plans(("pro", td(days=1))), False, NOW + td(days=29)),
        (plans(("pro", td(days=40)), ("pro", td(days=1))), True, None),  # written again is no break
        (plans(("pro", td(days=40)), ("free", td(days=20)), ("pro", td(days=20))), True, None),
        (plans(("pro", td(days=40)), ("free", td(days=20)), ("pro", td(days=19))), False, NOW + td(days=11)),
        (plans(("pro", td(days=40)), (None, td(days=20)), ("pro", td(days=19))), False, NOW + td(days=11)),
        (plans(("pro", td(days=40)), ("free", -td(days=2))), True, NOW + td(days=2)),
        (plans(("pro", td(days=29)), ("free", -td(days=1))), False, None),  # ends as it ripens
        (plans(("pro", td(days=29)), ("free", -td(days=1) - TICK)), False, NOW + td(days=1)),
        (plans(("pro", -td(days=2))), False, NOW + td(days=32)),
        (plans((True, td(days=40))), False, None),
    ],
)
def test_a_value_is_held_without_a_break_from_the_moment_it_came_to_be(
    facts: Facts, matched: bool, until: datetime | None
) -> None:
    assert answer(PRO, facts) == (matched, until)


def test_a_value_inside_a_mapping_has_a_past_too() -> None:
    facts = plans(
        ({"city": "Perm", "zip": 1}, td(days=40)), ({"city": "Perm", "zip": 2}, td(days=1)), name="address"
    )
    assert answer(attr("address.city").has_been("Perm", at_least=td(days=30)), facts) == (True, None)
    assert answer(attr("address.city").changed_within(WEEK), facts) == (False, None)
    assert answer(attr("address.zip").changed_within(WEEK), facts)[0]
    assert answer(attr("address").changed_within(WEEK), facts)[0]


@given(histories())
def test_the_history_of_an_attribute_agrees_with_its_value_at_every_moment(facts: Facts) -> None:
    for name in ("plan", "address.city", "city"):
        history = facts.history(name)
        assert [at for at, _ in history] == sorted({at for at, _ in history})
        assert all(facts.attribute(name, at) == value for at, value in history)
        assert {at for at, _ in changes(facts, name)} <= {at for at, _ in history}
        written = {write.at for write in facts.attributes if write.name in {name, name.partition(".")[0]}}
        assert written == {at for at, _ in history}


def test_a_list_is_a_dated_fact() -> None:
    vip = in_list("vip")
    facts = ann().with_attributes(
        [wrote(f"{LIST}vip", True, td(days=2)), wrote(f"{LIST}vip", None, -td(days=3))]
    )
    assert answer(vip, facts) == (True, NOW + td(days=3))
    assert answer(~vip, facts) == (False, NOW + td(days=3))
    assert answer(vip, facts, NOW - td(days=2) - TICK) == (False, NOW - td(days=2))
    assert answer(vip, facts, NOW + td(days=3)) == (False, None)
    assert answer(in_list("other"), facts) == (False, None)
    assert facts.current(NOW) == {}, "a list is no attribute of templates"


def test_an_account_and_what_is_known_of_it() -> None:
    facts = ann().with_attributes([wrote(ACCOUNT, "acme"), wrote("account.industry", "retail")])
    assert answer(in_account(), facts) == (True, None)
    assert answer(in_account("acme"), facts) == (True, None)
    assert answer(in_account("other"), facts) == (False, None)
    assert answer(attr("account.industry") == "retail", facts) == (True, None)
    assert answer(in_account(), ann()) == (False, None)


def test_t29_a_bucket_is_the_lot_that_sql_draws_and_survives_a_new_name_of_the_segment() -> None:
    people = [attrs.evolve(ann(), customer=CustomerId(f"c{number}")) for number in range(2000)]
    tenth = [facts for facts in people if answer(bucket("autumn", 0, 1000), facts)[0]]
    for facts in people:
        lot = (
            int(md5(f"autumn:{facts.customer}".encode(), usedforsecurity=False).hexdigest()[:8], 16) % 10_000
        )
        assert answer(bucket("autumn", lot, lot + 1), facts) == (True, None)
        assert answer(bucket("autumn", 0, 1000), facts) == (lot < 1000, None)
    assert 150 <= len(tenth) <= 250
    old, new = segment("old", bucket("autumn", 0, 1000)), segment("new", bucket("autumn", 0, 1000))
    assert [answer(old, facts) for facts in people] == [answer(new, facts) for facts in people]
    halves = [answer(bucket("autumn", 0, 5000), facts)[0] for facts in people]
    rest = [answer(bucket("autumn", 5000, 10_000), facts)[0] for facts in people]
    assert all(one is not other for one, other in zip(halves, rest, strict=True))


def test_what_was_found_is_told() -> None:
    facts = plans(("free", td(days=30)), ("pro", td(days=2)), ("free", -td(days=1)))
    changed = evaluate(CHANGED, facts, NOW).because
    assert (changed.found, changed.asked) == (NOW - td(days=2), WEEK)
    assert evaluate(PRO, facts, NOW).because.found == "pro"
    drawn = evaluate(bucket("welcome-2026", 0, 1), facts, NOW).because
    assert (drawn.found, drawn.asked) == (3388, (0, 1))


@pytest.mark.parametrize(
    ("condition", "english", "russian"),
    [
        (CHANGED, "plan changed in the last 7 days", "plan изменилось менее 7 дней назад"),
        (
            PRO,
            "plan has been 'pro' for 30 days or longer",
            "plan равно 'pro' без перерыва не менее 30 дней",
        ),
        (
            bucket("autumn", 0, 1000),
            "bucket 0 to before 1000 of 10,000 by 'autumn'",
            "доля от 0 до 1000 из 10 000 по 'autumn'",
        ),
        (in_list("vip"), "on list 'vip'", "в списке 'vip'"),
        (in_account(), "has an account", "есть организация"),
        (in_account("acme"), "account is 'acme'", "организация 'acme'"),
    ],
)
def test_questions_about_people_are_said(condition: Condition, english: str, russian: str) -> None:
    assert describe(condition) == english
    assert describe(condition, "ru") == russian
    again = loads(dumps(condition), Condition)
    assert (again, content_hash(again)) == (condition, content_hash(condition))


def test_what_they_read() -> None:
    assert reads(CHANGED) == reads(PRO) == Reads(attributes=frozenset({"plan"}))
    assert reads(attr("address.city").changed_within(WEEK)).attributes == {"address.city", "address"}
    assert f"{LIST}vip" in reads(in_list("vip")).attributes
    assert reads(bucket("a", 0, 1)) == Reads()


def test_what_a_catalog_knows_of_them() -> None:
    kinds = {"plan": "text"}
    for fine in (CHANGED, PRO, in_list("vip"), in_account(), bucket("a", 0, 1)):
        assert problems(fine, {}, kinds) == []
    assert problems(attr("pln").changed_within(WEEK), {}, kinds) == [
        "attribute 'pln' is not declared; did you mean 'plan'?"
    ]
    assert problems(attr("plan").has_been(3, at_least=WEEK), {}, kinds) == [
        "attribute 'plan' is text and never compares with number; give text"
    ]
    with pytest.raises(DefinitionError, match="is number and never compares with text"):
        attr(Shopper.visits).has_been("many", at_least=WEEK)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: attr("x").changed_within(td(0)), "longer than zero"),
        (lambda: attr("x").changed_within(7), "give it as timedelta"),  # type: ignore[arg-type]  # the fault
        (lambda: attr("x").has_been(None, at_least=WEEK), "x: nothing compares with a missing value"),
        (lambda: attr("").has_been(1, at_least=WEEK), "name"),
        (lambda: AttrHeld("x", {"a": 1}, WEEK), "is a mapping"),
        (lambda: in_list(""), "name"),
        (lambda: bucket("", 0, 1), "needs a salt"),
        (lambda: bucket("a", 1, 1), "the smaller first"),
        (lambda: bucket("a", -1, 1), "the smaller first"),
        (lambda: bucket("a", 0, 10_001), "bounds are 0 to 10000"),
        (lambda: Bucket("a", 0.0, 1), "a bound is float"),  # type: ignore[arg-type]  # the fault
        (lambda: Bucket("a", False, 1), "a bound is bool"),
    ],
)
def test_bad_questions_are_refused_with_their_field_and_mend(
    wrong: Callable[[], object], message: str
) -> None:
    with pytest.raises(DefinitionError, match=message):
        wrong()


def test_reachable_is_an_address_and_no_no() -> None:
    asked = reachable("telegram", by="telegram_chat")
    told = (
        "telegram_chat exists and not (consent to promo by telegram is withdrawn) "
        "and not (consent to promo by telegram is denied)"
    )
    assert describe(asked) == told
    assert describe(reachable("email", "news")).startswith(
        "has an address (email) and not (consent to news by"
    )
    assert describe(reachable("viber", by=IdentifierKind.PHONE), "ru").startswith("есть адрес (phone) и не (")
    facts = ann(writes=[wrote("telegram_chat", 7)])
    assert answer(asked, facts) == (True, None)
    denied = ConsentWrite(channel="telegram", state=ConsentState.DENIED, at=NOW + td(days=1), id="no")
    assert answer(asked, attrs.evolve(facts, consents=(denied,))) == (True, NOW + td(days=1))
    assert answer(asked, ann()) == (False, None)
    with pytest.raises(DefinitionError, match="by: nobody knows where addresses of 'telegram' are"):
        reachable("telegram")
    with pytest.raises(DefinitionError, match="by: user is no address; give email, phone or an attribute"):
        reachable("push", by=IdentifierKind.USER)
