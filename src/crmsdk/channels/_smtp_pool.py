"""Connections to a mail server that are kept and lent, one to a message at a time."""

import asyncio
from collections import deque
from collections.abc import Sequence

from typing_extensions import override

from crmsdk.channels._email import EmailSending, Letter
from crmsdk.channels._smtp_server import Server
from crmsdk.channels._smtp_session import BrokenBefore, Session
from crmsdk.channels.pacing import Pace
from crmsdk.errors import TransientError
from crmsdk.model.content import EmailContent, Envelope
from crmsdk.model.message import Deferred, Outcome, Scope, Sender
from crmsdk.model.provider import Idempotency, SendContext


class Pool:
    """Lends connections, the one used last first, so that the others grow old and go.

    Connections belong to the event loop that opened them: another loop gets new ones.

    Args:
        server: Where to connect.
        size: How many at a time.
        messages: After so many messages a connection is renewed.
        idle: After so many seconds unused it is renewed.
        pace: The clock.
    """

    def __init__(self, server: Server, *, size: int, messages: int, idle: float, pace: Pace) -> None:
        self._server = server
        self._size = size
        self._messages = messages
        self._idle = idle
        self._pace = pace
        self._free: deque[tuple[Session, float]] = deque()
        self._slots = asyncio.Semaphore(size)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, letter: Letter) -> Outcome:
        """Send one e-mail, over a kept connection if there is one.

        A kept connection may have died unseen, so a message that it certainly did not take goes out
        again over a new one.

        Raises:
            TransientError: no connection now, or it broke before the message had left.
            AuthError, ConfigError: as ``Session.open``.
        """
        self._follow_loop()
        async with self._slots:
            session = await self._kept()
            if session is not None:
                try:
                    outcome = await session.send(letter)
                except BrokenBefore:
                    pass
                else:
                    if session.usable or not isinstance(outcome, Deferred):
                        await self._give_back(session)
                        return outcome
            session = await Session.open(self._server)
            try:
                outcome = await session.send(letter)
            except BrokenBefore as error:
                raise TransientError(f"the connection broke before the message had left ({error})") from None
            await self._give_back(session)
            return outcome

    async def aclose(self) -> None:
        """Say goodbye on every free connection."""
        self._follow_loop()
        while self._free:
            await self._free.pop()[0].close()

    def _follow_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._free.clear()
            self._slots = asyncio.Semaphore(self._size)

    async def _kept(self) -> Session | None:
        while self._free:
            session, since = self._free.pop()
            if session.usable and self._pace.elapsed() - since <= self._idle:
                return session
            session.abandon()
        return None

    async def _give_back(self, session: Session) -> None:
        if not session.usable:
            return
        if session.sent >= self._messages:
            await session.close()
        else:
            self._free.append((session, self._pace.elapsed()))


class SmtpSending(EmailSending):
    """Sends each e-mail in a transaction of its own."""

    def __init__(self, pool: Pool, *, name: str, sender: Sender | None) -> None:
        super().__init__(name, sender=sender, idempotency=Idempotency.NONE)
        self._pool = pool

    @override
    async def send(self, batch: Sequence[Envelope[EmailContent]], context: SendContext) -> Sequence[Outcome]:
        return [await self._send_one(envelope) for envelope in batch]

    @override
    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _send_one(self, envelope: Envelope[EmailContent]) -> Outcome:
        letter = self.letter(envelope)
        try:
            return await self._pool.send(letter)
        except TransientError as error:
            # Not this recipient's fault: nobody would be reached now.
            return Deferred(reason=str(error), scope=Scope.ACCOUNT)
