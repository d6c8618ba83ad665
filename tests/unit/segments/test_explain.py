"""Conditions and verdicts in words."""

from datetime import UTC, date, datetime
from datetime import timedelta as td

import pytest

from crmsdk.errors import DefinitionError
from crmsdk.model.money import Money
from crmsdk.reports.explanation import explanation
from crmsdk.segments.explain import describe, spell_span
from crmsdk.segments.grammar import AttrTime, Condition
from crmsdk.segments.meaning import RunView, evaluate
from crmsdk.segments.phrases import Speaker
from crmsdk.segments.windows import Absolute
from crmsdk.segments.words import attr, consent, did, everyone, nobody, prop, segment
from tests.unit.segments.people import NOW, ann, happened, wrote

START = datetime(2026, 1, 1, tzinfo=UTC)
P = did("purchase")


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (everyone, "everyone"),
        (nobody, "nobody"),
        (attr("city") == "Moscow", "city is 'Moscow'"),
        (attr("city") != "Moscow", "not (city is 'Moscow')"),
        (attr("age").between(18, 30), "age is between 18 and 30"),
        (attr("age").in_([1, 2]), "age is one of 1, 2"),
        (attr("age").exists(), "age exists"),
        (attr("city").matches("^M"), "city matches the pattern '^M'"),
        (attr("tags").contains_any(["a", "b"]), "tags contains any of 'a', 'b'"),
        (attr("tags").contains_all(["a", "b"]), "tags contains all of 'a', 'b'"),
        (attr("born") < date(2000, 1, 1), "born is less than 2000-01-01"),
        (attr("seen").before(START), "seen is before 2026-01-01 00:00:00 UTC"),
        (attr("seen").after(START), "seen is at or after 2026-01-01 00:00:00 UTC"),
        (attr("ends").within_next(td(days=1, hours=2)), "ends is within the next 1 day 2 hours"),
        (
            P.within(td(minutes=1, seconds=2, microseconds=3)),
            "did purchase in the last 1 minute 2 seconds 3 microseconds",
        ),
        (
            P.between(START, NOW),
            "did purchase from 2026-01-01 00:00:00 UTC to before 2026-03-29 01:00:00 UTC",
        ),
        (P.at_least(3), "did purchase, 3 times or more"),
        (P.at_most(1), "did purchase, at most once"),
        (P.times(0), "did purchase, not once"),
        (P.times(2), "did purchase, exactly 2 times"),
        (P.count().between(2, 4), "did purchase, 2 to 4 times"),
        (
            P.where(prop("n") > 1, prop("c") != "red"),
            "did purchase where n is more than 1 and not (c is 'red')",
        ),
        (
            P.sum("amount") >= Money(9000, "RUB"),
            "sum of amount over purchase is at least 9000 RUB in minor units",
        ),
        (P.first_at().within_last(td(days=7)), "first purchase was within the last 7 days"),
        (P.last_at().more_than_ago(td(days=60)), "last purchase was 60 days ago or longer"),
        (consent("email", "promo"), "consent to promo by email is granted"),
        (segment("vip", P), "in segment 'vip'"),
        (P.since_entry(), "did purchase since entry"),
        (P.since_entry().any_key().within(td(days=7)), "did purchase within 7 days of entry with any key"),
        ((attr("a") == 1) & ((attr("b") == 2) | ~P), "a is 1 and (b is 2 or not (did purchase))"),
        (P.since_entry() | P, "did purchase since entry or did purchase"),
        (~P.since_entry() & P, "not (did purchase since entry) and did purchase"),
    ],
)
def test_every_condition_reads_as_english(condition: Condition, text: str) -> None:
    assert describe(condition) == text


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (everyone, "все"),
        (nobody, "никто"),
        (attr("city") != "Москва", "не (city равно 'Москва')"),
        (attr("age").between(18, 30), "age от 18 до 30"),
        (attr("age").in_([1, 2]), "age одно из: 1, 2"),
        (attr("age").missing(), "не (есть age)"),
        (attr("vip") == True, "vip равно да"),  # noqa: E712 - a comparison makes a question
        (attr("name").startswith("А"), "name начинается с 'А'"),
        (attr("city").matches("^M"), "city подходит под шаблон '^M'"),
        (attr("tags").contains_any(["a", "b"]), "tags содержит одно из: 'a', 'b'"),
        (attr("tags").contains_all(["a", "b"]), "tags содержит все: 'a', 'b'"),
        (attr("seen").before(START), "seen раньше 2026-01-01 00:00:00 UTC"),
        (attr("ends").within_next(td(days=1, hours=2)), "ends ещё впереди, осталось не более 1 дня 2 часов"),
        (P.within(td(days=30)).at_least(3), "было событие purchase менее 30 дней назад, не менее 3 раз"),
        (P.at_most(1), "было событие purchase, не более 1 раза"),
        (P.times(0), "было событие purchase, ни разу"),
        (P.times(2), "было событие purchase, ровно 2 раза"),
        (P.count().between(2, 21), "было событие purchase, от 2 до 21 раза"),
        (
            P.where(prop("n") > 1, prop("c") != "red"),
            "было событие purchase, где n больше 1 и не (c равно 'red')",
        ),
        (
            P.sum("amount") >= Money(9000, "RUB"),
            "сумма amount по событиям purchase не меньше 9000 RUB в минимальных единицах",
        ),
        (P.last_at().more_than_ago(td(days=21)), "последнее событие purchase не менее 21 дня назад"),
        (consent("email", "promo", state="withdrawn"), "согласие на promo по каналу email отозвано"),
        (segment("vip", P), "в сегменте 'vip'"),
        (P.since_entry(), "было событие purchase после входа"),
        (
            P.since_entry().any_key().within(td(days=7)),
            "было событие purchase в пределах 7 дней после входа с любым ключом",
        ),
        (
            (attr("a") == 1) & ((attr("b") == 2) | ~P),
            "a равно 1 и (b равно 2 или не (было событие purchase))",
        ),
    ],
)
def test_every_condition_reads_as_russian(condition: Condition, text: str) -> None:
    assert describe(condition, "ru") == text


