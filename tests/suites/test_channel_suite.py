"""The channel suite can fail: for each of its promises there is a channel that breaks it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crmsdk.channels.memory import MemoryChannel, usual_capabilities
from crmsdk.model.content import ChatContent, Envelope
from crmsdk.model.message import Accepted, Outcome
from crmsdk.model.provider import SendContext
from crmsdk.ports import Sending
from crmsdk.testing.channel_suite import ChannelSuite, Trouble
from tests.channel_rigs import Rig, memory_rig
from tests.suites.broken_channels import FAULTS
from tests.suites.promises import promises_of


def suite_over(make: Callable[[], MemoryChannel], **changes: Any) -> ChannelSuite:
    """Make a suite over a memory rig with one channel, and some of its rig's parts replaced."""

    @asynccontextmanager
    async def open_rig(folder: Path) -> AsyncIterator[Rig]:
        channel = make()
        async with memory_rig(folder, channel) as rig:
            rig.trouble[Trouble.SILENT] = lambda: None
            for name, value in changes.items():
                setattr(rig, name, value(channel))
            yield rig

    suite: ChannelSuite = type("Suite", (ChannelSuite,), {"open_rig": staticmethod(open_rig)})()
    return suite


@pytest.mark.parametrize(
    ("promise", "make", "changes"),
    FAULTS,
    ids=[f"{promise}-{getattr(make, '__name__', '')}{n}" for n, (promise, make, _) in enumerate(FAULTS)],
)
def test_planted_fault_is_caught(
    promise: str, make: Callable[[], MemoryChannel], changes: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception, TimeoutError, IndexError)):
        getattr(suite_over(make, **changes), promise)(tmp_path)


def test_each_promise_has_a_planted_fault() -> None:
    assert promises_of(ChannelSuite) == {promise for promise, _, _ in FAULTS}


# -- slips of whoever writes a channel: the suite says what to do


class NoChannelYet(Sending[ChatContent]):
    name = "sms"
    capabilities = usual_capabilities("sms")

    async def send(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> Sequence[Outcome]:
        return [Accepted() for _ in batch]

    async def aclose(self) -> None:
        pass


def suite_opening(open_rig: Callable[..., Any]) -> ChannelSuite:
    return type("Suite", (ChannelSuite,), {"open_rig": open_rig})()  # type: ignore[no-any-return]  # made by name


def test_a_rig_without_a_context_manager_is_explained(tmp_path: Path) -> None:
    async def undecorated(self: ChannelSuite, folder: Path) -> AsyncIterator[Rig]:
        async with memory_rig(folder) as rig:
            yield rig

    with pytest.raises(pytest.fail.Exception, match="decorate it with @asynccontextmanager"):
        suite_opening(undecorated).test_nothing_gives_nothing(tmp_path)


NOT_WRAPPED: Any = NoChannelYet()
SLIP = Rig(channel=NOT_WRAPPED, received=list, raw=bytes)


@pytest.mark.parametrize(
    ("rig", "found"),
    [
        (
            SimpleNamespace(channel=MemoryChannel("sms"), raw=bytes),
            "lacks secrets, troubles, envelope, received",
        ),
        (SLIP, "NoChannelYet is no channel.*ProviderChannel"),
    ],
)
def test_an_unfinished_rig_is_explained(rig: Any, found: str, tmp_path: Path) -> None:
    @asynccontextmanager
    async def opened(self: ChannelSuite, folder: Path) -> AsyncIterator[Any]:
        yield rig

    with pytest.raises(pytest.fail.Exception, match=found):
        suite_opening(opened).test_nothing_gives_nothing(tmp_path)


def test_a_stranger_sees_what_is_missing_and_what_was_found(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from contextlib import asynccontextmanager

        from crmsdk.testing.channel_suite import ChannelSuite
        from crmsdk.testing.store_suite import StoreSuite
        from crmsdk.stores.memory import MemoryStore

        class Forgets(MemoryStore):
            async def customers(self, **_):
                return ["nobody"]

        class TestNoRig(ChannelSuite):
            pass

        class TestForgets(StoreSuite):
            def open_store(self, folder):
                return Forgets()
        """
    )
    chosen = "test_nothing_gives_nothing or test_customers_are_paged"
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "-k", chosen)
    result.assert_outcomes(failed=1, errors=1, deselected=result.parseoutcomes()["deselected"])
    result.stdout.fnmatch_lines(["*TestNoRig must define open_rig", "*'nobody'*"])
