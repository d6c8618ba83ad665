"""Questions about rhythm: local periods with events, the rows these make, and the times between events."""

from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from typing_extensions import override

from crmsdk.model.comparison import Op, compare
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.rhythms import Gap, GapVariation, Middle, Regular, Streak
from crmsdk.segments.sql.clocks import CLOCKS_END, skipped_by
from crmsdk.segments.sql.comparing import numbered
from crmsdk.segments.sql.layout import Kind
from crmsdk.segments.sql.measures import EPSILON, SIGNS, comparisons, needing
from crmsdk.segments.sql.plan import Plan
from crmsdk.segments.sql.readings import in_span
from crmsdk.segments.sql.sources import EventRow, Group
from crmsdk.segments.sql.terms import FALSE, Term, all_of
from crmsdk.segments.sql.zoning import CLOCKS
from crmsdk.segments.windows import Calendar, Unit

__all__ = ["gap", "regular", "streak", "variation"]

_DAY: Final = 86_400_000_000
_LAST_DAY: Final = 3_652_059
_MICROSECOND: Final = timedelta(microseconds=1)


def _number(dialect: Any, unit: Unit, source: str) -> str:
    """Write rows with the number of the period instead of the local day, with no day that a zone skipped."""
    over = dialect.over
    if unit is Unit.DAY:
        return f"(SELECT customer, today, day - skipped AS number FROM {source}) AS n"
    if unit is Unit.WEEK:
        return f"(SELECT customer, today, {over('day - 1', 7)} AS number FROM {source}) AS n"
    # Months are counted from March, so that the leap day is the last one of a year; 400 years are one cycle.
    cycle = f"(SELECT *, {over('day + 305', 146_097)} AS cycle FROM {source}) AS m0"
    rest = f"(SELECT *, day + 305 - cycle * 146097 AS rest FROM {cycle}) AS m1"
    leaps = f"rest - {over('rest', 1460)} + {over('rest', 36_524)} - {over('rest', 146_096)}"
    years = f"(SELECT *, {over(leaps, 365)} AS years FROM {rest}) AS m2"
    days = f"rest - (365 * years + {over('years', 4)} - {over('years', 100)})"
    months = f"(years + 400 * cycle) * 12 + {over(f'5 * ({days}) + 2', 153)} + 2"
    months = months if unit is Unit.MONTH else over(months, 3 if unit is Unit.QUARTER else 12)
    return f"(SELECT customer, today, {months} AS number FROM {years}) AS n"


# --- periods with events ----------------------------------------------------------------------------------


class _Periods(StrEnum):
    """What is counted of periods with events."""

    CURRENT = "current"
    LONGEST = "longest"
    ALL = "all"


