"""Events in order, at their edges."""

from datetime import UTC, datetime
from datetime import timedelta as td

import pytest

from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.segments.checks import problems
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Condition, Predicate
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.reading import reads
from crmsdk.segments.words import did, prop, sequence
from tests.unit.segments.people import NOW, TICK, ann, happened

A, B, C = did("a"), did("b"), did("c")
HOUR, DAY, WEEK = td(hours=1), td(days=1), td(days=7)
ENTRY = NOW - td(days=100)


def history(*events: tuple[str, td]) -> Facts:
    """Events that long after ENTRY; ids follow the order given."""
    return ann([event(name, after, f"e{n}") for n, (name, after) in enumerate(events)])


def event(name: str, after: td, id: str = "", **properties: object) -> Event:
    return happened(name, NOW - ENTRY - after, id, **properties)


def holds(question: Predicate, facts: Facts, after: td = td(days=90)) -> bool:
    return evaluate(question, facts, ENTRY + after).matched


@pytest.mark.parametrize(
    ("events", "question", "expected"),
    [
        ((("a", HOUR), ("b", 2 * HOUR)), sequence(A, B), True),
        ((("b", HOUR), ("a", 2 * HOUR)), sequence(A, B), False),
        ((("a", HOUR), ("c", 2 * HOUR), ("b", 3 * HOUR)), sequence(A, B), True),
        ((("a", HOUR), ("b", 2 * HOUR), ("c", 3 * HOUR)), sequence(A, B, C), True),
        ((("a", HOUR), ("c", 2 * HOUR), ("b", 3 * HOUR)), sequence(A, B, C), False),
        ((("a", HOUR),), sequence(A), True),
        ((), sequence(A), False),
        # The span takes its end.
        ((("a", HOUR), ("b", HOUR + DAY)), sequence(A, B, within=DAY), True),
        ((("a", HOUR), ("b", HOUR + DAY + TICK)), sequence(A, B, within=DAY), False),
        # It is one span for all steps.
        ((("a", HOUR), ("b", DAY), ("c", 2 * DAY)), sequence(A, B, C, within=DAY), False),
        # One event never takes two steps.
        ((("a", HOUR),), sequence(A, A), False),
        ((("a", HOUR), ("a", HOUR + TICK)), sequence(A, A), True),
        ((("a", HOUR), ("a", HOUR)), sequence(A, A), True),
        # Re-entry: whoever began in vain, and began again, went through.
        ((("a", HOUR), ("a", 31 * DAY), ("b", 32 * DAY)), sequence(A, B, within=WEEK), True),
        ((("a", HOUR), ("b", 31 * DAY), ("a", 32 * DAY)), sequence(A, B, within=WEEK), False),
        (
            (("a", HOUR), ("b", DAY), ("a", 31 * DAY), ("b", 32 * DAY), ("c", 33 * DAY)),
            sequence(A, B, C, within=WEEK),
            True,
        ),
        (
            (("a", HOUR), ("b", 31 * DAY), ("a", 32 * DAY), ("c", 33 * DAY)),
            sequence(A, B, C, within=WEEK),
            False,
        ),
    ],
)
def test_an_ordered_funnel_counts_re_entries(
    events: tuple[tuple[str, td], ...], question: Predicate, expected: bool
) -> None:
    assert holds(question, history(*events)) is expected
    assert holds(~question, history(*events)) is not expected


def test_of_one_moment_the_greater_id_is_later() -> None:
    for first, second, expected in (("1", "2", True), ("2", "1", False)):
        facts = ann([event("a", HOUR, first), event("b", HOUR, second)])
        assert holds(sequence(A, B), facts) is expected
        assert holds(sequence(A, within=HOUR).without(B), facts) is not expected


def test_steps_have_their_own_tests_and_the_order_of_arrival_does_not_matter() -> None:
    big = sequence(did("a").where(prop("n") >= 2), did("b").where(prop("n") < 2), within=DAY)
    facts = ann([event("b", 3 * HOUR, "late", n=1)])
    assert not holds(big, facts)
    facts = facts.with_events([event("a", HOUR, "small", n=1)])
    assert not holds(big, facts)
    assert holds(big, facts.with_events([event("a", 2 * HOUR, "big", n=2)]))


