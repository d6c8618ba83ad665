"""A worker is killed at every kind of point; nothing is lost, nothing doubled at an idempotent provider."""

import asyncio
import json
import random  # noqa: TID251 - seeded, so a run is repeatable
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import MessageState
from crmsdk.policy.record import ContactState
from crmsdk.stores.sqlite import SqliteStore
from tests.scenarios.crash_worker import LATER, PEOPLE, STEPS

Run = Callable[..., str]


@pytest.fixture(scope="module")
def worker() -> Iterator[subprocess.Popen[str]]:
    """One process that forks for each job, so that a job costs milliseconds."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.scenarios.crash_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


class Campaign:
    """One database, one provider, and the worker's lives on them."""

    def __init__(self, worker: subprocess.Popen[str], folder: Path, idempotency: str) -> None:
        self.worker = worker
        self.db = folder / "crm.db"
        self.sink = folder / "sink.txt"
        self.progress = folder / "progress.txt"
        self.idempotency = idempotency
        self.late = 0.0

    def live(self, *, die_at: int = -1, **more: int) -> str:
        """Run until the end or the chosen death, from where the last life ended."""
        job: dict[str, Any] = {
            **more,
            "db": str(self.db),
            "sink": str(self.sink),
            "progress": str(self.progress),
            "idempotency": self.idempotency,
            "die_at": die_at,
            "from": int(self.progress.read_text() or 0) if self.progress.exists() else 0,
            "late": self.late,
        }
        assert self.worker.stdin is not None
        assert self.worker.stdout is not None
        self.worker.stdin.write(json.dumps(job) + "\n")
        self.worker.stdin.flush()
        self.late += LATER.total_seconds()
        return self.worker.stdout.readline().strip()

    def delivered(self) -> Counter[str]:
        """Count what the provider got, by key."""
        return Counter(self.sink.read_text().split()) if self.sink.exists() else Counter()

    async def look(self) -> tuple[list[str], Counter[MessageState], int, set[str]]:
        """Read the store: living runs, messages by state, places in the ledger, keys of what was sent."""
        store, ledger = SqliteStore(self.db), SqliteLedger(self.db)
        alive: list[str] = []
        states: Counter[MessageState] = Counter()
        places = 0
        sent = set()
        for person in await store.load([CustomerId(name) for name in PEOPLE]):
            assert person is not None
            assert len(person.enrollments) == 1
            alive += [run.id for run in person.enrollments if run.alive]
            (messages,) = await store.messages_of([person.id])
            for message in messages:
                states[message.state] += 1
                if message.state is MessageState.SENT:
                    sent.add(f"{message.id}.sink")
            contacts = await ledger.entries(person.id)
            places += sum(contact.state is ContactState.SENT for contact in contacts)
        await ledger.close()
        await store.close()
        return alive, states, places, sent


PLANNED = len(PEOPLE) * len(STEPS)


def _points(worker: subprocess.Popen[str], folder: Path) -> int:
    """Count the points of a life in which nobody dies."""
    folder.mkdir()
    answer = Campaign(worker, folder, "key").live()
    assert answer.startswith("done"), answer
    return int(answer.split()[1])


def _chosen(points: int, number: int) -> list[int]:
    return sorted(random.Random(5).sample(range(1, points + 1), min(number, points)))  # noqa: S311 - no secret


def test_t05_kill_between_claim_and_commit_loses_nothing_and_doubles_nothing(
    worker: subprocess.Popen[str], quick_path: Path, sized: Callable[[int, int], int]
) -> None:
    points = _points(worker, quick_path / "calm")
    assert points > PLANNED * 4
    for die_at in _chosen(points, sized(50, 10_000)):
        folder = quick_path / f"at-{die_at}"
        folder.mkdir()
        campaign = Campaign(worker, folder, "key")
        assert campaign.live(die_at=die_at) == "killed", die_at
        assert campaign.live().startswith("done"), die_at
        assert campaign.live().startswith("done"), die_at  # leases of the dead are over by now
        alive, states, places, sent = asyncio.run(campaign.look())
        assert not alive, die_at
        assert states == {MessageState.SENT: PLANNED}, die_at
        assert places == PLANNED, die_at
        assert set(campaign.delivered()) == sent, die_at
        assert max(campaign.delivered().values()) <= 2, die_at  # one repeat, under the same key


def test_t05_without_idempotency_nothing_is_sent_twice_and_doubt_is_listed(
    worker: subprocess.Popen[str], quick_path: Path, sized: Callable[[int, int], int]
) -> None:
    points = _points(worker, quick_path / "calm")
    in_doubt = 0
    for die_at in _chosen(points, sized(25, 10_000)):
        folder = quick_path / f"at-{die_at}"
        folder.mkdir()
        campaign = Campaign(worker, folder, "none")
        assert campaign.live(die_at=die_at) == "killed", die_at
        assert campaign.live().startswith("done"), die_at
        assert campaign.live().startswith("done"), die_at
        alive, states, _, _ = asyncio.run(campaign.look())
        assert not alive, die_at
        assert max(campaign.delivered().values(), default=1) == 1, die_at
        assert states[MessageState.SENT] + states[MessageState.IN_DOUBT] == PLANNED, die_at
        assert states[MessageState.SENT] <= len(campaign.delivered()), die_at
        in_doubt += states[MessageState.IN_DOUBT]
    assert in_doubt  # some deaths fall between the provider's answer and our commit


def test_t08_a_worker_killed_again_and_again_still_finishes(
    worker: subprocess.Popen[str], quick_path: Path
) -> None:
    campaign = Campaign(worker, quick_path, "key")
    luck = random.Random(8)  # noqa: S311 - no secret
    for _ in range(15):
        campaign.live(die_at=luck.randint(1, 60))
    assert campaign.live().startswith("done")
    assert campaign.live().startswith("done")
    alive, states, _, sent = asyncio.run(campaign.look())
    assert not alive
    assert states == {MessageState.SENT: PLANNED}
    assert set(campaign.delivered()) == sent


@pytest.mark.parametrize("idempotency", ["key", "none"])
def test_t01_six_processes_on_one_file_send_the_plan_and_nothing_twice(
    worker: subprocess.Popen[str], quick_path: Path, idempotency: str
) -> None:
    campaign = Campaign(worker, quick_path, idempotency)
    assert campaign.live(crowd=6) == "crowd 0"
    alive, states, places, sent = asyncio.run(campaign.look())
    assert not alive
    assert states == {MessageState.SENT: PLANNED}
    assert places == PLANNED
    assert campaign.delivered() == Counter(dict.fromkeys(sent, 1))
