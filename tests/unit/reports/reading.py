"""Read pictures back in tests."""

from xml.etree import ElementTree as ET

HOSTILE = (
    "<script>alert('1')</script>",
    '"><img src=x onerror=alert(1)>',
    "</svg></script><!-- ]]>",
    "Напоминание о брошенной корзине для покупателей из Щёлково",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "👨\u200d👩\u200d👧 🇩🇪 e\u0301 字字字",
    "a\x00b & c; {}",
    "",
)


def parse(picture: str) -> ET.Element:
    """Read a picture, which is refused unless it is well-formed XML."""
    return ET.fromstring(picture)  # noqa: S314 - our own output, not a stranger's


def find(root: ET.Element, tag: str, style: str = "") -> list[ET.Element]:
    """Find elements by tag and by one of their style classes."""
    found = root.iter("{http://www.w3.org/2000/svg}" + tag)
    return [node for node in found if not style or style in node.get("class", "").split()]


def tips(root: ET.Element) -> list[str]:
    """List the tooltips in order, without the picture's own title."""
    return [node.text or "" for node in find(root, "title")][1:]


def number(node: ET.Element, name: str) -> float:
    """Read a numeric attribute."""
    return float(node.get(name, "nan"))
