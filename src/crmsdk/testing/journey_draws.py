"""Strategies for hypothesis: random small journeys, and what may happen to the people inside.

Every journey compiles. None starts itself, and spans are short, so that whoever fires all timers and answers
all messages comes to the end of every run. Events, attributes and moments are those of
``crmsdk.testing.draws``. Needs hypothesis.

    @given(journeys(), histories())
    def test_my_runtime_agrees(journey, facts): ...
"""

from datetime import datetime, time, timedelta
from functools import cache
from typing import Literal

from hypothesis import strategies as st

from crmsdk.journeys.definition import Entry, Journey
from crmsdk.journeys.steps import (
    Arm,
    Branch,
    Emit,
    Exit,
    HandOver,
    Send,
    Split,
    Step,
    Update,
    Wait,
    WaitFor,
    When,
    date_of,
    local_time,
)
from crmsdk.journeys.stimuli import Consented, Entered, Happened, Held, Input, Resumed, Stopped, Wrote
from crmsdk.journeys.triggers import Trigger, by_call, enters, every, leaves, on, on_date
from crmsdk.model.consent import ANY, ConsentState, ConsentWrite
from crmsdk.model.customer import AttributeWrite
from crmsdk.model.ids import EventId
from crmsdk.model.message import MessageKind
from crmsdk.segments.grammar import Condition, Predicate
from crmsdk.segments.words import attr, did
from crmsdk.testing.draws import NOW, events, moments, predicates, run_predicates, values

__all__ = ["SPANS", "conditions", "inputs", "journeys", "rows", "triggers"]

