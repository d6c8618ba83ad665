"""Each check finds what is wrong, and lets pass what is right beside it."""

from datetime import timedelta as td
from math import inf
from typing import Any

import attrs
import pytest

from crmsdk.errors import CheckFailed
from crmsdk.journeys.checks import Surroundings, check, faults
from crmsdk.journeys.definition import Entry, Journey, once
from crmsdk.journeys.steps import (
    Arm,
    Branch,
    Emit,
    Exit,
    HandOver,
    Send,
    Split,
    Step,
    Update,
    Wait,
    WaitFor,
    When,
    date_of,
)
from crmsdk.journeys.triggers import by_call, enters, every, on, on_date
from crmsdk.model.catalog import Kinds
from crmsdk.model.message import MessageKind
from crmsdk.segments.grammar import Segment
from crmsdk.segments.words import account, attr, consent, did, everyone, nobody, prop

DAY = td(days=1)
BOUGHT = did("purchase").since_entry()
KINDS = Kinds(
    {
        "cart_updated": {"cart_id": "number", "total": "money", "where": "mapping", "tags": "list"},
        "purchase": {"cart_id": "number", "amount": "money"},
        "visit": {"page": "text"},
        "refund": {"cart_id": "text"},
    },
    {"city": "text", "birthday": "date", "renews": "moment", "vip": "boolean", "address": "mapping"},
)
PLAN = Surroundings(kinds=KINDS)


def journey(*steps: Step, enter: Any = None, **changes: Any) -> Journey:
    """Make a journey without a fault but for what a test adds."""
    made = Journey(
        "cart",
        enter=on("cart_updated", key="cart_id") if enter is None else enter,
        steps=steps or (Send("hello", "email"),),
        kind=MessageKind.TRIGGER,
        goal=BOUGHT,
        owner="crm team",
        kpi="revenue",
    )
    return attrs.evolve(made, **changes)


def found(made: Journey, surroundings: Surroundings | None = None) -> list[tuple[str, str]]:
    """Give path and severity of every fault."""
    listed = faults(made) if surroundings is None else faults(made, surroundings)
    return [(fault.path, fault.severity) for fault in listed]


def test_a_journey_without_faults_has_none() -> None:
    assert faults(journey(), PLAN) == ()
    assert check(journey(), PLAN) == ()


def test_all_faults_are_raised_at_once_and_warnings_are_given_back() -> None:
    broken = journey(Exit(), Send("hello", "email"), goal=None, owner="")
    with pytest.raises(CheckFailed) as error:
        check(broken)
    assert [fault.partition(":")[0] for fault in error.value.faults] == ["goal", "steps[1]"]
    assert [str(warning) for warning in check(journey(owner=""))] == [
        "owner: is empty; say who answers for the journey"
    ]


# ------------------------------------------------------------------------------------ the journey itself


def test_a_goal_is_needed_but_for_service() -> None:
    assert ("goal", "error") in found(journey(goal=None))
    assert found(journey(goal=None, kind="service")) == []


def test_owner_and_kpi_are_asked_for() -> None:
    assert found(journey(owner="", kpi="")) == [("owner", "warning"), ("kpi", "warning")]


def test_a_journey_needs_steps() -> None:
    assert found(attrs.evolve(journey(), steps=())) == [("steps", "error")]


def test_a_holdout_of_service_messages_is_suspicious() -> None:
    assert found(journey(holdout=0.1, kind="service")) == [("holdout", "warning")]
    assert found(journey(holdout=0.1)) == []


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        (Entry("always", DAY), True),
        (Entry("never", DAY), True),
        (Entry("after_exit", -DAY), True),
        (once(DAY), False),
        (once(), False),
    ],
)
def test_a_cooldown_must_mean_something(entry: Entry, wrong: bool) -> None:
    assert found(journey(entry=entry)) == ([("entry.cooldown", "error")] if wrong else [])


