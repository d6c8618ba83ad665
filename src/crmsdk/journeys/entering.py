"""Who may enter a journey, and what a new run looks like."""

from datetime import datetime

from crmsdk.experiments.split import in_holdout
from crmsdk.journeys.machine import view_of
from crmsdk.journeys.person import Enrollment, Person
from crmsdk.journeys.program import END, Program, Project
from crmsdk.model.event import Position
from crmsdk.model.ids import EnrollmentId, keyed_id
from crmsdk.model.values import Properties, Value
from crmsdk.segments.evaluating import holds

__all__ = ["ONCE_ONLY", "barred", "refused", "run_of"]

ONCE_ONLY = "entered before"
"""Why a journey of one entry a life bars every further one."""


def barred(program: Program, person: Person, key: str, now: datetime) -> str:
    """Say why the entry policy bars an entry; empty when it does not.

    Args:
        program: The journey.
        person: With all runs, ended ones too.
        key: The declared key's value as text; empty when the trigger declares none.
        now: UTC.
    """
    entry = program.journey.entry
    if entry.again == "always":
        return ""
    earlier = [run for run in person.enrollments if run.journey == program.name and run.key == key]
    if entry.again == "never":
        return ONCE_ONLY if earlier else ""
    if any(run.alive for run in earlier):
        return "already inside"
    if entry.cooldown and any(now - run.entered < entry.cooldown for run in earlier):
        return "entered too recently"
    return ""


def refused(program: Program, person: Person, run: Enrollment, now: datetime, *, zone: str) -> str:
    """Say which rule would end the run at once; empty when none would. Arguments as of ``holds``."""
    view = view_of(run)
    journey = program.journey
    if journey.goal is not None and holds(journey.goal, person.facts, now, run=view, zone=zone):
        return "goal already reached"
    if journey.exit is not None and holds(journey.exit, person.facts, now, run=view, zone=zone):
        return "exit already true"
    return ""


def run_of(
    program: Program,
    person: Person,
    *,
    key: str,
    key_name: str | None,
    key_value: Value,
    started_by: str,
    position: Position,
    values: Properties,
    now: datetime,
    project: Project,
) -> Enrollment:
    """Make a new run, before its first step.

    Args:
        program, person: Of which journey, and whose.
        key, key_name, key_value: The declared entry key: as text, its property, its value.
        started_by: Id of the event, moment of the segment, date, occurrence, or the caller's key.
        position: Place of the start in the total order of facts.
        values: For templates.
        now, project: The present moment, UTC; zone and key of the application.
    """
    journey = program.journey
    holdout = journey.holdout
    return Enrollment(
        id=EnrollmentId(keyed_id(project.secret, ("run", journey.name, person.id, key, started_by))),
        journey=journey.name,
        definition=program.hash,
        customer=person.id,
        key=key,
        key_name=key_name,
        key_value=key_value,
        position=position,
        entered=now,
        cursor=0 if program.nodes else END,
        since=now,
        values=values,
        control=holdout is not None
        and in_holdout(holdout.experiment or journey.name, person.id, holdout.share),
        goal_open=journey.goal is not None,
    )
