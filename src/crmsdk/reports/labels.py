"""The words that pictures and pages write by themselves.

Every function that needs such words takes ``labels``, a mapping with these keys; a key it lacks is read from
`ENGLISH`. Names of journeys, channels and rules come with the data and are never looked up here.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ENGLISH", "find_label"]

ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "lang": "en",
        "other": "other",
        "total": "total",
        "no_data": "no data",
        "interval": "interval",
        "of_first": "of the first",
        "of_previous": "of the previous",
        "choose_step": "Choose a step to see its facts.",
        "contents": "Contents",
        "kind.enter": "enter",
        "kind.send": "send",
        "kind.wait": "wait",
        "kind.branch": "branch",
        "kind.split": "split",
        "kind.update": "update",
        "kind.task": "task",
        "kind.goal": "goal",
        "kind.exit": "exit",
        **{
            f"month.{number}": name
            for number, name in enumerate(
                ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
            )
        },
        **{
            f"weekday.{number}": name
            for number, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), 1)
        },
    }
)


def find_label(labels: Mapping[str, str], key: str) -> str:
    """Look a word up, in English where the mapping lacks it."""
    return labels.get(key, ENGLISH[key])