def test_a_trigger_must_let_somebody_in() -> None:
    assert found(journey(enter=on("visit").only_if(nobody))) == [("enter[0].when", "error")]
    assert found(journey(enter=on("visit").only_if(attr("vip") == True))) == []  # noqa: E712 - a definition


def test_a_trigger_stands_once() -> None:
    assert found(journey(enter=(on("visit"), on("visit")))) == [("enter[1]", "error")]
    assert found(journey(enter=(on("visit"), on("purchase")))) == []


def test_spans_are_not_negative() -> None:
    assert found(journey(max_lateness=-DAY)) == [("max_lateness", "error")]
    assert found(journey(max_lateness=td(0))) == []
    assert found(journey(enter=attrs.evolve(on("visit"), max_age=-DAY))) == [("enter[0].max_age", "error")]
    assert found(journey(enter=attrs.evolve(on("visit"), max_age=td(0)))) == []


@pytest.mark.parametrize("field", ["goal", "exit"])
def test_rules_that_can_hold_at_entry_are_named(field: str) -> None:
    for rule in (attr("vip") == True, ~BOUGHT & did("visit"), BOUGHT | did("visit")):  # noqa: E712 - a definition
        assert found(journey(**{field: rule})) == [(field, "warning")]
    for rule in (BOUGHT, BOUGHT & did("visit"), did("purchase").since_entry().at_least(2)):
        assert found(journey(**{field: rule})) == []


@pytest.mark.parametrize("field", ["goal", "exit"])
def test_rules_that_let_nobody_in_or_never_hold_are_errors(field: str) -> None:
    for rule in (~BOUGHT, everyone, did("purchase").since_entry().at_most(3), Segment("all", everyone)):
        assert found(journey(**{field: rule})) == [(field, "error")]
    for rule in (nobody, BOUGHT & nobody, ~(BOUGHT | everyone)):
        assert found(journey(**{field: rule})) == [(field, "error")]


def test_numbers_lie_on_their_scales() -> None:
    assert found(journey(Send("a", "email", priority=101))) == [("steps[0].priority", "error")]
    assert found(journey(Send("a", "email", priority=-1))) == [("steps[0].priority", "error")]
    assert found(journey(Send("a", "email", priority=100), Send("b", "email", priority=0))) == []
    assert found(journey(Send("a", "email", expires=td(0)))) == [("steps[0].expires", "error")]
    assert found(journey(Send("a", "email", expires=DAY))) == []
    assert found(journey(Send("a", ("email", "sms", "email")))) == [("steps[0].via", "error")]
    split = Split("x", Arm("a", 1, [Send("a", "email")]), Arm("b", inf, []))
    assert found(journey(split)) == [("steps[0].arms[1].weight", "error")]
    task = HandOver("", to="", within=DAY)
    assert found(journey(task)) == [("steps[0].task", "error"), ("steps[0].to", "error")]
    assert found(journey(HandOver("call", to="sales", within=DAY))) == []


def test_step_keys_are_unique_given_or_made() -> None:
    assert found(journey(Send("a", "email", key="k"), Send("b", "email", key="k"))) == [
        ("steps[1].key", "error")
    ]
    assert found(journey(Send("a", "email", key="@goal"))) == [("steps[0].key", "error")]
    # The key "0" is also the one made for the first step.
    assert found(journey(Send("a", "email"), Send("b", "email", key="0"))) == [("steps[1].key", "error")]
    assert found(journey(Send("a", "email", key="k"), Send("b", "email", key="l"))) == []


def test_one_template_twice_wants_keys() -> None:
    assert found(journey(Send("a", "email"), Wait(DAY), Send("a", "email"))) == [("steps[2]", "warning")]
    assert found(journey(Send("a", "email"), Wait(DAY), Send("a", "email", key="again"))) == []


