"""Local times of a file: which instant a wall clock without an offset means, by a stated rule."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, get_args

import attrs

from crmsdk.errors import InputError, NaiveMoment
from crmsdk.model.moment import to_moment
from crmsdk.model.zones import at_local, zone

__all__ = ["WallClock"]


def _known(_: object, field: "attrs.Attribute[str]", value: str) -> None:
    zone(value, field.name)


_Repeated = Literal["first", "last", "refuse"]
_Skipped = Literal["after", "refuse"]


def _rule(of: object) -> "Callable[[object, attrs.Attribute[str], str], None]":
    def check(_: object, field: "attrs.Attribute[str]", value: str) -> None:
        if value not in get_args(of):
            raise InputError(f"is none of {', '.join(get_args(of))}; choose one", field=field.name)

    return check


@attrs.frozen
class WallClock:
    """A column of moments as a clock on a wall shows them.

    A value that carries an offset of its own is taken by it.

    Attributes:
        column: The column.
        zone: IANA name of the clock's zone.
        format: As ``strptime`` reads it, ``%d.%m.%Y %H:%M``; ISO 8601 if empty.
        repeated: What a time means that the clocks show twice: the first, the last, or a rejected row.
        skipped: What a time means that the clocks skip: the first instant after it, or a rejected row.
    """

    column: str
    zone: str = attrs.field(validator=_known)
    format: str = attrs.field(default="", kw_only=True)
    repeated: _Repeated = attrs.field(default="refuse", kw_only=True, validator=_rule(_Repeated))
    skipped: _Skipped = attrs.field(default="refuse", kw_only=True, validator=_rule(_Skipped))

    def moment(self, value: object) -> datetime:
        """Give the instant of one value of the column, in UTC.

        Raises:
            InputError: no such time, a time that the rules refuse, or one outside the years 1 to 9999.
        """
        wall = read_datetime(value, self.column, self.format)
        if wall.utcoffset() is not None:
            return to_moment(wall, self.column)
        place = zone(self.zone)
        try:
            first, last = (wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
            shown = first.astimezone(place).replace(tzinfo=None, fold=0)
        except OverflowError:
            raise InputError("lies outside the years 1 to 9999 in UTC", field=self.column) from None
        if first == last:
            return first
        if shown != wall.replace(fold=0):
            if self.skipped == "refuse":
                raise InputError(
                    f"is skipped by the clocks of {self.zone}; state the rule skipped='after'",
                    field=self.column,
                )
            return at_local(wall.date(), wall.time(), place)
        if self.repeated == "refuse":
            raise InputError(
                f"is shown twice by the clocks of {self.zone}; state the rule repeated='first' or 'last'",
                field=self.column,
            )
        return first if self.repeated == "first" else last


def read_datetime(value: object, column: str, form: str = "") -> datetime:
    """Read a cell as a datetime, with or without an offset.

    Raises:
        InputError: it is none.
    """
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return datetime.strptime(value, form) if form else datetime.fromisoformat(value)  # noqa: DTZ007 - the caller gives the zone
        except ValueError:
            wanted = form or "ISO 8601, as 2026-03-29T09:00"
            raise InputError(f"is no date and time; it should be {wanted}", field=column) from None
    raise InputError(f"is {type(value).__name__}; give a date and time", field=column)


def read_moment(value: object, column: str) -> datetime:
    """Read a cell that carries its offset.

    Raises:
        NaiveMoment: it has none; say in the map which zone the clock is in.
        InputError: no date and time.
    """
    found = read_datetime(value, column)
    if found.utcoffset() is None:
        raise NaiveMoment(column)
    return to_moment(found, column)
