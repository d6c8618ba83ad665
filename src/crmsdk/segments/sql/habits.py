"""Questions about habits: more or less than before, one thing after another, and a lot drawn for ever."""

from datetime import timedelta
from fractions import Fraction
from typing import Final

import attrs
from typing_extensions import override

from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.people import BUCKETS, Bucket
from crmsdk.segments.sequences import InOrder
from crmsdk.segments.sql.bounds import Span
from crmsdk.segments.sql.features import CountOf
from crmsdk.segments.sql.layout import Kind
from crmsdk.segments.sql.measures import SIGNS, Figures, comparisons, figures_of
from crmsdk.segments.sql.plan import PERSON, Plan
from crmsdk.segments.sql.readings import in_span
from crmsdk.segments.sql.sources import EventRow, Group
from crmsdk.segments.sql.terms import FALSE, Term, all_of
from crmsdk.segments.trends import Trend
from crmsdk.segments.windows import Calendar

__all__ = ["drawn", "in_order", "trend"]

_MICROSECOND: Final = timedelta(microseconds=1)
_SAFE: Final = 2**40
"""Two integers below this, and one of 2**46, can be multiplied exactly."""


def drawn(node: Bucket, plan: Plan) -> Term:
    """Compare a person's lot."""
    plan.reads_person = True
    dialect = plan.dialect
    who = dialect.as_text(f"{PERSON}.{dialect.ident(plan.layout.people.id)}")
    salted = f"{dialect.text(node.salt + ':')} || {who}"
    lot = f"({dialect.lot(salted)}) % {BUCKETS}"
    return Term(f"{lot} >= {node.low} AND {lot} < {node.high}", total=True)


# --- more or less than before -----------------------------------------------------------------------------


def trend(node: Trend, plan: Plan) -> Term:
    """Compare how much there is in a window with how much there was in those before."""
    now, before = _amount(node, node.of, plan), _amount(node, node.before(), plan)
    if before is None:
        return FALSE
    over, under, group = now[0] if now else "0", before[0], before[1]
    dialect = plan.dialect
    safe = f"abs({over}) < {dialect.integer(_SAFE)} AND abs({under}) < {dialect.integer(_SAFE)}"
    if node.prop is not None:
        plan.doubt(f"NOT ({safe})", group)
    terms = [Term(f"{under} > 0")]
    for op, operand in comparisons(node.op, node.operand):
        bound = Fraction(repr(operand)) if isinstance(operand, float) else Fraction(operand)
        if max(abs(bound.numerator), bound.denominator) >= _SAFE:
            plan.doubt(f"{under} > 0", group)
            return FALSE
        left = f"{dialect.wide(over)} * {bound.denominator * node.over}"
        right = f"{dialect.wide(under)} * {dialect.integer(bound.numerator)}"
        terms.append(Term(f"CASE WHEN {safe} THEN {left} {SIGNS[op]} {right} ELSE FALSE END"))
    return Term(all_of(terms).sql, needs=frozenset({group}))


def _amount(node: Trend, of: Occurrences, plan: Plan) -> tuple[str, str] | None:
    """Give a number of events or an exact sum, and its group; None where there is nothing."""
    if node.prop is None:
        if plan.span(of).empty:
            return None
        column, group = plan.event(CountOf(of))
        return f"COALESCE({column}, 0)", group
    found = figures_of(plan, of, node.prop, node.currency or "")
    if found is None:
        return None
    figures: Figures = found[0]
    if found[2]:
        plan.doubt(f"{figures.many_floats} > 0", figures.group)  # doubles are the reference's
    if found[3]:
        plan.doubt(f"abs({figures.whole}) >= {plan.dialect.integer(plan.dialect.widest)}", figures.group)
    return figures.whole, figures.group


# --- one after another ------------------------------------------------------------------------------------


@attrs.frozen
class _Ends:
    """How many events end a chain."""


class SequenceGroup(Group[_Ends]):
    """People with a chain of events: for each row the latest beginning of a chain that it ends.

    Of the chains that end with one event, the one that begins last is within the span if any is, so a running
    maximum a step tells all.
    """

    def __init__(self, alias: str, row: EventRow, node: InOrder, span: Span, *, local: str, now: int) -> None:
        super().__init__(alias, row.dialect)
        self._row = row
        self._node = node
        self._span = span
        self._local = local
        self._now = now

    @override
    def sql(self) -> str:
        dialect, row, steps = self.dialect, self._row, self._node.steps
        events, text = row.events, dialect.text
        name = dialect.ident(events.name)
        kind = events.at.kind or Kind.MICROS
        names = ", ".join(text(each) for each in dict.fromkeys(step.event for step in steps))
        fits = [f"{name} = {text(step.event)} AND ({row.passes(step.tests).sql})" for step in steps]
        base = f"{name} IN ({names}) AND {in_span(dialect, row.at, kind, self._span)}"
        base += f" AND {self._local}" if self._local else ""
        table = row.table(zoned=bool(self._local))
        rows = row.lets.around(f"(SELECT * FROM {table} WHERE {base}) AS l0", dialect.fence)
        flags = ", ".join(f"CASE WHEN {fit} THEN 1 ELSE 0 END AS fits{n}" for n, fit in enumerate(fits))
        source = (
            f"(SELECT {dialect.ident(events.customer)} AS customer, {row.micros} AS moment,"
            f" {dialect.binary(dialect.ident(events.id.name))} AS place, {flags} FROM {rows}) AS s"
        )
        source = f"(SELECT *, CASE WHEN fits0 = 1 THEN moment END AS begun0 FROM {source}) AS s0"
        for n in range(1, len(steps)):
            earlier = (
                f"max(begun{n - 1}) OVER (PARTITION BY customer ORDER BY moment, place"
                " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
            )
            source = f"(SELECT *, CASE WHEN fits{n} = 1 THEN {earlier} END AS begun{n} FROM {source}) AS s{n}"
        begun = f"begun{len(steps) - 1}"
        within = f"{begun} IS NOT NULL"
        if self._node.span is not None:
            within = f"moment - {begun} <= {self._node.span // _MICROSECOND}"
        return f"SELECT customer, count(*) AS f0 FROM {source} WHERE {within} GROUP BY customer"


