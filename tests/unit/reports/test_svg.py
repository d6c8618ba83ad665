"""The SVG builder: well-formed, escaped, unique ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError
from crmsdk.reports.svg import draw, element, render, theme_rules
from tests.unit.reports.reading import parse


@given(st.text(), st.text())
def test_any_text_and_any_attribute_give_well_formed_xml(text: str, value: str) -> None:
    root = parse(render(element("g", element("text", text, data_note=value), text)))
    assert root.tag == "g"
    assert [child.tag for child in root] == ["text"]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"])))
def test_writable_text_comes_back_whole(text: str) -> None:
    node = parse(render(element("text", text, data_note=text)))
    assert (node.text or "") == text
    assert node.get("data-note") == text


def test_markup_in_text_and_attributes_stays_text() -> None:
    written = render(element("text", "<script>alert('1')</script>", aria_label='"><script>'))
    assert "<script" not in written
    assert "&lt;script&gt;" in written


def test_what_xml_cannot_write_becomes_a_sign_for_it() -> None:
    assert render(element("text", "a\x00b\ud800c\x0b")) == "<text>a\ufffdb\ufffdc\ufffd</text>"


@pytest.mark.parametrize(
    ("number", "written"),
    [(1, "1"), (1.0, "1"), (0.125, "0.12"), (-0.001, "0"), (2.5, "2.5"), (1e7, "10000000")],
)
def test_numbers_are_short(number: float, written: str) -> None:
    assert render(element("rect", x=number)) == f'<rect x="{written}"/>'


def test_none_leaves_an_attribute_out() -> None:
    assert render(element("rect", x=None, stroke_width=2, class_="a")) == '<rect stroke-width="2" class="a"/>'


@pytest.mark.parametrize("tag", ["", "a b", "1a", "a>", "a\n"])
def test_a_tag_that_is_no_name_is_refused(tag: str) -> None:
    with pytest.raises(DefinitionError, match="no plain name"):
        element(tag)


def test_an_attribute_that_is_no_name_is_refused() -> None:
    with pytest.raises(DefinitionError, match="no plain name"):
        element("rect", **{'x="1" onload': "alert(1)"})


@pytest.mark.parametrize("prefix", ["", "1", "a b", 'a"', "a{}", "ä"])
def test_a_prefix_that_is_no_name_is_refused(prefix: str) -> None:
    with pytest.raises(DefinitionError, match="prefix"):
        draw(prefix=prefix, title="x", size=(10, 10))


def test_a_picture_has_a_name_a_role_and_a_scope() -> None:
    picture = draw(element("text", "x"), prefix="p1", title="A & B", size=(10, 20), rules="@ .own{fill:red}")
    root = parse(picture)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "A & B"
    assert root.get("id") == "p1"
    assert root.get("viewBox") == "0 0 10 20"
    assert root[0].text == "A & B"
    assert "#p1 .own{fill:red}" in picture
    assert "@ " not in picture.replace("@media ", "")


def test_the_theme_has_light_dark_and_print() -> None:
    rules = theme_rules(":root")
    light, dark, paper = (
        rules.index(":root{"),
        rules.index("prefers-color-scheme:dark"),
        rules.index("@media print"),
    )
    # Later rules win: on paper the light colours must come last.
    assert light < dark < paper
    assert rules[light:dark].count("--ink:#1b2330") == rules[paper:].count("--ink:#1b2330") == 1
    assert rules[dark:paper].count("--ink:#e8ecf1") == 1


def contrast(one: str, two: str) -> float:
    """Give the contrast of two colours (WCAG 2.2, relative luminance)."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ink", ["ink", "soft"])
@pytest.mark.parametrize("ground", ["page", "paper", "panel"])
def test_words_have_enough_contrast_in_both_themes(ink: str, ground: str) -> None:
    light, dark = (
        dict(p.split(":") for p in part.split("{")[-1].split(";") if p.startswith("--"))
        for part in theme_rules(":root").split("}")[:2]
    )
    for colours in (light, dark):
        assert contrast(colours[f"--{ink}"], colours[f"--{ground}"]) >= 4.5
