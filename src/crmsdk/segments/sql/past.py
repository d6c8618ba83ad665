"""Questions about the past of an attribute: when it really changed, and how long it has had its value."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from typing_extensions import override

from crmsdk.errors import UnsupportedQuestion
from crmsdk.model._registry import tag_of
from crmsdk.model.comparison import Op
from crmsdk.segments.people import AttrChanged, AttrHeld
from crmsdk.segments.sql.bounds import Span
from crmsdk.segments.sql.comparing import compared
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Attributes, Kind
from crmsdk.segments.sql.plan import Plan
from crmsdk.segments.sql.readings import JsonReading, in_span
from crmsdk.segments.sql.sources import Group, Lets, value_of_write
from crmsdk.segments.sql.terms import FALSE, Term, all_of

__all__ = ["changed", "held"]

_MICROSECOND: Final = timedelta(microseconds=1)


class _Change(StrEnum):
    """What is known of the last change."""

    AT = "at"
    VALUE = "value"
    ODD = "odd"


class ChangeGroup(Group[_Change]):
    """When an attribute of the log last became another value, and which value it has.

    Of the writes of one moment the last counts, and is compared with that of the moment before.
    """

    def __init__(
        self, alias: str, dialect: Dialect, log: Attributes, name: str, now: int, *, nfc: bool
    ) -> None:
        super().__init__(alias, dialect)
        self._log = log
        self._name = name
        self._now = now
        self._nfc = nfc

    @override
    def sql(self) -> str:
        dialect, log = self.dialect, self._log
        ident, at = dialect.ident, dialect.ident(log.at.name)
        kind = log.at.kind or Kind.MICROS
        lets = Lets()
        value, names = value_of_write(dialect, log, self._name, lets)
        moment = at if kind is Kind.MICROS else dialect.as_micros(at)
        past = in_span(dialect, at, kind, Span(None, self._now + 1))
        rows = f"(SELECT * FROM {dialect.table(log.table)} WHERE {names} AND {past}) AS l0"
        rows = lets.around(rows, dialect.fence)
        writes = (
            f"(SELECT {ident(log.customer)} AS customer, {moment} AS moment,"
            f" {dialect.binary(ident(log.id))} AS place, {value} AS written"
            f" FROM {rows}) AS s0"
        )
        turn = "row_number() OVER (PARTITION BY customer, moment ORDER BY place DESC) AS turn"
        reading = JsonReading(dialect, "written", nfc=self._nfc)
        told = (
            f"(SELECT customer, moment, written, {reading.canonical()} AS told, {reading.odd()} AS odd"
            f" FROM (SELECT *, {turn} FROM {writes}) AS s1 WHERE turn = 1) AS s2"
        )
        before = (
            "max(told) OVER (PARTITION BY customer ORDER BY moment ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)"
        )
        anew = "told <> before OR told IS NULL AND before IS NOT NULL OR told IS NOT NULL AND before IS NULL"
        parts = {
            _Change.AT: dialect.greatest("moment", anew),
            _Change.VALUE: dialect.at_edge("written", ("moment",), "", last=True),
            _Change.ODD: dialect.count("odd"),
        }
        columns = ", ".join(f"{parts[each]} AS {name}" for each, name in self._features.items())
        return (
            f"SELECT customer, {columns} FROM (SELECT *, {before} AS before FROM {told}) AS s3"
            " GROUP BY customer"
        )


def _group_of(node: AttrChanged | AttrHeld, plan: Plan) -> ChangeGroup:
    log, head = plan.layout.attributes, node.name.partition(".")[0]
    if log is None or node.name in plan.layout.people.attributes or head in plan.layout.people.attributes:
        raise UnsupportedQuestion(
            plan.dialect.name,
            tag_of(type(node)),
            f"a column has no past; keep {node.name!r} in the table of attribute writes instead",
        )
    group = plan.group(
        ("changes", node.name),
        lambda alias: ChangeGroup(alias, plan.dialect, log, node.name, plan.now, nfc=plan.layout.nfc),
        ChangeGroup,
    )
    plan.doubt(f"{group.column(_Change.ODD)} > 0", group.alias)
    return group


def changed(node: AttrChanged, plan: Plan) -> Term:
    """Ask for a change within a span."""
    group = _group_of(node, plan)
    since = plan.now - node.span // _MICROSECOND
    return Term(f"{group.column(_Change.AT)} > {since}", needs=frozenset({group.alias}))


def held(node: AttrHeld, plan: Plan) -> Term:
    """Ask for a value that has stayed for a span."""
    group = _group_of(node, plan)
    reading = JsonReading(plan.dialect, group.column(_Change.VALUE), nfc=plan.layout.nfc)
    same = compared(plan.dialect, reading, Op.EQ, node.operand)
    since = plan.now - node.span // _MICROSECOND
    found = all_of((same, Term(f"{group.column(_Change.AT)} <= {since}")))
    return found if found == FALSE else Term(found.sql, needs=frozenset({group.alias}))
