"""The journey the engine is measured on, ours and as ``python-statemachine`` writes it.

Event enters -> wait two days -> branch -> send -> end: three transitions a journey.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from statemachine import State, StateMachine

from crmsdk.journeys.definition import Journey, each_time
from crmsdk.journeys.program import Project
from crmsdk.journeys.programs import Programs
from crmsdk.journeys.steps import Branch, Send, Wait, When
from crmsdk.journeys.triggers import on
from crmsdk.model.event import Event
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.segments.words import did, prop

__all__ = ["LATER", "PROGRAMS", "START", "TOY", "WAIT", "Toy", "buys", "customers", "started"]

START: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
WAIT: Final = timedelta(days=2)
LATER: Final = START + WAIT

TOY: Final = Journey(
    "toy",
    enter=on("start"),
    entry=each_time(),
    kind="service",
    steps=[
        Wait(WAIT),
        Branch(
            When(did("start").where(prop("total") >= 50), [Send("thanks", "email", key="thanks")]),
            otherwise=[Send("more", "email", key="more")],
        ),
    ],
)
PROGRAMS: Final = Programs.of([TOY], project=Project(zone="UTC"))


def customers(n: int) -> list[CustomerId]:
    """Name so many customers, in an order that is not that of their ids."""
    return [CustomerId(f"c{number * 7919 % 1_000_003:07}") for number in range(n)]


def started(customer: CustomerId, number: int, at: datetime = START) -> Event:
    """Make the event that starts the journey; every other one is worth 100."""
    return Event(
        id=EventId(f"e{number:08}"),
        customer=customer,
        name="start",
        at=at,
        received=at,
        properties={"total": 100 if buys(number) else 10},
    )


def buys(number: int) -> bool:
    """Say which arm of the branch is taken."""
    return number % 2 == 0


class Toy(StateMachine):  # type: ignore[misc]  # peers are not installed for checks, so they are Any
    """The same journey; its callbacks put the message into a list."""

    outside = State(initial=True)
    waiting = State()
    sending = State()
    ended = State(final=True)

    enter = outside.to(waiting)
    due = waiting.to(sending, cond="is_rich", on="thank") | waiting.to(sending, on="offer")
    handed = sending.to(ended)

    def __init__(self, out: list[str], *, rich: bool) -> None:
        self.out = out
        self.rich = rich
        super().__init__()

    def is_rich(self) -> bool:
        """Choose the arm."""
        return self.rich

    def thank(self) -> None:
        """Send from the first arm."""
        self.out.append("thanks")

    def offer(self) -> None:
        """Send from the other arm."""
        self.out.append("more")
