"""What the shell logs: nothing unless asked, fields when asked, and never anything personal."""

import logging
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
import structlog

from crmsdk.channels.memory import MemoryChannel, usual_capabilities
from crmsdk.errors import AuthError, CrmsdkError, DuplicateEvent, PermanentError
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.machine import step
from crmsdk.journeys.steps import Send, Wait
from crmsdk.journeys.triggers import on
from crmsdk.model.message import Accepted, Ambiguous, Deferred, Outcome, Rejected, Suppress
from crmsdk.model.provider import Idempotency
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.runtime.logs import logger
from crmsdk.segments.words import did

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PERSONAL = {
    "customer": "u-ann-4711",
    "email": "ann.secretive@example.com",
    "phone": "+491701234567",
    "name": "Annabel",
    "city": "Nizhny",
    "property": "cart-of-ann",
    "event": "evt-ann-1",
    "evidence": "form 17 signed by Annabel",
    "secret": "key-of-this-application",
    "token": "bot:token-4711",
    "content": "a text for nobody else",
}
TEMPLATES = {
    "hello": {
        "email.en": "subject: Hello\n---\n<p>a text for nobody else {{ name }}</p>",
        "sms.en": "a text for nobody else {{ name }}",
    }
}


def journey(name: str, **how: Any) -> Journey:
    sending = Send("hello", via=("email", "sms"), key="hello", **how)
    steps = [sending, Wait(timedelta(days=1)), Send("hello", via="sms", key="again")]
    return Journey(name, enter=on("signed_up"), goal=did("bought").since_entry(), steps=steps, kind="service")


class _Raising(MemoryChannel):
    """Answers with outcomes and errors whose words hold what they must not."""

    def __init__(self, name: str, answers: Sequence[Outcome | Exception]) -> None:
        keyless = attrs.evolve(usual_capabilities(name), idempotency=Idempotency.NONE)
        super().__init__(name, capabilities=keyless)
        self.script(answers)


async def live(answers: Sequence[Outcome | Exception]) -> None:
    """Play one person through everything that is logged."""
    told = f"{PERSONAL['email']} {PERSONAL['token']}"
    async with Crm.open(
        "memory://",
        zone="UTC",
        clock=VirtualClock(NOON),
        journeys=[journey("welcome")],
        channels=[_Raising("email", answers), MemoryChannel("sms")],
        templates=TEMPLATES,
        secret=PERSONAL["secret"],
        mode="live",
    ) as crm:
        who = PERSONAL["customer"]
        await crm.identify(
            who,
            {"name": PERSONAL["name"], "city": PERSONAL["city"]},
            email=PERSONAL["email"],
            phone=PERSONAL["phone"],
        )
        await crm.consent(who, "granted", channel="email", evidence=PERSONAL["evidence"], source=told)
        for number in range(len(answers)):
            at = NOON + timedelta(days=number)
            await crm.advance(at)
            values = {"cart": PERSONAL["property"]}
            await crm.track(who, "signed_up", values, id=f"{PERSONAL['event']}-{number}", at=at)
            with pytest.raises(DuplicateEvent):
                await crm.track(
                    who, "signed_up", {"cart": "other"}, id=f"{PERSONAL['event']}-{number}", at=at
                )
            await crm.advance(at)


def answers() -> list[Outcome | Exception]:
    words = " ".join(PERSONAL.values())
    return [
        Ambiguous(reason=words),
        AuthError(words),
        PermanentError(words),
        CrmsdkError(words),
        RuntimeError(words),
        Rejected(code="550", reason=words, suppress=Suppress.COMPLAINT),
        Deferred(reason=words),
        Accepted(provider_id="7"),
    ]


def _shown(record: logging.LogRecord) -> str:
    return f"{record.getMessage()} {vars(record)!r} {logging.Formatter().format(record)}"


async def test_nothing_personal_is_logged_whatever_happens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await live(answers())
    ours = [record for record in caplog.records if record.name.startswith("crmsdk")]
    said = {record.getMessage() for record in ours}
    assert {
        "channel raised",
        "channel stopped",
        "channel failed",
        "message in doubt",
        "event arrived with another body",
    } <= said
    for record in caplog.records:
        shown = _shown(record)
        assert [word for word in PERSONAL.values() if word in shown] == []


async def test_fields_arrive_as_attributes(caplog: pytest.LogCaptureFixture) -> None:
    await live([RuntimeError("no")])
    (raised,) = [record for record in caplog.records if record.getMessage() == "channel raised"]
    assert (vars(raised)["channel"], vars(raised)["error"]) == ("email", "RuntimeError")
    assert raised.levelno == logging.ERROR
    (doubt,) = [record for record in caplog.records if record.getMessage() == "message in doubt"]
    assert (vars(doubt)["journey"], vars(doubt)["step"]) == ("welcome", "hello")
    assert len(vars(doubt)["message_id"]) >= 32
    assert doubt.levelno == logging.WARNING


async def test_a_parked_run_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any, **more: Any) -> Any:
        if more["stimulus"].__class__.__name__ != "Start":
            raise ZeroDivisionError(PERSONAL["email"])
        return step(*given, **more)

    monkeypatch.setattr("crmsdk.journeys.turn.step", broken)
    await live([Accepted()])
    (parked,) = [record for record in caplog.records if record.getMessage() == "run parked"]
    assert vars(parked)["journey"] == "welcome"
    assert len(vars(parked)["enrollment"]) >= 32


async def test_a_channel_that_miscounts_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Miscounting(MemoryChannel):
        async def deliver(self, envelopes: Any) -> Sequence[Outcome]:
            return []

    async with Crm.open(
        "memory://",
        zone="UTC",
        clock=VirtualClock(NOON),
        journeys=[journey("welcome")],
        channels=[Miscounting("email"), MemoryChannel("sms")],
        templates=TEMPLATES,
        mode="live",
    ) as crm:
        await crm.identify("ann", {"name": "Ann"}, email="ann@example.com")
        await crm.track("ann", "signed_up", id="e1")
        await crm.advance()
    (record,) = [record for record in caplog.records if record.getMessage() == "channel miscounted"]
    assert (vars(record)["given"], vars(record)["told"]) == (1, 0)


SILENT = """
import asyncio, sys
sys.path.insert(0, ".")
from tests.unit.runtime.test_logs import answers, live
asyncio.run(live(answers()))
"""


def test_nothing_is_printed_where_the_application_configures_nothing(
    pytestconfig: pytest.Config,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SILENT],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_context_of_the_application_comes_along(caplog: pytest.LogCaptureFixture) -> None:
    with structlog.contextvars.bound_contextvars(request="r-7"):
        logger().warning("said")
    assert vars(caplog.records[0])["request"] == "r-7"


def test_a_field_may_bear_the_name_of_a_records_own(caplog: pytest.LogCaptureFixture) -> None:
    with structlog.contextvars.bound_contextvars(module="shop", message="hi", name="x"):
        logger().warning("said")
    record = caplog.records[0]
    assert record.getMessage() == "said"
    assert (vars(record)["module_"], vars(record)["message_"], vars(record)["name_"]) == ("shop", "hi", "x")


def test_a_level_that_is_off_costs_no_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, logger="crmsdk")
    logger().warning("said")
    assert caplog.records == []


def test_structlog_itself_is_left_unconfigured() -> None:
    logger()
    assert not structlog.is_configured()


def test_importing_the_runtime_does_not_load_structlog() -> None:
    code = "import crmsdk.runtime.crm, sys; print('structlog' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