def test_one_experiment_has_one_set_of_arms() -> None:
    def split(experiment: str, other: str, weight: float = 1) -> Split:
        return Split(experiment, Arm("a", 1, [Exit()]), Arm(other, weight))

    assert found(journey(split("x", "b"), split("x", "c"))) == [("steps[1].experiment", "error")]
    assert found(journey(split("x", "b"), split("x", "b", 2))) == [("steps[1].experiment", "error")]
    assert found(journey(split("x", "b"), split("x", "b"))) == []
    assert found(journey(split("x", "b"), split("y", "c"))) == []
    assert found(journey(split("", "b"))) == [("steps[0].experiment", "error")]


# ------------------------------------------------------------------------------------------- ways


OPENED = did("visit").since_entry()


@pytest.mark.parametrize(
    "before",
    [
        Exit(),
        Branch(When(OPENED, [Exit()]), otherwise=[Exit("other")]),
        Split("x", Arm("a", 1, [Send("b", "email"), Exit()]), Arm("c", 1, [Exit("c")])),
        WaitFor(OPENED, timeout=DAY, then=[Exit()], otherwise=[Exit("late")]),
        HandOver("call", to="sales", within=DAY, done=[Exit()], overdue=[Exit("late")]),
        Branch(When(everyone, [Exit()])),
        WaitFor(nobody, timeout=DAY, then=[], otherwise=[Exit()]),
    ],
)
def test_a_step_after_the_end_of_every_way_is_unreachable(before: Step) -> None:
    assert ("steps[1]", "error") in found(journey(before, Send("hello", "email")))
    assert ("steps[1]", "error") not in found(journey(before))


@pytest.mark.parametrize(
    "before",
    [
        Branch(When(OPENED, [Exit()])),
        Split("x", Arm("a", 1, [Exit()]), Arm("c", 1)),
        WaitFor(OPENED, timeout=DAY, then=[Exit()]),
        HandOver("call", to="sales", within=DAY, overdue=[Exit("late")]),
        Send("a", "email", on_refusal="exit"),
    ],
)
def test_a_step_after_an_open_way_is_reachable(before: Step) -> None:
    assert found(journey(before, Send("hello", "email"))) == []


def test_only_the_first_unreachable_step_of_a_row_is_named_also_inside() -> None:
    inner = Branch(When(OPENED, [Exit(), Wait(DAY), Wait(DAY)]), otherwise=[Send("hello", "email")])
    assert found(journey(inner)) == [("steps[0].arms[0].steps[1]", "error")]


def test_arms_nobody_gets_are_named() -> None:
    twice = Branch(When(OPENED, [Exit()]), When(OPENED, [Exit("b")]))
    assert found(journey(twice)) == [("steps[0].arms[1]", "error")]
    after_all = Branch(
        When(OPENED, [Exit()]), When(everyone, []), When(BOUGHT, [Exit("c")]), otherwise=[Exit("d")]
    )
    assert found(journey(after_all)) == [("steps[0].arms[2]", "error"), ("steps[0].otherwise", "error")]
    never = Branch(When(nobody, [Exit()]), otherwise=[])
    assert found(journey(never)) == [("steps[0].arms[0]", "error")]
    assert found(journey(Branch(When(OPENED, [Exit()]), When(BOUGHT, [Exit("b")])))) == []


def test_a_wait_for_what_is_certain_is_no_wait() -> None:
    assert found(journey(WaitFor(everyone, timeout=DAY))) == [("steps[0].condition", "error")]
    assert found(journey(WaitFor(nobody & attr("vip").exists(), timeout=DAY))) == [
        ("steps[0].condition", "error")
    ]
    assert found(journey(WaitFor(OPENED, timeout=DAY))) == []


def test_arms_that_do_the_same_compare_nothing() -> None:
    same = Split("x", Arm("a", 1, [Send("a", "email", key="1")]), Arm("b", 1, [Send("a", "email", key="2")]))
    assert found(journey(same)) == [("steps[0].arms[1]", "warning")]
    assert found(journey(Split("x", Arm("a", 1), Arm("b", 1)))) == [("steps[0].arms[1]", "warning")]
    assert found(journey(Split("x", Arm("a", 1), Arm("b", 1, [Send("b", "email")])))) == []
    assert found(journey(Branch(When(OPENED, [])))) == [("steps[0]", "warning")]
    assert found(journey(Branch(When(OPENED, [Exit()]), otherwise=[Exit("other")]))) == []


