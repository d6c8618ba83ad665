"""The moment named for later is neither too early nor too late, whatever the policy and the history."""

from datetime import UTC, datetime, timedelta

from hypothesis import event, given
from hypothesis import strategies as st

from crmsdk.model.consent import ConsentState, ConsentWrite
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.policy.answer import Decision, Reason, Ruling
from crmsdk.policy.evaluation import Evaluator
from crmsdk.policy.limits import judge
from crmsdk.policy.record import Contact, ContactState, Standing
from crmsdk.policy.request import ContactFacts, ContactRequest
from crmsdk.policy.rules import cap, quiet
from crmsdk.policy.ruleset import ContactPolicy
from tests.unit.policy.deciding import DAY, HOUR, WEEK, asked, contact

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
