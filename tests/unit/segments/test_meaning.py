"""The rules of meaning one by one, at their edges."""

from datetime import UTC, date, datetime
from datetime import timedelta as td
from zoneinfo import ZoneInfo

import pytest

from crmsdk.errors import DefinitionError, NaiveMoment
from crmsdk.model.consent import ConsentState, ConsentWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.money import Money
from crmsdk.segments.grammar import Condition, Predicate
from crmsdk.segments.meaning import RunView, evaluate
from crmsdk.segments.words import attr, consent, did, everyone, nobody, prop, segment
from tests.unit.segments.people import NOW, TICK, ann, happened, wrote

MONTH = td(days=30)


def holds(predicate: Predicate, facts: Facts, now: datetime = NOW) -> bool:
    return evaluate(predicate, facts, now).matched


# --- comparisons: two-valued, missing values and other kinds are false -------------------------------------


@pytest.mark.parametrize(
    ("value", "predicate", "expected"),
    [
        ("Moscow", attr("x") == "Moscow", True),
        ("moscow", attr("x") == "Moscow", False),
        (None, attr("x") == "Moscow", False),
        (None, attr("x") != "Moscow", True),
        (3, attr("x") != "Moscow", True),
        ("", attr("x") == "", True),
        ("", attr("x").exists(), True),
        (None, attr("x").exists(), False),
        (None, attr("x").missing(), True),
        (3, attr("x") > 2, True),
        (3, attr("x") >= 3.0, True),
        (3, attr("x") < 3, False),
        (3, attr("x") <= 3, True),
        ("3", attr("x") > 2, False),
        (True, attr("x") == 1, False),
        (True, attr("x") == True, True),  # noqa: E712 - the question, not a comparison
        (1, attr("x") == True, False),  # noqa: E712 - the same
        (None, ~(attr("x") > 2), True),
        (2, attr("x").between(2, 3), True),
        (3, attr("x").between(2, 3), True),
        (4, attr("x").between(2, 3), False),
        ("b", attr("x").in_(["a", "b"]), True),
        ("c", attr("x").in_(["a", "b"]), False),
        (None, attr("x").in_(["a", "b"]), False),
        (True, attr("x").in_([1, 2]), False),
        ("Moscow", attr("x").contains("sco"), True),
        (("a", "b"), attr("x").contains("b"), True),
        ((True,), attr("x").contains(1), False),
        ("ab", attr("x").startswith("a"), True),
        ("ab", attr("x").endswith("b"), True),
        ("é", attr("x") == "e\u0301", True),
        (Money(5, "RUB"), attr("x") >= Money(5, "RUB"), True),
        (Money(5, "USD"), attr("x") >= Money(5, "RUB"), False),
        (5, attr("x") >= Money(5, "RUB"), False),
        (date(2026, 1, 1), attr("x") < date(2026, 1, 2), True),
        (date(2026, 1, 1), attr("x") < NOW, False),
        ({"city": "Perm"}, attr("x.city") == "Perm", True),
        ({"city": "Perm"}, attr("x.street").missing(), True),
        ("Perm", attr("x.city").missing(), True),
    ],
)
def test_attributes_compare_or_are_false(value: object, predicate: Predicate, expected: bool) -> None:
    facts = ann(writes=[wrote("x", value)])
    assert holds(predicate, facts) is expected
    assert holds(~predicate, facts) is not expected


@pytest.mark.parametrize("one", [everyone, nobody])
@pytest.mark.parametrize("two", [everyone, nobody])
def test_truth_table_of_and_or_not(one: Predicate, two: Predicate) -> None:
    a, b = one is everyone, two is everyone
    assert holds(one & two, ann()) is (a and b)
    assert holds(one | two, ann()) is (a or b)
    assert holds(~one, ann()) is not a
    assert holds(segment("s", one), ann()) is a


def test_the_current_value_is_the_last_by_event_time_and_a_removed_one_is_missing() -> None:
    facts = ann(writes=[wrote("x", 2, td(days=1)), wrote("x", 1, td(days=2))])
    assert holds(attr("x") == 2, facts)
    assert holds(attr("x") == 1, facts, NOW - td(days=1) - TICK)
    assert holds(attr("x").missing(), facts.with_attributes([wrote("x", None, td(0))]))