class PeriodGroup(Group[_Periods | int]):
    """In how many periods events lie, and in how many in a row; a number asks for so many last ones."""

    def __init__(self, alias: str, row: EventRow, plan: Plan, of: Occurrences, unit: Unit) -> None:
        super().__init__(alias, row.dialect)
        self._row = row
        self._plan = plan
        self._of = of
        self._unit = unit

    def _rows(self) -> str:
        """Write a row for each event: whose, the number of today, and the local day."""
        row, dialect, plan, of = self._row, self.dialect, self._plan, self._of
        span, kind = plan.span(of), row.events.at.kind or Kind.MICROS
        where = [
            f"{dialect.ident(row.events.name)} = {dialect.text(of.event)}",
            in_span(dialect, row.at, kind, span),
        ]
        if isinstance(of.window, Calendar):
            where.append(plan.zoned.inside(of.window, row.micros))
        tests = row.passes(of.tests).sql
        rows = f"(SELECT * FROM {row.table(zoned=True)} WHERE {' AND '.join(where)}) AS l0"
        rows = row.lets.around(rows, dialect.fence)
        clock = plan.zoned.clock()
        today = plan.zoned.column([self._today(tz) for tz in plan.zoned.zones])
        events = (
            f"(SELECT {dialect.ident(row.events.customer)} AS customer, {today} AS today,"
            f" {clock} AS clock, {row.micros} AS moment FROM {rows} WHERE {tests}) AS e"
        )
        days = (
            f"(SELECT e.customer, e.today, c.skipped, {dialect.over('e.moment + c.shift', _DAY)} AS day"
            f" FROM {events} JOIN {CLOCKS} AS c ON c.clock = e.clock"
            " AND e.moment >= c.begins AND e.moment < c.ends) AS d"
        )
        clipped = f"CASE WHEN day < 1 THEN 1 WHEN day > {_LAST_DAY} THEN {_LAST_DAY} ELSE day END"
        return f"(SELECT customer, today, skipped, {clipped} AS day FROM {days}) AS d1"

    def _today(self, tz: ZoneInfo) -> int:
        number = self._plan.zoned.period(self._unit, tz)
        if self._unit is not Unit.DAY:
            return number
        return number - skipped_by(self._plan.now, tz)

    @override
    def sql(self) -> str:
        numbers = f"(SELECT DISTINCT * FROM {_number(self.dialect, self._unit, self._rows())}) AS p"
        placed = (
            "(SELECT *, number - row_number() OVER (PARTITION BY customer ORDER BY number) AS island,"
            f" max(number) OVER (PARTITION BY customer) AS newest FROM {numbers}) AS q"
        )
        parts, columns = "", []
        for feature, name in self._features.items():
            if isinstance(feature, int):
                last = "CASE WHEN newest = today THEN today ELSE today - 1 END"
                parts += f", count(CASE WHEN number > {last} - {feature} THEN 1 END) AS {name}"
                columns.append(f"sum({name}) AS {name}")
            else:
                columns.append(f"{_PERIODS[feature]} AS {name}")
        rows = (
            f"(SELECT customer, today, island, count(*) AS many, max(number) AS ending{parts} FROM {placed}"
            " GROUP BY customer, today, island) AS r"
        )
        return f"SELECT customer, {', '.join(columns)} FROM {rows} GROUP BY customer"


_PERIODS: Final = {
    _Periods.ALL: "sum(many)",
    _Periods.LONGEST: "max(many)",
    _Periods.CURRENT: "max(CASE WHEN ending >= today - 1 THEN many END)",
}


def _periods(of: Occurrences, unit: Unit, feature: _Periods | int, plan: Plan) -> tuple[str, str]:
    plan.needs_zones()
    column, group = plan.grouped(
        ("periods", (of, unit)), lambda alias, row: PeriodGroup(alias, row, plan, of, unit), feature
    )
    if plan.now >= CLOCKS_END:
        plan.doubt(f"{column} >= 0", group)
    return f"COALESCE({column}, 0)", group


def streak(node: Streak, plan: Plan) -> Term:
    """Compare how many periods hold an event, in a row or in all."""
    asked = comparisons(node.op, node.operand)
    if plan.span(node.of).empty:
        return all_of(numbered(plan.dialect, "0", None, op, value) for op, value in asked)
    column, group = _periods(node.of, node.unit, _Periods(node.run), plan)
    found = all_of(numbered(plan.dialect, column, None, op, value) for op, value in asked)
    of_none = all(compare(op, 0, value) for op, value in asked)
    return needing(Term(found.sql, total=True), group, of_none=of_none)


def regular(node: Regular, plan: Plan) -> Term:
    """Ask for events in so many of the last periods."""
    column, group = _periods(node.of, node.unit, node.periods, plan)
    return Term(f"{column} >= {node.at_least}", needs=frozenset({group}))


# --- the times between events -----------------------------------------------------------------------------


class _Between(StrEnum):
    """What is known of the times between events."""

    MANY = "many"
    SUM = "sum"
    SQUARES = "squares"
    MIDDLE = "middle"


