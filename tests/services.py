"""Servers that some tests need: how a test asks for one, and what happens where it is missing.

A test says ``@pytest.mark.service("postgres")``. Where the server does not answer, or lets nobody in, the
test is skipped with the reason in the summary; where ``CRMSDK_REQUIRE_SERVICES=1`` (continuous integration),
it fails.
"""

import importlib.util
import os
import shutil
import socket
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import pytest
from attrs import frozen

REQUIRE: Final = "CRMSDK_REQUIRE_SERVICES"


@frozen
class Service:
    """A server and the environment variable that says where it is."""

    variable: str
    default: str
    opened: Callable[[str], object] = lambda _: None
    """Logs in at a URL, and raises where that fails."""

    def url(self, environ: Mapping[str, str]) -> str:
        """Read the URL from the environment, else the usual one; a path left out is the usual one, too."""
        parts = urlsplit(environ.get(self.variable, self.default))
        return parts._replace(path=parts.path.rstrip("/") or urlsplit(self.default).path).geturl()

    def address(self, environ: Mapping[str, str]) -> tuple[str, int]:
        """Read host and port from the environment, else from the usual place on this machine."""
        parts = urlsplit(environ.get(self.variable, self.default))
        usual = urlsplit(self.default)
        return parts.hostname or usual.hostname or "127.0.0.1", parts.port or usual.port or 0


@cache
def _log_in(url: str) -> None:
    import psycopg  # noqa: PLC0415 - most test runs of one file need none

    psycopg.connect(url, connect_timeout=5).close()


SERVICES: Final[dict[str, Service]] = {
    "postgres": Service("CRMSDK_POSTGRES_URL", "postgresql://127.0.0.1:5432/test", _log_in),
    "redis": Service("CRMSDK_REDIS_URL", "redis://127.0.0.1:6379"),
}


def answers(host: str, port: int) -> bool:
    """Say whether something accepts a connection there within a second."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def missing(
    name: str, *, environ: Mapping[str, str], reachable: Callable[[str, int], bool] = answers
) -> str | None:
    """Return why a service cannot be used, or None where it can.

    Raises:
        pytest.UsageError: no such service is known.
    """
    service = SERVICES.get(name)
    if service is None:
        message = f"unknown service {name!r}; known: {', '.join(SERVICES)}"
        raise pytest.UsageError(message)
    host, port = service.address(environ)
    if not reachable(host, port):
        return f"{name} does not answer at {host}:{port} (set {service.variable})"
    try:
        service.opened(service.url(environ))
    except Exception as error:  # noqa: BLE001 - whatever a driver raises
        return f"{name} at {host}:{port} lets nobody in: {type(error).__name__} (set {service.variable})"
    return None


def uninstalled(package: str, *programs: str, environ: Mapping[str, str]) -> str | None:
    """Return why an engine of many megabytes cannot be used, or None where it can."""
    where = " although this is `make proofs`" if environ.get("HYPOTHESIS_PROFILE") == "proofs" else ""
    if importlib.util.find_spec(package) is None:
        return f"{package} is not installed{where} (dependency group engines)"
    absent = [program for program in programs if shutil.which(program, path=environ.get("PATH")) is None]
    return f"{', '.join(absent)} is not installed{where}, which {package} needs" if absent else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail where services are required, a test whose service is missing."""
    for mark in item.iter_markers("engine"):
        reason = uninstalled(*mark.args, environ=os.environ)
        if reason is not None and "although" in reason:
            pytest.fail(reason, pytrace=False)
        if reason is not None:
            pytest.skip(reason)
    for mark in item.iter_markers("service"):
        reason = missing(mark.args[0], environ=os.environ)
        if reason is None:
            continue
        if os.environ.get(REQUIRE) == "1":
            pytest.fail(f"{reason}, and {REQUIRE}=1", pytrace=False)
        pytest.skip(reason)
