"""Chances of being a customer still: the published model of CDNOW, and what holds of every model."""

import csv
import gzip
import random  # noqa: TID251 - seeded draws
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import InputError, NaiveMoment, UnknownZone
from crmsdk.segments.alive import AliveModel, Habit, fit, habit

CDNOW = Path(__file__).parents[2] / "data" / "cdnow.csv.gz"
DAY = timedelta(days=1)
END = datetime(1997, 9, 30, tzinfo=UTC)  # of the first 39 weeks, to which the published model was fitted
WEEK = 7
PUBLISHED = AliveModel(0.243, 4.414 * WEEK, 0.793, 2.426)
parameters = st.floats(0.01, 100)
models = st.builds(AliveModel, parameters, parameters, parameters, parameters)


@cache
def habits() -> dict[str, Habit]:
    moments = defaultdict(list)
    with gzip.open(CDNOW, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            moments[row["customer"]].append(datetime.fromisoformat(row["day"]).replace(tzinfo=UTC))
    found = {who: habit(each, END) for who, each in moments.items()}
    return {who: each for who, each in found.items() if each is not None}


@st.composite
def drawn_habits(draw: st.DrawFn) -> Habit:
    age = draw(st.integers(1, 2_000))
    repeats = draw(st.integers(0, age))
    return Habit(repeats, draw(st.integers(repeats, age)) if repeats else 0, age)


def test_the_fit_of_cdnow_is_the_published_one() -> None:
    model = fit(habits().values())
    assert len(habits()) == 2_357
    assert (round(model.r, 3), round(model.alpha / WEEK, 3)) == (0.243, 4.414)
    assert (round(model.a, 3), round(model.b, 3)) == (0.793, 2.426)


def test_the_likelihood_of_cdnow_is_the_published_one() -> None:
    weeks = [Habit(each.repeats, each.last / WEEK, each.age / WEEK) for each in habits().values()]
    model = AliveModel(0.2426, 4.4136, 0.7929, 2.4259)
    assert round(sum(map(model.likelihood, weeks)), 1) == -9582.4


def test_two_purchases_and_a_long_silence_are_told_from_two_and_a_short_one() -> None:
    one, other = PUBLISHED.alive(Habit(2, 30, 270)), PUBLISHED.alive(Habit(2, 250, 270))
    assert one == pytest.approx(1 / (1 + 0.793 / 3.426 * ((30.898 + 270) / (30.898 + 30)) ** 2.243))
    assert one < 0.2
    assert other > 0.75


@given(models, drawn_habits(), st.integers(1, 500))
def test_a_chance_falls_with_every_day_of_silence(model: AliveModel, seen: Habit, days: int) -> None:
    later = Habit(seen.repeats, seen.last, seen.age + days)
    assert 0 <= model.alive(later) <= model.alive(seen) <= 1
    if seen.repeats == 0:
        assert model.alive(later) == 1


@given(models, drawn_habits(), parameters)
def test_the_unit_of_time_means_nothing(model: AliveModel, seen: Habit, unit: float) -> None:
    scaled = AliveModel(model.r, model.alpha * unit, model.a, model.b)
    assert scaled.alive(Habit(seen.repeats, seen.last * unit, seen.age * unit)) == pytest.approx(
        model.alive(seen), rel=1e-6, abs=1e-12
    )


def test_a_silence_beyond_all_measure_has_no_chance() -> None:
    assert AliveModel(1, 0.01, 1, 1).alive(Habit(500, 500, 2_000_000)) == 0


def test_a_model_is_found_again_in_people_made_from_it() -> None:
    luck, true = random.Random(4), AliveModel(0.8, 10, 0.6, 3)  # noqa: S311 - imagined people, no secret
    found = fit(_person(true, luck, 300) for _ in range(2_000))
    assert found.r / found.alpha == pytest.approx(true.r / true.alpha, rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(true.a / (true.a + true.b), rel=0.15)


def _person(model: AliveModel, luck: random.Random, age: float) -> Habit:
    rate, stops = luck.gammavariate(model.r, 1 / model.alpha), luck.betavariate(model.a, model.b)
    repeats, last, at = 0, 0.0, luck.expovariate(rate)
    while at <= age:
        repeats, last = repeats + 1, at
        at = age + 1 if luck.random() < stops else at + luck.expovariate(rate)
    return Habit(repeats, last, age)


def test_nobody_who_stops_gives_everybody_a_chance_of_one() -> None:
    luck = random.Random(5)  # noqa: S311 - as above
    people = [_person(AliveModel(0.8, 10, 1e-6, 1), luck, 300) for _ in range(500)]
    model = fit(people)
    assert min(map(model.alive, people)) > 0.99


def test_days_are_those_of_the_zone_and_count_once() -> None:
    morning = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)  # 23:30 in Moscow
    moments = [morning + timedelta(hours=hours) for hours in (0, 1, 2, 30)]
    now = morning + 9 * DAY
    assert habit(moments, now) == Habit(1, 2, 9)
    assert habit(moments, now, zone="Europe/Moscow") == Habit(2, 2, 9)
    assert habit([*moments, now + DAY], now) == Habit(1, 2, 9)
    assert habit(moments, morning - DAY) is None


def test_what_cannot_be_a_habit_is_refused() -> None:
    with pytest.raises(InputError, match="last"):
        Habit(1, 5, 4)
    with pytest.raises(InputError, match="nothing was repeated"):
        Habit(0, 5, 9)
    with pytest.raises(InputError, match="repeats"):
        Habit(-1, 5, 9)
    with pytest.raises(InputError, match="age"):
        Habit(0, 0, float("nan"))
    with pytest.raises(NaiveMoment):
        habit([datetime(2026, 3, 1)], END)  # noqa: DTZ001 - the fault under test
    with pytest.raises(UnknownZone):
        habit([], END, zone="Mars")


@pytest.mark.parametrize("name", ["r", "alpha", "a", "b"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), True, "1"])
def test_a_parameter_that_is_none_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"'{name}'"):
        AliveModel(**{"r": 1, "alpha": 1, "a": 1, "b": 1, name: value})


def test_a_base_that_tells_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="nobody bought on two days"):
        fit([Habit(0, 0, 30), None])
    with pytest.raises(InputError, match="nobody bought on two days"):
        fit([])


def test_who_has_not_bought_yet_has_no_chance() -> None:
    moments = {"ann": [END - 9 * DAY, END - 3 * DAY], "bob": [], "cem": [END - 5 * DAY]}
    habits = {who: habit(each, END) for who, each in moments.items()}
    model = fit(habits.values())
    assert {who for who, each in habits.items() if each is not None and model.alive(each)} == {"ann", "cem"}
    nobody: Any = habits["bob"]
    with pytest.raises(InputError, match="'habit': is NoneType, no Habit; leave out people who have not"):
        model.alive(nobody)
    whole: Any = habits
    with pytest.raises(InputError, match=r"'habits': hold str; give Habits, of a dict its \.values\(\)"):
        fit(whole)


def test_people_who_are_all_alike_have_a_model() -> None:
    like, gone = Habit(10, 100, 110), Habit(10, 100, 200)
    model = fit([like] * 400 + [gone] * 100)
    assert model.alive(like) > 0.8
    assert model.alive(gone) < 0.1
