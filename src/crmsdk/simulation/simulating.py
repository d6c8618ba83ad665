"""``simulate``: journeys and a policy on recorded facts, in one call, in one process or several."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Unpack

import attrs

from crmsdk.errors import InputError
from crmsdk.journeys.definition import Journey
from crmsdk.model.inputs import Input
from crmsdk.model.moment import to_moment
from crmsdk.ports import Channel
from crmsdk.runtime.options import Rules, listed_journeys
from crmsdk.simulation.parallel import joined, shards, side_by_side
from crmsdk.simulation.report import Report
from crmsdk.simulation.responses import Responses
from crmsdk.simulation.running import Progress, Simulation, facts_of

__all__ = ["simulate"]


def simulate(
    journeys: Sequence[Journey],
    history: Iterable[Input],
    *,
    start: datetime,
    until: datetime,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int = 1,
    zone: str = "UTC",
    channels: Iterable[Channel] | None = None,
    responses: Responses | None = None,
    **settings: Unpack[Rules],
) -> Report:
    """Run journeys and a policy on recorded facts, as production would have run them.

    Args:
        journeys: Those that take entries from ``start`` on.
        history: News of people, any order; those before ``start`` are known and start nothing.
        start, until: The span, aware; both ends included.
        seed: Of the answers.
        progress: Called about once per simulated day with start, the present moment and the end; of several
            workers the first one tells.
        workers: In how many processes; the report is the same for every number. What imagined channels keep
            stays in the process that sent it. Where the platform starts processes afresh (macOS, Windows), a
            script needs its ``if __name__ == "__main__"``.
        zone: IANA zone of people whose zone is unknown.
        channels: Imagined ones; by default one for each name the journeys use, that reaches everybody.
        responses: How people answer messages; by default nobody does.
        settings: As of ``Crm.open``: policy, templates, catalog … Without templates every one exists.

    Returns:
        Counts, reasons and timelines; shows itself as HTML in a notebook.

    Raises:
        CheckFailed: a journey that cannot run.
        NaiveMoment: ``start`` or ``until`` without an offset.
        InputError: ``until`` lies before ``start``; something in the history is no fact; no workers.
        ConfigError: journeys that are no list; with workers, something given cannot be handed to another
            process.
    """
    begin, end = to_moment(start, "start"), to_moment(until, "until")
    if end < begin:
        raise InputError("lies before start", field="until")
    run = _Run(
        journeys=listed_journeys(journeys),
        parts=shards(facts_of(history), workers),
        start=begin,
        until=end,
        seed=seed,
        progress=progress,
        zone=zone,
        channels=None if channels is None else tuple(channels),
        responses=responses,
        settings=settings,
    )
    return joined(side_by_side(run, range(workers)))


@attrs.frozen(kw_only=True)
class _Run:
    """One simulation a part; a value, so that it can be handed to another process."""

    journeys: Sequence[Journey]
    parts: Sequence[Sequence[Input]]
    start: datetime
    until: datetime
    seed: int
    progress: Progress | None
    zone: str
    channels: Sequence[Channel] | None
    responses: Responses | None
    settings: Rules

    def __call__(self, part: int) -> Report:
        simulation = Simulation(
            self.journeys,
            self.parts[part],
            start=self.start,
            zone=self.zone,
            channels=self.channels,
            responses=self.responses,
            seed=self.seed,
            **self.settings,
        )
        simulation.run(self.until, progress=self.progress if part == 0 else None)
        return simulation.report()
