"""What happens when journeys come into force: versions are kept, people inside are left where they are."""

from collections.abc import Sequence

from crmsdk.journeys.definition import Journey
from crmsdk.journeys.program import Project
from crmsdk.journeys.programs import Programs
from crmsdk.journeys.turn import react
from crmsdk.model.codec import dumps, loads
from crmsdk.ports import Clock, Store, StoredDefinition

__all__ = ["activate", "load_programs"]

_PAGE = 500


async def load_programs(store: Store, journeys: Sequence[Journey], project: Project) -> Programs:
    """Compile the journeys in force and every version anybody may still be in.

    Raises:
        DefinitionError: a journey that cannot be compiled.
        UnknownVersion: a stored version was written by a newer release.
    """
    stored = await store.definitions()
    return Programs.of(journeys, project=project, older=[loads(one.text, Journey) for one in stored])


async def activate(store: Store, programs: Programs, clock: Clock) -> frozenset[str]:
    """Bring new versions into force, and versions that were in force before the last.

    Everybody's answer to the segments, dates and schedules they watch is taken down silently, so that only
    changes from now on start runs. A process that dies in between starts over; nothing is sent by it.

    Returns:
        Names of the journeys that are new or changed.
    """
    newest = {one.name: one.hash for one in await store.definitions()}
    fresh = [program for program in programs.active.values() if newest.get(program.name) != program.hash]
    anew = frozenset(program.name for program in fresh)
    if anew & {name for name, _ in programs.watched}:
        await _sweep(store, programs, clock, anew)
    await store.save_definitions(
        [StoredDefinition(hash=one.hash, name=one.name, text=dumps(one.journey)) for one in fresh]
    )
    return anew


async def _sweep(store: Store, programs: Programs, clock: Clock, anew: frozenset[str]) -> None:
    after = None
    while page := await store.customers(after=after, limit=_PAGE):
        after = page[-1]
        waiting = list(page)
        while waiting:
            people = [person for person in await store.load(waiting) if person is not None]
            paused = await store.paused()  # after the people: a resume in between refuses our commit
            changes = [
                react(programs, person, now=clock.now(), paused=paused, anew=anew) for person in people
            ]
            written = await store.commit(changes)
            waiting = [change.person.id for change, done in zip(changes, written, strict=True) if not done]
