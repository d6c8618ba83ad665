"""The life of a blocking Crm: closing, forks, its own thread, running, interrupts."""

import asyncio
import gc
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from crmsdk.blocking import Crm
from crmsdk.channels.memory import MemoryChannel
from crmsdk.errors import ConfigError
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.steps import Send
from crmsdk.journeys.triggers import on
from crmsdk.model.content import Content, Envelope
from crmsdk.model.message import Outcome
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.segments.words import did

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HELLO = Journey(
    "hello",
    enter=on("signed_up"),
    goal=did("bought").since_entry(),
    steps=[Send("hello", via="email", key="hello")],
    kind="service",
)
TEMPLATES = {"hello": {"email.en": "subject: Hello\n---\n<p>Hello {{ name }}</p>"}}


# --- closing ------------------------------------------------------------------------------------------------


def test_closing_twice_is_fine_and_ends_the_thread() -> None:
    before = threading.active_count()
    crm = Crm.open("memory://", zone="UTC")
    crm.close()
    crm.close()
    assert threading.active_count() == before


def test_a_closed_crm_says_so() -> None:
    crm = Crm.open("memory://", zone="UTC")
    crm.close()
    with pytest.raises(ConfigError, match="is closed; open a new one"):
        crm.customers()


def test_closing_waits_for_calls_of_other_threads() -> None:
    slow = _Held()
    crm = _with_message(slow)
    with ThreadPoolExecutor(2) as pool:
        under_way = pool.submit(crm.advance)
        slow.entered.wait()
        closing = pool.submit(crm.close)
        while not crm._portal.closed:
            pass
        with pytest.raises(ConfigError, match="is closed"):
            crm.customers()
        assert not closing.done()
        slow.release()
        assert under_way.result().sent == 1
        closing.result()


def test_an_unclosed_crm_complains_and_lets_its_thread_go() -> None:
    crm = Crm.open("memory://", zone="UTC")
    thread = crm._portal._thread
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        del crm
        gc.collect()
    assert [str(one.message) for one in seen if one.category is ResourceWarning] == ["unclosed Crm"]
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_closed_crm_does_not_complain() -> None:
    crm = Crm.open("memory://", zone="UTC")
    crm.close()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        del crm
        gc.collect()
    assert not [one for one in seen if "Crm" in str(one.message)]


# --- places where it must refuse ----------------------------------------------------------------------------


class _Held(MemoryChannel):
    """Delivers when the test says so."""

    def __init__(self) -> None:
        super().__init__("email")
        self.entered = threading.Event()
        self.cancelled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._go = asyncio.Event()

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        self._loop = asyncio.get_running_loop()
        self.entered.set()
        try:
            await self._go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return await super().deliver(envelopes)

    def release(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._go.set)


class _Calls(MemoryChannel):
    """Does something of its own while delivering."""

    def __init__(self, what: Any) -> None:
        super().__init__("email")
        self.what = what
        self.error: BaseException | None = None

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        try:
            self.what()
        except ConfigError as error:
            self.error = error
        return await super().deliver(envelopes)


def _with_message(channel: MemoryChannel) -> Crm:
    crm = Crm.open(
        "memory://",
        zone="UTC",
        clock=VirtualClock(NOON),
        journeys=[HELLO],
        channels=[channel],
        templates=TEMPLATES,
        mode="live",
    )
    crm.identify("ann", {"name": "Ann"}, email="ann@example.com")
    crm.track("ann", "signed_up", id="e1")
    return crm


@pytest.mark.parametrize("call", ["customers", "close"])
def test_its_own_thread_is_refused_instead_of_waiting_for_ever(call: str) -> None:
    channel = _Calls(None)
    crm = _with_message(channel)
    channel.what = getattr(crm, call)
    assert crm.advance().sent == 1
    assert "inside its own thread" in str(channel.error)
    crm.close()


def test_an_exit_raised_inside_reaches_the_caller_and_harms_nobody_else() -> None:
    def leave() -> None:
        raise SystemExit(3)

    crm = _with_message(_Calls(leave))
    with pytest.raises(SystemExit):
        crm.advance()
    assert crm.customers() == ["ann"]
    crm.close()


