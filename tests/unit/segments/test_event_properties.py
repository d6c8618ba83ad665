"""What holds for every question about events, of busy customers, at the moments where answers may turn."""

from datetime import datetime

import attrs
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.model.codec import content_hash, dumps, loads
from crmsdk.model.facts import Facts
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Condition, Did, Predicate
from crmsdk.segments.meaning import evaluate
from crmsdk.testing.draws import NOW
from crmsdk.testing.event_draws import aggregates, busy_histories, gaps, rhythms, sequences, trends
from tests.unit.segments.oracle import answer, around, first_change
from tests.unit.segments.people import TICK


def asked() -> st.SearchStrategy[Predicate]:
    windows = aggregates().map(lambda node: Did(node.of))
    return st.one_of(windows, aggregates(), sequences(), trends(), rhythms(), gaps())


def moment(data: st.DataObject, question: Predicate, facts: Facts) -> datetime:
    return data.draw(st.sampled_from(around(question, facts) or [NOW]))


@given(st.data(), busy_histories(), asked())
def test_the_answer_and_its_end_are_those_of_brute_force_to_the_microsecond(
    data: st.DataObject, facts: Facts, question: Predicate
) -> None:
    now = moment(data, question, facts)
    verdict = evaluate(question, facts, now)
    assert verdict.matched == answer(question, facts, now)
    assert verdict.until == first_change(question, facts, now)


@given(st.data(), busy_histories(), asked())
def test_the_answer_is_constant_up_to_its_end_and_turns_there(
    data: st.DataObject, facts: Facts, question: Predicate
) -> None:
    now = moment(data, question, facts)
    verdict = evaluate(question, facts, now)
    if verdict.until is not None:
        assert now < verdict.until
        halfway = now + (verdict.until - now) / 2
        for at in (halfway, verdict.until - TICK):
            assert evaluate(question, facts, at).matched is verdict.matched
        assert evaluate(question, facts, verdict.until).matched is not verdict.matched


@given(st.data(), busy_histories(), asked())
def test_late_events_leave_no_trace_of_having_been_late(
    data: st.DataObject, facts: Facts, question: Predicate
) -> None:
    now, late = moment(data, question, facts), attrs.evolve(facts, events=())
    for event in data.draw(st.permutations(facts.events)):
        late = late.with_events([event])
    assert evaluate(question, late, now) == evaluate(question, facts, now)


@given(st.data(), busy_histories(), asked())
def test_the_complement_turns_when_the_question_does(
    data: st.DataObject, facts: Facts, question: Predicate
) -> None:
    now = moment(data, question, facts)
    yes, no = evaluate(question, facts, now), evaluate(~question, facts, now)
    assert (yes.matched, yes.until) == (not no.matched, no.until)
    assert yes.because.matched is yes.matched


@given(asked())
def test_a_question_survives_json_and_can_be_said(question: Predicate) -> None:
    again = loads(dumps(question), Condition)
    assert again == question
    assert content_hash(again) == content_hash(question)
    assert describe(question)
    assert describe(question, "ru")
