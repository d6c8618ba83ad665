"""What is said about conditions, in every language we speak: each phrase stands in one place, in all of them.

A phrase that lacks a language cannot be written down. Whoever adds a kind of condition writes its phrases
beside it and says them through a ``Speaker``.

    _HELD = Phrase(en="has been for {span} or longer", ru="держится не менее {of_span}")
    speaker.say(_HELD, span=speaker.span(span), of_span=speaker.span(span, genitive=True))
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.money import Money
from crmsdk.segments.verdict import Threshold

__all__ = ["LANGUAGES", "Language", "Noun", "Phrase", "Speaker"]

Language: TypeAlias = Literal["en", "ru"]
"""English or Russian."""

LANGUAGES: tuple[Language, ...] = ("en", "ru")


@attrs.frozen(kw_only=True)
class Phrase:
    """One thing said in every language; names in braces are filled in by ``Speaker.say``."""

    en: str
    ru: str


@attrs.frozen(kw_only=True)
class Noun:
    """What is counted.

    Attributes:
        en: For one and for more: day, days.
        ru: For 1, for 2 to 4 and for 5: день, дня, дней. The last two are the genitive too.
    """

    en: tuple[str, str]
    ru: tuple[str, str, str]


_UNITS = (
    (86_400, Noun(en=("day", "days"), ru=("день", "дня", "дней"))),
    (3_600, Noun(en=("hour", "hours"), ru=("час", "часа", "часов"))),
    (60, Noun(en=("minute", "minutes"), ru=("минута", "минуты", "минут"))),
    (1, Noun(en=("second", "seconds"), ru=("секунда", "секунды", "секунд"))),
)
_MICROSECOND = Noun(en=("microsecond", "microseconds"), ru=("микросекунда", "микросекунды", "микросекунд"))
_MISSING = Phrase(en="missing", ru="нет значения")
_TRUTH = {False: Phrase(en="False", ru="нет"), True: Phrase(en="True", ru="да")}
_MONEY = Phrase(  # not all currencies have 100
    en="{minor} {currency} in minor units", ru="{minor} {currency} в минимальных единицах"
)


class Speaker:
    """Says phrases, numbers, spans and values in one language.

    Raises:
        DefinitionError: we do not speak it.
    """

    def __init__(self, language: Language = "en") -> None:
        if language not in LANGUAGES:
            raise DefinitionError(f"is {language!r}; give one of {', '.join(LANGUAGES)}", path="language")
        self.language: Language = language

    def say(self, phrase: Phrase, **parts: object) -> str:
        """Fill in a phrase."""
        text = phrase.en if self.language == "en" else phrase.ru
        return text.format(**parts) if parts else text

    def count(self, number: int, noun: Noun, *, genitive: bool = False) -> str:
        """Say a number of things; ``genitive`` as Russian wants it after "not less than"."""
        if self.language == "en":
            return f"{number} {noun.en[number != 1]}"
        return f"{number} {noun.ru[_form(number, genitive=genitive)]}"

    def span(self, span: timedelta, *, genitive: bool = False) -> str:
        """Say a span that is not negative."""
        left, parts = span.days * 86_400 + span.seconds, []
        for size, unit in _UNITS:
            number, left = divmod(left, size)
            if number:
                parts.append(self.count(number, unit, genitive=genitive))
        if span.microseconds:
            parts.append(self.count(span.microseconds, _MICROSECOND, genitive=genitive))
        return " ".join(parts)

    def value(self, value: Threshold) -> str:
        """Say a value as it was written; text in quotes, moments in UTC."""
        match value:
            case None:
                return self.say(_MISSING)
            case bool():
                return self.say(_TRUTH[value])
            case datetime():
                text = value.isoformat(sep=" ", timespec="auto" if value.microsecond else "seconds")
                return text.replace("+00:00", " UTC")
            case date():
                return value.isoformat()
            case timedelta():
                return self.span(value)
            case Money():
                return self.say(_MONEY, minor=value.minor, currency=value.currency)
            case tuple():
                return self.values(value)
            case _:
                return repr(value)

    def values(self, values: Iterable[Threshold]) -> str:
        """Say several values, one after another."""
        return ", ".join(self.value(value) for value in values)


def _form(number: int, *, genitive: bool) -> int:
    """Choose among the Russian forms: by the last digit, but 11 to 14 go with the many."""
    last, teen = abs(number) % 10, abs(number) % 100 in range(11, 15)
    if teen or last not in range(1, 5):
        return 2
    if genitive:
        return 1 if last == 1 else 2
    return 0 if last == 1 else 1