def test_a_wait_ends_within_the_lifetime_of_the_run() -> None:
    assert found(journey(Wait(2 * DAY), lifetime=2 * DAY)) == [("steps[0]", "error")]
    assert found(journey(Wait(DAY), lifetime=2 * DAY)) == []
    assert found(journey(WaitFor(OPENED, timeout=3 * DAY), lifetime=2 * DAY)) == [("steps[0]", "warning")]
    assert found(journey(HandOver("c", to="s", within=3 * DAY), lifetime=2 * DAY)) == [
        ("steps[0]", "warning")
    ]
    assert found(journey(WaitFor(OPENED, timeout=DAY), lifetime=2 * DAY)) == []


@pytest.mark.parametrize(
    ("faulty", "path"),
    [
        (journey(Wait(td.max)), "steps[0].until"),
        (journey(WaitFor(OPENED, timeout=td.max)), "steps[0].timeout"),
        (journey(WaitFor(OPENED, timeout=DAY, grace=td.max)), "steps[0].grace"),
        (journey(HandOver("call", to="shop", within=td.max)), "steps[0].within"),
        (journey(Send("a", "email", expires=td.max)), "steps[0].expires"),
        (journey(Wait(DAY), lifetime=td.max), "lifetime"),
        (journey(Wait(DAY), expires=td.max), "expires"),
        (journey(Wait(DAY), entry=once(td.max)), "entry.cooldown"),
        (journey(Wait(DAY), enter=on("cart_updated").unless("buy", within=td.max)), "enter[0].within"),
    ],
)
def test_a_span_does_not_lead_out_of_the_calendar(faulty: Journey, path: str) -> None:
    assert (path, "error") in found(faulty)


def test_a_journey_does_not_start_itself_at_once() -> None:
    again = Emit("cart_updated")
    assert found(journey(again)) == [("steps[0].event", "error")]
    assert found(journey(Branch(When(OPENED, [again, Exit()]), otherwise=[Wait(DAY)]))) == [
        ("steps[0].arms[0].steps[0].event", "error")
    ]
    assert found(journey(again, Wait(DAY), entry=Entry("always"))) == [("steps[0].event", "error")]
    assert found(journey(again, Wait(DAY))) == [("steps[0].event", "warning")]  # barred: already inside
    assert found(journey(Wait(DAY), again)) == [("steps[1].event", "warning")]
    assert found(journey(Send("a", "email"), again)) == [("steps[1].event", "error")]
    waits = WaitFor(OPENED, timeout=DAY, otherwise=[again])
    assert found(journey(waits)) == [("steps[0].otherwise[0].event", "warning")]
    tasks = Branch(When(OPENED, [Wait(DAY)]), otherwise=[Wait(DAY)])
    assert ("steps[1].event", "warning") in found(journey(tasks, again))
    assert found(journey(again, entry=once())) == []
    assert found(journey(Emit("visit"))) == []


# ------------------------------------------------------------------------------- the tracking plan


def test_nothing_is_checked_against_what_is_not_known() -> None:
    odd = journey(
        Send("nowhere", "pigeon", sender="nobody"),
        Wait(date_of("no_attribute")),
        Update("no_attribute", 1),
        Emit("no_event"),
        enter=on("no_event", key="no_key"),
    )
    assert [path for path, severity in found(odd) if severity == "error"] == []


def test_events_of_triggers_are_declared() -> None:
    (fault,) = faults(journey(enter=on("cart_update")), PLAN)
    assert str(fault) == "enter[0].event: event 'cart_update' is not declared; did you mean 'cart_updated'?"
    absent = on("visit").unless("purchas", within=DAY)
    assert found(journey(enter=absent), PLAN) == [("enter[0].unless_event", "error")]
    assert found(journey(enter=on("visit").unless("purchase", within=DAY)), PLAN) == []


