"""Read what HTTP itself says in an answer; an adapter begins here and adds what its provider says."""

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from crmsdk.errors import AuthError
from crmsdk.model.message import Ambiguous, Deferred, Outcome, Rejected, Scope
from crmsdk.model.provider import ProviderResponse

__all__ = ["outcome_of_status", "retry_after"]

_LONGEST: Final = timedelta(days=366)
"""A provider that asks for more means never; and no timedelta overflows."""


def retry_after(response: ProviderResponse) -> timedelta | None:
    """Say how long the provider asks to wait; None when it does not say.

    A moment instead of seconds is compared with the answer's own Date: the provider's clock is never
    compared with ours.

    Source:
        RFC 9110, section 10.2.3.
    """
    given = response.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdecimal():
        return min(timedelta(seconds=int(given[:9])), _LONGEST)
    try:
        wait = parsedate_to_datetime(given) - parsedate_to_datetime(response.headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return min(max(wait, timedelta()), _LONGEST)


def outcome_of_status(response: ProviderResponse) -> Outcome | None:
    """Judge an answer by its status alone; None for success, which only the adapter can read.

    A 5xx is ambiguous: the server may have failed after doing the work. An adapter whose provider promises
    otherwise decides before asking here.

    Raises:
        AuthError: 401, the credentials are refused.

    Source:
        RFC 9110, section 15; RFC 6585, section 4.
    """
    status, code = response.status, str(response.status)
    match status:
        case _ if 200 <= status < 300:
            return None
        case 401:
            raise AuthError("the provider refuses the credentials; check the account's key or token")
        case 408 | 425 | 429:
            scope = Scope.ACCOUNT if status == 429 else Scope.RECIPIENT
            return Deferred(
                reason=f"the provider answered {status}", retry_after=retry_after(response), scope=scope
            )
        case _ if status >= 500 or status < 400:
            return Ambiguous(reason=f"the provider answered {status}")
        case _:
            return Rejected(reason=f"the provider answered {status}", code=code)
