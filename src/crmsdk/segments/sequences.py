"""Events in order: one, then another, then none of a third, within a span."""

from collections.abc import Iterable
from datetime import timedelta

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.occurrences import Meant, Occurrences, meant
from crmsdk.segments.windows import Rolling, Window, Windowed, as_span

__all__ = ["InOrder"]

_MOST = 16


def _steps(value: Iterable[Occurrences]) -> tuple[Occurrences, ...]:
    steps = tuple(value)
    for step in steps:
        _refuse_window(step)
    if not 1 <= len(steps) <= _MOST:
        raise DefinitionError(f"a sequence has {len(steps)} steps; give 1 to {_MOST}", path="steps")
    return steps


def _refuse_window(of: Occurrences) -> Occurrences:
    if of.window is not None:
        raise DefinitionError(
            "a step has a window of its own; say sequence(..., within=span), or set the window of the whole",
            path="steps",
        )
    return of


@definition("sequence")
@attrs.frozen
class InOrder(Windowed["InOrder"], Predicate):
    """Hold when some events make a chain: one for each step, every one strictly later than the one before.

    Later is meant in the total order of (time, id), so that two events of one moment follow each other in one
    way only, and one event never takes two steps. Any chain counts, not only the one of the first events: who
    starts anew is seen anew. Between the steps anything may happen.

    With a span, the last event lies at most the span after the first (``last <= first + span``). With a
    window, all events of the chain lie in it. Without ``absent`` the answer turns true with the last step,
    and stays so until the first event of every chain has left the window.

    With ``absent``, a chain counts if after its last step, and up to ``first + span`` included, no such event
    follows. That is known only when the span is over: the answer is false while it runs, and turns true at
    exactly ``first + span``. Who must not follow need not lie in the window. Chains are judged one by one: an
    event that spoils one may leave another.

    Attributes:
        steps: What happens, in order; their own tests, no windows.
        span: From the first event to the last, both included; None for any.
        absent: What must not follow; it needs a span.
        window: Where all events of the chain lie; None for all of the past.
    """

    steps: tuple[Occurrences, ...] = attrs.field(converter=_steps)
    span: timedelta | None = attrs.field(
        default=None, kw_only=True, converter=attrs.converters.optional(as_span)
    )
    absent: Occurrences | None = attrs.field(
        default=None, kw_only=True, converter=attrs.converters.optional(_refuse_window)
    )
    window: Window | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse an absence without an end, and one that is never known inside the window."""
        if self.absent is None:
            return
        if self.span is None:
            raise DefinitionError(
                "without needs a span, or it is never known; say sequence(..., within=timedelta(hours=2))",
                path="span",
            )
        window = self.window
        if isinstance(window, Rolling) and self.span >= window.ago + window.span:
            raise DefinitionError(
                "the first event leaves the window before the span is over, so this never holds; give a "
                "longer window",
                path="window",
            )

    def _in(self, window: Window) -> "InOrder":  # type: ignore[explicit-override]  # typing has override from 3.12 on
        if self.window is not None:
            raise DefinitionError("the window is already set; ask two questions and join them with &")
        return attrs.evolve(self, window=window)

    def without(self, event: Meant) -> "InOrder":
        """Hold only where after the last step, up to the end of the span, no such event follows.

        Raises:
            DefinitionError: no span is given, or what must not follow is said already or is no plain event.
        """
        if self.absent is not None:
            raise DefinitionError(
                "what must not follow is already said; ask two questions and join them with &"
            )
        return attrs.evolve(self, absent=meant(event))