def test_tests_of_triggers_compare_with_what_is_declared() -> None:
    assert found(journey(enter=on("visit").where(prop("pge") == "x")), PLAN) == [("enter[0].event", "error")]
    assert found(journey(enter=on("visit").where(prop("page") == 3)), PLAN) == [("enter[0].event", "error")]
    assert found(journey(enter=on("visit").where(prop("page") == "x")), PLAN) == []


def test_conditions_ask_for_what_is_declared() -> None:
    wrong = attr("cty") == "x"
    for made, path in (
        (journey(exit=wrong & OPENED), "exit"),
        (journey(goal=did("purchse").since_entry().any_key()), "goal"),
        (journey(WaitFor(wrong, timeout=DAY)), "steps[0].condition"),
        (
            journey(Branch(When(OPENED, []), When(wrong, [Exit()])), enter=on("visit")),
            "steps[0].arms[1].condition",
        ),
        (journey(enter=on("visit").only_if(wrong)), "enter[0].when"),
        (journey(enter=enters(wrong, "x")), "enter[0].segment"),
    ):
        assert (path, "error") in found(made, PLAN)
    right = attr("city") == "x"
    assert found(journey(WaitFor(right & consent("email", "promo"), timeout=DAY)), PLAN) == []
    assert found(journey(enter=enters(right, "x").only_if(right)), PLAN) == []
    assert found(journey(enter=every("0 9 * * *", segment=right)), PLAN) == []


def test_events_of_the_runtime_need_no_declaration() -> None:
    opened = did("message_opened").where(prop("step") == "0", prop("machine") == False)  # noqa: E712 - a definition
    waits = WaitFor(opened.since_entry().any_key(), timeout=DAY)
    answered = When(did("task_answered").where(prop("answer") == "yes"), [Exit()])
    assert found(journey(waits, Branch(answered)), PLAN) == []


def test_what_a_loose_plan_does_not_declare_is_a_warning() -> None:
    loose = attrs.evolve(PLAN, strict=False)
    made = journey(
        Wait(date_of("no_date")), Update("no_attribute", 1), enter=on("no_event").where(prop("a") == 1)
    )
    assert set(found(made, loose)) == {
        ("enter[0].event", "warning"),
        ("steps[0].until.attribute", "warning"),
        ("steps[1].attribute", "warning"),
    }
    assert found(journey(enter=on("visit").where(prop("page") == 3)), loose) == [("enter[0].event", "error")]


def test_the_key_is_a_plain_property_of_the_trigger() -> None:
    assert found(journey(enter=on("cart_updated", key="cart")), PLAN)[0] == ("enter[0].key", "error")
    for key in ("where", "tags"):
        assert ("enter[0].key", "error") in found(
            journey(enter=on("cart_updated", key=key), goal=BOUGHT.any_key()), PLAN
        )
    assert found(journey(enter=on("cart_updated", key="where.id"), goal=BOUGHT.any_key()), PLAN) == []
    assert found(journey(enter=on("no_event", key="x"), goal=BOUGHT.any_key()), PLAN) == [
        ("enter[0].event", "error")
    ]


def test_the_key_stands_in_events_that_call_off() -> None:
    lost = on("cart_updated", key="cart_id").unless("visit", within=DAY)
    assert found(journey(enter=lost), PLAN) == [("enter[0].unless_event", "error")]
    other = on("cart_updated", key="cart_id").unless("refund", within=DAY)
    assert found(journey(enter=other), PLAN) == [("enter[0].unless_event", "error")]
    right = on("cart_updated", key="cart_id").unless("purchase", within=DAY)
    assert found(journey(enter=right), PLAN) == []


