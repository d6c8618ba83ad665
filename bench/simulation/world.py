"""A small world simulated, next to the same journeys stepped by ``python-statemachine``.

People start the toy journey now and then, wait two days, and get their message. Ours is the whole runtime on
the virtual clock: the facts of every person, the default contact policy with its ledger, rendering and
timelines. The peer knows no policy, no facts and no people: one heap of moments, one machine a journey, and
callbacks that append to a list.
"""

import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from bench.engine._toy import START, TOY, WAIT, Toy
from bench.frame import Run, Side, versus
from crmsdk.model.customer import Identifier
from crmsdk.model.ids import EventId
from crmsdk.model.inputs import Track
from crmsdk.policy.ruleset import default_policy
from crmsdk.simulation import simulate

__all__ = ["world_sides"]

PEOPLE: Final = 300
DAYS: Final = 60
N: Final = PEOPLE * DAYS
PACE: Final = 12
"""Days from one start of a person to the next, on average."""


def _history(people: int, days: int) -> list[Track]:
    """Draw starts at random seconds, each person's own number of them."""
    luck = Random(7)
    out = []
    for person in range(people):
        for place in range(luck.randrange(2 * days // PACE + 1)):
            at = START + timedelta(seconds=luck.randrange(days * 86_400))
            out.append(
                Track(
                    id=EventId(f"e{person}-{place}"),
                    identifiers=(Identifier("user", f"p{person}"),),
                    at=at,
                    received=at,
                    name="start",
                    properties={"total": luck.choice((10, 100))},
                )
            )
    return sorted(out, key=lambda one: one.order)


def _ours(history: Sequence[Track], until: datetime) -> Side:
    def play() -> None:
        report = simulate([TOY], history, start=START, until=until, zone="UTC", policy=default_policy())
        (row,) = report.runs()
        assert row["entered"] == len(history), row

    return lambda: play


def _peer(history: Sequence[Track], until: datetime) -> Side:
    def prepare() -> Run:
        def play() -> None:
            out: list[str] = []
            order = count()
            due: list[tuple[datetime, int, Toy]] = []

            def fire(upto: datetime) -> None:
                while due and due[0][0] <= upto:
                    _, _, machine = heapq.heappop(due)
                    machine.due()
                    machine.handed()

            for one in history:
                fire(one.at)
                machine = Toy(out, rich=one.properties["total"] == 100)
                machine.enter()
                heapq.heappush(due, (one.at + WAIT, next(order), machine))
            fire(until)
            assert len(out) == len(history), len(out)

        return play

    return prepare


def world_sides(people: int, days: int) -> tuple[Side, Side]:
    """Simulate so many people for so many days, and step their machines."""
    history = _history(people, days)
    until = START + timedelta(days=days) + WAIT
    return _ours(history, until), _peer(history, until)


@versus("simulation.people_days", n=N, peer="python-statemachine 3", least=0.6)
def people_days() -> tuple[Side, Side]:
    """Count days that people live."""
    return world_sides(PEOPLE, DAYS)
