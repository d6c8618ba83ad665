"""What the oracle compares: values of any kind, spans, local days; all in integers and fractions."""

import re
import unicodedata
from calendar import isleap
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from crmsdk.errors import InputError
from crmsdk.model.money import Money
from crmsdk.model.span import parse_span
from crmsdk.model.zones import local_day

START = datetime(1970, 1, 1, tzinfo=UTC)


def us(moment: datetime | str) -> int:
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return (moment - START) // timedelta(microseconds=1)


def width(text: str) -> int:
    return parse_span(text, "span") // timedelta(microseconds=1)


def tagged(value: Any) -> tuple[str, Any] | None:
    """Bring a stored value into (kind, comparable); None for a missing one."""
    if value is None:
        return None
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int | float | Fraction):
        return ("number", Fraction(value))
    if isinstance(value, str):
        return ("text", unicodedata.normalize("NFC", value))
    if isinstance(value, datetime):
        return ("moment", us(value))
    if isinstance(value, date):
        return ("date", value.toordinal())
    if isinstance(value, Money):
        return (value.currency, value.minor)
    if isinstance(value, Mapping):
        return ("mapping", {key: tagged(item) for key, item in value.items()})
    return ("list", [tagged(item) for item in value])


def untagged(data: Any) -> tuple[str, Any] | None:
    """The same of a value in JSON."""
    if isinstance(data, dict):
        match data["is"]:
            case "money":
                return (data["currency"], data["minor"])
            case "moment":
                return ("moment", us(data["of"]))
            case "date":
                return ("date", date.fromisoformat(data["of"]).toordinal())
            case _:
                raise AssertionError(data)
    if isinstance(data, list):
        return ("list", [untagged(item) for item in data])
    return tagged(data)


def asks(op: str, data: Any, found: tuple[str, Any] | None) -> bool:
    if found is None:
        return False
    kind, value = found
    if op == "exists":
        return True
    operand = untagged(data)
    assert operand is not None
    if op == "eq":
        return found == operand
    if op == "in":
        return found in operand[1]
    if op == "contains":
        return bool(
            operand in value if kind == "list" else kind == operand[0] == "text" and operand[1] in value
        )
    if op == "contains_any":
        return any(asks("contains", item, found) for item in data)
    if op == "contains_all":
        return all(asks("contains", item, found) for item in data)
    if op == "matches":
        return kind == "text" and bool(re.search(data.replace("$", r"\Z"), value, re.DOTALL))
    if op in ("starts", "ends"):
        return kind == "text" and bool((value.startswith if op == "starts" else value.endswith)(operand[1]))
    if op == "between":
        low, high = operand[1]
        return asks_order("ge", low, found) and asks_order("le", high, found)
    return asks_order(op, operand, found)


def asks_order(op: str, operand: tuple[str, Any], found: tuple[str, Any]) -> bool:
    if operand[0] != found[0] or found[0] in ("bool", "text", "list", "mapping"):
        return False
    a, b = found[1], operand[1]
    return bool({"lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[op])


def doubled(number: Fraction) -> Fraction:
    """Round to the nearest double; beyond all doubles it is beyond all operands."""
    try:
        return Fraction(float(number))
    except OverflowError:
        return Fraction(10) ** 400 * (1 if number > 0 else -1)


def written(data: Any) -> Any:
    """Read the floats of an operand as the decimals they are written as."""
    if isinstance(data, list):
        return [written(item) for item in data]
    return Fraction(str(data)) if isinstance(data, float) else data


def inside(values: Mapping[str, Any], path: str) -> Any:
    if values.get(path) is not None:
        return values[path]
    head, dot, rest = path.partition(".")
    deeper = values.get(head)
    return inside(deeper, rest) if dot and isinstance(deeper, Mapping) else None


def number(at: int, unit: str, tz: ZoneInfo) -> int:
    """Number the local period of a moment."""
    day = day_at(at, tz)
    months = day.year * 12 + day.month - 1
    weeks = (day - timedelta(days=day.weekday())).toordinal() // 7
    return {"day": day.toordinal(), "week": weeks, "month": months, "quarter": months // 3, "year": day.year}[
        unit
    ]


def day_at(at: int, tz: ZoneInfo) -> date:
    """The local date; the first or last there is where it would lie outside of the years 1 to 9999."""
    try:
        return local_day(START + timedelta(microseconds=at), tz)
    except InputError:
        return date.min if at < 0 else date.max


def kept(born: date, day: date, leap: str) -> bool:
    """Whether a day is an anniversary."""
    if (born.month, born.day) == (2, 29) and not isleap(day.year):
        return f"{day:%m-%d}" == leap
    return (born.month, born.day) == (day.month, day.day)
