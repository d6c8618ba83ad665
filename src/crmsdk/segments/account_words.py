"""The words that ask about the people of the person's account.

account.others.any(did("invoice_opened"))
account.count(did("login").within(td(days=7))) >= 3
account.sum(did("purchase").within(td(days=90)), "amount") >= Money(10_000_000, "RUB")
"""

from typing import cast

from crmsdk.errors import DefinitionError
from crmsdk.model.comparison import Op
from crmsdk.model.values import Value
from crmsdk.segments.accounts import AccountAll, AccountCount, AccountSum
from crmsdk.segments.asking import Comparable
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.grammar import Did
from crmsdk.segments.occurrences import Named, prop_name

__all__ = ["AccountPeople", "account"]


class AccountPeople:
    """The people whose account is that of the person asked about, at the moment asked.

    The person is one of them; ``others`` leaves them out. A person without an account shares it with nobody:
    ``any`` and ``all`` are false, a count and a sum are zero. All of nobody is false, so
    ``account.others.all(...)`` asks for one other person at least.

    An audience and ``LiveSegments`` answer these questions; ``evaluate`` does where ``Facts.colleagues`` is
    given; journeys refuse them.
    """

    def __init__(self, *, others: bool = False) -> None:
        self._others = others

    @property
    def others(self) -> "AccountPeople":
        """The same people without the person asked about."""
        return AccountPeople(others=True)

    def any(self, predicate: Predicate) -> Predicate:
        """Ask whether a predicate holds of one of them or more: ``account.any(attr("role") == "boss")``.

        Raises:
            DefinitionError: the predicate is about a run, or about an account's people itself.
        """
        return AccountCount(predicate, others=self._others)

    def all(self, predicate: Predicate) -> Predicate:
        """Ask whether a predicate holds of each of them: ``account.all(~did("login").within(month))``.

        Raises:
            DefinitionError: as of ``any``.
        """
        return AccountAll(predicate, others=self._others)

    def count(self, predicate: Predicate) -> Comparable[Predicate]:
        """Compare of how many of them a predicate holds: ``account.count(did("login")).between(1, 5)``.

        Raises:
            DefinitionError: as of ``any``; and at the comparison, with anything but integers.
        """
        AccountCount(predicate)

        def ask(op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
            asked = AccountCount(predicate, op, cast("Value", operand), others=self._others)
            return ~asked if negated else asked

        return Comparable(ask)

    def sum(self, events: Did, prop: str | Named) -> Comparable[Predicate]:
        """Compare the sum of a property over events of all of them.

            account.sum(did("purchase").within(td(days=90)), "amount") >= Money(10_000_000, "RUB")

        Money of the currency compared with is added up, and no other.

        Args:
            events: Which, with their own ``where`` and window.
            prop: The property.

        Raises:
            DefinitionError: a number of events is asked for, or the property belongs to another event.
        """
        if not isinstance(events, Did):
            raise DefinitionError(f"a sum is over events, not {type(events).__name__}; give did('purchase')")
        of = events._meant("give the events alone")  # noqa: SLF001 - one family
        name = prop_name(of, prop)

        def ask(op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
            asked = AccountSum(of, name, op, cast("Value", operand), others=self._others)
            return ~asked if negated else asked

        return Comparable(ask)

    def __repr__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        return "<the account's other people>" if self._others else "<the account's people>"


account = AccountPeople()
"""The people of the person's account."""
