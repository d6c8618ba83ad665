"""Spans as ISO 8601 text."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crmsdk.errors import InputError
from crmsdk.model.span import parse_span, span_text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(days=14), "P14D"),
        (timedelta(days=1, hours=2), "P1DT2H"),
        (timedelta(minutes=90), "PT1H30M"),
        (timedelta(microseconds=1), "PT0.000001S"),
        (timedelta(days=1, seconds=1, milliseconds=500), "P1DT1.5S"),
        (-timedelta(minutes=30), "-PT30M"),
        (-timedelta(days=1, microseconds=1), "-P1DT0.000001S"),
        (timedelta.max, "P999999999DT23H59M59.999999S"),
        (timedelta.min, "-P999999999D"),
    ],
)
def test_a_span_has_one_text(span: timedelta, text: str) -> None:
    assert span_text(span) == text
    assert parse_span(text, "x") == span


@given(st.timedeltas())
@example(timedelta.min)
def test_every_span_is_read_back_exactly(span: timedelta) -> None:
    assert parse_span(span_text(span), "x") == span


@given(st.timedeltas(), st.timedeltas())
def test_different_spans_have_different_texts(one: timedelta, other: timedelta) -> None:
    assert (span_text(one) == span_text(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "span"),
    [("P2W", timedelta(weeks=2)), ("+PT1,5S", timedelta(seconds=1.5)), ("PT36H", timedelta(hours=36))],
)
def test_other_ways_of_writing_are_read(text: str, span: timedelta) -> None:
    assert parse_span(text, "x") == span


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1", "1D", "P1M", "P1Y", "P1DT", "P1.5D", "PT1.5H", "P1D ", "P-1D", "P١D", "P1HT2D"],
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a span"):
        parse_span(text, "wait")


@pytest.mark.parametrize("text", ["P1000000000D", "P" + "9" * 5000 + "D", "PT99999999999999H"])
def test_too_long_a_span_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="longer than a span") as caught:
        parse_span(text, "wait")
    assert caught.value.field == "wait"
