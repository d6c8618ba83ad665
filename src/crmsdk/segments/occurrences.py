"""Which events a question means: their name, tests of their properties, and when they happened."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Protocol

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.comparison import PropTest
from crmsdk.model.declared import PropRef
from crmsdk.segments.windows import Window

__all__ = ["Meant", "Named", "Occurrences", "as_name", "as_tests", "meant", "name_of", "prop_name"]


class Named(Protocol):
    """Anything that carries the name of a property or attribute, as ``Purchase.amount``."""

    @property
    def name(self) -> str:
        """The declared name."""


def name_of(ref: "str | Named") -> str:
    """Give the name of a property or attribute, said as text or by its declaration."""
    return ref if isinstance(ref, str) else as_name(getattr(ref, "name", ref))


def as_name(value: object) -> str:
    """Take a name.

    Raises:
        DefinitionError: it is no text, or empty.
    """
    if not isinstance(value, str) or not value:
        kind = "empty" if isinstance(value, str) else type(value).__name__
        raise DefinitionError(f"a name is {kind}; give non-empty text", path="name")
    return value


def as_tests(value: Iterable[PropTest]) -> tuple[PropTest, ...]:
    """Take tests of properties.

    Raises:
        DefinitionError: one is none.
    """
    tests = tuple(value)
    for test in tests:
        if not isinstance(test, PropTest):
            raise DefinitionError(
                f"{type(test).__name__} is no test of a property; give prop('amount') >= 3",
                path="where",
            )
    return tests


@definition("occurrences")
@attrs.frozen
class Occurrences:
    """Which events are meant.

    Attributes:
        event: The event's name.
        tests: All must hold of the properties.
        window: When; None for all of the past.
    """

    event: str = attrs.field(converter=as_name)
    tests: tuple[PropTest, ...] = attrs.field(default=(), converter=as_tests, kw_only=True)
    window: Window | None = attrs.field(default=None, kw_only=True)


def prop_name(of: Occurrences, prop: str | Named) -> str:
    """Give the name of a property of the events meant.

    Raises:
        DefinitionError: the property is declared for another event.
    """
    if isinstance(prop, PropRef) and prop.event != of.event:
        raise DefinitionError(f"{prop.name!r} belongs to event {prop.event!r}, not to {of.event!r}")
    return name_of(prop)


class Meant:
    """A question about events that still may become another: it can say which events it means."""

    __slots__ = ()

    @abstractmethod
    def _meant(self, mend: str) -> Occurrences:
        """Give the events meant, or refuse with this mend when their number is asked for."""


def meant(value: object) -> Occurrences:
    """Take the events that one step of a sequence means.

    Raises:
        DefinitionError: it is no such question, or asks for the number of events.
    """
    if not isinstance(value, Meant):
        raise DefinitionError(f"a step is {type(value).__name__}; give did('purchase')", path="steps")
    return value._meant("a step of a sequence is one event")  # noqa: SLF001 - one family