def test_until_is_when_the_last_chain_leaves_the_window() -> None:
    question = sequence(A, B, within=WEEK).within(td(days=30))
    facts = history(("a", HOUR), ("b", DAY), ("a", 10 * DAY), ("b", 11 * DAY))
    first = evaluate(question, facts, ENTRY + 2 * DAY)
    assert (first.matched, first.until) == (True, ENTRY + td(days=40))  # the later chain takes over meanwhile
    assert holds(question, facts, td(days=40) - TICK)
    assert not holds(question, facts, td(days=40))
    assert evaluate(question, facts, ENTRY).until == ENTRY + DAY
    apart = history(("a", HOUR), ("b", DAY), ("a", 50 * DAY), ("b", 51 * DAY))
    assert evaluate(question, apart, ENTRY + DAY).until == ENTRY + HOUR + td(days=30)
    assert evaluate(question, apart, ENTRY + td(days=31)).until == ENTRY + 51 * DAY


def test_all_steps_lie_in_the_window() -> None:
    facts = history(("a", HOUR), ("b", 20 * DAY))
    assert holds(sequence(A, B).within(td(days=30)), facts, td(days=30))
    assert not holds(sequence(A, B).within(td(days=30)), facts, td(days=30) + HOUR)
    assert holds(sequence(A, B).between(ENTRY + HOUR, ENTRY + 20 * DAY + TICK), facts)
    assert not holds(sequence(A, B).between(ENTRY + HOUR, ENTRY + 20 * DAY), facts)
    assert not holds(sequence(A, B).between(ENTRY + HOUR + TICK, ENTRY + 21 * DAY), facts)
    assert holds(sequence(A, B).previous(td(days=20)), facts, td(days=40))
    assert not holds(sequence(A, B).previous(td(days=20)), facts, td(days=40) - TICK)


def test_an_abandoned_cart_is_known_at_exactly_its_moment_plus_the_span() -> None:
    abandoned = sequence(did("cart"), within=2 * HOUR).without(did("purchase"))
    facts = history(("cart", HOUR))
    running = evaluate(abandoned, facts, ENTRY + HOUR)
    assert (running.matched, running.until) == (False, ENTRY + 3 * HOUR)
    assert not holds(abandoned, facts, 3 * HOUR - TICK)
    over = evaluate(abandoned, facts, ENTRY + 3 * HOUR)
    assert (over.matched, over.until) == (True, None)


@pytest.mark.parametrize(
    ("bought", "expected"),
    [(HOUR, False), (HOUR - TICK, True), (3 * HOUR, False), (3 * HOUR + TICK, True), (2 * HOUR, False)],
)
def test_the_span_of_an_absence_takes_its_end(bought: td, expected: bool) -> None:
    facts = ann([event("cart", HOUR, "1"), event("purchase", bought, "2")])
    assert holds(sequence(did("cart"), within=2 * HOUR).without(did("purchase")), facts) is expected


def test_each_cart_is_judged_by_itself() -> None:
    abandoned = sequence(did("cart"), within=2 * HOUR).without(did("purchase"))
    facts = history(("cart", HOUR), ("purchase", 2 * HOUR), ("cart", DAY))
    assert not holds(abandoned, facts, DAY)
    assert evaluate(abandoned, facts, ENTRY + DAY).until == ENTRY + DAY + 2 * HOUR
    assert holds(abandoned, facts, DAY + 2 * HOUR)
    # One purchase answers for all carts whose span it lies in.
    both = history(("cart", HOUR), ("cart", 2 * HOUR), ("purchase", 3 * HOUR))
    assert not holds(abandoned, both)
    assert evaluate(abandoned, both, ENTRY + 3 * HOUR).until is None


