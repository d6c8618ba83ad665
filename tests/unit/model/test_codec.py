"""The codec of definitions: exact round trip, one text, errors that say where, a schema that agrees."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, StrEnum
from functools import partial
from typing import Annotated, Any, Literal, NewType, TypeAlias
from unicodedata import normalize

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from crmsdk.errors import DefinitionError, InputError, UnknownVersion
from crmsdk.model.codec import content_hash, decode, definition, dumps, encode, loads, schema
from crmsdk.model.money import Money
from crmsdk.model.values import EMPTY, Properties, Value

Name = NewType("Name", str)


class Mode(StrEnum):
    FIRST = "first"
    LAST = "last"


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Condition:
    """What a branch asks."""


@definition("test.did")
@attrs.frozen
class Did(Condition):
    """Somebody did something."""

    event: Name
    within: timedelta | None = None
    count: int = 1


@definition("test.attr")
@attrs.frozen
class Attr(Condition):
    """An attribute is so."""

    name: str
    value: Value = None


@definition("test.all")
@attrs.frozen
class All(Condition):
    """Everything holds."""

    of: "tuple[Condition, ...]" = ()


Step: TypeAlias = "Send | Branch"


@definition("test.send")
@attrs.frozen(kw_only=True)
class Send:
    """Send a message."""

    template: Annotated[str, "a name"]
    via: tuple[str, ...] = ("email",)
    after: "timedelta | time | date | datetime | str | None" = None
    late: Literal["send", "skip", 3] = "send"
    mode: Mode = Mode.LAST
    size: Size = Size.SMALL
    weight: float = 1.0
    limit: int | float = 0
    days: frozenset[int] = frozenset(range(7))
    hours: tuple[time, time] | None = None
    price: Money | None = None
    by: Mapping[Mode, float] = EMPTY  # type: ignore[assignment]  # an empty mapping fits every key
    extra: Properties = EMPTY
    expected: Value | Did = None

    def __attrs_post_init__(self) -> None:
        if not self.template:
            raise DefinitionError("is empty", path="template")
        if self.weight < 0:
            raise InputError("is negative", field="weight")
        if self.limit == 666:
            raise ValueError("an error of another tree")


@definition("test.branch")
@attrs.frozen
class Branch:
    """Choose."""

    when: Condition
    then: tuple[Step, ...] = ()
    _otherwise: tuple[Step, ...] = attrs.field(default=(), alias="otherwise")
    computed: int = attrs.field(init=False, default=7)


@definition("test.handy")
@attrs.frozen(init=False)
class Handy:
    """Made from positional steps, as builders are."""

    name: str
    steps: tuple[Step, ...] = ()
    note: str = ""

    def __init__(self, name: str, *steps: Step, note: str = "") -> None:
        self.__attrs_init__(name=name, steps=steps, note=note)

    def __attrs_post_init__(self) -> None:
        if not self.name:
            raise DefinitionError("is empty", path="name")


@definition("test.handier")
@attrs.frozen
class Handier(Handy):
    """Below a class with its own __init__, itself a plain one."""

    more: int = 0


def _tuple(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(items)


@definition("test.converted")
@attrs.frozen
class Converted:
    items: tuple[str, ...] = attrs.field(default=["a"], converter=_tuple)
    twice: int = attrs.Factory(lambda self: len(self.items) * 2, takes_self=True)


def _normal(data: Any) -> Any:
    """Bring JSON data of a JSON library into the form another library would give."""
    return json.loads(json.dumps(data))


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
moments = st.datetimes(timezones=st.just(UTC))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    text.map(partial(normalize, "NFC")),  # as every value is
    moments,
    st.dates(),
    st.builds(Money, st.integers(-(2**63), 2**63), st.sampled_from(["RUB", "EUR"])),
)
keys = st.sampled_from(["is", "of", "a", "é"])
values: st.SearchStrategy[Value] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3).map(tuple), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=5,
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(
        st.builds(Did, text, st.none() | st.timedeltas(), st.integers()), st.builds(Attr, text, values)
    ),
    lambda inner: st.builds(All, st.lists(inner, max_size=3).map(tuple)),
    max_leaves=5,
)
sends = st.builds(
    Send,
    template=text.filter(bool),
    via=st.lists(text, max_size=2).map(tuple),
    after=st.one_of(st.none(), st.timedeltas(), st.times(), st.dates(), moments, text),
    late=st.sampled_from(["send", "skip", 3]),
    mode=st.sampled_from(Mode),
    size=st.sampled_from(Size),
    weight=st.floats(0, allow_infinity=False),
    limit=st.one_of(st.integers(0, 100), st.floats(0, 10)),
    days=st.frozensets(st.integers(0, 20)),
    hours=st.none() | st.tuples(st.times(), st.times()),
    price=st.none() | st.builds(Money, st.integers(), st.just("RUB")),
    by=st.dictionaries(st.sampled_from(Mode), st.floats(0, 1)),
    extra=st.dictionaries(keys, values, max_size=2),
    expected=values | st.builds(Did, text),
)
steps: st.SearchStrategy[Any] = st.recursive(
    sends,
    lambda inner: st.builds(
        Branch, conditions, st.lists(inner, max_size=2).map(tuple), st.lists(inner, max_size=2).map(tuple)
    ),
    max_leaves=4,
)


def _same_kinds(one: Any, other: Any) -> bool:
    """Equal, and no boolean became a number; a whole float may come back as an integer."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same_kinds, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same_kinds(one[key], other[key]) for key in one)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


