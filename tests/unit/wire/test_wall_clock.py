from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whenever import PlainDateTime, RepeatedTime, SkippedTime

from crmsdk.errors import InputError, UnknownZone
from crmsdk.wire.wall_clock import WallClock

PLACES = sorted(
    {"Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Europe/Moscow", "UTC"}
    & available_timezones()
)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)), st.sampled_from(PLACES))  # noqa: DTZ001 - walls
def test_a_wall_clock_agrees_with_a_library_for_it(wall: datetime, place: str) -> None:
    check(wall.replace(fold=0), place)


@pytest.mark.parametrize(
    ("place", "day", "hour"),
    [
        ("Europe/London", (2011, 3, 27), 0),
        ("Europe/London", (2011, 10, 30), 0),
        ("Australia/Lord_Howe", (2026, 10, 4), 1),
        ("Australia/Lord_Howe", (2026, 4, 5), 0),
        ("America/New_York", (2026, 11, 1), 0),
    ],
)
def test_nights_of_the_change_agree_too(place: str, day: tuple[int, int, int], hour: int) -> None:
    for minute in range(0, 180, 7):
        check(datetime(*day, hour + minute // 60, minute % 60), place)  # noqa: DTZ001 - a wall


def check(wall: datetime, place: str) -> None:
    try:
        found = WallClock("at", place).moment(wall)
    except InputError as error:
        plain = PlainDateTime(wall)
        if "skipped" in error.problem:
            with pytest.raises(SkippedTime):
                plain.assume_tz(place, disambiguation="raise")
            after = WallClock("at", place, skipped="after").moment(wall)
            before = plain.assume_tz(place, disambiguation="earlier").to_instant().to_stdlib()
            assert before <= after <= plain.assume_tz(place, disambiguation="later").to_instant().to_stdlib()
        else:
            with pytest.raises(RepeatedTime):
                plain.assume_tz(place, disambiguation="raise")
            first = WallClock("at", place, repeated="first").moment(wall)
            last = WallClock("at", place, repeated="last").moment(wall)
            assert first == plain.assume_tz(place, disambiguation="earlier").to_instant().to_stdlib()
            assert last == plain.assume_tz(place, disambiguation="later").to_instant().to_stdlib()
    else:
        assert found == PlainDateTime(wall).assume_tz(place, disambiguation="raise").to_instant().to_stdlib()
    assert WallClock("at", place, skipped="after", repeated="first").moment(wall).tzinfo is UTC


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("", "2026-03-29T09:00"),
        ("", "2026-03-29 09:00:00"),
        ("%d.%m.%Y %H:%M", "29.03.2026 09:00"),
        ("", "2026-03-29T09:00:00+03:00"),
        ("", "2026-03-29T06:00:00Z"),
    ],
)
def test_text_is_read_as_stated_and_its_own_offset_goes_first(form: str, text: str) -> None:
    assert WallClock("at", "Europe/Moscow", format=form).moment(text) == datetime(2026, 3, 29, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("soon", "is no date and time; it should be ISO 8601"),
        (3, "is int; give a date and time"),
        (datetime(1, 1, 1), "outside the years"),  # noqa: DTZ001 - a wall
        ("2011-03-27T01:30", "is skipped by the clocks of Europe/London"),
        ("2011-10-30T01:30", "is shown twice by the clocks of Europe/London"),
    ],
)
def test_a_time_that_is_none_names_column_and_mend(value: object, message: str) -> None:
    place = "Europe/Moscow" if isinstance(value, datetime) else "Europe/London"
    with pytest.raises(InputError, match=message) as caught:
        WallClock("placed_at", place).moment(value)
    assert caught.value.field == "placed_at"


def test_the_format_is_in_the_error() -> None:
    with pytest.raises(InputError, match="it should be %d"):
        WallClock("at", "UTC", format="%d.%m.%Y").moment("2026-03-29")


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownZone):
        WallClock("at", "Mars/North")


@pytest.mark.parametrize("rule", [{"repeated": "frist"}, {"skipped": "first"}])
def test_a_misspelt_rule_is_refused(rule: dict[str, str]) -> None:
    with pytest.raises(InputError, match="is none of"):
        WallClock("at", "Europe/London", **rule)  # type: ignore[arg-type]  # what untyped code does
