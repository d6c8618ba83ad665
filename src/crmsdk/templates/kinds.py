"""What each kind of channel makes of a filled-in file: which headers it knows, and its content."""

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape

import attrs

from crmsdk.errors import InputError
from crmsdk.model.content import Button, ChatContent, Content, EmailContent, Markup
from crmsdk.templates.plain_text import plain_text
from crmsdk.templates.source import Source

__all__ = ["CHAT", "EMAIL", "ContentKind", "Filled"]

_BODY_TAG = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Filled:
    """A file with everything filled in.

    Attributes:
        headers: Names in lower case with their values, in the order of the file.
        body: What stood after ``---``.
        text: What stood after ``--- text``.
    """

    headers: Sequence[tuple[str, str]]
    body: str | None
    text: str | None

    def header(self, name: str) -> str | None:
        """Give the first header of a name; None without one."""
        return next((value for found, value in self.headers if found == name), None)


def _never(_: Source) -> bool:
    return False


@attrs.frozen(kw_only=True)
class ContentKind:
    """A kind of content that files of some channel are made into.

    Attributes:
        headers: The header names a file may have; ``x-…`` allows all that start so.
        fixed: Those of them that are read as they stand, without variables.
        repeats: Those of them that a file may have several times.
        escapes: Whether values in the body of a file are escaped for HTML.
        build: Makes the content; an ``InputError`` says why it cannot.
        makes: The class of that content, held against the channels when a Crm is opened; None to hold
            nothing.
    """

    headers: frozenset[str]
    build: Callable[[Filled], Content]
    fixed: frozenset[str] = frozenset()
    repeats: frozenset[str] = frozenset()
    escapes: Callable[[Source], bool] = _never
    makes: type[Content] | None = None


def _with_preheader(html: str, preheader: str) -> str:
    """Put the line that lists of mail show beside the subject at the top of the page, unseen in it."""
    hidden = f'<div style="display:none;max-height:0;overflow:hidden">{escape(preheader)}</div>'
    found = _BODY_TAG.search(html)
    at = found.end() if found else 0
    return html[:at] + hidden + html[at:]


def _email(filled: Filled) -> EmailContent:
    subject = filled.header("subject")
    if subject is None:
        raise InputError("is missing; write 'subject: …' and a line '---' above the body", field="subject")
    html, text, preheader = filled.body, filled.text, filled.header("preheader")
    if html is not None and text is None:
        text = plain_text(html)
    if html is not None and preheader is not None:
        html = _with_preheader(html, preheader)
    return EmailContent(
        subject=subject,
        html=html,
        text=text,
        headers=[(name, value) for name, value in filled.headers if name.startswith("x-")],
        unsubscribe_url=filled.header("unsubscribe"),
    )


def _chat(filled: Filled) -> ChatContent:
    if filled.text is not None:
        raise InputError("has a part '--- text'; a chat message has one body, after '---'", field="text")
    return ChatContent(
        text=filled.body or "",
        markup=_markup(filled.header("markup")),
        buttons=[[_button(value)] for name, value in filled.headers if name == "button"],
        silent=_yes(filled.header("silent")),
    )


def _markup(value: str | None) -> Markup:
    if value not in {None, *Markup}:
        raise InputError(f"is {value!r}; write 'plain' or 'html'", field="markup")
    return Markup(value or Markup.PLAIN)


def _yes(value: str | None) -> bool:
    if value not in {None, "yes", "no"}:
        raise InputError(f"is {value!r}; write 'yes' or 'no'", field="silent")
    return value == "yes"


def _button(value: str) -> Button:
    label, bar, url = value.rpartition("|")
    if not bar or not label.strip() or not url.strip():
        raise InputError("is no button; write 'button: Label | https://…'", field="button")
    return Button(label.strip(), url.strip())


def _is_html(source: Source) -> bool:
    markup = source.header("markup")
    return markup is not None and markup.text == Markup.HTML


EMAIL = ContentKind(
    headers=frozenset({"subject", "preheader", "unsubscribe", "x-…"}),
    build=_email,
    escapes=lambda _: True,
    makes=EmailContent,
)
"""E-mail: the body is HTML and values in it are escaped; without ``--- text`` a plain text is made of it."""

CHAT = ContentKind(
    headers=frozenset({"button", "markup", "silent"}),
    fixed=frozenset({"markup", "silent"}),
    repeats=frozenset({"button"}),
    build=_chat,
    escapes=_is_html,
    makes=ChatContent,
)
"""Telegram, SMS and other chats: the body is plain text, or HTML with ``markup: html``."""

KINDS: Mapping[str, ContentKind] = {"email": EMAIL}
"""Which channel has which kind; all others are chats."""
