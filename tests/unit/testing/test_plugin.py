"""The fixtures for users' tests, and the page that explains them, run as a user would run them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = ROOT / "docs" / "how-to" / "test-your-journeys.md"
CONFTEST: Final = 'pytest_plugins = ["crmsdk.testing.plugin"]\n'
ANYIO: Final = """
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
JOURNEY: Final = """
from datetime import UTC, datetime, timedelta as td

import pytest

from crmsdk import Journey, Send, Wait, did, on
from crmsdk.testing.advancing import advance_to

welcome = Journey(
    "welcome",
    enter=on("signed_up"),
    goal=did("purchase").since_entry(),
    steps=[Send("hello", via="email", key="hello"), Wait(td(days=1)), Send("again", via="sms", key="again")],
    kind="service",
)
"""


def _blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def _run(pytester: pytest.Pytester, text: str, *more: str) -> pytest.RunResult:
    pytester.makeconftest(CONFTEST + ANYIO)
    pytester.makepyfile(text)
    return pytester.runpytest_subprocess("-q", "-W", "error", "-p", "no:cacheprovider", *more)


def test_the_page_holds_in_a_users_project(pytester: pytest.Pytester) -> None:
    conftest, *tests, override = _blocks()
    assert conftest == CONFTEST
    assert "def crm_start" in override
    result = _run(pytester, "\n".join(tests))
    result.assert_outcomes(passed=5)


def test_a_fixture_can_be_overridden(pytester: pytest.Pytester) -> None:
    override = _blocks()[-1]
    text = f"{JOURNEY}\n{override}\ndef test_it(crm_clock):\n    assert crm_clock.now().month == 12\n"
    _run(pytester, text).assert_outcomes(passed=1)


def test_a_store_on_disk_may_stand_in(pytester: pytest.Pytester) -> None:
    text = """
from crmsdk.stores.sqlite import SqliteStore

@pytest.fixture
def crm_store(tmp_path):
    return SqliteStore(tmp_path / "crm.db")

def test_it(crm_blocking, crm_clock, crm_channels, tmp_path):
    app = crm_blocking(journeys=[welcome])
    app.track("ann", "signed_up")
    done = advance_to(app, crm_clock.now() + td(days=2))
    assert done.sent == 2
    assert (tmp_path / "crm.db").exists()
"""
    _run(pytester, JOURNEY + text).assert_outcomes(passed=1)


def test_every_channel_reaches_everybody(pytester: pytest.Pytester) -> None:
    text = """
@pytest.mark.parametrize("name", ["email", "sms", "push", "telegram"])
def test_it(crm_blocking, crm_channels, name):
    app = crm_blocking()
    app.identify("ann")
    app.send("ann", "news", via=name, kind="service", key="one")
    assert app.advance().sent == 1
    (envelope,) = crm_channels[name].kept
    assert envelope.to.value == "ann"
"""
    _run(pytester, JOURNEY + text).assert_outcomes(passed=4)


def test_two_at_a_time_never_send_twice(pytester: pytest.Pytester) -> None:
    text = """
def test_it(crm_blocking, crm_clock, crm_channels):
    one, other = crm_blocking(journeys=[welcome]), crm_blocking(journeys=[welcome])
    one.track("ann", "signed_up")
    assert one.advance().sent + other.advance().sent == 1
    assert len(crm_channels["email"].kept) == 1
"""
    _run(pytester, JOURNEY + text).assert_outcomes(passed=1)


def test_travelling_stops_where_something_is_due(pytester: pytest.Pytester) -> None:
    text = """
def test_it(crm_blocking, crm_clock):
    start = crm_clock.now()
    app = crm_blocking(journeys=[welcome])
    app.track("ann", "signed_up")
    done = advance_to(app, start + td(days=9))
    sent = [entry.at for entry in app.timeline("ann") if entry.what == "message sent"]
    assert sent == [start, start + td(days=1)]
    assert done.sent == 2
    assert crm_clock.now() == start + td(days=9)

@pytest.mark.anyio
async def test_async(crm, crm_clock):
    async with crm(journeys=[welcome]) as app:
        await app.track("ann", "signed_up")
        assert (await advance_to(app, crm_clock.now() + td(days=9))).sent == 2

def test_a_mode_that_leaves_messages_due_does_not_hold_time(crm_blocking, crm_clock):
    app = crm_blocking(journeys=[welcome], mode="off")
    app.track("ann", "signed_up")
    assert advance_to(app, crm_clock.now() + td(days=9)).sent == 0
    assert crm_clock.now().day == 14

def test_a_clock_that_runs_by_itself_is_refused(crm_blocking):
    from crmsdk.errors import ConfigError
    from crmsdk.runtime.clocks import SystemClock

    app = crm_blocking(clock=SystemClock())
    with pytest.raises(ConfigError, match="cannot be set"):
        advance_to(app, datetime(2030, 1, 1, tzinfo=UTC))
"""
    _run(pytester, JOURNEY + text).assert_outcomes(passed=4)


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    code = "import crmsdk.testing.plugin, sys; print([m for m in sys.modules if m.startswith('crmsdk.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['crmsdk.testing', 'crmsdk.testing.plugin']\n"


def test_the_package_itself_stays_empty() -> None:
    """A name imported there would keep pytest from rewriting the asserts of suites."""
    import crmsdk.testing  # noqa: PLC0415 - looked at only here

    assert [name for name in vars(crmsdk.testing) if name[0].islower() and name not in sys.modules] == [
        name for name in vars(crmsdk.testing) if f"crmsdk.testing.{name}" in sys.modules and name[0].islower()
    ]