@pytest.mark.parametrize(
    ("span", "nominative", "genitive"),
    [
        (td(days=1), "1 день", "1 дня"),
        (td(days=2), "2 дня", "2 дней"),
        (td(days=5), "5 дней", "5 дней"),
        (td(days=11), "11 дней", "11 дней"),
        (td(days=12), "12 дней", "12 дней"),
        (td(days=21), "21 день", "21 дня"),
        (td(days=112), "112 дней", "112 дней"),
        (td(hours=22), "22 часа", "22 часов"),
        (
            td(minutes=1, seconds=3, microseconds=1),
            "1 минута 3 секунды 1 микросекунда",
            "1 минуты 3 секунд 1 микросекунды",
        ),
    ],
)
def test_spans_are_counted_as_russian_counts(span: td, nominative: str, genitive: str) -> None:
    assert spell_span(span, "ru") == nominative
    assert Speaker("ru").span(span, genitive=True) == genitive


def test_a_verdict_renders_in_russian_too() -> None:
    facts = ann([happened("p", td(days=1), id="e1")], [wrote("city", "Perm")])
    question = did("p").within(td(days=30)) & ~(attr("city") == "Moscow") & (attr("vip").missing() | nobody)
    assert (
        str(explanation(evaluate(question, facts, NOW), "ru"))
        == """\
да  всё сразу; до 2026-04-27 01:00:00 UTC
  да  было событие p менее 30 дней назад; найдено: 1; события e1; до 2026-04-27 01:00:00 UTC
  да  не
    нет city равно 'Moscow'; найдено: 'Perm'
  да  хотя бы одно
    да  не
      нет есть vip
    нет никто"""
    )


def test_a_language_we_do_not_speak_is_refused() -> None:
    with pytest.raises(DefinitionError, match="language: is 'fr'; give one of en, ru"):
        describe(everyone, "fr")  # type: ignore[arg-type]  # the fault


def test_an_absolute_interval_reads_as_english() -> None:
    both = AttrTime("x", Absolute(START, NOW))
    assert describe(both) == "x is from 2026-01-01 00:00:00 UTC to before 2026-03-29 01:00:00 UTC"


def test_a_verdict_renders_as_a_tree_with_what_was_found_and_until_when() -> None:
    facts = ann(
        [happened("purchase", td(days=day), id=f"e{day}", amount=Money(100, "RUB")) for day in range(1, 8)],
        [wrote("city", "Perm"), wrote("ends", NOW)],
    )
    question = (
        segment("buyers", did("purchase").within(td(days=30)).at_least(3))
        & ~(attr("city") == "Moscow")
        & (did("purchase").sum("amount") > Money(650, "RUB"))
        & (did("purchase").last_at().within_last(td(days=2)) | (attr("missing") == 1) | nobody)
        & attr("ends").before(NOW + td(days=1))
        & consent("email", "promo", state="unknown")
    )
    assert (
        str(explanation(evaluate(question, facts, NOW)))
        == """\
yes all of; until 2026-03-30 01:00:00 UTC
  yes in segment 'buyers'; until 2026-04-25 01:00:00 UTC
    yes did purchase in the last 30 days, 3 times or more; found 7; events e7, e6, e5, e4, e3 and 2 more; \
until 2026-04-25 01:00:00 UTC
  yes not
    no  city is 'Moscow'; found 'Perm'
  yes sum of amount over purchase is more than 650 RUB in minor units; found 700 RUB in minor units; \
events e7, e6, e5, e4, e3 and 2 more
  yes any of; until 2026-03-30 01:00:00 UTC
    yes last purchase was within the last 2 days; found 2026-03-28 01:00:00 UTC; events e1; \
until 2026-03-30 01:00:00 UTC
    no  missing is 1; found missing
    no  nobody
  yes ends is before 2026-03-30 01:00:00 UTC; found 2026-03-29 01:00:00 UTC
  yes consent to promo by email is unknown; found 'unknown'"""
    )


def test_a_reason_holds_what_was_found_and_what_was_asked_and_hides_it_in_its_repr() -> None:
    facts = ann(
        [happened("p", td(days=1), id="e1"), happened("p", -td(days=1), id="e2")], [wrote("mail", "a@b.c")]
    )
    because = evaluate(did("p").at_least(2), facts, NOW).because
    assert (because.found, because.asked, because.events, because.until) == (
        1,
        (2, None),
        ("e1",),
        NOW + td(days=1),
    )
    personal = evaluate(attr("mail") == "x@y.z", facts, NOW)
    assert (personal.because.found, personal.because.asked) == ("a@b.c", "x@y.z")
    assert "a@b.c" not in repr(personal.because)
    assert "a@b.c" not in repr(personal)


def test_a_reason_tells_of_runs_and_of_first_and_last_events() -> None:
    facts = ann([happened("p", td(days=day), id=f"e{day}", n=day) for day in (1, 2, 3)])
    run = RunView(entry=(NOW - td(days=2), "e2"), entered=NOW)
    assert evaluate(did("p").since_entry() & did("p"), facts, NOW, run=run).because.parts[0].events == ("e1",)
    assert evaluate(did("p").first_at().before(NOW), facts, NOW).because.events == ("e3",)
    assert evaluate(did("p").sum("n") > 1, facts, NOW).because.found == 6
    absolute = evaluate(attr("x").after(START), facts, NOW).because
    assert absolute.asked == (START, None)
