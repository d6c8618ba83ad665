"""Wall-clock time: golden nights, and every rule against ``whenever`` over the zones of the database."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
import whenever
from hypothesis import assume, given
from hypothesis import strategies as st

from crmsdk.errors import InputError, NaiveMoment, UnknownZone
from crmsdk.model.zones import (
    EVERY_DAY,
    add_days,
    at_local,
    day_bounds,
    local,
    local_day,
    month_bounds,
    next_local,
    week_bounds,
    zone,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

BERLIN, NEW_YORK, TOKYO = zone("Europe/Berlin"), zone("America/New_York"), zone("Asia/Tokyo")
LORD_HOWE, APIA, CAIRO = zone("Australia/Lord_Howe"), zone("Pacific/Apia"), zone("Africa/Cairo")
AUCKLAND, NUUK, ST_JOHNS = zone("Pacific/Auckland"), zone("America/Nuuk"), zone("America/St_Johns")
CASABLANCA, GAZA = zone("Africa/Casablanca"), zone("Asia/Gaza")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- golden nights ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tz", "wall", "instant"),
    [
        (BERLIN, "2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        (BERLIN, "2026-03-29T02:00", "2026-03-29T01:00"),
        (BERLIN, "2026-03-29T02:30", "2026-03-29T01:00"),
        (BERLIN, "2026-03-29T03:00", "2026-03-29T01:00"),
        (BERLIN, "2026-03-29T09:00", "2026-03-29T07:00"),
        (BERLIN, "2026-10-25T02:30", "2026-10-25T00:30"),
        (NEW_YORK, "2026-03-08T02:30", "2026-03-08T07:00"),
        (NEW_YORK, "2026-11-01T01:30", "2026-11-01T05:30"),
        (NEW_YORK, "2026-11-01T09:00", "2026-11-01T14:00"),
        (LORD_HOWE, "2026-10-04T02:15", "2026-10-03T15:30"),
        (LORD_HOWE, "2026-04-05T01:45", "2026-04-04T14:45"),
        (APIA, "2011-12-30T09:00", "2011-12-30T10:00"),
        (CAIRO, "2024-04-26T00:00", "2024-04-25T22:00"),
        (CAIRO, "2024-04-26T00:30", "2024-04-25T22:00"),
        (CASABLANCA, "2026-02-15T02:30", "2026-02-15T01:30"),  # Ramadan: clocks went back at 03:00
        (CASABLANCA, "2026-03-22T02:30", "2026-03-22T02:00"),
        (GAZA, "2026-03-28T02:30", "2026-03-28T00:00"),
    ],
)
def test_t20_skipped_and_repeated_times_have_one_instant(tz: ZoneInfo, wall: str, instant: str) -> None:
    wanted = datetime.fromisoformat(wall)
    assert at_local(wanted.date(), wanted.time(), tz) == utc(instant)


@pytest.mark.parametrize(
    ("tz", "moment", "hours"),
    [
        (BERLIN, "2026-03-29T12:00", 23),
        (BERLIN, "2026-10-25T12:00", 25),
        (BERLIN, "2026-07-01T12:00", 24),
        (NEW_YORK, "2026-11-01T12:00", 25),
        (LORD_HOWE, "2026-10-04T12:00", 23.5),
        (LORD_HOWE, "2026-04-05T12:00", 24.5),
        (CAIRO, "2024-04-26T12:00", 23),
        (CAIRO, "2024-10-31T12:00", 25),
        (APIA, "2011-12-30T09:00", 24),
    ],
)
def test_t20_days_have_the_hours_the_clocks_give_them(tz: ZoneInfo, moment: str, hours: float) -> None:
    start, end = day_bounds(utc(moment), tz)
    assert start <= utc(moment) < end
    assert end - start == hours * HOUR


def test_t20_a_leap_day_is_a_day() -> None:
    start, end = day_bounds(utc("2028-02-29T12:00"), BERLIN)
    assert (start, end) == (utc("2028-02-28T23:00"), utc("2028-02-29T23:00"))
    assert month_bounds(start, BERLIN) == (utc("2028-01-31T23:00"), utc("2028-02-29T23:00"))
    assert add_days(utc("2028-02-28T08:00"), 1, BERLIN) == utc("2028-02-29T08:00")


def test_a_day_with_a_midnight_gap_begins_after_it() -> None:
    assert day_bounds(utc("2024-04-26T12:00"), CAIRO)[0] == utc("2024-04-25T22:00")
    assert day_bounds(utc("2024-04-25T21:59:59"), CAIRO)[1] == utc("2024-04-25T22:00")


def test_a_skipped_day_is_in_no_day() -> None:
    before, after = utc("2011-12-30T09:59:59"), utc("2011-12-30T10:00")
    assert local_day(before, APIA) == date(2011, 12, 29)
    assert local_day(after, APIA) == date(2011, 12, 31)
    assert day_bounds(before, APIA)[1] == day_bounds(after, APIA)[0] == after


def test_clocks_that_go_back_over_midnight_do_not_bring_the_day_back() -> None:
    # Until 2011 Newfoundland's clocks went from 00:01 back to 23:01 of the day before.
    first_midnight, back = utc("2006-10-29T02:30"), utc("2006-10-29T02:31")
    assert local(back, ST_JOHNS).date() == date(2006, 10, 28)
    assert local_day(back, ST_JOHNS) == date(2006, 10, 29)
    assert day_bounds(back, ST_JOHNS) == (first_midnight, utc("2006-10-30T03:30"))
    assert day_bounds(first_midnight - SECOND, ST_JOHNS)[1] == first_midnight


@pytest.mark.parametrize(
    ("after", "tz", "weekdays", "wall"),
    [
        # The peer took the weekday of UTC and gave a Tuesday, and a Saturday.
        ("2026-07-17T12:00", TOKYO, {0}, "2026-07-20T05:00"),
        ("2026-07-17T12:00", AUCKLAND, {0, 1, 2, 3, 4}, "2026-07-20T05:00"),
        ("2026-07-19T16:59:59", AUCKLAND, {0}, "2026-07-20T05:00"),
        ("2026-07-19T17:00", AUCKLAND, {0}, "2026-07-27T05:00"),
    ],
)
def test_t16_the_weekday_is_that_of_the_persons_calendar(
    after: str, tz: ZoneInfo, weekdays: set[int], wall: str
) -> None:
    found = next_local(utc(after), time(5), tz, weekdays=frozenset(weekdays))
    assert local(found, tz).isoformat()[:16] == wall


@pytest.mark.parametrize(
    ("after", "tz", "instant"),
    [
        ("2026-03-28T20:00", BERLIN, "2026-03-29T07:00"),  # not 10:00 local
        ("2026-10-31T20:00", NEW_YORK, "2026-11-01T14:00"),  # not 08:00 local
        ("2026-03-29T07:00", BERLIN, "2026-03-30T07:00"),  # strictly after
        ("2011-12-29T20:00", APIA, "2011-12-30T19:00"),  # the 31st: there is no 30th
    ],
)
def test_t16_the_offset_is_that_of_the_day_itself(after: str, tz: ZoneInfo, instant: str) -> None:
    assert next_local(utc(after), time(9), tz) == utc(instant)


def test_t16_an_unknown_zone_is_an_error() -> None:
    for name in (
        "Europe/Nowhere",
        "",
        "../etc/passwd",
        "/etc/passwd",
        "Europe",
        "EUROPE/BERLIN\0",
        "ü",
        "x" * 300,
    ):
        with pytest.raises(UnknownZone) as caught:
            zone(name, "customer.zone")
        assert caught.value.field == "customer.zone"
    for name in ("localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin"):
        with pytest.raises(UnknownZone):
            zone(name)


def test_t17_a_day_later_is_the_same_wall_time() -> None:
    assert add_days(utc("2026-03-28T08:00"), 1, BERLIN) == utc("2026-03-29T07:00")
    assert add_days(utc("2026-03-30T07:00"), -2, BERLIN) == utc("2026-03-28T08:00")
    assert add_days(utc("2026-10-31T13:00"), 1, NEW_YORK) == utc("2026-11-01T14:00")
    assert add_days(utc("2026-03-28T01:30"), 1, BERLIN) == utc("2026-03-29T01:00")
    assert add_days(utc("2011-12-29T19:00"), 1, APIA) == utc("2011-12-30T19:00")
    second_pass = utc("2026-10-25T01:30")
    assert add_days(second_pass, 0, BERLIN) == second_pass


def test_t17_a_time_just_passed_is_tomorrows() -> None:
    assert next_local(utc("2026-07-01T07:00:00.000001"), time(9), BERLIN) == utc("2026-07-02T07:00")


def test_a_repeated_time_happens_once() -> None:
    first = next_local(utc("2026-10-24T12:00"), time(2, 30), BERLIN)
    assert first == utc("2026-10-25T00:30")
    assert next_local(first, time(2, 30), BERLIN) == utc("2026-10-26T01:30")


def test_a_skipped_time_is_still_that_days() -> None:
    # In Nuuk the hour before Sunday is skipped: Saturday's 23:30 happens as Sunday begins.
    found = next_local(utc("2026-03-28T12:00"), time(23, 30), NUUK, weekdays=frozenset({5}))
    assert found == utc("2026-03-29T01:00")
    assert local(found, NUUK).isoformat() == "2026-03-29T00:00:00-01:00"


def test_a_skipped_friday_is_no_friday() -> None:
    found = next_local(utc("2011-12-28T12:00"), time(9), APIA, weekdays=frozenset({4}))
    assert local(found, APIA).isoformat() == "2012-01-06T09:00:00+14:00"


def test_weeks_begin_where_they_are_said_to() -> None:
    moment = utc("2026-07-19T22:30")  # Monday 00:30 in Berlin
    assert week_bounds(moment, BERLIN) == (utc("2026-07-19T22:00"), utc("2026-07-26T22:00"))
    assert week_bounds(moment, BERLIN, week_start=6) == (utc("2026-07-18T22:00"), utc("2026-07-25T22:00"))
    assert week_bounds(moment, zone("UTC"))[0] == utc("2026-07-13T00:00")


def test_what_cannot_be_is_named() -> None:
    now = utc("2026-07-01T00:00")
    with pytest.raises(InputError, match="weekdays"):
        next_local(now, time(9), BERLIN, weekdays=frozenset())
    with pytest.raises(InputError, match="weekdays"):
        next_local(now, time(9), BERLIN, weekdays=frozenset({7}))
    with pytest.raises(InputError, match="week_start"):
        week_bounds(now, BERLIN, week_start=7)
    with pytest.raises(InputError, match="offset"):
        at_local(now.date(), time(9, tzinfo=UTC), BERLIN)
    with pytest.raises(InputError, match="offset"):
        next_local(now, time(9, tzinfo=UTC), BERLIN)
    for naive in (local, local_day, day_bounds, week_bounds, month_bounds):
        with pytest.raises(NaiveMoment):
            naive(datetime(2026, 7, 1), BERLIN)  # noqa: DTZ001 - naive on purpose
    with pytest.raises(NaiveMoment):
        add_days(datetime(2026, 7, 1), 0, BERLIN)  # noqa: DTZ001 - naive on purpose


def test_the_ends_of_the_calendar_are_named() -> None:
    last, first = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    calls: tuple[Callable[[], object], ...] = (
        lambda: local(last, TOKYO),
        lambda: local(first, NEW_YORK),
        lambda: next_local(last, time(9), zone("UTC")),
        lambda: day_bounds(last, zone("UTC")),
        lambda: month_bounds(last, zone("UTC")),
        lambda: at_local(date.min, time(0), TOKYO),
        lambda: add_days(first, -1, zone("UTC")),
        lambda: add_days(first, 10**12, zone("UTC")),
    )
    for call in calls:
        with pytest.raises(InputError, match="years 1 to 9999"):
            call()


# --- every rule against an independent library -------------------------------------------------------------

ODD = ("Pacific/Apia", "Pacific/Kwajalein", "America/Nuuk", "America/St_Johns", "Africa/Cairo", "Asia/Gaza")
NAMES = sorted(
    name for name in available_timezones() if "/" in name and not name.startswith(("posix/", "right/"))
)
names = st.sampled_from(NAMES) | st.sampled_from(ODD)
SINCE, UNTIL = utc("1950-01-01T00:00"), utc("2100-01-01T00:00")


@cache
def _changes(name: str) -> tuple[datetime, ...]:
    """Give the moments at which a zone's clocks jump."""
    out = []
    at: whenever.ZonedDateTime | None = whenever.Instant(SINCE).to_tz(name)
    while at is not None and (at := at.next_transition()) is not None and at.to_stdlib() < UNTIL:
        out.append(at.to_stdlib().astimezone(UTC))
    return tuple(out)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """Draw a zone and a moment, mostly near a jump of its clocks."""
    name = draw(names)
    changes = _changes(name)
    if not changes or draw(st.integers(0, 3)) == 0:
        return name, draw(
            st.datetimes(SINCE.replace(tzinfo=None), UNTIL.replace(tzinfo=None), timezones=st.just(UTC))
        )
    near = draw(st.sampled_from([timedelta(0), SECOND, HOUR / 2, HOUR, DAY / 2, DAY, 3 * DAY]))
    step = draw(st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(minutes=7)]))
    return name, draw(st.sampled_from(changes)) + draw(st.sampled_from([-1, 1])) * near + step