def test_the_key_stands_in_events_counted_since_entry() -> None:
    assert found(journey(exit=OPENED), PLAN) == [("exit", "error")]
    assert found(journey(exit=OPENED.any_key()), PLAN) == []
    assert found(journey(exit=OPENED, enter=on("cart_updated")), PLAN) == []
    assert found(journey(exit=did("refund").since_entry()), PLAN) == [("exit", "error")]
    # Found once, however many triggers have the key.
    two = (on("cart_updated", key="cart_id"), on("purchase", key="cart_id"))
    assert found(journey(exit=OPENED, enter=two), PLAN) == [("exit", "error")]


def test_a_date_that_never_comes_is_a_wait_that_cannot_end() -> None:
    for name, wrong in (("birthdy", True), ("city", True), ("birthday", False), ("renews", False)):
        assert found(journey(Wait(date_of(name))), PLAN) == (
            [("steps[0].until.attribute", "error")] if wrong else []
        )
        assert found(journey(enter=on_date(name)), PLAN) == (
            [("enter[0].attribute", "error")] if wrong else []
        )
    assert found(journey(Wait(date_of("address.since"))), PLAN) == []


def test_only_whole_days_move_a_date() -> None:
    hours = td(hours=-5)
    assert found(journey(Wait(date_of("birthday", hours))), PLAN) == [("steps[0].until.offset", "error")]
    assert found(journey(enter=on_date("birthday", hours)), PLAN) == [("enter[0].offset", "error")]
    for name, offset in (("birthday", -3 * DAY), ("renews", hours)):
        assert found(journey(Wait(date_of(name, offset)), enter=on_date(name, offset)), PLAN) == []


def test_a_lost_key_is_answered_by_the_properties_there_are() -> None:
    for key, said in (("cart", "did you mean 'cart_id'"), ("xyz", "there are cart_id")):
        with pytest.raises(CheckFailed, match=said):
            check(journey(enter=on("cart_updated", key=key)), PLAN)


def test_what_is_written_is_declared() -> None:
    assert found(journey(Update("vip", True)), PLAN) == []
    assert found(journey(Update("vip", None)), PLAN) == []
    assert found(journey(Update("vip", "yes")), PLAN) == [("steps[0].attribute", "error")]
    assert found(journey(Update("vipp", True)), PLAN) == [("steps[0].attribute", "error")]
    assert found(journey(Emit("visit", {"page": "x"})), PLAN) == []
    assert found(journey(Emit("visti")), PLAN) == [("steps[0].event", "error")]
    assert found(journey(Emit("visit", {"pge": "x"})), PLAN) == [("steps[0].values", "error")]
    assert found(journey(Emit("visit", {"page": 1})), PLAN) == [("steps[0].values", "error")]


# ---------------------------------------------------------------------------------------- messages


FILES = {"hello": {"email.en": frozenset({"city", "total"}), "email.ru": frozenset({"city"})}}
CONTENT = Surroundings(
    kinds=KINDS, variables=FILES, channels=frozenset({"email", "telegram"}), senders=frozenset({"news"})
)


def test_a_template_exists_for_each_channel() -> None:
    assert found(journey(), CONTENT) == []
    (fault,) = faults(journey(Send("helo", "email")), CONTENT)
    assert str(fault) == "steps[0].template: there is no template 'helo'; did you mean 'hello'?"
    (fault,) = faults(journey(Send("hello", ("email", "telegram"))), CONTENT)
    assert str(fault) == (
        "steps[0].template: template 'hello' has no text for channel 'telegram'; add hello/telegram.<locale>"
    )


def test_a_channel_has_an_adapter() -> None:
    surroundings = attrs.evolve(CONTENT, variables=None)
    assert found(journey(Send("hello", ("email", "telegram"))), surroundings) == []
    (fault,) = faults(journey(Send("hello", ("email", "telegramm"))), surroundings)
    assert str(fault) == "steps[0].via: channel 'telegramm' has no adapter; did you mean 'telegram'?"