class SettledGroup(SequenceGroup):
    """People with a chain of events that nothing spoiled before the span was over: each first one is judged.

    Of the chains from one first event the one that ends first tells: its last step may be what must not
    follow, but nothing of that may come later.
    """

    @override
    def sql(self) -> str:
        dialect, row, steps, absent = self.dialect, self._row, self._node.steps, self._node.absent
        events, text = row.events, dialect.text
        assert absent is not None  # noqa: S101 - else there is nothing to settle
        assert self._node.span is not None  # noqa: S101 - the definition has seen to it
        name, kind = dialect.ident(events.name), events.at.kind or Kind.MICROS
        names = ", ".join(text(each) for each in dict.fromkeys(step.event for step in (*steps, absent)))
        inside = in_span(dialect, row.at, kind, self._span) + (f" AND {self._local}" if self._local else "")
        flags = [
            f"{name} = {text(step.event)} AND ({row.passes(step.tests).sql}) AND {inside}" for step in steps
        ]
        flags.append(f"{name} = {text(absent.event)} AND ({row.passes(absent.tests).sql})")
        past = in_span(dialect, row.at, kind, Span(self._span.low, self._now + 1))
        table = row.table(zoned=bool(self._local))
        rows = f"(SELECT * FROM {table} WHERE {name} IN ({names}) AND {past}) AS l0"
        rows = row.lets.around(rows, dialect.fence)
        columns = ", ".join(f"CASE WHEN {flag} THEN 1 ELSE 0 END AS fits{n}" for n, flag in enumerate(flags))
        listed = (
            f"SELECT {dialect.ident(events.customer)} AS customer, {row.micros} AS moment,"
            f" {dialect.binary(dialect.ident(events.id.name))} AS place, {columns} FROM {rows}"
        )
        placed = (
            "SELECT *, row_number() OVER (PARTITION BY customer ORDER BY moment, place) AS seat"
            f" FROM ({listed}) AS s"
        )
        due = f"moment + {self._node.span // _MICROSECOND}"
        chains = (
            f"(SELECT customer, seat AS begun, seat AS reached, {due} AS due FROM placed"
            f" WHERE fits0 = 1 AND {due} <= {self._now}) AS t"
        )
        spoils = f"max(CASE WHEN e.fits{len(steps)} = 1 AND {_AFTER} THEN e.seat ELSE 0 END) AS spoilt"
        chains = _joined(f"t.reached, {spoils}", chains, "t.reached")
        for n in range(1, len(steps)):
            late = " AND e.seat >= t.spoilt" if n == len(steps) - 1 else ""
            fits = f"e.fits{n} = 1 AND {_AFTER}{late}"
            chains = _joined(
                f"t.spoilt, min(CASE WHEN {fits} THEN e.seat END) AS reached", chains, "t.spoilt"
            )
        held = "reached IS NOT NULL" if len(steps) > 1 else "spoilt = 0"
        return (
            f"WITH placed AS ({placed}) SELECT customer, count(*) AS f0 FROM {chains} WHERE {held}"
            " GROUP BY customer"
        )


_AFTER: Final = "e.seat > t.reached AND e.moment <= t.due"


def _joined(columns: str, chains: str, kept: str) -> str:
    """Look from each chain at all events of its person; the first event is among them, so none is lost."""
    return (
        f"(SELECT t.customer, t.begun, t.due, {columns} FROM {chains} JOIN placed AS e"
        f" ON e.customer = t.customer GROUP BY t.customer, t.begun, t.due, {kept}) AS t"
    )


def in_order(node: InOrder, plan: Plan) -> Term:
    """Ask for a chain of events."""
    span = plan.span(attrs.evolve(node.steps[0], window=node.window))
    if span.empty:
        return FALSE
    column, group = plan.grouped(
        ("sequence", node),
        lambda alias, row: (SequenceGroup if node.absent is None else SettledGroup)(
            alias, row, node, span, local=_local(node, plan, row), now=plan.now
        ),
        _Ends(),
    )
    return Term(f"{column} >= 1", needs=frozenset({group}))


def _local(node: InOrder, plan: Plan, row: EventRow) -> str:
    return plan.zoned.inside(node.window, row.micros) if isinstance(node.window, Calendar) else ""