@given(steps)
def test_what_was_written_is_read_back_equal(step: Any) -> None:
    again = decode(_normal(encode(step)), type(step))
    assert again == step
    assert loads(dumps(step), type(step)) == step


@given(steps)
def test_a_text_is_its_own_canonical_text(step: Any) -> None:
    text = dumps(step)
    assert dumps(loads(text, type(step))) == text
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text
    assert content_hash(step) == hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@given(values)
def test_a_value_keeps_its_kind(value: Value) -> None:
    normal = Attr("a", value)
    again = decode(_normal(encode(normal)), Attr)
    assert _same_kinds(again.value, Attr("a", again.value).value)
    assert decode(_normal(encode(again)), Attr) == again
    if not isinstance(value, str | dict | tuple):
        assert _same_kinds(again.value, value)


@given(steps)
def test_the_schema_takes_what_is_written(step: Any) -> None:
    Draft202012Validator(_SCHEMA).validate(json.loads(dumps(step)))


_SCHEMA: Any = schema(Send | Branch)


def test_the_schema_is_a_schema_and_closed() -> None:
    Draft202012Validator.check_schema(_SCHEMA)
    tags = {"test.did", "test.attr", "test.all", "test.send", "test.branch"}
    assert set(_SCHEMA["$defs"]) == {*tags, "value"}
    for tag in tags:
        assert _SCHEMA["$defs"][tag]["additionalProperties"] is False
    one: Any = schema(Did)
    assert one["required"] == ["crmsdk", "is", "event"]
    assert one["description"] == "Somebody did something."
    assert one["properties"]["count"] == {"type": "integer", "default": 1}
    abstract: Any = schema(Condition)
    assert len(abstract["anyOf"]) == 3


