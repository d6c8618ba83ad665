"""What is known of the person beyond current values, now and until when."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from crmsdk.model.comparison import Op, compare, exact
from crmsdk.model.facts import Facts
from crmsdk.model.salt import bucket
from crmsdk.model.values import Value
from crmsdk.segments.people import BUCKETS, AttrChanged, AttrHeld, Bucket
from crmsdk.segments.unfolding import moved
from crmsdk.segments.verdict import Threshold

__all__ = ["changes", "person_answer", "person_found", "spells"]


def person_answer(
    node: AttrChanged | AttrHeld | Bucket, facts: Facts, now: datetime
) -> tuple[bool, datetime | None]:
    """Say whether a question about the person holds, and until when that stays so."""
    match node:
        case AttrChanged(name, span):
            return _inside(((at, moved(at, span)) for at, _ in changes(facts, name)), now)
        case AttrHeld():
            return _inside(_ripe(node, facts), now)
        case Bucket():
            return node.low <= _lot(node, facts) < node.high, None


def person_found(
    node: AttrChanged | AttrHeld | Bucket, facts: Facts, now: datetime
) -> tuple[Value, Threshold]:
    """Say what was found, the moment of the last change, the value, or the lot; and what was asked."""
    match node:
        case AttrChanged():
            return max((at for at, _ in changes(facts, node.name) if at <= now), default=None), node.span
        case AttrHeld():
            return facts.attribute(node.name, now), node.operand
        case Bucket():
            return _lot(node, facts), (node.low, node.high)


def _lot(node: Bucket, facts: Facts) -> int:
    return bucket(node.salt, facts.customer, buckets=BUCKETS)


def changes(facts: Facts, name: str) -> Iterator[tuple[datetime, Value]]:
    """Give the moments at which an attribute really changed, future ones included, with the new value."""
    before: Value = None
    for at, value in facts.history(name):
        if exact(value) != exact(before):
            yield at, value
            before = value


def spells(node: AttrHeld, facts: Facts) -> Iterator[tuple[datetime, datetime | None]]:
    """Give the spells ``[begin, end)`` in which an attribute had, or will have, the value."""
    begin: datetime | None = None
    for at, value in changes(facts, node.name):
        holds = compare(Op.EQ, value, node.operand)
        if holds and begin is None:
            begin = at
        elif begin is not None and not holds:
            yield begin, at
            begin = None
    if begin is not None:
        yield begin, None


def _ripe(node: AttrHeld, facts: Facts) -> Iterator[tuple[datetime, datetime | None]]:
    for begin, end in spells(node, facts):
        due = moved(begin, node.span)
        if due is not None and (end is None or due < end):
            yield due, end


def _inside(spans: Iterable[tuple[datetime, datetime | None]], now: datetime) -> tuple[bool, datetime | None]:
    """Say whether a moment lies in one of some spans ``[begin, end)``, and until when that stays so.

    Args:
        spans: Begins and ends both rising; None for no end. They may overlap.
        now: The moment.
    """
    until: datetime | None = None
    matched = False
    for begin, end in spans:
        if end is not None and end <= now:
            continue
        if not matched and begin > now:
            return False, begin
        if matched and until is not None and begin > until:
            break
        matched, until = True, end
        if end is None:
            break
    return matched, until
