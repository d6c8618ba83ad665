"""Conditions and verdicts in plain English, for terminals and error messages."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import assert_never, cast

from crmsdk.model.comparison import Op, PropTest
from crmsdk.model.money import Money
from crmsdk.model.values import Value
from crmsdk.segments.grammar import (
    Absolute,
    Always,
    And,
    AttrTest,
    AttrTime,
    Condition,
    ConsentTest,
    Counted,
    Did,
    Edge,
    EventTime,
    Interval,
    Node,
    Not,
    Occurrences,
    Or,
    Relation,
    Relative,
    Rolling,
    RunAnd,
    RunNot,
    RunOr,
    Segment,
    SinceEntry,
    Sum,
    Timing,
    Window,
)
from crmsdk.segments.verdict import Because, Threshold, Verdict

__all__ = ["describe", "heading", "render", "spell_span"]

_COMPARED = {
    Op.EQ: "is",
    Op.LT: "is less than",
    Op.LE: "is at most",
    Op.GT: "is more than",
    Op.GE: "is at least",
    Op.IN: "is one of",
    Op.BETWEEN: "is between",
    Op.CONTAINS: "contains",
    Op.STARTS: "starts with",
    Op.ENDS: "ends with",
    Op.EXISTS: "exists",
}
_RELATED = {
    Relation.WITHIN_LAST: "was within the last {}",
    Relation.MORE_THAN_AGO: "was {} ago or longer",
    Relation.WITHIN_NEXT: "is within the next {}",
}
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def describe(condition: Condition) -> str:
    """Say a condition in plain English.

    >>> from crmsdk.segments.words import attr, did
    >>> describe((attr("city") == "Moscow") & ~did("purchase").within(timedelta(days=30)))
    "city is 'Moscow' and not (did purchase in the last 30 days)"
    """
    node = cast("Node", condition)
    match node:
        case Always():
            return "everyone" if node.holds else "nobody"
        case Not() | RunNot():
            return f"not ({describe(node.part)})"
        case And() | RunAnd():
            return " and ".join(_bracketed(part) for part in node.parts)
        case Or() | RunOr():
            return " or ".join(_bracketed(part) for part in node.parts)
        case Segment():
            return f"in segment {node.name!r}"
        case AttrTest():
            return _compared(node.name, node.op, node.operand)
        case AttrTime():
            return f"{node.name} {_timing(node.timing)}"
        case Did():
            return f"did {_occurrences(node.of)}{_number(node)}"
        case Sum():
            return _compared(f"sum of {node.prop} over {_occurrences(node.of)}", node.op, node.operand)
        case EventTime():
            edge = "first" if node.edge is Edge.FIRST else "last"
            return f"{edge} {_occurrences(node.of)} {_timing(node.timing)}"
        case ConsentTest():
            return f"consent to {node.purpose} by {node.channel} is {node.state}"
        case SinceEntry():
            span = f"within {spell_span(node.span)} of entry" if node.span is not None else "since entry"
            key = "" if node.keyed else " with any key"
            return f"did {node.event}{_where(node.tests)} {span}{key}{_number(node)}"
        case _:
            assert_never(node)


def heading(condition: Condition) -> str:
    """Say a condition without its parts, where they stand below it."""
    match condition:
        case And() | RunAnd():
            return "all of"
        case Or() | RunOr():
            return "any of"
        case Not() | RunNot():
            return "not"
        case _:
            return describe(condition)


def _bracketed(condition: Condition) -> str:
    text = describe(condition)
    return f"({text})" if isinstance(condition, And | Or | RunAnd | RunOr) else text


def _compared(name: str, op: Op, operand: Value) -> str:
    if op is Op.BETWEEN and isinstance(operand, tuple):
        return f"{name} is between {_shown(operand[0])} and {_shown(operand[1])}"
    return f"{name} {_COMPARED[op]}" + ("" if op is Op.EXISTS else f" {_shown(operand)}")


def _occurrences(of: Occurrences) -> str:
    return f"{of.event}{_where(of.tests)}{_window(of.window)}"


def _where(tests: tuple[PropTest, ...]) -> str:
    if not tests:
        return ""
    said = (_compared(test.name, test.op, test.operand) for test in tests)
    return " where " + " and ".join(
        f"not ({text})" if test.negated else text for test, text in zip(tests, said, strict=True)
    )


def _window(window: Window | None) -> str:
    match window:
        case None:
            return ""
        case Rolling(span):
            return f" in the last {spell_span(span)}"
        case Interval(start, end):
            return f" from {_shown(start)} to before {_shown(end)}"


def _number(node: Counted) -> str:
    match node.low, node.high:
        case 1, None:
            return ""
        case low, None:
            return f", {low} times or more"
        case 0, high:
            return f", at most {_times(high)}" if high else ", not once"
        case low, high if low == high:
            return f", exactly {_times(low)}"
        case low, high:
            return f", {low} to {high} times"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _timing(timing: Timing) -> str:
    match timing:
        case Relative(relation, span):
            return _RELATED[relation].format(spell_span(span))
        case Absolute(None, end):
            return f"is before {_shown(end)}"
        case Absolute(start, None):
            return f"is at or after {_shown(start)}"
        case Absolute(start, end):
            return f"is from {_shown(start)} to before {_shown(end)}"


def spell_span(span: timedelta) -> str:
    """Say a span that is not negative in words.

    >>> spell_span(timedelta(days=1, hours=2))
    '1 day 2 hours'
    """
    left, parts = span.days * 86_400 + span.seconds, []
    for size, unit in _UNITS:
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {unit}{'' if number == 1 else 's'}")
    if span.microseconds:
        parts.append(f"{span.microseconds} microseconds")
    return " ".join(parts)


def _shown(value: Threshold) -> str:
    match value:
        case None:
            return "missing"
        case datetime():
            text = value.isoformat(sep=" ", timespec="auto" if value.microsecond else "seconds")
            return text.replace("+00:00", " UTC")
        case date():
            return value.isoformat()
        case timedelta():
            return spell_span(value)
        case Money():
            return f"{value.minor} {value.currency} in minor units"  # not all have 100
        case tuple():
            return ", ".join(_shown(item) for item in value)
        case _:
            return repr(value)


def render(verdict: Verdict | Because) -> str:
    """Write a verdict as an indented tree for a terminal: a line a part, what was found, and until when.

    The values found are shown, and attributes may be personal: print it for people who may see them.
    """
    because = verdict.because if isinstance(verdict, Verdict) else verdict
    return "\n".join(_lines(because, 0))


def _lines(because: Because, depth: int) -> Iterator[str]:
    asks = not because.parts and (because.asked is not None or because.found is not None)
    found = f"; found {_shown(because.found)}" if asks else ""
    until = "" if because.until is None else f"; until {_shown(because.until)}"
    counted = f"; events {_ids(because.events)}" if because.events else ""
    yield f"{'  ' * depth}{'yes' if because.matched else 'no '} {because.text}{found}{counted}{until}"
    for part in because.parts:
        yield from _lines(part, depth + 1)


def _ids(ids: tuple[str, ...]) -> str:
    shown = ", ".join(ids[:5])
    return f"{shown} and {len(ids) - 5} more" if len(ids) > 5 else shown
