"""What a policy decides: by which channel, until when, for which reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmsdk.errors import InputError, NaiveMoment, UnknownZone
from crmsdk.model.codec import content_hash
from crmsdk.model.ids import MessageId
from crmsdk.model.moment import to_micros
from crmsdk.policy.answer import Blocked, Decision, Reason, Ruling
from crmsdk.policy.evaluation import Evaluator
from crmsdk.policy.record import Contact, ContactState, Suppression, field_index
from crmsdk.policy.request import NOTHING_KNOWN, ContactFacts
from crmsdk.policy.rules import ContactField, cap, inactive_only, quiet
from crmsdk.policy.ruleset import ContactPolicy
from tests.unit.policy.deciding import ANN, DAY, HOUR, NOON, WEEK, asked, contact, decide


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
