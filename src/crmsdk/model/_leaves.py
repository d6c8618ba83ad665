"""Kinds of content that are one JSON scalar."""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model._kinds import located, misread, unfit
from crmsdk.model.moment import parse_moment
from crmsdk.model.span import parse_span, span_text
from crmsdk.model.value_json import Json, moment_text


@attrs.frozen
class Leaf:
    """A value that is one JSON scalar."""

    wanted: str
    rank: int
    fits: Callable[[Any], bool]
    takes: Callable[[Any], bool]
    put: Callable[[Any], Json]
    get: Callable[[Any], Any]
    form: Mapping[str, Json]
    tag: str = ""

    def write(self, value: Any, path: str, _depth: int, /) -> Json:
        """Give the scalar."""
        if not self.fits(value):
            raise unfit(value, self.wanted, path)
        with located(path):
            return self.put(value)

    def read(self, data: Any, path: str, _depth: int, /) -> Any:
        """Give the value of the scalar."""
        if not self.takes(data):
            raise misread(data, self.wanted, path)
        with located(path):
            return self.get(data)

    def schema(self, _defs: dict[str, Json], /) -> dict[str, Json]:
        """Describe the scalar."""
        return dict(self.form)


def _is_text(data: Any) -> bool:
    return isinstance(data, str)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(data: Any) -> bool:
    return _is_integer(data) or (isinstance(data, float) and data.is_integer())


def _same(value: Any) -> Any:
    return value


def text(value: str) -> str:
    """Give plain text without lone surrogates."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DefinitionError("holds half a surrogate pair; give valid Unicode text") from None
    return str.__str__(value)


_EXACT = 2**53  # beyond it neighbouring integers share a float


def number(value: float) -> int | float:
    """Give a finite number; a whole float within the exact range as an integer."""
    if not math.isfinite(value):
        raise DefinitionError("is not finite; give a finite number")
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)  # other languages write 1.0 as 1, and equal definitions must have equal hashes
    return value


def _float(data: float) -> float:
    try:
        value = float(data)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise DefinitionError("is not finite; give a finite number")
    return value


def _time(text: str) -> time:
    try:
        value = time.fromisoformat(text)
    except ValueError:
        raise DefinitionError("is not a time of day as '21:00'") from None
    return _local(value)


def _local(value: time) -> time:
    if value.tzinfo is not None:
        raise DefinitionError("has an offset; a time of day is meant in the person's own zone")
    return value


def _time_text(value: time) -> str:
    whole = not (value.second or value.microsecond)
    return _local(value).isoformat(timespec="minutes" if whole else "auto")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DefinitionError("is not a date as '2026-03-29'") from None


def _moment(text: str) -> datetime:
    return parse_moment(text, "")


def _span(text: str) -> timedelta:
    return parse_span(text, "")


def _moment_text(value: datetime) -> str:
    return moment_text(value, "")


def _is_none(value: Any) -> bool:
    return value is None


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_span(value: Any) -> bool:
    return isinstance(value, timedelta)


def _is_moment(value: Any) -> bool:
    return isinstance(value, datetime)


def _is_date(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_time(value: Any) -> bool:
    return isinstance(value, time)


NULL = Leaf("nothing", 0, _is_none, _is_none, _same, _same, {"type": "null"})
BOOLEAN = Leaf("a boolean", 0, _is_boolean, _is_boolean, _same, _same, {"type": "boolean"})
INTEGER = Leaf("an integer", 2, _is_integer, _is_whole, int, int, {"type": "integer"})
NUMBER = Leaf("a number", 3, _is_number, _is_number, number, _float, {"type": "number"})
TEXT = Leaf("text", 4, _is_text, _is_text, text, text, {"type": "string"})
_SPAN_FORM: Mapping[str, Json] = {
    "type": "string",
    "pattern": "^[+-]?P(?=[0-9T])([0-9]+W)?([0-9]+D)?"
    "(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+([.,][0-9]{1,6})?S)?)?$",
}
SPAN = Leaf("a span as 'P1DT2H'", 2, _is_span, _is_text, span_text, _span, _SPAN_FORM, "span")
_MOMENT_FORM: Mapping[str, Json] = {"type": "string", "format": "date-time"}
MOMENT = Leaf(
    "a moment as '2026-03-29T06:00:00Z'",
    2,
    _is_moment,
    _is_text,
    _moment_text,
    _moment,
    _MOMENT_FORM,
    "moment",
)
_DATE_FORM: Mapping[str, Json] = {"type": "string", "format": "date"}
DATE = Leaf("a date as '2026-03-29'", 2, _is_date, _is_text, date.isoformat, _date, _DATE_FORM, "date")
_TIME_FORM: Mapping[str, Json] = {
    "type": "string",
    "pattern": "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?$",
}
TIME = Leaf("a time of day as '21:00'", 2, _is_time, _is_text, _time_text, _time, _TIME_FORM, "time")

LEAVES: Mapping[Any, Leaf] = {
    type(None): NULL,
    None: NULL,
    bool: BOOLEAN,
    int: INTEGER,
    float: NUMBER,
    str: TEXT,
    timedelta: SPAN,
    datetime: MOMENT,
    date: DATE,
    time: TIME,
}
