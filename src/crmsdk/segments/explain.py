"""Conditions and verdicts in plain English or Russian, for terminals, pictures and error messages."""

from collections.abc import Iterator
from datetime import timedelta
from typing import assert_never, cast

from attrs import field, frozen

from crmsdk.model.comparison import Op, PropTest
from crmsdk.model.consent import ConsentState
from crmsdk.segments.account_phrases import account_told, is_any
from crmsdk.segments.accounts import AboutAccount
from crmsdk.segments.event_phrases import (
    measure_told,
    regular_told,
    sequence_told,
    window_told,
)
from crmsdk.segments.grammar import (
    Absolute,
    AccountAll,
    AccountCount,
    AccountSum,
    Aggregate,
    Always,
    And,
    Anniversary,
    AttrChanged,
    AttrDays,
    AttrHeld,
    AttrTest,
    AttrTime,
    Bucket,
    Condition,
    ConsentTest,
    Counted,
    Did,
    Edge,
    EventTime,
    Function,
    Gap,
    GapVariation,
    InOrder,
    Node,
    Not,
    Occurrences,
    Or,
    Points,
    Regular,
    Relation,
    Relative,
    RunAnd,
    RunNot,
    RunOr,
    Score,
    Segment,
    SinceEntry,
    Streak,
    Timing,
    Trend,
)
from crmsdk.segments.people_phrases import days_told, list_told, person_told
from crmsdk.segments.phrases import Language, Noun, Phrase, Speaker
from crmsdk.segments.verdict import Because, Threshold, Verdict

__all__ = ["Line", "describe", "heading", "lines", "spell_span"]