@pytest.mark.parametrize(
    "text",
    [
        '{"crmsdk":1,"is":"test.did"}',
        '{"crmsdk":2,"is":"test.did","event":"a"}',
        '{"is":"test.did","event":"a"}',
        '{"crmsdk":1,"is":"test.did","event":"a","when":1}',
        '{"crmsdk":1,"is":"test.did","event":1}',
        '{"crmsdk":1,"is":"test.did","event":"a","within":"P1M"}',
        '{"crmsdk":1,"is":"test.attr","name":"a","value":{"is":"elephant"}}',
        '{"crmsdk":1,"is":"test.attr","name":"a","value":{"is":"money","minor":1.5,"currency":"RUB"}}',
        '{"crmsdk":1,"is":"test.attr","name":"a","value":{"is":"mapping"}}',
        '{"crmsdk":1,"is":"test.all","of":{}}',
        '{"crmsdk":1,"is":"test.all","of":[{"is":"test.send","template":"x"}]}',
        '{"crmsdk":1,"is":"test.send","template":"x","hours":["21:00"]}',
        '{"crmsdk":1,"is":"test.send","template":"x","mode":"middle"}',
        '{"crmsdk":1,"is":"test.send","template":"x","days":[1,1]}',
        '{"crmsdk":1,"is":"test.send","template":"x","by":{"middle":1}}',
        '{"crmsdk":1,"is":"test.send","template":"x","after":{"is":"span","of":"1d"}}',
    ],
)
def test_schema_and_reader_refuse_the_same(text: str) -> None:
    with pytest.raises(DefinitionError):
        loads(text, Send if "send" in text[:30] else Condition)
    assert not Draft202012Validator(schema(Send if "send" in text[:30] else Condition)).is_valid(
        json.loads(text)
    )


def test_the_form_of_a_text_is_fixed() -> None:
    step = Branch(
        Did(Name("buy"), timedelta(days=1, hours=2)),
        (
            Send(
                template="t",
                after=timedelta(minutes=5),
                hours=(time(21), time(8, 30, 1)),
                days=frozenset({10, 9}),
                price=Money(9000, "RUB"),
                extra={"since": datetime(2026, 3, 29, 6, tzinfo=UTC), "born": date(2000, 2, 29)},
                by={Mode.LAST: 0.5},
            ),
        ),
    )
    assert dumps(step) == (
        '{"crmsdk":1,"is":"test.branch","then":[{"after":{"is":"span","of":"PT5M"},"by":{"last":0.5},"days":[9,10],'
        '"extra":{"born":{"is":"date","of":"2000-02-29"},"since":{"is":"moment","of":"2026-03-29T06:00:00Z"}},'
        '"hours":["21:00","08:30:01"],"is":"test.send","price":{"currency":"RUB","is":"money","minor":9000},'
        '"template":"t"}],"when":{"event":"buy","is":"test.did","within":"P1DT2H"}}'
    )


def test_equal_definitions_have_equal_hashes() -> None:
    assert content_hash(Send(template="t", weight=2)) == content_hash(Send(template="t", weight=2.0))
    assert content_hash(Attr("a", 1)) == content_hash(Attr("a", 1.0))
    assert content_hash(Attr("a", {"x": 1, "y": 2})) == content_hash(Attr("a", {"y": 2, "x": 1}))
    assert content_hash(Attr("a", 1)) != content_hash(Attr("a", 1.5))
    assert content_hash(Attr("a", 2**53)) != content_hash(Attr("a", 2**53 + 1))
    assert content_hash(Attr("a", True)) != content_hash(Attr("a", 1))
    assert content_hash(Attr("a", "1")) != content_hash(Attr("a", 1))


def test_defaults_are_left_out_and_filled_in() -> None:
    assert encode(Send(template="t")) == {"is": "test.send", "template": "t"}
    assert encode(Converted()) == {"is": "test.converted", "twice": 2}
    assert decode({"is": "test.converted"}, Converted) == Converted()
    assert decode(encode(Converted(["x"], 5)), Converted) == Converted(["x"], 5)


def test_a_class_with_its_own_init_is_read_by_its_fields() -> None:
    handy = Handy("x", Send(template="t"), note="n")
    assert loads(dumps(handy), Handy) == handy
    handier = Handier("x", (Send(template="t"),), more=3)
    assert loads(dumps(handier), Handy) == handier
    with pytest.raises(DefinitionError, match="name: is empty"):
        decode({"is": "test.handy", "name": ""}, Handy)


