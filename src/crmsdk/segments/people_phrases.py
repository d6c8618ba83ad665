"""How questions about the person are said."""

from crmsdk.model.comparison import Op
from crmsdk.model.customer import ACCOUNT, HAS, LIST
from crmsdk.segments.days import Anniversary, AttrDays, Sense
from crmsdk.segments.grammar import AttrTest
from crmsdk.segments.people import AttrChanged, AttrHeld, Bucket
from crmsdk.segments.phrases import Noun, Phrase, Speaker

__all__ = ["days_told", "list_told", "person_told"]

_CHANGED = Phrase(en="{what} changed in the last {span}", ru="{what} изменилось менее {of_span} назад")
_HELD = Phrase(
    en="{what} has been {value} for {span} or longer",
    ru="{what} равно {value} без перерыва не менее {of_span}",
)
_BUCKET = Phrase(
    en="bucket {low} to before {high} of 10,000 by {salt}", ru="доля от {low} до {high} из 10 000 по {salt}"
)
_LIST = Phrase(en="on list {name}", ru="в списке {name}")
_ADDRESS = Phrase(en="has an address ({kind})", ru="есть адрес ({kind})")
_ACCOUNT = Phrase(en="has an account", ru="есть организация")
_THIS_ACCOUNT = Phrase(en="account is {value}", ru="организация {value}")


_UNTIL = Phrase(en="days until {what}", ru="дней до {what}")
_SINCE = Phrase(en="days since {what}", ru="дней после {what}")
_DAYS = Noun(en=("day", "days"), ru=("день", "дня", "дней"))
_TODAY = Phrase(en="anniversary of {what} is today", ru="годовщина {what} сегодня")
_AHEAD = Phrase(en="anniversary of {what} is in {days}", ru="годовщина {what} через {days}")
_WITHIN = Phrase(
    en="anniversary of {what} is today or within {days}",
    ru="годовщина {what} сегодня или в пределах {of_days}",
)
_BETWEEN = Phrase(
    en="anniversary of {what} is in {first} to {days}", ru="годовщина {what} через {first}–{days}"
)


def days_told(node: AttrDays, speaker: Speaker) -> str:
    """Say what number of days is compared."""
    return speaker.say(_UNTIL if node.sense is Sense.UNTIL else _SINCE, what=node.name)


def _anniversary(node: Anniversary, speaker: Speaker) -> str:
    if node.last == 0:
        phrase = _TODAY
    elif node.first == node.last:
        phrase = _AHEAD
    else:
        phrase = _BETWEEN if node.first else _WITHIN
    days, of_days = speaker.count(node.last, _DAYS), speaker.count(node.last, _DAYS, genitive=True)
    return speaker.say(phrase, what=node.name, first=node.first, days=days, of_days=of_days)


def person_told(node: AttrChanged | AttrHeld | Anniversary | Bucket, speaker: Speaker) -> str:
    """Say a question about the person."""
    match node:
        case AttrChanged(name, span):
            spans = {"span": speaker.span(span), "of_span": speaker.span(span, genitive=True)}
            return speaker.say(_CHANGED, what=name, **spans)
        case AttrHeld(name, operand, span):
            spans = {"span": speaker.span(span), "of_span": speaker.span(span, genitive=True)}
            return speaker.say(_HELD, what=name, value=speaker.value(operand), **spans)
        case Anniversary():
            return _anniversary(node, speaker)
        case Bucket(salt, low, high):
            return speaker.say(_BUCKET, low=low, high=high, salt=repr(salt))


def list_told(node: AttrTest, speaker: Speaker) -> str:
    """Say a question about a reserved name as it was asked; empty when it is about another attribute."""
    if node.name.startswith(LIST) and node.op is Op.EQ and node.operand is True:
        return speaker.say(_LIST, name=repr(node.name.removeprefix(LIST)))
    if node.name.startswith(HAS) and node.op is Op.EQ:
        return speaker.say(_ADDRESS, kind=node.name.removeprefix(HAS))
    if node.name == ACCOUNT and node.op in {Op.EXISTS, Op.EQ}:
        phrase = _ACCOUNT if node.op is Op.EXISTS else _THIS_ACCOUNT
        return speaker.say(phrase, value=speaker.value(node.operand))
    return ""
