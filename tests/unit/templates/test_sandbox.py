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
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 25,
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a + a %}" * 25,
        "{% set a = [0] %}" + "{% set a = a + a %}" * 25,
        "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ "
        + "twice(" * 25
        + "'xxxxxxxxxx'"
        + ")" * 25
        + " }}",
        "{% macro f(n) %}{% if n %}{% set a = f(n - 1) ~ f(n - 1) %}{% endif %}{% endmacro %}{{ f(40) }}",
        "{% set a %}{% for i in range(1000) %}{{ 'x' * 1000000 ~ i }}{% endfor %}{% endset %}",
        "{% filter upper %}{% for i in range(1000) %}{{ 'x' * 1000000 }}{% endfor %}{% endfilter %}",
        "{% set a = range(1000) | join('x' * 1000000) %}",
        "{% set a = range(1000) | map('string') | join(d='x' * 1000000) %}",
        "{% set a = (['x' * 1000000] * 1000) | select | join %}",
        "{% set a = ([['x' * 1000] * 1000] * 1000) | string %}",
        "{% set a = ([['x' * 1000] * 1000] * 1000) | tojson %}",
        "{% set a = ('x\n' * 500000) | indent(1000) %}",
        "{% set a = ('x\n' * 500000) | indent(width='x' * 1000) %}",
        "{% set a = ('x' * 100000) | wordwrap(1, true, 'y' * 100000) %}",
        "{% set a = ('x' * 100000) | wordwrap(1, wrapstring='y' * 100000) %}",
        "{% set a = ([[0] * 1000] * 1000) | sum(start=[]) %}",
        "{{ 1 | round(10 ** 9, 'ceil') }}",
        "".join("{% for i in range(1000) %}" for _ in range(4)) + "{% endfor %}" * 4,
        "{% for i in [1, 2] recursive %}{% set a = loop([1, 2]) if loop.depth < 40 %}{% endfor %}",
        "".join(f"{{% set a{n} = 'x' * 1000000 %}}" for n in range(50)),
        "".join(f"{{% set a{n} = ('x' * 1000000).upper() %}}" for n in range(50)),
        "{% set a = 'x' * 1000000 %}" + "".join(f"{{% set a{n} = a[1:] %}}" for n in range(50)),
    ],
)
def test_a_short_template_cannot_make_something_vast(text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        written(f"{text} ok")
    assert not any(word in str(caught.value) for word in ("blank", "MemoryError"))


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
        (
            "{{ name ~ '<' ~ n }} {{ name + '!' }} {{ ([1] + [2]) | length }} {{ n + 1.5 }}",
            "Ann<3 Ann! 2 4.5",
        ),
        (
            "{% for i in [1, 2] if i > 1 %}{{ loop.index }}/{{ loop.length }},{% endfor %}",
            "1/1,",
        ),
        ("{% for i in [] %}{{ i }}{% else %}none{% endfor %}", "none"),
        ("{% for i in [1] recursive %}{{ i }}{{ loop([]) if loop.depth < 2 }}{% endfor %}", "1"),
        ("{% for key, value in {'a': 1}.items() %}{{ key }}{{ value }}{% endfor %}", "a1"),
        ("{% macro b(x) %}[{{ x }}{{ caller() }}]{% endmacro %}{% call b(1) %}!{% endcall %}", "[1!]"),
        ("{% set a %}<{{ name }}>{% endset %}{{ a | upper }}", "<ANN>"),
        (
            "{{ [1, 2] | sum }} {{ ['b', 'a'] | sort | join }} {{ ['x', 'y'] | map('upper') | join(', ') }}",
            "3 ab X, Y",
        ),
    ],
)
def test_what_a_message_needs_is_still_there(text: str, result: str) -> None:
    assert written(text) == result


def test_what_is_tied_together_is_escaped_as_ever() -> None:
    engine = JinjaTemplateEngine(
        {"t": {"email.en": "subject: s\n---\n{{ '<b>' | safe ~ name }}{{ name ~ 1 }}"}}
    )
    content = engine.render(
        "t", "email", locale="en", values={"name": "<i>"}, kind=MessageKind.SERVICE
    ).content
    assert content.parts()["html"] == "<b>&lt;i&gt;&lt;i&gt;1"


def test_each_piece_may_do_as_much_as_any_other() -> None:
    once = "{% for i in range(1000) %}{% for j in range(80) %}{% endfor %}{% endfor %}"
    assert written(once + "ok") == "ok"
    assert written(once + "ok") == "ok"
    with pytest.raises(TemplateError, match="takes over 100000 steps"):
        written(once + once)