def test_a_write_dated_in_the_future_counts_from_then_and_until_says_when() -> None:
    facts = ann(writes=[wrote("x", 1, td(days=1)), wrote("x", 1, -td(days=1)), wrote("x", 2, -td(days=2))])
    verdict = evaluate(attr("x") == 1, facts, NOW)
    assert (verdict.matched, verdict.until) == (True, NOW + td(days=2))
    assert evaluate(attr("x") == 2, facts, NOW).until == NOW + td(days=2)
    assert evaluate(attr("x") == 2, facts, NOW + td(days=2)).matched


# --- counts and windows ------------------------------------------------------------------------------------


def test_t20_an_event_leaves_a_window_at_exactly_its_moment_plus_the_span() -> None:
    bought = happened("purchase", td(0))
    question, facts = did("purchase").within(MONTH), ann([bought])
    assert not holds(question, facts, bought.at - TICK)
    assert holds(question, facts, bought.at)
    assert holds(question, facts, bought.at + MONTH - TICK)
    assert not holds(question, facts, bought.at + MONTH)
    assert evaluate(question, facts, bought.at).until == bought.at + MONTH
    assert evaluate(question, facts, bought.at - TICK).until == bought.at


def test_t20_an_absolute_interval_takes_its_start_and_leaves_its_end() -> None:
    start, end = NOW - MONTH, NOW
    for at, inside in ((start - TICK, False), (start, True), (end - TICK, True), (end, False)):
        facts = ann([happened("purchase", NOW - at)])
        assert holds(did("purchase").between(start, end), facts, NOW + MONTH) is inside


def test_t20_a_day_is_24_hours_on_days_of_23_and_25_hours_and_leap_days() -> None:
    for zone, day in (
        ("Europe/Berlin", datetime(2026, 3, 29)),  # noqa: DTZ001 - a wall clock; the zone comes below
        ("Europe/Berlin", datetime(2026, 10, 25)),  # noqa: DTZ001 - the same
        ("Australia/Lord_Howe", datetime(2026, 4, 5)),  # noqa: DTZ001 - the same; the clock moves 30 minutes
        ("UTC", datetime(2024, 2, 29)),  # noqa: DTZ001 - the same
    ):
        at = day.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        facts = ann([happened("visit", NOW - at)])
        assert holds(did("visit").within(td(days=1)), facts, at + td(hours=24) - TICK)
        assert not holds(did("visit").within(td(days=1)), facts, at + td(hours=24))


def test_t20_the_zone_of_a_person_moves_no_window() -> None:
    here = ann([happened("visit", td(days=1) - TICK)])
    for zone in (None, "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        there = Facts(customer=here.customer, zone=zone, events=here.events)
        assert evaluate(did("visit").within(td(days=1)), there, NOW).until == NOW + TICK


def test_t20_one_day_is_neither_two_nor_a_calendar_day() -> None:
    facts = ann([happened("visit", td(hours=25))])
    assert not holds(did("visit").within(td(days=1)), facts)


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        (did("purchase"), True),
        (~did("purchase"), False),
        (did("refund"), False),
        (did("refund").times(0), True),
        (did("purchase").at_least(3), True),
        (did("purchase").at_least(4), False),
        (did("purchase").at_most(3), True),
        (did("purchase").at_most(2), False),
        (did("refund").at_most(2), True),
        (did("purchase").times(3), True),
        (did("purchase").times(2), False),
        (did("purchase").count() > 2, True),
        (did("purchase").count() < 3, False),
        (did("purchase").count() == 3, True),
        (did("purchase").count().between(1, 2), False),
        (did("purchase").count().between(3, 5), True),
        (did("purchase").where(prop("amount") >= 20), True),
        (did("purchase").where(prop("amount") >= 20).at_least(3), False),
        (did("purchase").where(prop("amount") >= 20, prop("amount") < 30).times(1), True),
        (did("purchase").where(prop("color") != "red").times(3), True),
        (did("purchase").where(prop("color").missing()).times(3), True),
        (did("purchase").where(~prop("color").exists()).times(3), True),
        (did("purchase").within(td(days=2)).times(1), True),
        (did("purchase").within(td(days=2) + TICK).times(2), True),
    ],
)
def test_28_29_behaviour_is_counted_in_windows(predicate: Predicate, expected: bool) -> None:
    facts = ann([happened("purchase", td(days=day), amount=day * 10) for day in (1, 2, 3)])
    assert holds(predicate, facts) is expected


