from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmsdk.channels.smtp import SmtpChannel
from crmsdk.errors import ConfigError, UnknownZone
from crmsdk.model.message import Sender
from crmsdk.model.secret import Secret
from crmsdk.model.settings import DeliveryMode, Settings, comparable
from crmsdk.wire.environment import from_environment, settings_from

ENV = {"CRMSDK_ZONE": "Europe/Moscow", "CRMSDK_SECRET": "key"}


def test_little_is_needed_and_nothing_leaves_unless_live_is_said() -> None:
    found = settings_from(ENV)
    assert found == Settings(zone="Europe/Moscow", secret=Secret("key"))
    assert found.mode is DeliveryMode.RECORD
    assert found.url == "sqlite:///crm.db"


def test_everything_can_be_said() -> None:
    found = settings_from(
        ENV
        | {
            "CRMSDK_URL": "sqlite:////data/crm.db",
            "CRMSDK_MODE": "Allowlist",
            "CRMSDK_ALLOWLIST": " Ann@Shop.example , +7 (999) 123-45-67,",
            "CRMSDK_SENDERS": '[{"id": "news", "address": "news@shop.example"}, {"id": "bills"}]',
            "CRMSDK_UNSUBSCRIBE": "https://shop.example/u/{token}",
        }
    )
    assert found == Settings(
        zone="Europe/Moscow",
        secret=Secret("key"),
        url="sqlite:////data/crm.db",
        mode=DeliveryMode.ALLOWLIST,
        allowlist=["ann@shop.example", "+79991234567"],
        senders=[Sender(id="news", address="news@shop.example"), Sender(id="bills")],
        unsubscribe="https://shop.example/u/{token}",
    )
    assert found.options()["mode"] is DeliveryMode.ALLOWLIST
    assert set(found.options()) == {"zone", "secret", "url", "mode", "allowlist", "senders", "unsubscribe"}


