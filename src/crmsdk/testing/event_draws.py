"""Strategies for hypothesis: random questions about events, and customers who do much of the same.

The customers of ``crmsdk.testing.draws`` are of many kinds, so their events seldom meet in one answer; these
here differ in when things happened and how much, and in little else. Needs hypothesis.
"""

from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any

import attrs
from hypothesis import strategies as st

from crmsdk.model.comparison import Op
from crmsdk.model.customer import ZONE, AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.money import Money
from crmsdk.segments.aggregates import Aggregate, Function
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.rhythms import Gap, GapVariation, Middle, Regular, Run, Streak
from crmsdk.segments.sequences import InOrder
from crmsdk.segments.trends import Trend
from crmsdk.segments.windows import Calendar, Rolling, Unit
from crmsdk.testing._edges import (
    DATES,
    EVENTS,
    MOMENTS,
    MONEY,
    NOW,
    NUMBERS,
    PROPS,
    ZONES,
    moments,
    occurrences,
    operands,
    ops,
    spans,
    tests_of_props,
    windows,
)

__all__ = ["aggregates", "busy_histories", "event_questions", "gaps", "rhythms", "sequences", "trends"]

_ANN = CustomerId("ann")
_AMOUNTS: tuple[tuple[Any, ...], ...] = (
    (1, 2, 3, None),
    (1, 2, 0.1, 0.2, 1.0),
    (Money(1, "RUB"), Money(2, "RUB"), Money(1, "USD")),
    (1, "a", "ab", Money(2, "RUB"), Money(2, "USD"), None, True),
)
_STEPS = (
    *(timedelta(0), timedelta(microseconds=1), timedelta(hours=1), timedelta(hours=23)),
    *(timedelta(days=days) for days in (1, 1, 1, 2, 3, 7, 7, 30)),
)
_COMPARING = (Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN)


@cache
@st.composite
def aggregates(draw: st.DrawFn) -> Aggregate:
    """Draw a question about what a function makes of a property over events."""
    function = draw(st.sampled_from(Function))
    if function in (Function.FIRST, Function.LAST):
        op = draw(ops())
        operand = draw(operands(op))
    else:
        op = draw(st.sampled_from(_COMPARING))
        pools: tuple[tuple[Any, ...], ...] = (NUMBERS, MONEY[:4], NUMBERS, DATES, MOMENTS[:9])
        if function is Function.DISTINCT:
            pools = ((0, 1, 2, 3),)
        elif function in (Function.SUM, Function.AVG):
            pools = pools[:2]
        operand = draw(_compared_with(op, draw(st.sampled_from(pools))))
    prop = draw(st.sampled_from((*PROPS[:1] * 3, *PROPS)))  # one that events often have
    return Aggregate(draw(occurrences()), function, prop, op, operand)


def _compared_with(op: Op, pool: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    one = st.sampled_from(pool)
    return st.tuples(one, one).map(lambda pair: tuple(sorted(pair))) if op is Op.BETWEEN else one


@cache
@st.composite
def sequences(draw: st.DrawFn) -> InOrder:
    """Draw a question about events in order."""
    steps = tuple(draw(st.lists(_steps(), min_size=1, max_size=3)))
    span, absent = draw(st.one_of(st.none(), spans())), None
    window = draw(st.one_of(st.none(), windows()))
    if span is not None and draw(st.booleans()):
        absent = draw(_steps())
        if isinstance(window, Rolling) and span >= window.ago + window.span:
            window = None
    return InOrder(steps, span=span, absent=absent, window=window)


@cache
def _steps() -> st.SearchStrategy[Occurrences]:
    names = st.sampled_from((*EVENTS[:2] * 3, *EVENTS))
    few = st.one_of(st.just(()), st.just(()), tests_of_props())
    return st.builds(Occurrences, names, tests=few)


@cache
@st.composite
def trends(draw: st.DrawFn) -> Trend:
    """Draw a question about a window and those before it."""
    of = draw(occurrences().filter(lambda of: isinstance(of.window, Rolling | Calendar)))
    most = 3
    if isinstance(of.window, Rolling) and most * of.window.span + of.window.ago > Rolling.LONGEST:
        of = attrs.evolve(of, window=Rolling(timedelta(days=7)))
    op = draw(st.sampled_from(_COMPARING))
    operand = draw(_compared_with(op, (0, 0.1, 0.5, 1, 1.5, 2, 3)))
    prop = draw(st.sampled_from((None, None, *PROPS[:2])))
    currency = None if prop is None else draw(st.sampled_from((None, "RUB")))
    return Trend(of, op, operand, over=draw(st.integers(1, most)), prop=prop, currency=currency)


@cache
@st.composite
def rhythms(draw: st.DrawFn) -> Streak | Regular:
    """Draw a question about local periods with events."""
    of, unit = draw(occurrences()), draw(st.sampled_from((Unit.DAY, *Unit)))
    if draw(st.booleans()):
        op = draw(st.sampled_from(_COMPARING))
        return Streak(of, unit, draw(st.sampled_from(Run)), op, draw(_compared_with(op, (0, 1, 2, 3))))
    periods = draw(st.integers(1, 4))
    return Regular(attrs.evolve(of, window=None), draw(st.integers(1, periods)), periods, unit)


@cache
@st.composite
def gaps(draw: st.DrawFn) -> Gap | GapVariation:
    """Draw a question about the times between events."""
    of, op = draw(occurrences()), draw(st.sampled_from(_COMPARING))
    if draw(st.booleans()):
        return GapVariation(of, op, draw(_compared_with(op, (0, 0.1, 0.5, 1, 1.5))))
    spans = (*_STEPS[:5], timedelta(hours=12), timedelta(days=2), timedelta(days=7))
    return Gap(of, draw(st.sampled_from(Middle)), op, draw(_compared_with(op, spans)))


@cache
def event_questions() -> st.SearchStrategy[Predicate]:
    """Draw one question about events that needs more than counting them."""
    return st.one_of(aggregates(), sequences(), trends(), rhythms(), gaps())


@cache
@st.composite
def busy_histories(draw: st.DrawFn, size: int = 10) -> Facts:
    """Draw a customer who does few things often, hours and days apart or at once; at most ``size`` events."""
    names, amounts = draw(st.sampled_from((EVENTS[:1], EVENTS[:2]))), draw(st.sampled_from(_AMOUNTS))
    at, out = draw(moments()), []
    for number in range(draw(st.integers(0, size))):
        amount = draw(st.sampled_from(amounts))
        out.append(
            Event(
                id=EventId(f"{draw(st.sampled_from('abc'))}{number}"),
                customer=_ANN,
                name=draw(st.sampled_from(names)),
                at=at,
                received=at,
                properties={} if amount is None else {"amount": amount, "qty": draw(st.integers(0, 2))},
            )
        )
        with suppress(OverflowError):
            at += draw(st.sampled_from(_STEPS))
    facts = Facts(customer=_ANN, zone=draw(st.sampled_from(ZONES))).with_events(out)
    if draw(st.booleans()):
        return facts
    zone, moved = draw(st.sampled_from(ZONES)), draw(st.sampled_from([event.at for event in out] or [NOW]))
    return facts.with_attributes([AttributeWrite(name=ZONE, value=zone, at=moved, id=EventId("z"))])
