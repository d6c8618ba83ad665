"""One thread with an event loop of its own, into which any other thread carries its calls.

The caller's thread may run a loop itself, as a notebook does; it is not touched.
"""

import asyncio
import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, Generic, TypeAlias, TypeVar

from crmsdk.errors import ConfigError

__all__ = ["Portal"]

T = TypeVar("T")

_Works: TypeAlias = tuple[asyncio.AbstractEventLoop, asyncio.Event]

# On Windows a wait without end does not see Ctrl-C.
_SLICE: Final = 0.2 if os.name == "nt" else None
_CLOSED: Final = "the Crm is closed; open a new one"
_INTERRUPTS: Final = (KeyboardInterrupt, SystemExit)


class _Call(Generic[T]):
    """One piece of work on its way through the portal."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._done: Future[T] = Future()

    # In the portal's thread.

    def start(self, calls: "set[_Call[Any]]") -> None:
        self._task = asyncio.get_running_loop().create_task(self._carry())
        self._task.add_done_callback(lambda _: calls.discard(self))
        self._task.add_done_callback(lambda _: self.give_up())

    def end_by(self, stop: Callable[[], object]) -> None:
        if self._task is None:
            self.give_up()  # the interrupt came before the call had got here
        else:
            stop()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _carry(self) -> None:
        try:
            result = await self._work
        except asyncio.CancelledError:
            self.give_up()
        except BaseException as error:  # noqa: BLE001 - even SystemExit is the caller's, and must not end the loop
            self._done.set_exception(error)
        else:
            self._done.set_result(result)

    # In any thread.

    def give_up(self) -> None:
        """End work that has not ended by itself; where it has, nothing happens."""
        if not self._done.done():
            self._done.set_exception(ConfigError("the Crm was closed while this call was under way"))
        with contextlib.suppress(RuntimeError):  # it is being cancelled this moment and closes itself
            self._work.close()

    def settle(self) -> None:
        """Wait until the work has ended, however it did."""
        while True:
            try:
                self._done.exception(_SLICE)
            except TimeoutError:
                continue
            return

    def result(self) -> T:
        """Give what the ended work gave, or raise what it raised."""
        return self._done.result()

    @property
    def ended(self) -> bool:
        """Whether the work has ended."""
        return self._done.done()


def _serve(started: Future[_Works], calls: set[_Call[Any]]) -> None:
    """Run a loop until it is told to stop; it holds no reference to the portal, so that may be collected."""

    async def until_stopped() -> None:
        stop = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), stop))
        await stop.wait()

    try:
        with asyncio.Runner() as runner:
            runner.run(until_stopped())
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)
    finally:
        for call in tuple(calls):  # those that came after the last round of the loop
            call.give_up()


def _let_go(owner: int, works: _Works) -> None:
    loop, stop = works
    if owner == os.getpid():
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(stop.set)


class Portal:
    """Carries calls of any number of threads into one event loop.

    A call made while the thread waits on Ctrl-C is cancelled, waited for, and the interrupt goes on. Context
    variables of the caller are those of the call.
    """

    def __init__(self) -> None:
        started: Future[_Works] = Future()
        self._owner = os.getpid()
        self._calls: set[_Call[Any]] = set()
        self._closed = False
        # Reentrant, so that a signal handler may close what the thread below it is just calling.
        self._gate = threading.RLock()
        # A daemon: a Crm that nobody closed must not keep the interpreter from ending.
        self._thread = threading.Thread(
            target=_serve, args=(started, self._calls), name="crmsdk-portal", daemon=True
        )
        self._thread.start()
        self._works = started.result()
        weakref.finalize(self, _let_go, self._owner, self._works).atexit = False

    @property
    def closed(self) -> bool:
        """Whether calls are refused; always in a process forked off."""
        return self._closed or self._owner != os.getpid()

    def call(self, work: Coroutine[Any, Any, T], *, gently: Callable[[], object] | None = None) -> T:
        """Run work in the portal's thread and wait for it.

        Args:
            work: Not yet started.
            gently: What to do there at a first interrupt, before the work is cancelled at the second.

        Raises:
            ConfigError: the portal is closed, was opened before a fork, or is called from its own thread.
        """
        return self._carried(work, self._admit, gently)

    def _carried(
        self,
        work: Coroutine[Any, Any, T],
        start: Callable[[_Call[Any]], None],
        gently: Callable[[], object] | None = None,
    ) -> T:
        call = _Call(work)
        try:
            start(call)
            call.settle()
        except ConfigError:  # refused; what the work raises comes out of `result`
            work.close()
            raise
        except BaseException:
            self._interrupt(call, gently)
            raise
        return call.result()

    def _interrupt(self, call: _Call[Any], gently: Callable[[], object] | None) -> None:
        """End a call whose thread was interrupted, harder at each further interrupt; then leave it alone."""
        for stop in (gently, call.cancel):
            if stop is not None and not call.ended:
                with contextlib.suppress(*_INTERRUPTS):
                    self.post(partial(call.end_by, stop))
                    call.settle()

    def post(self, function: Callable[[], object]) -> None:
        """Run a function in the portal's thread soon, without waiting; safe in a signal handler.

        Calls made before have begun by then.
        """
        if self._owner == os.getpid():
            loop = self._works[0]
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                # The first hop comes behind the start of earlier calls, the second behind their first step.
                loop.call_soon_threadsafe(loop.call_soon, function)

    def close(
        self, last: Callable[[], Coroutine[Any, Any, None]], *, gently: Callable[[], object] | None = None
    ) -> None:
        """Wait for the calls under way, do the last work, and end the thread; may be repeated.

        In a process forked off nothing happens: everything belongs to the parent.

        Args:
            last: Makes the last work.
            gently: What makes calls end that would go on for ever.

        Raises:
            ConfigError: it is called from the portal's own thread.
        """
        if self._owner != os.getpid():
            return
        self._refuse_own_thread()
        with self._gate:
            first, self._closed = not self._closed, True
        if first:
            try:
                if gently is not None:
                    self.post(gently)
                for call in tuple(self._calls):
                    call.settle()
                self._carried(last(), self._start)
            finally:
                _let_go(self._owner, self._works)
        self._thread.join()

    def _admit(self, call: _Call[Any]) -> None:
        if self._owner != os.getpid():
            raise ConfigError("this Crm was opened before a fork; open one in each process")
        self._refuse_own_thread()
        with self._gate:
            if self._closed:
                raise ConfigError(_CLOSED)
            self._start(call)

    def _start(self, call: _Call[Any]) -> None:
        self._calls.add(call)
        try:
            self._works[0].call_soon_threadsafe(call.start, self._calls)
        except RuntimeError:
            self._calls.discard(call)
            raise ConfigError(_CLOSED) from None

    def _refuse_own_thread(self) -> None:
        if threading.current_thread() is self._thread:
            raise ConfigError(
                "a blocking Crm is used inside its own thread, where it would wait for itself; "
                "use the async Crm in channels, models and other code that it calls"
            )
