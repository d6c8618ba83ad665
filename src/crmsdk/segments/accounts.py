"""Questions about the people of the person's account, as data; ``account`` of the words writes them.

The people of an account are those whose attribute ``crmsdk.account`` names it at the moment asked; the person
asked about is one of them, unless ``others`` leaves them out. A person without an account shares it with
nobody: of nobody a count and a sum are zero, and neither any nor all of nobody do something.
"""

from typing import TypeAlias

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.comparison import Op, exact, operand_for
from crmsdk.model.values import Value
from crmsdk.segments.aggregates import Aggregate, Function, whole_fault
from crmsdk.segments.conditions import Condition, Predicate, leaves, predicate_of
from crmsdk.segments.occurrences import Occurrences, as_name
from crmsdk.segments.scoring import Score

__all__ = ["AboutAccount", "AccountAll", "AccountCount", "AccountSum", "about_account"]


def _of_each(value: object) -> Predicate:
    predicate = predicate_of(value)
    if about_account(predicate):
        raise DefinitionError(
            "is about the account's people itself; ask each of them about their own facts, and join "
            "questions about the account with & | ~",
            path="predicate",
        )
    return predicate


@definition("account-count")
@attrs.frozen
class AccountCount(Predicate):
    """Compare of how many people of the person's account a predicate holds; "any" is one or more.

    Each is asked at the same moment, in their own zone. The number is zero for a person without an account.

    Attributes:
        predicate: What each of them is asked; nothing about accounts' people again.
        op: ``== < <= > >=`` or ``between``.
        operand: An integer, or two.
        others: Whether the person asked about is left out.
    """

    predicate: Predicate = attrs.field(converter=_of_each)
    op: Op = attrs.field(default=Op.GE, converter=Op)
    operand: Value = attrs.field(default=1)
    others: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse what a number of people never is."""
        object.__setattr__(self, "operand", operand_for(self.op, self.operand, "operand"))
        fault = whole_fault("a number of people", self.op, self.operand)
        if fault:
            raise DefinitionError(fault, path="operand")


@definition("account-all")
@attrs.frozen
class AccountAll(Predicate):
    """Ask whether a predicate holds of all people of the person's account; false where there is nobody.

    Attributes:
        predicate, others: As of ``AccountCount``.
    """

    predicate: Predicate = attrs.field(converter=_of_each)
    others: bool = attrs.field(default=False, kw_only=True)


@definition("account-sum")
@attrs.frozen
class AccountSum(Predicate):
    """Compare the sum of a property over events of all people of the person's account.

    What ``did(...).sum(...)`` adds up of one person is added up of all: money of the operand's currency and
    no other, else numbers. Calendar windows follow each person's own zone. It is zero for a person without
    an account.

    Attributes:
        of: Which events.
        prop: The property; a dotted name reads into mappings.
        op: ``== < <= > >=`` or ``between``.
        operand: A number, or money of one currency.
        others: Whether the person asked about is left out.
    """

    of: Occurrences
    prop: str = attrs.field(converter=as_name)
    op: Op = attrs.field(converter=Op)
    operand: Value = attrs.field(default=None, eq=exact)
    others: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Bring the operand into normal form, and refuse what a sum never is."""
        object.__setattr__(self, "operand", self.each.operand)

    @property
    def each(self) -> Aggregate:
        """The same question about one person."""
        return Aggregate(self.of, Function.SUM, self.prop, self.op, self.operand)


AboutAccount: TypeAlias = AccountCount | AccountAll | AccountSum


def about_account(condition: Condition) -> bool:
    """Say whether a condition asks about the people of an account, anywhere in it."""
    for leaf in leaves(condition):
        if isinstance(leaf, AboutAccount):
            return True
        if isinstance(leaf, Score):
            asked = [part.when for part in leaf.parts if part.when is not None]
            if any(about_account(each) for each in asked):
                return True
    return False
