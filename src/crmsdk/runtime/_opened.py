"""An application whose database is open: its parts, and the ways that every call goes."""

import asyncio
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self

import attrs

from crmsdk.errors import ConfigError
from crmsdk.journeys.stimuli import Input
from crmsdk.model.customer import Identifier
from crmsdk.model.ids import sortable_id
from crmsdk.model.inputs import Input as News
from crmsdk.model.inputs import Track
from crmsdk.model.settings import DeliveryMode
from crmsdk.runtime.activation import activate, load_programs
from crmsdk.runtime.dispatch import Dispatcher
from crmsdk.runtime.finding import find_customer
from crmsdk.runtime.opening import Parts
from crmsdk.runtime.turning import Taken, Turner

__all__ = ["Opened"]


class Opened:
    """The parts of an application, from opening to closing; ``Crm`` is its face."""

    def __init__(self, parts: Parts) -> None:
        """Hold parts together; ``Crm.open`` makes them from plain settings."""
        self._parts = parts
        self._turner: Turner | None = None
        self._dispatcher: Dispatcher | None = None
        self._news = asyncio.Event()
        self._stopping = False

    async def __aenter__(self) -> Self:
        """Bring the journeys into force; where that fails, everything is let go of."""
        parts = self._parts
        try:
            programs = await load_programs(parts.store, parts.journeys, parts.project)
            await activate(parts.store, programs, parts.clock)
        except BaseException:
            await self._close()
            raise
        self._turner = Turner(
            store=parts.store,
            ledger=parts.ledger,
            programs=programs,
            clock=parts.clock,
            secret=parts.project.secret,
        )
        self._dispatcher = parts.dispatcher()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of channels and the database."""
        await self._close()

    if not TYPE_CHECKING:  # a type checker refuses a plain ``with`` by itself, if it does not see these

        def __enter__(self) -> NoReturn:
            """Refuse a plain ``with``, which cannot wait.

            Raises:
                ConfigError: always.
            """
            raise ConfigError(
                "this Crm is async; use 'async with Crm.open(...) as crm:', or Crm of crmsdk.blocking in "
                "sync code"
            )

        def __exit__(self, *_: object) -> None:
            """Be there: without it ``with`` would not come to ``__enter__``."""

    async def _close(self) -> None:
        self._turner = None
        await self._parts.close()

    async def _next_wakeup(self, paused: frozenset[str]) -> datetime | None:
        if self._parts.gate.mode is DeliveryMode.OFF:  # no message leaves, so none is waited for
            paused |= {"", *(program.name for program in self._turn().programs.pinned.values())}
        return await self._parts.store.next_due(paused=paused)

    def _now(self) -> datetime:
        return self._parts.clock.now()

    def _fresh_id(self) -> str:
        return sortable_id(self._now(), self._parts.entropy.bytes(10))

    def _turn(self) -> Turner:
        if self._turner is None:
            raise ConfigError("the Crm is not open; use 'async with Crm.open(...) as crm:'")
        return self._turner

    def _dispatch(self) -> Dispatcher:
        if self._dispatcher is None:
            raise ConfigError("the Crm is not open; use 'async with Crm.open(...) as crm:'")
        return self._dispatcher

    async def _dated(self, fact: Track) -> Track:
        """Date a fact that told no moment as it is dated already, so that a repeated call repeats it."""
        known = (await self._parts.store.find_events([fact.id])).get(fact.id)
        return fact if known is None else attrs.evolve(fact, at=known.at)

    async def _one(self, news: News) -> Taken:
        taken = await self._turn().take([news])
        self._news.set()
        if taken.refused:
            raise taken.refused[0].error
        return taken

    async def _command(self, who: str | Identifier, command: Input) -> None:
        await self._turn().command(await find_customer(self._parts.store, who), [command])
        self._news.set()