clocks = (
    st.sampled_from([time(0), time(0, 30), time(1, 59, 59), time(2, 30), time(9), time(23, 30)]) | st.times()
)


def _oracle(day: date, clock: time, name: str) -> datetime:
    try:
        return _zoned(day, clock, name, "raise").to_stdlib().astimezone(UTC)
    except whenever.RepeatedTime:
        return _zoned(day, clock, name, "earlier").to_stdlib().astimezone(UTC)
    except whenever.SkippedTime:
        after = _zoned(day, clock, name, "earlier").next_transition()
        assert after is not None
        return after.to_stdlib().astimezone(UTC)


def _zoned(day: date, clock: time, name: str, which: whenever.DisambiguationStr) -> whenever.ZonedDateTime:
    return whenever.PlainDateTime(datetime.combine(day, clock)).assume_tz(name, disambiguation=which)


@given(moments(), clocks)
def test_t20_a_local_time_is_the_oracles_instant(place: tuple[str, datetime], clock: time) -> None:
    name, near = place
    day = local(near, zone(name)).date()
    assert at_local(day, clock, zone(name)) == _oracle(day, clock, name)


@given(moments())
def test_every_wall_time_that_exists_comes_back(place: tuple[str, datetime]) -> None:
    name, moment = place
    wall = local(moment, zone(name))
    again = at_local(wall.date(), wall.time(), zone(name))
    assert again <= moment
    assert again == moment or wall.fold == 1


