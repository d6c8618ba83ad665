"""The audience suite can fail: for each of its promises there is an audience that breaks it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest

from crmsdk.audiences.memory import MemoryAudience
from crmsdk.errors import CrmsdkError
from crmsdk.model.comparison import Op
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.ports import Audience
from crmsdk.segments.conditions import Always, And, Not, Or, Predicate, Segment
from crmsdk.segments.grammar import AccountCount, AttrTest, Did
from crmsdk.segments.memberships import Memberships
from crmsdk.testing.audience_suite import AudienceSuite
from tests.suites.promises import promises_of

TICK = timedelta(microseconds=1)


class Seeing(MemoryAudience):
    """Sees the facts as somebody changed them."""

    def __init__(self, facts: Iterable[Facts], *, max_rows: int = 5_000_000) -> None:
        super().__init__([self.seen(each) for each in facts], max_rows=max_rows)

    def seen(self, facts: Facts) -> Facts:
        raise NotImplementedError


class Asking(MemoryAudience):
    """Asks something else than it was asked."""

    def asked(self, predicate: Any) -> Any:
        match predicate:
            case And(parts) | Or(parts):
                return type(predicate)(tuple(self.asked(part) for part in parts))
            case Not(part):
                return self.negated(part)
            case Segment():
                return attrs.evolve(predicate, predicate=self.asked(predicate.predicate))
            case _:
                return predicate

    def negated(self, part: Predicate) -> Predicate:
        return Not(self.asked(part))

    def members(self, predicate: Predicate, *, at: datetime) -> Sequence[CustomerId]:
        return super().members(self.asked(predicate), at=at)

    def count(self, predicate: Predicate, *, at: datetime) -> int:
        return super().count(self.asked(predicate), at=at)

    def memberships(self, segments: Sequence[Segment], *, at: datetime) -> Memberships:
        return super().memberships([self.asked(each) for each in segments], at=at)


class LosesTheMissing(Asking):
    """Negates as SQL does: who has no value is in neither set."""

    def negated(self, part: Predicate) -> Predicate:
        present = AttrTest(part.name, "exists") if isinstance(part, AttrTest) else Always()
        return And((Not(self.asked(part)), present))


class CountsToTheSecond(Seeing):
    def seen(self, facts: Facts) -> Facts:
        events = [attrs.evolve(each, at=each.at.replace(microsecond=0)) for each in facts.events]
        return attrs.evolve(facts, events=()).with_events(events)


class OrdersByArrival(Seeing):
    def seen(self, facts: Facts) -> Facts:
        events = [
            attrs.evolve(each, id=EventId(f"{999 - place:03}")) for place, each in enumerate(facts.events)
        ]
        return attrs.evolve(facts, events=()).with_events(events)


def _doubled(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(min(value, 10**300)) if whole else value


class ReadsIntegersAsDoubles(Seeing):
    def seen(self, facts: Facts) -> Facts:
        return attrs.evolve(
            facts,
            attributes=tuple(attrs.evolve(each, value=_doubled(each.value)) for each in facts.attributes),
        )


class RoundsEachAddition(Seeing):
    """Adds 0.1 ten times to less than 1."""

    def seen(self, facts: Facts) -> Facts:
        events = [
            attrs.evolve(
                each,
                properties={
                    name: value * (1 - 1e-16 * place) if isinstance(value, float) else value
                    for name, value in each.properties.items()
                },
            )
            for place, each in enumerate(facts.events)
        ]
        return attrs.evolve(facts, events=tuple(events))


class SplicesNames(Asking):
    """Cuts names at the first quote."""

    def asked(self, predicate: Any) -> Any:
        if isinstance(predicate, AttrTest) and "'" in predicate.name:
            return AttrTest("x", predicate.op, predicate.operand)
        return super().asked(predicate)


class TakesAnEndForAPart(Asking):
    def asked(self, predicate: Any) -> Any:
        if isinstance(predicate, AttrTest) and predicate.op is Op.ENDS:
            return AttrTest(predicate.name, Op.CONTAINS, predicate.operand)
        return super().asked(predicate)


class NamesInAnyOrder(MemoryAudience):
    def members(self, predicate: Predicate, *, at: datetime) -> Sequence[CustomerId]:
        return tuple(reversed(super().members(predicate, at=at)))


class PacksOneWord(MemoryAudience):
    def memberships(self, segments: Sequence[Segment], *, at: datetime) -> Memberships:
        found = super().memberships(segments, at=at)
        return Memberships(
            at=at, names=found.names, people=found.people, words=[found._words[0]] * len(found._words)
        )


class LeavesOutStrangers(MemoryAudience):
    """Has a row only for people with facts, and refuses to have none."""

    def memberships(self, segments: Sequence[Segment], *, at: datetime) -> Memberships:
        if not self._facts:
            raise ZeroDivisionError
        return super().memberships(segments, at=at)


class NamesEverybody(MemoryAudience):
    def __init__(self, facts: Iterable[Facts], *, max_rows: int = 5_000_000) -> None:
        super().__init__(facts)


class TakesNaiveMoments(MemoryAudience):
    def members(self, predicate: Predicate, *, at: datetime) -> Sequence[CustomerId]:
        return super().members(predicate, at=at.astimezone())


class AnswersWhenClosed(MemoryAudience):
    def close(self) -> None:
        """Stay open."""


class CountsOneMore(Asking):
    """Takes one event for none."""

    def asked(self, predicate: Any) -> Any:
        if isinstance(predicate, Did) and predicate.low == 2:
            return attrs.evolve(predicate, low=1)
        return super().asked(predicate)


class CountsThePersonAmongTheOthers(Asking):
    def asked(self, predicate: Any) -> Any:
        if isinstance(predicate, AccountCount):
            return attrs.evolve(predicate, others=False)
        return super().asked(predicate)


BROKEN: Mapping[type[MemoryAudience], Sequence[str]] = {
    LosesTheMissing: ["a_complement_holds_for_everybody_else"],
    CountsToTheSecond: ["windows_begin_and_end_to_the_microsecond"],
    OrdersByArrival: ["events_of_one_moment_are_ordered_by_their_ids"],
    ReadsIntegersAsDoubles: ["large_integers_and_doubles_stay_apart"],
    RoundsEachAddition: ["sums_of_doubles_are_rounded_once"],
    SplicesNames: ["names_and_values_are_never_read_as_a_query"],
    TakesAnEndForAPart: ["every_comparison_with_every_kind_of_value"],
    NamesInAnyOrder: ["members_come_in_text_order"],
    PacksOneWord: ["memberships_name_everybody_once_and_hold_many_segments"],
    LeavesOutStrangers: ["nobody_is_a_set_as_well"],
    NamesEverybody: ["more_than_allowed_is_refused_and_may_be_counted"],
    TakesNaiveMoments: ["what_cannot_be_asked_is_refused"],
    AnswersWhenClosed: ["a_closed_audience_answers_nothing"],
    CountsThePersonAmongTheOthers: ["the_people_of_an_account_are_asked_as_of_that_moment"],
    CountsOneMore: ["random_questions_are_answered_as_the_reference_answers"],
}
CAUGHT = [(audience, name) for audience, names in BROKEN.items() for name in names]


def _suite_of(make: Callable[..., Audience]) -> AudienceSuite:
    class Suite(AudienceSuite):
        examples = 30

        def open_audience(self, facts: Sequence[Facts], *, max_rows: int = 1_000_000) -> Audience:
            return make(facts, max_rows=max_rows)

    return Suite()


@pytest.mark.parametrize(
    ("audience", "promise"), CAUGHT, ids=[f"{audience.__name__}-{name}" for audience, name in CAUGHT]
)
def test_broken_audience_is_caught(audience: type[MemoryAudience], promise: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception, ZeroDivisionError, CrmsdkError)):
        getattr(_suite_of(audience), f"test_{promise}")()


def test_every_promise_has_an_audience_that_breaks_it() -> None:
    assert promises_of(AudienceSuite) == {f"test_{name}" for names in BROKEN.values() for name in names}


def test_the_suite_leaves_only_the_opening_to_the_adapter() -> None:
    assert getattr(AudienceSuite.open_audience, "__isabstractmethod__", False)