def test_then_one_and_then_not_another_within_one_span() -> None:
    failed = sequence(A, B, within=DAY).without(C)
    assert holds(failed, history(("a", HOUR), ("b", 2 * HOUR)))
    assert not holds(failed, history(("a", HOUR)))
    assert not holds(failed, history(("a", HOUR), ("b", 2 * HOUR), ("c", 3 * HOUR)))
    assert holds(failed, history(("a", HOUR), ("c", 2 * HOUR), ("b", 3 * HOUR)))
    # The last step may come again after what would have spoilt it.
    assert holds(failed, history(("a", HOUR), ("b", 2 * HOUR), ("c", 3 * HOUR), ("b", 4 * HOUR)))
    # The span is that of the first step.
    late = history(("a", HOUR), ("b", 20 * HOUR), ("c", HOUR + DAY + TICK))
    assert evaluate(failed, late, ENTRY + 20 * HOUR).until == ENTRY + HOUR + DAY
    assert holds(failed, late)
    # What must not follow may be the last step itself: then the last one counts.
    assert holds(
        sequence(A, B, within=DAY).without(B), history(("a", HOUR), ("b", 2 * HOUR), ("b", 3 * HOUR))
    )


def test_a_late_purchase_takes_the_answer_back() -> None:
    abandoned = sequence(did("cart"), within=2 * HOUR).without(did("purchase"))
    facts = history(("cart", HOUR))
    assert holds(abandoned, facts)
    assert not holds(abandoned, facts.with_events([event("purchase", 2 * HOUR, "late")]))


def test_a_purchase_of_the_future_is_seen_when_it_comes() -> None:
    abandoned = sequence(did("cart"), within=DAY).without(did("purchase"))
    facts = history(("cart", HOUR), ("purchase", 2 * HOUR), ("cart", 3 * DAY))
    assert evaluate(abandoned, facts, ENTRY + HOUR).until == ENTRY + 4 * DAY


def test_an_absence_in_a_window() -> None:
    month = sequence(did("cart"), within=2 * HOUR).without(did("purchase")).this("month")
    cart = datetime(2026, 1, 31, 23, tzinfo=UTC)
    facts = ann([happened("cart", NOW - cart, "1")])
    assert evaluate(month, facts, cart + 2 * HOUR).until is None  # known only in February
    before = sequence(did("cart"), within=2 * HOUR).without(did("purchase")).previous("month")
    verdict = evaluate(before, facts, cart + HOUR)
    assert (verdict.matched, verdict.until) == (False, cart + 2 * HOUR)
    assert evaluate(before, facts, cart + 2 * HOUR).until == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_reason_names_the_last_chain_that_holds() -> None:
    facts = history(("a", HOUR), ("b", DAY), ("a", 10 * DAY), ("b", 11 * DAY), ("a", 12 * DAY))
    because = evaluate(sequence(A, B, within=WEEK), facts, ENTRY + 20 * DAY).because
    assert because.events == ("e2", "e3")
    assert evaluate(sequence(A, C), facts, NOW).because.events == ()


@pytest.mark.parametrize(
    ("question", "en", "ru"),
    [
        (
            sequence(A, B.where(prop("n") > 1), within=WEEK).within(td(days=30)),
            "did a, then b where n is more than 1, all within 7 days in the last 30 days",
            "было событие a, затем b, где n больше 1, всё в пределах 7 дней менее 30 дней назад",
        ),
        (
            sequence(did("cart"), within=2 * HOUR).without(did("purchase")),
            "did cart and then not purchase, all within 2 hours",
            "было событие cart и после него не было purchase, всё в пределах 2 часов",
        ),
        (sequence(A, B), "did a, then b", "было событие a, затем b"),
    ],
)
def test_sequences_are_said_in_words(question: Condition, en: str, ru: str) -> None:
    assert (describe(question), describe(question, "ru")) == (en, ru)


def test_what_a_sequence_reads_and_what_a_catalog_finds() -> None:
    asked = sequence(A, B.where(prop("n") > 1), within=DAY).without(C)
    assert reads(asked).events == {"a", "b", "c"}
    assert not reads(asked).zone
    assert reads(asked.this("day")).zone
    assert problems(asked, {"a": {}, "b": {"n": "text"}}, {}) == [
        "property 'n' of event 'b' is text and never compares with number; give text",
        "event 'c' is not declared; declare it first",
    ]