_COMPARED = {
    Op.EQ: Phrase(en="{what} is {value}", ru="{what} равно {value}"),
    Op.LT: Phrase(en="{what} is less than {value}", ru="{what} меньше {value}"),
    Op.LE: Phrase(en="{what} is at most {value}", ru="{what} не больше {value}"),
    Op.GT: Phrase(en="{what} is more than {value}", ru="{what} больше {value}"),
    Op.GE: Phrase(en="{what} is at least {value}", ru="{what} не меньше {value}"),
    Op.IN: Phrase(en="{what} is one of {value}", ru="{what} одно из: {value}"),
    Op.BETWEEN: Phrase(en="{what} is between {low} and {high}", ru="{what} от {low} до {high}"),
    Op.CONTAINS: Phrase(en="{what} contains {value}", ru="{what} содержит {value}"),
    Op.CONTAINS_ANY: Phrase(en="{what} contains any of {value}", ru="{what} содержит одно из: {value}"),
    Op.CONTAINS_ALL: Phrase(en="{what} contains all of {value}", ru="{what} содержит все: {value}"),
    Op.MATCHES: Phrase(en="{what} matches the pattern {value}", ru="{what} подходит под шаблон {value}"),
    Op.STARTS: Phrase(en="{what} starts with {value}", ru="{what} начинается с {value}"),
    Op.ENDS: Phrase(en="{what} ends with {value}", ru="{what} заканчивается на {value}"),
    Op.EXISTS: Phrase(en="{what} exists", ru="есть {what}"),
}
_RELATED = {
    Relation.WITHIN_LAST: Phrase(en="{what} was within the last {span}", ru="{what} менее {of_span} назад"),
    Relation.MORE_THAN_AGO: Phrase(
        en="{what} was {span} ago or longer", ru="{what} не менее {of_span} назад"
    ),
    Relation.WITHIN_NEXT: Phrase(
        en="{what} is within the next {span}", ru="{what} ещё впереди, осталось не более {of_span}"
    ),
}
_BEFORE = Phrase(en="{what} is before {end}", ru="{what} раньше {end}")
_AFTER = Phrase(en="{what} is at or after {start}", ru="{what} не раньше {start}")
_BOTH = Phrase(en="{what} is from {start} to before {end}", ru="{what} не раньше {start} и раньше {end}")
_ALWAYS = {True: Phrase(en="everyone", ru="все"), False: Phrase(en="nobody", ru="никто")}
_NOT = Phrase(en="not ({part})", ru="не ({part})")
_AND = Phrase(en=" and ", ru=" и ")
_OR = Phrase(en=" or ", ru=" или ")
_ALL_OF = Phrase(en="all of", ru="всё сразу")
_ANY_OF = Phrase(en="any of", ru="хотя бы одно")
_NO = Phrase(en="not", ru="не")
_SEGMENT = Phrase(en="in segment {name}", ru="в сегменте {name}")
_DID = Phrase(en="did {of}{number}", ru="было событие {of}{number}")
_MEASURED = {
    Function.SUM: Phrase(en="sum of {prop} over {of}", ru="сумма {prop} по событиям {of}"),
    Function.AVG: Phrase(en="average of {prop} over {of}", ru="среднее {prop} по событиям {of}"),
    Function.MIN: Phrase(en="smallest {prop} over {of}", ru="наименьшее {prop} по событиям {of}"),
    Function.MAX: Phrase(en="largest {prop} over {of}", ru="наибольшее {prop} по событиям {of}"),
    Function.DISTINCT: Phrase(
        en="number of different {prop} over {of}", ru="число разных {prop} по событиям {of}"
    ),
    Function.FIRST: Phrase(en="{prop} of the first {of}", ru="{prop} первого события {of}"),
    Function.LAST: Phrase(en="{prop} of the last {of}", ru="{prop} последнего события {of}"),
}
_EDGES = {
    Edge.FIRST: Phrase(en="first {of}", ru="первое событие {of}"),
    Edge.LAST: Phrase(en="last {of}", ru="последнее событие {of}"),
}
_SCORE = Phrase(en="score ({parts})", ru="оценка ({parts})")
_SUM = Phrase(en="score", ru="оценка")
_POINTS = Noun(en=("point", "points"), ru=("балл", "балла", "баллов"))
_POINTS_PER = Phrase(en="{number} for each {what}", ru="{number} за каждое событие {what}")
_POINTS_WHEN = Phrase(en="{number} if {what}", ru="{number}, если {what}")
_FADING = Phrase(en=", halved every {span}", ru=", вдвое меньше через каждые {span}")
_CONSENT = Phrase(
    en="consent to {purpose} by {channel} is {state}", ru="согласие на {purpose} по каналу {channel} {state}"
)
_STATES = {
    ConsentState.UNKNOWN: Phrase(en="unknown", ru="неизвестно"),
    ConsentState.PENDING: Phrase(en="pending", ru="ждёт подтверждения"),
    ConsentState.GRANTED: Phrase(en="granted", ru="дано"),
    ConsentState.DENIED: Phrase(en="denied", ru="не дано"),
    ConsentState.WITHDRAWN: Phrase(en="withdrawn", ru="отозвано"),
}
_SINCE = Phrase(en="did {event} {since}{key}{number}", ru="было событие {event} {since}{key}{number}")
_SINCE_ENTRY = Phrase(en="since entry", ru="после входа")
_WITHIN_ENTRY = Phrase(en="within {span} of entry", ru="в пределах {of_span} после входа")
_ANY_KEY = Phrase(en=" with any key", ru=" с любым ключом")
_WHERE = Phrase(en=" where {tests}", ru=", где {tests}")
_TIMES = Noun(en=("time", "times"), ru=("раз", "раза", "раз"))
_OR_MORE = Phrase(en=", {times} or more", ru=", не менее {of_times}")
_AT_MOST = Phrase(en=", at most {times}", ru=", не более {of_times}")
_NOT_ONCE = Phrase(en=", not once", ru=", ни разу")
_EXACTLY = Phrase(en=", exactly {times}", ru=", ровно {times}")
_FROM_TO = Phrase(en=", {low} to {times}", ru=", от {low} до {of_times}")
_ANSWERS = {True: Phrase(en="yes", ru="да"), False: Phrase(en="no", ru="нет")}
_FOUND = Phrase(en="found {value}", ru="найдено: {value}")
_EVENTS = Phrase(en="events {ids}", ru="события {ids}")
_PEOPLE = Phrase(en="people {ids}", ru="люди {ids}")
_MORE = Phrase(en="{ids} and {number} more", ru="{ids} и ещё {number}")
_UNTIL = Phrase(en="until {until}", ru="до {until}")
_SHOWN = 5


def describe(condition: Condition, language: Language = "en") -> str:
    """Say a condition in plain words.

    >>> from crmsdk.segments.words import attr, did
    >>> asked = (attr("city") == "Moscow") & ~did("purchase").within(timedelta(days=30))
    >>> describe(asked)
    "city is 'Moscow' and not (did purchase in the last 30 days)"
    >>> describe(asked, "ru")
    "city равно 'Moscow' и не (было событие purchase менее 30 дней назад)"

    Raises:
        DefinitionError: a language we do not speak.
    """
    return _told(condition, Speaker(language))


