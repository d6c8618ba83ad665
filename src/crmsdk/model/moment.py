"""Moments: aware datetimes kept in UTC, as integer microseconds where a machine stores them.

A naive datetime is refused with the field's name: guessing a zone is how reminders arrive at night.
"""

from datetime import UTC, datetime, timedelta

from crmsdk.errors import InputError, NaiveMoment

__all__ = ["EPOCH", "from_micros", "parse_moment", "to_micros", "to_moment"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_moment(value: object, field: str) -> datetime:
    """Take an aware datetime or ISO 8601 text and give it in UTC.

    Args:
        value: An aware ``datetime``, or text as ``2026-03-29T09:00:00+03:00``.
        field: The name to use in an error.

    Raises:
        NaiveMoment: no offset.
        InputError: neither a datetime nor such a text.
    """
    if isinstance(value, str):
        return parse_moment(value, field)
    if not isinstance(value, datetime):
        raise InputError(f"is {type(value).__name__}, not a datetime; give an aware datetime", field=field)
    if value.tzinfo is UTC and type(value) is datetime:
        return value
    if value != value:  # noqa: PLR0124 - NaT of pandas calls itself a datetime
        raise InputError("is no moment; leave it out or give an aware datetime", field=field)
    if value.utcoffset() is None:
        raise NaiveMoment(field)
    try:
        return _plain(value.astimezone(UTC))
    except OverflowError:
        raise InputError("lies outside the years 1 to 9999 in UTC", field=field) from None


def _plain(value: datetime) -> datetime:
    """Leave out what only a subclass knows, as nanoseconds: no store keeps it."""
    if type(value) is datetime:
        return value
    return datetime(
        value.year,
        value.month,
        value.day,
        value.hour,
        value.minute,
        value.second,
        value.microsecond,
        tzinfo=UTC,
    )


def parse_moment(text: str, field: str) -> datetime:
    """Read ISO 8601 text with an offset.

    Raises:
        NaiveMoment: the text has no offset.
        InputError: the text is no ISO 8601 moment.
    """
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise InputError("is not an ISO 8601 moment as '2026-03-29T09:00:00+03:00'", field=field) from None
    if value.utcoffset() is None:
        raise NaiveMoment(field, text=True)
    return to_moment(value, field)


def to_micros(value: datetime, field: str = "moment") -> int:
    """Give the microseconds since 1970 UTC, exactly (no float on the way)."""
    if type(value) is datetime and value.tzinfo is UTC:  # nearly all; stores ask many times a row
        return (value - EPOCH) // _MICROSECOND
    return (to_moment(value, field) - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Give the moment of so many microseconds since 1970 UTC."""
    return EPOCH + timedelta(microseconds=micros)
