"""Contents, envelopes, addresses, capabilities and secrets."""

import copy
import json
import pickle
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import ConfigError, InputError
from crmsdk.model.address import Address, ByAttribute, ByCustomer, ByIdentifier, address_in
from crmsdk.model.content import (
    BUTTONS,
    HEADERS,
    HTML,
    SILENT,
    UNSUBSCRIBE,
    Button,
    ChatContent,
    EmailContent,
    Envelope,
    Markup,
    digest,
)
from crmsdk.model.customer import Customer, Identifier, IdentifierKind
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.message import MessageKind, Sender
from crmsdk.model.provider import Capabilities, ProviderRequest, ProviderResponse
from crmsdk.model.secret import Secret

AT = datetime(2026, 3, 1, tzinfo=UTC)


def customer(**given_fields: Any) -> Customer:
    return Customer(id=CustomerId("c1"), created=AT, **given_fields)


# -- e-mail


def test_email_without_a_body_is_refused() -> None:
    with pytest.raises(InputError, match="neither html nor text"):
        EmailContent(subject="s")


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/u",
        "mailto:stop@shop.example",
        "https://",
        "https://shop.example/a b",
        "https://shop.example/я",
        "https://shop.example/<x>",
        'https://shop.example/"',
        "https://shop.example/a,b",
        "https://[shop.example/",
        "",
    ],
)
def test_unsubscribe_address_is_https_and_bare(url: str) -> None:
    with pytest.raises(InputError, match="unsubscribe_url"):
        EmailContent(subject="s", text="t", unsubscribe_url=url)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Subject": "x"}, "has its own field"),
        ({"bcc": "x"}, "has its own field"),
        ({"Content-Type": "x"}, "made for you"),
        ({"List-Unsubscribe": "x"}, "has its own field"),
        ({"X A": "x"}, "printable ASCII"),
        ({"X:A": "x"}, "printable ASCII"),
        ({"": "x"}, "printable ASCII"),
        ({"X-Тема": "x"}, "printable ASCII"),
        ([("X-A", "1"), ("x-a", "2")], "twice"),
        ({"X-A": "1\n2"}, "line break"),
    ],
)
def test_headers_that_are_refused(headers: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        EmailContent(subject="s", text="t", headers=headers)


def test_email_says_what_it_needs() -> None:
    plain = EmailContent(subject="s", text="t")
    assert plain.needs == frozenset()
    assert attrs.evolve(plain, html="<p>").needs == {HTML}
    assert attrs.evolve(plain, headers={"X-A": "1"}).needs == {HEADERS}
    assert attrs.evolve(plain, unsubscribe_url="https://a.example/").needs == {UNSUBSCRIBE}


def test_email_length_is_bytes_of_both_bodies() -> None:
    assert EmailContent(subject="any", text="да", html="ab").length == 6


@pytest.mark.parametrize("kind", MessageKind)
def test_only_promo_lacks_an_unsubscribe_link(kind: MessageKind) -> None:
    plain = EmailContent(subject="s", text="t")
    assert plain.lacks(kind) == ("an unsubscribe link" if kind is MessageKind.PROMO else None)
    assert attrs.evolve(plain, unsubscribe_url="https://a.example/").lacks(kind) is None


def test_email_parts() -> None:
    content = EmailContent(
        subject="s", text="t", html="h", headers={"X-A": "1"}, unsubscribe_url="https://a.example/"
    )
    assert list(content.parts().items()) == [
        ("subject", "s"),
        ("text", "t"),
        ("html", "h"),
        ("header X-A", "1"),
        ("unsubscribe", "https://a.example/"),
    ]
    assert dict(EmailContent(subject="s", text="t").parts()) == {"subject": "s", "text": "t"}


# -- chat


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_blank_chat_message_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="blank"):
        ChatContent(text=text)


def test_chat_says_what_it_needs() -> None:
    plain = ChatContent(text="t")
    assert plain.needs == frozenset()
    assert attrs.evolve(plain, markup="html").needs == {HTML}
    assert attrs.evolve(plain, buttons=[[Button("a", "https://a.example/")]]).needs == {BUTTONS}
    assert attrs.evolve(plain, silent=True).needs == {SILENT}
    assert plain.lacks(MessageKind.PROMO) is None


def test_markup_does_not_count() -> None:
    assert ChatContent(text="<b>a</b> &amp; б", markup=Markup.HTML).length == len("a & б")
    assert ChatContent(text="<b>a</b>").length == 8


def test_chat_parts_name_every_button() -> None:
    rows = [[Button("a", "u1"), Button("b", "u2")], [Button("c", "u3")]]
    assert dict(ChatContent(text="t", buttons=rows).parts()) == {
        "text": "t",
        "button 1.1": "a u1",
        "button 1.2": "b u2",
        "button 2.1": "c u3",
    }


def test_button_holds_one_line() -> None:
    with pytest.raises(InputError, match="label"):
        Button("a\nb", "https://a.example/")


# -- digests


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_digest_tells_contents_apart(one: str, two: str, three: str, four: str) -> None:
    first = EmailContent(subject="s", text=one, html=two)
    second = EmailContent(subject="s", text=three, html=four)
    assert (digest(first) == digest(second)) == (first == second)


def test_digest_is_stable_and_knows_the_class() -> None:
    eight = (0).to_bytes(7, "big")
    whole = eight + b"\x0bChatContent" + eight + b"\x04text" + eight + b"\x04" + "Да".encode()
    assert digest(ChatContent(text="Да")) == sha256(whole).hexdigest()[:32]
    other = attrs.make_class("Other", [], bases=(ChatContent,))
    assert digest(ChatContent(text="t")) != digest(other(text="t"))


