"""What every test stands on: hypothesis profiles, the size of long runs, services, no network."""

import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester", "tests.services"]

PROFILE: Final = os.environ.get("HYPOTHESIS_PROFILE", "dev")
_SLOW_MACHINES = [HealthCheck.too_slow]

# No deadlines: a shared machine pauses any test at any time, and a pause is no fault.
settings.register_profile("dev", max_examples=30, deadline=None, suppress_health_check=_SLOW_MACHINES)
settings.register_profile(
    "ci",
    max_examples=100,
    deadline=None,
    derandomize=True,  # the same commit gives the same answer
    print_blob=True,
    suppress_health_check=_SLOW_MACHINES,
)
settings.register_profile(
    "proofs", max_examples=2000, deadline=None, print_blob=True, suppress_health_check=_SLOW_MACHINES
)
settings.load_profile(PROFILE)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever has a full size is a proof."""
    for item in items:
        if "sized" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.proof)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run every async test on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def sized() -> Callable[[int, int], int]:
    """Choose a run's length: ``sized(50, 5_000)`` is 50, and 5,000 under ``make proofs``."""

    def choose(reduced: int, full: int) -> int:
        return full if PROFILE == "proofs" else reduced

    return choose


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """Refuse connections that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        inet = self.family in {socket.AF_INET, socket.AF_INET6}
        if inet and not (address[0].startswith("127.") or address[0] in {"::1", "localhost"}):
            message = "a test tried to leave this machine; use a fake or a server on loopback"
            raise RuntimeError(message)
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield
