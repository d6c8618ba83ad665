"""The page: whole, quiet on the network, safe against its own data."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError
from crmsdk.reports._page_style import SCRIPT
from crmsdk.reports.charts import Bar, draw_ranking
from crmsdk.reports.graph import Link, Step, draw_graph
from crmsdk.reports.labels import ENGLISH, find_label
from crmsdk.reports.page import Cards, Entry, Figure, Section, Table, Text, Timeline, build_page
from tests.unit.reports.reading import HOSTILE

VOID = {"meta", "path", "rect", "circle"}


class Reader(HTMLParser):
    """Read a page strictly: every element is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


def read(page: str) -> Reader:
    """Read a page to its end."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


def whole(text: str = "x") -> str:
    """Build a page with every kind of block, one text everywhere."""
    graph = draw_graph([Step(text, "send", text)], [], prefix="graph", title=text)
    blocks = (
        Text(text),
        Cards(((text, text),)),
        Figure(graph, text, facts={text: [(text, text)]}),
        Figure(draw_ranking([Bar(text, 1)], prefix="rank", title=text)),
        Table((text, "n"), ((text, "1"),), caption=text, numeric={1}),
        Timeline((Entry(text, text, text, tone="held"),)),
    )
    return build_page(text, [Section(text, blocks), Section("b", ())], subtitle=text)


def island(page: str) -> dict[str, dict[str, list[list[str]]]]:
    """Read the facts back."""
    found = re.search(r'<script type="application/json" id="facts">(.*?)</script>', page)
    assert found
    parsed: dict[str, dict[str, list[list[str]]]] = json.loads(found[1])
    return parsed


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_add_no_element(text: str) -> None:
    usual = [tag for tag, _ in read(whole()).tags]
    hostile = [tag for tag, _ in read(whole(text)).tags]
    extra = {"text", "p", "figcaption", "caption"}  # lines of wrapped or empty words come and go
    assert [tag for tag in hostile if tag not in extra] == [tag for tag in usual if tag not in extra]


@given(st.text(), st.text())
def test_facts_come_back_whole_and_cannot_end_their_script(name: str, value: str) -> None:
    figure = Figure(
        draw_graph([Step("a", "send", "a")], [], prefix="g", title="t"), facts={"a": [(name, value)]}
    )
    page = build_page("t", [Section("s", (figure,))])
    assert island(page) == {"1-0": {"a": [[name, value]]}}
    assert page.count("</script") == 2
    assert "<!--" not in page


def test_facts_are_found_by_figure_and_step() -> None:
    reader = read(whole("step 1"))
    (key,) = [
        attributes["data-facts"]
        for tag, attributes in reader.tags
        if tag == "figure" and "data-facts" in attributes
    ]
    (step,) = [attributes["data-step"] for tag, attributes in reader.tags if "data-step" in attributes]
    assert key
    assert step
    assert island(whole("step 1"))[key][step] == [["step 1", "step 1"]]


def test_the_page_asks_the_network_for_nothing() -> None:
    reader = read(whole())
    for tag, attributes in reader.tags:
        assert tag not in {"link", "img", "iframe", "object", "image", "use"}
        assert not {"src", "srcset", "action", "xlink:href"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
    style = " ".join(reader.texts["style"])
    assert "@import" not in style
    assert "url(" not in style


def test_the_policy_allows_the_one_script_and_no_other() -> None:
    page = whole()
    digest = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    (policy,) = [
        a["content"] for tag, a in read(page).tags if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert page.count(f"<script>{SCRIPT}</script>") == 1


def test_the_script_is_short_and_writes_no_markup() -> None:
    assert len(SCRIPT.strip().splitlines()) <= 15
    assert "innerHTML" not in SCRIPT
    assert "fetch" not in SCRIPT


def test_without_facts_there_is_no_script() -> None:
    assert "<script" not in build_page("t", [Section("s", (Text("x"),))])


def test_sections_are_linked() -> None:
    reader = read(whole())
    links = [attributes["href"] for tag, attributes in reader.tags if tag == "a"]
    ids = [f"#{attributes['id']}" for tag, attributes in reader.tags if tag == "section"]
    assert links == ids == ["#part-1", "#part-2"]


def test_ids_are_unique() -> None:
    ids = [attributes["id"] for _, attributes in read(whole()).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_two_pictures_with_one_prefix_are_refused() -> None:
    figure = Figure(draw_ranking([], prefix="same", title="t"))
    with pytest.raises(DefinitionError, match="'same'"):
        build_page("t", [Section("a", (figure,)), Section("b", (figure,))])


def test_only_a_picture_too_tall_for_one_sheet_may_be_cut() -> None:
    row = [Step(f"s{n}", "send", "x") for n in range(40)]
    links = [Link(one.id, two.id, label="next") for one, two in pairwise(row)]
    small, tall = (draw_graph(row[:n], links[: n - 1], prefix=f"g{n}", title="t") for n in (3, 40))
    reader = read(build_page("t", [Section("s", (Figure(small), Figure(tall)))]))
    assert [attributes.get("class") for tag, attributes in reader.tags if tag == "figure"] == [None, "tall"]


def test_numbers_stand_at_the_right() -> None:
    reader = read(whole())
    cells = [attributes.get("class") for tag, attributes in reader.tags if tag in {"th", "td"}]
    assert cells == [None, "number", None, "number"]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(DefinitionError, match="row 2: 1 cells for 2 columns"):
        Table(("a", "b"), (("1", "2"), ("3",)))


def test_an_unknown_tone_is_refused() -> None:
    with pytest.raises(DefinitionError, match="tone 'loud' is unknown"):
        Entry("now", "x", tone="loud")  # type: ignore[arg-type] # what a caller without a type checker may write


def test_words_of_the_page_follow_the_labels() -> None:
    figure = Figure(
        draw_graph([Step("a", "send", "a")], [], prefix="g", title="t"), facts={"a": [("n", "v")]}
    )
    labels = {"lang": "ru", "choose_step": "Выберите шаг", "contents": "Содержание"}
    page = build_page("t", [Section("a", (figure,)), Section("b", ())], labels=labels)
    assert '<html lang="ru">' in page
    assert "Выберите шаг" in page
    assert 'aria-label="Содержание"' in page


def test_a_missing_label_is_read_in_english() -> None:
    assert find_label({}, "no_data") == "no data"
    assert find_label({"no_data": "нет"}, "no_data") == "нет"


def test_every_label_is_used_somewhere() -> None:
    assert all(isinstance(word, str) and word for word in ENGLISH.values())
    assert {f"month.{n}" for n in range(1, 13)} | {f"weekday.{n}" for n in range(1, 8)} <= ENGLISH.keys()


def test_the_same_parts_give_the_same_page() -> None:
    assert whole("Щёлково") == whole("Щёлково")