SPANS = (
    timedelta(microseconds=1),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(hours=25),
    timedelta(days=30),
)
_EVENTS = ("purchase", "visit")
_PAST: tuple[Literal["continue", "exit"], ...] = ("continue", "exit")
_REFUSAL: tuple[Literal["skip", "exit"], ...] = ("skip", "exit")
_ZONES = (None, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Tokyo")


@cache  # a strategy made anew at every draw costs more than the draw
def _spans() -> st.SearchStrategy[timedelta]:
    return st.sampled_from(SPANS)


@cache
def conditions() -> st.SearchStrategy[Condition]:
    """Draw a condition of a run: mostly a simple one, so that both answers are likely."""
    simple: st.SearchStrategy[Condition] = st.sampled_from(
        [
            did("purchase").since_entry(),
            did("visit").since_entry().any_key(),
            did("visit").since_entry().within(timedelta(hours=1)),
            did("visit").within(timedelta(days=1)),
            ~did("visit").within(timedelta(days=1)),
            attr("city") == "a",
            attr("seen").exists(),
        ]
    )
    return st.one_of(simple, simple, predicates(max_leaves=2), run_predicates())


@st.composite
def _waits(draw: st.DrawFn) -> Wait:
    past = draw(st.sampled_from(_PAST))
    match draw(st.integers(0, 3)):
        case 0:
            return Wait(draw(_spans()), past=past)
        case 1:
            clock = draw(st.sampled_from(("02:30", "09:00", "00:00")))
            days = draw(st.sampled_from(("every day", "weekdays", "mon")))
            return Wait(local_time(clock, on=days), past=past)
        case 2:
            offset = draw(_spans()) * draw(st.sampled_from((-1, 0, 1)))
            return Wait(date_of("signup", offset), past=past)
        case _:
            return Wait(draw(moments().filter(lambda moment: moment.year < 9000)), past=past)


@st.composite
def _steps(draw: st.DrawFn, depth: int) -> Step:
    def inner() -> list[Step]:
        return draw(rows(depth - 1, size=2))

    match draw(st.integers(0, 9 if depth else 5)):
        case 0 | 1:
            via = draw(st.sampled_from((("email",), ("telegram", "sms"))))
            refusal = draw(st.sampled_from(_REFUSAL))
            return Send(draw(st.sampled_from(("hello", "again"))), via, on_refusal=refusal)
        case 2 | 3:
            return draw(_waits())
        case 4:
            return Update("seen", draw(st.sampled_from((1, "a", None))))
        case 5:
            return Emit("ping", draw(st.sampled_from(({}, {"qty": 1}))))
        case 6:
            arms = [When(draw(conditions()), inner()) for _ in range(draw(st.integers(1, 2)))]
            return Branch(*arms, otherwise=inner())
        case 7:
            weights = draw(st.sampled_from(((1, 1), (0, 3), (0.2, 0.8))))
            return Split("test", Arm("a", weights[0], inner()), Arm("b", weights[1], inner()))
        case 8:
            grace = draw(st.sampled_from((timedelta(0), timedelta(hours=1))))
            return WaitFor(
                draw(conditions()), timeout=draw(_spans()), then=inner(), otherwise=inner(), grace=grace
            )
        case _:
            done = [*inner(), Exit("done")] if draw(st.booleans()) else inner()
            return HandOver("call", to="sales", within=draw(_spans()), done=done, overdue=inner())


@cache
def rows(depth: int = 2, *, size: int = 3) -> st.SearchStrategy[list[Step]]:
    """Draw a row of steps.

    Args:
        depth: How often steps may hold further rows.
        size: How many steps a row has at most.
    """
    return st.lists(_steps(depth), max_size=size)


@cache
def _predicates() -> st.SearchStrategy[Predicate]:
    likely = st.sampled_from([attr("city") == "a", did("visit").within(timedelta(days=1)), attr("age") >= 2])
    return st.one_of(likely, predicates(max_leaves=2))


@st.composite
def triggers(draw: st.DrawFn) -> Trigger:
    """Draw a trigger of any kind."""
    match draw(st.integers(0, 6)):
        case 0 | 1:
            made = on(draw(st.sampled_from(_EVENTS)), key=draw(st.sampled_from((None, "qty", "amount"))))
            if draw(st.booleans()):
                made = made.unless(
                    draw(st.sampled_from(_EVENTS)),
                    within=draw(_spans()),
                    anchor=draw(st.sampled_from(("first", "last"))),
                )
            return made
        case 2:
            return enters(draw(_predicates()), "inside")
        case 3:
            return leaves(draw(_predicates()), "inside")
        case 4:
            offset = timedelta(days=draw(st.integers(-2, 2)))
            return on_date("signup", offset, at=draw(st.sampled_from((time(2, 30), time(9)))))
        case 5:
            return every(
                draw(st.sampled_from(("30 2 * * *", "0 10 * * mon"))), zone=draw(st.sampled_from(_ZONES))
            )
        case _:
            return by_call()


@st.composite
def journeys(
    draw: st.DrawFn, *, name: str = "drawn", enter: st.SearchStrategy[Trigger] | None = None
) -> Journey:
    """Draw a journey.

    Args:
        draw: Hypothesis' own.
        name: Its name.
        enter: What its triggers are drawn from; any if left out.
    """
    made = draw(st.lists(triggers() if enter is None else enter, min_size=1, max_size=2))
    return Journey(
        name,
        enter=made,
        steps=draw(rows()),
        kind=draw(st.sampled_from(MessageKind)),
        goal=draw(st.one_of(st.none(), conditions())),
        exit=draw(st.one_of(st.none(), conditions())),
        entry=draw(
            st.one_of(
                st.builds(Entry, st.sampled_from(("never", "always"))),
                st.builds(Entry, st.just("after_exit"), st.sampled_from((timedelta(0), timedelta(days=1)))),
            )
        ),
        lifetime=draw(st.one_of(st.none(), _spans())),
        holdout=draw(st.sampled_from((None, 0.5))),
        overdue=draw(st.sampled_from(("send", "skip", "reschedule"))),
        max_lateness=draw(st.sampled_from((timedelta(0), timedelta(hours=1), timedelta(days=1)))),
    )


@st.composite
def _input(draw: st.DrawFn, number: int, name: str, around: datetime) -> Input:
    at = draw(moments(around).filter(lambda moment: 2000 < moment.year < 3000))
    match draw(st.integers(0, 8)):
        case 0 | 1 | 2:
            return Happened(event=draw(events(number=number)))
        case 3 | 4:
            written = draw(st.sampled_from(("city", "age", "signup")))
            write = AttributeWrite(name=written, value=draw(values()), at=at, id=EventId(f"w{number}"))
            return Wrote(at=at, id=f"w{number}", attributes=(write,), zone=draw(st.sampled_from(_ZONES)))
        case 5:
            state = draw(st.sampled_from(ConsentState))
            return Consented(consent=ConsentWrite(channel=ANY, state=state, at=at, id=f"c{number}"))
        case 6:
            return Entered(at=at, journey=name, key=f"k{number}")
        case 7:
            return Held(at=at) if draw(st.booleans()) else Resumed(at=at)
        case _:
            return Stopped(at=at, journey=name)


@st.composite
def inputs(
    draw: st.DrawFn, *, name: str = "drawn", first: int = 0, size: int = 5, around: datetime = NOW
) -> list[Input]:
    """Draw what happens to one person: events, writes, consents, calls and commands.

    Args:
        draw: Hypothesis' own.
        name: The journey that calls and stops name; calls need its ``by_call`` trigger.
        first: Ids are numbered from here, so that several draws name different facts.
        size: How many at most.
        around: Moments lie before and after it.
    """
    count = draw(st.integers(0, size))
    return [draw(_input(first + number, name, around)) for number in range(count)]
