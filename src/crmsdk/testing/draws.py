"""Strategies for hypothesis: random customers and random conditions, drawn from the edges on purpose.

Any executor of segments must agree with ``crmsdk.segments.meaning`` on them; so must your own. Moments lie
at ``NOW`` plus and minus the spans that conditions ask for, one microsecond beside them, and on days of 23
and 25 hours; values come from small pools, so that comparisons hold about as often as not, and are often
missing or of another kind. Needs hypothesis.

    @given(histories(), predicates(), moments())
    def test_my_executor_agrees(facts, predicate, now): ...
"""

from functools import cache

from hypothesis import strategies as st

from crmsdk.model.comparison import Op
from crmsdk.model.consent import ANY, ConsentState, ConsentWrite
from crmsdk.model.customer import ZONE, AttributeWrite
from crmsdk.model.event import START, Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.segments.grammar import (
    Absolute,
    AttrTest,
    AttrTime,
    Condition,
    ConsentTest,
    Did,
    Edge,
    EventTime,
    Points,
    Predicate,
    Relation,
    Relative,
    RunPredicate,
    Score,
    Segment,
    SinceEntry,
    Timing,
)
from crmsdk.segments.verdict import RunView
from crmsdk.segments.words import everyone, nobody
from crmsdk.testing._edges import (
    DAYS,
    EVENTS,
    NOW,
    PROPS,
    SPANS,
    VALUES,
    ZONES,
    bounds,
    intervals,
    moments,
    occurrences,
    operands,
    ops,
    prop_tests,
    spans,
    tests_of_props,
    values,
)
from crmsdk.testing.event_draws import event_questions
from crmsdk.testing.people_draws import BORN, PLANS, VIP, people_questions

__all__ = [
    "NOW",
    "conditions",
    "events",
    "histories",
    "moments",
    "predicates",
    "prop_tests",
    "questions",
    "run_predicates",
    "runs",
    "scores",
    "spans",
    "timings",
    "values",
]

_ANN = CustomerId("ann")
_ATTRIBUTES = ("city", "age", "signup", "tags", "address.city")
_WRITTEN = {
    "plan": st.sampled_from(PLANS),
    "born": st.sampled_from(BORN),
    VIP: st.sampled_from((True, None)),
    ZONE: st.sampled_from(ZONES),
}
_CHANNELS = ("email", "sms")
_PURPOSES = ("promo", "service")


@cache
def _properties() -> st.SearchStrategy[dict[str, object]]:
    nan = st.sampled_from((*VALUES, float("nan")))
    drawn = st.tuples(nan, st.sampled_from(VALUES), st.sampled_from(VALUES), st.booleans())
    return drawn.map(
        lambda found: {"amount": found[0], "qty": found[1], ("tag" if found[3] else "cart"): found[2]}
    )


@cache
@st.composite
def events(draw: st.DrawFn, customer: CustomerId = _ANN, number: int = 0) -> Event:
    """Draw an event; several of one moment and one body are likely, their ids differ by ``number``."""
    at = draw(moments())
    return Event(
        id=EventId(f"{draw(st.sampled_from('abc'))}{number}"),
        customer=customer,
        name=draw(st.sampled_from(EVENTS)),
        at=at,
        received=at,
        properties=draw(_properties()),
    )


@cache
@st.composite
def histories(draw: st.DrawFn, customer: CustomerId = _ANN, size: int = 8) -> Facts:
    """Draw the facts of a customer, past and future, at most ``size`` events."""
    count = draw(st.integers(0, size))
    names = st.sampled_from((*_ATTRIBUTES, "address", *_WRITTEN))
    writes = [
        AttributeWrite(
            name=name,
            value=draw(_WRITTEN.get(name, values())),
            at=draw(moments()),
            id=EventId(f"w{number}"),
        )
        for number, name in enumerate(draw(st.lists(names, max_size=8)))
    ]
    consents = draw(
        st.lists(
            st.builds(
                ConsentWrite,
                channel=st.sampled_from((*_CHANNELS, ANY)),
                purpose=st.sampled_from((*_PURPOSES, ANY)),
                state=st.sampled_from(ConsentState),
                at=moments(),
                id=st.sampled_from("abc"),
            ),
            max_size=3,
            unique_by=lambda write: (write.at, write.id),
        )
    )
    facts = Facts(
        customer=customer,
        zone=draw(st.sampled_from(ZONES)),
        consents=tuple(consents),
    )
    return facts.with_events(draw(events(customer, number)) for number in range(count)).with_attributes(
        writes
    )


