"""The machinery that skips or fails tests whose server is missing."""

import socket
from threading import Thread

import pytest

from tests.services import REQUIRE, SERVICES, answers, missing, uninstalled

ASKS_REDIS = """
import pytest

@pytest.mark.service("redis")
def test_needs_redis():
    pass
"""
PLUGIN = "from tests.services import pytest_runtest_setup"


@pytest.fixture
def closed_port() -> int:
    """Find a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(PLUGIN)
    pytester.makeini("[pytest]\nmarkers = service(name): needs a server\n")
    pytester.makepyfile(ASKS_REDIS)
    return pytester


def test_missing_service_is_a_skip_that_names_the_variable(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.delenv(REQUIRE, raising=False)
    monkeypatch.setenv("CRMSDK_REDIS_URL", f"redis://127.0.0.1:{closed_port}")
    result = suite.runpytest_inprocess("-rs", "-p", "no:cacheprovider")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*redis does not answer at 127.0.0.1:*CRMSDK_REDIS_URL*"])


def test_missing_service_is_a_failure_where_services_are_required(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setenv(REQUIRE, "1")
    monkeypatch.setenv("CRMSDK_REDIS_URL", f"redis://127.0.0.1:{closed_port}")
    suite.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(errors=1)


def test_present_service_lets_the_test_run(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRE, "1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("CRMSDK_REDIS_URL", f"redis://127.0.0.1:{server.getsockname()[1]}")
        suite.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_unknown_service_is_a_usage_error() -> None:
    with pytest.raises(pytest.UsageError, match="unknown service 'oracle'"):
        missing("oracle", environ={})


@pytest.mark.parametrize(("name", "port"), [("postgres", 5432), ("redis", 6379)])
def test_a_service_is_looked_for_at_its_usual_place(name: str, port: int) -> None:
    assert SERVICES[name].address({}) == ("127.0.0.1", port)


def test_a_url_without_a_port_keeps_the_usual_port() -> None:
    assert SERVICES["postgres"].address({"CRMSDK_POSTGRES_URL": "postgresql://me@db"}) == ("db", 5432)


def test_a_url_without_a_database_keeps_the_usual_one() -> None:
    service = SERVICES["postgres"]
    assert service.url({"CRMSDK_POSTGRES_URL": "postgresql://me@db/"}) == "postgresql://me@db/test"
    assert service.url({"CRMSDK_POSTGRES_URL": "postgresql://me@db/own"}) == "postgresql://me@db/own"


def test_a_server_that_lets_nobody_in_is_missing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def hang_up() -> None:
            server.accept()[0].close()  # the one that looks whether something listens
            server.accept()[0].close()

        Thread(target=hang_up, daemon=True).start()
        reason = missing("postgres", environ={"CRMSDK_POSTGRES_URL": f"postgresql://127.0.0.1:{port}"})
    assert (
        reason == f"postgres at 127.0.0.1:{port} lets nobody in: OperationalError (set CRMSDK_POSTGRES_URL)"
    )


def test_nothing_answers_on_a_closed_port(closed_port: int) -> None:
    assert not answers("127.0.0.1", closed_port)


def test_a_connection_that_would_leave_this_machine_is_refused() -> None:
    with pytest.raises(RuntimeError, match="leave this machine"), socket.socket() as outward:
        outward.connect(("192.0.2.1", 80))


def test_an_engine_that_is_not_installed_is_a_skip_that_says_so() -> None:
    assert uninstalled("crmsdk", environ={}) is None
    assert "not installed" in (uninstalled("no_such_engine", environ={}) or "")
    assert "although" in (uninstalled("no_such_engine", environ={"HYPOTHESIS_PROFILE": "proofs"}) or "")
    assert uninstalled("crmsdk", "no_such_program", environ={}) == (
        "no_such_program is not installed, which crmsdk needs"
    )