FORKED = """
import json, os, sys
from crmsdk.blocking import Crm
from crmsdk.errors import ConfigError

crm = Crm.open("sqlite:///crm.db", zone="UTC")
crm.identify("ann")
pid = os.fork()
if pid == 0:
    said = {}
    try:
        crm.customers()
    except ConfigError as error:
        said["refused"] = str(error)
    crm.close()
    with Crm.open("sqlite:///crm.db", zone="UTC") as own:
        own.identify("bob")
        said["own"] = own.customers()
    open("child.json", "w").write(json.dumps(said))
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
print(json.dumps(crm.customers()))
crm.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform does not fork")
def test_after_a_fork_the_parents_is_refused_and_an_own_one_works(tmp_path: Path) -> None:
    done = subprocess.run(
        # 3.12 warns of any fork with threads; that is what is tested.
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    said = json.loads((tmp_path / "child.json").read_text())
    assert "opened before a fork; open one in each process" in said["refused"]
    assert said["own"] == ["ann", "bob"]
    assert json.loads(done.stdout) == ["ann", "bob"]


UNCLOSED = """
from crmsdk.blocking import Crm

crm = Crm.open("sqlite:///crm.db", zone="UTC")
crm.identify("ann")
print("end")
"""


def test_an_unclosed_crm_does_not_keep_the_interpreter_from_ending(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNCLOSED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


# --- running and interrupts ---------------------------------------------------------------------------------


def test_run_returns_when_another_thread_says_so() -> None:
    channel = MemoryChannel("email")
    crm = _with_message(channel)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(crm.run, poll=timedelta(hours=1))
        while not channel.kept:
            pass
        crm.stop_running()
        assert running.result(timeout=30) is None
    assert crm.customers() == ["ann"]
    crm.close()


def test_stopping_lets_the_delivery_in_hand_end() -> None:
    channel = _Held()
    crm = _with_message(channel)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(crm.run, poll=timedelta(hours=1))
        channel.entered.wait()
        crm.stop_running()
        assert not running.done()
        channel.release()
        running.result(timeout=30)
    assert len(channel.kept) == 1
    assert not channel.cancelled
    crm.close()


def test_closing_ends_a_run() -> None:
    crm = Crm.open("memory://", zone="UTC")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(crm.run, poll=timedelta(hours=1))
        while not crm._portal._calls:
            pass
        crm.close()
        assert running.result(timeout=30) is None


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C interrupt, also where whoever started this process has it ignored: ``command &``."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _press() -> None:
    """Press Ctrl-C."""
    if os.name == "nt":
        signal.raise_signal(signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_cancels_the_call_and_leaves_the_crm_usable() -> None:
    channel = _Held()
    crm = _with_message(channel)

    def press_once() -> None:
        channel.entered.wait()
        _press()

    pressing = threading.Thread(target=press_once)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        crm.advance()
    pressing.join()
    assert channel.cancelled
    assert crm.customers() == ["ann"]
    crm.close()


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_during_run_lets_the_delivery_in_hand_end() -> None:
    channel = _Held()
    crm = _with_message(channel)

    def press_and_release() -> None:
        channel.entered.wait()
        _press()
        channel.release()

    pressing = threading.Thread(target=press_and_release)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        crm.run(poll=timedelta(hours=1))
    pressing.join()
    assert not channel.cancelled
    assert len(channel.kept) == 1
    crm.close()


@pytest.mark.usefixtures("ctrl_c")
def test_a_second_ctrl_c_cancels_the_run() -> None:
    channel = _Held()
    crm = _with_message(channel)
    stopping = threading.Event()
    crm._crm.stop_running = stopping.set  # type: ignore[method-assign]  # tells the test that the first arrived

    def press_twice() -> None:
        channel.entered.wait()
        _press()
        stopping.wait()
        _press()

    pressing = threading.Thread(target=press_twice)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        crm.run(poll=timedelta(hours=1))
    pressing.join()
    assert channel.cancelled
    crm.close()


INTERRUPTED = """
import os, signal, sys, threading
sys.path.insert(0, {folder!r})
from crmsdk.blocking import Crm
from datetime import timedelta

crm = Crm.open("sqlite:///crm.db", zone="UTC")
signal.signal(signal.SIGTERM, lambda *_: crm.stop_running())
print("running", flush=True)
crm.run(poll=timedelta(hours=1))
crm.close()
print("stopped", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGTERM handler")
def test_a_signal_handler_may_stop_a_service(tmp_path: Path) -> None:
    program = INTERRUPTED.format(folder=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-u", "-c", program],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "running\n"
        said = selectors.DefaultSelector()
        said.register(service.stdout, selectors.EVENT_READ)
        service.send_signal(signal.SIGTERM)
        while not said.select(timeout=1):  # the first may have come just before it ran
            service.send_signal(signal.SIGTERM)
        assert service.stdout.readline() == "stopped\n"
        assert service.wait(60) == 0
