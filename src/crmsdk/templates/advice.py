"""What a marketer should look at before a message goes out. Advice never stops a message."""

from collections.abc import Iterator

from crmsdk.model.content import ChatContent, Content, EmailContent
from crmsdk.model.message import MessageKind

__all__ = ["advice"]

# Gmail cuts off what is longer: https://support.google.com/mail/answer/15049 names no figure; senders
# measure 102 KB, as https://github.com/hteumeuleu/email-bugs/issues/41.
_EMAIL_CLIPPED = 102 * 1024
_SUBJECT_LONG = 60  # what a wide screen shows; phones show about 40
_CHAT_MAX = {"telegram": 4096}  # https://core.telegram.org/bots/api#sendmessage
# 3GPP TS 23.038: a message alone, and each of several, which lose room to their numbering.
_SMS_PARTS = {"latin": (160, 153), "any": (70, 67)}
_SMS_LATIN = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_SMS_DOUBLE = frozenset("\f^{}\\[~]|€")


def advice(content: Content, channel: str, kind: MessageKind, *, preheader: bool) -> Iterator[str]:
    """Say what may be wrong with a final content, one sentence each.

    Args:
        content: The final content.
        channel: The kind of channel.
        kind: Why the message is sent.
        preheader: Whether the file has one.
    """
    lacking = content.lacks(kind)
    if lacking:
        yield f"a {kind} message must have {lacking}: channels refuse it without"
    if isinstance(content, EmailContent):
        yield from _email(content, kind, preheader=preheader)
    elif isinstance(content, ChatContent):
        yield from _chat(content, channel)


def _email(content: EmailContent, kind: MessageKind, *, preheader: bool) -> Iterator[str]:
    if not content.subject.strip():
        yield "the subject is empty"
    if len(content.subject) > _SUBJECT_LONG:
        yield f"the subject has {len(content.subject)} characters; beyond {_SUBJECT_LONG} it is cut off"
    if not preheader and kind is not MessageKind.SERVICE:
        yield "there is no preheader: lists of mail will show the first words of the body"
    size = len((content.html or "").encode())
    if size > _EMAIL_CLIPPED:
        yield f"the page has {size // 1024} KB; beyond {_EMAIL_CLIPPED // 1024} KB some readers cut it off"


def _chat(content: ChatContent, channel: str) -> Iterator[str]:
    most = _CHAT_MAX.get(channel)
    if most is not None and content.length > most:
        yield f"the text has {content.length} characters; {channel} takes {most}"
    if channel == "sms":
        parts = sms_parts(content.text)
        if parts > 1:
            yield f"the text makes {parts} SMS, each is paid for"


def sms_parts(text: str) -> int:
    """Count the SMS a text makes: 160 Latin characters or 70 of any other script go into one.

    Source:
        3GPP TS 23.038, the default alphabet and its extension table.
    """
    if set(text) <= _SMS_LATIN | _SMS_DOUBLE:
        alone, each = _SMS_PARTS["latin"]
        size = len(text) + sum(char in _SMS_DOUBLE for char in text)
    else:
        alone, each = _SMS_PARTS["any"]
        size = len(text.encode("utf-16-le")) // 2
    return 1 if size <= alone else -(-size // each)
