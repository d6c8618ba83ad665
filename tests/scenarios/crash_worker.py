"""A process that runs one small campaign and dies at a chosen point; told what to do on standard input.

Every call of a port has two points, before and after it. ``die_at`` counts them; at that one the process
kills itself with SIGKILL, as a power cut or an out-of-memory killer would. Each job runs in its own fork.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.definition import Journey, once
from crmsdk.journeys.steps import Branch, Send, Wait, When
from crmsdk.journeys.triggers import on
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.address import ByCustomer
from crmsdk.model.content import ChatContent, Content, Envelope
from crmsdk.model.message import Accepted, Outcome
from crmsdk.model.provider import Capabilities, Idempotency
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.segments.words import attr, did
from crmsdk.stores.sqlite import SqliteStore

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
MOMENTS = (START, START + timedelta(days=2))
PEOPLE = tuple(f"person-{number}" for number in range(4))
STEPS = ("first", "second")
TEMPLATES = {"hello": {"sink.en": "Hello\n"}}
LATER = timedelta(minutes=20)  # longer than any lease

JOURNEY = Journey(
    "toy",
    enter=on("signed_up"),
    entry=once(),
    kind="content",
    goal=did("never_happens").since_entry(),
    steps=[
        Send("hello", "sink", key=STEPS[0]),
        Wait(timedelta(days=2)),
        Branch(
            When(attr("vip").exists(), [Send("hello", "sink", key="vip")]),
            otherwise=[Send("hello", "sink", key=STEPS[1])],
        ),
    ],
)


class Sink(MemoryChannel):
    """A provider whose memory is a file, so that it survives the death of its caller."""

    def __init__(self, path: str, idempotency: Idempotency) -> None:
        super().__init__(
            "sink",
            capabilities=Capabilities(content=ChatContent, address=ByCustomer(), idempotency=idempotency),
        )
        self._path = path

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        for envelope in envelopes:
            with open(self._path, "a", encoding="ascii") as file:  # noqa: ASYNC230, PTH123 - a line is one write
                file.write(envelope.key + "\n")
            point()
        return [Accepted()] * len(envelopes)


class Mortal:
    """Passes calls on to a port, with a point before and after each."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            point()
            result = await found(*args, **kwargs)
            point()
            return result

        return call


passed = 0
die_at = -1


def point() -> None:
    """Count a point, and die at the chosen one."""
    global passed  # noqa: PLW0603 - the whole process is one count
    passed += 1
    if passed == die_at:
        os.kill(os.getpid(), signal.SIGKILL)


async def campaign(job: dict[str, Any]) -> None:
    """Run the campaign from a moment on, or at ``moments`` alone; ``late`` is how long after it."""
    clock = VirtualClock(MOMENTS[job["from"]] + timedelta(seconds=job["late"]))
    async with Crm.over(
        Mortal(SqliteStore(job["db"])),  # type: ignore[arg-type]  # a port by its methods
        ledger=Mortal(SqliteLedger(job["db"])),  # type: ignore[arg-type]  # the same
        journeys=[JOURNEY],
        channels=[Sink(job["sink"], Idempotency(job["idempotency"]))],
        templates=TEMPLATES,
        zone="UTC",
        mode="live",
        clock=clock,
        worker=f"worker-{os.getpid()}",
    ) as crm:
        for index in job.get("moments", range(job["from"], len(MOMENTS))):
            clock.set(MOMENTS[index])
            with open(job["progress"], "w", encoding="ascii") as file:  # noqa: ASYNC230, PTH123 - tests only
                file.write(str(index))
            if index == 0:
                for person in PEOPLE:
                    await crm.track(person, "signed_up", {}, id=f"signed-{person}", at=MOMENTS[0])
            await crm.advance(limit=job.get("limit", 500))


def crowd(job: dict[str, Any]) -> None:
    """Run many workers at once, all at one moment, then all at the next; say how many failed."""
    failed = 0
    for index in range(len(MOMENTS)):
        children = []
        for _ in range(job["crowd"]):
            child = os.fork()
            if child == 0:
                asyncio.run(campaign({**job, "moments": [index], "limit": 1}))
                os._exit(0)
            children.append(child)
        failed += sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children)
    sys.stdout.write(f"crowd {failed}\n")
    sys.stdout.flush()


def main() -> None:
    """Read one job a line, run it in a fork, say how it ended."""
    global die_at, passed
    for line in sys.stdin:
        job = json.loads(line)
        if "crowd" in job:
            crowd(job)
            continue
        child = os.fork()
        if child == 0:
            die_at, passed = job["die_at"], 0
            asyncio.run(campaign(job))
            sys.stdout.write(f"done {passed}\n")
            sys.stdout.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            sys.stdout.write("killed\n")
            sys.stdout.flush()
        elif os.waitstatus_to_exitcode(status):
            sys.stdout.write("failed\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
