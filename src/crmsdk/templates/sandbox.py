"""The sandbox templates run in: no files, no Python objects, no missing values, a bounded result."""

from collections.abc import Callable, Iterator, Mapping, Sized
from datetime import date, datetime
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, UndefinedError, meta, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.filters import do_replace
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context
from typing_extensions import override

from crmsdk.errors import CrmsdkError, TemplateError
from crmsdk.model.money import Money
from crmsdk.model.values import Properties, Value
from crmsdk.templates.formats import clock_words, date_words, money_words
from crmsdk.templates.source import Piece

__all__ = ["RESULT_MAX", "Sandbox", "present"]

RESULT_MAX = 1024 * 1024
"""The most characters one part of a message may have."""

_RANGE_MAX = 1000
_GIVEN = frozenset({"locale", "range"})


class _Refused(Exception):
    """What a template did wrong, in words without values."""


_BITS_MAX = 512  # of a number that a message may compute
# Methods of text that pad or repeat it to any length; filters can do what a message needs of them.
_PADDING = frozenset(
    {
        "center",
        "expandtabs",
        "format",
        "format_map",
        "join",
        "ljust",
        "replace",
        "rjust",
        "translate",
        "zfill",
    }
)
_COUNTING = ("batch", "indent", "slice", "truncate", "wordwrap")  # filters that take a width or a number


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox where no short text makes a long one, and a mapping's own keys win over its methods.

    So ``order.items`` is the items.
    """

    intercepted_binops = frozenset({"%", "*", "**"})

    @override
    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return not (isinstance(obj, str) and attr in _PADDING) and super().is_safe_attribute(obj, attr, value)

    @override
    def wrap_str_format(self, value: Any) -> None:
        """Wrap no ``format`` of text, as Jinja2 would before asking whether it is safe: it pads, too."""

    @override
    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, int | float) and isinstance(right, int | float):
            if isinstance(left, int) and isinstance(right, int) and _bits(operator, left, right) > _BITS_MAX:
                raise _Refused("computes a number of hundreds of digits; a message has no use for that")
        elif operator != "*":
            raise _Refused(f"computes with {operator} on what is no number; write it out")
        elif _length(left) * _length(right) > RESULT_MAX:
            raise _Refused(f"makes over {RESULT_MAX} characters; shorten it")
        return super().call_binop(context, operator, left, right)

    @override
    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    @override
    def getitem(self, obj: Any, argument: Any) -> Any:
        found = super().getitem(obj, argument)
        if isinstance(found, Undefined) and found._undefined_exception is UndefinedError:  # noqa: SLF001 - no other way
            # The key may be a person's value, and Jinja2 would show it.
            return self.undefined(hint="an entry in [ ] is missing")
        return found


def _shown(value: object) -> object:
    match value:
        case Money():
            raise _Refused("shows money as it is; write {{ … | money }}")
        case date():
            raise _Refused("shows a date or moment as it is; write {{ … | date }} or {{ … | time }}")
        case None:
            raise _Refused("shows a value that is missing; write {{ … | default('…') }}")
        case bool():
            raise _Refused("shows yes or no as it is; write {% if … %}")
        case str() | int() | float() | Undefined():  # an Undefined raises when it is written out
            return value
        case _:
            raise _Refused("shows a list or mapping as it is; name one of its values or loop over it")


def _range(*args: int) -> range:
    found = range(*args)
    if len(found) > _RANGE_MAX:
        raise _Refused(f"counts over {_RANGE_MAX}; a message has no use for that")
    return found


def _bits(operator: str, left: int, right: int) -> int:
    return left.bit_length() * abs(right) if operator == "**" else left.bit_length() + right.bit_length()


def _length(value: object) -> int:
    return abs(value) if isinstance(value, int) else len(value) if isinstance(value, Sized) else 1


def _counting(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """Bound the numbers a filter is given, as ``range`` is."""

    @wraps(filter_)
    def bounded(*args: Any, **named: Any) -> Any:
        if any(isinstance(one, int) and abs(one) > _RANGE_MAX for one in (*args[1:], *named.values())):
            raise _Refused(f"is given a number over {_RANGE_MAX}; a message has no use for that")
        return filter_(*args, **named)

    return bounded


@wraps(do_replace)
def _replace(eval_ctx: Any, s: str, old: str, new: str, count: int | None = None) -> str:
    if len(str(s)) + (str(s).count(str(old)) * len(str(new))) > RESULT_MAX:
        raise _Refused(f"makes over {RESULT_MAX} characters; shorten it")
    return do_replace(eval_ctx, s, old, new, count)


@pass_context
def _money(context: Context, value: object) -> str:
    if not isinstance(value, Money):
        raise _Refused(f"writes {type(value).__name__} as money; the filter takes Money")
    return money_words(value, _locale_of(context))


@pass_context
def _date(context: Context, value: object, zone: str | None = None) -> str:
    if not isinstance(value, date):
        raise _Refused(f"writes {type(value).__name__} as a date; the filter takes dates and moments")
    return date_words(value, _locale_of(context), zone or _zone_of(context))


@pass_context
def _time(context: Context, value: object, zone: str | None = None) -> str:
    if not isinstance(value, datetime):
        raise _Refused(f"writes {type(value).__name__} as a time; the filter takes moments")
    return clock_words(value, zone or _zone_of(context))


def _locale_of(context: Context) -> str:
    return str(context["locale"])


def _zone_of(context: Context) -> str:
    zone = context.get("zone")
    if not isinstance(zone, str):
        raise _Refused("writes a moment without a zone; give the variable zone, or say date('Europe/Moscow')")
    return zone


def _environment(*, escapes: bool) -> _Environment:
    env = _Environment(
        autoescape=escapes,
        undefined=StrictUndefined,
        finalize=_shown,
        loader=None,
        cache_size=0,
        keep_trailing_newline=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals = {"range": _range}
    del env.filters["attr"]  # its errors show the name asked for, which may be a value
    del env.filters["center"], env.filters["format"]  # they pad to any length
    env.filters |= {name: _counting(env.filters[name]) for name in _COUNTING}
    env.filters |= {"date": _date, "money": _money, "replace": _replace, "time": _time}
    return env


class Sandbox:
    """Compiles and renders pieces of files; each piece once."""

    def __init__(self) -> None:
        self._environments = {escapes: _environment(escapes=escapes) for escapes in (False, True)}
        self._compiled: dict[tuple[str, bool], Template | str] = {}

    def needed(self, template: str, file: str, piece: Piece) -> frozenset[str]:
        """Name the variables a piece cannot be rendered without; nothing is rendered.

        Raises:
            TemplateError: it is broken.
        """
        try:
            tree = _parsed(self._environments[False], piece.text)
            undeclared = meta.find_undeclared_variables(tree) - _GIVEN
        except TemplateSyntaxError as error:
            raise _broken(template, file, piece, error) from None
        return frozenset(name for name in undeclared if not _has_fallback(tree, name))

    def fill(
        self, template: str, file: str, piece: Piece, *, escapes: bool, values: Mapping[str, Value]
    ) -> str:
        """Render a piece.

        Args:
            template: The template's name, for errors.
            file: The file's name, for errors.
            piece: What to render.
            escapes: Whether values are escaped for HTML.
            values: What it may show, ``locale`` among them, as ``present`` gives it.

        Raises:
            TemplateError: broken, a variable is missing, or the result is too long.
        """
        compiled = self._template(template, file, piece, escapes=escapes)
        if isinstance(compiled, str):
            return compiled
        parts: list[str] = []
        size = 0
        try:
            for part in _generated(compiled, values):
                size += len(part)
                if size > RESULT_MAX:
                    raise _Refused(f"makes over {RESULT_MAX} characters; shorten it")
                parts.append(part)
        except TemplateError:
            raise
        except (_Refused, JinjaError, CrmsdkError) as error:
            raise _failed(template, file, piece, error, str(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever a template does is its own fault, and says no value
            raise _failed(template, file, piece, error, f"fails with {type(error).__name__}") from None
        return "".join(parts)

    def _template(self, template: str, file: str, piece: Piece, *, escapes: bool) -> Template | str:
        key = (piece.text, escapes)
        if key not in self._compiled:
            try:
                self._compiled[key] = _compiled(self._environments[escapes], piece.text)
            except TemplateSyntaxError as error:
                raise _broken(template, file, piece, error) from None
        return self._compiled[key]


def _parsed(env: _Environment, text: str) -> nodes.Template:
    tree = env.parse(text)
    for node in tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
        raise TemplateSyntaxError("a file cannot take in another one", node.lineno)
    return tree


def _compiled(env: _Environment, text: str) -> Template | str:
    """Compile a text; one without anything to fill in is its own result."""
    tree = _parsed(env, text)
    plain = [
        node.data
        for part in tree.body
        if isinstance(part, nodes.Output)
        for node in part.nodes
        if isinstance(node, nodes.TemplateData)
    ]
    pieces = sum(len(part.nodes) if isinstance(part, nodes.Output) else 1 for part in tree.body)
    return "".join(plain) if len(plain) == pieces else env.from_string(tree)


def _generated(template: Template, values: Mapping[str, Value]) -> Iterator[str]:
    """Run a template as ``Template.generate`` does, without taking the globals apart for each piece."""
    env = template.environment
    context = env.context_class(env, {**env.globals, **values}, template.name, template.blocks)
    try:
        yield from template.root_render_func(context)
    except Exception:  # noqa: BLE001 - whatever it was, the trace shall name lines of the template
        env.handle_exception()


def present(values: Properties) -> dict[str, Value]:
    """Leave out what is None, at any depth of mappings: missing and None are one thing."""
    return {
        name: present(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value is not None
    }


def _has_fallback(tree: nodes.Template, name: str) -> bool:
    def is_name(node: nodes.Node | None) -> bool:
        return isinstance(node, nodes.Name) and node.name == name

    if any(
        test.name in {"defined", "undefined"} and is_name(test.node) for test in tree.find_all(nodes.Test)
    ):
        return True
    defaults = sum(
        found.name in {"default", "d"} and is_name(found.node) for found in tree.find_all(nodes.Filter)
    )
    return defaults == sum(is_name(node) for node in tree.find_all(nodes.Name))


def _broken(template: str, file: str, piece: Piece, error: TemplateSyntaxError) -> TemplateError:
    line = piece.line + error.lineno - 1
    return TemplateError(template, f"{file} line {line} is broken: {error.message}")


def _failed(template: str, file: str, piece: Piece, error: BaseException, message: str) -> TemplateError:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return TemplateError(template, f"{file} line {piece.line + line - 1}: {message}")
