"""Several processes share the people of a history, and report as one would."""

import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk import errors
from crmsdk.errors import ConfigError, CrmsdkError, InputError
from crmsdk.model.customer import Identifier
from crmsdk.model.ids import EventId
from crmsdk.model.inputs import Alias, Input
from crmsdk.simulation import Report, Simulation, simulate
from crmsdk.simulation.parallel import joined, shards, side_by_side
from crmsdk.simulation.responses import ConstantResponses
from crmsdk.wire.recorded import identify, track
from tests.scenarios.stage import START, WORDS
from tests.scenarios.worlds import World, worlds

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
_NAMES = st.sampled_from([Identifier("user", f"u{n}") for n in range(6)] + [Identifier("anonymous", "d")])


def _alias(who: Identifier, previous: Identifier, at: datetime) -> Alias:
    return Alias(id=EventId(f"{who.value}:{at}"), identifiers=(who,), previous=previous, at=at, received=at)


@st.composite
def _news(draw: st.DrawFn) -> Input:
    who, at = draw(_NAMES), MONDAY + timedelta(hours=draw(st.integers(0, 50)))
    match draw(st.integers(0, 3)):
        case 0:
            return identify(who, email=f"{draw(st.integers(0, 9))}@shop.example", at=at)
        case 1:
            return _alias(who, draw(_NAMES.filter(lambda other: other != who)), at)
        case _:
            return track(who, "visit", at=at, id=draw(st.sampled_from("abcdef")))


def _keys(one: Input) -> set[object]:
    return {one.id, *one.identifiers, *([one.previous] if isinstance(one, Alias) else [])}


def _splits_nobody(split: Callable[[Iterable[Input], int], list[list[Input]]], news: list[Input]) -> None:
    parts = split(news, 3)
    assert sorted(map(id, (one for part in parts for one in part))) == sorted(map(id, news))
    seen: list[set[object]] = [set().union(*map(_keys, part)) for part in parts]
    assert sum(map(len, seen)) == len(set().union(*seen))
    for part in parts:
        assert part == [one for one in news if any(one is mine for mine in part)]


@given(st.lists(_news(), max_size=25))
def test_nobody_is_split_and_nothing_lost(news: list[Input]) -> None:
    _splits_nobody(shards, news)


def test_a_split_by_first_names_is_caught() -> None:
    def naive(news: Iterable[Input], number: int) -> list[list[Input]]:
        parts: list[list[Input]] = [[] for _ in range(number)]
        for one in news:
            parts[int(one.identifiers[0].value[-1]) % number].append(one)
        return parts

    news = [
        track("u1", "visit", at=MONDAY),
        _alias(Identifier("user", "u2"), Identifier("user", "u1"), MONDAY),
    ]
    with pytest.raises(AssertionError):
        _splits_nobody(naive, news)


@given(worlds(), st.integers(1, 3))
def test_parts_decide_what_the_whole_decides(world: World, number: int) -> None:
    def run(news: Sequence[Input]) -> Report:
        simulation = Simulation(
            world.journeys,
            news,
            start=START,
            policy=world.policy,
            templates=WORDS,
            responses=ConstantResponses(opens=0.5),
        )
        simulation.run(world.end)
        return simulation.report()

    whole, parts = run(world.news), joined([run(part) for part in shards(world.news, number)])
    assert parts.decisions() == whole.decisions()
    assert str(parts) == str(whole)
    assert list(parts.people) == list(whole.people)
    assert (parts.taken.accepted, parts.taken.duplicates, len(parts.taken.refused)) == (
        whole.taken.accepted,
        whole.taken.duplicates,
        len(whole.taken.refused),
    )


def test_two_processes_report_as_one() -> None:
    history = [track(f"u{n}", "visit", at=MONDAY + n * DAY, id=f"e{n}") for n in range(8)]
    told: list[datetime] = []
    reports = [
        simulate(
            [],
            history,
            start=MONDAY,
            until=MONDAY + 9 * DAY,
            workers=workers,
            progress=lambda _start, now, _end: told.append(now),
        )
        for workers in (1, 2, 20)
    ]
    assert reports[0] == reports[1] == reports[2]
    assert len(reports[0].people) == 8
    assert told


@pytest.mark.parametrize("workers", [0, -1, True, 1.5])
def test_no_workers_is_an_error(workers: Any) -> None:
    with pytest.raises(InputError, match="workers"):
        simulate([], [], start=MONDAY, until=MONDAY, workers=workers)


def test_reports_of_different_spans_are_not_joined() -> None:
    one, other = (simulate([], [], start=MONDAY, until=MONDAY + span) for span in (DAY, 2 * DAY))
    with pytest.raises(InputError, match="spans"):
        joined([one, other])
    with pytest.raises(InputError, match="none"):
        joined([])


class _Odd(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)

    def __reduce__(self) -> NoReturn:
        raise TypeError("no")


def _work(part: str) -> int:
    match part:
        case "typed":
            raise errors.UnknownName("event", "buy", ["bought"])
        case "odd":
            raise _Odd("a", "b")
        case "die":
            os._exit(9)
        case _:
            return os.getpid()


def test_results_come_in_order_each_from_a_process_of_its_own() -> None:
    here, *others = side_by_side(_work, ["", "", ""])
    assert here == os.getpid()
    assert len({here, *others}) == 3


def test_an_error_of_another_process_is_raised_here() -> None:
    with pytest.raises(errors.UnknownName, match="'buy'") as raised:
        side_by_side(_work, ["", "typed"])
    assert raised.value.name == "buy"
    with pytest.raises(CrmsdkError, match="_Odd"):
        side_by_side(_work, ["", "odd"])
    with pytest.raises(CrmsdkError, match="died"):
        side_by_side(_work, ["", "die"])


def test_what_cannot_be_handed_over_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    spawning = multiprocessing.get_context("spawn")
    monkeypatch.setattr(multiprocessing, "get_context", lambda: spawning)
    with pytest.raises(ConfigError, match="workers=1"):
        side_by_side(lambda _: 1, ["", ""])


_ERRORS: Sequence[CrmsdkError] = [
    errors.CheckFailed("win-back", ["no goal"]),
    errors.DefinitionError("is empty", path="steps"),
    errors.DuplicateEvent("e1"),
    errors.InputError("is text", field="amount", row=3),
    errors.MergeRefused("ann", "bob"),
    errors.NaiveMoment("at"),
    errors.NewerStore(9, 1),
    errors.StoreBusy("later"),
    errors.TemplateError("hi", "is broken"),
    errors.TransientError("later", retry_after=DAY),
    errors.UnknownName("event", "buy", ["bought"]),
    errors.UnknownZone("Mars/Base"),
    errors.UnsupportedFeature("sms", "pictures"),
]


@pytest.mark.parametrize("error", _ERRORS, ids=lambda error: type(error).__name__)
def test_errors_survive_pickling_and_copying(error: CrmsdkError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy(error)):  # noqa: S301 - our own bytes
        assert type(again) is type(error)
        assert (str(again), vars(again)) == (str(error), vars(error))
