"""Questions about the people of an account: each person is asked once, and what is found added up by account.

All of them share one subquery: a row a person with the account and a number for each question, and windows
over the account around it. The person's own number is taken off again where others are asked about.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

import attrs
from typing_extensions import override

from crmsdk.model.comparison import compare
from crmsdk.model.customer import ACCOUNT
from crmsdk.segments.accounts import AccountAll, AccountCount, AccountSum
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.sql.comparing import numbered
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.features import Part
from crmsdk.segments.sql.layout import Layout
from crmsdk.segments.sql.measures import Figures, comparisons, figures_of_sum, summed
from crmsdk.segments.sql.plan import PERSON, Plan
from crmsdk.segments.sql.sources import Group
from crmsdk.segments.sql.terms import Term, all_of

__all__ = ["account_all", "account_count", "account_sum", "colleagues_query"]

Asking: TypeAlias = Callable[[Predicate, Plan], Term]
"""Writes a condition."""

_KEY: Final = ("account", "")
_DOUBT: Final = "crmsdk_doubt"


@attrs.frozen
class _Added:
    """A number of each person, added up over the account.

    Attributes:
        x: The number, over the columns of one person; never null.
        others: Whether the person's own is left out.
    """

    x: str
    others: bool = False


class AccountGroup(Group[_Added]):
    """People with an account, and what its people answer."""

    def __init__(self, alias: str, plan: Plan) -> None:
        super().__init__(alias, plan.dialect)
        self.each = Plan(plan.dialect, plan.layout, plan.now, within=plan)
        self._key = _key(self.each)

    @override
    def sql(self) -> str:
        numbers = {x: f"v{place}" for place, x in enumerate(dict.fromkeys(one.x for one in self._features))}
        everybody = _everybody(
            self.each, f"{_person(self.each)} AS customer", self._key, self._numbers(numbers)
        )
        columns = []
        for one, name in self._features.items():
            own = numbers[one.x]
            whole = f"sum({own}) OVER (PARTITION BY account)"
            columns.append(f"{f'{whole} - {own}' if one.others else whole} AS {name}")
        listed = ", ".join(["customer", *columns])
        return (
            f"SELECT {listed} FROM ({everybody}{self.dialect.fence}) AS everybody WHERE account IS NOT NULL"
        )

    def _numbers(self, numbers: dict[str, str]) -> list[str]:
        doubt = f"CASE WHEN {self.each.doubts or 'FALSE'} THEN 1 ELSE 0 END"
        return [f"{doubt if x == _DOUBT else x} AS {name}" for x, name in numbers.items()]


def _person(plan: Plan) -> str:
    return f"{PERSON}.{plan.dialect.ident(plan.layout.people.id)}"


def _key(plan: Plan) -> str:
    """Write the text by which a person's account is known, null for none."""
    reading, _ = plan.attribute(ACCOUNT)
    digits, whole = reading.digits(), reading.integer()
    if digits is None and whole is not None:
        digits = plan.dialect.as_text(whole)
    return f"COALESCE({', '.join([*filter(None, (reading.text(), digits)), 'NULL'])})"


def _everybody(plan: Plan, customer: str, key: str, columns: Iterable[str]) -> str:
    listed = ", ".join([customer, f"{key} AS account", *columns])
    joins = "".join(
        f" LEFT JOIN ({group.sql()}) AS {group.alias} ON {group.alias}.customer = {_person(plan)}"
        for group in plan.groups.values()
    )
    return f"SELECT {listed} FROM {plan.dialect.table(plan.layout.people.table)} AS {PERSON}{joins}"


def _group(plan: Plan) -> AccountGroup:
    return plan.group(_KEY, lambda alias: AccountGroup(alias, plan), AccountGroup)


def _doubted(plan: Plan, group: AccountGroup) -> None:
    """Put everybody in doubt in whose account somebody is."""
    if group.each.doubts:
        plan.doubt(f"{group.column(_Added(_DOUBT))} > 0", group.alias)


def account_count(node: AccountCount, plan: Plan, ask: Asking) -> Term:
    """Compare of how many people a predicate holds."""
    group = _group(plan)
    number = f"COALESCE({group.column(_holding(node, group, ask))}, 0)"
    _doubted(plan, group)
    asked = comparisons(node.op, node.operand)
    terms = [numbered(plan.dialect, number, None, op, value) for op, value in asked]
    groups, of_none = frozenset({group.alias}), all(compare(op, 0, value) for op, value in asked)
    if of_none:
        return Term(all_of(terms).sql, total=True, needs_if_not=groups)
    return Term(all_of(terms).sql, total=True, needs=groups)


def account_all(node: AccountAll, plan: Plan, ask: Asking) -> Term:
    """Ask whether a predicate holds of everybody, and there is somebody."""
    group = _group(plan)
    holding, people = group.column(_holding(node, group, ask)), group.column(_Added("1", node.others))
    _doubted(plan, group)
    return Term(f"{people} > 0 AND {holding} = {people}", needs=frozenset({group.alias}))


def _holding(node: AccountCount | AccountAll, group: AccountGroup, ask: Asking) -> _Added:
    return _Added(f"CASE WHEN {ask(node.predicate, group.each).sql} THEN 1 ELSE 0 END", node.others)


@attrs.frozen
class _AccountFigures(Figures):
    """The figures of all people of an account."""

    of_account: AccountGroup
    others: bool

    @override
    def column(self, part: Part) -> str:
        own, dialect = super().column(part), self.plan.dialect
        zero = dialect.real(0.0) if part in (Part.FLOATS, Part.SIZES) else "0"
        # What bounds the error is never taken off: taking off is one more addition.
        return self.of_account.column(
            _Added(f"COALESCE({own}, {zero})", self.others and part is not Part.SIZES)
        )

    @property
    @override
    def group(self) -> str:
        return self.of_account.alias


def account_sum(node: AccountSum, plan: Plan) -> Term:
    """Compare a sum over everybody's events."""
    group = _group(plan)
    found = figures_of_sum(group.each, node.each)
    if found is None:
        return summed(plan, None, node.op, node.operand)
    own, whole, real, wide = found
    if wide:
        most = plan.dialect.integer(plan.dialect.widest)
        group.each.doubt(f"abs({own.whole}) >= {most}", own.group)
    _doubted(plan, group)
    figures = _AccountFigures(own.plan, own.of, own.prop, own.currency, group, node.others)
    return summed(plan, (figures, whole, real, wide), node.op, node.operand)


def colleagues_query(dialect: Dialect, layout: Layout, customers: Sequence[str], now: int) -> str:
    """Write a query for everybody who is in an account of some people: id as text, and the account.

    Args:
        dialect: Whose SQL.
        layout: Bound to the database.
        customers: At most some hundreds.
        now: The moment, microseconds since 1970 UTC.
    """
    plan = Plan(dialect, layout, now)
    key = _key(plan)
    everybody = _everybody(plan, f"{dialect.as_text(_person(plan))} AS id", key, ())
    ids = ", ".join(dialect.text(customer) for customer in customers)
    theirs = f"SELECT account FROM ({everybody}) AS theirs WHERE id IN ({ids}) AND account IS NOT NULL"
    return (
        f"SELECT id, account FROM ({everybody}{dialect.fence}) AS everybody"
        f" WHERE account IN ({theirs}){dialect.suffix}"
    )
