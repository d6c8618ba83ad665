"""Scores add points up exactly, fade stepwise, and open up into what each part gives."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import dumps, loads
from crmsdk.model.comparison import Op
from crmsdk.model.facts import Facts
from crmsdk.reports.explanation import explanation
from crmsdk.segments.checks import problems
from crmsdk.segments.evaluating import evaluate
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Predicate, Score
from crmsdk.segments.words import attr, did, points, prop, score
from crmsdk.testing.draws import histories, moments, scores
from tests.unit.segments.people import NOW, TICK, ann, happened, wrote

DAY = timedelta(days=1)
LEAD = score(
    points(20, per=did("demo"), half_life=30 * DAY),
    points(3, per=did("visit").within(14 * DAY)),
    points(-30, when=attr("role") == "student"),
)


def test_points_add_up_and_the_answer_opens_up() -> None:
    events = [
        happened("demo", 31 * DAY, "d1"),
        happened("demo", DAY, "d2"),
        happened("visit", DAY, "v2"),
        happened("visit", 20 * DAY, "v1"),
    ]
    facts = ann(events, [wrote("role", "student")])
    verdict = evaluate(LEAD >= 3, facts, NOW)
    assert verdict.matched
    assert verdict.because.found == 3
    assert [part.found for part in verdict.because.parts] == [30, 3, -30]
    assert [len(part.events) for part in verdict.because.parts] == [2, 1, 0]
    assert str(explanation(verdict)).splitlines()[1:] == [
        "  yes did demo; found 30; events d1, d2; until 2026-04-27 01:00:00 UTC",
        "  yes did visit in the last 14 days; found 3; events v2; until 2026-04-11 01:00:00 UTC",
        "  yes role is 'student'; found -30",
    ]


def test_points_are_halved_at_full_half_lives_and_gone_after_twenty() -> None:
    fading = score(points(3, per=did("demo"), half_life=DAY))
    at = NOW - DAY * 5
    facts = ann([happened("demo", DAY * 5)])
    for lives in range(25):
        moment = at + DAY * lives
        worth = 3 / 2**lives if lives < 20 else 0
        for early in (TICK, timedelta(0)):
            before = 3 / 2 ** (lives - 1) if early and lives and lives < 21 else worth
            found = evaluate(fading >= 0, facts, moment - early).because.found
            assert found == (before if lives else (0 if early else 3))


def test_until_is_the_moment_at_which_it_turns() -> None:
    facts = ann([happened("demo", timedelta(0), "1"), happened("demo", timedelta(0), "2")])
    warm = score(points(20, per=did("demo"), half_life=30 * DAY)) >= 15
    verdict = evaluate(warm, facts, NOW)
    assert (verdict.matched, verdict.until) == (True, NOW + 60 * DAY)
    later = evaluate(warm, facts, NOW + 60 * DAY)
    assert (later.matched, later.until) == (False, None)


@given(scores(), histories(), moments())
def test_what_the_parts_give_adds_to_the_whole(asked: Score, facts: Facts, now: Any) -> None:
    because = evaluate(asked, facts, now).because
    assert because.found == sum(part.found for part in because.parts)  # type: ignore[misc]  # they are numbers


def test_a_score_is_said_in_both_languages_and_goes_round_as_json() -> None:
    asked = LEAD >= 50
    assert describe(asked) == (
        "score (20 points for each demo, halved every 30 days, 3 points for each visit in the last 14 days, "
        "-30 points if role is 'student') is at least 50"
    )
    assert describe(asked, "ru") == (
        "оценка (20 баллов за каждое событие demo, вдвое меньше через каждые 30 дней, 3 балла за каждое "
        "событие visit менее 14 дней назад, -30 баллов, если role равно 'student') не меньше 50"
    )
    assert loads(dumps(asked), Predicate) == asked


def test_a_catalog_sees_into_a_score() -> None:
    faults = problems(LEAD >= 50, {"demo": {}, "visits": {}}, {"rolle": "text"})
    assert len(faults) == 2
    assert "'visits'" in faults[0]
    assert "'rolle'" in faults[1]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: points(0, per=did("a")), "zero"),
        (lambda: points(2_000_000, per=did("a")), "above"),
        (lambda: points(1.5, per=did("a")), "whole number"),  # type: ignore[arg-type]
        (lambda: points(True, per=did("a")), "whole number"),
        (lambda: points(1), "one thing"),
        (lambda: points(1, per=did("a"), when=did("b")), "one thing"),
        (lambda: points(1, per=attr("a").exists()), "per is"),  # type: ignore[arg-type]
        (lambda: points(1, per=did("a").at_least(2)), "each is counted"),
        (lambda: points(1, when=did("a"), half_life=DAY), "half_life"),
        (lambda: points(1, per=did("a"), half_life=timedelta(0)), "longer than zero"),
        (lambda: points(1, when="a"), "no condition"),  # type: ignore[arg-type]
        (score, "score of nothing"),
        (lambda: score(did("a")), "gives no points"),  # type: ignore[arg-type]
        (lambda: score(points(1, per=did("a"))) >= 1.5, "whole numbers"),
        (lambda: score(points(1, per=did("a"))).between(3, 1), "reversed"),
        (lambda: Score((points(1, per=did("a")),), Op.IN, (1, 2)), "cannot be asked"),
        (lambda: score(points(1, per=did("a").where(prop("b") == 1), half_life="1d")), "span"),  # type: ignore[arg-type]
    ],
)
def test_a_score_that_cannot_be_is_refused(make: Any, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        make()
