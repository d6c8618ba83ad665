"""What each step wishes for, and where it leads."""

from datetime import timedelta
from typing import Any

import attrs
import pytest

from crmsdk.experiments.split import assign, in_holdout
from crmsdk.journeys.definition import Holdout, Journey
from crmsdk.journeys.machine import step, view_of
from crmsdk.journeys.person import NoteKind, Phase
from crmsdk.journeys.steps import Arm, Branch, Emit, Exit, HandOver, Send, Split, Update, Wait, When
from crmsdk.journeys.stimuli import Answered, Fact, Handed
from crmsdk.journeys.triggers import on
from crmsdk.journeys.turn import TASK_ANSWERED
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.message import MessageKind, MessageState
from crmsdk.segments.words import attr
from tests.unit.journeys.stage import ANN, DAY, HOUR, PROJECT, START, TASK, TICK, A, B, Stage, journey, person


def test_a_journey_without_steps_ends_at_once() -> None:
    assert Stage.of(journey()).call().run.outcome == "completed"


def test_the_answer_of_the_machine_names_its_wake() -> None:
    stage = Stage.of(journey(Wait(DAY), A)).call()
    done = step(
        stage.programs.active["test"],
        stage.run,
        Fact(),
        facts=stage.person.facts,
        now=START,
        project=PROJECT,
    )
    assert done.wake_at == START + DAY
    view = view_of(stage.run)
    assert (view.entry, view.entered, view.key, view.key_name) == ((START, ""), START, None, None)


def test_time_is_only_ever_told_in_utc() -> None:
    stage = Stage.of(journey(Wait(DAY))).call()
    assert stage.run.due is not None
    assert stage.run.due.utcoffset() == timedelta(0)


# ------------------------------------------------------------------------------------------- send


def test_a_message_carries_what_the_policy_and_the_template_need() -> None:
    plain = journey(A, purpose="winback", sender="news", campaign="spring", priority=70, expires=HOUR)
    (message,) = Stage.of(plain).call(total=3, city="Minsk").pending
    assert (message.customer, message.journey, message.step, message.template) == (ANN, "test", "a", "a")
    assert (message.kind, message.purpose, message.sender) == (MessageKind.TRIGGER, "winback", "news")
    assert (message.campaign, message.priority, message.topic) == ("spring", 70, "")
    assert (message.due, message.not_before, message.expires) == (START, START, START + HOUR)
    assert message.payload == {"total": 3, "city": "Minsk"}
    assert (message.state, message.control, message.reason) == (MessageState.PENDING, False, "")


def test_a_step_says_otherwise_than_its_journey() -> None:
    own = Send(
        "a",
        ("telegram", "sms"),
        kind=MessageKind.SERVICE,
        purpose="receipt",
        sender="desk",
        topic="orders",
        campaign="own",
        priority=0,
        expires=2 * HOUR,
        values={"city": "Brest"},
    )
    made = journey(own, purpose="winback", sender="news", campaign="spring", priority=70, expires=HOUR)
    (message,) = Stage.of(made).call(city="Minsk").pending
    assert (message.kind, message.purpose, message.sender) == (MessageKind.SERVICE, "receipt", "desk")
    assert (message.campaign, message.priority, message.topic) == ("own", 0, "orders")
    assert message.channels == ("telegram", "sms")
    assert message.expires == START + 2 * HOUR
    assert message.payload == {"city": "Brest"}


def test_without_a_word_the_purpose_is_the_kind_and_the_campaign_the_journey() -> None:
    (message,) = Stage.of(journey(A)).call().pending
    assert (message.purpose, message.campaign, message.sender) == ("trigger", "test", "")
    (message,) = (
        Stage.of(journey(Send("a", "email", purpose="", campaign=""), purpose="x", campaign="y"))
        .call()
        .pending
    )
    assert (message.purpose, message.campaign) == ("trigger", "test")


def test_message_ids_differ_by_person_run_step_and_secret_and_never_by_time() -> None:
    stage = Stage.of(journey(A, B))
    ids = [stage.call().pending[0].id, stage.answer().pending[0].id]
    later = Stage.of(journey(A, B), now=START + DAY)
    ids += [later.call(key="2").pending[0].id]
    bob = Stage.of(journey(A, B), who=person(Facts(customer=CustomerId("bob")), id=CustomerId("bob")))
    ids += [bob.call().pending[0].id]
    other = Stage.of(journey(A, B))
    other.programs = attrs.evolve(other.programs, project=attrs.evolve(PROJECT, secret=b"other"))
    ids += [other.call().pending[0].id]
    assert len(set(ids)) == len(ids)
    assert Stage.of(journey(A, B), now=START + DAY).call().pending[0].id == ids[0]


def test_a_run_stays_at_a_send_until_the_message_is_handed_over_and_the_wait_counts_from_then() -> None:
    stage = Stage.of(journey(A, Wait(DAY), B)).call()
    assert (stage.run.phase, stage.run.wake) == (Phase.SENDING, None)
    stage.go(START + 5 * HOUR).answer()
    assert (stage.run.due, stage.run.since) == (START + 29 * HOUR, START + 5 * HOUR)


