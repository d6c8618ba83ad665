"""Measuring and wrapping words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.reports.text import cut, text_width, wrap

words = st.text(st.sampled_from("abc WЖщ 0-é😀\u0301\u200d字"), max_size=60)


@given(words, st.floats(30, 300), st.integers(1, 4))
def test_lines_are_no_wider_than_asked_and_no_more(text: str, width: float, lines: int) -> None:
    found = wrap(text, width, lines=lines)
    assert len(found) <= lines
    # One emoji may be wider than the room: what cannot be broken stays whole.
    assert all(text_width(line) <= width or len(line.strip("\u0301\u200d…")) <= 3 for line in found)
    assert all(line.strip() for line in found)


@given(words)
def test_nothing_is_lost_when_there_is_room(text: str) -> None:
    assert "".join("".join(wrap(text, 100, lines=100)).split()) == "".join(text.split())


@given(words, st.floats(20, 200))
def test_a_cut_line_fits_or_was_never_too_long(text: str, width: float) -> None:
    short = cut(text, width)
    assert text_width(short) <= width
    assert short == text or short.endswith("…")


@given(words, words)
def test_widths_add_up(one: str, two: str) -> None:
    assert text_width(one + two) == pytest.approx(text_width(one) + text_width(two))


def test_left_over_text_is_told_by_an_ellipsis() -> None:
    assert wrap("one two three four five six", 60, lines=2)[-1].endswith("…")
    assert wrap("one two", 60, lines=2) == ("one two",)
    assert wrap("  \n ", 60) == ()


def test_a_very_long_word_is_broken() -> None:
    found = wrap("x" * 50, 100, lines=9)
    assert len(found) > 2
    assert "".join(found) == "x" * 50


def test_a_family_and_an_accent_are_never_broken() -> None:
    family = "👨\u200d👩\u200d👧"
    assert all(line in {family, family * 2} for line in wrap(family * 6, 110, lines=20))
    assert "".join(wrap("e\u0301" * 9, 20, lines=20)).count("e\u0301") == 9
    assert not any(line.startswith("\u0301") for line in wrap("e\u0301" * 9, 20, lines=20))


@pytest.mark.parametrize(
    ("text", "em"),
    # Widths of DejaVu Sans as Chromium measures them, in em.
    [
        ("Напоминание о корзине", 12.77),
        ("cart-reminder", 6.88),
        ("Wait until 09:00", 7.94),
        ("Щёлково", 4.77),
    ],
)
def test_estimates_are_near_the_widest_usual_font(text: str, em: float) -> None:
    assert text_width(text, size=1) == pytest.approx(em, rel=0.05)


def test_bold_and_size_make_words_wider() -> None:
    assert text_width("word", bold=True) > text_width("word")
    assert text_width("word", size=24) == pytest.approx(2 * text_width("word", size=12))
