"""Candidate zones from a phone number and a country."""

import runpy
from pathlib import Path

import pytest

from crmsdk.model._calling_codes import CALLING_CODES
from crmsdk.model._country_zones import ZONES
from crmsdk.model.zones import candidates, zone

SCRIPT = Path(__file__).parents[3] / "scripts" / "country_zones.py"


@pytest.mark.parametrize(
    ("phone", "country", "zones"),
    [
        ("+4915112345678", None, ("Europe/Berlin",)),
        (None, "de", ("Europe/Berlin",)),
        ("+77011234567", None, ("Asia/Almaty",)),
        ("+76001234567", "KZ", ("Asia/Almaty",)),
        ("+12425551234", None, ("America/Nassau",)),
        ("+17875551234", "PR", ("America/Puerto_Rico",)),
        ("89161234567", None, ()),  # a national form says no country
        ("89161234567", "JP", ("Asia/Tokyo",)),
        ("+999123", None, ()),
        ("+", None, ()),
        (None, "Atlantis", ()),
        (None, None, ()),
        ("", "", ()),
    ],
)
def test_hints_lead_to_zones(phone: str | None, country: str | None, zones: tuple[str, ...]) -> None:
    assert candidates(phone, country) == zones


def test_a_russian_number_may_be_in_any_of_eleven_zones() -> None:
    found = candidates("+79161234567", None)
    assert len(found) == 11
    assert {"Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka"} <= set(found)
    assert "Asia/Almaty" not in found


def test_two_hints_that_agree_narrow_the_choice() -> None:
    both = candidates("+12125551234", "US")
    assert set(both) < set(candidates("+12125551234", None))
    assert both == candidates(None, "US")
    assert "America/Toronto" not in both


def test_two_hints_that_contradict_each_other_both_count() -> None:
    assert candidates("+4915112345678", "JP") == ("Europe/Berlin", "Asia/Tokyo")
    assert set(candidates("+79161234567", "KZ")) == {*candidates("+79161234567", None), "Asia/Almaty"}


def test_every_country_of_a_code_has_zones_that_exist() -> None:
    for countries in CALLING_CODES.values():
        for country in countries.split():
            assert ZONES[country]
    for names in ZONES.values():
        assert len(set(names)) == len(names) > 0
        for name in names:
            zone(name)


def test_the_table_is_what_its_script_writes() -> None:
    script = runpy.run_path(str(SCRIPT))
    assert script["table"]() == {country: list(names) for country, names in ZONES.items()}