@pytest.mark.parametrize(
    ("data", "path", "message"),
    [
        ({"is": "test.branch"}, "", "lacks the field 'when'"),
        ({"is": "test.branch", "when": 3}, "when", "is a number; give an object with 'is' one of 'test.all'"),
        ({"is": "test.branch", "when": {"event": "x"}}, "when", "has no 'is'"),
        ({"is": "test.branch", "when": {"is": "test.didd"}}, "when", "did you mean 'test.did'?"),
        ({"is": "test.branch", "when": {"is": "test.send"}}, "when", "'test.send', which cannot stand here"),
        ({"is": "test.branch", "when": {"is": ["x"]}}, "when.is", "is a list"),
        (
            {"is": "test.branch", "when": {"is": "test.did", "event": "x"}, "the": []},
            "",
            "did you mean 'then'?",
        ),
        ({"is": "test.branch", 3: 4}, "", "has no field '3'"),
        (
            {
                "is": "test.branch",
                "when": {"is": "test.all"},
                "then": [
                    {"is": "test.send", "template": "a"},
                    {
                        "is": "test.branch",
                        "when": {"is": "test.all"},
                        "otherwise": [{"is": "test.send", "template": "b", "via": ["x", 4]}],
                    },
                ],
            },
            "then[1].otherwise[0].via[1]",
            "is a number; give text",
        ),
        (
            {"is": "test.branch", "when": {"is": "test.all"}, "then": [{"is": "test.send", "template": ""}]},
            "then[0].template",
            "is empty",
        ),
        (
            {
                "is": "test.branch",
                "when": {"is": "test.all"},
                "then": [{"is": "test.send", "template": "x", "weight": -1}],
            },
            "then[0].weight",
            "is negative",
        ),
        (
            {
                "is": "test.branch",
                "when": {"is": "test.all"},
                "then": [{"is": "test.send", "template": "x", "limit": 666}],
            },
            "then[0]",
            "'test.send' refuses its fields",
        ),
        (
            {
                "is": "test.branch",
                "when": {"is": "test.attr", "name": "a", "value": {"x": [{"is": "date", "of": "y"}]}},
            },
            "when.value.x[0]",
            "is not a date",
        ),
        (
            {
                "is": "test.branch",
                "when": {"is": "test.attr", "name": "a", "value": {"is": "moment", "of": "2020-01-01"}},
            },
            "when.value",
            "is text without an offset",
        ),
    ],
)
def test_an_error_says_where_and_what_is_wanted(data: Any, path: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        decode(data, Branch)
    assert caught.value.path == path
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: " if path else "")
    with pytest.raises(DefinitionError) as below:
        decode(data, Branch, "steps[2]")
    assert below.value.path == (f"steps[2].{path}" if path else "steps[2]")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Did(3), "event"),  # type: ignore[arg-type]  # the point of the test
        (Did(Name("x"), count=True), "count"),
        (Did(Name("x"), within="P1D"), "within"),  # type: ignore[arg-type]  # the point of the test
        (All((Did(Name("x")), Send(template="x"))), "of[1]"),  # type: ignore[arg-type]  # the point of the test
        (All([]), "of"),  # type: ignore[arg-type]  # the point of the test
        (Send(template="x", mode="first"), "mode"),  # type: ignore[arg-type]  # the point of the test
        (Send(template="x", late=True), "late"),  # type: ignore[arg-type]  # the point of the test
        (Send(template="x", weight=float("inf")), "weight"),
        (Send(template="x", hours=(time(1),)), "hours"),  # type: ignore[arg-type]  # the point of the test
        (Send(template="x", hours=(time(1), time(1, tzinfo=UTC))), "hours[1]"),
        (Send(template="\ud800"), "template"),
        (Attr("x", {"a": (object(),)}), "value.a[0]"),  # type: ignore[dict-item]  # the point of the test
        (Attr("x", datetime(2020, 1, 1)), "value"),  # noqa: DTZ001 - naive on purpose
        (Attr("x", "\udc00"), "value"),
    ],
)
def test_what_cannot_be_read_back_is_not_written(value: Any, path: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        dumps(value)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", DefinitionError, "is not JSON (line 1, column 1)"),
        ("[]", DefinitionError, "no format version"),
        ('{"crmsdk":true,"is":"test.all"}', UnknownVersion, "this release reads 1"),
        ('{"crmsdk":2,"is":"test.all"}', UnknownVersion, "version 2"),
        ('{"crmsdk":1,"is":"test.all","is":"test.all"}', DefinitionError, "key 'is' twice"),
        ('{"crmsdk":1,"is":"test.attr","name":"a","value":NaN}', DefinitionError, "holds NaN"),
        ('{"crmsdk":1,"is":"test.attr","name":"a","value":1e999}', DefinitionError, "value: is infinite"),
        ('{"crmsdk":1,"is":"test.attr","name":"\\ud800"}', DefinitionError, "surrogate"),
        (
            '{"crmsdk":1,"is":"test.attr","name":"a","value":' + "9" * 5000 + "}",
            DefinitionError,
            "is not JSON",
        ),
        ("[" * 100_000, DefinitionError, "nested deeper"),
        (
            '{"crmsdk":1,"is":"test.all","of":' + '[{"is":"test.all","of":' * 300,
            DefinitionError,
            "is not JSON",
        ),
        (
            '{"crmsdk":1,"is":"test.all","of":' + '[{"is":"test.all","of":' * 60 + "[]" + "}]" * 60 + "}",
            DefinitionError,
            "nested deeper than 100 levels",
        ),
        (
            '{"crmsdk":1,"is":"test.attr","name":"a","value":' + "[" * 300 + "]" * 300 + "}",
            DefinitionError,
            "nested deeper than eight",
        ),
    ],
    ids=range(13),
)
def test_hostile_text_is_refused(text: str, error: type[DefinitionError], message: str) -> None:
    with pytest.raises(error) as caught:
        loads(text, Condition)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_depth_is_the_same_for_writing_and_reading() -> None:
    deep = All()
    for _ in range(49):
        deep = All((deep,))
    assert loads(dumps(deep), All) == deep
    with pytest.raises(DefinitionError, match="nested deeper"):
        dumps(All((deep,)))


