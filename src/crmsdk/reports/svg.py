"""Write small SVG pictures: typed elements, escaped text, one theme for light, dark and print.

A picture is a value: the same input gives the same characters. Ids and style rules carry the picture's
prefix, so that many pictures can stand in one page.
"""

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import NewType, TypeAlias

from attrs import frozen

from crmsdk.errors import DefinitionError

__all__ = ["FONT", "Element", "Svg", "draw", "element", "render", "theme_rules"]

Svg = NewType("Svg", str)
"""A finished picture. Its text is escaped; only this module makes one."""

Value: TypeAlias = str | float | None

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif'

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
# What XML 1.0 has no way to write, not even escaped (W3C XML 1.0, section 2.2), and halves of pairs.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_LIGHT: Mapping[str, str] = {
    "page": "#f5f6f8",
    "paper": "#ffffff",
    "panel": "#f5f6f8",
    "ink": "#1b2330",
    "soft": "#5b6675",
    "line": "#d9dee5",
    "edge": "#94a0b0",
    # Okabe and Ito's colours, "Color universal design", 2008, in an order that keeps neighbours apart.
    "c1": "#0072b2",
    "c2": "#e69f00",
    "c3": "#009e73",
    "c4": "#cc79a7",
    "c5": "#56b4e9",
    "c6": "#d55e00",
    "c7": "#8a94a3",
}
_DARK: Mapping[str, str] = {
    "page": "#0d1117",
    "paper": "#161b22",
    "panel": "#1f2630",
    "ink": "#e8ecf1",
    "soft": "#9fabba",
    "line": "#323b47",
    "edge": "#6d7a8b",
    "c1": "#3d9bd9",
    "c2": "#f0b232",
    "c3": "#2bbd93",
    "c4": "#dc93bb",
    "c5": "#86ccf3",
    "c6": "#f07b32",
    "c7": "#808b9a",
}


@frozen
class Element:
    """One SVG element: its tag, its attributes in order, its children (elements and text)."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple["Element | str", ...] = ()


def element(tag: str, *children: Element | str, **attributes: Value) -> Element:
    """Make an element.

    Args:
        tag: The SVG tag.
        *children: Elements and text; text is escaped when rendered.
        **attributes: ``stroke_width=2`` becomes ``stroke-width="2"``, ``class_`` becomes ``class``; None is
            left out.

    Returns:
        The element.

    Raises:
        DefinitionError: a tag or an attribute is no plain name.
    """
    pairs: list[tuple[str, str]] = []
    for key, value in attributes.items():
        name = key.rstrip("_").replace("_", "-")
        if not _NAME.match(name):
            raise DefinitionError(f"attribute {name!r} is no plain name; use letters, digits and hyphens")
        if value is not None:
            pairs.append((name, value if isinstance(value, str) else _write_number(value)))
    if not _NAME.match(tag):
        raise DefinitionError(f"tag {tag!r} is no plain name; use letters, digits and hyphens")
    return Element(tag, tuple(pairs), children)


def render(node: Element | str) -> str:
    """Write an element and all below it as well-formed XML."""
    return "".join(_write(node))


def draw(
    *children: Element | str,
    prefix: str,
    title: str,
    size: tuple[float, float],
    rules: str = "",
    role: str = "img",
) -> Svg:
    """Wrap elements into a picture with a background, a spoken name and its theme.

    Args:
        *children: What the picture shows.
        prefix: Id of the picture, unique in its page; starts every id inside and every style rule.
        title: What the picture shows, in one sentence.
        size: Width and height in pixels; the picture shrinks with a narrow page.
        rules: Further style rules, ``@`` standing for the picture: ``@ .bar{...}``.
        role: ``img`` for a picture that is read as a whole, ``group`` for one whose parts are read.

    Returns:
        The picture.

    Raises:
        DefinitionError: the prefix is no plain name.
    """
    if not _NAME.match(prefix):
        raise DefinitionError(
            f"prefix {prefix!r} is no plain name; start with a letter, use letters and digits"
        )
    width, height = size
    scope = f"#{prefix}"
    own = _BASE_RULES + rules
    style = theme_rules(scope) + own.replace("@", scope)
    root = element(
        "svg",
        element("title", title),
        element("style", style),
        element("rect", class_="paper", width=width, height=height, rx=10),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        id=prefix,
        role=role,
        aria_label=title,
        viewBox=f"0 0 {_write_number(width)} {_write_number(height)}",
        width=width,
        height=height,
        style="max-width:100%;height:auto",
    )
    return Svg(render(root))


def theme_rules(scope: str) -> str:
    """Give the colours as CSS variables: light, dark where the reader prefers it, light again on paper.

    Args:
        scope: The selector that owns the variables, as ``:root``.
    """
    light, dark = (
        "".join(f"--{name}:{colour};" for name, colour in colours.items()) for colours in (_LIGHT, _DARK)
    )
    return (
        f"{scope}{{{light}color-scheme:light dark}}"
        f"@media (prefers-color-scheme:dark){{{scope}{{{dark}}}}}"
        f"@media print{{{scope}{{{light}color-scheme:light}}}}"
    )


_BASE_RULES = (
    f"@{{font:12px {FONT};-webkit-print-color-adjust:exact;print-color-adjust:exact}}"
    "@ .paper{fill:var(--paper)}"
    "@ text{fill:var(--ink);font-variant-numeric:tabular-nums}"
    "@ .soft{fill:var(--soft)}"
    "@ .bold{font-weight:600}"
    "@ .end{text-anchor:end}"
    "@ .mid{text-anchor:middle}"
    "@ .grid{stroke:var(--line);stroke-width:1;fill:none}"
    "@ .axis{stroke:var(--edge);stroke-width:1;fill:none}"
    + "".join(f"@ .c{number}{{fill:var(--c{number})}}" for number in range(1, 8))
)


def _write_number(value: float) -> str:
    """Write a number with at most two decimals and without a negative zero."""
    rounded = round(value, 2)
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)


def _write(node: Element | str) -> Iterator[str]:
    """Write a node piece by piece."""
    if isinstance(node, str):
        yield escape(_UNWRITABLE.sub("\ufffd", node), quote=False)
        return
    yield f"<{node.tag}"
    for name, value in node.attributes:
        yield f' {name}="{escape(_UNWRITABLE.sub(chr(0xFFFD), value))}"'
    if not node.children:
        yield "/>"
        return
    yield ">"
    for child in node.children:
        yield from _write(child)
    yield f"</{node.tag}>"
