import json
from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from crmsdk.errors import DefinitionError, UnknownVersion
from crmsdk.model.catalog import Catalog, EventSpec, PropSpec
from crmsdk.segments.grammar import Predicate
from crmsdk.segments.words import attr, did
from crmsdk.wire.documents import from_json, json_schema, to_json

CATALOG = Catalog(
    [
        EventSpec(
            "purchase", [PropSpec("amount", "money"), PropSpec("tags", "list", items="text", optional=True)]
        )
    ],
    [PropSpec("city", "text", choices=("Moscow",), sources=("crm",))],
)
SEGMENT = (attr("city") == "Moscow") & ~did("purchase").within(timedelta(days=30))


def test_what_was_written_comes_back_equal() -> None:
    assert from_json(to_json(CATALOG), Catalog) == CATALOG
    assert from_json(to_json(SEGMENT).encode(), Predicate) == SEGMENT


def test_the_schema_takes_what_is_written_and_nothing_else() -> None:
    schema = json_schema(Catalog)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    document = json.loads(to_json(CATALOG))
    assert validator.is_valid(document)
    assert not validator.is_valid({**document, "nope": 1})
    assert not validator.is_valid({**document, "crmsdk": 99})


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (to_json(CATALOG).replace('"crmsdk":1', '"crmsdk":2'), UnknownVersion, "format version 2"),
        (b"\xff", DefinitionError, "not UTF-8"),
        ("{", DefinitionError, "is not JSON"),
        ("{}", DefinitionError, "no format version"),
        (to_json(SEGMENT), DefinitionError, "catalog"),
    ],
)
def test_a_text_that_is_none_is_refused(
    text: str | bytes, error: type[DefinitionError], message: str
) -> None:
    with pytest.raises(error, match=message):
        from_json(text, Catalog)