def _told(condition: Condition, speaker: Speaker) -> str:
    node = cast("Node", condition)
    match node:
        case Always():
            return speaker.say(_ALWAYS[node.holds])
        case Not() | RunNot():
            return speaker.say(_NOT, part=_told(node.part, speaker))
        case And() | RunAnd():
            return speaker.say(_AND).join(_bracketed(part, speaker) for part in node.parts)
        case Or() | RunOr():
            return speaker.say(_OR).join(_bracketed(part, speaker) for part in node.parts)
        case Segment():
            return speaker.say(_SEGMENT, name=repr(node.name))
        case AttrTest():
            listed = list_told(node, speaker)
            return listed or _compared(node.name, node.op, node.operand, speaker)
        case AttrChanged() | AttrHeld() | Anniversary() | Bucket():
            return person_told(node, speaker)
        case AttrDays():
            what = days_told(node, speaker)
            return _compared(what, node.op, node.operand, speaker)
        case AttrTime():
            return _timing(node.name, node.timing, speaker)
        case Did():
            return speaker.say(_DID, of=_occurrences(node.of, speaker), number=_number(node, speaker))
        case Aggregate():
            what = speaker.say(_MEASURED[node.function], prop=node.prop, of=_occurrences(node.of, speaker))
            return _compared(what, node.op, node.operand, speaker)
        case Trend() | Streak() | Gap() | GapVariation():
            what = measure_told(node, _occurrences(node.of, speaker), speaker)
            return _compared(what, node.op, node.operand, speaker)
        case Regular():
            return regular_told(node, _occurrences(node.of, speaker), speaker)
        case InOrder():
            steps = [_occurrences(step, speaker) for step in node.steps]
            absent = None if node.absent is None else _occurrences(node.absent, speaker)
            return sequence_told(node, steps, absent, speaker)
        case EventTime():
            what = speaker.say(_EDGES[node.edge], of=_occurrences(node.of, speaker))
            return _timing(what, node.timing, speaker)
        case Score():
            what = speaker.say(_SCORE, parts=", ".join(_points(part, speaker) for part in node.parts))
            return _compared(what, node.op, node.operand, speaker)
        case ConsentTest():
            state = speaker.say(_STATES[node.state])
            return speaker.say(_CONSENT, purpose=node.purpose, channel=node.channel, state=state)
        case AccountCount() | AccountAll() | AccountSum():
            return _account(node, speaker)
        case SinceEntry():
            return _since(node, speaker)
        case _:
            assert_never(node)


def _account(node: AboutAccount, speaker: Speaker) -> str:
    if isinstance(node, AccountSum):
        what = speaker.say(_MEASURED[Function.SUM], prop=node.prop, of=_occurrences(node.of, speaker))
    else:
        what = _told(node.predicate, speaker)
    told = account_told(node, what, speaker)
    if isinstance(node, AccountAll) or is_any(node):
        return told
    return _compared(told, node.op, node.operand, speaker)


def _points(part: Points, speaker: Speaker) -> str:
    number = speaker.count(part.points, _POINTS)
    if part.per is None:
        return speaker.say(_POINTS_WHEN, number=number, what=_told(cast("Condition", part.when), speaker))
    text = speaker.say(_POINTS_PER, number=number, what=_occurrences(part.per, speaker))
    return text if part.half_life is None else text + _spanned(_FADING, part.half_life, speaker)


def heading(condition: Condition, language: Language = "en") -> str:
    """Say a condition without its parts, where they stand below it."""
    speaker = Speaker(language)
    match condition:
        case And() | RunAnd():
            return speaker.say(_ALL_OF)
        case Or() | RunOr():
            return speaker.say(_ANY_OF)
        case Not() | RunNot():
            return speaker.say(_NO)
        case Score():
            return _compared(speaker.say(_SUM), condition.op, condition.operand, speaker)
        case _:
            return _told(condition, speaker)


def _bracketed(condition: Condition, speaker: Speaker) -> str:
    text = _told(condition, speaker)
    return f"({text})" if isinstance(condition, And | Or | RunAnd | RunOr) else text


def _compared(what: str, op: Op, operand: Threshold, speaker: Speaker) -> str:
    if op is Op.BETWEEN and isinstance(operand, tuple):
        low, high = map(speaker.value, operand)
        return speaker.say(_COMPARED[op], what=what, low=low, high=high)
    return speaker.say(_COMPARED[op], what=what, value=speaker.value(operand))


def _occurrences(of: Occurrences, speaker: Speaker) -> str:
    return f"{of.event}{_where(of.tests, speaker)}{window_told(of.window, speaker)}"


