"""Rules resolved for messages of one shape: integers and texts, and nothing left to look up."""

from datetime import timedelta

import pytest

from crmsdk.policy.answer import Reason
from crmsdk.policy.plans import Plan, make_plan
from crmsdk.policy.record import Check, Option, field_index
from crmsdk.policy.rules import ContactField, Period, Rule, cap, inactive_only, opt_in, quiet
from crmsdk.policy.ruleset import ContactPolicy

HOUR = timedelta(hours=1)
IN_AN_HOUR = 3_600_000_000
SHAPE = ("email", "promo", "sale", "shop", "welcome", "", "shoes")
CHANNEL, KIND, SENDER, TOPIC = (
    field_index(field)
    for field in (ContactField.CHANNEL, ContactField.KIND, ContactField.SENDER, ContactField.TOPIC)
)
EVERY_KIND = ("promo", "content", "trigger", "service")


def plan_of(*rules: Rule, consent: str = "opt_out") -> Plan:
    return make_plan(ContactPolicy(*rules, counts=EVERY_KIND, consent=consent), SHAPE, "")


def test_shape_that_leaves_a_field_out_is_a_fault() -> None:
    with pytest.raises(ValueError, match="shorter"):
        make_plan(ContactPolicy(), SHAPE[:-1], "")


def test_rule_about_everything_compares_nothing() -> None:
    check = Check("r", Reason.CAPPED, 2, IN_AN_HOUR, None, 0, (), None, "")
    assert plan_of(cap(2, within=HOUR, id="r")) == Plan(Option("email", (check,)), obeys=True)


def test_rule_compares_what_it_filters_and_what_it_is_per_in_the_order_of_fields() -> None:
    (check,) = plan_of(
        cap(2, within=HOUR, topic=["shoes", "hats"], channel="email", per="sender")
    ).option.checks
    assert check.filters == (
        (CHANNEL, frozenset({"email"})),
        (SENDER, frozenset({"shop"})),
        (TOPIC, frozenset({"shoes", "hats"})),
    )


def test_what_is_not_counted_is_filtered_out() -> None:
    policy = ContactPolicy(cap(2, within=HOUR, kind=["promo", "service"]), counts=["promo", "content"])
    (check,) = make_plan(policy, SHAPE, "").option.checks
    assert check.filters == ((KIND, frozenset({"promo"})),)


def test_limit_of_different_values_holds_the_value_of_the_message() -> None:
    check = Check("r", Reason.DISTINCT, 2, IN_AN_HOUR, None, 0, (), SENDER, "shop")
    assert plan_of(cap(2, within=HOUR, distinct="sender", id="r")).option.checks == (check,)


def test_calendar_limits_wait_for_a_zone_and_stay_out_of_the_option() -> None:
    check = Check("r", Reason.CAPPED, 2, 0, None, 0, (), None, "")
    plan = plan_of(cap(2, each="week", id="r"))
    assert (plan.option, plan.calendar) == (Option("email", ()), ((Period.WEEK, check),))


def test_rules_of_other_messages_are_left_out() -> None:
    others = plan_of(
        cap(1, within=HOUR, channel="sms"),
        cap(1, within=HOUR, per="campaign"),
        quiet("21:00", "08:00", kinds="content"),
        inactive_only("winback", channels="sms"),
        opt_in(purposes="news"),
    )
    assert others == Plan(Option("email", ()), obeys=True)


def test_plan_holds_the_other_rules_by_what_they_ask() -> None:
    night, active, consent = quiet("21:00", "08:00"), inactive_only("winback"), opt_in(id="law")
    plan = plan_of(consent, active, night)
    assert (plan.nights, plan.inactive, plan.opt_in) == ((night,), (active,), "law")
    assert plan_of(night, consent="opt_in").opt_in == "no_consent"
    assert plan_of(consent, consent="opt_in").opt_in == "law", "the rule that was written is named first"


def test_message_that_obeys_nothing_has_an_empty_plan() -> None:
    policy = ContactPolicy(cap(1, within=HOUR), quiet("21:00", "08:00"), obeys="content", consent="opt_in")
    assert make_plan(policy, SHAPE, "") == Plan(Option("email", ()), obeys=False)
