"""Compiled conditions answer exactly as the reference does, and leave definitions and facts as they are."""

import pickle
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError, NaiveMoment
from crmsdk.model.comparison import Op, PropTest
from crmsdk.model.event import START
from crmsdk.model.facts import Facts
from crmsdk.model.money import Money
from crmsdk.segments import _asked, compiling, meaning
from crmsdk.segments.compiling import Compiled, compile_condition
from crmsdk.segments.evaluating import evaluate, holds
from crmsdk.segments.grammar import (
    Absolute,
    AttrTest,
    Condition,
    Occurrences,
    Predicate,
    Relative,
    Rolling,
)
from crmsdk.segments.verdict import RunView
from crmsdk.segments.words import attr, did, everyone, nobody, prop, segment
from crmsdk.testing.draws import NOW, conditions, histories, moments, runs, spans
from tests.unit.segments.people import ANN, TICK, ann, happened, wrote

MONTH = timedelta(days=30)


def known(facts: Facts, now: datetime) -> Facts:
    """Leave out what is dated after ``now``: most people have no facts of the future."""
    return Facts(
        customer=facts.customer,
        zone=facts.zone,
        events=tuple(event for event in facts.events if event.at <= now),
        attributes=tuple(write for write in facts.attributes if write.at <= now),
        consents=tuple(entry for entry in facts.consents if entry.at <= now),
    )


@st.composite
def instants(draw: st.DrawFn, facts: Facts) -> datetime:
    """Draw a moment at which something may happen: of a fact, a span later, or a tick beside that."""
    ats = [event.at for event in facts.events] + [write.at for write in facts.attributes]
    ats += [entry.at for entry in facts.consents]
    at = draw(st.sampled_from(ats)) if ats else draw(moments())
    span = draw(st.one_of(st.just(timedelta(0)), spans()))
    try:
        return at + span + draw(st.sampled_from((-1, 0, 1))) * TICK
    except OverflowError:
        return draw(moments())


def assert_as_the_reference(condition: Condition, facts: Facts, now: datetime, run: RunView) -> None:
    compiled, verdict = compile_condition(condition), meaning.evaluate(condition, facts, now, run=run)
    assert compiled(facts, now, run) == (verdict.matched, verdict.until)
    assert compiled.holds(facts, now, run, "UTC") is verdict.matched
    if verdict.until is not None:
        assert compiled(facts, verdict.until - TICK, run)[0] is verdict.matched


@given(st.data(), histories(), conditions())
def test_a_compiled_condition_answers_as_the_reference_at_any_moment(
    data: st.DataObject, facts: Facts, condition: Condition
) -> None:
    run = data.draw(runs(facts))
    for _ in range(3):
        assert_as_the_reference(condition, facts, data.draw(instants(facts)), run)


@given(st.data(), histories(), conditions())
def test_a_compiled_condition_answers_as_the_reference_where_nothing_is_dated_ahead(
    data: st.DataObject, facts: Facts, condition: Condition
) -> None:
    run = data.draw(runs(facts))
    for _ in range(3):
        now = data.draw(instants(facts))
        assert_as_the_reference(condition, known(facts, now), now, run)


@given(st.data(), histories(), conditions())
def test_facts_that_grow_one_by_one_are_asked_as_those_made_at_once(
    data: st.DataObject, facts: Facts, condition: Condition
) -> None:
    run, now = data.draw(runs(facts)), data.draw(instants(facts))
    grown = attrs.evolve(facts, events=(), attributes=())
    compiled = compile_condition(condition)
    for event in data.draw(st.permutations(facts.events)):
        compiled(grown, now, run)
        grown = grown.with_events([event])
    for write in data.draw(st.permutations(facts.attributes)):
        compiled(grown, now, run)
        grown = grown.with_attributes([write])
    assert compiled(grown, now, run) == compiled(facts, now, run)
    assert_as_the_reference(condition, grown, now, run)


@pytest.mark.parametrize("value", [None, 1, 1.0, True, "1", "e\u0301", Money(1, "RUB"), Money(1, "USD"), NOW])
@pytest.mark.parametrize("operand", [1, 1.0, True, "1", "é", Money(1, "RUB"), NOW, NOW.date(), (1, "1")])
def test_every_kind_meets_every_other_as_in_the_reference(operand: Any, value: Any) -> None:
    visit = happened("visit", MONTH, "a", x=value)
    facts = ann([visit], [wrote("x", visit.properties["x"])])
    met = 0
    for op, asked in product(Op, (operand, (operand, operand), None)):
        try:
            tests = [PropTest("x", op, asked, negated=negated) for negated in (False, True)]
        except DefinitionError:
            continue
        for condition in (AttrTest("x", op, asked), *(did("visit").where(test) for test in tests)):
            assert_as_the_reference(condition, facts, NOW, RunView(entry=(NOW, START), entered=NOW))
            met += 1
    assert met >= 3 * 3  # eq, in and exists may be asked of every kind