@given(moments(), clocks, st.frozensets(st.sampled_from(sorted(EVERY_DAY)), min_size=1))
def test_t16_the_next_local_time_is_the_oracles(
    place: tuple[str, datetime], clock: time, weekdays: frozenset[int]
) -> None:
    name, after = place
    tz = zone(name)
    today = whenever.Instant(after).to_tz(name).date().to_stdlib()
    days = (today + offset * DAY for offset in range(-3, 20))
    existing = [day for day in days if _exists(day, name) and day.weekday() in weekdays]
    expected = min(at for at in (_oracle(day, clock, name) for day in existing) if at > after)
    assert next_local(after, clock, tz, weekdays=weekdays) == expected


def _exists(day: date, name: str) -> bool:
    return whenever.Instant(_oracle(day, time(0), name)).to_tz(name).date().to_stdlib() == day


@given(moments(), clocks)
def test_next_local_times_follow_each_other(place: tuple[str, datetime], clock: time) -> None:
    name, after = place
    first = next_local(after, clock, zone(name))
    second = next_local(first, clock, zone(name))
    assert after < first < second
    assert next_local(second - timedelta(microseconds=1), clock, zone(name)) == second


@given(moments(), st.sampled_from(["day", "week", "month"]), st.integers(0, 6))
def test_t20_days_weeks_and_months_tile_time(place: tuple[str, datetime], unit: str, week_start: int) -> None:
    name, moment = place
    tz = zone(name)

    def bounds(at: datetime) -> tuple[datetime, datetime]:
        if unit == "week":
            return week_bounds(at, tz, week_start=week_start)
        return day_bounds(at, tz) if unit == "day" else month_bounds(at, tz)

    start, end = bounds(moment)
    assert start <= moment < end
    assert bounds(start) == bounds(end - timedelta(microseconds=1)) == (start, end)
    assert bounds(end)[0] == end
    assert bounds(start - timedelta(microseconds=1))[1] == start


@given(moments(), st.sampled_from(["day", "month"]))
def test_t20_a_day_and_a_month_begin_where_the_oracle_says(place: tuple[str, datetime], unit: str) -> None:
    name, moment = place
    wall = local(moment, zone(name))
    assume(not wall.fold)  # after clocks went back over midnight the oracle follows the wall, we the day
    at = whenever.Instant(moment).to_tz(name)
    start = at.start_of("day") if unit == "day" else at.start_of("month")
    ours = day_bounds(moment, zone(name)) if unit == "day" else month_bounds(moment, zone(name))
    assert ours[0] == start.to_stdlib().astimezone(UTC)


@given(moments(), st.integers(-400, 400).filter(bool))
def test_t17_calendar_days_keep_the_wall_time(place: tuple[str, datetime], days: int) -> None:
    name, moment = place
    wall = local(moment, zone(name))
    day = wall.date() + days * DAY
    expected = _oracle(day if _exists(day, name) else day + DAY, wall.time(), name)
    assert add_days(moment, days, zone(name)) == expected


def test_a_zone_that_is_no_text_is_refused_by_kind() -> None:
    with pytest.raises(InputError, match=r"^field 'zone': is int; give an IANA name"):
        zone(3)
