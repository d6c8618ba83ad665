"""Questions about a property over several events: each function of ``crmsdk.segments.aggregates``.

Integers and money are added exactly. Doubles add up to different last bits in different orders, so a sum with
doubles that comes near the threshold puts the person in doubt, and the reference answers; everywhere else the
order does not matter.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final, TypeAlias

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.comparison import Op, PropTest, compare
from crmsdk.model.money import Money
from crmsdk.model.values import Value
from crmsdk.segments.aggregates import Aggregate, Function
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.sql.comparing import compared, numbered
from crmsdk.segments.sql.features import CountOf, DistinctOf, OddOf, Part, SumOf, ValueOf
from crmsdk.segments.sql.layout import Column, Kind
from crmsdk.segments.sql.plan import Plan
from crmsdk.segments.sql.terms import FALSE, TRUE, Term, all_of, negated

__all__ = [
    "EPSILON",
    "SIGNS",
    "Figures",
    "Found",
    "comparisons",
    "figures_of",
    "figures_of_sum",
    "measured",
    "needing",
    "summed",
]

EPSILON: Final = 2.0**-51
"""Four times the rounding of one addition of doubles: room for every order of adding."""
_SAFE: Final = 2**58
"""Two integers below this can be multiplied exactly."""
_LARGEST: Final = 1.7976931348623157e308


def measured(node: Aggregate, plan: Plan) -> Term:
    """Write a question about a property over events."""
    return _FUNCTIONS[node.function](node, plan)


def comparisons(op: Op, operand: Value) -> list[tuple[Op, Any]]:
    """Take a range apart."""
    if op is Op.BETWEEN and isinstance(operand, tuple):
        return [(Op.GE, operand[0]), (Op.LE, operand[1])]
    return [(op, operand)]


def _truth(value: bool) -> Term:  # noqa: FBT001 - a truth is what it turns
    return TRUE if value else FALSE


def needing(term: Term, group: str, *, of_none: bool) -> Term:
    """Say what a term is worth for people without a row."""
    groups = frozenset({group})
    return Term(
        term.sql,
        total=term.total,
        needs=frozenset() if of_none else groups,
        needs_if_not=groups if of_none else frozenset(),
    )


# --- sum and average ------------------------------------------------------------------------------------


@attrs.frozen
class Figures:
    """The columns of the numbers of a property."""

    plan: Plan
    of: Occurrences
    prop: str
    currency: str

    def column(self, part: Part) -> str:
        """Give one of them."""
        return self.plan.event(SumOf(self.of, self.prop, self.currency, part))[0]

    @property
    def group(self) -> str:
        """The group they are columns of."""
        return self.plan.event(SumOf(self.of, self.prop, self.currency, Part.INTEGERS))[1]

    @property
    def whole(self) -> str:
        """The sum of the integers."""
        return f"COALESCE({self.column(Part.INTEGERS)}, 0)"

    @property
    def many_floats(self) -> str:
        """How many doubles there are."""
        return f"COALESCE({self.column(Part.MANY_FLOATS)}, 0)"

    @property
    def near(self) -> str:
        """The sum as a double, as exact as the order of adding lets it be."""
        return f"({self.plan.dialect.as_real(self.whole)} + {self.column(Part.FLOATS)})"

    def error(self, steps: str, edge: str) -> str:
        """Bound the error of ``near``, and of what is compared with it."""
        dialect = self.plan.dialect
        sizes = f"{self.column(Part.SIZES)} + abs({dialect.as_real(self.whole)}) + {edge}"
        return f"({sizes}) * ({steps} + 8) * {dialect.real(EPSILON)}"


def figures_of(
    plan: Plan, of: Occurrences, prop: str, currency: str
) -> "tuple[Figures, bool, bool, bool] | None":
    """Give the figures of a property, and whether there are integers, doubles, and integers of any width.

    Raises:
        DefinitionError: the property is declared as money, and a number or another currency is asked for. Its
            sum would be zero for everybody, and "less than" would hold of everybody.
    """
    _refuse_other_money(plan.layout.events.properties.get(prop), prop, currency)
    reading = plan.property(prop)
    whole = reading.money(currency) if currency else reading.integer()
    real = None if currency else reading.float()
    if plan.span(of).empty or (whole is None and real is None):
        return None
    figures = Figures(plan, of, prop, currency)
    return figures, whole is not None, real is not None, reading.digits(currency) is not None


def _refuse_other_money(column: Column | None, prop: str, currency: str) -> None:
    if column is None or column.kind is not Kind.MONEY or (currency and currency == column.currency):
        return
    if column.currency_in and currency:
        return
    is_money = f"money in {column.currency}" if column.currency else "money"
    asked = f"money in {currency}" if currency else "a number"
    raise DefinitionError(
        f"property {prop!r} is {is_money} in the layout, and {asked} is asked for; compare with"
        f" Money(…, {column.currency or 'RUB'!r})",
        path=prop,
    )


Found: TypeAlias = tuple[Figures, bool, bool, bool]
"""Figures, and whether there are integers, doubles, and integers of any width."""


def figures_of_sum(plan: Plan, node: Aggregate) -> Found | None:
    """Give the figures of a sum or an average; None where there is nothing to add."""
    like = node.operand[0] if isinstance(node.operand, tuple) else node.operand
    return figures_of(plan, node.of, node.prop, like.currency if isinstance(like, Money) else "")


def _amount(value: Value) -> Any:
    return value.minor if isinstance(value, Money) else value


def _sum(node: Aggregate, plan: Plan) -> Term:
    return summed(plan, figures_of_sum(plan, node), node.op, node.operand)


def summed(plan: Plan, found: Found | None, op: Op, operand: Value) -> Term:
    """Compare a sum; zero where there is nothing to add."""
    asked = [(each, _amount(value)) for each, value in comparisons(op, operand)]
    of_none = all(compare(each, 0, value) for each, value in asked)
    if found is None:
        return _truth(of_none)
    figures, _, real, wide = found
    if wide:
        # Integers wider than the dialect reads were read as narrower ones.
        plan.doubt(f"abs({figures.whole}) >= {plan.dialect.integer(plan.dialect.widest)}", figures.group)
    terms = []
    for each, value in asked:
        exact = numbered(plan.dialect, figures.whole, None, each, value)
        if not real:
            terms.append(Term(exact.sql, total=True))
            continue
        near = _near(plan, figures, each, value, "1")
        terms.append(Term(f"CASE WHEN {figures.many_floats} = 0 THEN {exact.sql} ELSE {near} END"))
    return needing(all_of(terms), figures.group, of_none=of_none)


def _near(plan: Plan, figures: Figures, op: Op, value: float, some: str) -> str:
    """Compare a sum with doubles with so many times a value, and put those in doubt who come near to it."""
    dialect = plan.dialect
    threshold = dialect.real(_double(value)) + (f" * {some}" if some != "1" else "")
    far = f"abs({figures.near} - {threshold})"
    error = figures.error(f"{figures.many_floats} + {some}", f"abs({threshold})")
    finite = dialect.finite_real
    certain = f"COALESCE({finite(far)} > {finite(error)}, FALSE)"
    plan.doubt(f"{figures.many_floats} > 0 AND NOT {certain}", figures.group)
    return f"{figures.near} {SIGNS[op]} {threshold}"


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return _LARGEST if value > 0 else -_LARGEST


def _average(node: Aggregate, plan: Plan) -> Term:
    found = figures_of_sum(plan, node)
    if found is None:
        return FALSE
    figures, whole, real, _ = found
    dialect = plan.dialect
    many = f"COALESCE({figures.column(Part.MANY_INTEGERS)}, 0)" if whole else "0"
    some = f"({many} + {figures.many_floats})" if real else many
    terms = [Term(f"{some} > 0")]
    if whole:
        plan.doubt(f"abs({figures.whole}) >= {dialect.integer(_SAFE)}", figures.group)
    for op, value in comparisons(node.op, node.operand):
        bound = _amount(value)
        exact = _across(figures, op, bound, some)
        if not real:
            terms.append(Term(exact))
            continue
        near = _near(plan, figures, op, bound, some)
        terms.append(Term(f"CASE WHEN {figures.many_floats} = 0 THEN {exact} ELSE {near} END"))
    return needing(all_of(terms), figures.group, of_none=False)


SIGNS: Final = {Op.EQ: "=", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}


def _across(figures: Figures, op: Op, operand: float, some: str) -> str:
    """Compare an average of integers by multiplying across."""
    bound = Fraction(repr(operand)) if isinstance(operand, float) else Fraction(operand)
    dialect = figures.plan.dialect
    if max(abs(bound.numerator), bound.denominator) >= _SAFE:
        figures.plan.doubt(f"{some} > 0", figures.group)
        return "FALSE"
    over = f"{dialect.wide(figures.whole)} * {bound.denominator}"
    under = f"{dialect.wide(some)} * {dialect.integer(bound.numerator)}"
    safe = f"abs({figures.whole}) < {dialect.integer(_SAFE)}"
    return f"CASE WHEN {safe} THEN {over} {SIGNS[op]} {under} ELSE FALSE END"


# --- smallest and largest -------------------------------------------------------------------------------

_BEYOND: Final = {
    # What some value must be, and what none may be, for the largest to compare so; the smallest mirrors it.
    Op.GE: (Op.GE, None),
    Op.GT: (Op.GT, None),
    Op.LE: (Op.LE, Op.GT),
    Op.LT: (Op.LT, Op.GE),
    Op.EQ: (Op.EQ, Op.GT),
}
_MIRROR: Final = {Op.GE: Op.LE, Op.GT: Op.LT, Op.LE: Op.GE, Op.LT: Op.GT, Op.EQ: Op.EQ}


def _extreme(node: Aggregate, plan: Plan) -> Term:
    """Ask which values there are: right for every kind of value, and for kinds mixed in one property."""
    if plan.span(node.of).empty:
        return FALSE
    least = node.function is Function.MIN
    terms = []
    for op, value in comparisons(node.op, node.operand):
        some, none = _BEYOND[_MIRROR[op] if least else op]
        terms.append(_any(node, plan, _MIRROR[some] if least else some, value))
        if none is not None:
            terms.append(negated(_any(node, plan, _MIRROR[none] if least else none, value)))
    return all_of(terms)


def _any(node: Aggregate, plan: Plan, op: Op, value: Value) -> Term:
    test = PropTest(node.prop, op, value)
    of = attrs.evolve(node.of, tests=(*node.of.tests, test))
    column, group = plan.event(CountOf(of))
    return Term(f"{column} >= 1", needs=frozenset({group}))


# --- variety, first and last ----------------------------------------------------------------------------


def _distinct(node: Aggregate, plan: Plan) -> Term:
    asked = comparisons(node.op, node.operand)
    of_none = all(compare(op, 0, value) for op, value in asked)
    if plan.span(node.of).empty:
        return _truth(of_none)
    if plan.property(node.prop).odd() is not None:
        odd, its_group = plan.event(OddOf(node.of, node.prop))
        plan.doubt(f"{odd} > 0", its_group)
    column, group = plan.event(DistinctOf(node.of, node.prop))
    terms = (numbered(plan.dialect, f"COALESCE({column}, 0)", None, op, value) for op, value in asked)
    return needing(all_of(terms), group, of_none=of_none)


def _at_edge(node: Aggregate, plan: Plan) -> Term:
    if plan.span(node.of).empty:
        return FALSE
    last = node.function is Function.LAST
    column, group = plan.event(ValueOf(node.of, node.prop, last))
    code = ""
    if plan.has_currencies(node.prop):
        code, _ = plan.event(ValueOf(node.of, node.prop, last, code=True))
    found = compared(plan.dialect, plan.property_in(node.prop, column, code), node.op, node.operand)
    return found if found in (TRUE, FALSE) else Term(found.sql, total=found.total, needs=frozenset({group}))


_Write: TypeAlias = Callable[[Aggregate, Plan], Term]
_FUNCTIONS: Final[Mapping[Function, _Write]] = {
    Function.SUM: _sum,
    Function.AVG: _average,
    Function.MIN: _extreme,
    Function.MAX: _extreme,
    Function.DISTINCT: _distinct,
    Function.FIRST: _at_edge,
    Function.LAST: _at_edge,
}
