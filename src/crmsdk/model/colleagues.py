"""Who shares an account with whom: the facts of colleagues, put beside those of a person."""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter

from crmsdk.model.changing import with_changes
from crmsdk.model.customer import ACCOUNT
from crmsdk.model.facts import Facts, keep_accounts
from crmsdk.model.ids import CustomerId
from crmsdk.model.values import Value

__all__ = ["Colleagues", "account_history", "account_key", "account_keys"]


def account_key(value: Value) -> str | None:
    """Give the text by which an account is known: text in NFC, a whole number by its digits; else None."""
    if isinstance(value, str):
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def account_history(facts: Facts) -> list[tuple[datetime, str | None]]:
    """Give the accounts of a person in time, future ones included: each with the moment it began."""
    try:
        return facts.accounts
    except AttributeError:
        found = [(at, account_key(value)) for at, value in facts.history(ACCOUNT)]
        keep_accounts(facts, found)
        return found


def account_keys(facts: Facts, since: datetime | None = None) -> frozenset[str]:
    """Give every account of a person, past and future ones; with ``since`` only those of then and later."""
    log = account_history(facts)
    first = 0 if since is None else max(bisect_right(log, since, key=itemgetter(0)) - 1, 0)
    return frozenset(key for _, key in log[first:] if key is not None)


class Colleagues:
    """Finds who shares an account, whether they were in it, are, or will be.

    Which of them are in the account at the moment asked is for the question to say.

    Args:
        people: Facts of everybody known so far, each once.
    """

    def __init__(self, people: Iterable[Facts] = ()) -> None:
        self._facts: dict[CustomerId, Facts] = {}
        self._accounts: dict[CustomerId, frozenset[str]] = {}
        self._people: dict[str, dict[CustomerId, None]] = {}
        for facts in people:
            self.put(facts)

    def put(self, facts: Facts) -> None:
        """Take a person in, or new facts of one."""
        customer = facts.customer
        accounts = account_keys(facts)
        before = self._accounts.get(customer, frozenset())
        self._facts[customer], self._accounts[customer] = facts, accounts
        for account in before - accounts:
            self._leave(customer, account)
        for account in accounts - before:
            self._people.setdefault(account, {})[customer] = None

    def drop(self, customer: CustomerId) -> None:
        """Forget a person."""
        self._facts.pop(customer, None)
        for account in self._accounts.pop(customer, frozenset()):
            self._leave(customer, account)

    def of(self, customer: CustomerId, more: Iterable[str] = ()) -> list[CustomerId]:
        """Name everybody who shares an account with a person, the person left out.

        Args:
            customer: Who.
            more: Accounts beside those that are known of the person.
        """
        accounts = sorted({*self._accounts.get(customer, ()), *more})
        found = dict.fromkeys(other for account in accounts for other in self._people.get(account, ()))
        found.pop(customer, None)
        return list(found)

    def beside(self, facts: Facts) -> Facts:
        """Give the facts of a person who was taken in, with those of the colleagues."""
        others = self.of(facts.customer)
        return with_changes(facts, colleagues=tuple(self._facts[other] for other in others))

    def _leave(self, customer: CustomerId, account: str) -> None:
        people = self._people[account]
        del people[customer]
        if not people:
            del self._people[account]