@cache
def timings() -> st.SearchStrategy[Timing]:
    """Draw a question about a moment."""
    absolute = st.one_of(
        st.builds(lambda start: Absolute(start=start), moments()),
        st.builds(lambda end: Absolute(end=end), moments()),
        intervals().map(lambda pair: Absolute(*pair)),
    )
    return st.one_of(st.builds(Relative, st.sampled_from(Relation), spans()), absolute)


@cache
@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Draw a score: points of events, fading or not, and of simple predicates."""
    ask = st.builds(AttrTest, st.just("city"), st.just(Op.EXISTS))
    part = st.one_of(
        st.builds(
            Points,
            st.sampled_from((-3, 1, 2, 10)),
            per=occurrences(),
            half_life=st.one_of(st.none(), spans()),
        ),
        st.builds(Points, st.sampled_from((-1, 1, 4)), when=ask),
    )
    op = draw(st.sampled_from((Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN)))
    low = draw(st.integers(-4, 12))
    operand = (low, low + draw(st.integers(0, 3))) if op is Op.BETWEEN else low
    return Score(tuple(draw(st.lists(part, min_size=1, max_size=3))), op, operand)


@cache
@st.composite
def questions(draw: st.DrawFn) -> Predicate:
    """Draw one question about a customer, joined from no others."""
    match draw(st.integers(0, 8)):
        case 0 | 1:
            low, high = draw(bounds())
            return Did(draw(occurrences()), low=low, high=high)
        case 2:
            return draw(event_questions())
        case 3:
            return EventTime(draw(occurrences()), draw(st.sampled_from(Edge)), draw(timings()))
        case 4:
            op = draw(ops())
            return AttrTest(draw(st.sampled_from(_ATTRIBUTES)), op, draw(operands(op)))
        case 5:
            return AttrTime(draw(st.sampled_from(["signup", "address.city"])), draw(timings()))
        case 6:
            channel, purpose = draw(st.sampled_from(_CHANNELS)), draw(st.sampled_from(_PURPOSES))
            return ConsentTest(channel, purpose, state=draw(st.sampled_from(ConsentState)))
        case 7:
            return draw(scores())
        case _:
            return draw(st.one_of(st.sampled_from([everyone, nobody]), people_questions()))


@cache
def predicates(*, max_leaves: int = 5) -> st.SearchStrategy[Predicate]:
    """Draw a predicate: questions joined by and, or, not and named segments."""

    def joined(parts: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
        return st.one_of(
            st.builds(lambda left, right: left & right, parts, parts),
            st.builds(lambda left, right: left | right, parts, parts),
            parts.map(lambda part: ~part),
            st.builds(Segment, st.sampled_from(["vip", "новые"]), parts),
        )

    return st.recursive(questions(), joined, max_leaves=max_leaves)


@cache
@st.composite
def _since_entry(draw: st.DrawFn) -> RunPredicate:
    low, high = draw(bounds())
    return SinceEntry(
        draw(st.sampled_from(EVENTS)),
        tests=draw(tests_of_props()),
        span=draw(st.one_of(st.none(), spans())),
        keyed=draw(st.booleans()),
        low=low,
        high=high,
    )


@cache
def run_predicates() -> st.SearchStrategy[RunPredicate]:
    """Draw a condition about a run, joined with others or not."""

    def joined(parts: st.SearchStrategy[RunPredicate]) -> st.SearchStrategy[RunPredicate]:
        return st.one_of(
            st.builds(lambda left, right: left & right, parts, predicates(max_leaves=2)),
            st.builds(lambda left, right: left | right, predicates(max_leaves=2), parts),
            parts.map(lambda part: ~part),
        )

    return st.recursive(_since_entry(), joined, max_leaves=3)


@cache
def conditions() -> st.SearchStrategy[Condition]:
    """Draw a condition of either kind."""
    return st.one_of(predicates(), run_predicates())


@st.composite
def runs(draw: st.DrawFn, facts: Facts) -> RunView:
    """Draw a run of a customer, keyed or not: it begins at an event, a span before one, or between."""
    places = [event.position for event in facts.events]
    places += [
        (event.at - span, START) for event in facts.events for span in SPANS[:-1] if event.at > DAYS[1]
    ]
    between = st.tuples(moments(), st.just(START))
    entry = draw(st.one_of(between, st.sampled_from(places), st.sampled_from(places)) if places else between)
    keyed = draw(st.booleans())
    return RunView(
        entry=entry,
        entered=draw(moments()),
        key=draw(st.sampled_from((1, "a", 0.1))) if keyed else None,
        key_name=draw(st.sampled_from(PROPS)) if keyed else None,
    )
