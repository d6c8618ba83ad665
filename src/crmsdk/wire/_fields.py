"""From a declared property to the type pydantic checks it by."""

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, Strict, TypeAdapter
from pydantic_core import PydanticCustomError

from crmsdk.errors import InputError, NaiveMoment
from crmsdk.model.catalog import PropSpec, TypeName
from crmsdk.model.moment import to_moment
from crmsdk.model.money import Money
from crmsdk.model.values import Value, normal

__all__ = ["adapter_of"]

Hint: TypeAlias = Any
"""An annotation made at run time; no type checker can know it."""

# A wider integer fits no database column.
_WHOLE = Field(ge=-(2**63), le=2**63 - 1)
_DAY = len("2026-03-29")


def _refusal(error: InputError) -> PydanticCustomError:
    kind = "naive" if isinstance(error, NaiveMoment) else "refused"
    # Braces would be read as places for values.
    return PydanticCustomError(kind, error.problem.replace("{", "(").replace("}", ")"))


def _moment(value: object) -> datetime:
    try:
        return to_moment(value, "")
    except InputError as error:
        raise _refusal(error) from None


def _date(value: object) -> date:
    if isinstance(value, datetime) and value.tzinfo is None and value.time() == time():
        return value.date()  # how dataframes and CSV writers write a date
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and len(value) == _DAY:
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("refused", "is no date; give one as '2026-03-29'")


def _money(value: object) -> Money:
    if isinstance(value, Money):
        return value
    if isinstance(value, Mapping) and value.keys() - {"is"} == {"minor", "currency"}:
        try:
            return Money(value["minor"], value["currency"])
        except InputError as error:
            raise _refusal(error) from None
    raise PydanticCustomError(
        "refused", "is no money; give Money, or minor units and currency by these names"
    )


def _normal(value: object) -> Value:
    try:
        return normal(value, "")
    except InputError as error:
        raise _refusal(error) from None


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("refused", "is boolean; give a whole number")
    return value


def _unpacked(value: object) -> object:
    """Read a cell that holds a list or mapping as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise PydanticCustomError("refused", "is no JSON; a cell holds a list or mapping as JSON") from None


_STRICT: Mapping[TypeName, Hint] = {
    "boolean": Annotated[bool, Strict()],
    "integer": Annotated[int, Strict(), _WHOLE],
    "number": Annotated[int, Strict(), _WHOLE] | Annotated[float, Strict(), Field(allow_inf_nan=False)],
    "text": Annotated[str, Strict()],
    "moment": Annotated[datetime, PlainValidator(_moment)],
    "date": Annotated[date, PlainValidator(_date)],
    "money": Annotated[Money, PlainValidator(_money)],
    "list": list[Any],
    "mapping": dict[str, Any],
}
_LAX: Mapping[TypeName, Hint] = {
    **_STRICT,
    "boolean": bool,
    "integer": Annotated[int, _WHOLE, BeforeValidator(_no_boolean)],
    "number": Annotated[int, Strict(), _WHOLE] | Annotated[float, Field(allow_inf_nan=False)],
    "text": Annotated[str, Field(coerce_numbers_to_str=True)],
    "list": Annotated[list[Any], BeforeValidator(_unpacked)],
    "mapping": Annotated[dict[str, Any], BeforeValidator(_unpacked)],
}


def adapter_of(spec: PropSpec, *, lax: bool) -> TypeAdapter[Value]:
    """Make the check of one declared property.

    Args:
        spec: The declaration.
        lax: Whether text stands for numbers and yes or no, as in a table.

    Returns:
        What validates a value into normal form; None passes where the property is optional.
    """
    hints = _LAX if lax else _STRICT
    hint = hints[spec.type]
    if spec.items is not None:
        item = hints[spec.items]
        hint = Annotated[list[item], BeforeValidator(_unpacked)] if lax else list[item]  # type: ignore[valid-type]  # made at run time

    def chosen(value: object) -> Value:
        found = _normal(value)
        if not spec.admits(found):
            raise PydanticCustomError("refused", "is none of the values declared")
        return found

    hint = Annotated[hint, AfterValidator(chosen)]
    return TypeAdapter(hint | None if spec.optional else hint)
