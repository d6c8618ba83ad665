"""Every moment at which an answer of the oracle could change."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crmsdk.errors import InputError
from crmsdk.model.customer import ZONE
from crmsdk.model.facts import Facts
from crmsdk.model.zones import at_local
from tests.unit.segments.oracle_values import day_at, us, width


def starts(facts: Facts, node: Any) -> set[int]:
    """Every local midnight that could matter: of the periods from that of an event on."""
    zones = {"UTC", facts.zone} | {write.value for write in facts.attributes if write.name == ZONE}
    out = set()
    for unit, most in periods_of(node):
        for tz in (ZoneInfo(name) for name in zones if isinstance(name, str)):
            for day in {day_at(us(event.at), tz) for event in facts.events}:
                begun: date | None = day
                for _ in range(most + 1):
                    begun = None if begun is None else following(begun, unit)
                    with suppress(InputError):
                        out |= set() if begun is None else {us(at_local(begun, time(0), tz))}
    return out


def midnights(facts: Facts, node: Any) -> set[int]:
    """Every local midnight at which an answer about a date could turn, within some years."""
    zones = {"UTC", facts.zone} | {write.value for write in facts.attributes if write.name == ZONE}
    values = [write.value for write in facts.attributes if isinstance(write.value, date)]
    days = set()
    for value in values:
        for shift in (-1, 0, 1):
            born = (value.date() if isinstance(value, datetime) else value) + timedelta(days=shift)
            for asked in asked_days(node):
                for sign in (-1, 1):
                    days |= {born.toordinal() + sign * asked, born.toordinal() + sign * asked + 1}
            if "anniversary" in str(node):
                for year in (*range(1, 6), *range(2023, 2034), 9998, 9999):
                    for other in ((born.month, born.day), (2, 28), (3, 1)):
                        with suppress(ValueError):
                            coming = date(year, *other).toordinal()
                            days |= {coming - asked + tick for asked in asked_days(node) for tick in (0, 1)}
    out = set()
    for tz in (ZoneInfo(name) for name in zones if isinstance(name, str)):
        for day in days:
            with suppress(InputError, ValueError, OverflowError):
                out.add(us(at_local(date.fromordinal(day), time(0), tz)))
    return out


def asked_days(node: Any) -> set[int]:
    """Every number of days a condition names."""
    if isinstance(node, list):
        return set().union(*(asked_days(item) for item in node))
    if not isinstance(node, dict):
        return set()
    if node.get("is") == "anniversary":
        return {0, node.get("first", 0), node.get("last", 0)}
    if node.get("is") == "attr-days":
        operand = node["operand"]
        return set(operand) if isinstance(operand, list) else {operand}
    return set().union(*(asked_days(item) for item in node.values()))


def following(day: date, unit: str) -> date | None:
    """The first day of the next period."""
    try:
        match unit:
            case "day":
                return day + timedelta(days=1)
            case "week":
                return day + timedelta(days=7 - day.weekday())
            case "year":
                return date(day.year + 1, 1, 1)
            case _:
                ahead = 1 if unit == "month" else 3 - (day.month - 1) % 3
                year, month = divmod(day.year * 12 + day.month - 1 + ahead, 12)
                return date(year, month + 1, 1)
    except (OverflowError, ValueError):
        return None


def periods_of(node: Any) -> set[tuple[str, int]]:
    """Every unit a condition names, and how many periods back it looks."""
    if isinstance(node, dict):
        own = (
            {(node["unit"], max(node.get("oldest", 0), node.get("periods", 2)) + 1)}
            if "unit" in node
            else set()
        )
        if node.get("is") == "trend" and "unit" in node["of"]["window"]:
            window = node["of"]["window"]
            oldest, newest = window.get("oldest", 0), window.get("newest", 0)
            own |= {(window["unit"], oldest + node.get("over", 1) * (oldest - newest + 1) + 1)}
        return own.union(*(periods_of(item) for item in node.values()))
    if isinstance(node, list):
        return set().union(*(periods_of(item) for item in node))
    return set()


def numbers_of(node: Any) -> set[int]:
    """Every width a condition names, in microseconds."""
    if isinstance(node, dict):
        own = [width(node[key]) for key in ("span", "ago") if isinstance(node.get(key), str)]
        if node.get("is") == "trend" and node["of"]["window"]["is"] == "rolling":
            window = node["of"]["window"]
            ago, span = width(window.get("ago", "PT0S")), width(window["span"])
            own += [ago + back * span for back in range(node.get("over", 1) + 2)]
        return {*own, sum(own)}.union(*(numbers_of(item) for item in node.values()))
    if isinstance(node, list):
        return set().union(*(numbers_of(item) for item in node))
    return set()


def fades_of(node: Any) -> set[int]:
    """Every half-life of a condition."""
    if isinstance(node, dict):
        own = {width(node["half_life"])} if node.get("half_life") else set()
        return own.union(*(fades_of(item) for item in node.values()))
    return set().union(*(fades_of(item) for item in node)) if isinstance(node, list) else set()


def candidates(node: dict[str, Any], facts: Facts) -> set[int]:
    moments = [us(event.at) for event in facts.events]
    moments += [us(write.at) for write in facts.attributes]
    moments += [us(entry.at) for entry in facts.consents]
    moments += [us(write.value) for write in facts.attributes if isinstance(write.value, datetime)]
    moments += [
        us(item)
        for write in facts.attributes
        if isinstance(write.value, Mapping)
        for item in write.value.values()
        if isinstance(item, datetime)
    ]
    shifts = {0} | {sign * shift for shift in numbers_of(node) for sign in (-1, 1)}
    shifts |= {fade * lives for fade in fades_of(node) for lives in range(1, 21)}
    asked = {moment + shift + tick for moment in moments for shift in shifts for tick in (-1, 0, 1)}
    local = starts(facts, node) | (midnights(facts, node) if asked_days(node) else set())
    asked |= {start + tick for start in local for tick in (-1, 0, 1)}
    return asked.union(*(candidates(node, other) for other in facts.colleagues or ()))
