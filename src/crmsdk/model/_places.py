"""Where a person may be, judged from what is usually known: a phone number and a country."""

from crmsdk.model._calling_codes import CALLING_CODES
from crmsdk.model._country_zones import ZONES

_LONGEST = max(map(len, CALLING_CODES))


def candidates(phone: str | None, country: str | None) -> tuple[str, ...]:
    """Give the time zones a person without a known zone may live in.

    Where both hints share zones, those are the answer; where they contradict each other, both stay possible.
    Who must not be woken may be in any of them, so a contact has to suit all.

    Args:
        phone: In international form with ``+``; any other form says no country and is passed over.
        country: ISO 3166 alpha-2, any case; an unknown one is passed over.

    Returns:
        IANA names in no order of merit; zones of one country whose clocks agree now appear once. Empty if
        nothing is known.
    """
    by_phone = _by_phone(phone) if phone else ()
    by_country = ZONES.get(country.strip().upper(), ()) if country else ()
    if not by_phone or not by_country:
        return by_phone or by_country
    shared = tuple(name for name in by_phone if name in by_country)
    return shared or by_phone + by_country


def _by_phone(phone: str) -> tuple[str, ...]:
    if not phone.startswith("+"):
        return ()
    digits = phone[1:]
    for length in range(min(_LONGEST, len(digits)), 0, -1):
        countries = CALLING_CODES.get(digits[:length])
        if countries is not None:
            names = (name for country in countries.split() for name in ZONES.get(country, ()))
            return tuple(dict.fromkeys(names))
    return ()
