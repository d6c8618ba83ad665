"""Quiet times and calendar periods, minute by minute around real changes of the clock."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from whenever import Instant

from crmsdk.errors import UnknownZone
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.policy.hours import Hours
from crmsdk.policy.rules import Period, Quiet, quiet

MINUTE = 60_000_000
DAY = 1440 * MINUTE

TRANSITIONS = [
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),  # the gap begins at midnight
    ("Africa/Cairo", datetime(2026, 10, 29, 21, tzinfo=UTC)),  # midnight comes twice
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),  # half an hour
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),  # a day is skipped
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ("Asia/Gaza", datetime(2026, 3, 28, 0, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 2, 15, 2, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 3, 22, 2, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC)),
    ("Asia/Tehran", datetime(2022, 9, 21, 19, 30, tzinfo=UTC)),
    ("Europe/Moscow", datetime(2014, 10, 25, 22, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 3, 1, tzinfo=UTC)),  # none, and an odd offset
]
NIGHTS = [
    quiet("21:00", "08:00"),
    quiet("22:30", "00:15"),
    quiet("00:00", "24:00", weekdays=[6]),
    quiet("00:00", "24:00", weekdays=[5, 6]),  # two that touch are one
    quiet("20:00", "19:30", weekdays=[4, 5, 6]),
    quiet("01:30", "02:30"),
    quiet("02:00", "01:30"),
    quiet("20:00", "09:00", weekdays=[0, 4]),
]


def _wall(moment: int, zone: str) -> tuple[int, time]:
    """Read weekday and clock by an independent library."""
    shown = Instant.from_timestamp(moment // 1_000_000).to_tz(zone)
    return shown.date().day_of_week().value - 1, time(shown.hour, shown.minute, shown.second)


def _on_the_wall(rule: Quiet, moment: int, zone: str) -> bool:
    """Say whether the clock on the wall shows a quiet time."""
    day, clock = _wall(moment, zone)
    shown = f"{clock:%H:%M}"
    if rule.start < rule.end:
        return day in rule.weekdays and rule.start <= shown < rule.end
    evening = day in rule.weekdays and shown >= rule.start
    return evening or ((day - 1) % 7 in rule.weekdays and shown < rule.end)


def _repeated(moment: int, zone: str) -> bool:
    """Say whether the clock shows this time twice."""
    shown = from_micros(moment).astimezone(ZoneInfo(zone))
    return shown.replace(fold=0).utcoffset() != shown.replace(fold=1).utcoffset()


def _skips_days(zone: str) -> bool:
    return zone == "Pacific/Apia"


@pytest.mark.parametrize("rule", NIGHTS, ids=lambda rule: rule.id)
@pytest.mark.parametrize(("zone", "change"), TRANSITIONS, ids=lambda value: str(value)[:24].replace(" ", "T"))
def test_t18_quiet_agrees_with_the_clock_on_the_wall(
    rule: Quiet, zone: str, change: datetime, sized: Callable[[int, int], int]
) -> None:
    """`until` never lies in a quiet time; where the clock repeats, the doubt is on the quiet side."""
    step = sized(7, 1) * MINUTE
    hours = Hours()
    centre = to_micros(change)
    for moment in range(centre - DAY, centre + DAY, step):
        until = hours.quiet_until(rule, (zone,), moment)
        shown = _on_the_wall(rule, moment, zone)
        if shown and not _skips_days(zone):
            assert until is not None, from_micros(moment)
        if until is not None:
            assert until > moment
            assert hours.quiet_until(rule, (zone,), until) is None
            assert hours.quiet_until(rule, (zone,), until - 1) == until
            if not _skips_days(zone):
                assert not _on_the_wall(rule, until, zone)
                assert shown or _repeated(moment, zone), from_micros(moment)


def _each_moment(step: int) -> Iterator[int]:
    start = to_micros(datetime(2026, 10, 24, tzinfo=UTC))
    return iter(range(start, start + 3 * DAY, step))


def test_remembered_answers_are_those_of_a_fresh_look() -> None:
    rule, hours = quiet("21:00", "08:00"), Hours()
    forward = [hours.quiet_until(rule, ("Europe/Berlin",), each) for each in _each_moment(20 * MINUTE)]
    fresh = [Hours().quiet_until(rule, ("Europe/Berlin",), each) for each in _each_moment(20 * MINUTE)]
    assert forward == fresh
    backward = [
        hours.quiet_until(rule, ("Europe/Berlin",), each)
        for each in reversed(list(_each_moment(20 * MINUTE)))
    ]
    assert backward[::-1] == fresh


def test_half_a_month_of_nights_is_computed_once_and_not_kept_for_ever() -> None:
    rule, hours = quiet("21:00", "08:00"), Hours()
    for moment in _each_moment(20 * MINUTE):
        hours.quiet_until(rule, ("Europe/Berlin",), moment)
    remembered = hours._nights.cache_info()
    assert remembered.misses <= 2
    assert remembered.maxsize == 2048


def test_rules_of_equal_times_share_answers_and_others_do_not() -> None:
    hours, noon = Hours(), to_micros(datetime(2026, 3, 2, 12, tzinfo=UTC))
    assert hours.quiet_until(quiet("11:00", "13:00"), ("UTC",), noon) is not None
    assert hours.quiet_until(quiet("11:00", "13:00", weekdays=[3]), ("UTC",), noon) is None
    assert hours.quiet_until(quiet("11:00", "12:00"), ("UTC",), noon) is None
    assert hours.quiet_until(quiet("11:00", "13:00"), ("Asia/Tokyo",), noon) is None


def test_quiet_times_that_touch_are_one() -> None:
    saturday = to_micros(datetime(2026, 3, 7, 12, tzinfo=UTC))
    for rule, until in (
        (quiet("00:00", "24:00", weekdays=[5, 6]), datetime(2026, 3, 9, tzinfo=UTC)),
        (quiet("12:00", "11:59", weekdays=[5, 6]), datetime(2026, 3, 8, 11, 59, tzinfo=UTC)),
    ):
        assert Hours().quiet_until(rule, ("UTC",), saturday) == to_micros(until)


def test_quiet_in_any_candidate_zone_is_quiet_until_the_last_opens() -> None:
    hours = Hours()
    rule = quiet("21:00", "08:00")
    moment = to_micros(datetime(2026, 3, 2, 19, tzinfo=UTC))  # 22:00 in Moscow, 20:00 in Kaliningrad is 21:00
    zones = ("Europe/Moscow", "Asia/Vladivostok", "Europe/Kaliningrad")
    for order in (zones, zones[::-1]):
        until = hours.quiet_until(rule, order, moment)
        assert until == to_micros(datetime(2026, 3, 3, 6, tzinfo=UTC))  # 08:00 in Kaliningrad


def test_unknown_zone_is_named() -> None:
    with pytest.raises(UnknownZone, match=r"^field 'zones': .*Mars/Olympus"):
        Hours().quiet_until(quiet("21:00", "08:00"), ("Mars/Olympus",), 0)
    with pytest.raises(UnknownZone, match=r"^field 'zones': .*Mars/Olympus"):
        Hours().period(Period.DAY, "Mars/Olympus", 0)


@pytest.mark.parametrize("each", list(Period))
@pytest.mark.parametrize(("zone", "change"), TRANSITIONS, ids=lambda value: str(value)[:24].replace(" ", "T"))
def test_periods_tile_time(each: Period, zone: str, change: datetime) -> None:
    hours, centre = Hours(), to_micros(change)
    for moment in range(centre - DAY, centre + DAY, 97 * MINUTE):
        span = hours.period(each, zone, moment)
        assert span.first <= moment < span.last
        assert hours.period(each, zone, span.first) is span, "a period is found once"
        assert hours.period(each, zone, span.last - 1) is span
        assert hours.period(each, zone, span.last).first == span.last


def test_last_four_periods_of_a_zone_are_remembered() -> None:
    hours = Hours()
    noons = [to_micros(datetime(2026, 3, day, 12, tzinfo=UTC)) for day in range(1, 6)]
    days = [hours.period(Period.DAY, "UTC", noon) for noon in noons[:4]]
    assert all(hours.period(Period.DAY, "UTC", noon) is day for noon, day in zip(noons, days, strict=False))
    assert hours.period(Period.DAY, "UTC", noons[4]).last - noons[4] == DAY // 2
    assert hours.period(Period.DAY, "UTC", noons[0]) == days[0]
    assert hours.period(Period.DAY, "UTC", noons[0]) is not days[0]


def test_a_day_has_23_and_25_hours() -> None:
    hours = Hours()
    spring = hours.period(Period.DAY, "Europe/Berlin", to_micros(datetime(2026, 3, 29, 12, tzinfo=UTC)))
    autumn = hours.period(Period.DAY, "Europe/Berlin", to_micros(datetime(2026, 10, 25, 12, tzinfo=UTC)))
    assert from_micros(spring.last) - from_micros(spring.first) == timedelta(hours=23)
    assert from_micros(autumn.last) - from_micros(autumn.first) == timedelta(hours=25)
