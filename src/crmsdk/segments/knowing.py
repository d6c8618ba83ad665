"""What is known of the person beyond current values, now and until when."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import TypeAlias, assert_never

from crmsdk.model.comparison import Op, compare, exact
from crmsdk.model.facts import Facts
from crmsdk.model.salt import bucket
from crmsdk.model.values import Value
from crmsdk.segments.days import Anniversary, AttrDays
from crmsdk.segments.people import BUCKETS, AttrChanged, AttrHeld, Bucket
from crmsdk.segments.reckoning import days_answer, days_found
from crmsdk.segments.spells import Spell, answer_of
from crmsdk.segments.unfolding import Answer, in_zones, moved, zone_at
from crmsdk.segments.verdict import Threshold

__all__ = ["AboutPerson", "changes", "person_answer", "person_found", "spells"]

AboutPerson: TypeAlias = AttrChanged | AttrHeld | AttrDays | Anniversary | Bucket


def person_answer(node: AboutPerson, facts: Facts, now: datetime, zone: str) -> Answer:
    """Say whether a question about the person holds, and until when that stays so."""
    match node:
        case AttrChanged(name, span):
            return answer_of((Spell(at, moved(at, span), ()) for at, _ in changes(facts, name)), now)
        case AttrHeld():
            return answer_of(_ripe(node, facts), now)
        case Bucket():
            return node.low <= _lot(node, facts) < node.high, None
        case AttrDays() | Anniversary():
            return in_zones(partial(days_answer, node, facts), facts, zone, now)
        case _:
            assert_never(node)


def person_found(node: AboutPerson, facts: Facts, now: datetime, zone: str) -> tuple[Value, Threshold]:
    """Say what was found, the moment of the last change, the value, the lot, the days; and what was asked."""
    match node:
        case AttrChanged():
            return max((at for at, _ in changes(facts, node.name) if at <= now), default=None), node.span
        case AttrHeld():
            return facts.attribute(node.name, now), node.operand
        case Bucket():
            return _lot(node, facts), (node.low, node.high)
        case AttrDays():
            return days_found(node, facts, now, zone_at(facts, zone, now)), node.operand
        case Anniversary():
            return days_found(node, facts, now, zone_at(facts, zone, now)), (node.first, node.last)
        case _:
            assert_never(node)


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
        if begin is not None:
            yield begin, at
        begin = at if compare(Op.EQ, value, node.operand) else None
    if begin is not None:
        yield begin, None


def _ripe(node: AttrHeld, facts: Facts) -> Iterator[Spell]:
    for begin, end in spells(node, facts):
        due = moved(begin, node.span)
        if due is not None and (end is None or due < end):
            yield Spell(due, end, ())
