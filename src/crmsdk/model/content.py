"""What a message says, typed per channel, and the envelope in which a channel gets it.

A new kind of channel brings its own content class: any value with the four members of ``Content``.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from html import unescape
from typing import Final, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import attrs

from crmsdk.errors import InputError
from crmsdk.model.address import Address
from crmsdk.model.ids import MessageId
from crmsdk.model.message import MessageKind, Sender

__all__ = [
    "BUTTONS",
    "HEADERS",
    "HTML",
    "SILENT",
    "UNSUBSCRIBE",
    "Button",
    "ChatContent",
    "Content",
    "EmailContent",
    "Envelope",
    "Markup",
    "digest",
]

HTML: Final = "html text"
HEADERS: Final = "own headers"
UNSUBSCRIBE: Final = "one-click unsubscribe"
BUTTONS: Final = "buttons"
SILENT: Final = "silent delivery"


class Content(Protocol):
    """What every content can say about itself, whatever its channel."""

    @property
    def length(self) -> int:
        """Its length in the unit in which channels of its kind limit it."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """Features it asks of a channel, in words, as ``buttons``."""
        ...

    def lacks(self, kind: MessageKind) -> str | None:
        """Name what a message of this kind must have and this content has not; None when all is there."""
        ...

    def parts(self) -> Mapping[str, str]:
        """Give everything the recipient gets, as named texts in a fixed order."""
        ...


def digest(content: Content) -> str:
    """Hash the final text of a message, the same for the same text.

    Returns:
        32 hexadecimal digits of SHA-256 over the class and all parts, each length-prefixed.
    """
    whole = hashlib.sha256()
    pairs = content.parts().items()
    for text in (type(content).__name__, *(text for pair in pairs for text in pair)):
        raw = text.encode()
        whole.update(len(raw).to_bytes(8, "big") + raw)
    return whole.hexdigest()[:32]


_LINE_BREAKING: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_HEADER_NAME: Final = re.compile(r"[!-9;-~]+")
_OURS: Final = frozenset(
    {
        *("bcc", "cc", "date", "from", "message-id", "mime-version", "reply-to", "return-path", "sender"),
        *("subject", "to", "list-unsubscribe", "list-unsubscribe-post"),
    }
)
"""Headers that have a field of their own, or that a message to one person never has."""


_PLAIN_HTTPS: Final = re.compile(r"https://[A-Za-z0-9][A-Za-z0-9.-]*([/?#][!#-+\--;=?-~]*)?")


def _one_line(_: object, field: "attrs.Attribute[str]", value: str) -> None:
    if not isinstance(value, str) or _LINE_BREAKING.search(value):
        raise InputError("holds a line break or control character; give one line of text", field=field.name)


def _https(_: object, field: "attrs.Attribute[str | None]", value: str | None) -> None:
    if value is None:
        return
    if _PLAIN_HTTPS.fullmatch(value):  # nearly all are, and a whole parse takes ten times as long
        return
    # RFC 8058, section 3.1: the one-click URI is https.
    if not value.startswith("https://") or not _host(value) or not re.fullmatch(r"[!-~]+", value):
        raise InputError(
            "is not an https address in ASCII; one-click unsubscribe needs one", field=field.name
        )
    if any(char in value for char in '<>,"'):
        raise InputError('holds one of < > , "; percent-encode it', field=field.name)


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # a bracket that is not closed
        return None


def _headers(value: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(value.items() if isinstance(value, Mapping) else ((name, text) for name, text in value))


def _own_headers(
    _: object, field: "attrs.Attribute[tuple[tuple[str, str], ...]]", value: tuple[tuple[str, str], ...]
) -> None:
    seen = set()
    for name, text in value:
        if not isinstance(name, str) or not isinstance(text, str):
            raise InputError("holds something that is no text; give names and texts", field=field.name)
        lower = name.casefold()
        if not _HEADER_NAME.fullmatch(name):
            raise InputError("has a header name that is not printable ASCII without colon", field=field.name)
        if lower in _OURS or lower.startswith("content-"):
            raise InputError(
                f"sets {name}; that header has its own field, or is made for you", field=field.name
            )
        if lower in seen:
            raise InputError(f"sets {name} twice; give it once", field=field.name)
        if _LINE_BREAKING.search(text):
            raise InputError(f"has a line break or control character in {name}", field=field.name)
        seen.add(lower)


@attrs.frozen(kw_only=True)
class EmailContent:
    """The content of one e-mail.

    Attributes:
        subject: One line.
        html, text: The two alternatives; at least one is given.
        headers: Further headers by name, without those that have a field here.
        unsubscribe_url: The https address of one-click unsubscribe; a promo e-mail must have it.

    Raises:
        InputError: a line break in the subject or a header, no body, an address that is not https.
    """

    subject: str = attrs.field(repr=False, validator=_one_line)
    html: str | None = attrs.field(default=None, repr=False)
    text: str | None = attrs.field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = attrs.field(
        default=(), converter=_headers, validator=_own_headers, repr=False
    )
    # It names one person, so it is hidden like an address.
    unsubscribe_url: str | None = attrs.field(default=None, repr=False, validator=_https)

    def __attrs_post_init__(self) -> None:
        """Refuse an e-mail without a body."""
        if self.html is None and self.text is None:
            raise InputError("has neither html nor text; give at least one", field="content")

    @property
    def length(self) -> int:
        """The bytes of both bodies in UTF-8."""
        return len((self.html or "").encode()) + len((self.text or "").encode())

    @property
    def needs(self) -> frozenset[str]:
        """Features it asks of a channel."""
        asked = ((HTML, self.html), (HEADERS, self.headers), (UNSUBSCRIBE, self.unsubscribe_url))
        return frozenset(feature for feature, given in asked if given)

    def lacks(self, kind: MessageKind) -> str | None:
        """Name the unsubscribe link when a promo e-mail has none.

        Source:
            RFC 8058; large mailbox providers ask bulk senders for it.
        """
        if kind is MessageKind.PROMO and self.unsubscribe_url is None:
            return "an unsubscribe link"
        return None

    def parts(self) -> Mapping[str, str]:
        """Give subject, text, html, headers and the unsubscribe link, those that there are."""
        named = {"subject": self.subject, "text": self.text, "html": self.html}
        named |= {f"header {name}": text for name, text in self.headers}
        named["unsubscribe"] = self.unsubscribe_url
        return {name: text for name, text in named.items() if text is not None}


class Markup(StrEnum):
    """How the text of a chat message is to be read."""

    PLAIN = "plain"
    HTML = "html"


@attrs.frozen
class Button:
    """A button under a chat message that opens an address."""

    label: str = attrs.field(validator=_one_line)
    url: str = attrs.field(repr=False, validator=_one_line)


def _rows(value: Iterable[Iterable[Button]]) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(row) for row in value)


_TAG: Final = re.compile(r"<[^>]*>")


@attrs.frozen(kw_only=True)
class ChatContent:
    """The content of one chat message.

    Attributes:
        text: The text, not blank.
        markup: How the text is to be read.
        buttons: Rows of buttons, from the top.
        silent: Without a sound.

    Raises:
        InputError: the text is blank.
    """

    text: str = attrs.field(repr=False)
    markup: Markup = attrs.field(default=Markup.PLAIN, converter=Markup)
    buttons: tuple[tuple[Button, ...], ...] = attrs.field(default=(), converter=_rows, repr=False)
    silent: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse a message without text."""
        if not self.text.strip():
            raise InputError("is blank; give text", field="text")

    @property
    def length(self) -> int:
        """The characters a reader sees: markup does not count."""
        return len(unescape(_TAG.sub("", self.text)) if self.markup is Markup.HTML else self.text)

    @property
    def needs(self) -> frozenset[str]:
        """Features it asks of a channel."""
        asked = ((HTML, self.markup is Markup.HTML), (BUTTONS, self.buttons), (SILENT, self.silent))
        return frozenset(feature for feature, given in asked if given)

    def lacks(self, kind: MessageKind) -> str | None:  # noqa: ARG002 - the question is the port's
        """Nothing: a chat is left by the chat's own means."""
        return None

    def parts(self) -> Mapping[str, str]:
        """Give the text and the buttons."""
        rows = {
            f"button {row}.{place}": f"{button.label} {button.url}"
            for row, buttons in enumerate(self.buttons, 1)
            for place, button in enumerate(buttons, 1)
        }
        return {"text": self.text} | rows


C_co = TypeVar("C_co", bound=Content, covariant=True)


@attrs.frozen(kw_only=True)
class Envelope(Generic[C_co]):
    """One message as a channel gets it: what, to whom, from whom.

    Attributes:
        message: The message's id.
        channel: The channel's name.
        to: Where it goes.
        content: What it says.
        kind: Why it is sent.
        at: The date it bears, UTC. Fixed before the first attempt, so that every attempt, also one after a
            crash, makes the same bytes.
        sender: Who sends; None where the channel knows only one.
        locale: The language of the content, BCP 47.
        seed: It goes to a seed list and counts in no metric.
    """

    message: MessageId
    channel: str
    to: Address
    content: C_co = attrs.field(repr=False)
    kind: MessageKind
    at: datetime
    sender: Sender | None = None
    locale: str | None = None
    seed: bool = False

    @property
    def key(self) -> str:
        """The idempotency key: message and channel, the same for every attempt for ever."""
        return f"{self.message}.{self.channel}"
