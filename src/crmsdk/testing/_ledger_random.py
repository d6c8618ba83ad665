"""Random plays of the ledger suite: the same moves on a ledger and on the one in memory."""

import asyncio
import random  # noqa: TID251 - seeded, so that a play repeats
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import MessageKind
from crmsdk.policy.answer import Lease
from crmsdk.policy.record import Check, Suppression
from crmsdk.policy.rules import ContactField
from crmsdk.ports import Ledger
from crmsdk.testing._ledger_play import DAY, HOUR, NOW, LedgerPlay, ask, at_most, lease_of, message, past

__all__ = ["RandomPlays"]

_PEOPLE: Final = [CustomerId(name) for name in ("ann", "bob", "cem")]
_CHANNELS: Final = ["email", "sms", "push"]
_ADDRESSES: Final = ["hash-1", "hash-2"]
_MOVES: Final = 60

Move: TypeAlias = Callable[[Ledger], Awaitable[object]]


class RandomPlays(LedgerPlay):
    """The ledger agrees with the reference, answer by answer.

    Attributes:
        plays: How many plays; each is 60 moves.
    """

    plays: int = 20

    def test_random_plays_agree_with_the_reference(self, tmp_path: Path) -> None:
        async def run() -> None:
            for seed in range(self.plays):
                folder = tmp_path / str(seed)
                folder.mkdir()
                reference, ledger = MemoryLedger(), await self.open_ledger(folder)
                try:
                    await _compare(_Player(seed), reference, ledger)
                finally:
                    await ledger.close()

        asyncio.run(run())


async def _compare(player: "_Player", reference: Ledger, ledger: Ledger) -> None:
    for number in range(_MOVES):
        move = player.next_move(number)
        expected, found = await move(reference), await move(ledger)
        assert _plain(found) == _plain(expected), f"play {player.seed}, move {number}"
        player.remember(expected)
    for person in _PEOPLE:
        assert list(await ledger.entries(person)) == list(await reference.entries(person))


def _plain(answer: object) -> object:
    return list(answer) if isinstance(answer, list | tuple) else answer


class _Player:
    """Draws moves from the edges: few people, few ids, moments around the ends of windows and leases."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._draw = random.Random(seed)  # noqa: S311 - a repeatable play, no secret
        self._now = NOW
        self._leases: list[Lease] = []

    def remember(self, answer: object) -> None:
        """Keep the leases that were given, to report on them later."""
        if isinstance(answer, Lease):
            self._leases.append(answer)

    def next_move(self, number: int) -> Move:
        """Draw a move, to be played on both ledgers."""
        draw = self._draw
        self._now += draw.choice([0, 0, 1, HOUR - 1, HOUR, DAY // 2, -1, -HOUR])
        now, person = self._now, draw.choice(_PEOPLE)
        leases = draw.sample(self._leases, min(len(self._leases), draw.randint(0, 2)))
        match draw.choices(range(10), weights=(40, 5, 15, 10, 4, 6, 6, 4, 3, 1))[0]:
            case 0:
                return self._reserve(now, person)
            case 1:
                asked = ask("m1", customer=person, now=now, since=now - DAY)
                return lambda ledger: ledger.read([asked])
            case 2:
                return lambda ledger: ledger.commit(leases)
            case 3:
                return lambda ledger: ledger.release(leases)
            case 4:
                name = message(f"m{draw.randint(0, 9)}")
                sent = draw.random() < 0.5
                return lambda ledger: ledger.resolve(person, name, sent=sent, now=now)
            case 5:
                made = past(
                    f"p{number}", now - draw.choice([0, 1, HOUR, DAY]), channel=draw.choice(_CHANNELS)
                )
                return lambda ledger: ledger.record([(person, made)])
            case 6:
                return self._suppression(person)
            case 7:
                return lambda ledger: ledger.in_doubt(now)
            case 8:
                target = draw.choice(_PEOPLE)
                only = [message(f"m{number}") for number in range(5)] if draw.random() < 0.3 else None
                return lambda ledger: ledger.move(person, target, only=only)
            case _:
                return lambda ledger: ledger.erase(person)

    def _reserve(self, now: int, person: CustomerId) -> Move:
        draw = self._draw
        channels = draw.sample(_CHANNELS, draw.randint(1, 3))
        asked = ask(
            f"m{draw.randint(0, 9)}",
            *(self._check(channels[0], now) for _ in range(draw.randint(0, 3))),
            customer=person,
            channels=channels,
            now=now,
            since=now - 2 * DAY,
            lease=draw.choice([1, HOUR, DAY]),
            kind=draw.choice(list(MessageKind)),
            sender=draw.choice(["news", "shop"]),
            addresses={channel: draw.choice(_ADDRESSES) for channel in channels},
        )

        async def play(ledger: Ledger) -> object:
            (answer,) = await ledger.reserve([asked])
            if answer.contact is not None:
                self._leases.append(lease_of(answer, person))
            return answer

        return play

    def _check(self, channel: str, now: int) -> Check:
        draw = self._draw
        where = {
            ContactField.CHANNEL: draw.sample(_CHANNELS, 2),
            ContactField.SENDER: ["news"],
            ContactField.KIND: ["promo", "trigger"],
        }
        return at_most(
            draw.randint(1, 4),
            window=draw.choice([1, HOUR, DAY, 2 * DAY]),
            since=draw.choice([None, None, now - HOUR]),
            where=dict(draw.sample(list(where.items()), draw.randint(0, 2))),
            distinct=draw.choice([None, None, channel]),
        )

    def _suppression(self, person: CustomerId) -> Move:
        draw = self._draw
        channel = draw.choice([*_CHANNELS, "*"])
        if draw.random() < 0.3:
            stop = Suppression(address=draw.choice(_ADDRESSES), channel=channel)
        else:
            stop = Suppression(customer=person, channel=channel)
        if draw.random() < 0.5:
            return lambda ledger: ledger.unsuppress([stop])
        return lambda ledger: ledger.suppress([stop])
