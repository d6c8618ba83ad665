"""Find what a condition asks in vain: names nobody declared, and values that can never compare."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from crmsdk.model.comparison import Op, PropTest, kind_of
from crmsdk.model.customer import RESERVED
from crmsdk.model.values import Value
from crmsdk.segments.conditions import leaves
from crmsdk.segments.grammar import (
    AccountAll,
    AccountCount,
    AccountSum,
    Aggregate,
    Anniversary,
    AttrChanged,
    AttrDays,
    AttrHeld,
    AttrTest,
    AttrTime,
    Condition,
    Did,
    EventTime,
    Function,
    Gap,
    GapVariation,
    InOrder,
    Regular,
    Score,
    SinceEntry,
    Streak,
    Trend,
)

__all__ = ["problems"]


_HOLDING = frozenset({Op.CONTAINS, Op.CONTAINS_ANY, Op.CONTAINS_ALL})
_INSIDE = _HOLDING | {Op.STARTS, Op.ENDS, Op.MATCHES}
_LISTED = frozenset({Op.IN, Op.BETWEEN, Op.CONTAINS_ANY, Op.CONTAINS_ALL})


def problems(
    condition: Condition, events: Mapping[str, Mapping[str, str]], attributes: Mapping[str, str]
) -> list[str]:
    """List what is wrong with a condition against a catalog; each is one sentence with its mend.

    Args:
        condition: What is asked.
        events: Event name to property name to kind, as ``comparison.kind_of`` names kinds; ``money`` stands
            for the money of every currency. ``Catalog.kinds()`` gives this and the next.
        attributes: Attribute name to kind.

    Returns:
        Nothing when every name is declared and every comparison can hold; each problem once, in the order of
        the questions.
    """
    return list(
        dict.fromkeys(fault for leaf in leaves(condition) for fault in _faults(leaf, events, attributes))
    )


def _faults(
    leaf: Condition, events: Mapping[str, Mapping[str, str]], attributes: Mapping[str, str]
) -> Iterator[str]:
    match leaf:
        case AttrTest() | AttrHeld() | AttrDays() | Anniversary() | AttrChanged() | AttrTime():
            yield from _of_attribute(leaf, attributes)
        case SinceEntry(event=event, tests=tests):
            yield from _event(event, tests, events)
        case Trend(of, prop=prop):
            yield from _event(of.event, of.tests, events)
            if prop is not None and of.event in events:
                what = f"property {prop!r} of event {of.event!r}"
                yield from _compared(what, prop, Op.EQ, leaf.like(), events[of.event])
        case InOrder(steps, absent=absent):
            for of in (*steps, *([] if absent is None else [absent])):
                yield from _event(of.event, of.tests, events)
        case Did() | EventTime() | Streak() | Regular() | Gap() | GapVariation():
            yield from _event(leaf.of.event, leaf.of.tests, events)
        case AccountCount() | AccountAll():
            yield from problems(leaf.predicate, events, attributes)
        case AccountSum():
            yield from _faults(leaf.each, events, attributes)
        case Aggregate(of, function, prop, op, operand):
            yield from _event(of.event, of.tests, events)
            if of.event in events:
                what = f"property {prop!r} of event {of.event!r}"
                if function is Function.DISTINCT:  # the operand is a number of values, no value
                    op = Op.EXISTS
                yield from _compared(what, prop, op, operand, events[of.event])
        case Score(parts):
            for part in parts:
                if part.per is not None:
                    yield from _event(part.per.event, part.per.tests, events)
                if part.when is not None:
                    yield from problems(part.when, events, attributes)
        case _:
            return


def _of_attribute(
    leaf: AttrTest | AttrHeld | AttrDays | Anniversary | AttrChanged | AttrTime, attributes: Mapping[str, str]
) -> Iterator[str]:
    what = f"attribute {leaf.name!r}"
    if isinstance(leaf, AttrTest | AttrHeld):
        op = leaf.op if isinstance(leaf, AttrTest) else Op.EQ
        yield from _compared(what, leaf.name, op, leaf.operand, attributes)
        return
    kind, fault = _kind(what, leaf.name, attributes)
    if fault:
        yield fault
    elif isinstance(leaf, AttrTime) and kind not in ("moment", None):
        mend = "; ask days_until() or days_since()" if kind == "date" else ""
        yield f"{what} is {kind}, not a moment; only moments lie before or after others{mend}"
    elif isinstance(leaf, AttrDays | Anniversary) and kind not in ("date", "moment", None):
        yield f"{what} is {kind}, no date and no moment; only those lie some days ahead"


def _event(name: str, tests: tuple[PropTest, ...], events: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    if name not in events:
        yield f"event {name!r} is not declared{_nearest(name, events)}"
        return
    for test in tests:
        what = f"property {test.name!r} of event {name!r}"
        yield from _compared(what, test.name, test.op, test.operand, events[name])


def _compared(what: str, name: str, op: Op, operand: Value, kinds: Mapping[str, str]) -> Iterator[str]:
    kind, fault = _kind(what, name, kinds)
    if fault:
        yield fault
    if kind is None or op is Op.EXISTS:
        return
    items = operand if op in _LISTED and isinstance(operand, tuple) else (operand,)
    if op in _INSIDE:
        wanted = ("text", "list") if op in _HOLDING else ("text",)
        if kind not in wanted:
            yield f"{what} is {kind}; only {' or '.join(wanted)} can be asked {op}"
        for item in items if kind == "text" else ():
            if kind_of(item) != "text":
                yield f"{what} is text and never contains {kind_of(item)}; give text"
        return
    for item in items:
        asked = kind_of(item)
        if kind not in (asked, asked.partition(" ")[0]):
            yield f"{what} is {kind} and never compares with {asked}; give {kind}"


def _kind(what: str, name: str, kinds: Mapping[str, str]) -> tuple[str | None, str]:
    """Find the declared kind: None when unknown, which is a fault unless it lies inside a mapping."""
    if name.startswith(RESERVED):
        return None, ""
    if name in kinds:
        return kinds[name], ""
    head, dot, _ = name.partition(".")
    if dot and head in kinds:
        inside = kinds[head]
        fault = f"{what} looks into {head!r}, which is {inside} and no mapping" if inside != "mapping" else ""
        return None, fault
    return None, f"{what} is not declared{_nearest(name, kinds)}"


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else "; declare it first"
