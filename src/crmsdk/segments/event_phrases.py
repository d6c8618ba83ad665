"""What is said about windows, trends, rhythms and events in order."""

from collections.abc import Sequence

from crmsdk.segments.phrases import Noun, Phrase, Speaker
from crmsdk.segments.rhythms import Gap, GapVariation, Middle, Regular, Run, Streak
from crmsdk.segments.sequences import InOrder
from crmsdk.segments.trends import Trend
from crmsdk.segments.windows import Calendar, Interval, Rolling, Unit, Window

__all__ = ["measure_told", "regular_told", "sequence_told", "window_told"]

_ROLLING = Phrase(en=" in the last {span}", ru=" менее {of_span} назад")
_EARLIER = Phrase(
    en=" in the {span} that ended {ago} ago", ru=" не менее {of_ago} назад, но менее {of_begun} назад"
)
_INTERVAL = Phrase(en=" from {start} to before {end}", ru=" не раньше {start} и раньше {end}")
_THIS = {
    Unit.DAY: Phrase(en=" today", ru=" сегодня"),
    Unit.WEEK: Phrase(en=" this week", ru=" на этой неделе"),
    Unit.MONTH: Phrase(en=" this month", ru=" в этом месяце"),
    Unit.QUARTER: Phrase(en=" this quarter", ru=" в этом квартале"),
    Unit.YEAR: Phrase(en=" this year", ru=" в этом году"),
}
_LAST = {
    Unit.DAY: Phrase(en=" yesterday", ru=" вчера"),
    Unit.WEEK: Phrase(en=" in the week before this one", ru=" на прошлой неделе"),
    Unit.MONTH: Phrase(en=" in the month before this one", ru=" в прошлом месяце"),
    Unit.QUARTER: Phrase(en=" in the quarter before this one", ru=" в прошлом квартале"),
    Unit.YEAR: Phrase(en=" in the year before this one", ru=" в прошлом году"),
}
_BEFORE = {
    Unit.DAY: Phrase(en=" in the {units} before today", ru=" за {units} до сегодняшнего дня"),
    Unit.WEEK: Phrase(en=" in the {units} before this one", ru=" за {units} до этой недели"),
    Unit.MONTH: Phrase(en=" in the {units} before this one", ru=" за {units} до этого месяца"),
    Unit.QUARTER: Phrase(en=" in the {units} before this one", ru=" за {units} до этого квартала"),
    Unit.YEAR: Phrase(en=" in the {units} before this one", ru=" за {units} до этого года"),
}
_ANY = Phrase(
    en=" from {oldest} ago to {newest} ago, by the calendar",
    ru=" по календарю: от {of_oldest} назад до {of_newest} назад",
)
UNITS = {
    Unit.DAY: Noun(en=("day", "days"), ru=("день", "дня", "дней")),
    Unit.WEEK: Noun(en=("week", "weeks"), ru=("неделя", "недели", "недель")),
    Unit.MONTH: Noun(en=("month", "months"), ru=("месяц", "месяца", "месяцев")),
    Unit.QUARTER: Noun(en=("quarter", "quarters"), ru=("квартал", "квартала", "кварталов")),
    Unit.YEAR: Noun(en=("year", "years"), ru=("год", "года", "лет")),
}
_COUNTED = Phrase(en="number of {of}", ru="число событий {of}")
_SUMMED = Phrase(en="sum of {prop} over {of}", ru="сумма {prop} по событиям {of}")
_AGAINST = Phrase(
    en="{measure} against the same time before", ru="{measure} относительно такого же времени до того"
)
_AGAINST_MEAN = Phrase(
    en="{measure} against the mean of the {windows} before",
    ru="{measure} относительно среднего за {windows} до того",
)
_WINDOWS = Noun(en=("window", "windows"), ru=("окно", "окна", "окон"))
_RUNS = {
    Run.CURRENT: Phrase(
        en="{units} in a row up to now with {of}", ru="число {units} подряд по сей день с событием {of}"
    ),
    Run.LONGEST: Phrase(
        en="most {units} in a row with {of}", ru="наибольшее число {units} подряд с событием {of}"
    ),
    Run.ALL: Phrase(en="number of {units} with {of}", ru="число {units} с событием {of}"),
}
_REGULAR = Phrase(
    en="did {of} in at least {least} of the last {periods}",
    ru="было событие {of} не менее чем в {least} из последних {of_periods}",
)
_GAPS = {
    Middle.MEAN: Phrase(en="mean time between {of}", ru="среднее время между событиями {of}"),
    Middle.MEDIAN: Phrase(en="median time between {of}", ru="медиана времени между событиями {of}"),
}
_VARIATION = Phrase(en="variation of the time between {of}", ru="разброс времени между событиями {of}")
_IN_ORDER = Phrase(en="did {steps}{span}{window}", ru="было событие {steps}{span}{window}")
_THEN = Phrase(en=", then ", ru=", затем ")
_THEN_NOT = Phrase(en=" and then not {of}", ru=" и после него не было {of}")
_WITHIN = Phrase(en=", all within {span}", ru=", всё в пределах {of_span}")


