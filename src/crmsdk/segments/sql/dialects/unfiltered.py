"""What dialects share whose aggregates have no FILTER: a value is null where the condition does not hold."""

from abc import abstractmethod

from typing_extensions import override

from crmsdk.segments.sql.dialects.dialect import Dialect

__all__ = ["Unfiltered"]


class Unfiltered(Dialect):
    """A dialect without FILTER."""

    @staticmethod
    @abstractmethod
    def _where(x: str, condition: str) -> str:
        """Give a value, null where the condition does not hold; no condition always holds."""

    @abstractmethod
    @override
    def count(self, condition: str) -> str:
        """Count rows."""

    @override
    def sum(self, x: str, condition: str) -> str:
        return f"SUM({self._where(x, condition)})"

    @override
    def least(self, x: str, condition: str) -> str:
        return f"MIN({self._where(x, condition)})"

    @override
    def greatest(self, x: str, condition: str) -> str:
        return f"MAX({self._where(x, condition)})"

    @override
    def distinct(self, x: str, condition: str) -> str:
        return f"COUNT(DISTINCT {self._where(x, condition)})"
