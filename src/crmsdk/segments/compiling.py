"""The second executor: a condition made into Python functions, for one person from facts in memory.

The answers are those of ``crmsdk.segments.meaning``, to the moment. What is asked often has a function of its
own; the rest, and every kind of question that is new in the grammar, is answered by the reference.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Final

from crmsdk.model.facts import Facts
from crmsdk.model.moment import to_moment
from crmsdk.segments._asked import Answer, Answering, Holding, answering, by_reference, holding
from crmsdk.segments._written import Constants, compared, function, reading
from crmsdk.segments.conditions import leaves
from crmsdk.segments.grammar import (
    Always,
    And,
    AttrTest,
    Condition,
    Not,
    Or,
    RunAnd,
    RunNot,
    RunOr,
    Segment,
)
from crmsdk.segments.verdict import RunView

__all__ = ["Compiled", "compile_condition"]

_MOST: Final = 1024
_DEEPEST: Final = 50  # Python reads at most 200 brackets in one another


class Compiled:
    """One condition as functions.

    It holds functions, so it cannot be pickled; the condition can.

    Attributes:
        condition: What is asked.
    """

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.answer: Answering = _answering(condition)
        """The same as calling this, for a ``now`` that is in UTC already."""

    def __call__(self, facts: Facts, now: datetime, run: RunView | None = None, zone: str = "UTC") -> Answer:
        """Answer as ``evaluate`` does, without the reason; arguments as there.

        Returns:
            The truth, and the earliest moment at which it may change with no new fact, UTC; None for never.

        Raises:
            NaiveMoment: ``now`` has no zone.
            DefinitionError: the condition is about a run, and none is given.
        """
        return self.answer(facts, to_moment(now, "now"), run, zone)

    @cached_property
    def holds(self) -> Holding:
        """The truth alone, for a ``now`` in UTC: of joined questions, only those that decide are asked.

        Made when it is first asked for; it takes facts, moment, run or None, and zone.
        """
        return _holding(self.condition)


_KEPT: dict[int, Compiled] = {}
"""By identity: each holds its condition, so no other one can have its id meanwhile."""


def compile_condition(condition: Condition) -> Compiled:
    """Compile a condition; of the same object, again the same.

    Every few hundred conditions everything kept is let go, so that conditions made on the way do not pile up.
    """
    kept = _KEPT.get(id(condition))
    if kept is None:
        kept = Compiled(condition)
        if len(_KEPT) >= _MOST:
            _KEPT.clear()
        _KEPT[id(condition)] = kept
    return kept


def _answering(condition: Condition) -> Answering:
    match condition:
        case Always():
            always: Answer = (condition.holds, None)
            return lambda *_: always
        case _ if _of_attributes(condition):
            return _settled(condition)
        case Segment():
            return _answering(condition.predicate)
        case And() | Or() | RunAnd() | RunOr():
            parts = [_answering(part) for part in condition.parts]
            return _joined(parts, wanted=isinstance(condition, And | RunAnd))
        case Not() | RunNot():
            part = _answering(condition.part)

            def negated(facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
                matched, until = part(facts, now, run, zone)
                return not matched, until

            return negated
        case _:
            return answering(condition)


def _joined(parts: Sequence[Answering], *, wanted: bool) -> Answering:
    """Join as the reference does: ``wanted`` where every part is so, else the opposite."""

    def answer(facts: Facts, now: datetime, run: RunView | None, zone: str) -> Answer:
        agreeing: datetime | None = None
        opposing: datetime | None = None
        for part in parts:
            matched, until = part(facts, now, run, zone)
            if matched is wanted:
                if until is not None and (agreeing is None or until < agreeing):
                    agreeing = until
            elif until is None:
                return not wanted, None
            elif opposing is None or until > opposing:
                opposing = until
        return (wanted, agreeing) if opposing is None else (not wanted, opposing)

    return answer


def _of_attributes(condition: Condition) -> bool:
    return all(type(leaf) is AttrTest for leaf in leaves(condition))


def _settled(condition: Condition) -> Answering:
    """Ask of attributes only for the truth: where none is written in the future, it stays for ever."""
    constants = Constants()
    slow = constants.name(by_reference(condition))
    future = f"if log and log[-1].at > now: return {slow}(facts, now, run, zone)"
    gives = f"({_line(condition, constants)}, None)"
    lines = reading(_names(condition), gives, constants, ("log = facts.attributes", future))
    return function("facts, now, run, zone", lines, constants)


def _holding(condition: Condition) -> Holding:
    constants = Constants()
    line, names = _line(condition, constants), _names(condition)
    lines = reading(names, line, constants) if names else [line]
    return function("facts, now, run, zone", lines, constants)


def _names(condition: Condition) -> set[str]:
    return {leaf.name for leaf in leaves(condition) if isinstance(leaf, AttrTest)}


def _line(condition: Condition, constants: Constants, depth: int = _DEEPEST) -> str:
    if depth == 0:
        return f"{constants.name(_answering(condition))}(facts, now, run, zone)[0]"
    match condition:
        case Always():
            return str(condition.holds)
        case Segment():
            return _line(condition.predicate, constants, depth - 1)
        case And() | RunAnd():
            return f"({' and '.join(_line(part, constants, depth - 1) for part in condition.parts)})"
        case Or() | RunOr():
            return f"({' or '.join(_line(part, constants, depth - 1) for part in condition.parts)})"
        case Not() | RunNot():
            return f"(not {_line(condition.part, constants, depth - 1)})"
        case AttrTest():
            value = f"values[{constants.name(condition.name)}]"
            return f"({compared(condition.op, condition.operand, value, constants)})"
        case _:
            return f"{constants.name(holding(condition))}(facts, now, run, zone)"
