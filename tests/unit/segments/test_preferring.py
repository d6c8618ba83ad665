"""The preferred channel: said before learned, learned from enough, and one for everybody."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError, UnknownName
from crmsdk.model.codec import dumps, loads
from crmsdk.segments.conditions import Segment
from crmsdk.segments.evaluating import evaluate
from crmsdk.segments.preferring import Choice, Preference
from crmsdk.segments.words import did, segment
from tests.unit.segments.people import NOW, ann, happened, wrote

DAY = timedelta(days=1)
CHANNELS = ("email", "telegram", "sms")
CHANNEL = Preference(CHANNELS, said="wish", learned=did("click").within(90 * DAY), least=3)


def clicks(**numbers: int) -> list:  # type: ignore[type-arg]
    return [
        happened("click", DAY * (place + 1), f"{name}{place}", channel=name)
        for name, number in numbers.items()
        for place in range(number)
    ]


def test_r78_what_the_person_said_beats_what_was_learned() -> None:
    facts = ann(clicks(telegram=9), [wrote("wish", "sms")])
    assert CHANNEL.choose(facts, NOW) == Choice(("sms", "email", "telegram"), "said", None)


def test_r78_nothing_is_learned_from_too_little() -> None:
    assert CHANNEL.choose(ann(clicks(telegram=2)), NOW).why == "order"
    learned = CHANNEL.choose(ann(clicks(telegram=3)), NOW)
    assert learned == Choice(("telegram", "email", "sms"), "learned", NOW + 87 * DAY)
    assert CHANNEL.choose(ann(clicks(telegram=3)), NOW + 87 * DAY).why == "order"


def test_r78_without_either_the_declared_order_stands() -> None:
    assert CHANNEL.choose(ann(), NOW) == Choice(CHANNELS, "order", None)
    assert CHANNEL.choose(ann(clicks(push=9), [wrote("wish", "fax")]), NOW).channels == CHANNELS


def test_of_equal_ones_the_one_declared_first_is_learned() -> None:
    assert CHANNEL.choose(ann(clicks(sms=2, telegram=2)), NOW).channels[0] == "telegram"


def test_answers_fade_with_a_half_life() -> None:
    fading = Preference(CHANNELS, learned=did("click"), least=1, half_life=30 * DAY)
    old = [happened("click", 65 * DAY, f"e{each}", channel="email") for each in range(3)]
    assert (
        fading.choose(ann([*old, happened("click", DAY, "t", channel="telegram")]), NOW).channels[0]
        == "telegram"
    )


@given(
    st.fixed_dictionaries({name: st.integers(0, 4) for name in CHANNELS}),
    st.sampled_from((*CHANNELS, "fax", None)),
)
def test_everybody_prefers_exactly_one(numbers: dict[str, int], wish: str | None) -> None:
    facts = ann(clicks(**numbers), [wrote("wish", wish)])
    preferred = [name for name in CHANNELS if evaluate(CHANNEL.prefers(name), facts, NOW).matched]
    found = Counter(numbers)
    expected = (
        wish if wish in CHANNELS else max(CHANNELS, key=found.__getitem__) if found.total() >= 3 else "email"
    )
    assert preferred == [expected]
    assert CHANNEL.choose(facts, NOW).channels[0] == expected


def test_it_is_an_ordinary_segment() -> None:
    asked = segment("on telegram", CHANNEL.prefers("telegram"))
    assert loads(dumps(asked), Segment) == asked


def test_what_makes_no_sense_is_refused() -> None:
    for channels in (("email",), ("email", "email"), "email"):
        with pytest.raises(DefinitionError, match="two or more different channels"):
            Preference(channels, learned=did("click"), least=1)
    for least in (0, True, 1.5):
        with pytest.raises(DefinitionError, match="whole number of answers"):
            Preference(CHANNELS, learned=did("click"), least=least)  # type: ignore[arg-type]  # one of the faults
    with pytest.raises(DefinitionError, match="give events"):
        Preference(CHANNELS, learned="click", least=1)  # type: ignore[arg-type]  # the fault
    with pytest.raises(UnknownName, match="did you mean 'telegram'"):
        CHANNEL.prefers("telegramm")
