"""What a mail server's refusal means for the message, its recipient and the account."""

import re
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from crmsdk.errors import AuthError
from crmsdk.model.message import Deferred, Outcome, Rejected, Scope, Suppress

Stage: TypeAlias = Literal["sender", "recipient", "message"]

_ENHANCED: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_NO_SUCH_ADDRESS: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""RFC 3463, sections 3.2 and 3.3, RFC 7505: mailbox or domain does not exist, has moved, or is disabled."""
_LOGIN_WANTED: Final = frozenset({530, 534, 535, 538})
"""RFC 4954, section 6."""
_AGAIN: Final = timedelta(minutes=30)
"""RFC 5321, section 4.5.4.1: a mail for one host should not be tried again sooner."""


def outcome_of_reply(code: int, text: str, stage: Stage) -> Outcome:
    """Judge a refusal.

    Args:
        code: The reply code.
        text: What the server wrote; only its enhanced status code is used, for the rest may hold an address.
        stage: What it was the answer to.

    Raises:
        AuthError: the server wants another login.

    Source:
        RFC 5321, section 4.2; RFC 3463.
    """
    if code in _LOGIN_WANTED:
        raise AuthError(f"the mail server wants a login ({code}); set user name and password")
    found = _ENHANCED.match(text)
    enhanced = found[1] if found else ""
    known = f"{code} {enhanced}".strip()
    reason = f"the mail server refused the {stage} ({known})"
    if 400 <= code < 500:
        scope = _scope(code, enhanced, stage)
        return Deferred(reason=reason, retry_after=None if code == 421 else _AGAIN, scope=scope)
    gone = stage != "sender" and enhanced in _NO_SUCH_ADDRESS
    return Rejected(reason=reason, code=known, suppress=Suppress.ADDRESS if gone else None)


def _scope(code: int, enhanced: str, stage: Stage) -> Scope:
    # x.3.x is the state of the receiving system as a whole; 421 closes the door; 454 limits the account.
    if code in {421, 454} or enhanced.startswith("4.3."):
        return Scope.ACCOUNT
    return Scope.SENDER if stage == "sender" else Scope.RECIPIENT
