"""Strategies for questions about the person beyond current values."""

from contextlib import suppress
from datetime import date, timedelta
from functools import cache

from hypothesis import strategies as st

from crmsdk.model.comparison import Op
from crmsdk.model.customer import LIST, ZONE, AttributeWrite
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.values import Value
from crmsdk.segments.days import Anniversary, AttrDays, LeapDay, Sense
from crmsdk.segments.grammar import Predicate
from crmsdk.segments.people import AttrChanged, AttrHeld, Bucket
from crmsdk.segments.words import in_list
from crmsdk.testing._edges import NOW, SCALARS, SPANS, ZONES, moments, spans

__all__ = [
    "BORN",
    "PLANS",
    "VIP",
    "changing_histories",
    "dated_histories",
    "day_questions",
    "past_questions",
    "people_questions",
]

VIP = f"{LIST}vip"
"""The attribute of the list that questions ask for."""

PLANS: tuple[Value, ...] = ("pro", "free", "pro", None, 1, True)
"""Values of the attribute ``plan``, few, so that the same is often written twice."""

_TODAY = NOW.date()
BORN: tuple[Value, ...] = (
    *(_TODAY + timedelta(days=shift) for shift in (0, 0, 1, -1, 7, -7, 366)),
    *(date(1990, month, day) for month, day in ((3, 29), (3, 30), (4, 5), (1, 1), (12, 31))),
    date(2024, 2, 29),
    *(NOW + timedelta(hours=shift) for shift in (0, -1, 22, 24, -14)),
    "1990-03-29",
    None,
)
"""Values of the attribute ``born``: dates and moments a few days from now, or days of the year near it."""

_DAYS = (0, 0, 1, -1, 7, -7, 365)
_NAMES = ("plan", "plan", "plan", "city", "address.city", VIP)
_ASKED: tuple[Value, ...] = ("pro", "pro", "free", True, 1, *SCALARS)
_BOUNDS = (0, 1, 3388, 3389, 5000, 10_000)  # the lot of ann by welcome-2026 is 3388


@cache
def _buckets() -> st.SearchStrategy[Bucket]:
    pairs = st.lists(st.sampled_from(_BOUNDS), min_size=2, max_size=2, unique=True).map(sorted)
    salts = st.sampled_from(["welcome-2026", "соль"])
    return st.builds(lambda salt, pair: Bucket(salt, *pair), salts, pairs)


@cache
@st.composite
def changing_histories(draw: st.DrawFn) -> Facts:
    """Draw a customer whose plan is written often, spans apart that questions ask for, or at one moment."""
    at, writes = draw(moments()), []
    for number in range(draw(st.integers(1, 6))):
        id = EventId(f"{draw(st.sampled_from('abc'))}{number}")
        writes.append(AttributeWrite(name="plan", value=draw(st.sampled_from(PLANS)), at=at, id=id))
        with suppress(OverflowError):
            at += draw(st.sampled_from((timedelta(0), *SPANS[:-1])))
    return Facts(customer=CustomerId("ann")).with_attributes(writes)


@cache
@st.composite
def dated_histories(draw: st.DrawFn) -> Facts:
    """Draw a customer with a date of birth, at times corrected, in a zone that may be left."""
    facts = Facts(customer=CustomerId("ann"), zone=draw(st.sampled_from(ZONES)))
    known = [("born", draw(st.sampled_from(BORN)), NOW - SPANS[-1])]
    known += [("born", draw(st.sampled_from(BORN)), draw(moments()))] * draw(st.booleans())
    known += [(ZONE, draw(st.sampled_from(ZONES)), draw(moments()))] * draw(st.booleans())
    return facts.with_attributes(
        AttributeWrite(name=name, value=value, at=at, id=EventId(f"w{number}"))
        for number, (name, value, at) in enumerate(known)
    )


@cache
def day_questions() -> st.SearchStrategy[Predicate]:
    """Draw a question about a date in local days."""
    ordered = st.sampled_from([Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE])
    pairs = st.tuples(st.sampled_from(_DAYS), st.sampled_from(_DAYS)).map(sorted).map(tuple)
    ahead = st.tuples(*[st.sampled_from((0, 0, 1, 7, 28, 364, 365))] * 2).map(sorted)
    return st.one_of(
        st.builds(AttrDays, st.just("born"), st.sampled_from(Sense), ordered, st.sampled_from(_DAYS)),
        st.builds(AttrDays, st.just("born"), st.sampled_from(Sense), st.just(Op.BETWEEN), pairs),
        st.builds(lambda days, leap: Anniversary("born", *days, leap=leap), ahead, st.sampled_from(LeapDay)),
    )


@cache
def past_questions() -> st.SearchStrategy[Predicate]:
    """Draw a question about the past of an attribute, a bucket or a list."""
    names = st.sampled_from(_NAMES)
    return st.one_of(
        st.builds(AttrChanged, names, spans()),
        st.builds(AttrHeld, names, st.sampled_from(_ASKED), spans()),
        _buckets(),
        st.just(in_list("vip")),
    )


@cache
def people_questions() -> st.SearchStrategy[Predicate]:
    """Draw a question about the past of an attribute, a date, a bucket or a list."""
    return st.one_of(past_questions(), past_questions(), day_questions())
