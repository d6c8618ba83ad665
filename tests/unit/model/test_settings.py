"""Settings that contradict themselves are refused before anything is sent."""

from typing import Any

import pytest

from crmsdk.errors import ConfigError, UnknownZone
from crmsdk.model.message import Sender
from crmsdk.model.secret import Secret
from crmsdk.model.settings import DeliveryMode, Settings, comparable

SECRET = Secret("0123456789abcdef0123456789abcdef")


def settings(**changes: Any) -> Settings:
    return Settings(**{"zone": "UTC", "secret": SECRET, **changes})


def test_nothing_leaves_unless_it_is_said() -> None:
    assert settings().mode is DeliveryMode.RECORD
    assert settings(mode="live").mode is DeliveryMode.LIVE


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "on"}, "mode is none of off, record, allowlist, live"),
        ({"mode": "allowlist"}, "mode allowlist has no allowlist"),
        ({"mode": "allowlist", "allowlist": [" "]}, "mode allowlist has no allowlist"),
        ({"allowlist": "ann@example.org"}, "allowlist is one text"),
        ({"senders": [Sender(id="a"), Sender(id="b"), Sender(id="a")]}, "two senders have the id 'a'"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        settings(**changes)


def test_unknown_zone_is_refused_by_name() -> None:
    with pytest.raises(UnknownZone, match=r"^field 'zone': .*Mars"):
        settings(zone="Mars")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (" Ann@Example.org ", "ann@example.org"),
        ("+7 900 000-00-01", "+79000000001"),
        ("chat 17", "chat 17"),
    ],
)
def test_listed_addresses_are_compared_without_case_and_space(said: str, kept: str) -> None:
    assert comparable(said) == kept
    assert settings(mode="allowlist", allowlist=[said, ""]).allowlist == {kept}


def test_addresses_and_database_stay_out_of_the_repr() -> None:
    shown = repr(settings(mode="allowlist", allowlist=["ann@example.org"], url="postgresql://u:pass@h/db"))
    assert "<1 addresses>" in shown
    assert not [hidden for hidden in ("ann", "pass", "0123") if hidden in shown]


def test_options_are_all_that_was_said() -> None:
    options = settings(url="sqlite:///x.db", senders=[Sender(id="a")]).options()
    assert options == {
        "zone": "UTC",
        "secret": SECRET,
        "url": "sqlite:///x.db",
        "mode": DeliveryMode.RECORD,
        "allowlist": frozenset(),
        "senders": (Sender(id="a"),),
        "unsubscribe": None,
    }


def test_addresses_that_differ_are_not_taken_for_one() -> None:
    assert comparable(" Ann@Example.ORG ") == "ann@example.org"
    assert comparable("a@e\u0301.fr") == comparable("A@\u00e9.fr")
    assert comparable("a@straße.de") != comparable("a@strasse.de")
