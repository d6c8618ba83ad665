"""Coverage of the base by channels, sizes of segments in time, and who moves from where to where."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import InputError, UnknownName
from crmsdk.model.ids import CustomerId
from crmsdk.segments.coverage import coverage
from crmsdk.segments.dynamics import Step, dynamics, flows
from crmsdk.segments.memberships import Memberships
from tests.unit.segments.people import NOW

DAY = timedelta(days=1)
CHANNELS = ("email", "sms", "push")


def answer(people: Mapping[str, Sequence[str]], names: Sequence[str] = CHANNELS, day: int = 0) -> Memberships:
    rows = array("q", (sum(1 << names.index(name) for name in set(of)) for of in people.values()))
    who = [CustomerId(name) for name in people]
    return Memberships(at=NOW + day * DAY, names=names, people=who, words=[rows])


BASE = answer({"a": ["email", "sms"], "b": ["email"], "c": [], "d": ["sms", "push"], "e": ["email", "sms"]})
PEOPLE = st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from(CHANNELS), unique=True))


def test_r83_coverage_counts_nobody_twice() -> None:
    found = coverage(BASE)
    assert (found.base, found.covered, found.share()) == (5, 4, 0.8)
    assert [found.by(name) for name in CHANNELS] == [3, 3, 1]
    assert [found.only_by(name) for name in CHANNELS] == [1, 0, 0]
    assert found.exactly == {("email", "sms"): 2, ("email",): 1, (): 1, ("sms", "push"): 1}
    assert str(found).splitlines() == [
        "             people   share    only so",
        "email             3   60.0%          1",
        "sms               3   60.0%          0",
        "push              1   20.0%          0",
        "together          4   80.0%",
        "base              5",
    ]


def test_r83_the_plan_stands_next_to_the_fact() -> None:
    (email, push) = coverage(BASE).against({"email": 0.5, "push": 0.5})
    assert (email.channel, email.plan, email.fact) == ("email", 0.5, 0.6)
    assert push.missing == pytest.approx(0.3)


@given(PEOPLE)
def test_r83_inclusion_and_exclusion_are_exact(people: dict[str, list[str]]) -> None:
    found = coverage(answer(people))
    terms = (
        (-1) ** (size + 1) * sum(set(some) <= set(of) for of in people.values())
        for size in range(1, len(CHANNELS) + 1)
        for some in combinations(CHANNELS, size)
    )
    assert found.covered == sum(terms)
    assert sum(found.exactly.values()) == found.base == len(people)


def test_coverage_of_some_channels_and_of_nobody() -> None:
    assert coverage(BASE, ["push", "push"]).exactly == {(): 4, ("push",): 1}
    assert coverage(BASE, []).covered == 0
    nobody = coverage(answer({}))
    assert (nobody.base, nobody.share(), nobody.share("sms")) == (0, 0.0, 0.0)
    with pytest.raises(UnknownName, match="did you mean 'email'"):
        coverage(BASE, ["emial"])
    with pytest.raises(UnknownName, match="unknown channel 'fax'"):
        coverage(BASE).only_by("fax")
    with pytest.raises(InputError, match="is no share"):
        coverage(BASE).against({"email": 60})


STAGES = ("new", "active", "asleep")
DAYS = [
    answer({"a": ["new"], "b": ["active"], "c": ["active"]}, STAGES, 0),
    answer({"b": ["active"], "a": ["active"], "c": ["asleep"], "d": ["new"]}, STAGES, 1),
    answer({"a": ["active"], "c": ["active"], "d": []}, STAGES, 2),
]


def test_r106_sizes_in_time_with_who_came_and_who_went() -> None:
    first, second = dynamics(DAYS)[:3], dynamics(DAYS)[3:]
    at = NOW + DAY
    assert first == [
        Step(at=at, segment="new", size=1, entered=1, left=1),
        Step(at=at, segment="active", size=2, entered=1, left=1),
        Step(at=at, segment="asleep", size=1, entered=1, left=0),
    ]
    assert [(step.size, step.entered, step.left) for step in second] == [(0, 0, 1), (2, 1, 1), (0, 0, 1)]


def test_r106_flows_say_who_moved_from_where_to_where() -> None:
    assert flows(DAYS[0], DAYS[1]) == {
        ("new", "active"): 1,
        ("active", "active"): 1,
        ("active", "asleep"): 1,
        ("", "new"): 1,
    }
    assert flows(DAYS[1], DAYS[2])["new", ""] == 1
    assert flows(DAYS[1], DAYS[2])["active", ""] == 1  # b is gone


@given(st.lists(PEOPLE, min_size=2, max_size=4))
def test_r106_sizes_and_flows_add_up(days: list[dict[str, list[str]]]) -> None:
    answers = [
        answer({who: of[:1] for who, of in people.items()}, CHANNELS, day) for day, people in enumerate(days)
    ]
    steps = dynamics(answers)
    for before, now in pairwise(answers):
        moved = flows(before, now)
        for name in CHANNELS:
            (step,) = (each for each in steps if (each.at, each.segment) == (now.at, name))
            assert step.size == before.count(name) + step.entered - step.left == now.count(name)
            assert step.entered == sum(n for (old, new), n in moved.items() if new == name != old)
            assert step.left == sum(n for (old, new), n in moved.items() if old == name != new)
        assert Counter(moved).total() == len({*before.people, *now.people})


def test_answers_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(InputError, match="do not rise in time"):
        dynamics([DAYS[1], DAYS[0]])
    with pytest.raises(InputError, match="are of different segments"):
        dynamics([DAYS[0], answer({}, CHANNELS, 1)])
    with pytest.raises(InputError, match="somebody is in 'email' and in 'sms'"):
        flows(BASE, BASE)
