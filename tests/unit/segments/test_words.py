"""How segments are written, and what is refused at the moment of writing."""

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime
from datetime import timedelta as td
from enum import Enum, StrEnum
from typing import Any

import attrs
import pytest

from crmsdk.errors import DefinitionError, UnknownVersion
from crmsdk.model.codec import content_hash, dumps, loads, schema
from crmsdk.model.comparison import Op, PropTest, compare, exact, value_at
from crmsdk.model.declared import AttributeSet, EventType, Prop
from crmsdk.model.money import Money
from crmsdk.segments.conditions import (
    Always,
    And,
    Condition,
    Not,
    Or,
    Predicate,
    RunAnd,
    RunNot,
    RunOr,
    leaves,
)
from crmsdk.segments.grammar import (
    Aggregate,
    AttrTest,
    Did,
    Function,
    Gap,
    Node,
    RunPredicate,
    Segment,
    SinceEntry,
    Streak,
    Trend,
)
from crmsdk.segments.windows import Absolute, Calendar, Rolling
from crmsdk.segments.words import attr, consent, did, everyone, nobody, prop, segment, sequence
from tests.unit.segments.people import NOW

one, two, three = did("a"), did("b"), did("c")
in_run = did("p").since_entry()


class Purchase(EventType):
    amount: Prop[Money]
    quantity: Prop[int]
    color: Prop[str]


class Shopper(AttributeSet):
    city: Prop[str]
    signup: Prop[datetime]


def test_predicates_join_to_predicates_and_anything_with_a_run_to_a_run_predicate() -> None:
    for joined in (one & two, one | two, ~one, ~(one & two)):
        assert isinstance(joined, Predicate)
    for each in (
        one & in_run,
        in_run & one,
        one | in_run,
        in_run | one,
        ~in_run,
        in_run & in_run,
        in_run | in_run,
    ):
        assert isinstance(each, RunPredicate)


def test_joining_is_flat_and_not_not_is_nothing() -> None:
    assert (one & two) & three == one & (two & three) == And((one, two, three))
    assert (one | two) | three == one | (two | three) == Or((one, two, three))
    assert (one & in_run) & two == RunAnd((one, in_run, two))
    assert (one & two) & in_run == RunAnd((one, two, in_run))
    assert in_run | (one | two) == RunOr((in_run, one, two))
    assert (one & two) | three == Or((And((one, two)), three))
    assert ~~one == one
    assert ~~in_run == in_run
    assert ~one == Not(one)
    assert ~in_run == RunNot(in_run)


def test_a_condition_has_no_truth() -> None:
    wrongs: tuple[Callable[[], object], ...] = (
        lambda: bool(one),
        lambda: one and two,  # type: ignore[unreachable]  # the type checker knows that it raises
        lambda: not in_run,
        lambda: 1 < attr("age") < 5,
        lambda: bool(attr("age")),
        lambda: attr("a") == 1 & attr("b") == 2,
        lambda: attr("a") & one,
        lambda: bool(prop("n") >= 3),
    )
    for wrong in wrongs:
        with pytest.raises(DefinitionError):
            wrong()


def test_a_condition_joins_only_conditions() -> None:
    value: Any = True
    for join in (operator.and_, operator.or_):
        for condition in (one, in_run):
            with pytest.raises(TypeError):
                join(condition, value)


def test_a_builder_is_no_value() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(attr("x"))
    assert repr(attr("x")) == "<attribute x>"


def test_equal_conditions_are_equal_values() -> None:
    number, true = AttrTest("x", Op.EQ, 1), AttrTest("x", Op.EQ, True)
    assert number != true
    assert len({number, true, AttrTest("x", Op.EQ, 1)}) == 2
    assert content_hash(number) != content_hash(true)


def test_typed_and_named_words_give_the_same_definition() -> None:
    assert did(Purchase) == did("purchase")
    assert did(Purchase).where(Purchase.amount >= Money(3, "RUB"), Purchase.color != "red") == did(
        "purchase"
    ).where(prop("amount") >= Money(3, "RUB")).where(prop("color") != "red")
    assert (did(Purchase).sum(Purchase.quantity) > 3) == (did("purchase").sum("quantity") > 3)
    assert (attr(Shopper.city) == "Perm") == (attr("city") == "Perm")


