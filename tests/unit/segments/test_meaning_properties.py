"""What holds for every condition and every customer: agreement with brute force, and what until promises."""

from datetime import datetime, timedelta
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.model.codec import content_hash, dumps, loads
from crmsdk.model.consent import ConsentState, ConsentWrite
from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import EventId
from crmsdk.reports.explanation import explanation
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Condition, Predicate, RunPredicate
from crmsdk.segments.meaning import Because, Verdict, evaluate
from crmsdk.segments.reading import reads
from crmsdk.segments.verdict import RunView
from crmsdk.testing.draws import (
    NOW,
    conditions,
    events,
    histories,
    moments,
    predicates,
    questions,
    run_predicates,
    runs,
)
from tests.unit.segments.oracle import answer, first_change

TICK = timedelta(microseconds=1)
_HORIZON = NOW + timedelta(days=800)  # anniversaries come for ever


@given(histories(), predicates(), moments())
def test_the_reference_agrees_with_brute_force(facts: Facts, predicate: Predicate, now: datetime) -> None:
    assert evaluate(predicate, facts, now).matched == answer(predicate, facts, now)


@given(st.data(), histories(), run_predicates(), moments())
def test_conditions_about_a_run_agree_with_brute_force(
    data: st.DataObject, facts: Facts, condition: RunPredicate, now: datetime
) -> None:
    run = data.draw(runs(facts))
    verdict = evaluate(condition, facts, now, run=run)
    assert verdict.matched == answer(condition, facts, now, run)
    assert_bounded(verdict, now, first_change(condition, facts, now, run))


@given(histories(), questions(), moments())
def test_until_of_a_single_question_is_the_exact_moment_of_the_next_change(
    facts: Facts, question: Predicate, now: datetime
) -> None:
    assert evaluate(question, facts, now).until == first_change(question, facts, now)


@given(histories(), predicates(), moments())
def test_until_is_never_later_than_the_first_real_change(
    facts: Facts, predicate: Predicate, now: datetime
) -> None:
    assert_bounded(evaluate(predicate, facts, now), now, first_change(predicate, facts, now))


def assert_bounded(verdict: Verdict, now: datetime, change: datetime | None) -> None:
    if verdict.until is None:
        assert change is None
    else:
        assert now < verdict.until
        assert change is None or verdict.until <= change


@given(histories(), predicates(), moments(), st.lists(st.floats(0, 1), max_size=5))
def test_the_answer_is_constant_from_now_to_until(
    facts: Facts, predicate: Predicate, now: datetime, shares: list[float]
) -> None:
    verdict = evaluate(predicate, facts, now)
    end = verdict.until or max(now, NOW + timedelta(days=400))
    for at in {now + (end - now) * share for share in shares} | {end - TICK, now}:
        if now <= at < end:
            assert evaluate(predicate, facts, at).matched == verdict.matched


@given(histories(), predicates())
def test_asking_again_at_each_until_finds_every_change(facts: Facts, predicate: Predicate) -> None:
    now, seen = NOW, []
    for _ in range(200):
        verdict = evaluate(predicate, facts, now)
        seen.append((now, verdict.matched))
        if verdict.until is None or verdict.until > _HORIZON:
            break
        now = verdict.until
    else:
        pytest.fail("the answer is asked for without end")
    changes = [at for (_, before), (at, after) in pairwise(seen) if before != after]
    real, now = [], NOW
    while (change := first_change(predicate, facts, now)) is not None and change <= _HORIZON:
        real.append(change)
        now = change
    assert changes == real


@given(st.data(), histories(), conditions(), moments())
def test_not_is_the_complement_with_the_same_until(
    data: st.DataObject, facts: Facts, condition: Condition, now: datetime
) -> None:
    run = data.draw(runs(facts))
    assert isinstance(condition, Predicate | RunPredicate)
    yes, no = evaluate(condition, facts, now, run=run), evaluate(~condition, facts, now, run=run)
    assert (yes.matched, yes.until) == (not no.matched, no.until)


@given(histories(), predicates(max_leaves=2), predicates(max_leaves=2), moments())
def test_and_or_and_not_keep_de_morgans_laws(
    facts: Facts, one: Predicate, two: Predicate, now: datetime
) -> None:
    assert evaluate(~(one & two), facts, now) == evaluate(~one | ~two, facts, now)
    assert evaluate(~(one | two), facts, now) == evaluate(~one & ~two, facts, now)


@given(conditions())
def test_a_condition_survives_json_exactly(condition: Condition) -> None:
    again = loads(dumps(condition), Condition)
    assert again == condition
    assert hash(again) == hash(condition)
    assert content_hash(again) == content_hash(condition)


@given(st.data(), histories(), predicates(), moments())
def test_the_order_of_arrival_does_not_matter(
    data: st.DataObject, facts: Facts, predicate: Predicate, now: datetime
) -> None:
    late = attrs.evolve(facts, events=(), attributes=(), consents=tuple(reversed(facts.consents)))
    for event in data.draw(st.permutations(facts.events)):
        late = late.with_events([event])
    late = late.with_attributes(data.draw(st.permutations(facts.attributes)))
    assert evaluate(predicate, late, now) == evaluate(predicate, facts, now)


@given(st.data(), histories(), conditions(), moments(), events(number=99))
def test_a_fact_that_is_not_read_never_changes_the_answer(
    data: st.DataObject, facts: Facts, condition: Condition, now: datetime, event: Event
) -> None:
    run, read = data.draw(runs(facts)), reads(condition)
    more = facts
    if event.name not in read.events:
        more = more.with_events([event])
    names = [name for name in ("city", "age", "address", "address.city") if name not in read.attributes]
    more = more.with_attributes(
        AttributeWrite(name=name, value="a", at=now, id=EventId(f"z{name}")) for name in names
    )
    if not read.consents:
        consent = ConsentWrite(state=ConsentState.GRANTED, at=now, id="z")
        more = attrs.evolve(more, consents=(*more.consents, consent))
    assert evaluate(condition, more, now, run=run) == evaluate(condition, facts, now, run=run)


@given(st.data(), histories(), conditions(), moments())
def test_every_answer_can_be_explained(
    data: st.DataObject, facts: Facts, condition: Condition, now: datetime
) -> None:
    verdict = evaluate(condition, facts, now, run=data.draw(runs(facts)))
    because = verdict.because
    assert (because.matched, because.until) == (verdict.matched, verdict.until)
    assert (
        str(explanation(verdict)).count("\n") + 1
        == str(explanation(because)).count("\n") + 1
        == parts_of(because)
    )
    assert describe(condition)
    assert describe(condition, "ru")
    assert str(explanation(verdict, "ru")).count("\n") + 1 == parts_of(because)


def parts_of(because: Because) -> int:
    return 1 + sum(parts_of(part) for part in because.parts)


@given(histories(), predicates(), moments())
def test_a_run_changes_nothing_about_a_customer(facts: Facts, predicate: Predicate, now: datetime) -> None:
    run = RunView(entry=(now, ""), entered=now)
    assert evaluate(predicate, facts, now, run=run) == evaluate(predicate, facts, now)
