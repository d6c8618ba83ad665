"""How money, dates and times are written for a reader: simple rules, no locale database.

English writes £1,234.50 and 29 March 2026; Russian 1 234,50 ₽ and 29 марта 2026; every other language
1 234,50 € and 2026-03-29. Whoever needs more passes ready text.
"""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crmsdk.errors import UnknownZone
from crmsdk.model.money import Money

__all__ = ["clock_words", "date_words", "money_words"]

_SIGNS = {"EUR": "€", "GBP": "£", "RUB": "₽", "USD": "$"}
# ISO 4217, currencies in use whose minor unit is not a hundredth.
_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}
_NO_BREAK = "\N{NO-BREAK SPACE}"


def money_words(value: Money, locale: str) -> str:
    """Write an amount; whole amounts without their zeros in every language but English.

    Args:
        value: The amount.
        locale: BCP 47 tag of the reader.
    """
    digits = _DIGITS.get(value.currency, 2)
    amount = Decimal(abs(value.minor)).scaleb(-digits)
    sign = _SIGNS.get(value.currency, value.currency)
    minus = "−" if value.minor < 0 else ""
    text = f"{amount:,.{digits}f}"
    if _language(locale) == "en":
        return f"{minus}{sign}{text}" if len(sign) == 1 else f"{minus}{text}{_NO_BREAK}{sign}"
    whole, _, fraction = text.replace(",", _NO_BREAK).partition(".")
    fraction = f",{fraction}" if fraction.strip("0") else ""
    return f"{minus}{whole}{fraction}{_NO_BREAK}{sign}"


def date_words(value: date, locale: str, zone: str) -> str:
    """Write a date, or the date of a moment in a zone.

    Args:
        value: A date, or an aware moment.
        locale: BCP 47 tag of the reader.
        zone: IANA name; only moments need it.
    """
    day = value.astimezone(_zone(zone)).date() if isinstance(value, datetime) else value
    months = _MONTHS.get(_language(locale), "").split()
    return f"{day.day} {months[day.month - 1]} {day.year}" if months else day.isoformat()


def clock_words(value: datetime, zone: str) -> str:
    """Write the time of day of a moment in a zone, as 09:05."""
    return f"{value.astimezone(_zone(zone)):%H:%M}"


def _language(locale: str) -> str:
    return locale.partition("-")[0].lower()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(name) from None