def test_words_of_an_attribute() -> None:
    x = attr("x")
    assert (x != 3) == ~(x == 3)
    assert x.missing() == ~x.exists()
    assert x.in_({"b", "a", "c"}) == x.in_(["a", "b", "c"])
    assert x.between(1, 2) == AttrTest("x", Op.BETWEEN, (1, 2))
    assert x.contains("a") == AttrTest("x", Op.CONTAINS, "a")
    assert x.startswith("a") == AttrTest("x", Op.STARTS, "a")
    assert x.endswith("a") == AttrTest("x", Op.ENDS, "a")
    assert x.contains_any({"b", "a"}) == AttrTest("x", Op.CONTAINS_ANY, ("a", "b"))
    assert x.contains_all(["b", "a"]) == AttrTest("x", Op.CONTAINS_ALL, ("b", "a"))
    assert x.matches("^a+$") == AttrTest("x", Op.MATCHES, "^a+$")


def test_typed_properties_take_lists_and_patterns() -> None:
    assert Purchase.color.matches("^r") == prop("color").matches("^r")
    assert Purchase.color.contains_any(["e", "a"]) == prop("color").contains_any(["e", "a"])
    assert Purchase.color.contains_all({"e"}) == prop("color").contains_all(["e"])
    with pytest.raises(DefinitionError, match=r"purchase.quantity: is number; contains_any asks about text"):
        Purchase.quantity.contains_any([1])
    with pytest.raises(DefinitionError, match="is asked contains_all of one text; give a list"):
        Purchase.color.contains_all("red")
    with pytest.raises(DefinitionError, match=r"purchase.quantity: is number, never text"):
        Purchase.quantity.matches("1")


@pytest.mark.parametrize(
    ("value", "held"),
    [
        ("ab", (True, True)),
        ("a", (True, False)),
        ("", (False, False)),
        (("a", "b", "c"), (True, True)),
        (("b",), (True, False)),
        ((), (False, False)),
        (("ab",), (False, False)),
        (None, (False, False)),
        (1, (False, False)),
    ],
)
def test_any_and_all_of_some_items_of_a_text_or_a_list(value: Any, held: tuple[bool, bool]) -> None:
    asked = ("a", "b")
    assert (compare(Op.CONTAINS_ANY, value, asked), compare(Op.CONTAINS_ALL, value, asked)) == held


def test_an_enumeration_stands_for_its_value() -> None:
    class Plan(Enum):
        PRO = "pro"

    class Level(StrEnum):
        TOP = "top"

    assert (attr("plan") == Plan.PRO) == (attr("plan") == "pro")
    assert type(attr("plan").in_([Level.TOP]).operand[0]) is str  # type: ignore[attr-defined]  # an AttrTest


def test_words_of_events() -> None:
    p = did("p")
    assert p.within(td(days=1)).at_least(3) == p.at_least(3).within(td(days=1))
    assert p.at_least(1) == p
    assert (p.count() > 2) == (p.count() >= 3) == p.at_least(3)
    assert (p.count() < 3) == (p.count() <= 2) == p.at_most(2)
    assert (p.count() == 2) == p.times(2)
    assert p.count().between(1, 4) == Did(p.of, low=1, high=4)
    assert p.times(2).since_entry() == SinceEntry("p", low=2, high=2)
    assert p.where(prop("x") == 1).since_entry() == p.since_entry().where(prop("x") == 1)
    assert p.since_entry().any_key().within(td(1)).at_most(3).keyed is False
    assert isinstance(p.sum("x") != 3, Not)


def test_segments_consents_and_everyone_are_data() -> None:
    vip = segment("vip", one, audience="buyers")
    assert vip == Segment("vip", one, "buyers")
    assert isinstance(vip & two, And)
    assert everyone == Always()
    assert nobody == Always(False)
    assert dumps(consent("email", "promo", state="withdrawn")) == (
        '{"channel":"email","crmsdk":1,"is":"consent","purpose":"promo","state":"withdrawn"}'
    )


