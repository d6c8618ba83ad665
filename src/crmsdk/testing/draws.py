"""Strategies for hypothesis: random customers and random conditions, drawn from the edges on purpose.

Any executor of segments must agree with ``crmsdk.segments.meaning`` on them; so must your own. Moments lie
at ``NOW`` plus and minus the spans that conditions ask for, one microsecond beside them, and on days of 23
and 25 hours; values come from small pools, so that comparisons hold about as often as not, and are often
missing or of another kind. Needs hypothesis.

    @given(histories(), predicates(), moments())
    def test_my_executor_agrees(facts, predicate, now): ...
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from crmsdk.model.comparison import Op, PropTest
from crmsdk.model.consent import ANY, ConsentState, ConsentWrite
from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import START, Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.money import Money
from crmsdk.model.values import Value, normal
from crmsdk.segments.grammar import (
    Absolute,
    AttrTest,
    AttrTime,
    Condition,
    ConsentTest,
    Did,
    Edge,
    EventTime,
    Interval,
    Occurrences,
    Predicate,
    Relation,
    Relative,
    Rolling,
    RunPredicate,
    Segment,
    SinceEntry,
    Sum,
    Timing,
    Window,
)
from crmsdk.segments.verdict import RunView
from crmsdk.segments.words import everyone, nobody

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
    "spans",
    "timings",
    "values",
]

NOW = datetime(2026, 3, 29, 1, tzinfo=UTC)
"""The moment around which everything is drawn: the clocks of Europe skip an hour then."""

_ANN = CustomerId("ann")
_TICK = timedelta(microseconds=1)
_SPANS = (
    _TICK,
    timedelta(hours=1),
    timedelta(hours=23),
    timedelta(days=1),
    timedelta(hours=25),
    timedelta(days=7),
    timedelta(days=30),
    timedelta(days=36525),
)
_DAYS = (
    datetime(2025, 10, 26, 1, tzinfo=UTC),  # 25 hours in Europe
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)
_EVENTS = ("purchase", "visit", "покупка")
_PROPS = ("amount", "qty", "tag", "cart.id")
_ATTRIBUTES = ("city", "age", "signup", "tags", "address.city")
_CHANNELS = ("email", "sms")
_PURPOSES = ("promo", "service")

_EDGES = (timedelta(0), *(span * sign for span in _SPANS[:-1] for sign in (-1, 1)))
_MOMENTS = (*(NOW + edge + tick * _TICK for edge in _EDGES for tick in (0, -1, 1)), *_DAYS)
_NUMBERS: tuple[Value, ...] = (1, 2, 0, 3, -1, 1.0, 0.1, 0.2, 2**53 + 1, 1e308, -1e308)
_MONEY: tuple[Value, ...] = tuple(Money(minor, code) for code in ("RUB", "USD") for minor in (1, 2, 0, -1))
_TEXTS: tuple[Value, ...] = ("", "a", "ab", "привет", "при", "é", "e\u0301", "%_\\'\"", "1")
_DATES: tuple[Value, ...] = (date(2026, 3, 29), date(2024, 2, 29))
_LISTS: tuple[Value, ...] = ((), ("a",), ("", "a"), (1,), (True, "a"))
_MAPPINGS: tuple[Value, ...] = ({"city": "a"}, {"id": 1}, {"id": "a", "city": NOW}, {"city": None})
_SCALARS: tuple[Value, ...] = (*_NUMBERS, *_MONEY, *_TEXTS, *_DATES, True, False, *_MOMENTS[:9])
_VALUES: tuple[Value, ...] = (
    *(None, 1, 2, Money(1, "RUB"), Money(2, "RUB"), "a", NOW) * 4,  # so that questions often meet their kind
    *_SCALARS,
    *_LISTS,
    *_MAPPINGS,
)


def spans() -> st.SearchStrategy[timedelta]:
    """Draw a span: a tick, an hour, days of 23, 24 and 25 hours, a week, 30 days, a century."""
    return st.sampled_from(_SPANS)


def moments(around: datetime = NOW) -> st.SearchStrategy[datetime]:
    """Draw a moment: mostly a span before or after ``around``, or a tick beside that."""
    if around == NOW:
        return st.sampled_from(_MOMENTS)
    return st.sampled_from(tuple(around + (moment - NOW) for moment in _MOMENTS[: -len(_DAYS)]))


def values() -> st.SearchStrategy[Value]:
    """Draw a value of any kind in normal form, or None for a missing one."""
    return st.sampled_from(_VALUES).map(lambda value: normal(value, "value"))


def _properties() -> st.SearchStrategy[dict[str, object]]:
    nan = st.sampled_from((*_VALUES, float("nan")))
    drawn = st.tuples(nan, st.sampled_from(_VALUES), st.sampled_from(_VALUES), st.booleans())
    return drawn.map(
        lambda found: {"amount": found[0], "qty": found[1], ("tag" if found[3] else "cart"): found[2]}
    )


@st.composite
def events(draw: st.DrawFn, customer: CustomerId = _ANN, number: int = 0) -> Event:
    """Draw an event; several of one moment and one body are likely, their ids differ by ``number``."""
    at = draw(moments())
    return Event(
        id=EventId(f"{draw(st.sampled_from('abc'))}{number}"),
        customer=customer,
        name=draw(st.sampled_from(_EVENTS)),
        at=at,
        received=at,
        properties=draw(_properties()),
    )


@st.composite
def histories(draw: st.DrawFn, customer: CustomerId = _ANN, size: int = 8) -> Facts:
    """Draw the facts of a customer, past and future, at most ``size`` events."""
    count = draw(st.integers(0, size))
    writes = [
        AttributeWrite(
            name=name,
            value=draw(values()),
            at=draw(moments()),
            id=EventId(f"w{number}"),
        )
        for number, name in enumerate(draw(st.lists(st.sampled_from((*_ATTRIBUTES, "address")), max_size=5)))
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
        zone=draw(st.sampled_from([None, "Europe/Moscow", "Australia/Lord_Howe"])),
        consents=tuple(consents),
    )
    return facts.with_events(draw(events(customer, number)) for number in range(count)).with_attributes(
        writes
    )


def _operands(op: Op) -> st.SearchStrategy[Any]:
    """Draw what may be asked: the same pools that values come from."""
    ordered = (_NUMBERS, _MONEY[:4], _DATES, _MOMENTS)
    anything = st.sampled_from(_SCALARS)
    match op:
        case Op.EXISTS:
            return st.none()
        case Op.STARTS | Op.ENDS:
            return st.sampled_from(_TEXTS)
        case Op.IN:
            return st.lists(anything, min_size=1, max_size=3).map(tuple)
        case Op.EQ | Op.CONTAINS:
            return anything
        case Op.BETWEEN:
            pairs = st.sampled_from(ordered).flatmap(lambda pool: st.tuples(*[st.sampled_from(pool)] * 2))
            return pairs.map(lambda pair: tuple(sorted(pair)))
        case Op.LT | Op.LE | Op.GT | Op.GE:
            return st.sampled_from((*_NUMBERS, *_MONEY, *_DATES, *_MOMENTS[:9]))


def _ops() -> st.SearchStrategy[Op]:
    return st.sampled_from(sorted(Op))


@st.composite
def prop_tests(draw: st.DrawFn) -> PropTest:
    """Draw a test of one property."""
    op = draw(_ops())
    return PropTest(draw(st.sampled_from(_PROPS)), op, draw(_operands(op)), negated=draw(st.booleans()))


def _tests() -> st.SearchStrategy[tuple[PropTest, ...]]:
    return st.one_of(st.just(()), st.just(()), st.lists(prop_tests(), min_size=1, max_size=2).map(tuple))


def _intervals() -> st.SearchStrategy[tuple[datetime, datetime]]:
    pairs = st.tuples(moments(), moments()).filter(lambda pair: pair[0] != pair[1])
    return pairs.map(lambda pair: (min(pair), max(pair)))


def _windows() -> st.SearchStrategy[Window | None]:
    intervals = _intervals().map(lambda pair: Interval(*pair))
    return st.one_of(st.none(), st.builds(Rolling, spans()), intervals)


def timings() -> st.SearchStrategy[Timing]:
    """Draw a question about a moment."""
    absolute = st.one_of(
        st.builds(lambda start: Absolute(start=start), moments()),
        st.builds(lambda end: Absolute(end=end), moments()),
        _intervals().map(lambda pair: Absolute(*pair)),
    )
    return st.one_of(st.builds(Relative, st.sampled_from(Relation), spans()), absolute)


def _occurrences() -> st.SearchStrategy[Occurrences]:
    return st.builds(Occurrences, st.sampled_from(_EVENTS), tests=_tests(), window=_windows())


@st.composite
def _bounds(draw: st.DrawFn) -> tuple[int, int | None]:
    low = draw(st.integers(0, 3))
    return low, draw(st.one_of(st.none(), st.integers(low, 4)))


@st.composite
def questions(draw: st.DrawFn) -> Predicate:
    """Draw one question about a customer, joined from no others."""
    match draw(st.integers(0, 7)):
        case 0 | 1:
            low, high = draw(_bounds())
            return Did(draw(_occurrences()), low=low, high=high)
        case 2:
            op = draw(st.sampled_from([Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE]))
            operand = draw(st.sampled_from((*_NUMBERS, *_MONEY)))
            return Sum(draw(_occurrences()), draw(st.sampled_from(_PROPS)), op, operand)
        case 3:
            return EventTime(draw(_occurrences()), draw(st.sampled_from(Edge)), draw(timings()))
        case 4:
            op = draw(_ops())
            return AttrTest(draw(st.sampled_from(_ATTRIBUTES)), op, draw(_operands(op)))
        case 5:
            return AttrTime(draw(st.sampled_from(["signup", "address.city"])), draw(timings()))
        case 6:
            channel, purpose = draw(st.sampled_from(_CHANNELS)), draw(st.sampled_from(_PURPOSES))
            return ConsentTest(channel, purpose, state=draw(st.sampled_from(ConsentState)))
        case _:
            return draw(st.sampled_from([everyone, nobody]))


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


@st.composite
def _since_entry(draw: st.DrawFn) -> RunPredicate:
    low, high = draw(_bounds())
    return SinceEntry(
        draw(st.sampled_from(_EVENTS)),
        tests=draw(_tests()),
        span=draw(st.one_of(st.none(), spans())),
        keyed=draw(st.booleans()),
        low=low,
        high=high,
    )


def run_predicates() -> st.SearchStrategy[RunPredicate]:
    """Draw a condition about a run, joined with others or not."""

    def joined(parts: st.SearchStrategy[RunPredicate]) -> st.SearchStrategy[RunPredicate]:
        return st.one_of(
            st.builds(lambda left, right: left & right, parts, predicates(max_leaves=2)),
            st.builds(lambda left, right: left | right, predicates(max_leaves=2), parts),
            parts.map(lambda part: ~part),
        )

    return st.recursive(_since_entry(), joined, max_leaves=3)


def conditions() -> st.SearchStrategy[Condition]:
    """Draw a condition of either kind."""
    return st.one_of(predicates(), run_predicates())


@st.composite
def runs(draw: st.DrawFn, facts: Facts) -> RunView:
    """Draw a run of a customer, keyed or not: it begins at an event, a span before one, or between."""
    places = [event.position for event in facts.events]
    places += [
        (event.at - span, START) for event in facts.events for span in _SPANS[:-1] if event.at > _DAYS[1]
    ]
    between = st.tuples(moments(), st.just(START))
    entry = draw(st.one_of(between, st.sampled_from(places), st.sampled_from(places)) if places else between)
    keyed = draw(st.booleans())
    return RunView(
        entry=entry,
        entered=draw(moments()),
        key=draw(st.sampled_from((1, "a", 0.1))) if keyed else None,
        key_name=draw(st.sampled_from(_PROPS)) if keyed else None,
    )
