"""Which facts can change the answer of a condition: what the engine need not ask again."""

from collections.abc import Iterable
from typing import assert_never, cast

import attrs

from crmsdk.model.customer import ACCOUNT, ZONE
from crmsdk.segments.grammar import (
    AccountAll,
    AccountCount,
    AccountSum,
    Aggregate,
    Always,
    And,
    Anniversary,
    AttrChanged,
    AttrDays,
    AttrHeld,
    AttrTest,
    AttrTime,
    Bucket,
    Calendar,
    Condition,
    ConsentTest,
    Did,
    EventTime,
    Gap,
    GapVariation,
    InOrder,
    Node,
    Not,
    Occurrences,
    Or,
    Regular,
    RunAnd,
    RunNot,
    RunOr,
    Score,
    Segment,
    SinceEntry,
    Streak,
    Trend,
    Window,
)

__all__ = ["Reads", "reads"]


@attrs.frozen(kw_only=True)
class Reads:
    """Kinds of facts: those a condition reads, or those that just changed.

    Attributes:
        events: Names of events.
        attributes: Names of attributes; of a dotted one the part before the dot too: either may be written.
        consents: Whether consents count.
        zone: Whether the person's zone counts.
        everything: Whether all facts count.
    """

    events: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    consents: bool = False
    zone: bool = False
    everything: bool = False

    @classmethod
    def all(cls) -> "Reads":
        """Give all facts there are."""
        return cls(consents=True, zone=True, everything=True)

    @classmethod
    def union(cls, several: Iterable["Reads"]) -> "Reads":
        """Give everything that any of them reads."""
        parts = tuple(several)
        return cls(
            events=frozenset().union(*(part.events for part in parts)),
            attributes=frozenset().union(*(part.attributes for part in parts)),
            consents=any(part.consents for part in parts),
            zone=any(part.zone for part in parts),
            everything=any(part.everything for part in parts),
        )

    def touches(self, other: "Reads") -> bool:
        """Say whether both have a fact in common."""
        return (
            self.everything
            or other.everything
            or not self.events.isdisjoint(other.events)
            or not self.attributes.isdisjoint(other.attributes)
            or (self.consents and other.consents)
            or (self.zone and other.zone)
        )


_ZONE = Reads(attributes=frozenset((ZONE,)), zone=True)


_ACCOUNT = Reads(attributes=frozenset((ACCOUNT, ACCOUNT.partition(".")[0])))


def _of_events(window: Window | None, *several: Occurrences) -> Reads:
    read = Reads(events=frozenset(of.event for of in several))
    return Reads.union((read, _ZONE)) if isinstance(window, Calendar) else read


def _names(name: str) -> frozenset[str]:
    return frozenset((name, name.partition(".")[0]))


def reads(condition: Condition) -> Reads:
    """Name the facts that can change the answer; no other fact ever does.

    Of a question about the people of an account these are facts of any of them.
    """
    node = cast("Node", condition)
    match node:
        case Did() | Aggregate() | EventTime():
            return _of_events(node.of.window, node.of)
        case Trend() | Gap() | GapVariation():
            return _of_events(node.of.window, node.of)
        case Streak() | Regular():
            return Reads.union((_of_events(None, node.of), _ZONE))
        case InOrder():
            absent = () if node.absent is None else (node.absent,)
            return _of_events(node.window, *node.steps, *absent)
        case Score():
            return Reads.union(
                _of_events(part.per.window, part.per)
                if part.per is not None
                else reads(cast("Condition", part.when))
                for part in node.parts
            )
        case SinceEntry():
            return Reads(events=frozenset((node.event,)))
        case AttrTest() | AttrTime() | AttrChanged() | AttrHeld():
            return Reads(attributes=_names(node.name))
        case AttrDays() | Anniversary():
            return Reads.union((Reads(attributes=_names(node.name)), _ZONE))
        case ConsentTest():
            return Reads(consents=True)
        case AccountCount() | AccountAll():
            return Reads.union((_ACCOUNT, reads(node.predicate)))
        case AccountSum():
            return Reads.union((_ACCOUNT, _of_events(node.of.window, node.of)))
        case And() | Or() | RunAnd() | RunOr():
            return Reads.union(reads(part) for part in node.parts)
        case Not() | RunNot():
            return reads(node.part)
        case Segment():
            return reads(node.predicate)
        case Always() | Bucket():
            return Reads()
        case _:
            assert_never(node)
