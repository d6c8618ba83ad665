"""Splits: sticky, even, and moving only whom a change needs."""

import math
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError
from crmsdk.experiments.split import assign, in_holdout

SUBJECTS = [f"customer-{number}" for number in range(1_000)]
FEW = SUBJECTS[:300]

# Five standard deviations of a share.
TOLERANCE = 5 * math.sqrt(0.25 / len(SUBJECTS))

names = st.sampled_from(["control", "a", "b", "c", "d"])
weights = st.dictionaries(
    names, st.sampled_from([0, 1, 2, 5, 10, 33.3, 50]) | st.floats(0, 100, allow_subnormal=False), min_size=1
).filter(lambda arms: any(arms.values()))


def _shares(arms: Mapping[str, float]) -> dict[str, float]:
    total = math.fsum(arms.values())
    return {name: weight / total for name, weight in arms.items()}


def _needed(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    old, new = _shares(before), _shares(after)
    return sum(max(0.0, new.get(name, 0) - old.get(name, 0)) for name in {*old, *new})


def _moves(
    before: Mapping[str, float], after: Mapping[str, float], was: tuple[Mapping[str, float], ...] = ()
) -> Counter[tuple[str, str]]:
    """Count who moved from which arm to which."""
    moves: Counter[tuple[str, str]] = Counter()
    for subject in SUBJECTS:
        pair = assign("e", subject, before), assign("e", subject, after, was=was)
        if pair[0] != pair[1]:
            moves[pair] += 1
    return moves


@given(weights)
def test_t29_every_arm_gets_its_share(arms: dict[str, float]) -> None:
    counts = Counter(assign("e", subject, arms) for subject in SUBJECTS)
    for name, share in _shares(arms).items():
        assert abs(counts[name] / len(SUBJECTS) - share) < TOLERANCE
        assert share > 0 or counts[name] == 0


def test_t29_arms_are_chosen_evenly() -> None:
    arms = {"a": 1, "b": 2, "c": 3, "d": 4}
    counts = Counter(assign("chi", subject, arms) for subject in SUBJECTS)
    chi = sum(
        (counts[name] - len(SUBJECTS) * w / 10) ** 2 / (len(SUBJECTS) * w / 10) for name, w in arms.items()
    )
    assert chi < 16.27  # 3 degrees of freedom: exceeded once in a thousand


def test_t29_lots_are_fixed_for_ever() -> None:
    arms = {"control": 1, "a": 2, "b": 3}
    assert [assign("welcome-2026", f"customer-{n}", arms) for n in range(8)] == LOTS


LOTS = ["b", "a", "a", "b", "a", "b", "b", "b"]


@given(weights, st.floats(0.001, 1000))
def test_t29_weights_need_not_sum_to_anything(arms: dict[str, float], scale: float) -> None:
    scaled = {name: weight * scale for name, weight in arms.items()}
    assert sum(assign("e", s, arms) != assign("e", s, scaled) for s in FEW) == 0


@given(weights)
def test_t29_the_order_of_the_arms_means_nothing(arms: dict[str, float]) -> None:
    turned = dict(reversed(arms.items()))
    assert all(assign("e", s, arms) == assign("e", s, turned) for s in FEW)


@given(weights, names, st.floats(0, 100))
def test_t29_growing_one_arm_moves_only_the_needed_share(
    before: dict[str, float], name: str, weight: float
) -> None:
    after = {**before, name: weight}
    if not any(after.values()):
        return
    moves = _moves(before, after)
    assert all(name in pair for pair in moves)
    grows = _shares(after)[name] >= _shares(before).get(name, 0)
    assert all((pair[1] == name) == grows for pair in moves)
    assert abs(moves.total() / len(SUBJECTS) - _needed(before, after)) < TOLERANCE


@given(weights, weights)
def test_t29_nobody_moves_between_arms_that_keep_their_weights(
    before: dict[str, float], after: dict[str, float]
) -> None:
    kept = {name for name in before if before[name] == after.get(name)}
    moves = _moves(before, after)
    assert not any({*pair} <= kept for pair in moves)
    needed = _needed(before, after)
    assert moves.total() / len(SUBJECTS) < 2 * needed / (1 + needed) + TOLERANCE


@given(weights, weights)
def test_t29_with_the_earlier_weights_any_change_moves_only_the_needed_share(
    before: dict[str, float], after: dict[str, float]
) -> None:
    moves = _moves(before, after, (before,))
    old, new = _shares(before), _shares(after)
    for loser, winner in moves:
        assert new.get(loser, 0) < old[loser]
        assert new[winner] > old.get(winner, 0)
    assert abs(moves.total() / len(SUBJECTS) - _needed(before, after)) < TOLERANCE


@given(st.lists(weights, min_size=2, max_size=4))
def test_t29_the_shares_hold_after_any_history(history: list[dict[str, float]]) -> None:
    *was, arms = history
    counts = Counter(assign("e", subject, arms, was=was) for subject in SUBJECTS)
    for name, share in _shares(arms).items():
        assert abs(counts[name] / len(SUBJECTS) - share) < TOLERANCE
        assert share > 0 or counts[name] == 0
    assert set(counts) <= set(arms)


def test_t29_growing_one_arm_at_the_cost_of_another_leaves_the_third_alone() -> None:
    before, after = {"a": 40, "b": 40, "c": 20}, {"a": 50, "b": 30, "c": 20}
    moves = _moves(before, after, (before,))
    assert set(moves) == {("b", "a")}
    assert abs(moves.total() / len(SUBJECTS) - 0.1) < TOLERANCE


def test_an_arm_too_small_to_see_gets_nobody_and_breaks_nothing() -> None:
    arms = {"a": 1.0, "b": 5e-324, "c": 1e308}
    assert {assign("e", s, arms) for s in FEW} == {"c"}
    assert {assign("e", s, {"a": 1, "c": 0}, was=[{"a": 1, "c": 1e-17}]) for s in FEW} == {"a"}


def test_t29_two_experiments_draw_apart() -> None:
    arms = {"a": 1, "b": 1}
    both = Counter((assign("e", s, arms), assign("f", s, arms)) for s in SUBJECTS)
    assert all(abs(count / len(SUBJECTS) - 0.25) < TOLERANCE for count in both.values())
    assert len(both) == 4


@pytest.mark.parametrize(
    ("arms", "path"),
    [
        ({}, "arms"),
        ({"a": 0}, "arms"),
        ({"a": 0, "b": 0.0}, "arms"),
        ({"a": 1, "b": -1}, "arms.b"),
        ({"a": math.nan}, "arms.a"),
        ({"a": math.inf}, "arms.a"),
    ],
)
def test_t29_weights_that_choose_nobody_are_refused(arms: dict[str, float], path: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        assign("e", "ann", arms)
    assert caught.value.path == path
    with pytest.raises(DefinitionError):
        assign("e", "ann", {"a": 1}, was=[arms])


@given(st.floats(0, 1), st.floats(0, 1))
def test_t29_a_larger_holdout_keeps_the_smaller_one(one: float, other: float) -> None:
    small, large = sorted((one, other))
    for subject in FEW:
        assert not in_holdout("h", subject, small) or in_holdout("h", subject, large)


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.1, 0.5, 1.0])
def test_t29_a_holdout_has_its_share(share: float) -> None:
    held = sum(in_holdout("h", subject, share) for subject in SUBJECTS) / len(SUBJECTS)
    assert abs(held - share) <= (TOLERANCE if 0 < share < 1 else 0)


@pytest.mark.parametrize("share", [-0.1, 1.01, 10, math.nan])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(DefinitionError, match="share"):
        in_holdout("h", "ann", share)


def test_a_holdout_says_nothing_about_the_arm() -> None:
    arms = {"a": 1, "b": 1}
    both = Counter((in_holdout("e", s, 0.5), assign("e", s, arms)) for s in SUBJECTS)
    assert all(abs(count / len(SUBJECTS) - 0.25) < TOLERANCE for count in both.values())


def test_t29_a_weight_too_small_to_be_a_share_gets_nobody() -> None:
    assert {assign("e", str(subject), {"a": 1, "b": 5e-324}) for subject in range(50)} == {"a"}
