"""Journeys, triggers and steps refuse what can never be meant, and keep what is said."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import attrs
import pytest

import crmsdk
from crmsdk.errors import DefinitionError, NaiveMoment, UnknownZone
from crmsdk.journeys.definition import Entry, Holdout, Journey, after_exit, each_time, once
from crmsdk.journeys.program import END, Project, arms_of, both_names, compiled, key_at, key_text
from crmsdk.journeys.programs import Programs
from crmsdk.journeys.steps import (
    Arm,
    Branch,
    Emit,
    Exit,
    HandOver,
    Send,
    Split,
    Step,
    UntilDate,
    UntilLocal,
    Update,
    Wait,
    WaitFor,
    When,
    date_of,
    local_time,
)
from crmsdk.journeys.triggers import by_call, enters, every, leaves, on, on_date
from crmsdk.model.catalog import Catalog
from crmsdk.model.codec import content_hash, dumps, loads
from crmsdk.model.declared import AttributeSet, EventType, Prop
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import MessageKind
from crmsdk.model.money import Money
from crmsdk.segments.grammar import Segment
from crmsdk.segments.words import attr, did, prop
from tests.unit.journeys.stage import DAY, HOUR, START

BOUGHT = did("purchase").since_entry()
ZERO = timedelta(0)
SDK: Any = crmsdk
"""The names as a caller without a type checker finds them."""


class CartUpdated(EventType, name="cart_updated"):
    """A cart was changed."""

    cart_id: Prop[int]


class Shopper(AttributeSet):
    """What is known about shoppers."""

    renews: Prop[datetime]
    born: Prop[date]


def journey(*steps: Any, **changes: Any) -> Journey:
    given = {"enter": by_call(), "kind": "trigger", **changes}
    return Journey("test", steps=steps, **given)


# --------------------------------------------------------------------------------------- triggers


def test_names_are_said_by_text_or_by_declaration() -> None:
    assert on(CartUpdated, key=CartUpdated.cart_id) == on("cart_updated", key="cart_id")
    assert on_date(Shopper.renews) == on_date("renews")
    assert date_of(Shopper.renews, -DAY) == date_of("renews", -DAY)
    assert Catalog((CartUpdated,)).event("cart_updated") is not None
    for odd in ("", 7, object):
        with pytest.raises(DefinitionError, match="names no event"):
            on(odd)  # type: ignore[arg-type]  # the wrong kind is the point


def test_tests_and_questions_add_up() -> None:
    first, second = prop("a") == 1, prop("b") == 2
    assert on("x").where(first).where(second).tests == (first, second)
    one, other = attr("a").exists(), attr("b").exists()
    assert on("x").only_if(one).only_if(other).when == one & other


def test_an_absence_needs_a_span() -> None:
    for span in (ZERO, -HOUR):
        with pytest.raises(DefinitionError, match="within: unless needs a positive span"):
            on("x").unless("y", within=span)
    made = on("x").unless("y", prop("a") == 1, within=HOUR, anchor="first")
    assert (made.unless_event, made.within, made.anchor, len(made.unless_tests)) == ("y", HOUR, "first", 1)


def test_a_bare_predicate_of_a_segment_needs_a_name() -> None:
    vip = attr("vip").exists()
    assert enters(vip, "vip") == enters(Segment("vip", vip))
    assert leaves(vip, "vip").change == "leave"
    with pytest.raises(DefinitionError, match="needs a name"):
        enters(vip)


def test_a_time_of_day_is_local() -> None:
    assert on_date("day", at="08:30").at == time(8, 30)
    zoned = time(9, tzinfo=UTC)
    for make in (
        lambda: on_date("day", at=zoned),
        lambda: date_of("day", at=zoned),
        lambda: local_time(zoned),
    ):
        with pytest.raises(DefinitionError, match="at: the time of day is local"):
            make()


def test_a_schedule_is_a_cron_expression_that_comes_in_a_zone_there_is() -> None:
    for line in ("every monday", "0 0 10 * * mon", "0 10 * *", "0 0 30 2 *", ""):
        with pytest.raises(DefinitionError, match="is no cron expression"):
            every(line)
    with pytest.raises(UnknownZone, match="unknown time zone"):
        every("0 10 * * mon", zone="Europe/Moskau")
    assert every("0 10 * * mon", zone="Europe/Moscow").zone == "Europe/Moscow"


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (lambda: SDK.Wait(3), r"until: is int; give timedelta"),
        (lambda: SDK.Wait("10:00"), r"until: is str; give timedelta"),
        (lambda: SDK.WaitFor("paid", timeout=DAY), r"condition: is str; give a condition"),
        (lambda: SDK.WaitFor(BOUGHT, timeout=3), r"timeout: is int; give a span"),
        (lambda: SDK.WaitFor(BOUGHT, timeout=DAY, grace=3), r"grace: is int; give a span"),
        (lambda: SDK.HandOver("call", to="team", within=3), r"within: is int; give a span"),
        (lambda: SDK.When("vip", [Exit()]), r"condition: is str; give a condition"),
        (lambda: SDK.When(BOUGHT, Exit()), r"Exit stands alone; put it into a list"),
        (lambda: SDK.Split("x", [Arm("a", 1), Arm("b", 1)]), r"arms: give each arm by itself"),
        (lambda: SDK.date_of("renews", -1), r"offset: is int; give a span"),
        (lambda: date_of("renews", at="25:00"), r"at: '25:00' is no local time"),
        (lambda: local_time("ten"), r"at: 'ten' is no local time"),
        (lambda: on_date(Shopper.born, timedelta(hours=-5)), r"offset: only whole days move a date; say the"),
        (lambda: date_of(Shopper.born, timedelta(hours=5)), r"offset: only whole days move a date; say the"),
        (lambda: SDK.local_time(10), r"at: is int; give a local time as '09:00'"),
        (lambda: SDK.on_date("renews", at=10), r"at: is int; give a local time as '09:00'"),
        (lambda: SDK.Send("m", via=3), r"via: names no channel; give via='email'"),
        (lambda: SDK.Send("m", via=["email", 3]), r"via: names no channel; give via='email'"),
        (lambda: SDK.When([Exit()], BOUGHT), r"steps: is a condition, which goes first; give When\("),
        (lambda: SDK.When(BOUGHT, 3), r"steps: is int; give a list of steps"),
        (lambda: SDK.WaitFor(BOUGHT, timeout=DAY, then=3), r"then: is int; give a list of steps"),
        (lambda: SDK.Branch(When(BOUGHT, []), otherwise=[3]), r"otherwise: int is no step"),
        (lambda: SDK.HandOver("call", to="team", within=DAY, done=3), r"done: is int; give a list"),
        (lambda: SDK.HandOver("call", to="team", within=DAY, overdue=3), r"overdue: is int; give a list"),
        (lambda: SDK.on_date("renews", -1), r"offset: is int; give a span"),
        (lambda: on_date("renews", at="25:00"), r"at: '25:00' is no local time"),
        (lambda: Send("x", "email", kind="promos"), r"kind: unknown kind 'promos'; kinds are promo"),
        (lambda: journey(Exit(), kind="promos"), r"kind: unknown kind 'promos'; kinds are promo"),
        (lambda: journey(Exit(), enter="paid"), r"enter: str is no trigger; give on\('event'\)"),
        (lambda: journey(Exit(), enter=[on("paid"), BOUGHT]), r"enter: \w+ is no trigger"),
        (lambda: SDK.Journey("test", by_call(), Exit(), kind="promo"), r"steps: Exit stands alone"),
        (lambda: journey(Exit(), expires=24), r"expires: is int; give a span"),
        (lambda: journey(Exit(), lifetime=24), r"lifetime: is int; give a span"),
        (lambda: journey(Exit(), max_lateness=24), r"max_lateness: is int; give a span"),
        (lambda: journey(Exit(), priority="high"), r"priority: is str; give a whole number"),
        (lambda: journey(Exit(), overdue="maybe"), r"overdue: is 'maybe'; give one of send, skip, resch"),
        (lambda: journey(Exit(), entry="once"), r"entry: is str; give once\(\), after_exit\(\) or each_time"),
        (lambda: journey(Exit(), holdout="half"), r"holdout: is str; give a share as 0.1"),
        (
            lambda: attrs.evolve(SDK.once(), again="sometimes"),
            r"again: is 'sometimes'; give one of never, after_exit, always",
        ),
        (lambda: SDK.once(per=3), r"cooldown: is int; give a span"),
        (lambda: SDK.Send("x", "email", expires=24), r"expires: is int; give a span"),
        (lambda: SDK.Send("x", "email", priority=1.5), r"priority: is float; give a whole number"),
        (lambda: SDK.Send("x", "email", on_refusal="next"), r"on_refusal: is 'next'; give one of skip, exit"),
        (lambda: SDK.Wait(DAY, past="stop"), r"past: is 'stop'; give one of continue, exit"),
        (lambda: SDK.on("x").unless("y", within=3), r"within: is int; give a span"),
        (
            lambda: SDK.on("x").unless("y", within=DAY, anchor="newest"),
            r"anchor: is 'newest'; give one of first",
        ),
        (
            lambda: attrs.evolve(SDK.enters(did("x"), "x"), change="enters"),
            r"change: is 'enters'; give one of enter",
        ),
        (lambda: attrs.evolve(SDK.on("x"), max_age=24), r"max_age: is int; give a span"),
        (lambda: journey(Exit(), goal=True), r"goal: is bool; give a condition"),
        (lambda: journey(Exit(), exit="paid"), r"exit: is str; give a condition"),
    ],
)
def test_a_slip_is_told_where_it_is_written(slip: Callable[[], Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        slip()


# ------------------------------------------------------------------------------------------ steps


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Send("", "email"), "template: a message needs the name of its template"),
        (lambda: Send("a", ()), "via: a message needs a channel"),
        (lambda: Send("a", ("email", "")), "via: a message needs a channel"),
        (lambda: UntilLocal(time(9), frozenset()), "weekdays: weekdays are numbers"),
        (lambda: UntilLocal(time(9), frozenset({7})), "weekdays: weekdays are numbers"),
        (lambda: local_time("09:00", on="monday"), "on: 'monday' names no days"),
        (lambda: Wait(ZERO), "until: a wait needs a positive span"),
        (lambda: Wait(-HOUR), "until: a wait needs a positive span"),
        (lambda: WaitFor(BOUGHT, timeout=ZERO), "timeout: a wait needs a positive timeout"),
        (lambda: WaitFor(BOUGHT, timeout=DAY, grace=-HOUR), "grace: a grace is zero or positive"),
        (Branch, "arms: a branch needs at least one"),
        (lambda: Branch(BOUGHT), "arms: a branch needs at least one"),  # type: ignore[arg-type]  # the point
        (lambda: Split("x", Arm("a", 1)), "arms: a split needs at least two arms"),
        (lambda: Split("x", Arm("a", 1), Arm("a", 1)), "arms: a split needs at least two arms"),
        (lambda: Split("x", Arm("a", 1), Arm("b", -1)), "arms: weights are zero or positive"),
        (lambda: SDK.Arm("b", "1"), "weight: is str; give a number"),
        (lambda: SDK.Arm("b", True), "weight: is bool; give a number"),
        (lambda: Arm("", 1), "name: is empty; give non-empty text"),
        (lambda: Emit(""), "event: is empty; give non-empty text"),
        (lambda: SDK.Emit(None), "event: is NoneType; give non-empty text"),
        (lambda: Update("", 1), "attribute: is empty; give non-empty text"),
        (lambda: Update("crmsdk.zone", "UTC"), "attribute: is kept for crmsdk"),
        (lambda: Update("crmsdk", {"zone": "UTC"}), "attribute: is kept for crmsdk"),
        (lambda: SDK.Journey("a", by_call(), None, kind="promo"), "steps: is NoneType; give a list of steps"),
        (lambda: SDK.Journey("a", by_call(), "Send", kind="promo"), "steps: is str; give a list of steps"),
        (lambda: SDK.Journey(5, by_call(), [], kind="promo"), "name: a journey needs a name"),
        (lambda: Split("x", Arm("a", 0), Arm("b", 0)), "arms: weights are zero or positive"),
        (lambda: HandOver("a", to="b", within=ZERO), "within: a task needs a positive deadline"),
        (lambda: When(BOUGHT, ["a"]), "str is no step"),  # type: ignore[list-item]  # the point
        (lambda: journey("a"), "str is no step"),
        (
            lambda: Journey("", enter=by_call(), steps=(), kind=MessageKind.PROMO),
            "name: a journey needs a name",
        ),
        (lambda: journey(enter=()), "enter: a journey needs a trigger"),
        (lambda: journey(priority=101), "priority: priority lies between"),
        (lambda: journey(priority=-1), "priority: priority lies between"),
        (lambda: journey(expires=ZERO), "expires: is not positive"),
        (lambda: journey(lifetime=-DAY), "lifetime: is not positive"),
        (lambda: Holdout(1.1), "share: a share lies between"),
        (lambda: journey(holdout=-0.1), "share: a share lies between"),
    ],
)
def test_what_can_never_be_meant_is_refused_with_its_place(make: Any, said: str) -> None:
    with pytest.raises(DefinitionError, match=said.replace("(", r"\(")):
        make()


def test_a_fixed_moment_is_aware() -> None:
    with pytest.raises(NaiveMoment, match="'until': is a naive"):
        Wait(datetime(2026, 1, 1))  # noqa: DTZ001 - the point
    assert Wait(START).until == START


def test_what_stands_on_the_edge_is_taken() -> None:
    assert WaitFor(BOUGHT, timeout=timedelta(microseconds=1), grace=ZERO).timeout.microseconds == 1
    assert Split("x", Arm("a", 0), Arm("b", 0.5)).arms[1].weight == 0.5
    assert (journey(priority=0).priority, journey(priority=100).priority) == (0, 100)
    assert (Holdout(0).share, Holdout(1).share) == (0, 1)


def test_days_are_said_in_words() -> None:
    assert local_time("09:00").weekdays == frozenset(range(7))
    assert local_time("09:00", on="weekend").weekdays == {5, 6}
    assert local_time(time(9), on=("mon", "weekend")).weekdays == {0, 5, 6}


def test_entry_policies_say_what_they_mean() -> None:
    assert (once(), once(DAY)) == (Entry("never"), Entry("after_exit", DAY))
    assert (after_exit(), each_time()) == (Entry(), Entry("always"))


def test_a_share_alone_is_a_holdout() -> None:
    assert journey(holdout=0.1).holdout == Holdout(0.1)
    assert journey(holdout=None).holdout is None
    assert journey(holdout=Holdout(0.1, "x")).holdout == Holdout(0.1, "x")


# ------------------------------------------------------------------------------------------- text


EVERYTHING = Journey(
    "everything",
    enter=(
        on("cart", key="id")
        .where(prop("total") >= Money(1, "RUB"))
        .unless("pay", within=HOUR, anchor="first"),
        enters(Segment("vip", attr("vip").exists())).only_if(did("visit")),
        leaves(attr("vip").exists(), "vip"),
        on_date("birthday", -DAY, at="08:30"),
        every("0 10 * * mon", segment=did("visit"), zone="Europe/Moscow"),
        by_call(),
    ),
    steps=[
        Send(
            "a",
            ("email", "sms"),
            kind=MessageKind.SERVICE,
            values={"x": (1, Money(2, "RUB"), START)},
            key="a",
        ),
        Wait(DAY),
        Wait(START, past="exit"),
        Wait(local_time("09:00", on="weekdays")),
        Wait(UntilDate("day", -DAY, time(8)), key="w"),
        WaitFor(
            BOUGHT & attr("x").exists(), timeout=DAY, then=[Exit("y")], otherwise=[Wait(DAY)], grace=HOUR
        ),
        Branch(
            When(BOUGHT, [Update("vip", None)]),
            When(attr("x") == 1, []),
            otherwise=[Emit("e", {"n": 1})],
            key="b",
        ),
        Split("s", Arm("l", 1, [Exit()]), Arm("r", 0.5), key="s"),
        HandOver("call", to="sales", within=DAY, done=[Exit("d")], overdue=[Exit("o")]),
    ],
    kind=MessageKind.PROMO,
    goal=BOUGHT.within(7 * DAY),
    exit=~BOUGHT | did("bounce"),
    entry=once(DAY),
    holdout=Holdout(0.1, "x"),
    lifetime=30 * DAY,
    overdue="reschedule",
)


def test_every_trigger_and_step_comes_back_from_its_text() -> None:
    back = loads(dumps(EVERYTHING), Journey)
    assert back == EVERYTHING
    assert content_hash(back) == content_hash(EVERYTHING)
    assert isinstance(back.steps[6], Branch)
    assert isinstance(back.steps[7], Split)


@pytest.mark.parametrize("number", range(9))
def test_every_other_step_is_another_definition(number: int) -> None:
    fewer = attrs.evolve(EVERYTHING, steps=EVERYTHING.steps[:number] + EVERYTHING.steps[number + 1 :])
    assert content_hash(fewer) != content_hash(EVERYTHING)


# ---------------------------------------------------------------------------------------- program


def test_steps_lie_in_a_row_and_know_where_to_go_on() -> None:
    program = compiled(
        journey(
            Branch(When(BOUGHT, [Send("a", "email"), Wait(DAY)]), When(did("x"), []), otherwise=[Exit()]),
            WaitFor(BOUGHT, timeout=DAY, then=[Send("b", "email", key="b")]),
        )
    )
    rows = [(node.key, node.path, node.next, node.arms) for node in program.nodes]
    assert rows == [
        ("0", "steps[0]", 1, (2, 1, 4)),
        ("1", "steps[1]", END, (5, END)),
        ("0.arms.0.steps.0", "steps[0].arms[0].steps[0]", 3, ()),
        ("0.arms.0.steps.1", "steps[0].arms[0].steps[1]", 1, ()),
        ("0.otherwise.0", "steps[0].otherwise[0]", 1, ()),
        ("b", "steps[1].then[0]", END, ()),
    ]
    assert [node.index for node in program.nodes] == list(range(6))
    assert program.name == "test"
    assert program.hash == content_hash(program.journey)


def test_a_step_without_rows_has_no_arms() -> None:
    assert arms_of(Send("a", "email")) == ()
    assert [name for name, _ in arms_of(HandOver("a", to="b", within=DAY))] == ["done", "overdue"]
    assert key_at(Step(key="k"), "steps[0]") == "k"


def test_two_steps_with_one_key_do_not_compile() -> None:
    with pytest.raises(DefinitionError, match=r"steps\[1\]: the key 'a' is also that of steps\[0\]"):
        compiled(journey(Send("a", "email", key="a"), Send("b", "email", key="a")))


def test_a_program_reads_what_can_move_its_runs() -> None:
    program = compiled(
        journey(
            Wait(date_of("contract.ends")),
            WaitFor(attr("city") == "x", timeout=DAY),
            Branch(When(did("asked_once"), [])),
            goal=BOUGHT,
            exit=did("bounce"),
        )
    )
    assert program.rules.events == {"purchase", "bounce"}
    assert program.rules.attributes == {"contract.ends", "contract", "city"}
    assert both_names("a.b.c") == {"a.b.c", "a"}


def test_keys_are_one_text_a_value() -> None:
    values = (7, "7", 7.5, True, START, START.date(), Money(7, "RUB"), "", None)
    texts = [key_text(value) for value in values]
    assert len(set(texts)) == len(texts)
    assert key_text(None) == ""
    for odd in ((7,), {"id": 7}):
        with pytest.raises(DefinitionError, match="cannot be an entry key"):
            key_text(odd)


# --------------------------------------------------------------------------------------- programs


def programs(*made: Journey, older: Any = ()) -> Programs:
    return Programs.of(made, project=Project(zone="UTC"), older=older)


def test_journeys_are_found_by_what_starts_and_calls_off() -> None:
    absent = on("cart").unless("purchase", within=HOUR)
    made = programs(
        journey(
            enter=(absent, on("visit"), enters(did("x"), "x"), on_date("day"), every("0 9 * * *"), by_call())
        )
    )
    assert {name: [slot.index for slot in slots] for name, slots in made.on_event.items()} == {
        "cart": [0],
        "visit": [1],
    }
    assert {name: [slot.index for slot in slots] for name, slots in made.called_off.items()} == {
        "purchase": [0]
    }
    assert [index for _, index in made.watched] == [2, 3, 4]


def test_names_are_unique_and_older_versions_are_kept() -> None:
    with pytest.raises(DefinitionError, match="two journeys are named 'test'"):
        programs(journey(), journey(Wait(DAY)))
    made = programs(journey(), older=(journey(Wait(DAY)), journey()))
    assert list(made.active) == ["test"]
    assert made.pinned.keys() == {content_hash(journey()), content_hash(journey(Wait(DAY)))}
    assert made.active["test"] is made.pinned[content_hash(journey())]


def test_the_secret_of_a_project_is_not_shown() -> None:
    assert "hidden" not in repr(Project(zone="UTC", secret=b"hidden"))
    assert CustomerId("x") == "x"
