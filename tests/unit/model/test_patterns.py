"""Patterns: the part of regular expressions that means the same everywhere, answered in linear time."""

import re
import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError
from crmsdk.model import patterns
from crmsdk.model.comparison import Op, compare
from crmsdk.model.patterns import Pattern, pattern_of

_LETTERS = "abé\n-]"


def python(pattern: str) -> str:
    """Give the same pattern to Python, whose ``$`` also means the place before a last line break."""
    out, classed, escaped = "", False, False
    for char in pattern:
        out += r"\Z" if char == "$" and not classed and not escaped else char
        classed = (classed or char == "[") and not (char == "]" and not escaped) if not escaped else classed
        escaped = char == "\\" and not escaped
    return out


def _escaped(char: str) -> str:
    return {"\n": "\\n"}.get(char, f"\\{char}" if char in "-]" else char)


@st.composite
def _classes(draw: st.DrawFn) -> str:
    members = draw(
        st.lists(st.sampled_from(["a", "b", "é", "\\n", "\\-", "\\]", "a-b", "+-.", "^"]), min_size=1)
    )
    if members[0] == "^":
        members = ["a", *members]
    return f"[{draw(st.sampled_from(['', '^']))}{''.join(members)}{draw(st.sampled_from(['', '-']))}]"


def _pattern_texts() -> st.SearchStrategy[str]:
    atoms = st.one_of(
        st.sampled_from(_LETTERS).map(_escaped),
        st.just("."),
        _classes(),
    )
    anchors = st.sampled_from(["^", "$"])

    def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        repeated = st.builds(
            lambda part, times: f"(?:{part}){times}",
            parts.filter(lambda part: part not in {"^", "$"}),
            st.sampled_from(["*", "+", "?", "{1}", "{2}", "{0,1}", "{1,}", "{1,3}"]),
        )
        return st.one_of(
            repeated,
            st.builds(lambda one, two: f"({one}|{two})", parts, parts),
            st.builds(lambda one, two: f"{one}{two}", parts, parts),
            st.builds(lambda one, two: f"{one}|{two}", parts, parts),
        )

    drawn = st.recursive(st.one_of(atoms, atoms, atoms, anchors), joined, max_leaves=8)
    return drawn.filter(lambda text: len(text) <= 500 and text.count("3}") + text.count("2}") <= 3)


@given(_pattern_texts(), st.lists(st.text(_LETTERS, max_size=8), min_size=1, max_size=5))
def test_a_pattern_is_found_where_python_finds_it(text: str, several: list[str]) -> None:
    mine, theirs = Pattern(text), re.compile(python(text), re.DOTALL)
    for each in several:
        assert mine.found_in(each) == (theirs.search(each) is not None)


@given(_pattern_texts(), st.text(_LETTERS, max_size=8))
def test_what_is_kept_of_earlier_texts_changes_no_answer(text: str, one: str) -> None:
    kept, fresh = pattern_of(text), Pattern(text)
    assert kept.found_in(one) == fresh.found_in(one) == kept.found_in(one)


@given(_pattern_texts(), st.lists(st.text(_LETTERS, max_size=8), min_size=1, max_size=5))
def test_forgetting_states_changes_no_answer(text: str, several: list[str]) -> None:
    usual, forgetful = Pattern(text), Pattern(text)
    with pytest.MonkeyPatch.context() as patch:
        for each in several:
            wanted = usual.found_in(each)
            patch.setattr(patterns, "_STATES", 1)
            patch.setattr(patterns, "_CHARACTERS", 1)
            assert forgetful.found_in(each) == wanted
            patch.undo()


