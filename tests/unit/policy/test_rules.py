"""Rules as values: what can be written, what is refused, and how it is named and stored."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import content_hash, dumps, loads, schema
from crmsdk.model.message import MessageKind
from crmsdk.policy.rules import (
    Applies,
    Cap,
    ContactField,
    Distinct,
    InactiveOnly,
    OptIn,
    Period,
    Quiet,
    cap,
    inactive_only,
    opt_in,
    quiet,
)
from crmsdk.policy.ruleset import ConsentMode, ContactPolicy, default_policy

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def test_builders_make_the_values() -> None:
    assert cap(6, within=WEEK) == Cap(6, within=WEEK)
    assert cap(4, within=WEEK, channel="email", per="sender", id="x") == Cap(
        4, within=WEEK, applies=Applies(channel="email"), per="sender", id="x"
    )
    assert cap(2, each="day") == Cap(2, each=Period.DAY)
    assert cap(2, within=DAY, distinct="channel") == Distinct(2, within=DAY, of=ContactField.CHANNEL)
    night = quiet("21:00", "08:00", kinds="promo", channels=["sms", "push"])
    assert night == Quiet("21:00", "08:00", applies=Applies(kind="promo", channel=("push", "sms")))
    assert inactive_only("winback") == InactiveOnly(("winback",))
    assert opt_in(channels="sms") == OptIn(applies=Applies(channel="sms"))


@pytest.mark.parametrize("field", list(ContactField))
def test_filters_of_a_cap_are_what_its_builder_was_told(field: ContactField) -> None:
    told: dict[str, Any] = {field.value: "promo"}
    for rule in (cap(1, within=DAY, **told), cap(1, within=DAY, distinct="channel", **told)):
        assert rule.applies == Applies(**told)
        assert rule.applies.filters() == ((field, ("promo",)),)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: cap(6, within=WEEK), "cap-6-7d"),
        (lambda: cap(4, within=WEEK, channel="email", per="sender"), "cap-4-7d-email-per-sender"),
        (lambda: cap(1, each="month", topic=["b", "a"], channel="sms"), "cap-1-each-month-sms-a+b"),
        (lambda: cap(2, within=timedelta(hours=1), distinct="channel"), "distinct-2-channel-1h"),
        (lambda: cap(2, within=DAY, distinct="channel", per="kind"), "distinct-2-channel-1d-per-kind"),
        (lambda: cap(2, within=DAY, distinct="kind", channel="sms"), "distinct-2-kind-1d-sms"),
        (lambda: quiet("21:00", "08:00"), "quiet-21:00-08:00"),
        (
            lambda: quiet("00:00", "24:00", weekdays=[6, 5], kinds="promo"),
            "quiet-00:00-24:00-on-56-promo",
        ),
        (lambda: inactive_only("winback"), "inactive-only-winback"),
        (lambda: inactive_only(["win", "back"], channels="sms"), "inactive-only-back+win-sms"),
        (opt_in, "opt-in"),
        (lambda: opt_in(channels="sms", purposes="sale"), "opt-in-sms-sale"),
        (lambda: cap(1, within=DAY, id="mine"), "mine"),
        (lambda: cap(1, within=DAY, distinct="channel", id="mine"), "mine"),
        (lambda: quiet("21:00", "08:00", id="mine"), "mine"),
        (lambda: inactive_only("winback", id="mine"), "mine"),
        (lambda: opt_in(id="mine"), "mine"),
    ],
)
def test_ids_are_given_or_derived(make: Callable[[], Any], name: str) -> None:
    assert make().id == name


def test_window_may_be_ten_years_long() -> None:
    assert isinstance(cap(1, within=3660 * DAY), Cap)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cap(0, within=DAY, id="r"), "rule 'r': a limit below 1"),
        (lambda: cap(-1, within=DAY, id="r"), "rule 'r': a limit below 1"),
        (lambda: cap(True, within=DAY, id="r"), "rule 'r': the limit is bool"),
        (lambda: cap("6", within=DAY, id="r"), "rule 'r': the limit is str"),  # type: ignore[arg-type]  # the point
        (lambda: cap(1, within=timedelta(0), id="r"), "rule 'r': a window of no length"),
        (lambda: cap(1, within=-DAY, id="r"), "rule 'r': a window of no length"),
        (lambda: cap(1, within=3661 * DAY, id="r"), "rule 'r': the window is longer"),
        (lambda: cap(1, within=7, id="r"), "rule 'r': the window is int"),  # type: ignore[arg-type]  # the point
        (lambda: cap(1, within=7), "rule 'cap-1-int': the window is int"),  # type: ignore[arg-type]  # the point
        (lambda: cap(1, id="r"), "rule 'r': give either within"),
        (lambda: cap(1, within=DAY, each="day", id="r"), "rule 'r': give either within"),
        (lambda: cap(1, each="year", id="r"), "rule 'r': each: unknown period 'year'"),  # type: ignore[arg-type]  # the point
        (lambda: cap(1, within=DAY, per="city", id="r"), "rule 'r': unknown field 'city'"),
        (
            lambda: cap(1, within=DAY, kind="spam", id="r"),
            "rule 'r': kind: unknown kind 'spam'; kinds are promo, content, trigger, service",
        ),
        (lambda: cap(1, within=DAY, kind="spam"), "rule 'cap': .*unknown kind 'spam'"),
        (
            lambda: cap(1, within=DAY, kind="spam", distinct="channel"),
            "rule 'distinct': .*unknown kind 'spam'",
        ),
        (
            lambda: cap(1, within=DAY, per="city"),
            "rule 'cap': unknown field 'city'; contacts differ by channel, kind, purpose, sender, journey",
        ),
        (lambda: cap(1, within=DAY, each="day", distinct="channel"), "rule 'distinct': different values"),
        (lambda: cap(1, each="day", distinct="channel", id="r"), "rule 'r': different values"),
        (lambda: cap(1, within=DAY, distinct="colour", id="r"), "rule 'r': unknown field 'colour'"),
        (lambda: cap(1, within=DAY, distinct="", id="r"), "rule 'r': unknown field ''"),
        (lambda: cap(1, within=DAY, distinct="topic", id="r"), "rule 'r': a message may have no topic"),
        (lambda: cap(1, within=DAY, distinct="channel", per="channel", id="r"), "rule 'r': one channel per"),
        (lambda: cap(0, within=DAY, distinct="channel", id="r"), "rule 'r': a limit below 1"),
        (lambda: cap(0, within=DAY, distinct="channel"), "rule 'distinct-0-channel-1d': a limit below 1"),
        (lambda: cap(1, within=-DAY, distinct="channel", id="r"), "rule 'r': a window of no length"),
        (lambda: Distinct(1, within=DAY, of=None), "of: names no field"),  # type: ignore[arg-type]  # the point
        (lambda: quiet("9:00", "08:00", id="r"), "rule 'r': start is no local time"),
        (lambda: quiet("21:00", "25:00", id="r"), "rule 'r': end is no local time"),
        (lambda: quiet("24:00", "08:00", id="r"), "rule 'r': a quiet time cannot start at 24:00"),
        (lambda: quiet("08:00", "08:00", id="r"), "rule 'r': start and end are equal"),
        (lambda: quiet("00:00", "24:00", id="r"), "rule 'r': it is quiet all day"),
        (lambda: quiet("08:00", "07:00", weekdays=[], id="r"), "rule 'r': weekdays are"),
        (lambda: quiet("08:00", "07:00", weekdays=[7], id="r"), r"rule 'r': weekdays are 0 \(Monday\)"),
        (lambda: quiet("21:00", "08:00", kinds=["promo", "spam"], id="r"), "rule 'r': .*unknown kind 'spam'"),
        (lambda: inactive_only("winback", kinds="spam", id="r"), "rule 'r': .*unknown kind 'spam'"),
        (lambda: inactive_only("winback", kinds="spam"), "rule 'inactive-only': .*unknown kind 'spam'"),
        (lambda: opt_in(kinds="spam", id="r"), "rule 'r': .*unknown kind 'spam'"),
        (lambda: opt_in(kinds="spam"), "rule 'opt-in': .*unknown kind 'spam'"),
    ],
)
def test_impossible_rule_is_refused_with_its_id(make: Callable[[], object], message: str) -> None:
    with pytest.raises(DefinitionError, match=f"^{message}"):
        make()


def test_quiet_almost_all_day_is_allowed() -> None:
    assert quiet("00:00", "23:59").minutes()[0] == (0, 1439)
    assert quiet("00:00", "24:00", weekdays=range(6)).weekdays == (0, 1, 2, 3, 4, 5)


def test_quiet_minutes_wrap_at_the_end_of_the_week() -> None:
    assert quiet("22:00", "06:00", weekdays=[6]).minutes() == ((6 * 1440 + 1320, 10080), (0, 360))
    assert quiet("22:00", "24:00", weekdays=[6]).minutes() == ((6 * 1440 + 1320, 10080),)


def test_policy_refuses_an_id_twice() -> None:
    with pytest.raises(DefinitionError, match="rule 'cap-1-1d': the id is taken"):
        ContactPolicy(cap(1, within=DAY), cap(1, within=DAY))
    with pytest.raises(DefinitionError, match="rule 'a': the id is taken"):
        ContactPolicy(audiences={"b2b": [cap(1, within=DAY, id="a"), cap(2, within=DAY, id="a")]})


def test_policy_refuses_an_id_that_is_a_reason() -> None:
    with pytest.raises(DefinitionError, match="rule 'suppressed': the id is taken"):
        ContactPolicy(cap(1, within=DAY, id="suppressed"))


def test_policy_refuses_quiet_times_that_leave_nothing_open() -> None:
    day, night = quiet("08:00", "21:00", id="day"), quiet("21:00", "08:00", id="night")
    with pytest.raises(DefinitionError, match="rules 'day', 'night': together they leave promo no time"):
        ContactPolicy(day, night)
    sms = quiet("08:00", "21:00", channels="sms", id="day")
    with pytest.raises(DefinitionError, match="leave promo on sms no time of the week"):
        ContactPolicy(sms, night)
    with pytest.raises(DefinitionError, match="leave promo no time"):
        ContactPolicy(day, audiences={"b2b": [night]})
    content = [quiet("08:00", "21:00", kinds="content"), quiet("21:00", "08:00", kinds="content")]
    with pytest.raises(DefinitionError, match="leave content no time"):
        ContactPolicy(*content)


def test_quiet_times_of_different_messages_do_not_add_up() -> None:
    promo = quiet("08:00", "21:00", kinds="promo")
    assert ContactPolicy(promo, quiet("21:00", "08:00", kinds="content")).rules
    assert ContactPolicy(
        quiet("08:00", "21:00", channels="sms"), quiet("21:00", "08:00", channels="push")
    ).rules
    service = quiet("21:00", "08:00", kinds="service")
    assert ContactPolicy(quiet("08:00", "21:00", kinds="service"), service).rules
    some = Quiet("21:00", "08:00", applies=Applies(topic="sale"))
    assert ContactPolicy(quiet("08:00", "21:00"), some).rules


def test_switches_have_defaults_and_refuse_unknown_kinds() -> None:
    policy = ContactPolicy()
    assert MessageKind.SERVICE not in policy.obeys
    assert MessageKind.SERVICE not in policy.counts
    assert len(policy.obeys) == len(policy.counts) == 3
    assert ContactPolicy(obeys=["service", "promo"]).obeys == (MessageKind.PROMO, MessageKind.SERVICE)
    assert ContactPolicy(counts="promo").counts == (MessageKind.PROMO,)
    assert policy.consent is ConsentMode.OPT_OUT
    with pytest.raises(DefinitionError, match=r"^unknown kind 'spam'; kinds are promo, content, trigger"):
        ContactPolicy(obeys=["spam"])
    with pytest.raises(DefinitionError, match=r"^consent: unknown consent 'maybe'"):
        ContactPolicy(consent="maybe")


def test_audience_rules_replace_those_of_the_same_id_and_join_the_others() -> None:
    week, night = cap(6, within=WEEK, id="week"), quiet("21:00", "08:00", id="night")
    fewer, extra = cap(2, within=WEEK, id="week"), cap(1, within=DAY, id="day")
    policy = ContactPolicy(week, night, audiences={"employer": [extra, fewer]})
    assert policy.rules_for("employer") == (fewer, night, extra)
    assert policy.rules_for("seeker") == (week, night)
    assert policy.rule_ids() == ("week", "night")


def test_policy_names_its_channels_and_how_far_it_looks_back() -> None:
    policy = ContactPolicy(
        cap(6, within=WEEK, channel=["email", "sms"]),
        quiet("21:00", "08:00", channels="push"),
        audiences={"b2b": [cap(1, within=30 * DAY, id="x")]},
    )
    assert policy.channels() == {"email", "sms", "push"}
    assert policy.longest_window() == 30 * DAY
    assert ContactPolicy(cap(1, each="day")).longest_window() >= timedelta(days=31, hours=1)
    assert ContactPolicy(cap(2, within=WEEK, distinct="channel")).longest_window() == WEEK
    assert ContactPolicy(inactive_only("winback"), opt_in()).longest_window() == timedelta(0)
    assert ContactPolicy().longest_window() == timedelta(0)


def test_policy_round_trips_through_json() -> None:
    policy = ContactPolicy(
        *default_policy().rules,
        cap(2, each="week", topic="jobs", per="campaign"),
        quiet("00:00", "24:00", weekdays=[5, 6], channels="call"),
        opt_in(channels="sms", purposes="sale"),
        obeys=["promo", "content"],
        consent="opt_in",
        audiences={"employer": [cap(1, within=WEEK, id="all-week")]},
    )
    text = dumps(policy)
    assert loads(text, ContactPolicy) == policy
    assert content_hash(loads(text, ContactPolicy)) == content_hash(policy)
    assert content_hash(policy) != content_hash(default_policy())
    assert isinstance(hash(policy), int)
    assert schema(ContactPolicy)


def test_order_of_values_does_not_change_the_hash() -> None:
    one = ContactPolicy(cap(1, within=DAY, channel=["a", "b"]), obeys=["promo", "content"])
    other = ContactPolicy(cap(1, within=DAY, channel=["b", "a", "a"]), obeys=["content", "promo"])
    assert content_hash(one) == content_hash(other)


def test_stored_policy_is_judged_again() -> None:
    text = dumps(ContactPolicy(cap(1, within=DAY))).replace('"limit":1', '"limit":0')
    with pytest.raises(DefinitionError, match="a limit below 1"):
        loads(text, ContactPolicy)


def test_default_policy_is_that_of_the_mission() -> None:
    assert default_policy().rules == (
        cap(6, within=WEEK, id="all-week"),
        cap(2, within=timedelta(hours=1), distinct="channel", id="channels-hour"),
        cap(4, within=WEEK, channel="email", per="sender", id="email-sender-week"),
        quiet("21:00", "08:00", kinds=["promo", "content", "trigger"], id="night"),
        inactive_only("winback", id="winback-only"),
    )


@pytest.mark.parametrize("given", [[cap(1, within=DAY)], "night", None])
def test_what_is_no_rule_is_named(given: Any) -> None:
    with pytest.raises(DefinitionError, match=f"{type(given).__name__} is no rule; give cap"):
        ContactPolicy(given)
    with pytest.raises(DefinitionError, match="is no rule"):
        ContactPolicy(audiences={"employer": [given]})