# -- envelopes


def test_key_is_message_and_channel() -> None:
    envelope = Envelope(
        message=MessageId("m1"),
        channel="email",
        to=Address("ann@example.org"),
        content=ChatContent(text="t"),
        kind=MessageKind.PROMO,
        at=AT,
    )
    assert envelope.key == "m1.email"
    assert attrs.evolve(envelope, at=AT.replace(year=2027)).key == envelope.key
    assert attrs.evolve(envelope, channel="sms").key != envelope.key


def test_no_repr_shows_what_is_personal() -> None:
    envelope = Envelope(
        message=MessageId("m1"),
        channel="email",
        to=Address("ann@example.org"),
        content=EmailContent(
            subject="hush",
            text="hush",
            html="hush",
            headers={"X": "hush"},
            unsubscribe_url="https://hush.example/",
        ),
        kind=MessageKind.PROMO,
        at=AT,
        sender=Sender(id="news", address="hush@example.org", reply_to="hush@example.org"),
    )
    chat = ChatContent(text="hush", buttons=[[Button("b", "https://hush.example/")]])
    request = ProviderRequest(
        method="POST", url="u", target=Secret("hush"), headers={"Authorization": "hush"}, body=b"hush"
    )
    response = ProviderResponse(status=200, headers={"X": "hush"}, body=b"hush")
    for value in (envelope, envelope.content, chat, request, response):
        shown = f"{value!r} {value}"
        assert "hush" not in shown
        assert "ann@example.org" not in shown


# -- addresses


@pytest.mark.parametrize("value", ["", " ", " a", "a ", "a\nb", "a\r", "a\x00", "a\x85b", None, 7])
def test_addresses_that_are_refused(value: Any) -> None:
    with pytest.raises(InputError, match="bare address"):
        Address(value)


def test_address_by_identifier_is_the_first_of_its_kind() -> None:
    known = customer(
        identifiers=(
            Identifier(IdentifierKind.PHONE, "+7 900 555"),
            Identifier(IdentifierKind.EMAIL, "Ann@Example.org"),
            Identifier(IdentifierKind.EMAIL, "second@example.org"),
        )
    )
    assert address_in(known, ByIdentifier(IdentifierKind.EMAIL)) == Address("ann@example.org")
    assert address_in(known, ByIdentifier(IdentifierKind.PHONE)) == Address("+7900555")
    assert address_in(customer(), ByIdentifier(IdentifierKind.EMAIL)) is None
    broken = customer(identifiers=(Identifier(IdentifierKind.EMAIL, "a@b.example\r\nBcc: c@d.example"),))
    assert address_in(broken, ByIdentifier(IdentifierKind.EMAIL)) is None


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (42, "42"),
        (-100, "-100"),
        (" 42 ", "42"),
        (True, None),
        (4.2, None),
        ("", None),
        (" ", None),
        (None, None),
        ("4\n2", None),
    ],
)
def test_address_by_attribute(value: Any, address: str | None) -> None:
    found = address_in(customer(attributes={"telegram_chat": value}), ByAttribute("telegram_chat"))
    assert found == (None if address is None else Address(address))
    assert address_in(customer(), ByAttribute("telegram_chat")) is None


def test_address_by_customer_reaches_everyone() -> None:
    assert address_in(customer(), ByCustomer()) == Address("c1")


# -- providers


@pytest.mark.parametrize("limits", [{"length_max": 0}, {"batch_max": 0}])
def test_limits_below_one_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="below 1"):
        Capabilities(content=EmailContent, address=ByCustomer(), **limits)  # type: ignore[arg-type]  # by name


def test_response_reads_json_or_nothing() -> None:
    assert ProviderResponse(status=200, body=json.dumps({"a": 1}).encode()).json() == {"a": 1}
    assert ProviderResponse(status=200, body=b"{").json() is None
    assert ProviderResponse(status=200, body=b"\xff").json() is None
    assert ProviderResponse(status=200, headers={"X-Id": "1"}).headers["x-id"] == "1"


# -- secrets


def test_secret_shows_nothing_and_reveals_on_demand() -> None:
    secret = Secret("hush")
    assert secret.reveal() == "hush"
    assert "hush" not in f"{secret!r} {secret} {[secret]}"
    assert Secret.of(secret) is secret
    assert Secret.of("hush") == secret != Secret("other")


def test_secret_from_a_function_is_fetched_at_each_use() -> None:
    values = iter(["one", "two"])
    secret = Secret(lambda: next(values))
    assert [secret.reveal(), secret.reveal()] == ["one", "two"]


@pytest.mark.parametrize("source", ["", lambda: "", lambda: None, lambda: b"hush"])
def test_secret_that_is_none_is_a_setting_that_cannot_work(source: Any) -> None:
    with pytest.raises(ConfigError, match="secret is empty"):
        Secret(source).reveal()


@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy])
def test_secret_is_not_carried_away(carry: Any) -> None:
    with pytest.raises(TypeError, match="not pickled or copied"):
        carry(Secret("hush"))


def test_a_header_that_is_no_text_is_refused() -> None:
    with pytest.raises(InputError, match=r"^field 'headers': holds something that is no text"):
        EmailContent(subject="s", text="t", headers=cast("Any", {"X-A": 1}))


def test_an_answer_nested_without_end_is_no_json() -> None:
    assert ProviderResponse(status=200, body=b"[" * 100_000).json() is None