@pytest.mark.parametrize("result", [MessageState.REFUSED, MessageState.IN_DOUBT, MessageState.SENT])
@pytest.mark.parametrize("refusal", ["skip", "exit"])
def test_t12_every_end_of_a_message_advances_or_ends_the_run(result: MessageState, refusal: Any) -> None:
    stage = Stage.of(journey(Send("a", "email", on_refusal=refusal), B)).call()
    stage.answer(result, "unsubscribed")
    if result is MessageState.REFUSED and refusal == "exit":
        assert stage.run.outcome == "refused: unsubscribed"
        assert stage.pending == []
    else:
        assert stage.sent == ["a", "b"]
    again = Stage.of(journey(Send("a", "email", on_refusal=refusal))).call().answer(result, "unsubscribed")
    assert not again.run.alive
    assert again.call(key="2").runs[1].alive, "nobody is barred from entering again"


def test_the_end_of_another_message_means_nothing() -> None:
    stage = Stage.of(journey(A, B)).call()
    stage.take(Handed(at=START, message=MessageId("other"), result=MessageState.SENT))
    assert stage.sent == ["a"]
    first = stage.pending[0].id
    stage.answer()
    stage.take(Handed(at=START, message=first, result=MessageState.SENT))
    assert stage.sent == ["a", "b"]
    assert stage.run.alive


def test_a_held_out_person_walks_through_and_gets_nothing() -> None:
    made = journey(A, HandOver("call", to="sales", within=DAY, overdue=[B]), holdout=Holdout(1.0))
    stage = Stage.of(made).call()
    (message,) = stage.outbox.values()
    assert (message.state, message.control, message.reason) == (MessageState.SUPPRESSED, True, "holdout")
    assert stage.told(NoteKind.SUPPRESSED) == ["holdout", "holdout"]
    assert stage.tasks == {}
    stage.go(START + DAY)
    assert stage.run.outcome == "completed"
    assert [message.step for message in stage.outbox.values()] == ["a", "b"]
    assert all(message.control for message in stage.outbox.values())


def test_t29_who_is_held_out_is_a_matter_of_the_person_and_the_experiment() -> None:
    def held_out(who: str, **changes: Any) -> bool:
        someone = CustomerId(who)
        stage = Stage.of(
            journey(A, holdout=Holdout(0.5, **changes)), who=person(Facts(customer=someone), id=someone)
        )
        return stage.call().run.control

    people = [f"p{number}" for number in range(40)]
    shares = [held_out(who) for who in people]
    assert 5 < sum(shares) < 35
    assert shares == [held_out(who) for who in people]
    assert shares == [in_holdout("test", who, 0.5) for who in people], "the journey's name is the experiment"
    assert [held_out(who, experiment="x") for who in people] == [in_holdout("x", who, 0.5) for who in people]


# ----------------------------------------------------------------------------------- late messages


def late(rule: Any, **changes: Any) -> Stage:
    made = journey(Wait(HOUR), A, Wait(HOUR), B, overdue=rule, max_lateness=DAY, **changes)
    return Stage.of(made).call()


def test_after_an_outage_a_late_message_is_sent_all_the_same() -> None:
    stage = late("send").sleep(START + 3 * DAY)
    assert (stage.sent, stage.run.since) == (["a"], START + HOUR)


def test_or_skipped_and_the_run_goes_on_as_if_in_time() -> None:
    stage = late("skip").sleep(START + 3 * DAY)
    assert (stage.sent, stage.told(NoteKind.LATE)) == ([], ["skip", "skip"])
    assert stage.run.outcome == "completed"


def test_or_put_off_to_the_next_such_local_time() -> None:
    stage = late("reschedule").sleep(START + 3 * DAY)
    assert (stage.sent, stage.told(NoteKind.LATE)) == ([], ["reschedule"])
    assert (stage.run.phase, stage.run.due) == (Phase.WAITING, START + 3 * DAY + HOUR)
    stage.event("visit")
    assert stage.sent == []
    stage.go(START + 3 * DAY + HOUR)
    assert stage.sent == ["a"]


@pytest.mark.parametrize("rule", ["skip", "reschedule"])
def test_what_is_late_by_the_maximum_is_still_in_time(rule: Any) -> None:
    assert late(rule).sleep(START + HOUR + DAY).sent == ["a"]
    assert "a" not in late(rule).sleep(START + HOUR + DAY + TICK).sent


# ------------------------------------------------------------------------------------------- ways


def test_a_branch_takes_the_first_arm_that_holds() -> None:
    made = journey(
        Branch(When(attr("city") == "x", [A]), When(attr("city").exists(), [B]), otherwise=[Exit("none")]),
        Exit("after"),
    )
    assert Stage.of(made).write(city="x").call().sent == ["a"]
    stage = Stage.of(made).write(city="y").call()
    assert (stage.sent, stage.told(NoteKind.STEP)) == (["b"], ["arm 1"])
    assert stage.answer().run.outcome == "after"
    stage = Stage.of(made).call()
    assert (stage.run.outcome, stage.told(NoteKind.STEP)) == ("none", ["arm otherwise"])


