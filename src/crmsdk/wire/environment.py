"""Settings out of environment variables, typed: for ``Settings`` and for any adapter's arguments.

    settings = settings_from()                                     # CRMSDK_ZONE, CRMSDK_SECRET, CRMSDK_MODE …
    email = from_environment(SmtpChannel, prefix="CRMSDK_SMTP_")   # CRMSDK_SMTP_HOST, CRMSDK_SMTP_PASSWORD …

A secret may also stand in a file, named by the variable with ``_FILE`` at its end; the file is read anew at
each use, so that it can be rotated.
"""

import inspect
import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from crmsdk.errors import ConfigError, CrmsdkError, InputError
from crmsdk.model.secret import Secret
from crmsdk.model.settings import Settings

__all__ = ["from_environment", "settings_from"]

T = TypeVar("T")
_SCALARS = (bool, int, float, str, timedelta, Path)


class _Parameter(NamedTuple):
    name: str
    hint: Any
    needed: bool


def settings_from(environ: Mapping[str, str] | None = None) -> Settings:
    """Read ``Settings`` from variables that begin with ``CRMSDK_``.

    ``CRMSDK_ALLOWLIST`` holds addresses with commas between, ``CRMSDK_SENDERS`` a JSON list of objects as
    ``{"id": "news", "address": "news@shop.example"}``.

    Args:
        environ: The environment; the process's own if left out.

    Raises:
        ConfigError: a variable is missing or cannot be read; it is named, its value is not shown.
    """
    return from_environment(Settings, prefix="CRMSDK_", environ=environ)


def from_environment(target: Callable[..., T], *, prefix: str, environ: Mapping[str, str] | None = None) -> T:
    """Call a class with arguments read from environment variables; an empty variable is a missing one.

    Args:
        target: An attrs class or an adapter. Its arguments are read by their annotations: text, numbers, yes
            or no, spans (seconds, or ISO 8601 as ``PT30S``), enumerations, secrets, lists with commas
            between, and values or lists of values as JSON. Arguments of other types keep their defaults.
        prefix: The variable of the argument ``host`` is the prefix and ``HOST``.
        environ: The environment; the process's own if left out.

    Raises:
        ConfigError: a variable is missing, is nearly the name of one, or cannot be read; it is named, its
            value is not shown.
    """
    found = os.environ if environ is None else environ
    given: dict[str, Any] = {}
    parameters = tuple(_parameters(target))
    _refuse_slips(found, prefix, [name.upper() for name, _, _ in parameters])
    for name, hint, needed in parameters:
        variable = prefix + name.upper()
        plain = _without_none(hint)
        file = found.get(f"{variable}_FILE", "")
        if file and _is_secret(plain):
            given[name] = Secret(_reader(Path(file), f"{variable}_FILE"))
        elif found.get(variable, ""):
            given[name] = _read(found[variable].strip(), plain, variable)
        elif needed:
            raise ConfigError(f"{variable} is not set; set it")
    try:
        return target(**given)
    except CrmsdkError as error:
        field = error.field if isinstance(error, InputError) else ""
        named = f"{prefix}{field.upper()}" if field in given else f"settings of {prefix}…"
        problem = error.problem if isinstance(error, InputError) else str(error)
        raise ConfigError(f"{named}: {problem}") from None


def _refuse_slips(environ: Mapping[str, str], prefix: str, known: list[str]) -> None:
    """Refuse a variable that is nearly one of ours: what is misspelt would be passed over in silence.

    Longer names may be of another prefix that begins with this one, so only as many words are compared.
    """
    known = [*known, *(f"{name}_FILE" for name in known)]
    for variable in sorted(environ):
        rest = variable.removeprefix(prefix)
        if variable == rest or rest in known or not environ[variable]:
            continue
        alike = [name for name in known if name.count("_") == rest.count("_")]
        near = get_close_matches(rest, alike, n=1, cutoff=0.65)
        if near:
            raise ConfigError(f"{variable} is no setting; did you mean {prefix}{near[0]}?")


def _parameters(target: Callable[..., object]) -> Iterator[_Parameter]:
    if isinstance(target, type) and attrs.has(target):
        for field in attrs.fields(attrs.resolve_types(target)):
            yield _Parameter(field.alias or field.name, field.type, field.default is attrs.NOTHING)
        return
    made: Any = target
    hints = get_type_hints(made.__init__ if isinstance(target, type) else target)
    for name, parameter in inspect.signature(target).parameters.items():
        yield _Parameter(name, hints.get(name, object), parameter.default is parameter.empty)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        rest = tuple(arg for arg in get_args(hint) if arg is not type(None))
        return rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007 - a union made at run time
    return hint


def _is_secret(hint: Any) -> bool:
    return hint is Secret or (get_origin(hint) in (Union, UnionType) and Secret in get_args(hint))


def _reader(path: Path, variable: str) -> Callable[[], str]:
    def read() -> str:
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{variable} names a file that cannot be read ({type(error).__name__})"
            ) from None

    read()  # a wrong path shows now, not at the first message
    return read


def _read(text: str, hint: Any, variable: str) -> object:
    if _is_secret(hint):
        return Secret(text)
    origin = get_origin(hint)
    if origin in (tuple, frozenset, list):
        item = get_args(hint)[0]
        if isinstance(item, type) and attrs.has(item):
            items = _json(text, list, variable)
            return origin(_made(one, item, f"{variable}[{at}]") for at, one in enumerate(items))
        return origin(_read(part.strip(), item, variable) for part in text.split(",") if part.strip())
    if isinstance(hint, type) and attrs.has(hint):
        return _made(_json(text, dict, variable), hint, variable)
    if origin is Literal:
        return _chosen(text, [str(choice) for choice in get_args(hint)], variable)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(_chosen(text.lower(), [str(member.value) for member in hint], variable))
    if hint in _SCALARS:
        return _scalar(text, hint, variable)
    raise ConfigError(f"{variable} cannot be read from the environment; pass it in code")


def _scalar(text: str, hint: Any, variable: str) -> object:
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who reads settings loads it

    try:
        if hint is timedelta and text.replace(".", "", 1).isdigit():
            return timedelta(seconds=float(text))
        return TypeAdapter(hint).validate_python(text)
    except (ValueError, OverflowError):  # pydantic's own words would show the value
        raise ConfigError(f"{variable} is no {hint.__name__}; mend it") from None


def _chosen(text: str, choices: list[str], variable: str) -> str:
    if text not in choices:
        raise ConfigError(f"{variable} is none of {', '.join(choices)}; choose one")
    return text


def _json(text: str, wanted: type, variable: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, wanted):
        raise ConfigError(f"{variable} is no JSON {'list' if wanted is list else 'object'}; mend it")
    return found


def _made(data: object, cls: type, variable: str) -> object:
    known = {field.alias for field in attrs.fields(cls)}
    if not isinstance(data, dict) or not data.keys() <= known:
        raise ConfigError(f"{variable} is no object with keys out of {', '.join(sorted(map(str, known)))}")
    try:
        return cls(**data)
    except (CrmsdkError, TypeError) as error:
        missing = isinstance(error, TypeError)
        raise ConfigError(f"{variable}: {'a key is missing' if missing else error}") from None
