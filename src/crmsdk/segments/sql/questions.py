"""Each question as a condition over the person's row: one small function a kind of node.

A kind that is not in the table at the end is refused by its name.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, assert_never

from crmsdk.errors import UnsupportedQuestion
from crmsdk.model._registry import tag_of
from crmsdk.model.consent import ConsentState
from crmsdk.segments.accounts import AboutAccount, AccountAll, AccountCount, AccountSum
from crmsdk.segments.aggregates import Aggregate
from crmsdk.segments.conditions import Always, And, Condition, Not, Or, Segment
from crmsdk.segments.days import Anniversary, AttrDays
from crmsdk.segments.grammar import AttrTest, AttrTime, ConsentTest, Counted, Did, EventTime
from crmsdk.segments.people import AttrChanged, AttrHeld, Bucket
from crmsdk.segments.rhythms import Gap, GapVariation, Regular, Streak
from crmsdk.segments.scoring import Score
from crmsdk.segments.sequences import InOrder
from crmsdk.segments.sql.accounts import account_all, account_count, account_sum
from crmsdk.segments.sql.bounds import span_of_timing
from crmsdk.segments.sql.comparing import compared
from crmsdk.segments.sql.dates import anniversary, days
from crmsdk.segments.sql.features import CountOf, EdgeOf
from crmsdk.segments.sql.habits import drawn, in_order, trend
from crmsdk.segments.sql.layout import Kind
from crmsdk.segments.sql.measures import measured
from crmsdk.segments.sql.past import changed, held
from crmsdk.segments.sql.plan import Plan
from crmsdk.segments.sql.readings import in_span
from crmsdk.segments.sql.rhythms import gap, regular, streak, variation
from crmsdk.segments.sql.scores import scored
from crmsdk.segments.sql.terms import FALSE, TRUE, Term, all_of, any_of, negated
from crmsdk.segments.trends import Trend

__all__ = ["term"]


def term(condition: Condition, plan: Plan, *, wanted: bool = True) -> Term:
    """Write a condition, or its exact complement, and enter what it reads into the plan.

    Raises:
        UnsupportedQuestion: a kind of node, or an operand, that sets cannot ask.
        UnknownName: nothing is stored under a name.
        LayoutError: a table is missing.
    """
    match condition:
        case And(parts) | Or(parts):
            join = all_of if isinstance(condition, And) is wanted else any_of
            return join(term(part, plan, wanted=wanted) for part in parts)
        case Not(part):
            return term(part, plan, wanted=not wanted)
        case Segment(_, predicate):
            return term(predicate, plan, wanted=wanted)
        case _:
            write = QUESTIONS.get(type(condition))
            if write is None:
                raise UnsupportedQuestion(
                    plan.dialect.name, tag_of(type(condition)), "ask it of one person with evaluate()"
                )
            asked = plan.atom(write(condition, plan))
            return asked if wanted else negated(asked)


def _always(node: Always, _: Plan) -> Term:
    return TRUE if node.holds else FALSE


def _did(node: Did, plan: Plan) -> Term:
    if plan.span(node.of).empty:
        return _holds(_counts(node, 0))
    if node.low == 0 and node.high is None:
        return TRUE
    column, group = plan.event(CountOf(node.of))
    groups = frozenset({group})
    if _counts(node, 0):
        return Term(_lies_in(f"COALESCE({column}, 0)", node), total=True, needs_if_not=groups)
    return Term(_lies_in(column, node), needs=groups)


def _counts(node: Counted, number: int) -> bool:
    return node.low <= number and (node.high is None or number <= node.high)


def _lies_in(x: str, node: Counted) -> str:
    if node.low == node.high:
        return f"{x} = {node.low}"
    parts = [f"{x} >= {node.low}"] if node.low else []
    parts += [] if node.high is None else [f"{x} <= {node.high}"]
    return " AND ".join(parts)


def _holds(value: bool) -> Term:  # noqa: FBT001 - a truth is what it turns
    return TRUE if value else FALSE


def _attribute(node: AttrTest, plan: Plan) -> Term:
    reading, groups = plan.attribute(node.name)
    found = compared(plan.dialect, reading, node.op, node.operand)
    return found if found in (TRUE, FALSE) else _needing(found, groups)


def _attribute_time(node: AttrTime, plan: Plan) -> Term:
    reading, groups = plan.attribute(node.name)
    span = span_of_timing(node.timing, plan.now)
    found = FALSE if span.empty else reading.moment_in(span)
    return found if found == FALSE else _needing(found, groups)


def _needing(found: Term, groups: frozenset[str]) -> Term:
    return Term(found.sql, total=found.total, needs=groups)


def _event_time(node: EventTime, plan: Plan) -> Term:
    span = span_of_timing(node.timing, plan.now)
    if span.empty or plan.span(node.of).empty:
        return FALSE
    column, group = plan.event(EdgeOf(node.of, node.edge))
    kind = plan.layout.events.at.kind or Kind.MICROS
    return Term(in_span(plan.dialect, column, kind, span), needs=frozenset({group}))


def _consent(node: ConsentTest, plan: Plan) -> Term:
    column, group = plan.consent(node.channel, node.purpose)
    asked = f"{{}} = {plan.dialect.text(node.state.value)}"
    if node.state is ConsentState.UNKNOWN:
        unknown = plan.dialect.text(ConsentState.UNKNOWN.value)
        return Term(
            asked.format(f"COALESCE({column}, {unknown})"), total=True, needs_if_not=frozenset({group})
        )
    return Term(asked.format(column), needs=frozenset({group}))


def _about_account(node: AboutAccount, plan: Plan) -> Term:
    match node:
        case AccountCount():
            return account_count(node, plan, term)
        case AccountAll():
            return account_all(node, plan, term)
        case AccountSum():
            return account_sum(node, plan)
        case _:
            assert_never(node)


def _score(node: Score, plan: Plan) -> Term:
    return scored(node, plan, term)


Write: TypeAlias = Callable[[Any, Plan], Term]
QUESTIONS: Final[Mapping[type[Condition], Write]] = {
    Always: _always,
    AttrTest: _attribute,
    AttrTime: _attribute_time,
    ConsentTest: _consent,
    Did: _did,
    EventTime: _event_time,
    Aggregate: measured,
    Bucket: drawn,
    InOrder: in_order,
    AttrChanged: changed,
    AttrHeld: held,
    AttrDays: days,
    Anniversary: anniversary,
    Streak: streak,
    Regular: regular,
    Gap: gap,
    GapVariation: variation,
    Trend: trend,
    Score: _score,
    AccountCount: _about_account,
    AccountAll: _about_account,
    AccountSum: _about_account,
}
"""Every kind of question sets can ask."""