class GapGroup(Group[_Between]):
    """The times between events: how many, their sum, that of their squares, and twice their median."""

    def __init__(self, alias: str, row: EventRow, plan: Plan, of: Occurrences) -> None:
        super().__init__(alias, row.dialect)
        self._row = row
        self._plan = plan
        self._of = of

    @override
    def sql(self) -> str:
        row, dialect, of = self._row, self.dialect, self._of
        kind, zoned = row.events.at.kind or Kind.MICROS, isinstance(of.window, Calendar)
        where = [
            f"{dialect.ident(row.events.name)} = {dialect.text(of.event)}",
            in_span(dialect, row.at, kind, self._plan.span(of)),
        ]
        if isinstance(of.window, Calendar):
            where.append(self._plan.zoned.inside(of.window, row.micros))
        tests = row.passes(of.tests).sql
        rows = f"(SELECT * FROM {row.table(zoned=zoned)} WHERE {' AND '.join(where)}) AS l0"
        rows = row.lets.around(rows, dialect.fence)
        before = (  # a case without else may be null, in every dialect
            "max(CASE WHEN moment IS NOT NULL THEN moment END) OVER"
            " (PARTITION BY customer ORDER BY moment ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)"
        )
        moments = (
            f"SELECT {dialect.ident(row.events.customer)} AS customer, {row.micros} AS moment FROM {rows}"
        )
        gaps = f"SELECT customer, moment - {before} AS gap FROM ({moments} WHERE {tests}) AS e"
        placed = (
            "SELECT *, row_number() OVER (PARTITION BY customer ORDER BY gap) AS place,"
            f" count(*) OVER (PARTITION BY customer) AS many FROM ({gaps}) AS g WHERE gap IS NOT NULL"
        )
        upper, lower = f"place = {dialect.over('many', 2)} + 1", f"place = many - {dialect.over('many', 2)}"
        real = dialect.as_real("gap")
        parts = {
            _Between.MANY: "count(*)",
            _Between.SUM: dialect.sum("gap", ""),
            _Between.SQUARES: dialect.sum_of_reals(f"{real} * {real}", ""),
            _Between.MIDDLE: f"max(CASE WHEN {upper} THEN gap END) + max(CASE WHEN {lower} THEN gap END)",
        }
        columns = ", ".join(f"{parts[each]} AS {name}" for each, name in self._features.items())
        return f"SELECT customer, {columns} FROM ({placed}) AS h GROUP BY customer"


def _gaps(node: Gap | GapVariation, plan: Plan, *features: _Between) -> tuple[list[str], str]:
    of = node.of
    key = ("gaps", of)
    found = [
        plan.grouped(key, lambda alias, row: GapGroup(alias, row, plan, of), feature) for feature in features
    ]
    return [column for column, _ in found], found[0][1]


def gap(node: Gap, plan: Plan) -> Term:
    """Compare the mean or the median, by multiplying across."""
    if plan.span(node.of).empty:
        return FALSE
    over, under = (_Between.SUM, _Between.MANY) if node.middle is Middle.MEAN else (_Between.MIDDLE, None)
    columns, group = _gaps(node, plan, over, under or _Between.MANY)
    dialect = plan.dialect
    times = dialect.wide(columns[1]) if under else dialect.wide("2")
    bounds = node.operand if isinstance(node.operand, tuple) else (node.operand,)
    ops = (Op.GE, Op.LE) if isinstance(node.operand, tuple) else (node.op,)
    asked = [
        Term(f"{dialect.wide(columns[0])} {SIGNS[op]} {times} * {dialect.integer(bound // _MICROSECOND)}")
        for op, bound in zip(ops, bounds, strict=True)
    ]
    return Term(all_of(asked).sql, needs=frozenset({group}))


def variation(node: GapVariation, plan: Plan) -> Term:
    """Compare squares; who comes so near to the bound that rounding might decide is in doubt."""
    if plan.span(node.of).empty:
        return FALSE
    (many, total, squares), group = _gaps(node, plan, _Between.MANY, _Between.SUM, _Between.SQUARES)
    dialect = plan.dialect
    real = dialect.as_real
    terms = [Term(f"{many} >= 2 AND {total} > 0")]
    for op, operand in comparisons(node.op, node.operand):
        square = _square(operand)
        if square is None:  # no times between fewer than 2**63 events vary as much
            terms.append(Term("TRUE") if op in (Op.LT, Op.LE) else FALSE)
            continue
        over = f"{real(many)} * {squares}"
        under = f"{real(total)} * {real(total)} * {dialect.real(1 + square)}"
        error = f"({over} + {under}) * ({many} + 16) * {dialect.real(EPSILON)}"
        plan.doubt(f"{many} >= 2 AND {total} > 0 AND NOT abs({over} - {under}) > {error}", group)
        terms.append(Term(f"{over} {SIGNS[op]} {under}"))
    found = all_of(terms)
    return found if found == FALSE else Term(found.sql, needs=frozenset({group}))


def _square(bound: Any) -> float | None:
    number = Fraction(repr(bound)) if isinstance(bound, float) else Fraction(bound)
    return float(number**2) if number < 2**40 else None