def measure_told(node: Trend | Streak | Gap | GapVariation, of: str, speaker: Speaker) -> str:
    """Say which number is asked for; the events meant are said already, in all that follows."""
    match node:
        case Trend():
            return _ratio_told(node, of, speaker)
        case Streak():
            noun = UNITS[node.unit]
            units = noun.en[1] if speaker.language == "en" else noun.ru[2]
            return speaker.say(_RUNS[node.run], units=units, of=of)
        case Gap():
            return speaker.say(_GAPS[node.middle], of=of)
        case GapVariation():
            return speaker.say(_VARIATION, of=of)


def _ratio_told(node: Trend, of: str, speaker: Speaker) -> str:
    prop = node.prop if node.currency is None else f"{node.prop} ({node.currency})"
    measure = speaker.say(_COUNTED, of=of) if prop is None else speaker.say(_SUMMED, prop=prop, of=of)
    if node.over == 1:
        return speaker.say(_AGAINST, measure=measure)
    return speaker.say(_AGAINST_MEAN, measure=measure, windows=speaker.count(node.over, _WINDOWS))


def regular_told(node: Regular, of: str, speaker: Speaker) -> str:
    """Say in how many of the last periods."""
    noun = UNITS[node.unit]
    return speaker.say(
        _REGULAR,
        of=of,
        least=node.at_least,
        periods=speaker.count(node.periods, noun),
        of_periods=speaker.count(node.periods, noun, genitive=True),
    )


def sequence_told(node: InOrder, steps: Sequence[str], absent: str | None, speaker: Speaker) -> str:
    """Say what happens in order; the steps, and what must not follow, are said already."""
    said = speaker.say(_THEN).join(steps)
    span = ""
    if node.span is not None:
        of_span = speaker.span(node.span, genitive=True)
        span = speaker.say(_WITHIN, span=speaker.span(node.span), of_span=of_span)
    return speaker.say(
        _IN_ORDER,
        steps=said if absent is None else said + speaker.say(_THEN_NOT, of=absent),
        span=span,
        window=window_told(node.window, speaker),
    )


def window_told(window: Window | None, speaker: Speaker) -> str:
    """Say when events count, to stand behind their name; nothing for all of the past."""
    match window:
        case None:
            return ""
        case Interval(start, end):
            return speaker.say(_INTERVAL, start=speaker.value(start), end=speaker.value(end))
        case Rolling(span, ago):
            return speaker.say(
                _EARLIER if ago else _ROLLING,
                span=speaker.span(span),
                ago=speaker.span(ago),
                of_span=speaker.span(span, genitive=True),
                of_ago=speaker.span(ago, genitive=True),
                of_begun=speaker.span(ago + span, genitive=True),
            )
        case Calendar(unit, oldest, newest):
            if oldest == 0:
                return speaker.say(_THIS[unit])
            if newest == 1:
                phrase = _LAST[unit] if oldest == 1 else _BEFORE[unit]
                return speaker.say(phrase, units=speaker.count(oldest, UNITS[unit]))
            return speaker.say(
                _ANY,
                oldest=speaker.count(oldest, UNITS[unit]),
                newest=speaker.count(newest, UNITS[unit]),
                of_oldest=speaker.count(oldest, UNITS[unit], genitive=True),
                of_newest=speaker.count(newest, UNITS[unit], genitive=True),
            )
