"""The sandbox templates run in: no files, no Python objects, no missing values, a bounded result."""

from collections.abc import Callable, Iterator, Mapping, Sized
from datetime import date, datetime
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, UndefinedError, meta, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context, pass_environment
from typing_extensions import override

from crmsdk.errors import CrmsdkError, TemplateError
from crmsdk.model.money import Money
from crmsdk.model.values import Properties, Value, text
from crmsdk.templates._bounds import (
    RESULT_MAX,
    Counted,
    Refused,
    bounded,
    bounds,
    concat,
    made,
    rounds,
    spend,
    tied,
    vast,
)
from crmsdk.templates.formats import clock_words, date_words, money_words
from crmsdk.templates.source import Piece

__all__ = ["RESULT_MAX", "Sandbox", "present"]

_RANGE_MAX = 1000
_GIVEN = frozenset({"locale", "range"})


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
_COUNTING = (
    "batch",
    "indent",
    "round",
    "slice",
    "truncate",
    "wordwrap",
)  # filters that take a width or a number


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox where no short text makes a long one, and a mapping's own keys win over its methods.

    So ``order.items`` is the items.
    """

    intercepted_binops = frozenset({"%", "*", "**", "+"})
    concat = staticmethod(concat)

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
                raise Refused("computes a number of hundreds of digits; a message has no use for that")
        elif operator not in {"*", "+"}:
            raise Refused(f"computes with {operator} on what is no number; write it out")
        elif operator == "*" and _length(left) * _length(right) > RESULT_MAX:
            raise vast()
        return made(super().call_binop(context, operator, left, right))

    @override
    def call(self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: PYI063 - as its parent
        # A recursive loop is called with what it shall go around.
        spend(1 + sum(len(each) for each in args if isinstance(each, list | tuple | dict)))
        return made(super().call(__context, __obj, *args, **kwargs))

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


# That it asks for its environment keeps Jinja2 from working values out before there are bounds.
@pass_environment
def _shown(_: object, value: object) -> object:
    spend()
    if type(value) is str:
        return made(value)
    match value:
        case Money():
            raise Refused("shows money as it is; write {{ … | money }}")
        case date():
            raise Refused("shows a date or moment as it is; write {{ … | date }} or {{ … | time }}")
        case None:
            raise Refused("shows a value that is missing; write {{ … | default('…') }}")
        case bool():
            raise Refused("shows yes or no as it is; write {% if … %}")
        case str() | int() | float() | Undefined():  # an Undefined raises when it is written out
            return made(value)
        case _:
            raise Refused("shows a list or mapping as it is; name one of its values or loop over it")


def _range(*args: int) -> range:
    found = range(*args)
    if len(found) > _RANGE_MAX:
        raise Refused(f"counts over {_RANGE_MAX}; a message has no use for that")
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
            raise Refused(f"is given a number over {_RANGE_MAX}; a message has no use for that")
        return filter_(*args, **named)

    return bounded


def _known(value: object) -> None:
    """Let a missing value tell its name, before it is said to be of a wrong kind."""
    if isinstance(value, Undefined):
        str(value)


@pass_context
def _money(context: Context, value: object) -> str:
    _known(value)
    if not isinstance(value, Money):
        raise Refused(f"writes {type(value).__name__} as money; the filter takes Money")
    return money_words(value, _locale_of(context))


@pass_context
def _date(context: Context, value: object, zone: str | None = None) -> str:
    _known(value)
    if not isinstance(value, date):
        raise Refused(f"writes {type(value).__name__} as a date; the filter takes dates and moments")
    return date_words(value, _locale_of(context), zone or _zone_of(context))


@pass_context
def _time(context: Context, value: object, zone: str | None = None) -> str:
    _known(value)
    if not isinstance(value, datetime):
        raise Refused(f"writes {type(value).__name__} as a time; the filter takes moments")
    return clock_words(value, zone or _zone_of(context))


def _locale_of(context: Context) -> str:
    return str(context["locale"])


def _zone_of(context: Context) -> str:
    zone = context.get("zone")
    if not isinstance(zone, str):
        raise Refused("writes a moment without a zone; give the variable zone, or say date('Europe/Moscow')")
    return zone


def _environment(*, escapes: bool) -> _Environment:
    env = _Environment(
        autoescape=escapes,
        undefined=StrictUndefined,
        finalize=_shown,
        loader=None,
        cache_size=0,
        keep_trailing_newline=False,
        optimized=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals = {"range": _range}
    del env.filters["attr"]  # its errors show the name asked for, which may be a value
    del env.filters["center"], env.filters["format"]  # they pad to any length
    del env.filters["random"]  # every attempt makes the same bytes
    env.filters |= {name: _counting(env.filters[name]) for name in _COUNTING}
    env.filters |= {"date": _date, "money": _money, "time": _time}
    env.filters = {name: bounded(name, filter_) for name, filter_ in env.filters.items()}
    env.filters |= {"crmsdk_rounds": rounds, "crmsdk_made": made, "crmsdk_tied": tied}
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
            with bounds():
                for part in _generated(compiled, values):
                    size += len(part)
                    if size > RESULT_MAX:
                        raise vast()
                    parts.append(part)
            return text("".join(parts), "text", empty=True)
        except TemplateError:
            raise
        except (Refused, JinjaError, CrmsdkError) as error:
            raise _failed(template, file, piece, error, str(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever a template does is its own fault, and says no value
            raise _failed(template, file, piece, error, f"fails with {type(error).__name__}") from None

    def _template(self, template: str, file: str, piece: Piece, *, escapes: bool) -> Template | str:
        key = (piece.text, escapes)
        if key not in self._compiled:
            try:
                self._compiled[key] = _compiled(self._environments[escapes], piece.text)
            except TemplateSyntaxError as error:
                raise _broken(template, file, piece, error) from None
        return self._compiled[key]


def _parsed(env: _Environment, text: str) -> nodes.Template:
    try:
        tree = env.parse(text)
    except RecursionError:
        raise TemplateSyntaxError("is nested too deep; write it in several steps", 1) from None
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
    if len(plain) == pieces:
        return "".join(plain)
    try:
        return env.from_string(Counted().visit(tree))
    except (RecursionError, SyntaxError, MemoryError):  # Python's own limits of nesting
        raise TemplateSyntaxError("is nested too deep; write it in several steps", 1) from None


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
