"""The blocking Crm has the face of the async one."""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from crmsdk.blocking import Crm
from crmsdk.channels.memory import MemoryChannel
from crmsdk.errors import ConfigError, StoreError, UnknownName
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.steps import Send
from crmsdk.journeys.triggers import on
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm as AsyncCrm
from crmsdk.segments.words import did
from crmsdk.stores.memory import MemoryStore
from scripts import blocking_face

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HELLO = Journey(
    "hello",
    enter=on("signed_up"),
    goal=did("bought").since_entry(),
    steps=[Send("hello", via="email", key="hello")],
    kind="service",
)
TEMPLATES = {"hello": {"email.en": "subject: Hello\n---\n<p>Hello {{ name }}</p>"}}
# What a sync caller must be told otherwise.
TOLD_OTHERWISE = {"open", "close", "run", "stop_running"}


@pytest.fixture
def crm() -> Iterator[Crm]:
    with Crm.open("memory://", zone="UTC", clock=VirtualClock(NOON)) as opened:
        yield opened


# --- the two faces ------------------------------------------------------------------------------------------


def _public(face: type) -> dict[str, Any]:
    return {name: value for name, value in inspect.getmembers_static(face) if not name.startswith("_")}


def _plain(value: Any) -> Any:
    if isinstance(value, property):
        return value.fget
    return value.__func__ if isinstance(value, classmethod) else value


def test_both_faces_have_the_same_methods() -> None:
    assert _public(Crm).keys() == _public(AsyncCrm).keys()


@pytest.mark.parametrize("name", sorted(_public(AsyncCrm)))
def test_twins_agree_in_signature_and_words(name: str) -> None:
    ours, theirs = _public(Crm)[name], _public(AsyncCrm)[name]
    assert type(ours) is type(theirs)
    ours, theirs = _plain(ours), _plain(theirs)
    mine, other = inspect.signature(ours), inspect.signature(theirs)
    assert mine.parameters == other.parameters
    if name not in {"open", "over"}:  # they give their own class
        assert mine.return_annotation == other.return_annotation
    assert not inspect.iscoroutinefunction(ours)
    if name not in TOLD_OTHERWISE:
        assert ours.__doc__ == theirs.__doc__


def test_the_written_face_is_what_the_script_writes() -> None:
    written = blocking_face.SYNC.read_text(encoding="utf-8")
    wanted = blocking_face.face(blocking_face.ASYNC.read_text(encoding="utf-8"))
    assert written == wanted, "run `make face`"


def test_a_new_method_gets_a_twin() -> None:
    text = '''
from datetime import datetime

class Crm:
    async def bless(
        self, who: str, *, at: datetime | None = None, **more: int
    ) -> datetime:
        """Bless."""
        return at
'''
    face = blocking_face.face(text)
    assert "    def bless(self, who: str, *, at: datetime | None = None, **more: int) -> datetime:\n" in face
    assert "        return self._portal.call(self._crm.bless(who, at=at, **more))\n" in face
    assert "from datetime import datetime\n" in face


def test_a_sync_method_needs_a_twin_by_hand() -> None:
    with pytest.raises(SystemExit, match="hum is sync"):
        blocking_face.face('class Crm:\n    def hum(self) -> None:\n        """Hum."""\n')


# --- what it does -------------------------------------------------------------------------------------------


def test_a_message_goes_all_the_way() -> None:
    email = MemoryChannel("email")
    clock = VirtualClock(NOON)
    with Crm.open(
        "memory://",
        zone="UTC",
        clock=clock,
        journeys=[HELLO],
        channels=[email],
        templates=TEMPLATES,
        mode="live",
    ) as crm:
        crm.identify("ann", {"name": "Ann"}, email="ann@example.com")
        assert crm.track("ann", "signed_up", id="e1").accepted == 1
        assert crm.track("ann", "signed_up", id="e1").duplicates == 1
        assert crm.advance().sent == 1
        assert [journey.name for journey in crm.journeys] == ["hello"]
        assert set(crm.programs.active) == {"hello"}
    (envelope,) = email.kept
    assert "Hello Ann" in envelope.content.parts()["html"]


def test_it_works_over_a_store_that_is_there() -> None:
    store = MemoryStore()
    with Crm.over(store, zone="UTC", clock=VirtualClock(NOON)) as crm:
        crm.identify("ann")
        assert crm.customers() == ["ann"]


def test_errors_arrive_as_they_are(crm: Crm) -> None:
    with pytest.raises(UnknownName, match="bob"):
        crm.customer("bob")


def test_bad_settings_start_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(ConfigError, match="kind 'mysql'"):
        Crm.open("mysql://localhost/crm", zone="UTC")
    assert threading.active_count() == before


def test_a_crm_that_cannot_be_opened_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    (tmp_path / "crm.db").write_text("this is no database " * 100)
    with pytest.raises(StoreError):
        Crm.open(f"sqlite:///{tmp_path}/crm.db", zone="UTC")
    assert threading.active_count() == before


def test_it_works_inside_a_running_loop() -> None:
    async def cell() -> str:
        with Crm.open("memory://", zone="UTC", clock=VirtualClock(NOON)) as crm:
            crm.identify("ann")
            return crm.customer("ann").id

    assert asyncio.run(cell()) == "ann"


def test_several_threads_share_one(tmp_path: Path) -> None:
    with (
        Crm.open(f"sqlite:///{tmp_path}/crm.db", zone="UTC", clock=VirtualClock(NOON)) as crm,
        ThreadPoolExecutor(8) as pool,
    ):
        taken = list(pool.map(lambda number: crm.track(f"c{number % 4}", "seen", id=f"e{number}"), range(64)))
        assert sum(one.accepted for one in taken) == 64
        assert len(crm.customers()) == 4


def test_context_variables_of_the_caller_are_those_of_the_call() -> None:
    request: contextvars.ContextVar[str] = contextvars.ContextVar("request")
    seen = []

    class Asking(VirtualClock):
        @override
        def now(self) -> datetime:
            seen.append(request.get(""))
            return super().now()

    with Crm.open("memory://", zone="UTC", clock=Asking(NOON)) as crm:
        seen.clear()
        request.set("r-7")
        crm.identify("ann")
    assert set(seen) == {"r-7"}
