"""Loads what a user's file defines: journeys, and what they stand on."""

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import attrs

from crmsdk.errors import ConfigError, CrmsdkError, DefinitionError
from crmsdk.journeys.definition import Journey
from crmsdk.model.catalog import Catalog
from crmsdk.model.codec import loads
from crmsdk.model.message import Sender
from crmsdk.model.secret import Secret
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.ports import Channel, TemplateEngine
from crmsdk.segments.grammar import Predicate

__all__ = ["Loaded", "load"]

T = TypeVar("T")

_DEFINITIONS: Mapping[str, type] = {"journey": Journey, "contact-policy": ContactPolicy, "catalog": Catalog}


@attrs.frozen(kw_only=True)
class Loaded:
    """What a file says; None where it says nothing.

    Attributes:
        journeys: In the order of the file.
        names: Everything at the file's top level.
    """

    journeys: tuple[Journey, ...] = ()
    policy: ContactPolicy | None = None
    catalog: Catalog | None = None
    templates: TemplateEngine | None = None
    channels: tuple[Channel, ...] | None = None
    senders: tuple[Sender, ...] | None = None
    zone: str | None = None
    url: str | None = None
    active: Predicate | None = None
    unsubscribe: str | None = None
    secret: Secret | None = None
    names: Mapping[str, object] = attrs.field(factory=dict, repr=False)

    def zone_or(self, given: str | None) -> str:
        """Give the project's zone; the command line goes before the file.

        Raises:
            ConfigError: neither says it.
        """
        zone = given or self.zone
        if zone is None:
            raise ConfigError("zone is missing; say zone = 'Europe/Moscow' in FILE, or give --zone")
        return zone

    def settings(self, *names: str) -> dict[str, Any]:
        """Give the named settings of ``Crm.open`` that the file says."""
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value is not None}


def load(spec: str) -> Loaded:
    """Load a Python file, ``module:name``, or a JSON definition (one, or a list of them).

    The folder of a Python file joins ``sys.path``, as when it is run.

    Raises:
        ConfigError: there is no such file or module, it cannot be imported, or it says something else than
            it should.
        DefinitionError: a definition in it is impossible.
    """
    path = Path(spec)
    if path.is_file():
        return _json(path) if path.suffix == ".json" else _said(_file(path), path.resolve().parent)
    head, colon, name = spec.rpartition(":")
    if colon and name.isidentifier():
        beside = Path(head)
        if beside.is_file():
            return _said(_file(beside), beside.resolve().parent, only=name)
        sys.path.insert(0, str(Path.cwd()))
        module = _run(head, lambda: importlib.import_module(head))
        folder = Path(module.__file__).resolve().parent if module.__file__ else Path.cwd()
        return _said(module, folder, only=name)
    raise ConfigError(f"there is no file {spec!r}; give a Python file, a JSON file, or module:name")


def _file(path: Path) -> ModuleType:
    whole = path.resolve()
    name = f"_crmsdk_file_{whole.stem}"
    spec = importlib.util.spec_from_file_location(name, whole)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path.name} is no Python file; give one that ends in .py, or .json")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(whole.parent))
    sys.modules[name] = module  # classes in it look their module up
    loader = spec.loader
    _run(path.name, lambda: loader.exec_module(module))
    return module


def _run(name: str, work: Any) -> Any:
    """Run the user's code; whatever it raises becomes one line with the place."""
    try:
        return work()
    except CrmsdkError:
        raise
    except SystemExit:
        raise ConfigError(
            f"{name} ends the program when imported; guard it by if __name__ == '__main__'"
        ) from None
    except Exception as error:
        raise ConfigError(
            f"{name} cannot be imported: {type(error).__name__}: {error}{_line(error)}"
        ) from error


