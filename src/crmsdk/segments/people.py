"""Questions about the person beyond current values: the past of an attribute, and a lot drawn for ever."""

from datetime import timedelta

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.comparison import Op, exact, operand_for
from crmsdk.model.values import Value
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.occurrences import as_name
from crmsdk.segments.windows import as_span

__all__ = ["BUCKETS", "AttrChanged", "AttrHeld", "Bucket"]

BUCKETS = 10_000
"""How many buckets people are spread over: one is a hundredth of a percent."""


@definition("attr-changed")
@attrs.frozen
class AttrChanged(Predicate):
    """Ask whether an attribute changed its value in ``(now - span, now]``.

    The value at a moment is the last one written by then. A write of the value that holds already is no
    change, nor are several writes at one moment that end with it; the first value is one, and so is taking
    the value away. Values are equal as ``==`` of conditions says: 1 and 1.0 are, 1 and True are not.
    """

    name: str = attrs.field(converter=as_name)
    span: timedelta = attrs.field(converter=as_span)


@definition("attr-held")
@attrs.frozen
class AttrHeld(Predicate):
    """Ask whether an attribute has had a value, without a break, for a span up to now and longer.

    Holds from exactly the moment the value came to be + span, until the value is another or taken away;
    writing the same value again breaks nothing.
    """

    name: str = attrs.field(converter=as_name)
    operand: Value = attrs.field(eq=exact)
    span: timedelta = attrs.field(converter=as_span)

    def __attrs_post_init__(self) -> None:
        """Bring the operand into normal form, and refuse what could never hold."""
        object.__setattr__(self, "operand", operand_for(Op.EQ, self.operand, self.name))


@definition("bucket")
@attrs.frozen
class Bucket(Predicate):
    """Ask whether a person's lot lies in ``[low, high)`` of 10,000.

    The lot is drawn from salt and customer id (``crmsdk.model.salt.bucket``), so it stays for ever, in every
    engine, whatever the segment is called; another salt draws anew.
    """

    salt: str
    low: int
    high: int

    def __attrs_post_init__(self) -> None:
        """Refuse no salt, and bounds that hold nobody."""
        if not isinstance(self.salt, str) or not self.salt:
            raise DefinitionError("a bucket needs a salt; give text that stays for ever", path="salt")
        for bound in (self.low, self.high):
            if isinstance(bound, bool) or not isinstance(bound, int):
                raise DefinitionError(
                    f"a bound is {type(bound).__name__}; give integers from 0 to {BUCKETS}", path="bucket"
                )
        if not 0 <= self.low < self.high <= BUCKETS:
            raise DefinitionError(
                f"bounds are 0 to {BUCKETS}, the smaller first, as 0, 1000 for a tenth", path="bucket"
            )
