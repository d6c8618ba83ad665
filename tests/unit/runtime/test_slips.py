"""Tests of what a newcomer reads after a slip at the handle of an application."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crmsdk import Crm, Journey, MemoryChannel, Segment, Send, did, on
from crmsdk.errors import ConfigError, CrmsdkError, DefinitionError, InputError, UnknownName

PAID = did("paid").since_entry()
PLAN = Journey("plan", on("came"), [Send("hi", "email")], kind="trigger", goal=PAID)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"zon": "UTC"}, "there is no setting 'zon'; did you mean 'zone'"),
        ({"zone": "UTC", "database": "x"}, "there is no setting 'database'; there are active, allowlist"),
        ({}, "zone is missing; give that of people whose zone is unknown"),
        ({"zone": "UTC", "mode": "production"}, "mode is none of off, record, allowlist, live"),
    ],
)
def test_a_setting_that_is_none_is_named(settings: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Crm.open("memory://", **settings)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("slip", "error", "said"),
    [
        (lambda crm: crm.pause(), UnknownName, "unknown journey ''; there are plan"),
        (lambda crm: crm.resume("plans"), UnknownName, "did you mean 'plan'"),
        (lambda crm: crm.consent("ann", "yes"), InputError, "'state': is no consent; give one of unknown"),
        (lambda crm: crm.explain("ann", "sleeping"), DefinitionError, "str is no condition"),
        (lambda crm: crm.explain("ann", PAID), DefinitionError, "has no meaning here"),
    ],
)
async def test_a_call_that_cannot_be_meant_is_told(
    slip: Callable[[Any], Awaitable[None]], error: type[CrmsdkError], said: str
) -> None:
    async with Crm.open("memory://", zone="UTC", journeys=[PLAN], channels=[MemoryChannel("email")]) as crm:
        await crm.identify("ann")
        with pytest.raises(error, match=said):
            await slip(crm)
        assert not (await crm.explain("ann", Segment("paid", did("paid")))).matched
