"""Conditions as SQL text that know how they behave without a value: the algebra of two-valued logic.

SQL's own ``NOT`` of null is null, so a negated comparison would lose everybody without a value. Here
``not`` is pushed to the single comparisons, where it is known which of them can be null. A null then only
ever stands where it counts as false.
"""

from collections.abc import Iterable

import attrs

__all__ = ["FALSE", "TRUE", "Term", "all_of", "any_of", "negated"]


@attrs.frozen
class Term:
    """A condition.

    Attributes:
        sql: True, false, or null, which counts as false.
        total: Whether it is never null.
        needs: Sources without whose row it cannot hold.
        needs_if_not: Sources without whose row its complement cannot hold.
    """

    sql: str
    total: bool = False
    needs: frozenset[str] = frozenset()
    needs_if_not: frozenset[str] = frozenset()

    @property
    def inner(self) -> str:
        """The text, safe beside other words."""
        return f"({self.sql})"


TRUE = Term("TRUE", total=True)
FALSE = Term("FALSE", total=True)


def negated(term: Term) -> Term:
    """Give the exact complement of a comparison."""
    if term == TRUE:
        return FALSE
    if term == FALSE:
        return TRUE
    sql = f"NOT {term.inner}" if term.total else f"NOT COALESCE({term.sql}, FALSE)"
    return Term(sql, total=True, needs=term.needs_if_not, needs_if_not=term.needs)


def all_of(terms: Iterable[Term]) -> Term:
    """Hold where every part holds."""
    parts = list(dict.fromkeys(term for term in terms if term != TRUE))
    if FALSE in parts:
        return FALSE
    if len(parts) < 2:
        return parts[0] if parts else TRUE
    return Term(
        " AND ".join(part.inner for part in parts),
        total=all(part.total for part in parts),
        needs=frozenset().union(*(part.needs for part in parts)),
        needs_if_not=frozenset.intersection(*(part.needs_if_not for part in parts)),
    )


def any_of(terms: Iterable[Term]) -> Term:
    """Hold where any part holds."""
    parts = list(dict.fromkeys(term for term in terms if term != FALSE))
    if TRUE in parts:
        return TRUE
    if len(parts) < 2:
        return parts[0] if parts else FALSE
    return Term(
        " OR ".join(part.inner for part in parts),
        total=all(part.total for part in parts),
        needs=frozenset.intersection(*(part.needs for part in parts)),
        needs_if_not=frozenset().union(*(part.needs_if_not for part in parts)),
    )