def test_until_of_a_count_names_the_event_that_makes_the_difference() -> None:
    facts = ann([happened("visit", td(days=day)) for day in (1, 2, 3, 4)])
    week = did("visit").within(td(days=7))
    assert evaluate(week, facts, NOW).until == NOW + td(days=6)
    assert evaluate(week.at_least(3), facts, NOW).until == NOW + td(days=4)
    assert evaluate(week.times(3), facts, NOW).until == NOW + td(days=3)
    assert evaluate(week.at_most(2), facts, NOW).until == NOW + td(days=4)
    assert evaluate(week.at_least(9), facts, NOW).until is None
    assert evaluate(did("visit"), facts, NOW).until is None


def test_events_of_the_future_do_not_count_until_then() -> None:
    facts = ann([happened("visit", -td(days=1))])
    verdict = evaluate(did("visit"), facts, NOW)
    assert (verdict.matched, verdict.until) == (False, NOW + td(days=1))
    assert evaluate(did("visit"), facts, NOW + td(days=1)).until is None


def test_inactive_for_14_days_is_an_ordinary_predicate_with_an_exact_beginning() -> None:
    facts = ann([happened("visit", td(days=3))])
    sleeping = ~did("visit").within(td(days=14))
    assert evaluate(sleeping, facts, NOW).until == NOW + td(days=11)
    assert holds(sleeping, facts, NOW + td(days=11))


# --- sums --------------------------------------------------------------------------------------------------


def test_sums_are_exact_and_skip_missing_values_and_other_kinds() -> None:
    facts = ann(
        [
            happened("purchase", td(days=1), amount=Money(60, "RUB")),
            happened("purchase", td(days=2), amount=Money(40, "RUB")),
            happened("purchase", td(days=3), amount=Money(900, "USD")),
            happened("purchase", td(days=4), amount=900),
            happened("purchase", td(days=5)),
        ]
    )
    spent = did("purchase").sum("amount")
    assert holds(spent == Money(100, "RUB"), facts)
    assert holds(spent == Money(900, "USD"), facts)
    assert holds(spent == 900, facts)
    assert holds(spent != Money(99, "RUB"), facts)
    assert holds(spent.between(Money(100, "RUB"), Money(101, "RUB")), facts)
    assert holds(did("purchase").within(td(days=2)).sum("amount") < Money(61, "RUB"), facts)
    assert evaluate(
        did("purchase").within(td(days=7)).sum("amount") >= Money(61, "RUB"), facts, NOW
    ).until == (NOW + td(days=5))


def test_of_no_events_count_and_sum_are_zero_and_moments_are_missing() -> None:
    nothing = did("purchase")
    assert holds(nothing.count() == 0, ann())
    assert holds(nothing.sum("amount") == 0, ann())
    assert holds(nothing.sum("amount") == Money(0, "RUB"), ann())
    assert not holds(nothing.sum("amount") > 0, ann())
    assert not holds(nothing.first_at().before(NOW), ann())
    assert not holds(nothing.last_at().more_than_ago(MONTH), ann())


def test_a_sum_of_floats_is_the_nearest_double_in_any_order() -> None:
    values = (0.1, 0.2, 0.3, 1e16, -1e16)
    facts = ann([happened("p", td(days=day), x=value) for day, value in enumerate(values, 1)])
    assert holds(did("p").sum("x") == 0.6, facts)


@pytest.mark.parametrize(
    ("values", "question"),
    [
        ((1e308, 1e308), did("p").sum("x") > 1e308),
        ((-1e308, -1e308), did("p").sum("x") < -1e308),
        ((1e308, 1e308, -1e308), did("p").sum("x") == 1e308),
        ((2**511, 0.5), did("p").sum("x") > 1e153),
        ((2**53, 1), did("p").sum("x") == 2**53 + 1),
    ],
)
def test_sums_never_overflow(values: tuple[float, ...], question: Predicate) -> None:
    assert holds(question, ann([happened("p", td(days=day), x=each) for day, each in enumerate(values, 1)]))