def test_a_repr_shows_no_secret_address_or_database() -> None:
    found = settings_from(
        ENV
        | {
            "CRMSDK_ALLOWLIST": "ann@shop.example",
            "CRMSDK_URL": "postgresql://u:hunter2@db/crm",
            "CRMSDK_SENDERS": '[{"id": "news", "address": "news@shop.example"}]',
        }
    )
    for hidden in ("ann@", "key", "hunter2", "news@"):
        assert hidden not in repr(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CRMSDK_ZONE": ""}, "CRMSDK_ZONE is not set; set it"),
        ({"CRMSDK_SECRET": ""}, "CRMSDK_SECRET is not set; set it"),
        ({"CRMSDK_ZONE": "Mars/North"}, "CRMSDK_ZONE: unknown time zone 'Mars/North'"),
        ({"CRMSDK_MODE": "on"}, "CRMSDK_MODE is none of off, record, allowlist, live"),
        ({"CRMSDK_MODE": "allowlist"}, "mode allowlist has no allowlist"),
        ({"CRMSDK_SENDERS": "news"}, "CRMSDK_SENDERS is no JSON list"),
        ({"CRMSDK_SENDERS": "{}"}, "CRMSDK_SENDERS is no JSON list"),
        ({"CRMSDK_SENDERS": '["news"]'}, r"CRMSDK_SENDERS\[0\] is no object with keys out of"),
        ({"CRMSDK_SENDERS": '[{"idd": "x"}]'}, r"CRMSDK_SENDERS\[0\] is no object with keys out of"),
        ({"CRMSDK_SENDERS": "[{}]"}, r"CRMSDK_SENDERS\[0\]: a key is missing"),
        ({"CRMSDK_SENDERS": '[{"id": "a"}, {"id": "a"}]'}, "two senders have the id 'a'"),
        ({"CRMSDK_SECRET_FILE": "/nowhere"}, "CRMSDK_SECRET_FILE names a file that cannot be read"),
    ],
)
def test_a_wrong_variable_is_named(change: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        settings_from({**ENV, **change})


def test_a_secret_may_stand_in_a_file_and_rotate(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("one\n")
    found = settings_from({"CRMSDK_ZONE": "UTC", "CRMSDK_SECRET_FILE": str(file)})
    assert found.secret.reveal() == "one"
    file.write_text("two\n")
    assert found.secret.reveal() == "two"
    file.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        found.secret.reveal()


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMSDK_ZONE", "Asia/Tokyo")
    monkeypatch.setenv("CRMSDK_SECRET", "key")
    assert settings_from().zone == "Asia/Tokyo"


@attrs.frozen(kw_only=True)
class Api:
    token: Secret
    parallel: int = 4
    ratio: float = 0.5
    verify: bool = True
    timeout: timedelta = timedelta(seconds=10)
    hosts: tuple[str, ...] = ()
    folder: Path | None = None
    sender: Sender | None = None
    hook: Callable[[], None] | None = None


def api(**more: str) -> Api:
    return from_environment(Api, prefix="API_", environ={"API_TOKEN": "t"} | more)


def test_any_attrs_class_can_be_read() -> None:
    assert api() == Api(token=Secret("t"))
    assert api(
        API_PARALLEL="8",
        API_RATIO="0.25",
        API_VERIFY="no",
        API_TIMEOUT="2.5",
        API_HOSTS="a, b",
        API_FOLDER="/tmp",  # noqa: S108 - a made-up setting
        API_SENDER='{"id": "news"}',
    ) == Api(
        token=Secret("t"),
        parallel=8,
        ratio=0.25,
        verify=False,
        timeout=timedelta(seconds=2.5),
        hosts=("a", "b"),
        folder=Path("/tmp"),  # noqa: S108 - a made-up setting
        sender=Sender(id="news"),
    )
    assert api(API_TIMEOUT="PT1M").timeout == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("API_PARALLEL", "x@y.example", "API_PARALLEL is no int"),
        ("API_VERIFY", "x@y.example", "API_VERIFY is no bool"),
        ("API_TIMEOUT", "x@y.example", "API_TIMEOUT is no timedelta"),
        ("API_SENDER", "x@y.example", "API_SENDER is no JSON object"),
        ("API_HOOK", "x@y.example", "API_HOOK cannot be read from the environment; pass it in code"),
    ],
)
def test_no_error_shows_the_value(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        api(**{name: value})
    assert "x@y" not in str(caught.value)


def test_an_adapter_can_be_made_of_the_environment() -> None:
    smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_ENCRYPTION": "none", "SMTP_PORT": "2525", "SMTP_TIMEOUT": "5"}
    assert isinstance(from_environment(SmtpChannel, prefix="SMTP_", environ=smtp), SmtpChannel)
    with pytest.raises(ConfigError, match="SMTP_HOST is not set"):
        from_environment(SmtpChannel, prefix="SMTP_", environ={})
    with pytest.raises(ConfigError, match="SMTP_ENCRYPTION is none of starttls, tls, none"):
        from_environment(SmtpChannel, prefix="SMTP_", environ={**smtp, "SMTP_ENCRYPTION": "ssl"})
    with pytest.raises(ConfigError, match="settings of SMTP_…: username and password go together"):
        from_environment(SmtpChannel, prefix="SMTP_", environ={**smtp, "SMTP_USERNAME": "u"})


# ------------------------------------------------------------------------------------ settings in code


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"zone": "Mars/North"}, UnknownZone),
        ({"mode": "on"}, ConfigError),
        ({"allowlist": "ann@shop.example"}, ConfigError),
        ({"mode": "allowlist", "allowlist": [" "]}, ConfigError),
    ],
)
def test_settings_that_cannot_work_are_refused(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Settings(**{"zone": "UTC", "secret": key(), **change})


def key() -> Any:
    return Secret("key")


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        (" Ann@Shop.Example ", "ann@shop.example"),
        ("+7 (999) 123-45-67", "+79991234567"),
        ("-1001234", "-1001234"),
        ("@Channel", "@channel"),
    ],
)
def test_addresses_are_compared_in_one_form(written: str, compared: str) -> None:
    assert comparable(written) == compared


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("CRMSDK_MODUS", "CRMSDK_MODE"),
        ("CRMSDK_ALLOW", "CRMSDK_ALLOWLIST"),
        ("CRMSDK_SENDER", "CRMSDK_SENDERS"),
        ("CRMSDK_SECRETS_FILE", "CRMSDK_SECRET_FILE"),
    ],
)
def test_a_misspelt_variable_is_not_passed_over(variable: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"^{variable} is no setting; did you mean {meant}\\?"):
        settings_from({**ENV, variable: "hush"})


@pytest.mark.parametrize("variable", ["CRMSDK_SMTP_SENDER", "CRMSDK_SMS_MODE", "CRMSDK_POSTGRES", "MODUS"])
def test_variables_of_others_are_left_alone(variable: str) -> None:
    assert settings_from({**ENV, variable: "x"}) == settings_from(ENV)


def test_a_span_no_clock_can_hold_is_a_fault_of_its_variable() -> None:
    for text in ("1e30", "9" * 30, "²"):
        with pytest.raises(ConfigError, match=r"^A_TIMEOUT is no timedelta"):
            from_environment(Api, prefix="A_", environ={"A_TOKEN": "x", "A_TIMEOUT": text})
