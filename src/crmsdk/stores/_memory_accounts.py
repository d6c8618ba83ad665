"""Who was ever written into which account."""

from collections.abc import Iterable

from crmsdk.model.colleagues import account_key
from crmsdk.model.customer import ACCOUNT, AttributeWrite
from crmsdk.model.ids import CustomerId

__all__ = ["AccountPeople"]


class AccountPeople:
    """The people of every account that an attribute log names; nobody leaves by a later entry of it."""

    def __init__(self) -> None:
        self._people: dict[str, set[CustomerId]] = {}

    def put(self, customer: CustomerId, log: Iterable[AttributeWrite]) -> None:
        """Take in what entries of a log say about a customer."""
        for account in _written(log):
            self._people.setdefault(account, set()).add(customer)

    def drop(self, customer: CustomerId, log: Iterable[AttributeWrite]) -> None:
        """Forget a customer, given the whole log."""
        for account in _written(log):
            people = self._people.get(account, set())
            people.discard(customer)
            if not people:
                self._people.pop(account, None)

    def of(self, account: str) -> list[CustomerId]:
        """Name the people of an account, in text order."""
        key = account_key(account)
        return [] if key is None else sorted(self._people.get(key, ()))


def _written(log: Iterable[AttributeWrite]) -> set[str]:
    keys = {account_key(entry.value) for entry in log if entry.name == ACCOUNT}
    return {key for key in keys if key is not None}