def test_a_sender_is_registered() -> None:
    assert found(journey(sender="news"), CONTENT) == []
    assert found(journey(sender="newz"), CONTENT) == [("sender", "error")]
    assert found(journey(Send("hello", "email", sender="newz")), CONTENT) == [("steps[0].sender", "error")]
    assert found(journey(Send("hello", "email", sender="news")), CONTENT) == []
    assert found(journey(Send("hello", "email", sender="")), CONTENT) == []


def test_a_variable_is_supplied_by_payload_attribute_value_or_link() -> None:
    def files(*names: str) -> Surroundings:
        return attrs.evolve(CONTENT, variables={"hello": {"email.en": frozenset(names)}})

    assert found(journey(), files("total", "city")) == []
    assert found(journey(Send("hello", "email", values={"code": "X"})), files("code")) == []
    assert found(journey(), files("code")) == [("steps[0]", "error")]
    assert found(journey(), files("unsubscribe_url")) == [("steps[0]", "error")]
    linked = attrs.evolve(files("unsubscribe_url"), links=frozenset({"unsubscribe_url"}))
    assert found(journey(), linked) == []
    (fault,) = faults(journey(), files("totl"))
    assert str(fault) == (
        "steps[0]: hello/email.en needs 'totl', and a run begun by enter[0] has no such value; "
        "did you mean 'total'?"
    )


def test_a_variable_is_supplied_however_the_run_began() -> None:
    two = (on("cart_updated"), on("visit"))
    (fault,) = faults(journey(enter=two), CONTENT)
    assert "enter[1]" in str(fault)
    assert found(journey(enter=enters(attr("city") == "x", "x")), CONTENT) == [("steps[0]", "error")]
    assert found(journey(enter=by_call()), CONTENT) == [("steps[0]", "warning")]
    assert found(journey(enter=on("visit")), attrs.evolve(CONTENT, strict=False)) == [("steps[0]", "warning")]
    # Of an event nobody declared, nobody knows the payload; the name alone is a fault.
    assert found(journey(enter=on("no_event")), CONTENT) == [("enter[0].event", "error")]


def test_variables_are_not_checked_without_a_tracking_plan() -> None:
    assert found(journey(enter=on("visit")), attrs.evolve(CONTENT, kinds=None)) == []


def test_a_promo_email_without_an_unsubscribe_link_is_warned_of() -> None:
    promo = Journey(
        "promo",
        enter=on("signed_up"),
        kind="promo",
        goal=did("bought").since_entry(),
        steps=[Send("hi", "email")],
    )
    for needed, warned in ((frozenset[str](), True), (frozenset({"unsubscribe_url"}), False)):
        surroundings = Surroundings(variables={"hi": {"email.en": needed}}, links={"unsubscribe_url"})
        found = [fault for fault in faults(promo, surroundings) if "unsubscribe link" in fault.sentence]
        assert [fault.severity for fault in found] == (["warning"] if warned else [])


def test_a_journey_nested_without_end_is_told_so() -> None:
    steps: list[Step] = [Exit()]
    for _ in range(300):
        steps = [Branch(When(did("x"), steps))]
    (fault,) = faults(Journey("deep", on("x"), steps, kind="promo"))
    assert fault.severity == "error"
    assert fault.path.startswith("steps[0].arms[0].steps[0]")
    assert fault.sentence == "is nested deeper than 100 levels; flatten the definition"


def test_a_run_knows_no_other_people() -> None:
    asked = account.others.any(did("visit"))
    for made, path in (
        (journey(enter=enters(Segment("busy", attr("vip").exists() & ~asked))), "enter[0].segment"),
        (journey(enter=every("0 10 * * mon", segment=asked)), "enter[0].when"),
        (journey(exit=asked | BOUGHT), "exit"),
        (journey(Branch(When(asked, [Send("hello", "email")]))), "steps[0].arms[0].condition"),
        (journey(WaitFor(asked, timeout=DAY), Send("hello", "email")), "steps[0].condition"),
    ):
        assert (path, "error") in found(made)
    with pytest.raises(CheckFailed, match="put those found on a list"):
        check(journey(exit=asked))
