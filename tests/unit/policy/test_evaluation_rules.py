"""What each rule counts, whom it holds for, and what no rule lets through."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from crmsdk.model.consent import ConsentState
from crmsdk.model.ids import MessageId
from crmsdk.policy.answer import Blocked, Reason, Ruling
from crmsdk.policy.record import Suppression
from crmsdk.policy.request import ContactFacts
from crmsdk.policy.rules import cap, inactive_only, opt_in, quiet
from crmsdk.policy.ruleset import ContactPolicy, default_policy
from tests.unit.policy.deciding import ANN, DAY, HOUR, NOON, asked, contact, decide, said


def test_calendar_cap_counts_the_persons_own_day() -> None:
    policy = ContactPolicy(cap(1, each="day", id="day"))
    past = [contact("a", datetime(2026, 3, 1, 23, tzinfo=UTC))]
    tokyo, utc = ContactFacts(zones="Asia/Tokyo"), ContactFacts(zones=("UTC",))
    assert decide(policy, facts=utc, contacts=past).allowed
    deferred = decide(policy, facts=tokyo, contacts=past)
    assert deferred.until == datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert deferred.blocked[0].since == datetime(2026, 3, 1, 15, tzinfo=UTC) - timedelta(microseconds=1)
    both = ContactFacts(zones=("UTC", "Asia/Tokyo"))
    assert decide(policy, facts=both, contacts=past).until == deferred.until


def test_zones_with_the_same_day_are_one_obstacle() -> None:
    policy = ContactPolicy(cap(1, each="day", id="day"))
    facts = ContactFacts(zones=("Asia/Tokyo", "Asia/Seoul", "UTC"))
    decision = decide(policy, facts=facts, contacts=[contact("a", NOON - HOUR)])
    assert [each.until for each in decision.blocked] == [
        datetime(2026, 3, 2, 15, tzinfo=UTC),
        datetime(2026, 3, 3, tzinfo=UTC),
    ]


@pytest.mark.parametrize(("each", "opens"), [("week", (2026, 3, 9)), ("month", (2026, 4, 1))])
def test_calendar_week_and_month_end_at_local_midnight(each: Any, opens: tuple[int, int, int]) -> None:
    policy = ContactPolicy(cap(1, each=each))
    assert decide(policy, contacts=[contact("a", NOON - HOUR)]).until == datetime(*opens, tzinfo=UTC)


def test_filters_choose_the_message_and_what_is_counted() -> None:
    policy = ContactPolicy(cap(1, within=DAY, channel="email", topic="jobs"))
    jobs = contact("a", NOON - HOUR, topic="jobs")
    assert not decide(policy, asked(topic="jobs"), contacts=[jobs]).allowed
    assert decide(policy, asked(topic="jobs", channels="sms"), contacts=[jobs]).allowed
    assert decide(policy, asked(topic="news"), contacts=[jobs]).allowed
    assert decide(policy, asked(topic="jobs"), contacts=[jobs._replace(topic="news")]).allowed
    assert decide(policy, asked(topic="jobs"), contacts=[jobs._replace(channel="sms")]).allowed


@pytest.mark.parametrize("field", ["journey", "campaign", "topic"])
def test_cap_per_group_is_silent_about_messages_without_a_group(field: str) -> None:
    policy = ContactPolicy(cap(1, within=DAY, per=field))
    past = [contact("a", NOON - HOUR), contact("b", NOON - HOUR, **{field: "x"})]
    assert decide(policy, asked(), contacts=past).allowed
    assert not decide(policy, asked(**{field: "x"}), contacts=past).allowed
    assert decide(policy, asked(**{field: "y"}), contacts=past).allowed


def test_cap_per_sender_counts_the_default_sender_as_one() -> None:
    policy = ContactPolicy(cap(1, within=DAY, per="sender"))
    past = [contact("a", NOON - HOUR)]
    assert not decide(policy, asked(), contacts=past).allowed
    assert decide(policy, asked(sender="shop"), contacts=past).allowed


def test_cap_per_field_that_is_filtered_too_counts_the_own_value_only() -> None:
    policy = ContactPolicy(cap(1, within=DAY, sender=["a", "b"], per="sender"))
    past = [contact("x", NOON - HOUR, sender="a")]
    assert not decide(policy, asked(sender="a"), contacts=past).allowed
    assert decide(policy, asked(sender="b"), contacts=past).allowed


def test_one_more_channel_within_the_span_is_one_too_many() -> None:
    policy = ContactPolicy(cap(2, within=HOUR, distinct="channel", id="channels"))
    past = [contact("a", NOON - HOUR / 2), contact("b", NOON - HOUR / 4, channel="sms")]
    decision = decide(policy, asked(channels=["push", "sms"]), contacts=past)
    assert (decision.outcome, decision.channel) == (Ruling.ALLOW, "sms")
    blocked = Blocked(
        rule="channels",
        reason=Reason.DISTINCT,
        channel="push",
        limit=2,
        used=2,
        since=NOON - HOUR,
        messages=(MessageId("a"), MessageId("b")),
        until=NOON + HOUR / 2,
    )
    assert decision.blocked == (blocked,)
    assert decide(policy, asked(channels="push"), contacts=past).until == NOON + HOUR / 2
    assert decide(policy, asked(channels="push"), contacts=past[1:]).allowed


def test_cap_of_some_kinds_counts_no_others() -> None:
    policy = ContactPolicy(cap(1, within=DAY, kind=["promo", "service"]))
    for kind, allowed in (("promo", False), ("content", True), ("service", True)):  # service is not counted
        assert decide(policy, contacts=[contact("a", NOON - HOUR, kind=kind)]).allowed is allowed


def test_cap_per_kind_counts_no_kind_that_is_not_counted() -> None:
    policy = ContactPolicy(cap(1, within=DAY, per="kind"), obeys=["promo", "service"])
    past = [contact("a", NOON - HOUR, kind="service")]
    assert decide(policy, asked(kind="service"), contacts=past).allowed
    assert decide(policy, asked(kind="promo"), contacts=past).allowed
    assert not decide(policy, asked(kind="promo"), contacts=[contact("a", NOON - HOUR)]).allowed


def test_rules_of_an_audience_hold_for_its_people_only() -> None:
    policy = ContactPolicy(cap(2, within=DAY, id="day"), audiences={"b2b": [cap(1, within=DAY, id="day")]})
    past = [contact("a", NOON - HOUR)]
    assert not decide(policy, asked(audience="b2b"), contacts=past).allowed
    assert decide(policy, asked(audience="b2c"), contacts=past).allowed
    assert decide(policy, asked(), contacts=past).allowed


def test_two_switches_are_independent() -> None:
    limit = cap(1, within=DAY)
    service, promo = contact("s", NOON - HOUR, kind="service"), contact("p", NOON - HOUR)
    plain = ContactPolicy(limit)
    assert decide(plain, contacts=[service]).allowed
    assert decide(plain, asked(kind="service"), contacts=[promo]).allowed
    counted = ContactPolicy(limit, counts=["promo", "service"])
    assert not decide(counted, contacts=[service]).allowed
    assert decide(counted, asked(kind="service"), contacts=[promo]).allowed
    obeying = ContactPolicy(limit, obeys=["promo", "service"])
    assert decide(obeying, contacts=[service]).allowed
    assert not decide(obeying, asked(kind="service"), contacts=[promo]).allowed
    every_kind = ContactPolicy(limit, counts=["promo", "content", "trigger", "service"])
    assert not decide(every_kind, contacts=[service]).allowed
    service_rule = ContactPolicy(cap(1, within=DAY, kind="service"), obeys=["service"])
    assert decide(service_rule, asked(kind="service"), contacts=[service]).allowed


def test_service_obeys_suppression_and_nothing_else() -> None:
    policy = ContactPolicy(quiet("11:00", "13:00"), inactive_only("winback"), consent="opt_in")
    facts = ContactFacts(active=False, consents=[said(ConsentState.WITHDRAWN)])
    assert decide(policy, asked(kind="service"), facts).allowed
    stopped = attrs.evolve(facts, suppressed=["email"])
    decision = decide(policy, asked(kind="service"), stopped)
    assert (decision.outcome, decision.reason) == (Ruling.REFUSE, Reason.SUPPRESSED)


@pytest.mark.parametrize(
    ("suppression", "stopped"),
    [
        (Suppression(customer=ANN), True),
        (Suppression(customer=ANN, channel="sms"), False),
        (Suppression(customer=ANN, purpose="sale"), False),
        (Suppression(customer=ANN, purpose="promo"), True),
        (Suppression(address="h1"), True),
        (Suppression(address="h1", channel="sms"), False),
        (Suppression(address="h2"), False),
    ],
)
def test_suppression_of_the_ledger_refuses_for_good(suppression: Suppression, stopped: bool) -> None:
    facts = ContactFacts(addresses={"email": "h1"})
    decision = decide(ContactPolicy(), facts=facts, suppressions=[suppression])
    refusal = Blocked(rule="suppressed", reason=Reason.SUPPRESSED, channel="email")
    assert decision.blocked == ((refusal,) if stopped else ())
    assert decision.allowed != stopped


@pytest.mark.parametrize("suppressed", ["email", "*"])
def test_suppression_known_from_outside_refuses(suppressed: str) -> None:
    decision = decide(ContactPolicy(), facts=ContactFacts(suppressed={suppressed}))
    assert decision.reason is Reason.SUPPRESSED
    assert decision.blocked[0].rule == "suppressed"


@pytest.mark.parametrize(
    ("state", "opt_out", "opt_in_"),
    [
        (ConsentState.UNKNOWN, True, False),
        (ConsentState.PENDING, False, False),
        (ConsentState.GRANTED, True, True),
        (ConsentState.DENIED, False, False),
        (ConsentState.WITHDRAWN, False, False),
    ],
)
def test_consent_by_mode(state: ConsentState, opt_out: bool, opt_in_: bool) -> None:
    facts = ContactFacts(consents=[said(state)])
    assert decide(ContactPolicy(), facts=facts).allowed is opt_out
    refused = decide(ContactPolicy(consent="opt_in"), facts=facts)
    assert refused.allowed is opt_in_
    assert refused.reason is (None if opt_in_ else Reason.NO_CONSENT)


def test_nobody_asked() -> None:
    assert decide(ContactPolicy()).allowed
    assert decide(ContactPolicy(consent="opt_in")).reason is Reason.NO_CONSENT


def test_opt_in_may_be_required_of_some_messages() -> None:
    policy = ContactPolicy(opt_in(channels="sms", id="sms-law"))
    assert decide(policy).allowed
    refused = decide(policy, asked(channels="sms"))
    assert refused.reason is Reason.NO_CONSENT
    assert refused.blocked[0].rule == "sms-law"
    granted = ContactFacts(consents=[said(ConsentState.GRANTED, channel="sms", purpose="promo")])
    assert decide(policy, asked(channels="sms"), granted).allowed
    assert not decide(policy, asked(channels="sms", purpose="other"), granted).allowed


def test_consent_dated_later_counts_from_then() -> None:
    facts = ContactFacts(
        consents=[said(ConsentState.DENIED), said(ConsentState.GRANTED, NOON + HOUR, channel="email")]
    )
    decision = decide(ContactPolicy(), facts=facts)
    assert (decision.outcome, decision.until) == (Ruling.DEFER, NOON + HOUR)
    late = attrs.evolve(facts, consents=[*facts.consents, said(ConsentState.WITHDRAWN, NOON + HOUR / 2)])
    assert decide(ContactPolicy(), facts=late).until == NOON + HOUR
    night = ContactPolicy(quiet("11:00", "13:00"))
    withdrawn = ContactFacts(consents=[said(ConsentState.WITHDRAWN, NOON + HOUR / 2)])
    refused = decide(night, facts=withdrawn)
    assert (refused.outcome, refused.reason) == (Ruling.REFUSE, Reason.NO_CONSENT)
    assert refused.blocked == (
        Blocked(rule="quiet-11:00-13:00", reason=Reason.QUIET, channel="email", until=NOON + HOUR),
        Blocked(rule="no_consent", reason=Reason.NO_CONSENT, channel="email"),
    )


@pytest.mark.parametrize(
    ("active", "purpose", "allowed"),
    [(False, "promo", False), (False, "winback", True), (True, "promo", True), (None, "promo", True)],
)
def test_r79_inactive_people_get_only_win_back(active: bool | None, purpose: str, allowed: bool) -> None:
    facts = ContactFacts(active=active)
    decision = decide(default_policy(), asked(purpose=purpose), facts)
    assert decision.allowed is allowed
    if not allowed:
        assert (decision.outcome, decision.reason) == (Ruling.REFUSE, Reason.INACTIVE)
        assert decision.blocked[0].rule == "winback-only"


def test_channel_without_an_address_is_passed_over() -> None:
    facts = ContactFacts(addresses={"sms": "h"})
    decision = decide(ContactPolicy(), asked(channels=["email", "sms"]), facts)
    unreachable = Blocked(rule="no_address", reason=Reason.NO_ADDRESS, channel="email")
    assert (decision.channel, decision.blocked) == ("sms", (unreachable,))
    none = decide(ContactPolicy(), facts=attrs.evolve(facts, addresses={}))
    assert (none.outcome, none.reason) == (Ruling.REFUSE, Reason.NO_ADDRESS)
    why = decide(ContactPolicy(), asked(channels=["email", "sms"]), attrs.evolve(facts, suppressed=["sms"]))
    assert why.reason is Reason.SUPPRESSED
