"""Questions compiled to one query: who belongs to one segment, or a mask of many segments a person."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from crmsdk.model.moment import to_micros
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.memberships import WORD
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Layout
from crmsdk.segments.sql.plan import PERSON, Plan
from crmsdk.segments.sql.questions import term
from crmsdk.segments.sql.sources import ZONED
from crmsdk.segments.sql.zoning import CLOCKS, ZoneNames

__all__ = ["Query", "compile_count", "compile_masks", "compile_members"]


@attrs.frozen
class Query:
    """One query, ready to run; it holds no parameter and no ``now()``.

    Attributes:
        sql: Its text.
        doubtful: Whether the last column says that rounding might decide about the person.
    """

    sql: str
    doubtful: bool


def compile_members(
    dialect: Dialect,
    layout: Layout,
    predicate: Predicate,
    at: datetime,
    *,
    only_doubtful: bool = False,
    zones: ZoneNames = tuple,
) -> Query:
    """Write a query for the members: their ids as text, and whether they are in doubt.

    Args:
        dialect: Whose SQL.
        layout: Bound to the database.
        predicate: Who is meant.
        at: The moment of asking, aware.
        only_doubtful: Leave out those who are members without doubt.
        zones: Gives the names of zones that people may be in, asked for local days only; everybody in another
            zone is in doubt then.

    Raises:
        UnsupportedQuestion: something that cannot be asked there.
        UnknownName: nothing is stored under a name.
        LayoutError: a table is missing, or a column is of a type no question understands.
    """
    plan = Plan(dialect, layout, to_micros(at, "at"), zones=zones)
    asked = term(predicate, plan)
    doubt = plan.doubts
    where = f"{asked.inner} OR {doubt}" if doubt else asked.sql
    where = doubt if only_doubtful and doubt else where
    needed = frozenset() if doubt else asked.needs
    columns = [f"{dialect.as_text(_person(plan, needed))} AS id"]
    if doubt:
        columns += [f"CASE WHEN {doubt} THEN 1 ELSE 0 END AS doubt"]
    return Query(
        _with(plan) + _select(plan, columns, needed) + f" WHERE {where}" + dialect.suffix, bool(doubt)
    )


def compile_count(
    dialect: Dialect, layout: Layout, predicate: Predicate, at: datetime, *, zones: ZoneNames = tuple
) -> Query:
    """Write a query for how many members there are whom rounding cannot touch; one row.

    Raises:
        UnsupportedQuestion, UnknownName, LayoutError: as ``compile_members``.
    """
    plan = Plan(dialect, layout, to_micros(at, "at"), zones=zones)
    asked = term(predicate, plan)
    doubt = plan.doubts
    where = f"{asked.inner} AND NOT {doubt}" if doubt else asked.sql
    return Query(
        _with(plan) + _select(plan, ["count(*) AS n"], asked.needs) + f" WHERE {where}" + dialect.suffix,
        bool(doubt),
    )


def compile_masks(
    dialect: Dialect,
    layout: Layout,
    predicates: Sequence[Predicate],
    at: datetime,
    *,
    zones: ZoneNames = tuple,
) -> Query:
    """Write one query for many segments: a person's id as text, then integers of ``WORD`` bits each.

    Everybody has a row. The bits stand in the order of the segments, the first in the lowest bit of the first
    integer. Every feature is computed once, and the features of one event name in one pass over its rows.

    Raises:
        UnsupportedQuestion, UnknownName, LayoutError: as ``compile_members``.
    """
    plan = Plan(dialect, layout, to_micros(at, "at"), masks=True, zones=zones)
    bits = [term(predicate, plan).sql for predicate in predicates]
    words = [bits[start : start + WORD] for start in range(0, len(bits), WORD)]
    key = f"{dialect.as_text(_person(plan, frozenset()))} AS id"
    everybody = _select(plan, [key, *plan.mask_columns()], frozenset())
    columns = ["id", *(f"{dialect.packed(word, total=True)} AS w{place}" for place, word in enumerate(words))]
    columns += ["doubt"] if plan.doubts else []
    sql = f"SELECT {', '.join(columns)} FROM ({everybody}{dialect.fence}) AS everybody"
    return Query(_with(plan) + sql + dialect.suffix, bool(plan.doubts))


def _person(plan: Plan, needed: frozenset[str]) -> str:
    if needed and plan.layout.complete and not plan.reads_person:
        return f"{min(needed)}.customer"
    return f"{PERSON}.{plan.dialect.ident(plan.layout.people.id)}"


def _with(plan: Plan) -> str:
    ctes = [f"{group.alias} AS ({plan.group_sql(group)})" for group in plan.groups.values()]
    if plan.zoned.used:
        ctes.insert(
            0, f"{ZONED} AS ({plan.zoned.sql()})"
        )  # written last: the groups say what they need of it
    if plan.zoned.clocked:
        ctes.insert(0, f"{CLOCKS} AS ({plan.zoned.clocks_sql()})")
    return f"WITH {', '.join(ctes)} " if ctes else ""


def _select(plan: Plan, columns: Sequence[str], needed: frozenset[str]) -> str:
    groups = list(plan.groups.values())
    key = _person(plan, needed)
    start = f"{plan.dialect.table(plan.layout.people.table)} AS {PERSON}"
    if key.endswith(".customer") and key.partition(".")[0] in needed:
        start = key.partition(".")[0]
        groups = [group for group in groups if group.alias != start]
    joins = "".join(
        f"{' ' if group.alias in needed else ' LEFT '}JOIN {group.alias} ON {group.alias}.customer = {key}"
        for group in sorted(groups, key=lambda group: group.alias not in needed)
    )
    return f"SELECT {', '.join(columns)} FROM {start}{joins}"
