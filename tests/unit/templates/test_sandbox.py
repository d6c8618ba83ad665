"""What a short template cannot make: results of gigabytes, numbers of thousands of digits."""

import pytest

from crmsdk.errors import TemplateError
from crmsdk.model.message import MessageKind
from crmsdk.templates.engine import JinjaTemplateEngine


def written(text: str) -> str:
    engine = JinjaTemplateEngine({"t": {"sms.en": f"{text}\n"}})
    content = engine.render(
        "t", "sms", locale="en", values={"name": "Ann", "n": 3}, kind=MessageKind.PROMO
    ).content
    return "".join(content.parts().values()).strip()


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 10**10 }}",
        "{{ 10**10 * name }}",
        "{{ ([1] * 10**10) | length }}",
        "{{ ('x' | safe) * 10**10 }}",
        "{{ 10 ** (10 ** 8) }}",
        "{{ 10 ** 5000 }}",
        "{{ '%9999999999d' % 1 }}",
        "{{ '%9999999999d' | format(1) }}",
        "{{ '{:>9999999999}'.format(1) }}",
        "{{ name.center(10**10) }}",
        "{{ name.ljust(10**10) }}",
        "{{ name.zfill(10**10) }}",
        "{{ name | center(10**10) }}",
        "{{ name | indent(10**10, true) }}",
        "{{ name | indent(width=10**10, first=true) }}",
        "{{ [1] | batch(10**10, 1) | list | length }}",
        "{{ [1] | slice(10**10) | list | length }}",
        "{{ 'abc' | wordwrap(10**10) }}",
        "{% set a = range(1000) | join('x') %}{% set b = a | replace('x', a) %}{{ b | replace('x', b) }}",
    ],
)
def test_a_short_template_cannot_make_something_vast(text: str) -> None:
    with pytest.raises(TemplateError):
        written(text)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{ 'ab' * 3 }}", "ababab"),
        ("{{ n * 2 }} {{ n ** 2 }} {{ n % 2 }} {{ n * 1.5 }}", "6 9 1 4.5"),
        ("{{ name | replace('n', 'm') }}", "Amm"),
        ("{{ name | replace('n', 'm', 1) }}", "Amn"),
        ("{{ name | truncate(2, true, '…', 0) }}", "A…"),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        ("{{ [1, 2, 3] | batch(2) | list | length }}", "2"),
        ("{{ name.upper() }} {{ name ~ n }} {{ [1, 2] | join('-') }}", "ANN Ann3 1-2"),
    ],
)
def test_what_a_message_needs_is_still_there(text: str, result: str) -> None:
    assert written(text) == result