def test_a_tag_belongs_to_one_class() -> None:
    with pytest.raises(DefinitionError, match="belongs to"):
        definition("test.did")(attrs.frozen(type("Other", (), {"__annotations__": {}})))
    with pytest.raises(DefinitionError, match="already has the tag"):
        definition("test.did2")(Did)
    with pytest.raises(DefinitionError, match="malformed or reserved"):
        definition("money")(attrs.frozen(type("Other", (), {"__annotations__": {}})))
    with pytest.raises(DefinitionError, match="no attrs class"):
        definition("test.plain")(type("Plain", (), {}))


def test_a_reloaded_module_replaces_its_class() -> None:
    def declare() -> Any:
        @definition("test.reloaded")
        @attrs.frozen
        class Reloaded:
            name: str = ""

        return Reloaded

    first, second = declare(), declare()
    assert first is not second
    assert type(decode({"is": "test.reloaded"}, second)) is second
    with pytest.raises(DefinitionError, match="no registered definition"):
        encode(first())


@definition("test.lists")
@attrs.frozen
class TwoLists:
    items: tuple[int, ...] | frozenset[int] = ()


@definition("test.foreign")
@attrs.frozen
class Foreign:
    item: Size | int = 1


@definition("test.bytes")
@attrs.frozen
class Bytes:
    item: list[int] = attrs.Factory(list)


@definition("test.nowhere")
@attrs.frozen
class Nowhere:
    item: "Elsewhere | None" = None  # type: ignore[name-defined]  # noqa: F821 - the point of the test


@definition("test.keys")
@attrs.frozen
class Keys:
    item: Mapping[int, int] = EMPTY  # type: ignore[assignment]  # the point of the test


@pytest.mark.parametrize("cls", [TwoLists, Foreign, Bytes, Nowhere, Keys])
def test_an_annotation_without_one_reading_is_refused(cls: Any) -> None:
    with pytest.raises(DefinitionError, match=f"{cls.__name__}.item"):
        encode(cls())


def test_annotations_serve_as_well_as_classes() -> None:
    props: Properties = {"a": Money(1, "RUB"), "is": (1, 2)}
    assert decode(encode(props, Properties), Properties) == props
    found = decode([{"is": "test.all"}], tuple[Condition, ...])
    assert found == (All(),)
