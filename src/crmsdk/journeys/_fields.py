"""What fields of a definition hold, said to those whom no type checker told: field and mend."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.declared import AttrRef
from crmsdk.segments.occurrences import Named, name_of

__all__ = ["a_name", "a_number", "a_span", "clock_time", "dated_name", "one_of", "whole_days", "whole_number"]

_DAY = timedelta(days=1)


def clock_time(value: time | str) -> time:
    """Take a local time of day, also as text.

    Raises:
        DefinitionError: it is none.
    """
    if isinstance(value, time):
        return value
    if not isinstance(value, str):
        raise DefinitionError(f"is {type(value).__name__}; give a local time as '09:00'", path="at")
    try:
        return time.fromisoformat(value)
    except ValueError:
        raise DefinitionError(f"{value!r} is no local time; give it as '09:00'", path="at") from None


def dated_name(attribute: str | Named, offset: timedelta) -> str:
    """Give the name of an attribute that is waited for.

    Raises:
        DefinitionError: it is declared a date, and hours should move it.
    """
    declared = isinstance(attribute, AttrRef) and attribute.spec.kind == "date"
    if declared and isinstance(offset, timedelta) and not whole_days(offset):
        raise DefinitionError("only whole days move a date; say the time of day by at='09:00'", path="offset")
    return name_of(attribute)


def whole_days(offset: timedelta) -> bool:
    """Say whether an offset moves a date, which has no hours, to another date."""
    return not offset % _DAY


def a_name(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    """Refuse what names nothing."""
    if not isinstance(value, str) or not value:
        kind = "empty" if isinstance(value, str) else type(value).__name__
        raise DefinitionError(f"is {kind}; give non-empty text", path=field.name)


def a_number(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    """Refuse what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DefinitionError(f"is {type(value).__name__}; give a number", path=field.name)


def a_span(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    """Refuse what is no span of time."""
    if not isinstance(value, timedelta):
        raise DefinitionError(f"is {type(value).__name__}; give a span as timedelta(days=1)", path=field.name)


def whole_number(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    """Refuse what is no whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise DefinitionError(f"is {type(value).__name__}; give a whole number", path=field.name)


def one_of(*known: str) -> Callable[[object, "attrs.Attribute[Any]", object], None]:
    """Refuse a word that means nothing here: it would quietly mean one of the others."""

    def check(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
        if value not in known:
            said = repr(value) if isinstance(value, str) else type(value).__name__
            raise DefinitionError(f"is {said}; give one of {', '.join(known)}", path=field.name)

    return check
