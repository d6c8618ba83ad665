"""What a question reads, as steps in time."""

from datetime import timedelta as td

import attrs

from crmsdk.model.customer import ZONE
from crmsdk.segments.unfolding import zone_steps
from tests.unit.segments.people import NOW, ann, wrote


def test_a_zone_counts_from_the_moment_it_was_written_for_and_before_that_the_one_known_today() -> None:
    nobody = ann()
    assert list(zone_steps(nobody, "Europe/Moscow", NOW)) == [(NOW, "Europe/Moscow")]
    known = attrs.evolve(nobody, zone="Asia/Tokyo")
    assert list(zone_steps(known, "Europe/Moscow", NOW)) == [(NOW, "Asia/Tokyo")]
    moving = known.with_attributes([wrote(ZONE, "Europe/Oslo", td(days=2)), wrote(ZONE, "UTC", -td(days=1))])
    assert list(zone_steps(moving, "Europe/Moscow", NOW)) == [(NOW, "Europe/Oslo"), (NOW + td(days=1), "UTC")]
    assert next(zone_steps(moving, "Europe/Moscow", NOW - td(days=3)))[1] == "Asia/Tokyo"