def test_short_patterns_are_found_in_all_short_texts_as_python_finds_them() -> None:
    texts = ["".join(each) for length in range(5) for each in product("ab\n", repeat=length)]
    parts = ["a", "b", ".", "^", "$", "(a|b)", "a*", "b+", "(?:ab)?", "[^a]", "a{2}", "(^|b)", "(a|$)"]
    for text in ["".join(each) for length in (1, 2, 3) for each in product(parts, repeat=length)]:
        mine, theirs = Pattern(text), re.compile(python(text), re.DOTALL)
        for each in texts:
            assert mine.found_in(each) == (theirs.search(each) is not None), (text, each)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("^abc$", "abc", True),
        ("^abc$", "abc\n", False),  # to Python and Java the end is also before a last line break
        ("a.c", "a\nc", True),
        ("^.$", "\N{GRINNING FACE}", True),  # a character is a code point
        ("^[а-яё]+$", "ёжик", True),  # ё lies outside of а-я
        ("^[а-я]+$", "ёжик", False),
        ("é", "café", True),
        (r"1\+1", "1+1=2", True),
        (r"[.+*]", "*", True),
        (r"[\]\\\-a]", "\\", True),
        ("[a-]", "-", True),
        ("[-a]", "-", True),
        ("[a^]", "^", True),
        ("^$", "", True),
        ("^$", "a", False),
        ("$^", "", True),
        ("a|b|cd", "xcd", True),
        ("^(?:a|bc){2,3}$", "abcbc", True),
        ("^a{2,}$", "a", False),
        ("^a{2,}$", "aaaa", True),
        ("^a{255}$", "a" * 255, True),
        ("x?", "", True),
    ],
)
def test_patterns_by_example(pattern: str, text: str, found: bool) -> None:
    assert pattern_of(pattern).found_in(text) is found
    assert compare(Op.MATCHES, text, pattern) is found


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("", "empty pattern"),
        ("a" * 501, "over 500 characters"),
        ("(?:a{250}){3}", "over 500 characters once its repetitions are written out"),
        ("a{256}", "more than 255 repetitions"),
        ("a{99999999999}", "more than 255 repetitions"),
        ("a{3,2}", "smaller number first"),
        ("a{0}", "bounds that repeat nothing"),
        ("a{,2}", "begins no"),
        ("a{x", r"at character 2 it has a '\{'"),
        ("}", "a bare '}'"),
        ("]", "a bare ']'"),
        ("*a", "nothing before it to repeat"),
        ("(*a)", "nothing before it to repeat"),
        ("a|", "nothing to choose"),
        ("()", "nothing to choose"),
        ("a**", "second quantifier"),
        ("a+?", "second quantifier"),
        ("a++", "second quantifier"),
        ("a{2}{3}", "second quantifier"),
        ("^*", "repeated anchor"),
        ("(a", "never closed"),
        ("a)", "closes nothing"),
        ("[a", "never closed"),
        ("[]", "empty class"),
        ("[^]", "empty class"),
        ("[b-a]", "runs backwards"),
        ("[a[b]", r"a bare '\[' in a class"),
        ("[a&&b]", "a bare '&' in a class"),
        ("[a-b-c]", "'-' in the middle"),
        ("[+--]", "'-' in the middle"),
        (r"\d", "beyond ASCII"),
        (r"[\w]", "beyond ASCII"),
        (r"\pL", "beyond ASCII"),
        (r"\b", "engines read differently"),
        (r"\Z", "engines read differently"),
        (r"(a)\1", "more than linear time"),
        (r"\x41", "backslash before no punctuation"),
        (r"\_", "backslash before no punctuation"),
        ("a\\", "backslash before no punctuation"),
        ("(?i)a", "sets flags"),
        ("(?=a)", "looks around"),
        ("(?P<x>a)", "has a name"),
        ("(?#a)", "engines do not share"),
        ("a\0", "NUL"),
        ("(" * 22 + "a" + ")" * 22, "nested deeper"),
    ],
)
def test_what_engines_read_differently_is_refused_with_its_place_and_mend(pattern: str, why: str) -> None:
    with pytest.raises(DefinitionError, match=why):
        pattern_of(pattern)


def test_every_engine_is_given_what_it_reads_the_same() -> None:
    asked = pattern_of(r"^a\$[$](b|$)")
    assert asked.written_for("re2") == r"(?s)^a\$[$](b|$)"
    assert asked.written_for("postgresql") == r"^a\$[$](b|$)"
    assert asked.written_for("java") == r"(?s)^a\$[$](b|\z)"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+b", "a" * 10_000),
        ("^(a|a)*$", "a" * 10_000 + "b"),
        ("(x+x+)+y", "x" * 10_000),
        ("(?:(?:a*)*b)*c$", "a" * 10_000),
        ("[ab]*a[ab]{200}$", "ab" * 5_000),
    ],
)
def test_no_pattern_takes_more_than_linear_time(pattern: str, text: str) -> None:
    asked = Pattern(pattern)
    begin = time.process_time()
    assert asked.found_in(text) in {True, False}
    assert time.process_time() - begin < 0.25  # some milliseconds; going back would take for ever


def test_the_repr_hides_the_pattern() -> None:
    assert "secret" not in repr(pattern_of("secret"))
