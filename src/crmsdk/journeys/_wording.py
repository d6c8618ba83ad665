"""Triggers, waits and steps in plain English, for pictures and tables."""

from datetime import datetime, time, timedelta
from typing import assert_never, cast

from crmsdk.journeys.steps import (
    AnyStep,
    Branch,
    Emit,
    Exit,
    HandOver,
    Send,
    Split,
    Step,
    UntilDate,
    UntilLocal,
    Update,
    Wait,
    WaitFor,
)
from crmsdk.journeys.triggers import (
    ApiCall,
    DateReached,
    OnEvent,
    Schedule,
    SegmentChange,
    Trigger,
)
from crmsdk.model.comparison import PropTest
from crmsdk.segments.explain import describe, spell_span
from crmsdk.segments.grammar import Did, Occurrences

__all__ = ["step_words", "trigger_words"]

_ZERO = timedelta(0)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SETS = {
    frozenset(range(7)): "",
    frozenset(range(5)): " on weekdays",
    frozenset({5, 6}): " on weekends",
}


def trigger_words(trigger: Trigger) -> tuple[str, str]:
    """Say what starts a run: the thing itself, then its conditions.

    >>> from crmsdk.journeys.triggers import on
    >>> trigger_words(on("cart_updated").unless("purchase", within=timedelta(hours=2)))
    ('cart_updated', 'unless purchase within 2 hours')
    """
    title, detail = _trigger(trigger)
    if trigger.when is not None:
        detail = "; ".join(part for part in (detail, f"only if {describe(trigger.when)}") if part)
    return title, detail


def _trigger(trigger: Trigger) -> tuple[str, str]:
    match trigger:
        case OnEvent(event=event, tests=tests, unless_event=unless, unless_tests=others, within=within):
            detail = [_where(event, tests)] if tests else []
            if unless is not None:
                what = unless + (f" {_where(unless, others)}" if others else "")
                detail.append(f"unless {what} within {spell_span(within)}")
            return event, ", ".join(detail)
        case SegmentChange(segment=segment, change=change):
            return f"{change}s {segment.name}", describe(segment.predicate)
        case DateReached(attribute=attribute, offset=offset, at=at):
            return _dated(attribute, offset), f"dates at {_clock(at)}"
        case Schedule(cron=cron, zone=zone):
            return f"every {cron}", zone or "in the person's own zone"
        case ApiCall():
            return "call", "by the application"
        case _:
            raise AssertionError(trigger)


def _where(event: str, tests: tuple[PropTest, ...]) -> str:
    return describe(Did(Occurrences(event, tests=tests))).removeprefix(f"did {event} ")


def _dated(attribute: str, offset: timedelta) -> str:
    if offset == _ZERO:
        return attribute
    side = "before" if offset < _ZERO else "after"
    return f"{spell_span(abs(offset))} {side} {attribute}"


def _clock(at: time) -> str:
    return at.isoformat("auto" if at.second or at.microsecond else "minutes")


def step_words(step: Step) -> tuple[str, str]:
    """Say a step: what it is, then more about it.

    >>> from crmsdk.journeys.steps import local_time
    >>> step_words(Wait(local_time("09:00", on="weekdays")))
    ('until 09:00 on weekdays', "in the person's own zone")
    """
    at = cast("AnyStep", step)
    match at:
        case Send(template=template, via=via):
            return template, "by " + ", else ".join(via)
        case Wait():
            return _wait(at)
        case WaitFor(condition=condition, timeout=timeout):
            return f"until {describe(condition)}", f"at most {spell_span(timeout)}"
        case Branch():
            return "branch", ""
        case Split(experiment=experiment):
            return "split", experiment
        case Update(attribute=attribute, value=value):
            return f"set {attribute}", "to nothing" if value is None else f"to {value!r}"
        case Emit(event=event):
            return f"record {event}", ""
        case HandOver(task=task, to=to, within=within):
            return task, f"for {to}, within {spell_span(within)}"
        case Exit(reason=reason):
            return reason, ""
        case _:
            assert_never(at)


def _wait(at: Wait) -> tuple[str, str]:
    match at.until:
        case timedelta():
            return spell_span(at.until), ""
        case datetime():
            return f"until {at.until:%Y-%m-%d %H:%M} {at.until.tzname()}", ""
        case UntilLocal(clock, weekdays):
            days = _SETS.get(weekdays, " on " + ", ".join(_DAYS[day] for day in sorted(weekdays)))
            return f"until {_clock(clock)}{days}", "in the person's own zone"
        case UntilDate(attribute, offset, clock):
            return f"until {_dated(attribute, offset)}", f"dates at {_clock(clock)}"
        case _:
            assert_never(at.until)
