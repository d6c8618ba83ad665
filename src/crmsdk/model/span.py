"""Spans as ISO 8601 text, exact to the microsecond: ``P1DT2H``, ``PT0.5S``, ``-PT30M``."""

import re
from datetime import timedelta

from crmsdk.errors import InputError

__all__ = ["parse_span", "span_text"]

_SPAN = re.compile(
    r"(?P<sign>[+-]?)P(?=[0-9T])"
    r"(?:(?P<weeks>[0-9]+)W)?(?:(?P<days>[0-9]+)D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]+)H)?(?:(?P<minutes>[0-9]+)M)?"
    r"(?:(?P<seconds>[0-9]+)(?:[.,](?P<fraction>[0-9]{1,6}))?S)?)?"
)
_ZERO = timedelta(0)
_DIGITS = 10  # timedelta holds fewer than 10**9 days; more digits are an attack on int()


def span_text(span: timedelta) -> str:
    """Write a span as ISO 8601 text; a day is 24 hours, months and years never occur.

    >>> span_text(timedelta(days=1, hours=2))
    'P1DT2H'
    """
    if span < _ZERO:
        return _negative(span)
    days = f"{span.days}D" if span.days else ""
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if span.microseconds:
        clock += f"{seconds}.{span.microseconds:06d}".rstrip("0") + "S"
    elif seconds or not (days or clock):
        clock += f"{seconds}S"
    return f"P{days}" + (f"T{clock}" if clock else "")


def _negative(span: timedelta) -> str:
    # -timedelta.min overflows, so the parts are turned and not the span.
    whole = -(span.days * 86400 + span.seconds)
    micros = span.microseconds
    if micros:
        whole, micros = whole - 1, 1_000_000 - micros
    days, rest = divmod(whole, 86400)
    clock = span_text(timedelta(seconds=rest, microseconds=micros))
    if not days:
        return f"-{clock}"
    return f"-P{days}D" + (clock[1:] if rest or micros else "")


def parse_span(text: str, field: str) -> timedelta:
    """Read ISO 8601 text of weeks, days, hours, minutes and seconds.

    Args:
        text: As ``P14D`` or ``PT1.5S``; a fraction only of seconds, down to microseconds.
        field: The name to use in an error.

    Raises:
        InputError: not such text, months or years (they have no fixed length), or too long a span.
    """
    found = _SPAN.fullmatch(text)
    if found is None:
        raise InputError(
            "is not a span as 'P1DT2H'; use weeks, days, hours, minutes, seconds (months and years vary)",
            field=field,
        )
    parts = {name: found[name] or "0" for name in ("weeks", "days", "hours", "minutes", "seconds")}
    if any(len(digits) > _DIGITS for digits in parts.values()):
        raise InputError("is longer than a span can be", field=field)
    sign = -1 if found["sign"] == "-" else 1
    numbers = {name: sign * int(digits) for name, digits in parts.items()}
    micros = sign * int((found["fraction"] or "").ljust(6, "0"))
    seconds = numbers["hours"] * 3600 + numbers["minutes"] * 60 + numbers["seconds"]
    try:
        # All at once: the largest negative span exists only as a sum, each part alone may not overflow.
        return timedelta(days=numbers["weeks"] * 7 + numbers["days"], seconds=seconds, microseconds=micros)
    except OverflowError:
        raise InputError("is longer than a span can be", field=field) from None
