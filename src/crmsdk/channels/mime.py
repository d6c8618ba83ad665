"""Assemble an e-mail as bytes: text and html for one person.

The standard library builds a message of Cyrillic text in about 2.9 ms; most of that is a general parser of
headers at work on headers we have just made. This writes the common case directly. The result is ASCII with
CRLF line ends, and the standard library's parser reads it back without a defect.
"""

import re
from base64 import b64encode
from binascii import b2a_base64, b2a_qp
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from crmsdk.errors import InputError
from crmsdk.model.content import EmailContent, Envelope
from crmsdk.model.message import Sender

__all__ = ["assemble", "check_sender", "mailbox", "message_id", "message_of"]

_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_DEVIATIONS: Final = re.compile(r"[ßς\u200c\u200d]")
"""Letters that IDNA 2003, which the standard library speaks, turns into others: ``straße.de`` would become
``strasse.de``, another domain. Unicode Technical Standard 46, section 7."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN: Final = re.compile(r"[!-~]+(?: [!-~]+)*")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/?^_`{|}~-]+)*")
_LINE_END: Final = re.compile(r"\r\n?|\n")
_LINE: Final = 76
"""RFC 2047, section 2: no line with an encoded word is longer."""
_BOUNDARY: Final = "=_crmsdk_alternative"
"""Neither base64 nor quoted-printable can hold ``=_``, so no body can hold it."""


def mailbox(address: str, field: str) -> str:
    """Bring an e-mail address into the form that goes over the wire.

    Args:
        address: As ``ann@example.org``; the domain may be international.
        field: The name to use in an error.

    Returns:
        The same address in ASCII.

    Raises:
        InputError: it is no bare address, or its local part is not ASCII.

    Source:
        RFC 5321, sections 4.1.2 and 4.5.3.1.
    """
    local, _, domain = address.rpartition("@")
    if _DEVIATIONS.search(domain):
        raise InputError(
            "has a domain with a letter that mail servers read in two ways; write it as xn--…", field=field
        )
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            domain = ""
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise InputError("is no address as name@example.org, in ASCII before the @", field=field)
    if len(local) > 64 or len(local) + len(domain) > 253:
        raise InputError("is longer than SMTP allows", field=field)
    return f"{local}@{domain}"


def check_sender(sender: Sender) -> None:
    """Refuse a sender that no e-mail can bear.

    Raises:
        InputError: an address that is none, or a name with a line break.
    """
    mailbox(sender.address, "sender.address")
    if sender.reply_to is not None:
        mailbox(sender.reply_to, "sender.reply_to")
    if _CONTROL.search(sender.name):
        raise InputError("holds a line break or control character; give one line", field="sender.name")


def message_id(envelope: Envelope[EmailContent], domain: str) -> str:
    """Derive the Message-ID from the message's id: every attempt bears the same."""
    own = envelope.message
    if not _LOCAL.fullmatch(own) or len(own) > 64:
        own = type(own)(sha256(own.encode()).hexdigest())
    return f"<{own}@{domain}>"


def message_of(header: str) -> str:
    """Read our message's id back from a Message-ID, as a bounce reports it; empty when it is not ours."""
    found = re.fullmatch(r"\s*<([^<>@\s]+)@[^<>@\s]+>\s*", header)
    return found[1] if found else ""


def assemble(envelope: Envelope[EmailContent], sender: Sender) -> bytes:
    """Write the whole e-mail.

    Args:
        envelope: What to send to whom.
        sender: Whose name it bears.

    Returns:
        ASCII, every line ended by CRLF, lines starting with a dot not yet doubled.

    Raises:
        InputError: an address that is none, a name or header that holds a line break or does not fit.
    """
    content = envelope.content
    check_sender(sender)
    from_address = mailbox(sender.address, "sender.address")
    head = [
        f"From: {_person(sender.name, from_address)}",
        f"To: <{mailbox(envelope.to.value, 'to')}>",
        _header("Subject", content.subject),
        f"Date: {format_datetime(envelope.at)}",
        f"Message-ID: {message_id(envelope, from_address.rpartition('@')[2])}",
    ]
    if sender.reply_to is not None:
        head.append(f"Reply-To: <{mailbox(sender.reply_to, 'sender.reply_to')}>")
    if content.unsubscribe_url is not None:
        # RFC 8058, section 3.1: both headers, and nothing else in the second.
        head.append(_header("List-Unsubscribe", f"<{content.unsubscribe_url}>"))
        head.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    head.extend(_header(name, text) for name, text in content.headers)
    head.append("MIME-Version: 1.0")
    lines = "\r\n".join(head).encode("ascii") + b"\r\n"
    return lines + _bodies(content)


