"""Local days numbered by adding and dividing are those of the calendar, in every odd zone."""

from bisect import bisect_right
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from crmsdk.model.moment import from_micros
from crmsdk.segments.calendars import is_empty, period_of
from crmsdk.segments.sql.clocks import CLOCKS_END, clock_changes, skipped_by, stretches
from crmsdk.segments.windows import Unit

ZONES = (
    *("UTC", "Europe/Moscow", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "Asia/Manila"),
    *("America/Havana", "America/Toronto", "Africa/Casablanca", "Asia/Kathmandu", "America/Sao_Paulo"),
)
EPOCH = 719_163
DAY = 86_400_000_000


@pytest.mark.parametrize("name", ZONES)
def test_days_are_those_of_the_calendar(name: str) -> None:
    tz = ZoneInfo(name)
    changes = clock_changes(tz)
    starts = [at for at, _, _ in changes]
    assert starts == sorted(set(starts))
    around = [
        at + shift
        for at in starts[1:]
        for shift in (-DAY, -3_600_000_000, -1, 0, 1, 1_800_000_000, 3_600_000_000, DAY - 1, DAY)
    ]
    for at in (*around, 0, 1_774_746_000_000_000):
        _, shift, _ = changes[bisect_right(starts, at) - 1]
        assert (at + shift) // DAY == period_of(from_micros(at), Unit.DAY, tz), at


@pytest.mark.parametrize(
    ("name", "day"), [("Pacific/Apia", "2011-12-30"), ("Pacific/Kwajalein", "1993-08-21")]
)
def test_a_day_that_a_zone_skips_is_counted(name: str, day: str) -> None:
    tz = ZoneInfo(name)
    number = period_of(from_micros(0), Unit.DAY, tz)
    assert skipped_by(0, tz) == 0
    assert skipped_by(CLOCKS_END - 1, tz) == 1
    number = next(each for each in range(number, number + 20_000) if is_empty(each, Unit.DAY, tz))
    assert from_micros((number - EPOCH) * DAY).date().isoformat() == day


def test_stretches_tile_time_up_to_now() -> None:
    found = stretches(ZoneInfo("Europe/Moscow"), 1_774_746_000_000_000)
    assert found[0][0] == -62_135_596_800
    assert all(earlier[1] == later[0] for earlier, later in pairwise(found))
    assert found[-1][:3] == (1_414_274_400, CLOCKS_END // 1_000_000, EPOCH * 86_400 + 10_800)