def test_a_day_of_23_hours_and_a_moment_in_a_zone_are_asked_as_in_the_reference() -> None:
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    facts = Facts(customer=ANN).with_events([attrs.evolve(happened("visit", MONTH, "a"), at=at)])
    now = datetime(2026, 3, 30, 3, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    compiled = compile_condition(did("visit").within(timedelta(days=1)))
    assert compiled(facts, now) == (False, None)
    assert compiled(facts, now - TICK) == (True, at + timedelta(days=1))


def test_a_person_whose_zone_is_unknown_has_the_zone_given(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def reference(*_: object, zone: str, **__: object) -> meaning.Verdict:
        asked.append(zone)
        return meaning.Verdict(True, None, lambda: pytest.fail("nobody asks why"))

    monkeypatch.setattr(meaning, "evaluate", reference)
    question = did("visit").between(NOW, NOW + MONTH)  # a window left to the reference
    compiled = Compiled(~question | question)
    compiled(ann(), NOW, zone="Asia/Tokyo")
    compiled.holds(ann(), NOW, None, "Europe/Paris")
    assert set(asked) == {"Asia/Tokyo", "Europe/Paris"}


def test_evaluate_explains_by_the_reference_and_holds_gives_the_truth() -> None:
    facts = ann([happened("visit", MONTH / 2)])
    question = did("visit").within(MONTH) & (attr("city") != "Perm")
    verdict, reference = evaluate(question, facts, NOW), meaning.evaluate(question, facts, NOW)
    assert verdict == reference
    assert verdict.because == reference.because
    assert holds(question, facts, NOW)
    assert not holds(~question, facts, NOW)


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(NaiveMoment):
        evaluate(everyone, ann(), naive)
    with pytest.raises(NaiveMoment):
        holds(everyone, ann(), naive)
    with pytest.raises(NaiveMoment):
        compile_condition(everyone)(ann(), naive)


def test_a_condition_about_a_run_is_refused_outside_of_one() -> None:
    with pytest.raises(DefinitionError, match="since_entry"):
        compile_condition(did("visit").since_entry())(ann(), NOW)


def test_a_condition_is_compiled_once_and_stays_the_data_it_was() -> None:
    question = did("visit").within(MONTH) | (attr("age") >= 18)
    before = pickle.dumps(question)
    compiled = compile_condition(question)
    assert compile_condition(question) is compiled
    compiled(ann(), NOW)
    assert pickle.dumps(question) == before
    assert pickle.loads(before) == question  # noqa: S301 - our own bytes


def test_conditions_made_on_the_way_do_not_pile_up() -> None:
    for number in range(3 * compiling._MOST):
        compile_condition(attr("age") >= number)
        assert len(compiling._KEPT) <= compiling._MOST


def test_no_text_of_a_definition_is_run() -> None:
    hostile = "x'\"]\n); raise SystemExit  # {v} %s \\"
    facts = ann([happened(hostile, MONTH, **{hostile: hostile})], [wrote(hostile, hostile)])
    visits = did(hostile).where(prop(hostile) == hostile)
    question = segment(hostile, (attr(hostile) == hostile) & attr(hostile).in_([hostile]) & visits)
    assert holds(question, facts, NOW)
    assert evaluate(question, facts, NOW).matched


@pytest.mark.parametrize("depth", [10, 300])
def test_conditions_in_one_another_may_be_deep(depth: int) -> None:
    question: Predicate = attr("age") >= 0
    for number in range(depth):
        question = (question & (attr("age") < depth)) if number % 2 else (question | nobody)
    assert holds(question, ann(writes=[wrote("age", 1)]), NOW)
    assert not holds(question, ann(writes=[wrote("age", depth)]), NOW)


def test_every_field_of_the_kinds_that_are_compiled_is_known() -> None:
    """A new field changes what is asked: heed it in ``_asked``, or leave that question to the reference."""
    compiled = {*_asked._MAKERS, Absolute, AttrTest, Occurrences, PropTest, Relative, Rolling}
    assert {kind.__name__: {field.name for field in attrs.fields(kind)} for kind in compiled} == {
        "Absolute": {"start", "end"},
        "AccountAll": {"predicate", "others"},
        "AccountCount": {"predicate", "op", "operand", "others"},
        "Aggregate": {"of", "function", "prop", "op", "operand"},
        "AttrTest": {"name", "op", "operand"},
        "AttrTime": {"name", "timing"},
        "ConsentTest": {"channel", "purpose", "state"},
        "Did": {"of", "low", "high", "_said"},
        "EventTime": {"of", "edge", "timing"},
        "Occurrences": {"event", "tests", "window"},
        "PropTest": {"name", "op", "operand", "negated"},
        "Relative": {"relation", "span"},
        "Rolling": {"span", "ago"},
        "SinceEntry": {"event", "tests", "span", "keyed", "low", "high", "_said"},
    }
