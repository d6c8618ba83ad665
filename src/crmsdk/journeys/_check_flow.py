"""Faults of a journey that need no look outside: its ways, waits, rules, keys and numbers."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from crmsdk.journeys._findings import Fault, places, possible
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.program import arms_of
from crmsdk.journeys.steps import Branch, Emit, Exit, HandOver, Send, Split, Step, Wait, WaitFor
from crmsdk.journeys.triggers import OnEvent
from crmsdk.model.codec import encode
from crmsdk.model.message import MessageKind

__all__ = ["flow_faults"]

_ZERO = timedelta(0)
_LONGEST = timedelta(days=36525)


def flow_faults(journey: Journey) -> Iterator[Fault]:
    """Find what is wrong with a journey in itself."""
    yield from _purpose(journey)
    yield from _entry(journey)
    yield from _rules(journey)
    yield from _numbers(journey)
    yield from _spans(journey)
    yield from _keys(journey)
    yield from _experiments(journey)
    yield from _unreachable(journey.steps, "steps")
    yield from _conditions(journey)
    yield from _alike(journey)
    yield from _waits(journey)
    yield from _circles(journey)


def _purpose(journey: Journey) -> Iterator[Fault]:
    if journey.goal is None and journey.kind is not MessageKind.SERVICE:
        yield Fault("goal", "is missing; say what the journey is for, as goal=did('purchase').since_entry()")
    if not journey.steps:
        yield Fault("steps", "there are none; give at least one step")
    for field, mend in (("owner", "who answers for the journey"), ("kpi", "the figure it serves")):
        if not getattr(journey, field):
            yield Fault(field, f"is empty; say {mend}", "warning")
    if journey.holdout is not None and journey.kind is MessageKind.SERVICE:
        yield Fault("holdout", "withholds service messages from a share of people; leave it away", "warning")


def _entry(journey: Journey) -> Iterator[Fault]:
    entry = journey.entry
    if entry.cooldown < _ZERO:
        yield Fault("entry.cooldown", "is negative; give a span, or none")
    if entry.cooldown and entry.again != "after_exit":
        yield Fault(
            "entry.cooldown",
            f"means nothing where entry is {entry.again!r}; use once(per=…), or leave it away",
        )
    for index, trigger in enumerate(journey.enter):
        path = f"enter[{index}]"
        if trigger.max_age < _ZERO:
            yield Fault(f"{path}.max_age", "is negative; give a span of zero or more")
        if trigger.when is not None and True not in possible(trigger.when):
            yield Fault(f"{path}.when", "never holds, so nobody can enter; mend the condition")
        if trigger in journey.enter[:index]:
            yield Fault(path, f"is the same as enter[{journey.enter.index(trigger)}]; keep one")


def _rules(journey: Journey) -> Iterator[Fault]:
    for field, rule in (("goal", journey.goal), ("exit", journey.exit)):
        if rule is None:
            continue
        entering = possible(rule, at_entry=True)
        if True not in possible(rule):
            yield Fault(field, "never holds; mend the condition, or leave it away")
        elif False not in entering:
            yield Fault(
                field, "holds for everybody at entry, so nobody could enter; ask did(...).since_entry()"
            )
        elif True in entering:
            yield Fault(
                field,
                "may hold before the entry, and then the entry is refused; if that is not meant, ask "
                "did(...).since_entry()",
                "warning",
            )


def _numbers(journey: Journey) -> Iterator[Fault]:
    if journey.max_lateness < _ZERO:
        yield Fault("max_lateness", "is negative; give a span of zero or more")
    for place in places(journey.steps):
        match place.step:
            case Send() as send:
                if send.priority is not None and not 0 <= send.priority <= 100:  # the scale of journeys
                    yield Fault(f"{place.path}.priority", "lies outside 0 to 100; give a number between them")
                if send.expires is not None and send.expires <= _ZERO:
                    yield Fault(f"{place.path}.expires", "is not positive; give a span as timedelta(days=1)")
                for channel in sorted({one for one in send.via if send.via.count(one) > 1}):
                    yield Fault(f"{place.path}.via", f"names {channel!r} twice; name each channel once")
            case HandOver(task=task, to=to):
                for field, text in (("task", task), ("to", to)):
                    if not text:
                        yield Fault(f"{place.path}.{field}", "is empty; say what is to be done, and by whom")
            case _:
                pass


def _spans(journey: Journey) -> Iterator[Fault]:
    """Find spans that lead out of the calendar, as ``timedelta.max`` for "never" does."""
    spans: dict[str, timedelta | None] = {
        "entry.cooldown": journey.entry.cooldown,
        "expires": journey.expires,
        "lifetime": journey.lifetime,
    }
    for index, trigger in enumerate(journey.enter):
        if isinstance(trigger, OnEvent):
            spans[f"enter[{index}].within"] = trigger.within
    for place in places(journey.steps):
        match place.step:
            case Send(expires=span):
                spans[f"{place.path}.expires"] = span
            case Wait(until=timedelta() as span):
                spans[f"{place.path}.until"] = span
            case WaitFor(timeout=span, grace=grace):
                spans |= {f"{place.path}.timeout": span, f"{place.path}.grace": grace}
            case HandOver(within=span):
                spans[f"{place.path}.within"] = span
            case _:
                pass
    for path, length in spans.items():
        if length is not None and length > _LONGEST:
            yield Fault(path, "is longer than 100 years; give a shorter span")


def _keys(journey: Journey) -> Iterator[Fault]:
    known: dict[str, str] = {}
    unnamed: dict[str, str] = {}
    for place in places(journey.steps):
        if place.key in known:
            yield Fault(
                f"{place.path}.key", f"{place.key!r} is also the key of {known[place.key]}; give each its own"
            )
        if place.key.startswith("@"):
            yield Fault(
                f"{place.path}.key", f"{place.key!r} begins with @, as ends in pictures do; choose another"
            )
        known.setdefault(place.key, place.path)
        if isinstance(place.step, Send) and not place.step.key:
            first = unnamed.setdefault(place.step.template, place.path)
            if first != place.path:
                yield Fault(
                    place.path,
                    f"sends {place.step.template!r} as {first} does, and neither has a key; give both one, "
                    "so that reports tell them apart",
                    "warning",
                )


def _experiments(journey: Journey) -> Iterator[Fault]:
    known: dict[str, tuple[str, dict[str, float]]] = {}
    for place in places(journey.steps):
        if not isinstance(place.step, Split):
            continue
        split = place.step
        arms = {arm.name: arm.weight for arm in split.arms}
        if not split.experiment:
            yield Fault(f"{place.path}.experiment", "is empty; give the experiment an id")
        first, others = known.setdefault(split.experiment, (place.path, arms))
        if others != arms:
            yield Fault(
                f"{place.path}.experiment",
                f"{split.experiment!r} has other arms or weights in {first}; give each split its own id, or "
                "both the same arms",
            )


def _passes(step: Step) -> bool:
    """Say whether a run can get past a step."""
    match step:
        case Exit():
            return False
        case WaitFor() | Branch():
            return any(_row_passes(steps) for steps, reached in _reached(step) if reached)
        case _:
            arms = arms_of(step)
            return not arms or any(_row_passes(steps) for _, steps in arms)


def _row_passes(steps: Sequence[Step]) -> bool:
    return all(_passes(step) for step in steps)


def _reached(step: Branch | WaitFor) -> list[tuple[Sequence[Step], bool]]:
    """Give the rows inside a step, each with whether its condition lets anybody in."""
    rows = [steps for _, steps in arms_of(step)]
    if isinstance(step, WaitFor):
        answers = possible(step.condition)
        return list(zip(rows, (True in answers, False in answers), strict=True))
    out: list[tuple[Sequence[Step], bool]] = []
    left = True
    for arm, steps in zip(step.arms, rows, strict=False):
        answers = possible(arm.condition)
        out.append((steps, left and True in answers))
        left = left and False in answers
    return [*out, (rows[-1], left)]


def _unreachable(steps: Sequence[Step], path: str) -> Iterator[Fault]:
    passable = True
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        if not passable:
            why = (
                "an Exit" if isinstance(steps[index - 1], Exit) else "a step of which every way ends the run"
            )
            yield Fault(here, f"nobody can come here: it stands after {why}; remove it, or let one way go on")
            return
        for name, nested in arms_of(step):
            yield from _unreachable(nested, f"{here}.{name}")
        passable = _passes(step)


def _conditions(journey: Journey) -> Iterator[Fault]:
    for place in places(journey.steps):
        match place.step:
            case WaitFor(condition=condition) if len(possible(condition)) == 1:
                (holds,) = possible(condition)
                word = "always" if holds else "never"
                yield Fault(
                    f"{place.path}.condition",
                    f"{word} holds, so one way is never taken; use {'no wait' if holds else 'Wait(span)'} in "
                    "its place",
                )
            case Branch(arms=arms) as branch:
                taken = [reached for _, reached in _reached(branch)]
                for index, arm in enumerate(arms):
                    if not taken[index] or arm.condition in [one.condition for one in arms[:index]]:
                        yield Fault(
                            f"{place.path}.arms[{index}]",
                            "nobody can come here: the condition never holds, or an arm before it always "
                            "does; mend or remove the arm",
                        )
                if branch.otherwise and not taken[-1]:
                    yield Fault(
                        f"{place.path}.otherwise", "nobody can come here: an arm always holds; remove it"
                    )
            case _:
                pass


def _alike(journey: Journey) -> Iterator[Fault]:
    for place in places(journey.steps):
        match place.step:
            case Branch() as branch:
                rows = [_bare(steps) for _, steps in arms_of(branch)]
                if all(row == rows[0] for row in rows):
                    yield Fault(place.path, "takes the same steps on every way; remove the branch", "warning")
            case Split(arms=arms):
                for index, arm in enumerate(arms):
                    twin = next(
                        (one.name for one in arms[:index] if _bare(one.steps) == _bare(arm.steps)), None
                    )
                    if twin is not None:
                        yield Fault(
                            f"{place.path}.arms[{index}]",
                            f"takes the same steps as arm {twin!r}, so nothing is compared; let them differ",
                            "warning",
                        )
            case _:
                pass


def _bare(steps: Sequence[Step]) -> object:
    """Give steps as data without their keys."""
    return [_without_keys(encode(step)) for step in steps]


def _without_keys(data: object) -> object:
    match data:
        case dict():
            return {name: _without_keys(item) for name, item in data.items() if name != "key"}
        case list():
            return [_without_keys(item) for item in data]
        case _:
            return data


def _waits(journey: Journey) -> Iterator[Fault]:
    lifetime = journey.lifetime
    if lifetime is None:
        return
    mend = "shorten it, or raise lifetime"
    for place in places(journey.steps):
        match place.step:
            case Wait(until=timedelta() as span) if span >= lifetime:
                yield Fault(
                    place.path, f"cannot end: the run's lifetime is over before, or at that moment; {mend}"
                )
            case WaitFor(timeout=span) | HandOver(within=span) if span >= lifetime:
                yield Fault(
                    place.path,
                    f"time can never run out: the run's lifetime is over before; {mend}",
                    "warning",
                )
            case _:
                pass


def _circles(journey: Journey) -> Iterator[Fault]:
    if journey.entry.again == "never":
        return
    starts = {trigger.event for trigger in journey.enter if isinstance(trigger, OnEvent)}
    instant, ends = _at_once(journey.steps)
    for place in places(journey.steps):
        if isinstance(place.step, Emit) and place.step.event in starts:
            endless = any(step is place.step for step in instant) and (
                ends or journey.entry.again == "always"
            )
            how = "at once and for ever" if endless else "anew"
            yield Fault(
                f"{place.path}.event",
                f"{place.step.event!r} starts this journey {how}; emit another event, or enter once()",
                "error" if endless else "warning",
            )


def _at_once(steps: Sequence[Step]) -> tuple[list[Step], bool]:
    """Give the steps of a row that a run may take at the moment of entry, and whether it may take them all.

    A message takes no time where no rule defers it: people would get one after the other for ever.
    """
    taken: list[Step] = []
    for step in steps:
        taken.append(step)
        if isinstance(step, Exit):
            return taken, True
        if isinstance(step, Wait | HandOver):
            return taken, False
        arms = arms_of(step)[:1] if isinstance(step, WaitFor) else arms_of(step)
        inner = [_at_once(nested) for _, nested in arms]
        taken.extend(one for row, _ in inner for one in row)
        if inner and not any(through for _, through in inner):
            return taken, False
    return taken, True
