"""E-mails we assemble, read back by the standard library's parser."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crmsdk.channels.mime import assemble, check_sender, mailbox, message_id, message_of
from crmsdk.errors import InputError
from crmsdk.model.address import Address
from crmsdk.model.content import EmailContent, Envelope
from crmsdk.model.ids import MessageId
from crmsdk.model.message import MessageKind, Sender

AT = datetime(2026, 3, 29, 9, 0, tzinfo=UTC)
SENDER = Sender(id="news", address="news@shop.example", name="The Shop")


def envelope(
    content: EmailContent, *, to: str = "ann@example.org", message: str = "5f0c", at: datetime = AT
) -> Envelope[EmailContent]:
    return Envelope(
        message=MessageId(message),
        channel="email",
        to=Address(to),
        content=content,
        kind=MessageKind.TRIGGER,
        at=at,
    )


def read(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    for part in message.walk():
        assert part.defects == []
        for name, value in part.items():
            assert getattr(value, "defects", ()) == (), name
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


# Letters of several scripts, emoji that need joining, and everything with a meaning in headers.
TEXT = st.text(
    st.one_of(
        st.sampled_from(" \t,;:<>@()[]\\\"'=?_.-АБвгшё日本שלום🧑‍🚀€ß"),
        st.characters(min_codepoint=32, max_codepoint=126),
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
    ),
    max_size=300,
)
BODY = st.text(
    st.one_of(st.sampled_from("\n\n.=\r \t"), st.characters(exclude_categories=["Cs"])), max_size=2_000
)


def _one_line(text: str) -> str:
    return text.replace("\x85", " ")


NAME = TEXT.map(lambda text: _one_line(text).replace("\t", " "))


@given(TEXT.map(_one_line))
@example("=?utf-8?b?0J8=?=")
@example("x" * 998)
@example("word " * 60)
@example("a" * 74 + "я")
def test_subject_round_trips(subject: str) -> None:
    message = read(assemble(envelope(EmailContent(subject=subject, text="t")), SENDER))
    # RFC 5322 knows no space at the edges of a field, and a parser drops it unless it is encoded.
    assert message["Subject"] == subject


@given(NAME)
def test_display_name_round_trips(name: str) -> None:
    sender = Sender(id="s", address="news@shop.example", name=name)
    data = assemble(envelope(EmailContent(subject="s", text="t")), sender)
    (address,) = read(data)["From"].addresses
    assert address.addr_spec == "news@shop.example"
    # The newer parser puts spaces between the encoded words of a name, against RFC 2047; the older does not.
    shown, _ = parseaddr(message_from_bytes(data)["From"].replace("\r\n", ""))
    assert str(make_header(decode_header(shown))) == name


@given(BODY, BODY)
@example(".\n..\n.", "\r\n.\r\n")
@example("x" * 3_000, "да" * 1_000)
@example("", "")
@example(" \n\t\n=\n= ", "From me\n")
def test_bodies_round_trip(text: str, html: str) -> None:
    data = assemble(envelope(EmailContent(subject="s", text=text, html=html)), SENDER)
    message = read(data)
    assert message.get_content_type() == "multipart/alternative"
    expected = [part.replace("\r\n", "\n").replace("\r", "\n") for part in (text, html)]
    assert body(message, "plain").removesuffix("\n") == expected[0].removesuffix("\n")
    assert body(message, "html").removesuffix("\n") == expected[1].removesuffix("\n")


@given(TEXT.map(_one_line), NAME, BODY)
def test_wire_form(subject: str, name: str, text: str) -> None:
    """ASCII, every line ended by CRLF and within the limit of RFC 5322."""
    sender = Sender(id="s", address="news@shop.example", name=name, reply_to="help@shop.example")
    content = EmailContent(
        subject=subject, text=text, html=text, unsubscribe_url="https://shop.example/u?c=1"
    )
    data = assemble(envelope(content), sender)
    assert data.isascii()
    assert data.endswith(b"\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    head = data.partition(b"\r\n\r\n")[0]
    encoded = [line for line in head.split(b"\r\n") if b"=?" in line]
    assert all(len(line) <= 76 for line in encoded)


def test_every_header() -> None:
    content = EmailContent(
        subject="Привет",
        html="<p>Да</p>",
        text="Да",
        headers={"X-Campaign": "spring", "List-Id": "<news.shop.example>"},
        unsubscribe_url="https://shop.example/u/1",
    )
    sender = Sender(id="s", address="news@shop.example", name="Магазин", reply_to="help@shop.example")
    message = read(assemble(envelope(content), sender))
    assert dict(message.items()) == {
        "From": "Магазин <news@shop.example>",
        "To": "ann@example.org",
        "Subject": "Привет",
        "Date": "Sun, 29 Mar 2026 09:00:00 +0000",
        "Message-ID": "<5f0c@shop.example>",
        "Reply-To": "help@shop.example",
        "List-Unsubscribe": "<https://shop.example/u/1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "X-Campaign": "spring",
        "List-Id": "<news.shop.example>",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="=_crmsdk_alternative"',
    }
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_one_body_makes_one_part(kind: str) -> None:
    letter = "Да.\n.\nНет"
    content = (
        EmailContent(subject="s", text=letter) if kind == "plain" else EmailContent(subject="s", html=letter)
    )
    message = read(assemble(envelope(content), SENDER))
    assert message.get_content_type() == f"text/{kind}"
    assert body(message, kind).rstrip("\n") == "Да.\n.\nНет"


def test_mostly_ascii_text_stays_readable() -> None:
    data = assemble(envelope(EmailContent(subject="s", text="A long letter, with one ё in it.")), SENDER)
    assert b"A long letter, with one =D1=91 in it." in data


def test_same_envelope_gives_same_bytes() -> None:
    content = EmailContent(subject="Привет", html="<p>Да</p>", text="Да")
    assert assemble(envelope(content), SENDER) == assemble(envelope(content), SENDER)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants bounds without zone
def test_date_round_trips(at: datetime) -> None:
    message = read(assemble(envelope(EmailContent(subject="s", text="t"), at=at), SENDER))
    assert message["Date"].datetime == at - timedelta(microseconds=at.microsecond)


# -- line breaks and other ways in


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x00", "\x0b", "\x85", "\u2028", "\u2029"])
def test_line_breaks_are_refused_everywhere(end: str) -> None:
    evil = f"x{end}Bcc: evil@example.net"
    with pytest.raises(InputError):
        EmailContent(subject=evil, text="t")
    with pytest.raises(InputError):
        EmailContent(subject="s", text="t", headers={"X-A": evil})
    with pytest.raises(InputError):
        EmailContent(subject="s", text="t", headers={evil: "a"})
    with pytest.raises(InputError):
        EmailContent(subject="s", text="t", unsubscribe_url=f"https://shop.example/{evil}")
    for sender in (
        Sender(id="s", address="news@shop.example", name=evil),
        Sender(id="s", address=f"news@shop.example{end}Bcc: e@example.net"),
        Sender(id="s", address="news@shop.example", reply_to=f"a@b.example{end}Bcc: e@example.net"),
    ):
        with pytest.raises(InputError):
            check_sender(sender)
        with pytest.raises(InputError):
            assemble(envelope(EmailContent(subject="s", text="t")), sender)


@given(st.text(max_size=80))
def test_no_recipient_breaks_out(text: str) -> None:
    """Whatever an address holds, it is refused or stays one recipient on one line."""
    try:
        found = mailbox(text, "to")
    except InputError:
        return
    assert found.isascii()
    assert not set(found) & set('<>\r\n ,;:"()\\')


@pytest.mark.parametrize(
    ("given_address", "wire"),
    [
        ("ann@example.org", "ann@example.org"),
        ("ann+tag@sub.example.org", "ann+tag@sub.example.org"),
        ("анна@example.org", None),
        ("info@пример.рф", "info@xn--e1afmkfd.xn--p1ai"),
        ("ann@mail", "ann@mail"),
        ("ann", None),
        ("@example.org", None),
        ("ann@", None),
        ("ann@-bad.example", None),
        ("ann@bad-.example", None),
        ("a..b@example.org", None),
        (".a@example.org", None),
        ("ann@exa mple.org", None),
        ("<ann@example.org>", None),
        ("ann@example.org,eve@example.org", None),
        ('"a b"@example.org', None),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
        ("a" * 65 + "@example.org", None),
        ("ann@" + "a" * 63 + ".example", "ann@" + "a" * 63 + ".example"),
        ("ann@" + "ы" * 70 + ".рф", None),
        ("a@" + ".".join(["a" * 60] * 5), None),
    ],
)
def test_mailbox(given_address: str, wire: str | None) -> None:
    if wire is None:
        with pytest.raises(InputError, match="field 'to'"):
            mailbox(given_address, "to")
    else:
        assert mailbox(given_address, "to") == wire


def test_header_word_longer_than_a_line_is_refused() -> None:
    content = EmailContent(subject="s", text="t", headers={"X-Long": "y" * 1_000})
    with pytest.raises(InputError, match="X-Long"):
        assemble(envelope(content), SENDER)


def test_long_header_is_folded_at_spaces_only() -> None:
    references = " ".join(f"<message-number-{number}@shop.example>" for number in range(9))
    content = EmailContent(subject="s", text="t", headers={"References": references})
    data = assemble(envelope(content), SENDER)
    assert read(data)["References"] == references
    assert max(map(len, data.split(b"\r\n"))) <= 78


def test_header_of_another_script_is_encoded() -> None:
    content = EmailContent(subject="s", text="t", headers={"X-City": "Москва"})
    assert read(assemble(envelope(content), SENDER))["X-City"] == "Москва"


# -- which message is it


def test_t11_a_report_that_overtakes_its_send_still_names_its_message() -> None:
    """The Message-ID is known before the message leaves: a bounce may come before the outcome is stored."""
    before = message_id(envelope(EmailContent(subject="s", text="t"), message="5f0c"), "shop.example")
    sent = read(assemble(envelope(EmailContent(subject="s", text="t"), message="5f0c"), SENDER))
    assert sent["Message-ID"] == before
    assert message_of(before) == "5f0c"


@pytest.mark.parametrize("header", ["", "5f0c", "<5f0c>", "<a b@c>", "<a@b> <c@d>"])
def test_foreign_message_ids_name_nothing(header: str) -> None:
    assert message_of(header) == ""


def test_odd_message_ids_are_hashed() -> None:
    odd = message_id(envelope(EmailContent(subject="s", text="t"), message="order 7 <x>"), "shop.example")
    assert message_of(odd)
    assert "order" not in odd


@pytest.mark.parametrize("domain", ["straße.de", "xn--a.faß.de", "μαςς.gr", "a\u200db.example"])
def test_a_domain_that_could_be_anothers_is_refused(domain: str) -> None:
    with pytest.raises(
        InputError, match=r"^field 'to': has a domain with a letter that mail servers read in"
    ):
        mailbox(f"ann@{domain}", "to")
