"""What a policy decides, and that "when it would be allowed" is neither too early nor too late."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from crmsdk.errors import InputError, NaiveMoment, UnknownZone
from crmsdk.model.codec import content_hash
from crmsdk.model.consent import ConsentState, ConsentWrite
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.policy.answer import Blocked, Decision, Reason, Ruling
from crmsdk.policy.evaluation import Evaluator
from crmsdk.policy.record import Contact, ContactState, Standing, Suppression, field_index
from crmsdk.policy.request import NOTHING_KNOWN, ContactFacts, ContactRequest
from crmsdk.policy.rules import ContactField, cap, inactive_only, opt_in, quiet
from crmsdk.policy.ruleset import ContactPolicy, default_policy

ANN = CustomerId("ann")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
FIELDS = {"customer": ANN, "kind": "promo", "channels": "email"}


def asked(name: str = "m0", **fields: Any) -> ContactRequest:
    return ContactRequest(message_id=MessageId(name), **{**FIELDS, **fields})


def contact(name: str, at: datetime, **fields: Any) -> Contact:
    made = Contact(
        to_micros(at), "email", "promo", "promo", "", "", "", "", MessageId(name), 50, ContactState.SENT, 0, 1
    )
    return made._replace(**fields)


def decide(
    policy: ContactPolicy,
    request: ContactRequest | None = None,
    facts: ContactFacts = NOTHING_KNOWN,
    *,
    contacts: Sequence[Contact] = (),
    suppressions: Sequence[Suppression] = (),
    now: datetime = NOON,
    zone: str = "UTC",
) -> Decision:
    standing = Standing(now=to_micros(now), contacts=tuple(contacts), suppressions=frozenset(suppressions))
    return Evaluator(policy, zone=zone).decide(request or asked(), facts, standing)


def test_empty_policy_allows_by_the_first_channel() -> None:
    decision = decide(ContactPolicy(), asked(channels=["sms", "email"]))
    assert (decision.outcome, decision.channel, decision.blocked) == (Ruling.ALLOW, "sms", ())
    assert decision.allowed
    assert decision.reason is None
    assert decision.until is None


def test_cap_defers_with_all_its_reasons() -> None:
    policy = ContactPolicy(cap(2, within=WEEK, id="week"))
    past = [contact("a", NOON - 6 * DAY), contact("b", NOON - 2 * DAY), contact("c", NOON - DAY)]
    decision = decide(policy, contacts=past)
    assert decision.outcome is Ruling.DEFER
    assert decision.reason is Reason.CAPPED
    assert decision.until == NOON - 2 * DAY + WEEK
    assert decision.blocked == (
        Blocked(
            rule="week",
            reason=Reason.CAPPED,
            channel="email",
            limit=2,
            used=3,
            since=NOON - WEEK,
            messages=(MessageId("a"), MessageId("b"), MessageId("c")),
            until=NOON - 2 * DAY + WEEK,
        ),
    )
    assert not decision.allowed


def test_every_blocking_rule_is_listed_and_the_last_to_end_names_the_reason() -> None:
    policy = ContactPolicy(
        cap(1, within=HOUR, id="hour"), quiet("11:00", "13:00", id="noon"), cap(1, within=WEEK)
    )
    decision = decide(policy, contacts=[contact("a", NOON - HOUR / 2)])
    assert [each.rule for each in decision.blocked] == ["noon", "hour", "cap-1-7d"]
    assert decision.reason is Reason.CAPPED
    assert decision.until == datetime(2026, 3, 9, 13, tzinfo=UTC)  # 11:30 a week later is quiet again


def test_until_jumps_from_obstacle_to_obstacle() -> None:
    policy = ContactPolicy(cap(1, within=10 * HOUR), quiet("21:00", "08:00"))
    decision = decide(policy, contacts=[contact("a", NOON)], now=NOON + HOUR)
    assert decision.until == datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert [each.rule for each in decision.blocked] == ["cap-1-10h"]


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
    facts = ContactFacts(active=False, consents=[_said(ConsentState.WITHDRAWN)])
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


def _said(state: ConsentState, at: datetime = NOON - DAY, **fields: str) -> ConsentWrite:
    return ConsentWrite(state=state, at=at, id=f"c-{at}", **fields)


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
    facts = ContactFacts(consents=[_said(state)])
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
    granted = ContactFacts(consents=[_said(ConsentState.GRANTED, channel="sms", purpose="promo")])
    assert decide(policy, asked(channels="sms"), granted).allowed
    assert not decide(policy, asked(channels="sms", purpose="other"), granted).allowed


def test_consent_dated_later_counts_from_then() -> None:
    facts = ContactFacts(
        consents=[_said(ConsentState.DENIED), _said(ConsentState.GRANTED, NOON + HOUR, channel="email")]
    )
    decision = decide(ContactPolicy(), facts=facts)
    assert (decision.outcome, decision.until) == (Ruling.DEFER, NOON + HOUR)
    late = attrs.evolve(facts, consents=[*facts.consents, _said(ConsentState.WITHDRAWN, NOON + HOUR / 2)])
    assert decide(ContactPolicy(), facts=late).until == NOON + HOUR
    night = ContactPolicy(quiet("11:00", "13:00"))
    withdrawn = ContactFacts(consents=[_said(ConsentState.WITHDRAWN, NOON + HOUR / 2)])
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


def test_fallback_takes_the_first_allowed_channel_and_else_the_earliest() -> None:
    policy = ContactPolicy(
        cap(1, within=DAY, channel="email"),
        cap(1, within=HOUR, channel="sms"),
        cap(1, within=WEEK, channel="push"),
    )
    past = [contact(name, NOON - HOUR / 2, channel=name) for name in ("email", "sms", "push")]
    request = asked(channels=["push", "email", "sms"])
    without_email = decide(policy, request, contacts=past[1:])
    assert (without_email.channel, [each.channel for each in without_email.blocked]) == ("email", ["push"])
    deferred = decide(policy, request, contacts=past)
    assert deferred.until == NOON + HOUR / 2
    assert [each.channel for each in deferred.blocked] == ["push", "email", "sms"]


def test_channels_that_open_together_are_held_back_for_the_reason_of_the_preferred_one() -> None:
    policy = ContactPolicy(quiet("11:00", "13:00", channels="sms"), cap(1, within=2 * HOUR, channel="email"))
    past = [contact("a", NOON - HOUR)]
    for channels, reason in ((["sms", "email"], Reason.QUIET), (["email", "sms"], Reason.CAPPED)):
        decision = decide(policy, asked(channels=channels), contacts=past)
        assert (decision.until, decision.reason) == (NOON + HOUR, reason)


def test_first_of_the_reasons_that_have_no_end_is_named() -> None:
    facts = ContactFacts(addresses={}, suppressed={"email"}, active=False)
    decision = decide(ContactPolicy(inactive_only("winback")), facts=facts)
    assert decision.reason is Reason.NO_ADDRESS
    assert [each.reason for each in decision.blocked] == [
        Reason.NO_ADDRESS,
        Reason.SUPPRESSED,
        Reason.INACTIVE,
    ]


def test_expiry() -> None:
    policy = ContactPolicy(cap(1, within=DAY))
    past = [contact("a", NOON - HOUR)]
    opens = NOON - HOUR + DAY
    assert decide(policy, asked(expires=NOON, channels=["sms", "email"])) == Decision(
        outcome=Ruling.REFUSE,
        reason=Reason.EXPIRED,
        blocked=(Blocked(rule="expired", reason=Reason.EXPIRED, channel="sms"),),
        policy=content_hash(policy),
    )
    assert decide(policy, asked(expires=NOON + HOUR)).allowed
    late = decide(policy, asked(expires=opens), contacts=past)
    assert (late.outcome, late.reason, late.blocked[0].rule) == (Ruling.REFUSE, Reason.EXPIRED, "cap-1-1d")
    assert (late.until, late.policy) == (None, content_hash(policy))
    just = decide(policy, asked(expires=opens + timedelta(microseconds=1)), contacts=past)
    assert (just.outcome, just.until) == (Ruling.DEFER, opens)


def _own(state: ContactState, *, lease: datetime = NOON, channel: str = "email") -> Contact:
    over = 0 if state is ContactState.SENT else to_micros(lease)
    return contact("m0", NOON - DAY, state=state, lease=over, channel=channel)


def test_message_that_was_sent_is_a_duplicate() -> None:
    decision = decide(ContactPolicy(), asked(expires=NOON), contacts=[_own(ContactState.SENT)])
    assert (decision.outcome, decision.reason) == (Ruling.REFUSE, Reason.DUPLICATE)
    assert decision.blocked[0].messages == ("m0",)


def test_message_that_is_being_sent_waits_for_its_lease() -> None:
    busy = _own(ContactState.SENDING, lease=NOON + HOUR)
    policy = ContactPolicy(cap(1, within=WEEK))
    assert decide(policy, contacts=[busy]) == Decision(
        outcome=Ruling.DEFER,
        until=NOON + HOUR,
        reason=Reason.BUSY,
        blocked=(
            Blocked(
                rule="busy",
                reason=Reason.BUSY,
                channel="email",
                messages=(MessageId("m0"),),
                until=NOON + HOUR,
            ),
        ),
        policy=content_hash(policy),
    )
    night = decide(ContactPolicy(quiet("12:30", "16:00", channels="email")), contacts=[busy])
    assert night.until == NOON + 4 * HOUR
    stopped = decide(ContactPolicy(), contacts=[busy], suppressions=[Suppression(customer=ANN)])
    assert (stopped.outcome, stopped.reason, stopped.until) == (Ruling.DEFER, Reason.BUSY, NOON + HOUR)
    expired = decide(ContactPolicy(), asked(expires=NOON + HOUR), contacts=[busy])
    assert (expired.outcome, expired.reason, expired.until) == (Ruling.REFUSE, Reason.EXPIRED, None)


def test_message_in_doubt_goes_again_by_its_own_channel_unchecked() -> None:
    policy = ContactPolicy(cap(1, within=WEEK))
    doubt = _own(ContactState.SENDING, channel="sms")
    decision = decide(policy, asked(channels=["email", "sms"]), contacts=[doubt, contact("a", NOON - HOUR)])
    assert (decision.outcome, decision.channel, decision.blocked) == (Ruling.ALLOW, "sms", ())
    night = ContactPolicy(quiet("11:00", "13:00", channels="sms"))
    waits = decide(night, asked(channels=["email", "sms"]), contacts=[doubt])
    assert (waits.outcome, waits.until) == (Ruling.DEFER, NOON + HOUR)
    lost = decide(policy, asked(channels=["email"]), contacts=[doubt])
    assert (lost.outcome, lost.reason, lost.blocked[0].channel) == (Ruling.REFUSE, Reason.DUPLICATE, "sms")


def test_candidate_zones_that_are_never_open_together_refuse() -> None:
    facts = ContactFacts(zones=("UTC", "Etc/GMT-8", "Etc/GMT+8"))
    decision = decide(ContactPolicy(quiet("21:00", "08:00")), facts=facts)
    assert (decision.outcome, decision.reason, decision.until) == (Ruling.REFUSE, Reason.QUIET, None)
    assert decision.blocked[-1].until is None


def test_unknown_zone_is_an_error_with_its_name() -> None:
    with pytest.raises(UnknownZone, match=r"^field 'zones': .*Mars"):
        decide(ContactPolicy(quiet("21:00", "08:00")), facts=ContactFacts(zones="Mars"))
    with pytest.raises(UnknownZone, match=r"^field 'zone': .*Mars"):
        Evaluator(ContactPolicy(), zone="Mars")


def test_evaluator_tells_what_it_decides_by() -> None:
    policy = ContactPolicy(cap(1, within=DAY))
    evaluator = Evaluator(policy, zone="UTC")
    assert (evaluator.policy, evaluator.hash) == (policy, content_hash(policy))
    assert repr(evaluator.looks_back) == "86400000000", "whole microseconds"
    assert evaluator._plan.cache_info().maxsize == 4096, "memory is bounded"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"channels": []}, "field 'channels': must name one channel"),
        ({"channels": ["email", "email"]}, "field 'channels': must name one channel"),
        ({"channels": ""}, "field 'channels': must name one channel"),
        ({"kind": "spam"}, "field 'kind': is no kind of message; kinds are promo, content, trigger, service"),
        ({"customer": ""}, "field 'customer': is empty; give the customer's id"),
    ],
)
def test_request_says_what_is_wrong(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        asked(**fields)
    with pytest.raises(InputError, match=r"^field 'message_id': is empty; give the id that every attempt"):
        asked("")
    with pytest.raises(NaiveMoment, match="'expires'"):
        asked(expires=datetime(2026, 3, 2))  # noqa: DTZ001 - the point


def test_request_fills_in_what_is_left_out() -> None:
    request = asked(channels="sms")
    assert (request.channels, request.purpose, request.expires) == (("sms",), "promo", None)


def test_addresses_stay_out_of_reprs() -> None:
    facts = ContactFacts(addresses={"email": "secret-hash"})
    assert "secret-hash" not in repr(facts) + repr(Suppression(address="secret-hash"))


def test_suppression_names_one_thing() -> None:
    for both in ({}, {"customer": ANN, "address": "h"}):
        with pytest.raises(InputError, match=r"^field 'suppression': must name either a customer or"):
            Suppression(**both)  # type: ignore[arg-type]  # the point


def test_options_are_the_channels_that_only_the_ledger_can_close() -> None:
    policy = ContactPolicy(
        cap(1, within=DAY), cap(1, each="day", channel="sms"), quiet("11:00", "13:00", channels="push")
    )
    evaluator = Evaluator(policy, zone="UTC")
    request = asked(channels=["push", "email", "sms"])
    options = evaluator.options(request, NOTHING_KNOWN, now=to_micros(NOON))
    assert [(each.channel, len(each.checks)) for each in options] == [("email", 1), ("sms", 2)]
    assert options[1].checks[1].ends == to_micros(NOON + 12 * HOUR)
    assert evaluator.options(asked(expires=NOON), NOTHING_KNOWN, now=to_micros(NOON)) == ()
    assert field_index(ContactField.KIND) in {index for index, _ in options[0].checks[0].filters}


# ------------------------------------------------------------------------------------------- properties

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
START = datetime(2026, 10, 24, 18, tzinfo=UTC)  # before the clocks change in Berlin, Lord Howe changed
CHANNELS = ["email", "sms", "push"]
SPANS = [timedelta(minutes=30), HOUR, 10 * HOUR, DAY, WEEK]

some_rules = st.lists(
    st.one_of(
        st.builds(
            cap,
            st.integers(1, 3),
            within=st.sampled_from(SPANS),
            channel=st.sampled_from([(), "email", ["sms", "push"]]),
            per=st.sampled_from([None, "sender", "kind", "campaign"]),
            id=st.uuids().map(str),
        ),
        st.builds(
            cap,
            st.integers(1, 3),
            each=st.sampled_from(["day", "week", "month"]),
            per=st.sampled_from([None, "channel"]),
            id=st.uuids().map(str),
        ),
        st.builds(
            cap,
            st.integers(1, 2),
            within=st.sampled_from(SPANS[:3]),
            distinct=st.just("channel"),
            id=st.uuids().map(str),
        ),
        st.builds(
            quiet,
            st.sampled_from(["21:00", "23:30"]),
            st.sampled_from(["02:30", "08:00", "20:00"]),
            channels=st.sampled_from([(), "sms"]),
            weekdays=st.sampled_from([range(7), [5, 6], [6]]),
            id=st.uuids().map(str),
        ),
    ),
    max_size=4,
)
policies = st.builds(
    ContactPolicy,
    rules=some_rules,
    counts=st.sampled_from([["promo", "content", "trigger"], ["promo", "service"]]),
    consent=st.sampled_from(["opt_out", "opt_out", "opt_in"]),
)
all_facts = st.builds(
    ContactFacts,
    zones=st.lists(st.sampled_from(ZONES), max_size=2, unique=True),
    consents=st.lists(
        st.builds(
            ConsentWrite,
            channel=st.sampled_from(["*", "email"]),
            purpose=st.sampled_from(["*", "promo"]),
            state=st.sampled_from(ConsentState),
            at=st.sampled_from([START - DAY, START + HOUR, START + 3 * DAY]),
            id=st.sampled_from(["c1", "c2"]),
        ),
        max_size=2,
    ),
    suppressed=st.sampled_from([(), (), (), ("sms",)]),
)
histories = st.lists(
    st.tuples(
        st.sampled_from([timedelta(0), timedelta(microseconds=1), HOUR / 2, HOUR, 3 * HOUR, DAY, 6 * DAY]),
        st.sampled_from(CHANNELS),
        st.sampled_from(["promo", "service"]),
        st.sampled_from(["", "shop"]),
    ),
    max_size=6,
).map(
    lambda found: sorted(
        contact(f"p{n}", START - ago, channel=channel, kind=kind, sender=sender)
        for n, (ago, channel, kind, sender) in enumerate(found)
    )
)
requests = st.builds(
    lambda channels, kind, campaign: asked(channels=channels, kind=kind, campaign=campaign),
    st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=3, unique=True),
    st.sampled_from(["promo", "service"]),
    st.sampled_from(["", "spring"]),
)
owns = st.sampled_from([None, None, None, START - HOUR, START + 2 * HOUR]).map(
    lambda lease: (
        []
        if lease is None
        else [contact("m0", START - 2 * HOUR, state=ContactState.SENDING, lease=to_micros(lease))]
    )
)


@given(
    policy=policies,
    facts=all_facts,
    history=histories,
    request=requests,
    own=owns,
    zone=st.sampled_from(ZONES),
)
def test_until_is_the_first_moment_at_which_a_reserve_succeeds(
    *,
    policy: ContactPolicy,
    facts: ContactFacts,
    history: list[Contact],
    request: ContactRequest,
    own: list[Contact],
    zone: str,
) -> None:
    evaluator = Evaluator(policy, zone=zone)
    contacts = tuple(sorted([*history, *own]))

    def at(moment: datetime) -> Decision:
        return evaluator.decide(request, facts, Standing(now=to_micros(moment), contacts=contacts))

    decision = at(START)
    event(decision.outcome)
    event(str(decision.reason))
    if decision.outcome is Ruling.DEFER:
        assert decision.until is not None
        assert decision.until > START
        final = at(decision.until)
        # Of a message on its way nothing final is said before its lease is over.
        assert final.allowed or (decision.reason is Reason.BUSY and final.outcome is Ruling.REFUSE)
        earlier = {decision.until - timedelta(microseconds=1), START + (decision.until - START) / 2}
        assert [at(moment).outcome for moment in earlier] == [Ruling.DEFER] * len(earlier)
    if decision.outcome is Ruling.REFUSE:
        for later in (HOUR, 15 * HOUR, 3 * DAY, 9 * DAY):
            assert not at(START + later).allowed
    if decision.outcome is Ruling.ALLOW:
        assert decision.channel in request.channels


@given(policies, all_facts, histories, requests, st.sampled_from(ZONES))
def test_options_agree_with_the_decision(
    policy: ContactPolicy, facts: ContactFacts, history: list[Contact], request: ContactRequest, zone: str
) -> None:
    """What a ledger would do with the options is what the decision says."""
    from crmsdk.policy.limits import judge  # noqa: PLC0415 - only this property looks below

    evaluator = Evaluator(policy, zone=zone)
    now = to_micros(START)
    decision = evaluator.decide(request, facts, Standing(now=now, contacts=tuple(history)))
    options = evaluator.options(request, facts, now=now)
    first = next((each.channel for each in options if not judge(history, each.checks, now=now)), "")
    assert decision.channel == first


@given(policies, all_facts, histories, requests)
def test_nothing_older_than_the_policy_looks_back_matters(
    policy: ContactPolicy, facts: ContactFacts, history: list[Contact], request: ContactRequest
) -> None:
    evaluator = Evaluator(policy, zone="UTC")
    now = to_micros(START)
    young = tuple(each for each in history if each.at > now - evaluator.looks_back)
    whole = evaluator.decide(request, facts, Standing(now=now, contacts=tuple(history)))
    assert evaluator.decide(request, facts, Standing(now=now, contacts=young)) == whole
    assert whole.policy == evaluator.hash
    assert from_micros(now) == START