# --- moments -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ago", "recent", "old", "soon", "until"),
    [
        (td(0), True, False, False, NOW + MONTH),
        (MONTH - TICK, True, False, False, NOW + TICK),
        (MONTH, False, True, False, None),
        (-TICK, False, False, True, NOW + TICK),
        (-MONTH, False, False, True, NOW + MONTH),
        (-MONTH - TICK, False, False, False, NOW + TICK),
    ],
)
def test_t20_a_moment_lies_in_exactly_one_relation_to_now(
    ago: td, recent: bool, old: bool, soon: bool, until: datetime | None
) -> None:
    facts = ann(writes=[wrote("trial_ends", NOW - ago)])
    ends = attr("trial_ends")
    assert holds(ends.within_last(MONTH), facts) is recent
    assert holds(ends.more_than_ago(MONTH), facts) is old
    assert holds(ends.within_next(MONTH), facts) is soon
    any_of = ends.within_last(MONTH) | ends.more_than_ago(MONTH) | ends.within_next(MONTH)
    changes = [
        evaluate(each, facts, NOW).until
        for each in (ends.within_last(MONTH), ends.more_than_ago(MONTH), ends.within_next(MONTH))
    ]
    assert min((each for each in changes if each is not None), default=None) == until
    assert holds(any_of, facts) is (ago >= -MONTH)


def test_before_and_after_an_absolute_moment_meet_without_overlap() -> None:
    facts = ann(writes=[wrote("born", NOW)])
    assert holds(attr("born").after(NOW), facts)
    assert not holds(attr("born").before(NOW), facts)
    assert holds(attr("born").before(NOW + TICK), facts)
    assert not holds(attr("born").after(NOW + TICK), facts)


def test_a_date_or_text_is_no_moment() -> None:
    facts = ann(writes=[wrote("born", date(2026, 3, 28)), wrote("text", "2026-03-28T00:00:00Z")])
    for name in ("born", "text"):
        assert not holds(attr(name).within_last(MONTH), facts)
        assert not holds(attr(name).before(NOW), facts)


def test_first_and_last_follow_the_window() -> None:
    facts = ann([happened("p", td(days=day)) for day in (1, 10, 40)])
    assert holds(did("p").first_at().more_than_ago(MONTH), facts)
    assert holds(did("p").last_at().within_last(td(days=2)), facts)
    assert not holds(did("p").last_at().more_than_ago(td(days=2)), facts)
    in_month = did("p").within(MONTH)
    assert holds(in_month.first_at().after(NOW - td(days=10)), facts)
    assert evaluate(in_month.first_at().after(NOW - td(days=10)), facts, NOW).until == NOW + td(days=29)
    assert holds(in_month.first_at().before(NOW - td(days=9)), facts)
    assert evaluate(in_month.first_at().before(NOW - td(days=9)), facts, NOW).until == NOW + td(days=20)


def test_a_turn_before_the_next_event_of_the_future_comes_first() -> None:
    facts = ann([happened("p", td(days=1)), happened("p", -td(days=9))])
    assert evaluate(did("p").last_at().within_last(td(days=2)), facts, NOW).until == NOW + td(days=1)
    assert evaluate(did("p").last_at().within_last(td(days=20)), facts, NOW).until == NOW + td(days=29)


def test_nothing_happens_beyond_the_last_moment_there_is() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    facts = ann([happened("p", NOW - last)], [wrote("x", last), wrote("y", datetime.min.replace(tzinfo=UTC))])
    assert evaluate(did("p").within(MONTH), facts, last).until is None
    assert evaluate(did("p").within(MONTH), facts, datetime.min.replace(tzinfo=UTC)).until == last
    assert evaluate(attr("x").within_last(MONTH), facts, last).until is None
    assert evaluate(attr("x").more_than_ago(MONTH), facts, last).until is None
    assert evaluate(attr("y").within_next(MONTH), facts, NOW).until is None
    early = datetime.min.replace(tzinfo=UTC) + TICK
    assert holds(
        attr("e").within_next(MONTH), ann(writes=[wrote("e", early, NOW - early + TICK)]), early - TICK
    )


# --- consents ----------------------------------------------------------------------------------------------


def test_consents_count_from_their_moment_and_unknown_is_what_nobody_asked() -> None:
    later = ConsentWrite(channel="email", purpose="promo", state=ConsentState.GRANTED, at=NOW + MONTH, id="a")
    facts = Facts(customer=ann().customer, consents=(later,))
    verdict = evaluate(consent("email", "promo"), facts, NOW)
    assert (verdict.matched, verdict.until) == (False, NOW + MONTH)
    assert holds(consent("email", "promo"), facts, NOW + MONTH)
    assert holds(consent("sms", "promo", state="unknown"), facts, NOW + MONTH)


# --- joining: as late as is sound --------------------------------------------------------------------------


