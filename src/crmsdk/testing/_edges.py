"""The pools of all draws: values, moments, spans and tests from the edges on purpose. Needs hypothesis."""

from datetime import UTC, date, datetime, timedelta
from functools import cache  # a strategy made anew at every draw costs more than the draw
from typing import Any

from hypothesis import strategies as st

from crmsdk.model.comparison import Op, PropTest
from crmsdk.model.money import Money
from crmsdk.model.values import Value, normal
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.windows import Calendar, Interval, Rolling, Unit, Window

NOW = datetime(2026, 3, 29, 1, tzinfo=UTC)
"""The moment around which everything is drawn: the clocks of Europe skip an hour then."""

_TICK = timedelta(microseconds=1)
SPANS = (
    _TICK,
    timedelta(hours=1),
    timedelta(hours=23),
    timedelta(days=1),
    timedelta(hours=25),
    timedelta(days=7),
    timedelta(days=30),
    timedelta(days=36525),
)
DAYS = (
    datetime(2025, 10, 26, 1, tzinfo=UTC),  # 25 hours in Europe
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)
ZONES = (None, "Europe/Moscow", "Australia/Lord_Howe")
EVENTS = ("purchase", "visit", "покупка")
PROPS = ("amount", "qty", "tag", "cart.id")

_EDGES = (timedelta(0), *(span * sign for span in SPANS[:-1] for sign in (-1, 1)))
MOMENTS = (*(NOW + edge + tick * _TICK for edge in _EDGES for tick in (0, -1, 1)), *DAYS)
NUMBERS: tuple[Value, ...] = (1, 2, 0, 3, -1, 1.0, 0.1, 0.2, 2**53 + 1, 1e308, -1e308)
MONEY: tuple[Value, ...] = tuple(Money(minor, code) for code in ("RUB", "USD") for minor in (1, 2, 0, -1))
TEXTS: tuple[Value, ...] = ("", "a", "ab", "привет", "при", "é", "e\u0301", "%_\\'\"", "1")
_PATTERNS = ("^$", "a", "^a.?$", "[^a]", "(при|é)", "^[0-9%_]+", "b$|^.{6}$")
DATES: tuple[Value, ...] = (date(2026, 3, 29), date(2024, 2, 29))
_LISTS: tuple[Value, ...] = ((), ("a",), ("", "a"), (1,), (True, "a"))
_MAPPINGS: tuple[Value, ...] = ({"city": "a"}, {"id": 1}, {"id": "a", "city": NOW}, {"city": None})
SCALARS: tuple[Value, ...] = (*NUMBERS, *MONEY, *TEXTS, *DATES, True, False, *MOMENTS[:9])
VALUES: tuple[Value, ...] = (
    *(None, 1, 2, Money(1, "RUB"), Money(2, "RUB"), "a", NOW) * 4,  # so that questions often meet their kind
    *SCALARS,
    *_LISTS,
    *_MAPPINGS,
)


@cache
def spans() -> st.SearchStrategy[timedelta]:
    """Draw a span: a tick, an hour, days of 23, 24 and 25 hours, a week, 30 days, a century."""
    return st.sampled_from(SPANS)


@cache
def moments(around: datetime = NOW) -> st.SearchStrategy[datetime]:
    """Draw a moment: mostly a span before or after ``around``, or a tick beside that."""
    if around == NOW:
        return st.sampled_from(MOMENTS)
    return st.sampled_from(tuple(around + (moment - NOW) for moment in MOMENTS[: -len(DAYS)]))


@cache
def values() -> st.SearchStrategy[Value]:
    """Draw a value of any kind in normal form, or None for a missing one."""
    return st.sampled_from(VALUES).map(lambda value: normal(value, "value"))


@cache
def operands(op: Op) -> st.SearchStrategy[Any]:
    """Draw what may be asked: the same pools that values come from."""
    ordered = (NUMBERS, MONEY[:4], DATES, MOMENTS)
    anything = st.sampled_from(SCALARS)
    match op:
        case Op.EXISTS:
            return st.none()
        case Op.STARTS | Op.ENDS:
            return st.sampled_from(TEXTS)
        case Op.MATCHES:
            return st.sampled_from(_PATTERNS)
        case Op.IN | Op.CONTAINS_ANY | Op.CONTAINS_ALL:
            return st.lists(anything, min_size=1, max_size=3).map(tuple)
        case Op.EQ | Op.CONTAINS:
            return anything
        case Op.BETWEEN:
            pairs = st.sampled_from(ordered).flatmap(lambda pool: st.tuples(*[st.sampled_from(pool)] * 2))
            return pairs.map(lambda pair: tuple(sorted(pair)))
        case Op.LT | Op.LE | Op.GT | Op.GE:
            return st.sampled_from((*NUMBERS, *MONEY, *DATES, *MOMENTS[:9]))


@cache
def ops() -> st.SearchStrategy[Op]:
    """Draw what may be asked of a value."""
    return st.sampled_from(sorted(Op))


@cache
@st.composite
def prop_tests(draw: st.DrawFn) -> PropTest:
    """Draw a test of one property."""
    op = draw(ops())
    return PropTest(draw(st.sampled_from(PROPS)), op, draw(operands(op)), negated=draw(st.booleans()))


@cache
def tests_of_props() -> st.SearchStrategy[tuple[PropTest, ...]]:
    """Draw tests of properties, most often none."""
    return st.one_of(st.just(()), st.just(()), st.lists(prop_tests(), min_size=1, max_size=2).map(tuple))


@cache
def intervals() -> st.SearchStrategy[tuple[datetime, datetime]]:
    """Draw the start and the end of an absolute interval."""
    pairs = st.tuples(moments(), moments()).filter(lambda pair: pair[0] != pair[1])
    return pairs.map(lambda pair: (min(pair), max(pair)))


@cache
def windows() -> st.SearchStrategy[Window | None]:
    """Draw a window, or None for all of the past."""
    absolute = intervals().map(lambda pair: Interval(*pair))
    earlier = st.builds(Rolling, spans(), st.sampled_from(SPANS[:-1]))
    rolling = st.builds(Rolling, spans())
    return st.one_of(st.none(), rolling, rolling, absolute, st.one_of(earlier, calendars()))


@cache
@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Draw a window of the calendar."""
    oldest = draw(st.integers(0, 2))
    return Calendar(draw(st.sampled_from(Unit)), oldest, draw(st.integers(0, oldest)))


@cache
def occurrences() -> st.SearchStrategy[Occurrences]:
    """Draw which events are meant."""
    return st.builds(Occurrences, st.sampled_from(EVENTS), tests=tests_of_props(), window=windows())


@cache
@st.composite
def bounds(draw: st.DrawFn) -> tuple[int, int | None]:
    """Draw the bounds of a count."""
    low = draw(st.integers(0, 3))
    return low, draw(st.one_of(st.none(), st.integers(low, 4)))
