"""Ask a condition about a customer: by compiled functions, with the answers of the reference."""

from datetime import datetime
from typing import overload

from crmsdk.model.facts import Facts
from crmsdk.model.moment import to_moment
from crmsdk.segments import meaning
from crmsdk.segments.compiling import Compiled, compile_condition
from crmsdk.segments.grammar import Condition, Predicate, RunPredicate
from crmsdk.segments.verdict import Because, RunView, Verdict

__all__ = ["evaluate", "evaluate_once", "holds"]


@overload
def evaluate(
    condition: Predicate, facts: Facts, now: datetime, *, run: RunView | None = None, zone: str = "UTC"
) -> Verdict: ...
@overload
def evaluate(
    condition: RunPredicate, facts: Facts, now: datetime, *, run: RunView, zone: str = "UTC"
) -> Verdict: ...
@overload
def evaluate(
    condition: Condition, facts: Facts, now: datetime, *, run: RunView, zone: str = "UTC"
) -> Verdict: ...
def evaluate(
    condition: Condition, facts: Facts, now: datetime, *, run: RunView | None = None, zone: str = "UTC"
) -> Verdict:
    """Answer one condition about one customer at one moment.

    Args:
        condition: What is asked.
        facts: Everything known about the customer.
        now: The moment of asking, aware; past and future ones are as good.
        run: The run it is asked in; needed for conditions about a run.
        zone: IANA zone of people whose zone is unknown, for questions about local days.

    Returns:
        The truth, and ``until``: no earlier change is possible without a new fact. It is the exact moment of
        the next change for single questions; for joined ones it may come earlier, never later.

    Raises:
        NaiveMoment: ``now`` has no zone.
        DefinitionError: the condition is about a run, and none is given.
        UnknownZone: a local day is asked for, and the zone data does not hold the zone.
        UnsupportedQuestion: the people of an account are asked about, and ``facts.colleagues`` is not given.
    """
    return _verdict(compile_condition(condition), facts, to_moment(now, "now"), run, zone)


def evaluate_once(condition: Predicate, facts: Facts, now: datetime, *, zone: str = "UTC") -> Verdict:
    """Answer as ``evaluate`` does and keep nothing: what was asked of a large account would stay in memory.

    Args:
        condition, facts, now, zone: As of ``evaluate``.

    Raises:
        NaiveMoment, UnknownZone, UnsupportedQuestion: As of ``evaluate``.
    """
    return _verdict(Compiled(condition), facts, to_moment(now, "now"), None, zone)


def _verdict(compiled: Compiled, facts: Facts, now: datetime, run: RunView | None, zone: str) -> Verdict:
    matched, until = compiled.answer(facts, now, run, zone)
    condition = compiled.condition

    def because() -> Because:
        return meaning.evaluate(condition, facts, now, run=run, zone=zone).because  # type: ignore[arg-type]  # a run was needed already

    return Verdict(matched, until, because)


@overload
def holds(
    condition: Predicate, facts: Facts, now: datetime, *, run: RunView | None = None, zone: str = "UTC"
) -> bool: ...
@overload
def holds(
    condition: RunPredicate, facts: Facts, now: datetime, *, run: RunView, zone: str = "UTC"
) -> bool: ...
@overload
def holds(condition: Condition, facts: Facts, now: datetime, *, run: RunView, zone: str = "UTC") -> bool: ...
def holds(
    condition: Condition, facts: Facts, now: datetime, *, run: RunView | None = None, zone: str = "UTC"
) -> bool:
    """Say whether a condition holds, where it does not matter why or until when: cheaper than ``evaluate``.

    Args:
        condition, facts, now, run, zone: As of ``evaluate``.

    Raises:
        NaiveMoment: ``now`` has no zone.
        DefinitionError: the condition is about a run, and none is given.
        UnknownZone: a local day is asked for, and the zone data does not hold the zone.
        UnsupportedQuestion: the people of an account are asked about, and ``facts.colleagues`` is not given.
    """
    return compile_condition(condition).holds(facts, to_moment(now, "now"), run, zone)