def _bodies(content: EmailContent) -> bytes:
    given = (("plain", content.text), ("html", content.html))
    parts = [_part(subtype, text) for subtype, text in given if text is not None]
    if len(parts) == 1:
        return parts[0]
    edge = _BOUNDARY.encode()
    opening = b'Content-Type: multipart/alternative; boundary="' + edge + b'"\r\n\r\n'
    return opening + b"".join(b"--" + edge + b"\r\n" + part for part in parts) + b"--" + edge + b"--\r\n"


def _part(subtype: str, text: str) -> bytes:
    raw = _LINE_END.sub("\r\n", text).encode()
    # Each byte outside ASCII takes three in quoted-printable, any byte 1.37 in base64.
    foreign = 0 if text.isascii() else len(raw) - len(raw.translate(None, _ABOVE_ASCII))
    if foreign * 6 > len(raw):
        encoding, body = b"base64", _base64_lines(raw)
    else:
        encoding, body = b"quoted-printable", b2a_qp(raw, istext=True)
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: '.encode()
        + encoding
        + b"\r\n\r\n"
        + body
        + (b"" if body.endswith(b"\r\n") else b"\r\n")
    )


_ABOVE_ASCII: Final = bytes(range(128, 256))
_PER_LINE: Final = 57
"""Bytes that make 76 characters of base64."""


def _base64_lines(raw: bytes) -> bytes:
    pieces = (raw[start : start + _PER_LINE] for start in range(0, len(raw), _PER_LINE))
    return b"".join(b2a_base64(piece, newline=False) + b"\r\n" for piece in pieces)


def _person(name: str, address: str) -> str:
    if not name:
        return f"<{address}>"
    if _ATOMS.fullmatch(name) and "=?" not in name and len(name) < _LINE - len("From: "):
        shown = name
    elif _PLAIN.fullmatch(name) and "=?" not in name and len(name) < _LINE // 2:
        shown = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        shown = _encoded(name, len("From: "))
    return (
        f"{shown}\r\n <{address}>"
        if len(shown) + len(address) > _LINE - len("From:  <>")
        else f"{shown} <{address}>"
    )


def _header(name: str, text: str) -> str:
    if _CONTROL.search(text.replace("\t", " ")):
        raise InputError("holds a line break or control character; give one line", field=name)
    start = len(name) + 2
    if not text or (len(text) + start <= _LINE and _PLAIN.fullmatch(text) and "=?" not in text):
        return f"{name}: {text}"
    if name != "Subject" and _PLAIN.fullmatch(text) and "=?" not in text:
        return f"{name}: {_folded(text, name, start)}"
    return f"{name}: {_encoded(text, start)}"


def _folded(text: str, name: str, start: int) -> str:
    """Break at spaces; a single long word, as an address, stays whole: encoded words may not stand there."""
    lines, room = [""], _LINE - start
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
            room = _LINE - 1
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    if max(map(len, lines)) + start > 998:  # RFC 5322, section 2.1.1
        raise InputError("has a word that no mail line can hold; shorten it", field=name)
    return "\r\n ".join(lines)


def _encoded(text: str, start: int) -> str:
    """Write text as encoded words, none breaking a character.

    Source:
        RFC 2047, sections 2 and 5.
    """
    words, word, room = [], b"", _room(start)
    for char in text:
        raw = char.encode()
        if len(word) + len(raw) > room:
            words.append(word)
            word, room = b"", _room(1)
        word += raw
    words.append(word)
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in words)


def _room(start: int) -> int:
    """How many bytes fit into one encoded word on a line that begins with so many characters."""
    return max((_LINE - 1 - start - len("=?utf-8?b??=")) // 4 * 3, 6)