def _line(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return ""  # its text names the line
    trace, line = error.__traceback__, 0
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith("<frozen"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f" (line {line})"


def _json(path: Path) -> Loaded:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name} is not UTF-8 text; give a JSON definition") from None
    try:
        return _defined(text)
    except DefinitionError as error:
        error.args = (f"{path.name}: {error}",)  # of several files: which one
        raise


def _defined(text: str) -> Loaded:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None  # the codec says it better
    parts = [(json.dumps(one), one) for one in data] if isinstance(data, list) else [(text, data)]
    found: list[object] = []
    for part, one in parts:
        kind = _DEFINITIONS.get(str(one.get("is")) if isinstance(one, dict) else "", Journey)
        found.append(loads(part, kind))
    return Loaded(
        journeys=tuple(one for one in found if isinstance(one, Journey)),
        policy=next((one for one in found if isinstance(one, ContactPolicy)), None),
        catalog=next((one for one in found if isinstance(one, Catalog)), None),
    )


def _said(module: ModuleType, folder: Path, *, only: str = "") -> Loaded:
    names = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    if only and only not in names:
        raise ConfigError(f"{module.__name__.removeprefix('_crmsdk_file_')} has no name {only!r}")
    return Loaded(
        journeys=_journeys(names, only or "journeys"),
        policy=_one(names, "policy", ContactPolicy),
        catalog=_one(names, "catalog", Catalog),
        templates=_templates(names.get("templates"), folder),
        channels=_many(names, "channels", Channel),  # type: ignore[type-abstract]  # only its name is used
        senders=_many(names, "senders", Sender),
        zone=_one(names, "zone", str),
        url=_one(names, "url", str),
        active=_one(names, "active", Predicate),
        unsubscribe=_one(names, "unsubscribe", str),
        secret=_secret(names),
        names=names,
    )


def _journeys(names: Mapping[str, object], name: str) -> tuple[Journey, ...]:
    if name not in names:
        every = [value for value in names.values() if isinstance(value, Journey)]
        return tuple({id(journey): journey for journey in every}.values())
    given = names[name]
    listed = (given,) if isinstance(given, Journey) else given
    if not isinstance(listed, Iterable) or isinstance(listed, str | Mapping):
        raise ConfigError(f"{name} is {type(given).__name__}; give a list of journeys")
    journeys = tuple(listed)
    for one in journeys:
        if not isinstance(one, Journey):
            raise ConfigError(f"{name} holds {type(one).__name__}; give journeys only")
    return journeys


def _one(names: Mapping[str, object], name: str, kind: type[T]) -> T | None:
    value = names.get(name)
    if value is None or isinstance(value, kind):
        return value
    if isinstance(value, ModuleType) or callable(value):
        return None  # a function or module that happens to bear the name
    raise ConfigError(f"{name} is {type(value).__name__}; give {kind.__name__}, or name it otherwise")


def _secret(names: Mapping[str, object]) -> Secret | None:
    given = names.get("secret")
    return Secret(given) if isinstance(given, str) else _one(names, "secret", Secret)


def _many(names: Mapping[str, object], name: str, kind: type[T]) -> tuple[T, ...] | None:
    value = names.get(name)
    if value is None or isinstance(value, ModuleType) or callable(value):
        return None
    if not isinstance(value, Iterable) or isinstance(value, str | Mapping):
        raise ConfigError(f"{name} is {type(value).__name__}; give a list of {kind.__name__}")
    return tuple(value)


def _templates(value: object, folder: Path) -> TemplateEngine | None:
    if value is None or isinstance(value, ModuleType):
        return None
    from crmsdk.templates.engine import JinjaTemplateEngine  # noqa: PLC0415 - 75 ms, and many files have none

    if isinstance(value, str | os.PathLike):
        return JinjaTemplateEngine.from_folder(folder / value)
    if isinstance(value, Mapping):
        return JinjaTemplateEngine(value)
    if hasattr(value, "render") and hasattr(value, "variables"):
        return cast("TemplateEngine", value)
    raise ConfigError(f"templates is {type(value).__name__}; give a folder, a mapping, or an engine")