def test_an_empty_arm_goes_on_after_the_branch() -> None:
    assert Stage.of(journey(Branch(When(attr("city").exists(), [B])), A)).call().sent == ["a"]


def test_t29_a_split_gives_a_person_the_same_arm_for_ever() -> None:
    def arm(who: str, *, weight: float = 1, key: str = "1", extra: tuple[Arm, ...] = ()) -> str:
        someone = CustomerId(who)
        split = Split("test", Arm("a", 1, [A]), Arm("b", weight, [B]), *extra)
        stage = Stage.of(journey(split), who=person(Facts(customer=someone), id=someone)).call(key=key)
        return stage.sent[0]

    people = [f"p{number}" for number in range(60)]
    given = {who: arm(who) for who in people}
    assert set(given.values()) == {"a", "b"}
    assert given == {who: arm(who, key="again") for who in people}
    assert given == {who: assign("test", who, {"a": 1, "b": 1}) for who in people}
    grown = {who: arm(who, weight=3) for who in people}
    assert {(given[who], grown[who]) for who in people} == {("a", "a"), ("a", "b"), ("b", "b")}


def test_update_and_emit_write_facts_that_act_like_any_other() -> None:
    updates = journey(Update("vip", True), Emit("ping", {"why": "x", "total": 4}), Wait(DAY))
    other = Journey(
        "other", enter=on("ping").only_if(attr("vip").exists()), steps=[A], kind=MessageKind.TRIGGER
    )
    stage = Stage.of(updates, other)
    stage.call(total=3, page="p")
    (event,) = stage.person.facts.events
    assert (event.name, event.at, event.source) == ("ping", START, "journey:test")
    assert event.properties == {"total": 4, "page": "p", "why": "x"}
    (write,) = stage.person.facts.attributes
    assert (write.name, write.value, write.source) == ("vip", True, "journey:test")
    assert event.id != write.id
    assert [run.journey for run in stage.runs] == ["test", "other"]


def test_a_fact_a_run_writes_can_end_it_and_withdraws_what_it_asked_for() -> None:
    stage = Stage.of(journey(Update("vip", True), A, B, exit=attr("vip").exists())).call()
    assert stage.run.outcome == "exit"
    assert stage.pending == []


def test_taking_an_attribute_away_is_a_write() -> None:
    made = journey(Update("vip", None), Branch(When(attr("vip").missing(), [A])))
    stage = Stage.of(made).write(vip=1).go(START + TICK).call()
    assert stage.sent == ["a"]


def test_journeys_that_call_each_other_in_a_circle_are_parked() -> None:
    made = [
        Journey(name, enter=on(one), steps=[Emit(other)], kind=MessageKind.TRIGGER)
        for name, one, other in (("x", "ping", "pong"), ("y", "pong", "ping"))
    ]
    calm = Journey("calm", enter=on("ping"), steps=[Wait(DAY)], kind=MessageKind.TRIGGER)
    stage = Stage.of(*made, calm)
    stage.event("ping")
    assert "circle" in stage.told(NoteKind.PARKED)[0]
    assert all(run.phase in (Phase.PARKED, Phase.ENDED) for run in stage.runs)


# ------------------------------------------------------------------------------------------ tasks


def test_a_task_waits_for_its_answer() -> None:
    stage = Stage.of(TASK).call()
    (task,) = stage.tasks.values()
    assert (task.title, task.to, task.opened, task.deadline) == ("call", "sales", START, START + DAY)
    assert (task.customer, task.journey, task.step, task.enrollment) == (ANN, "test", "t", stage.run.id)
    stage.event("visit").go(START + HOUR)
    stage.take(Answered(at=stage.now, task=task, answer="yes"))
    assert stage.sent == ["a"]
    assert stage.tasks[task.id].answer == "yes"
    assert stage.tasks[task.id].done == START + HOUR
    assert stage.told(NoteKind.TASK) == ["call", "answered"]
    answered = stage.person.facts.events[-1]
    assert (answered.name, answered.properties["answer"]) == (TASK_ANSWERED, "yes")


def test_a_task_nobody_answers_is_overdue() -> None:
    stage = Stage.of(TASK).call().go(START + DAY - TICK)
    assert stage.sent == []
    stage.go(START + DAY)
    assert (stage.sent, stage.told(NoteKind.TASK)) == (["b"], ["call", "overdue"])
    (task,) = stage.tasks.values()
    stage.take(Answered(at=stage.now, task=task, answer="too late"))
    assert stage.sent == ["b"]


def test_a_task_opened_late_can_still_be_done_in_time() -> None:
    stage = Stage.of(journey(Wait(DAY), *TASK.steps)).call().sleep(START + 9 * DAY)
    (task,) = stage.tasks.values()
    assert (task.opened, task.deadline) == (START + 9 * DAY, START + 10 * DAY)
    stage.go(START + 10 * DAY - TICK)
    assert stage.told(NoteKind.TASK) == ["call"]
