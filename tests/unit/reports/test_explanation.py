"""Explanations: a tree of words for a terminal and for a notebook."""

from collections.abc import Iterator
from datetime import timedelta as td
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from crmsdk.errors import DefinitionError
from crmsdk.model.facts import Facts
from crmsdk.reports.explanation import explanation
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.explain import lines
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.words import attr, did
from crmsdk.testing.draws import NOW as DRAWN
from crmsdk.testing.draws import histories, predicates
from tests.unit.segments.people import NOW, ann, happened, wrote

ASKED = (attr("city") == "<Moscow>") & ~(did("visit").within(td(days=7)) | did("call"))
FACTS = ann([happened("visit", td(days=1), "v&1")], [wrote("city", "<b>Tver</b>")])


def test_a_notebook_shows_the_tree_escaped() -> None:
    page = explanation(evaluate(ASKED, FACTS, NOW))._repr_html_()
    assert "<b>Tver" not in page
    (tree,) = ET.fromstring(page).findall("ul")  # noqa: S314 - our own page
    until = "until 2026-04-04 01:00:00 UTC"
    assert [
        (item.findtext("b"), item.get("class") == "holds", item[0].tail, item.findtext("small"))
        for item in tree.iter("li")
    ] == [
        ("no", False, "all of", None),
        ("no", False, "city is '<Moscow>' ", "found '<b>Tver</b>'"),
        ("no", False, "not ", until),
        ("yes", True, "any of ", until),
        ("yes", True, "did visit in the last 7 days ", f"found 1; events v&1; {until}"),
        ("no", False, "did call ", "found 0"),
    ]


def test_what_was_found_is_shown_only_on_purpose() -> None:
    found = explanation(evaluate(ASKED, FACTS, NOW))
    assert "Tver" in str(found)
    assert "Tver" not in repr(found)
    assert all("Tver" not in repr(line) for line in found.lines)


def test_another_language_is_refused() -> None:
    with pytest.raises(DefinitionError, match="language"):
        explanation(evaluate(ASKED, FACTS, NOW), "fr")  # type: ignore[arg-type]  # the fault


@given(predicates(), histories())
def test_every_part_is_one_item_at_its_depth(condition: Predicate, facts: Facts) -> None:
    verdict = evaluate(condition, facts, DRAWN)
    shown = explanation(verdict, "ru")

    def depths(items: ET.Element, depth: int) -> Iterator[int]:
        for item in items.findall("li"):
            yield depth
            for inner in item.findall("ul"):
                yield from depths(inner, depth + 1)

    tree = ET.fromstring(shown.to_html())  # noqa: S314 - our own page
    assert list(depths(tree.findall("ul")[0], 0)) == [line.depth for line in lines(verdict)]
    assert str(shown).count("\n") + 1 == len(shown.lines)