def test_leaves_are_found_through_every_joint() -> None:
    condition = segment("s", one & ~two) | (three & in_run)
    asked: list[Condition] = [one, two, three, in_run]
    assert list(leaves(condition)) == asked


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "zero span": (lambda: did("p").within(td(0)), "longer than zero"),
    "negative span": (lambda: attr("x").within_last(td(days=-1)), "longer than zero"),
    "endless span": (lambda: did("p").within(td(days=40_000)), "100 years"),
    "no span": (lambda: did("p").within(30), r"int; give it as timedelta"),  # type: ignore[arg-type]  # the fault
    "zero span since entry": (lambda: in_run.within(td(0)), "longer than zero"),
    "empty interval": (lambda: did("p").between(NOW, NOW), "earlier moment first"),
    "reversed interval": (lambda: did("p").between(NOW, NOW - td(1)), "earlier moment first"),
    "no bound": (Absolute, "before or after which"),
    "naive moment": (lambda: attr("x").before(datetime(2026, 1, 1)), "naive"),  # noqa: DTZ001 - the fault
    "naive operand": (lambda: attr("x") > datetime(2026, 1, 1), "naive"),  # noqa: DTZ001 - the fault
    "no moment": (lambda: attr("x").after(3), "int, not a datetime"),  # type: ignore[arg-type]  # the fault
    "empty in": (lambda: attr("x").in_([]), "one value or more"),
    "text in": (lambda: attr("x").in_("abc"), "takes a list"),
    "empty contains_any": (lambda: attr("x").contains_any([]), "one value or more"),
    "text contains_all": (lambda: attr("x").contains_all("abc"), "contains_all takes a list"),
    "text contains_any": (lambda: attr("x").contains_any("abc"), "contains_any takes a list"),
    "no pattern": (lambda: attr("x").matches("a("), "x: is no pattern we take: at character 3"),
    "pattern of another kind": (lambda: attr("x").matches(3), "is number; give a pattern as text"),  # type: ignore[arg-type]  # the fault
    "missing in": (lambda: attr("x").in_([None]), "missing"),
    "ordered text": (lambda: attr("x") < "b", "text has no order"),
    "ordered boolean": (lambda: attr("x") < True, "boolean has no order"),
    "ordered list": (lambda: attr("x") < (1,), "list has no order"),
    "equal to None": (lambda: attr("x") == None, "missing"),  # noqa: E711 - the fault
    "a mapping": (lambda: attr("x") == {"a": 1}, "dotted name"),
    "starts with a number": (lambda: attr("x").startswith(3), "only text"),  # type: ignore[arg-type]  # the fault
    "reversed between": (lambda: attr("x").between(3, 1), "smaller value first"),
    "mixed between": (lambda: attr("x").between(1, Money(3, "RUB")), "mixes number and money RUB"),
    "three between": (lambda: AttrTest("x", Op.BETWEEN, (1, 2, 3)), "two values"),
    "text between": (lambda: attr("x").between("a", "b"), "text has no order"),
    "exists with a value": (lambda: AttrTest("x", Op.EXISTS, 3), "takes no value"),
    "infinite": (lambda: attr("x") > float("inf"), "infinite"),
    "not a number": (lambda: attr("x").in_([float("nan")]), "missing"),
    "unknown object": (lambda: attr("x") == object(), "object"),
    "no attribute name": (lambda: attr("").exists(), "a name is empty; give non-empty text"),
    "a number for a name": (lambda: attr(3), "a name is int; give non-empty text"),  # type: ignore[arg-type]  # the fault
    "no property name": (lambda: prop("") == 1, "needs a name"),
    "no event name": (lambda: did(""), "names no event"),
    "no event": (lambda: did(3), "names no event"),  # type: ignore[arg-type]  # the fault
    "no segment name": (lambda: segment("", one), "needs a name"),
    "a run in a segment": (lambda: segment("s", in_run), "has no meaning here"),  # type: ignore[arg-type]  # the fault
    "a run in not": (lambda: Not(in_run), "has no meaning here"),
    "a builder in a segment": (lambda: segment("s", attr("x")), "Attr is no condition"),  # type: ignore[arg-type]  # the fault
    "and of one": (lambda: And((one,)), "two conditions"),
    "run-and without a run": (lambda: RunAnd((one, two)), "no part is about a run"),
    "run-or of text": (lambda: RunOr((in_run, "x")), "str is no condition"),  # type: ignore[arg-type]  # the fault
    "negative count": (lambda: did("p").at_least(-1), "never below zero"),
    "fewer than none": (lambda: did("p").count() < 0, "never below zero"),
    "count of True": (lambda: did("p").times(True), "bool"),
    "half a count": (lambda: did("p").count() >= 2.5, "compare a count with an integer"),
    "count !=": (lambda: did("p").count() != 3, "compare a count with an integer"),
    "reversed count": (lambda: did("p").count().between(3, 1), "smaller number first"),
    "two counts": (lambda: did("p").at_least(1).at_most(3), "already asked"),
    "two counts since entry": (lambda: did("p").times(1).since_entry().times(2), "already asked"),
    "sum of a count": (lambda: did("p").times(1).sum("x"), "already asked"),
    "moment of a count": (lambda: did("p").times(1).last_at(), "already asked"),
    "two windows": (lambda: did("p").within(td(1)).between(NOW, NOW + td(1)), "already set"),
    "window since entry": (lambda: did("p").within(td(1)).since_entry(), "since_entry().within"),
    "sum of mixed currency": (
        lambda: did("p").sum("x").between(Money(1, "RUB"), Money(2, "USD")),
        "mixes money RUB and money USD",
    ),
    "sum of text": (lambda: did("p").sum("x") == "a", "give a number or Money"),
    "sum of dates": (lambda: did("p").sum("x") > date(2026, 1, 1), "give a number or Money"),
    "sum in": (lambda: Aggregate(did("p").of, Function.SUM, "x", Op.IN, (1,)), "cannot be asked in"),
    "average of text": (
        lambda: did("p").avg("x") == "a",
        "average is compared with text; give a number or Money",
    ),
    "average of a date": (lambda: did("p").avg("x") > date(2026, 1, 1), "give a number or Money"),
    "smallest text": (lambda: did("p").min("x") == "a", "give a number, Money, a date or a moment"),
    "largest boolean": (lambda: did("p").max("x") == True, "boolean"),  # noqa: E712 - the fault
    "half a distinct": (lambda: did("p").distinct("x") > 1.5, "different values is whole; give an integer"),
    "distinct text": (lambda: did("p").distinct("x") == "a", "compared with text; give an integer"),
    "fewer distinct than none": (lambda: did("p").distinct("x") < -1, "never below zero"),
    "first of a count": (lambda: did("p").times(1).first("x"), "already asked for; ask for first"),
    "last text in order": (lambda: did("p").last("x") < "b", "text has no order"),
    "no property of an average": (lambda: did("p").avg("") > 1, "non-empty text"),
    "no period": (lambda: did("p").this("fortnight"), "'fortnight'; give one of day, week, month"),
    "a number of a period": (lambda: did("p").this(3), "a period is int"),  # type: ignore[arg-type]  # the fault
    "no periods": (lambda: did("p").previous("month", 0), "number of periods is from 1"),
    "half a period": (lambda: did("p").previous("month", 1.5), "periods is float"),  # type: ignore[arg-type]  # the fault
    "zero span before": (lambda: did("p").previous(td(0)), "longer than zero"),
    "endless spans before": (lambda: did("p").previous(td(days=3000), 13), "100 years"),
    "two windows of two kinds": (lambda: did("p").this("day").within(td(1)), "already set"),
    "reversed periods": (lambda: Calendar("day", 1, 2), "reversed"),
    "future periods": (lambda: Calendar("day", 1, -1), "newest period is from 0"),
    "negative ago": (lambda: Rolling(td(1), td(-1)), "longer than zero"),
    "this month since entry": (lambda: did("p").this("month").since_entry(), "a window ends now"),
    "no step": (sequence, "0 steps; give 1 to 16"),
    "too many steps": (lambda: sequence(*[one] * 17), "17 steps"),
    "a step that is text": (lambda: sequence("a"), "a step is str; give did('purchase')"),  # type: ignore[arg-type]  # the fault
    "a counted step": (lambda: sequence(one.at_least(2)), "a step of a sequence is one event"),
    "a step of no event": (lambda: sequence(Did(one.of, low=0)), "a step of a sequence is one event"),
    "a step with a window": (lambda: sequence(one.within(td(1))), "a step has a window of its own"),
    "no time for a sequence": (lambda: sequence(one, two, within=td(0)), "longer than zero"),
    "without an end": (lambda: sequence(one).without(two), "without needs a span"),
    "without twice": (lambda: sequence(one, within=td(1)).without(two).without(three), "already said"),
    "without a count": (lambda: sequence(one, within=td(1)).without(two.times(0)), "is one event"),
    "an absence longer than its window": (
        lambda: sequence(one, within=td(1)).without(two).within(td(1)),
        "give a longer window",
    ),
    "two windows of a sequence": (lambda: sequence(one).within(td(1)).this("day"), "already set"),
    "trend of everything": (lambda: one.trend() > 1, "a trend needs a window that moves"),
    "trend of a fixed time": (lambda: one.between(NOW, NOW + td(1)).trend() > 1, "a window that moves"),
    "trend of a count": (lambda: one.times(2).within(td(1)).trend(), "already asked for; ask for the trend"),
    "trend over nothing": (lambda: one.within(td(1)).trend(over=0) > 1, "windows before is from 1"),
    "trend over too much": (lambda: one.within(td(1)).trend(over=367) > 1, "at most 366"),
    "trend over centuries": (lambda: one.within(td(days=200)).trend(over=366) > 1, "over 100 years ago"),
    "trend compared with text": (lambda: one.within(td(1)).trend() == "a", "a ratio is asked eq text"),
    "trend in a list": (lambda: Trend(one.within(td(1)).of, Op.IN, (1,)), "a ratio is asked in"),
    "currency of a count": (lambda: one.within(td(1)).trend(currency="RUB") > 1, "name the property"),
    "no currency": (lambda: one.within(td(1)).trend("x", currency="roubles") > 1, "three capital letters"),
    "trend of another event's": (lambda: one.within(td(1)).trend(Purchase.quantity), "belongs to event"),
    "streak of no period": (lambda: one.streak("hour"), "'hour'; give one of day"),
    "half a streak": (lambda: one.streak("day") > 1.5, "a number of days is whole"),
    "streak of text": (lambda: one.longest_streak("day") == "a", "compared with text"),
    "streak below zero": (lambda: one.active("week") < -1, "a number of weeks is never below zero"),
    "streak of a count": (lambda: one.times(1).streak("day"), "already asked for; ask for periods"),
    "streak in a list": (lambda: Streak(one.of, "day", "all", Op.IN, (1,)), "cannot be asked in"),
    "regular in no period": (lambda: one.regularly(at_least=1, of=0, period="day"), "periods is from 1"),
    "regular in none": (lambda: one.regularly(at_least=0, of=4, period="day"), "is from 1"),
    "more than regular": (lambda: one.regularly(at_least=5, of=4, period="day"), "at most 4 hold an event"),
    "regular of no unit": (lambda: one.regularly(at_least=1, of=4, period="hour"), "'hour'"),
    "regular in a window": (
        lambda: one.within(td(1)).regularly(at_least=1, of=4, period="day"),
        "the periods are the window",
    ),
    "gaps of a count": (lambda: one.times(3).gaps(), "already asked for; ask for the times between"),
    "a gap that is a number": (lambda: one.gaps().mean() > 3, r"a span is int"),  # type: ignore[operator]  # the fault
    "a negative gap": (lambda: one.gaps().mean() > td(-1), "longer than zero"),
    "a reversed gap": (lambda: one.gaps().median().between(td(2), td(1)), "the shorter span first"),
    "a gap in a list": (lambda: Gap(one.of, "mean", Op.IN, td(1)), "cannot be asked in"),
    "a gap of three": (lambda: Gap(one.of, "mean", Op.BETWEEN, (td(1),) * 3), "needs two spans"),
    "a gap between one": (lambda: Gap(one.of, "mean", Op.BETWEEN, td(1)), "cannot be asked between"),
    "a variation of text": (lambda: one.gaps().variation() == "a", "a variation is asked eq text"),
    "a negative variation": (lambda: one.gaps().variation() > -1, "never below zero"),
    "no test": (lambda: did("p").where(attr("x") == 1), "no test of a property"),  # type: ignore[arg-type]  # the fault
    "wrong kind of a declared attribute": (lambda: attr(Shopper.city) == 3, "'city' is text"),
    "declared text is no moment": (lambda: attr(Shopper.city).within_last(td(1)), "not a moment"),
    "property as attribute": (lambda: attr(Purchase.color), "property of event 'purchase'"),
    "property of another event": (lambda: did("visit").sum(Purchase.quantity), "belongs to event 'purchase'"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_could_never_hold_is_refused_with_its_mend(wrong: str) -> None:
    write, message = WRONG[wrong]
    with pytest.raises(DefinitionError, match=message.replace("(", r"\(").replace(")", r"\)")):
        write()


def test_json_is_checked_like_words() -> None:
    text = dumps(did("p").within(td(days=3)).at_least(2))
    for good, bad in (("P3D", "PT0S"), ('"low":2', '"low":-2'), ('"event":"p"', '"event":""')):
        assert good in text
        with pytest.raises(DefinitionError):
            loads(text.replace(good, bad), Condition)
    with pytest.raises(UnknownVersion):
        loads(text.replace('"crmsdk":1', '"crmsdk":999'), Condition)


def test_conditions_have_a_json_schema() -> None:
    shown = str(schema(Condition))
    tags = ["did", "aggregate", "attr", "since-entry", "segment", "prop", "rolling", "calendar", "sequence"]
    tags += ["trend", "streak", "regular", "gap", "gap-variation"]
    assert all(f"'{tag}'" in shown for tag in tags)


def test_the_kinds_of_conditions_are_closed_and_all_listed() -> None:
    def below(kind: type[Any]) -> set[type[Any]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    listed = set(Node.__args__)
    ours = {kind for kind in below(Condition) if kind.__module__.startswith("crmsdk.")}
    assert ours - {Condition, Predicate, RunPredicate} == listed


def test_values_of_one_kind_are_told_apart_inside_lists_too() -> None:
    assert exact((1, True)) != exact((True, 1))
    assert exact({"a": (1,)}) == exact({"a": (1.0,)})
    assert hash(exact({"a": {"b": 1}}))
    assert not compare(Op.EQ, {"a": 1}, {"a": True})
    assert attrs.evolve(PropTest("x", Op.EQ, 1), operand=True) != PropTest("x", Op.EQ, 1)


def test_a_dotted_name_reads_into_mappings_unless_a_property_has_that_very_name() -> None:
    assert value_at({"a": {"b": {"c": 1}}}, "a.b.c") == 1
    assert value_at({"a": {"b.c": 2}}, "a.b.c") == 2
    assert value_at({"a.b": 3, "a": {"b": 4}}, "a.b") == 3
    assert value_at({"a": 1}, "a.b") is None
    assert PropTest("a.b", Op.EXISTS).holds({"a": {"b": 0}})
    assert not (~prop("a.b").exists()).holds({"a": {"b": 0}})


def test_moments_are_kept_in_utc() -> None:
    assert attr("x").before(NOW).timing.end.tzinfo is UTC  # type: ignore[attr-defined]  # an AttrTime


@pytest.mark.parametrize("sign", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_a_moment_is_asked_by_its_own_words(sign: str) -> None:
    compare = getattr(operator, sign)
    for span in (td(days=60), NOW, None):
        with pytest.raises(DefinitionError, match=r"ask \.more_than_ago\(span\), \.within_last\(span\)"):
            compare(did("a").last_at(), span)
    with pytest.raises(DefinitionError, match="not compared with timedelta"):
        compare(td(days=60), did("a").last_at())
