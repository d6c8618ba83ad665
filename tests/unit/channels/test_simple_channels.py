"""Memory, console and .eml: the channels without a provider."""

import asyncio
import io
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmsdk.channels.console import ConsoleChannel, rendering
from crmsdk.channels.eml import EmlChannel
from crmsdk.channels.memory import MemoryChannel, usual_capabilities
from crmsdk.errors import AuthError, UnsupportedFeature
from crmsdk.model.address import Address, ByAttribute, ByCustomer, ByIdentifier
from crmsdk.model.content import Button, ChatContent, EmailContent
from crmsdk.model.customer import Customer, IdentifierKind
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.message import Accepted, Ambiguous, Deferred, Rejected, Sender
from crmsdk.model.provider import Idempotency
from crmsdk.testing.channel_suite import AT, chat_envelope, email_envelope, fake_pace


def run(coroutine: Any) -> Any:
    """Drive a coroutine that never suspends, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    message = "it suspended"
    raise AssertionError(message)


# -- memory


def test_a_text_too_long_is_refused_with_the_mend() -> None:
    channel = MemoryChannel("sms", capabilities=attrs.evolve(usual_capabilities("sms"), length_max=5))
    with pytest.raises(UnsupportedFeature, match="its limit is 5; shorten the template"):
        channel.check(chat_envelope(1))


def test_another_content_is_refused_with_the_mend() -> None:
    with pytest.raises(UnsupportedFeature, match=r"kinds=\{'email': \.\.\.\} that makes EmailContent"):
        MemoryChannel("email").check(chat_envelope(1))


def test_memory_never_suspends() -> None:
    channel = MemoryChannel()
    (found,) = run(channel.deliver([email_envelope(1)]))
    assert found == Accepted(provider_id="memory-1")
    run(channel.aclose())


def test_memory_answers_by_script_then_by_responder_then_yes() -> None:
    channel = MemoryChannel(respond=lambda envelope: Rejected(reason=envelope.message))
    channel.script([Deferred(reason="later"), Accepted(provider_id="x7")])
    outcomes = run(channel.deliver([email_envelope(number) for number in range(3)]))
    assert outcomes == [Deferred(reason="later"), Accepted(provider_id="x7"), Rejected(reason="m2")]
    assert [envelope.message for envelope in channel.kept] == ["m1"]
    assert [envelope.message for envelope in channel.attempts] == ["m0", "m1", "m2"]


def test_memory_raises_what_was_scripted() -> None:
    channel = MemoryChannel()
    channel.script([AuthError("refused")])
    with pytest.raises(AuthError):
        run(channel.deliver([email_envelope(1)]))
    assert isinstance(run(channel.deliver([email_envelope(1)]))[0], Accepted)


def test_memory_recognises_keys_after_a_lost_answer() -> None:
    channel = MemoryChannel()
    channel.script([Ambiguous(reason="lost")])
    run(channel.deliver([email_envelope(1)]))
    assert run(channel.deliver([email_envelope(1)])) == [Accepted(provider_id="memory-1")]
    assert len(channel.kept) == 1


def test_memory_without_keys_keeps_every_copy() -> None:
    without = attrs.evolve(usual_capabilities("email"), idempotency=Idempotency.NONE)
    channel = MemoryChannel(capabilities=without)
    run(channel.deliver([email_envelope(1), email_envelope(1)]))
    assert len(channel.kept) == 2


@pytest.mark.parametrize(
    ("name", "content", "source"),
    [
        ("email", EmailContent, ByIdentifier(IdentifierKind.EMAIL)),
        ("sms", ChatContent, ByIdentifier(IdentifierKind.PHONE)),
        ("telegram", ChatContent, ByAttribute("telegram_chat")),
        ("pigeon", ChatContent, ByAttribute("pigeon_address")),
    ],
)
def test_usual_capabilities(name: str, content: type, source: object) -> None:
    found = MemoryChannel(name)
    assert found.name == name
    assert (found.capabilities.content, found.capabilities.address) == (content, source)
    assert MemoryChannel(name, everyone=True).capabilities.address == ByCustomer()


def test_everyone_is_reached_in_a_simulation() -> None:
    nobody = Customer(id=CustomerId("c1"), created=AT)
    assert MemoryChannel(everyone=True).address_of(nobody) == Address("c1")
    assert MemoryChannel().address_of(nobody) is None


# -- console


def test_console_prints_every_part_once_and_hides_the_address() -> None:
    stream = io.StringIO()
    channel = ConsoleChannel(stream, name="telegram")
    content = ChatContent(text="First\nSecond\n", buttons=[[Button("Open", "https://shop.example/")]])
    envelope = attrs.evolve(chat_envelope(1), content=content, seed=True)
    assert run(channel.deliver([envelope])) == [Accepted(provider_id="m1.telegram")]
    assert run(channel.deliver([envelope])) == [Accepted(provider_id="m1.telegram")]
    assert stream.getvalue() == (
        "--- telegram m1 from bot to (address hidden) (trigger, seed list)\n"
        "text:\nFirst\nSecond\n"
        "button 1.1: Open https://shop.example/\n\n"
    )
    run(channel.aclose())


def test_console_shows_the_address_when_told() -> None:
    assert "person1@example.org" in rendering(email_envelope(1), show_address=True)
    assert "person1@example.org" not in rendering(email_envelope(1))
    nameless = attrs.evolve(email_envelope(1), sender=None)
    assert rendering(nameless).startswith("--- email m1 to (address hidden) (trigger)\n")
    stream = io.StringIO()
    run(ConsoleChannel(stream, show_address=True, everyone=True).deliver([email_envelope(1)]))
    assert "person1@example.org" in stream.getvalue()


def test_console_without_keys_prints_every_copy() -> None:
    stream = io.StringIO()
    without = attrs.evolve(usual_capabilities("email"), idempotency=Idempotency.NONE)
    run(ConsoleChannel(stream, capabilities=without).deliver([email_envelope(1), email_envelope(1)]))
    assert stream.getvalue().count("--- email m1") == 2


# -- .eml


def test_eml_files_are_mails(tmp_path: Path) -> None:
    channel = EmlChannel(tmp_path / "out", sender=Sender(id="own", address="own@example.com"))
    nameless = attrs.evolve(email_envelope(1), sender=None)
    assert asyncio.run(channel.deliver([nameless])) == [Accepted(provider_id="<m1@example.com>")]
    (path,) = (tmp_path / "out").iterdir()
    assert path.name == "m1.email.eml"
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert (mail["From"], mail["To"]) == ("own@example.com", "person1@example.org")


def test_eml_file_is_written_once(tmp_path: Path) -> None:
    channel = EmlChannel(str(tmp_path))  # a folder is often given as text
    asyncio.run(channel.deliver([email_envelope(1)]))
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"seen")
    assert isinstance((asyncio.run(channel.deliver([email_envelope(1)])))[0], Accepted)
    assert path.read_bytes() == b"seen"


@pytest.mark.parametrize("message", ["../../etc/passwd", "a/b", "..", "con:1"])
def test_eml_never_leaves_its_folder(message: str, tmp_path: Path) -> None:
    envelope = attrs.evolve(email_envelope(1), message=MessageId(message))
    folder = tmp_path / "deep" / "out"
    asyncio.run(EmlChannel(folder).deliver([envelope]))
    assert [path.parent for path in tmp_path.rglob("*.eml")] == [folder]


def test_eml_into_a_file_is_deferred(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    channel = EmlChannel(tmp_path / "out", pace=fake_pace())
    assert isinstance((asyncio.run(channel.deliver([email_envelope(1)])))[0], Deferred)