def test_until_of_and_or_is_the_earliest_of_what_holds_it_up() -> None:
    facts = ann([happened("a", td(days=1)), happened("b", td(days=2))])
    a, b = did("a").within(td(days=7)), did("b").within(td(days=7))
    assert evaluate(a & b, facts, NOW).until == NOW + td(days=5)
    assert evaluate(a | b, facts, NOW).until == NOW + td(days=6)
    assert evaluate(~a & ~b, facts, NOW).until == NOW + td(days=6)
    assert evaluate(~a | ~b, facts, NOW).until == NOW + td(days=5)


def test_a_part_that_is_false_for_ever_decides_for_ever() -> None:
    facts = ann([happened("a", td(days=1))])
    changing = did("a").within(td(days=7))
    for predicate in (changing & nobody, nobody & changing, ~changing & nobody, changing | everyone):
        assert evaluate(predicate, facts, NOW).until is None
    assert evaluate(changing & everyone, facts, NOW).until == NOW + td(days=6)


# --- runs --------------------------------------------------------------------------------------------------


def run_at(position: tuple[datetime, str], key: str | None = None) -> RunView:
    return RunView(entry=position, entered=NOW, key=key, key_name="cart" if key else None)


def asked(condition: Condition, facts: Facts, run: RunView, now: datetime = NOW) -> bool:
    return evaluate(condition, facts, now, run=run).matched


def test_since_entry_counts_after_the_place_of_the_trigger_in_the_total_order() -> None:
    facts = ann([happened("p", td(days=1), id=name) for name in ("a", "b", "c")])
    position = facts.events[1].position
    assert asked(did("p").since_entry(), facts, run_at(position))
    assert not asked(did("p").since_entry().at_least(2), facts, run_at(position))
    assert asked(did("p").since_entry().times(3), facts, run_at((position[0], "")))
    assert not asked(did("p").since_entry(), facts, run_at((position[0], "c")))


def test_since_entry_counts_events_stored_before_the_run_began() -> None:
    facts = ann([happened("p", td(days=1))])
    late_start = RunView(entry=(NOW - td(days=2), ""), entered=NOW)
    assert asked(did("p").since_entry(), facts, late_start)


def test_since_entry_within_takes_the_moment_entry_plus_span() -> None:
    week = td(days=7)
    entry = NOW - week
    for at, counts in ((entry, False), (entry + TICK, True), (NOW, True), (NOW + TICK, False)):
        facts = ann([happened("p", NOW - at, id="p")])
        run = run_at((entry, "trigger"))
        assert asked(did("p").since_entry().within(week), facts, run, NOW + MONTH) is counts


def test_keyed_runs_match_their_key_unless_told_otherwise() -> None:
    facts = ann(
        [happened("p", td(days=1), cart="7"), happened("p", td(days=2)), happened("p", td(days=3), cart="8")]
    )
    run = run_at((NOW - MONTH, ""), key="7")
    assert asked(did("p").since_entry().times(1), facts, run)
    assert asked(did("p").since_entry().any_key().times(3), facts, run)
    assert asked(did("p").since_entry().times(3), facts, run_at((NOW - MONTH, "")))


def test_since_entry_takes_tests_and_waits_for_events_of_the_future() -> None:
    facts = ann([happened("p", -td(days=1), n=1), happened("p", -td(days=2), n=2)])
    goal = did("p").where(prop("n") == 2).since_entry()
    verdict = evaluate(goal, facts, NOW, run=run_at((NOW - MONTH, "")))
    assert (verdict.matched, verdict.until) == (False, NOW + td(days=2))
    assert evaluate(did("p").since_entry().where(prop("n") > 0), facts, NOW, run=run_at((NOW, ""))).until == (
        NOW + td(days=1)
    )


def test_since_entry_needs_a_run() -> None:
    with pytest.raises(DefinitionError, match="run=RunView"):
        evaluate(did("p").since_entry(), ann(), NOW)  # type: ignore[call-overload]  # the type checker says so too


def test_naive_now_is_refused_by_name() -> None:
    with pytest.raises(NaiveMoment, match="'now'"):
        evaluate(everyone, ann(), datetime(2026, 1, 1))  # noqa: DTZ001 - the fault under test


def test_a_window_that_begins_before_the_first_moment_leaves_nothing_out() -> None:
    first = datetime(1, 1, 1, tzinfo=UTC)
    born = Event(id=EventId("a"), customer=CustomerId("ann"), name="p", at=first, received=first)
    facts = Facts(customer=CustomerId("ann"), events=(born,))
    verdict = evaluate(did("p").within(td(days=1)), facts, first)
    assert (verdict.matched, verdict.until) == (True, first + td(days=1))
