"""A process that competes for places in a SQLite ledger: told by its arguments, started by the tests.

Usage: ``python contender.py PATH NAME ROUNDS TRIES LIMIT [hold]``

It says ``ready``, waits for a line, then tries to reserve in each round as often as told and commits what it
got, and says one line for each. With ``hold`` it waits for a line between each reserve and its commit.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.policy.request import NOTHING_KNOWN, ContactRequest
from crmsdk.policy.rules import cap
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.runtime.limiter import ContactLimiter

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LEASE = timedelta(hours=1)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def limiter_over(ledger: SqliteLedger, limit: int) -> ContactLimiter:
    policy = ContactPolicy(cap(limit, within=timedelta(days=1)))
    return ContactLimiter(policy, ledger, zone="UTC", lease=LEASE)


async def compete(path: Path, name: str, rounds: int, tries: int, *, limit: int, hold: bool) -> None:
    ledger = SqliteLedger(path, busy=timedelta(seconds=60))
    limiter = limiter_over(ledger, limit)
    say("ready")
    sys.stdin.readline()
    for number in range(rounds):
        for attempt in range(tries):
            message = MessageId(f"{name}-{attempt}")
            offer = ContactRequest(
                message_id=message, customer=CustomerId(f"p{number}"), channels="email", kind="promo"
            )
            decision = await limiter.reserve(offer, NOTHING_KNOWN, NOW + timedelta(microseconds=attempt))
            if decision.lease is None:
                continue
            say("reserved", number, message)
            if hold:
                sys.stdin.readline()
            await limiter.commit(decision.lease)
            say("committed", number, message)
    await ledger.close()
    say("done")


if __name__ == "__main__":
    where, who, turns, offers, most, *rest = sys.argv[1:]
    asyncio.run(compete(Path(where), who, int(turns), int(offers), limit=int(most), hold=bool(rest)))
