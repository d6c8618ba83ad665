"""An audience of facts in memory: the reference, person by person, for tests and for small sets."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from typing_extensions import override

from crmsdk.audiences._asked import names_of
from crmsdk.errors import AudienceError, TooManyRows
from crmsdk.model.colleagues import Colleagues
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId
from crmsdk.model.moment import to_moment
from crmsdk.ports import Audience
from crmsdk.segments.accounts import about_account
from crmsdk.segments.conditions import Predicate, Segment, predicate_of
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.memberships import WORD, Memberships

__all__ = ["MemoryAudience"]


class MemoryAudience(Audience):
    """Answers from facts that were given.

    Args:
        facts: Of everybody, each once.
        max_rows: How many people an answer may name.
    """

    def __init__(self, facts: Iterable[Facts], *, max_rows: int = 5_000_000) -> None:
        self._facts: Final = {each.customer: each for each in facts}
        self._beside: list[Facts] | None = None
        self._max_rows: Final = max_rows
        self._closed = False

    @override
    def members(self, predicate: Predicate, *, at: datetime) -> Sequence[CustomerId]:
        found = sorted(self._matching(predicate, at))
        if len(found) > self._max_rows:
            raise TooManyRows(self._max_rows, "ask count(), narrow the segment, or raise max_rows")
        return tuple(found)

    @override
    def count(self, predicate: Predicate, *, at: datetime) -> int:
        return len(self._matching(predicate, at))

    @override
    def memberships(self, segments: Sequence[Segment], *, at: datetime) -> Memberships:
        names = names_of(segments)
        at = to_moment(at, "at")
        self._refuse_closed()
        if len(self._facts) > self._max_rows:
            raise TooManyRows(self._max_rows, "ask count() of each segment, or raise max_rows")
        words = [array("q", bytes(8 * len(self._facts))) for _ in range(0, len(names), WORD)]
        for row, facts in enumerate(self._people(segments)):
            for index, each in enumerate(segments):
                if evaluate(each, facts, at).matched:
                    words[index // WORD][row] |= 1 << index % WORD
        return Memberships(at=at, names=names, people=tuple(self._facts), words=words)

    @override
    def close(self) -> None:
        self._closed = True

    def _matching(self, predicate: Predicate, at: datetime) -> list[CustomerId]:
        predicate_of(predicate)
        at = to_moment(at, "at")
        self._refuse_closed()
        return [each.customer for each in self._people([predicate]) if evaluate(predicate, each, at).matched]

    def _people(self, asked: Iterable[Predicate]) -> Iterable[Facts]:
        if not any(about_account(each) for each in asked):
            return self._facts.values()
        if self._beside is None:
            known = Colleagues(self._facts.values())
            self._beside = [known.beside(each) for each in self._facts.values()]
        return self._beside

    def _refuse_closed(self) -> None:
        if self._closed:
            raise AudienceError("the audience is closed; make a new one")