def _where(tests: tuple[PropTest, ...], speaker: Speaker) -> str:
    if not tests:
        return ""
    said = ((test, _compared(test.name, test.op, test.operand, speaker)) for test in tests)
    parts = (speaker.say(_NOT, part=text) if test.negated else text for test, text in said)
    return speaker.say(_WHERE, tests=speaker.say(_AND).join(parts))


def _spanned(phrase: Phrase, span: timedelta, speaker: Speaker, **more: str) -> str:
    return speaker.say(phrase, span=speaker.span(span), of_span=speaker.span(span, genitive=True), **more)


def _since(node: SinceEntry, speaker: Speaker) -> str:
    return speaker.say(
        _SINCE,
        event=f"{node.event}{_where(node.tests, speaker)}",
        since=speaker.say(_SINCE_ENTRY) if node.span is None else _spanned(_WITHIN_ENTRY, node.span, speaker),
        key="" if node.keyed else speaker.say(_ANY_KEY),
        number=_number(node, speaker),
    )


def _number(node: Counted, speaker: Speaker) -> str:
    low, high = node.low, node.high
    if (low, high) == (1, None):
        return ""
    if high is None:
        return _times(_OR_MORE, low, speaker)
    if high == 0:
        return speaker.say(_NOT_ONCE)
    if low == high:
        return _times(_EXACTLY, low, speaker)
    return _times(_AT_MOST if low == 0 else _FROM_TO, high, speaker, low=low)


def _times(phrase: Phrase, number: int, speaker: Speaker, low: int = 0) -> str:
    once = number == 1 and speaker.language == "en" and phrase is not _OR_MORE
    times = "once" if once else speaker.count(number, _TIMES)
    return speaker.say(phrase, low=low, times=times, of_times=speaker.count(number, _TIMES, genitive=True))


def _timing(what: str, timing: Timing, speaker: Speaker) -> str:
    match timing:
        case Relative(relation, span):
            return _spanned(_RELATED[relation], span, speaker, what=what)
        case Absolute(start, end):
            phrase = _BEFORE if start is None else _AFTER if end is None else _BOTH
            return speaker.say(phrase, what=what, start=speaker.value(start), end=speaker.value(end))


def spell_span(span: timedelta, language: Language = "en") -> str:
    """Say a span that is not negative in words.

    >>> spell_span(timedelta(days=1, hours=2))
    '1 day 2 hours'
    """
    return Speaker(language).span(span)


@frozen
class Line:
    """One line of an explanation, in words.

    Attributes:
        depth: How many parts it stands within.
        matched: Whether it holds.
        answer: The same as a word.
        text: What was asked, without the parts below it.
        found: The value found; empty where nothing was looked for. Hidden in the repr: it may be personal.
        counted: The people and events counted, by id, the first ones.
        until: When the answer may change by itself; empty for never.
    """

    depth: int
    matched: bool
    answer: str
    text: str
    found: str = field(repr=False)
    counted: tuple[str, ...]
    until: str


def lines(verdict: Verdict | Because, language: Language = "en") -> Iterator[Line]:
    """Say a verdict part by part, each before its own parts.

    The values found are told, and attributes may be personal: show them to people who may see them.

    Raises:
        DefinitionError: a language we do not speak.
    """
    because = verdict.because if isinstance(verdict, Verdict) else verdict
    return _lines(because, 0, Speaker(language))


def _lines(because: Because, depth: int, speaker: Speaker) -> Iterator[Line]:
    asks = because.asked is not None or because.found is not None
    counted = ((_PEOPLE, because.people), (_EVENTS, because.events))
    yield Line(
        depth=depth,
        matched=because.matched,
        answer=speaker.say(_ANSWERS[because.matched]),
        text=heading(because.condition, speaker.language),
        found=speaker.say(_FOUND, value=speaker.value(because.found)) if asks else "",
        counted=tuple(speaker.say(phrase, ids=_ids(ids, speaker)) for phrase, ids in counted if ids),
        until="" if because.until is None else speaker.say(_UNTIL, until=speaker.value(because.until)),
    )
    for part in because.parts:
        yield from _lines(part, depth + 1, speaker)


def _ids(ids: tuple[str, ...], speaker: Speaker) -> str:
    shown = ", ".join(ids[:_SHOWN])
    return shown if len(ids) <= _SHOWN else speaker.say(_MORE, ids=shown, number=len(ids) - _SHOWN)
