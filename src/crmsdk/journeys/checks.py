"""Checks of a journey before it runs: everything that is certain to go wrong, said at once with its mend.

Found are steps nobody can reach, waits that cannot end, rules that let nobody in, names nobody declared,
kinds that never compare, questions about other people, keys that get lost, messages without template, text,
variable, channel or sender, and values out of range. What may be meant is a warning.
"""

from crmsdk.errors import CheckFailed, DefinitionError
from crmsdk.journeys._check_accounts import account_faults
from crmsdk.journeys._check_content import content_faults
from crmsdk.journeys._check_flow import flow_faults
from crmsdk.journeys._check_names import asked_in_vain, name_faults
from crmsdk.journeys._findings import Fault, Surroundings
from crmsdk.journeys.definition import Journey
from crmsdk.model.codec import encode

__all__ = ["Fault", "Surroundings", "asked_in_vain", "check", "faults"]

_NOTHING = Surroundings()


def faults(journey: Journey, surroundings: Surroundings = _NOTHING) -> tuple[Fault, ...]:
    """Find everything wrong with a journey.

    Args:
        journey: What is to run.
        surroundings: What it may refer to; what is not told is not checked.

    Returns:
        Errors and warnings, each once: first those of the journey itself, then those of names, then those of
        messages. Of a journey that no text can hold, as one nested too deep, what keeps it from that.
    """
    try:
        encode(journey)
    except DefinitionError as error:
        return (Fault(error.path, str(error).removeprefix(f"{error.path}: ")),)
    found = (
        *flow_faults(journey),
        *account_faults(journey),
        *name_faults(journey, surroundings),
        *content_faults(journey, surroundings),
    )
    return tuple(dict.fromkeys(found))


def check(journey: Journey, surroundings: Surroundings = _NOTHING) -> tuple[Fault, ...]:
    """Refuse a journey that cannot run.

    Returns:
        The warnings.

    Raises:
        CheckFailed: there are errors; it lists them all.
    """
    found = faults(journey, surroundings)
    errors = [str(fault) for fault in found if fault.severity == "error"]
    if errors:
        raise CheckFailed(journey.name, errors)
    return found
