"""How segments grow and shrink from one moment to the next, and who moves from where to where.

    parts = [stages.segment(name) for name in stages.names]
    answers = [audience.memberships(parts, at=day) for day in days]
    for step in dynamics(answers):
        print(step.at, step.segment, step.size, step.entered, step.left)
    moved = flows(answers[0], answers[-1])
    print(moved.get((stages.segment("new").name, stages.segment("sleeping").name), 0))

A segment of a stage is named after both, as ``lifecycle: new``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import compress, pairwise

import attrs

from crmsdk.errors import InputError
from crmsdk.segments.memberships import Memberships

__all__ = ["Step", "dynamics", "flows"]


@attrs.frozen(kw_only=True)
class Step:
    """One segment at one moment: ``size == size before + entered - left``.

    Attributes:
        at: The moment, UTC.
        segment: Its name.
        size: Its members.
        entered: Members who were none at the moment before.
        left: Members at the moment before who are none now.
    """

    at: datetime
    segment: str
    size: int
    entered: int
    left: int


def dynamics(answers: Iterable[Memberships]) -> list[Step]:
    """Compare each answer with the one before it; the first one is where the others begin.

    Returns:
        A row for each segment at each moment but the first, moments first.

    Raises:
        InputError: the answers do not rise in time, or do not ask the same segments.
    """
    steps = []
    for before, now in pairwise(answers):
        if now.at <= before.at:
            raise InputError("do not rise in time; sort the answers by their moment", field="answers")
        if now.names != before.names:
            raise InputError("are of different segments; ask the same ones each time", field="answers")
        for name, turnover in now.diff(before).items():
            counts = len(turnover.entered), len(turnover.left)
            steps.append(
                Step(at=now.at, segment=name, size=now.count(name), entered=counts[0], left=counts[1])
            )
    return steps


def flows(before: Memberships, now: Memberships) -> Mapping[tuple[str, str], int]:
    """Count who was where, and is where: of segments that exclude each other, as stages do.

    Returns:
        Segment before and segment now to the number of people; empty text stands for none of them, and for
        people who were not there, or are not any more.

    Raises:
        InputError: somebody is in two of the segments at once.
    """
    places = [_places(answer) for answer in (before, now)]
    everybody = dict.fromkeys((*before.people, *now.people))
    return dict(Counter((places[0].get(who, ""), places[1].get(who, "")) for who in everybody))


def _places(answer: Memberships) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in answer.names:
        for customer in compress(answer.people, answer.bits(name)):
            if customer in found:
                raise InputError(
                    f"overlap: somebody is in {found[customer]!r} and in {name!r}; ask stages, or segments "
                    "that exclude each other",
                    field="segments",
                )
            found[customer] = name
    return found
