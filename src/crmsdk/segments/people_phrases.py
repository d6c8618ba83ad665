"""How questions about the person are said."""

from crmsdk.model.comparison import Op
from crmsdk.model.customer import ACCOUNT, LIST
from crmsdk.segments.grammar import AttrTest
from crmsdk.segments.people import AttrChanged, AttrHeld, Bucket
from crmsdk.segments.phrases import Phrase, Speaker

__all__ = ["list_told", "person_told"]

_CHANGED = Phrase(en="{what} changed in the last {span}", ru="{what} изменилось менее {of_span} назад")
_HELD = Phrase(
    en="{what} has been {value} for {span} or longer",
    ru="{what} равно {value} без перерыва не менее {of_span}",
)
_BUCKET = Phrase(
    en="bucket {low} to before {high} of 10,000 by {salt}", ru="доля от {low} до {high} из 10 000 по {salt}"
)
_LIST = Phrase(en="on list {name}", ru="в списке {name}")
_ACCOUNT = Phrase(en="has an account", ru="есть организация")
_THIS_ACCOUNT = Phrase(en="account is {value}", ru="организация {value}")


def person_told(node: AttrChanged | AttrHeld | Bucket, speaker: Speaker) -> str:
    """Say a question about the person."""
    match node:
        case AttrChanged(name, span):
            spans = {"span": speaker.span(span), "of_span": speaker.span(span, genitive=True)}
            return speaker.say(_CHANGED, what=name, **spans)
        case AttrHeld(name, operand, span):
            spans = {"span": speaker.span(span), "of_span": speaker.span(span, genitive=True)}
            return speaker.say(_HELD, what=name, value=speaker.value(operand), **spans)
        case Bucket(salt, low, high):
            return speaker.say(_BUCKET, low=low, high=high, salt=repr(salt))


def list_told(node: AttrTest, speaker: Speaker) -> str:
    """Say a question about a reserved name as it was asked; empty when it is about another attribute."""
    if node.name.startswith(LIST) and node.op is Op.EQ and node.operand is True:
        return speaker.say(_LIST, name=repr(node.name.removeprefix(LIST)))
    if node.name == ACCOUNT and node.op in {Op.EXISTS, Op.EQ}:
        phrase = _ACCOUNT if node.op is Op.EXISTS else _THIS_ACCOUNT
        return speaker.say(phrase, value=speaker.value(node.operand))
    return ""
