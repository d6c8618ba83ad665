"""Journeys as graphs: every box and way, in words, with counts that timelines tell."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.journeys.counting import count_ways
from crmsdk.journeys.definition import Journey, each_time
from crmsdk.journeys.drawing import graph_of, to_dot, to_mermaid
from crmsdk.journeys.person import Note, NoteKind
from crmsdk.journeys.steps import (
    Arm,
    Branch,
    Emit,
    Exit,
    HandOver,
    Send,
    Split,
    Update,
    Wait,
    WaitFor,
    When,
    date_of,
    local_time,
)
from crmsdk.journeys.stimuli import Answered
from crmsdk.journeys.triggers import by_call, enters, every, leaves, on, on_date
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import MessageState
from crmsdk.reports.journeys import draw_journey
from crmsdk.segments.words import attr, did, prop
from crmsdk.testing.journey_draws import journeys
from tests.unit.journeys.stage import DAY, HOUR, START, Stage, person

BOUGHT = did("purchase").since_entry()


def journey(*steps: Any, **changes: Any) -> Journey:
    given = {"enter": by_call(), "kind": "trigger", **changes}
    return Journey("test", steps=steps, **given)


CART = journey(
    Send("reminder", ("email", "telegram"), key="mail", on_refusal="exit"),
    Wait(DAY, key="day"),
    Branch(When(attr("vip").exists(), [HandOver("call", to="sales", within=DAY, key="call")]), key="who"),
    Split("offer", Arm("small", 1, [Send("small", "sms", key="small")]), Arm("none", 3), key="offer"),
    WaitFor(
        BOUGHT,
        timeout=DAY,
        then=[Exit("bought")],
        otherwise=[Wait(date_of("day"), past="exit", key="date")],
        key="w",
    ),
    Update("seen", 1, key="set"),
    enter=(on("cart").unless("purchase", within=2 * HOUR), by_call()),
    goal=BOUGHT,
    exit=did("bounce"),
    lifetime=30 * DAY,
    holdout=0.1,
)


def test_every_step_trigger_end_and_rule_is_a_box() -> None:
    assert [(step.id, step.kind, step.title, step.detail) for step in graph_of(CART).steps] == [
        ("@enter.0", "enter", "cart", "unless purchase within 2 hours; 10 % get nothing"),
        ("@enter.1", "enter", "call", "by the application; 10 % get nothing"),
        ("mail", "send", "reminder", "by email, else telegram"),
        ("day", "wait", "1 day", ""),
        ("who", "branch", "branch", ""),
        ("offer", "split", "split", "offer"),
        ("w", "wait", "until did purchase since entry", "at most 1 day"),
        ("set", "update", "set seen", "to 1"),
        ("call", "task", "call", "for sales, within 1 day"),
        ("small", "send", "small", "by sms"),
        ("4.then.0", "exit", "bought", ""),
        ("date", "wait", "until day", "dates at 09:00"),
        ("@completed", "exit", "completed", ""),
        ("@refused", "exit", "refused", ""),
        ("@past", "exit", "date is past or missing", ""),
        ("@goal", "goal", "goal", "did purchase since entry"),
        ("@exit", "exit", "exit", "did bounce"),
        ("@lifetime", "exit", "expired", "after 30 days"),
    ]


def test_every_way_leads_on() -> None:
    assert [(way.source, way.exit, way.target, way.label, way.order) for way in graph_of(CART).edges] == [
        ("@enter.0", "", "mail", "", 0),
        ("@enter.1", "", "mail", "", 0),
        ("mail", "", "day", "", 0),
        ("mail", "refused", "@refused", "refused", 1),
        ("day", "", "who", "", 0),
        ("who", "0", "call", "vip exists", 0),
        ("who", "otherwise", "offer", "otherwise", 1),
        ("offer", "small", "small", "small 25 %", 0),
        ("offer", "none", "w", "none 75 %", 1),
        ("w", "then", "4.then.0", "came true", 0),
        ("w", "otherwise", "date", "not within 1 day", 1),
        ("set", "", "@completed", "", 0),
        ("call", "done", "offer", "done", 0),
        ("call", "overdue", "offer", "not within 1 day", 1),
        ("small", "", "w", "", 0),
        ("date", "", "set", "", 0),
        ("date", "past", "@past", "past or missing", 1),
    ]


def test_ends_that_nothing_leads_to_are_not_drawn() -> None:
    assert [step.id for step in graph_of(journey(Exit("x"))).steps] == ["@enter.0", "0"]
    assert [step.id for step in graph_of(journey()).steps] == ["@enter.0", "@completed"]


@pytest.mark.parametrize(
    ("trigger", "title", "detail"),
    [
        (on("cart"), "cart", ""),
        (
            on("cart").where(prop("total") >= 3).unless("pay", prop("ok") == 1, within=HOUR),
            "cart",
            "where total is at least 3, unless pay where ok is 1 within 1 hour",
        ),
        (on("cart").only_if(attr("vip").exists()), "cart", "only if vip exists"),
        (enters(did("visit"), "visitors"), "enters visitors", "did visit"),
        (leaves(did("visit"), "visitors"), "leaves visitors", "did visit"),
        (on_date("birthday"), "birthday", "dates at 09:00"),
        (on_date("birthday", -3 * DAY, at="08:30:15"), "3 days before birthday", "dates at 08:30:15"),
        (on_date("birthday", DAY), "1 day after birthday", "dates at 09:00"),
        (every("0 9 * * mon"), "every 0 9 * * mon", "in the person's own zone"),
        (every("0 9 * * mon", zone="Asia/Tokyo"), "every 0 9 * * mon", "Asia/Tokyo"),
        (by_call(), "call", "by the application"),
    ],
)
def test_triggers_are_said_in_words(trigger: Any, title: str, detail: str) -> None:
    first = graph_of(journey(enter=trigger)).steps[0]
    assert (first.title, first.detail) == (title, detail)


@pytest.mark.parametrize(
    ("step", "title", "detail"),
    [
        (Wait(25 * HOUR), "1 day 1 hour", ""),
        (Wait(START), "until 2026-03-02 10:00 UTC", ""),
        (Wait(local_time("09:00")), "until 09:00", "in the person's own zone"),
        (Wait(local_time("09:00", on="weekdays")), "until 09:00 on weekdays", "in the person's own zone"),
        (Wait(local_time("09:00", on="weekend")), "until 09:00 on weekends", "in the person's own zone"),
        (Wait(local_time("09:00", on=("tue", "mon"))), "until 09:00 on Mon, Tue", "in the person's own zone"),
        (Wait(date_of("day", -DAY, at="08:00")), "until 1 day before day", "dates at 08:00"),
        (Update("vip", None), "set vip", "to nothing"),
        (Emit("ping"), "record ping", ""),
    ],
)
def test_steps_are_said_in_words(step: Any, title: str, detail: str) -> None:
    box = graph_of(journey(step)).steps[1]
    assert (box.title, box.detail) == (title, detail)


def test_counts_are_written_where_they_are_known() -> None:
    drawing = graph_of(CART, {"mail": 12, ("mail", "refused"): 2})
    assert [(step.id, step.count) for step in drawing.steps if step.count is not None] == [("mail", 12)]
    assert [(way.source, way.exit, way.count) for way in drawing.edges if way.count is not None] == [
        ("mail", "refused", 2)
    ]


def test_mermaid_and_dot_hold_every_box_and_way() -> None:
    drawing = graph_of(CART)
    for text, arrow in ((to_mermaid(CART), "-->"), (to_dot(CART), "->")):
        ids = re.findall(r"^    (n_\d+)\b(?! --?>)", text, re.MULTILINE)
        assert ids == [f"n_{index}" for index in range(len(drawing.steps))]
        assert len(re.findall(rf"{arrow}[^\n]* ?n_\d+", text)) == len(drawing.edges)


def test_texts_escape_what_their_language_reads() -> None:
    odd = journey(Exit('a "b" <c> #1\n\\d'), enter=on('x"y'))
    assert to_mermaid(odd, {("@enter.0", ""): 1234}) == (
        "flowchart TD\n"
        '    n_0(["x#quot;y"])\n'
        '    n_1(["a #quot;b#quot; #lt;c#gt; #35;1 \\d"])\n'
        '    n_0 -->|"1,234"| n_1\n'
    )
    assert to_dot(odd, {"0": 5}) == (
        'digraph "test" {\n'
        '    n_0 [shape=oval, label="x\\"y"];\n'
        '    n_1 [shape=oval, label="a \\"b\\" <c> #1 \\\\d\\n5"];\n'
        "    n_0 -> n_1;\n"
        "}\n"
    )


def test_a_journey_is_drawn_as_a_picture() -> None:
    picture = draw_journey(CART, {"mail": 123, ("day", ""): 56}, prefix="cart")
    text = str(picture)
    for step in graph_of(CART).steps:
        assert f'data-step="{step.id}"' in text
    assert ">123<" in text
    assert ">56<" in text
    assert draw_journey(CART, title="Carts") != picture


@given(journeys())
def test_every_journey_can_be_drawn(journey: Journey) -> None:
    drawing = graph_of(journey)
    ids = [step.id for step in drawing.steps]
    assert len(set(ids)) == len(ids)
    assert len({(way.source, way.exit) for way in drawing.edges}) == len(drawing.edges)
    assert {end for way in drawing.edges for end in (way.source, way.target)} <= set(ids)
    assert all(step.title for step in drawing.steps)
    assert to_mermaid(journey).count("n_") == to_dot(journey).count("n_")


# --------------------------------------------------------------------------------------- counting


def crowd(made: Journey, *acts: Any) -> list[Note]:
    """Let one person after another go through a journey, each in another way; give all their timelines."""
    notes = []
    for number, act in enumerate(acts):
        someone = CustomerId(f"p{number}")
        stage = Stage.of(made, who=person(Facts(customer=someone), id=someone))
        act(stage)
        for note in stage.notes:
            notes.append(note)
            if note.kind is NoteKind.ASKED and stage.outbox.get(note.message) is not None:
                state = stage.outbox[note.message].state
                if state.final:
                    notes.append(
                        Note(at=note.at, kind=NoteKind(state.value), journey=note.journey, step=note.step)
                    )
    return notes


COUNTED = journey(
    Send("a", "email", key="a", on_refusal="exit"),
    Wait(DAY, key="w"),
    Branch(When(attr("vip").exists(), [Send("b", "email", key="b")]), key="br"),
    WaitFor(BOUGHT, timeout=DAY, then=[Exit("bought")], key="for"),
    HandOver("call", to="sales", within=DAY, key="t"),
    Wait(DAY, key="last"),
    exit=did("bounce").since_entry(),
)


def refused(stage: Stage) -> None:
    stage.call().answer(MessageState.REFUSED)


def bounced(stage: Stage) -> None:
    stage.call().answer().go(START + HOUR).event("bounce")


def bought(stage: Stage) -> None:
    stage.write(vip=1).call().answer().go(START + DAY).answer().go(START + DAY + HOUR).event("purchase")


def through(stage: Stage) -> None:
    stage.call().answer().go(START + 9 * DAY)


def answered(stage: Stage) -> None:
    stage.call().answer().go(START + 2 * DAY + HOUR)
    stage.take(Answered(at=stage.now, task=next(iter(stage.tasks.values())), answer="yes"))
    stage.go(START + 9 * DAY)


def waiting(stage: Stage) -> None:
    stage.call().answer()


def asked(stage: Stage) -> None:
    stage.call()


def test_boxes_and_ways_are_counted_from_timelines() -> None:
    notes = crowd(COUNTED, refused, bounced, bought, through, through, answered, waiting, asked)
    other = Note(at=START, kind=NoteKind.ENTERED, journey="other")
    assert count_ways(COUNTED, [other, *notes]) == {
        "@enter.0": 8,
        ("@enter.0", ""): 8,
        "a": 8,
        ("a", ""): 6,
        ("a", "refused"): 1,
        "@refused": 1,
        "w": 6,
        ("w", ""): 4,
        "br": 4,
        ("br", "0"): 1,
        ("br", "otherwise"): 3,
        "b": 1,
        ("b", ""): 1,
        "for": 4,
        ("for", "then"): 1,
        ("for", "otherwise"): 3,
        "3.then.0": 1,
        "t": 3,
        ("t", "done"): 1,
        ("t", "overdue"): 2,
        "last": 3,
        ("last", ""): 3,
        "@completed": 3,
        "@exit": 1,
    }


def test_the_held_out_are_counted_where_they_walk() -> None:
    made = journey(
        Send("a", "email", key="a"),
        HandOver("call", to="x", within=DAY, key="t"),
        Send("b", "email", key="b"),
        holdout=1.0,
    )
    counts = count_ways(made, crowd(made, lambda stage: stage.call().go(START + 9 * DAY)))
    assert {key: counts[key] for key in ("a", "t", "b", "@completed")} == {
        "a": 1,
        "t": 1,
        "b": 1,
        "@completed": 1,
    }
    assert (counts["t", "overdue"], counts["t", "done"]) == (1, 0)


def test_skipped_messages_and_past_dates_are_counted() -> None:
    made = journey(
        Wait(HOUR, key="w"),
        Send("a", "email", key="a"),
        Wait(date_of("day"), past="exit", key="d"),
        overdue="skip",
        max_lateness=HOUR,
    )
    counts = count_ways(made, crowd(made, lambda stage: stage.call().sleep(START + DAY)))
    assert {
        "a": 1,
        ("a", ""): 1,
        "d": 1,
        ("d", "past"): 1,
        "@past": 1,
        ("d", ""): 0,
    }.items() <= counts.items()


def test_a_message_handed_over_after_the_end_of_its_run_leads_nowhere() -> None:
    made = journey(Send("a", "email", key="a"), goal=BOUGHT)
    notes = crowd(made, lambda stage: stage.call().go(START + HOUR).event("purchase"))
    late = Note(at=START, kind=NoteKind.SENT, journey="test", step="a", enrollment=notes[-1].enrollment)
    counts = count_ways(made, [*notes, late])
    assert (counts["a"], counts["a", ""], counts["@goal"], counts["@completed"]) == (1, 0, 1, 0)


def test_what_no_line_tells_is_left_out() -> None:
    made = journey(Wait(HOUR, key="x"), Wait(HOUR, key="y"), Exit("z"))
    counts = count_ways(made, crowd(made, asked, lambda stage: stage.call().go(START + HOUR)))
    assert counts["x"] == 2
    assert ("x", "") not in counts
    assert "y" not in counts
    assert counts["2"] == counts["y", ""] == 0


def test_of_several_triggers_only_the_sum_is_told() -> None:
    made = journey(Send("a", "email", key="a"), enter=(on("x"), by_call()), entry=each_time())
    counts = count_ways(made, crowd(made, lambda stage: stage.event("x").call(), asked))
    assert counts["a"] == 3
    assert "@enter.0" not in counts


@given(st.data(), journeys(enter=st.just(by_call())))
def test_what_comes_in_goes_out_or_is_still_there(data: st.DataObject, journey: Journey) -> None:
    def act(stage: Stage) -> None:
        stage.call("drawn")
        for _ in range(4):
            stage.answer(data.draw(st.sampled_from((MessageState.SENT, MessageState.REFUSED))))
            stage.go(stage.now + data.draw(st.sampled_from((HOUR, DAY, 40 * DAY))))

    counts = count_ways(journey, crowd(journey, act, act))
    drawing = graph_of(journey, counts)
    assert all(number >= 0 for number in counts.values())
    for box in drawing.steps:
        into = [way.count for way in drawing.edges if way.target == box.id]
        out = [way.count for way in drawing.edges if way.source == box.id]
        if into and None not in into and box.count is not None:
            assert sum(one or 0 for one in into) == box.count
        if out and box.count is not None:
            assert sum(one or 0 for one in out) <= box.count
