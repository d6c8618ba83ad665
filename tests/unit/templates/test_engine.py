from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import TemplateError
from crmsdk.model.content import Button, ChatContent, EmailContent, Markup, digest
from crmsdk.model.message import MessageKind
from crmsdk.model.money import Money
from crmsdk.model.rendering import Rendered
from crmsdk.model.values import EMPTY, Value
from crmsdk.templates.engine import JinjaTemplateEngine
from crmsdk.templates.kinds import ContentKind, Filled

EMAIL = """subject: You left {{ items | length }} things
preheader: Soon & gone
unsubscribe: {{ unsubscribe_url }}
x-campaign: {{ campaign | default('none') }}
---
<p>Hello {{ name }}!</p>
"""
VALUES: dict[str, Value] = {
    "name": "<Ann>",
    "items": ("tea", "pot"),
    "unsubscribe_url": "https://u.example/1",
    "zone": "Asia/Tokyo",
    "at": datetime(2026, 3, 28, 20, tzinfo=UTC),
    "total": Money(123450, "RUB"),
    "day": date(2026, 3, 29),
    "order": {"items": ("tea", "pot"), "city": None},
}


def engine(default_locale: str = "en", **files: str) -> JinjaTemplateEngine:
    """Make an engine with the template ``cart``; ``email_en`` stands for ``email.en``."""
    named = {name.replace("_", ".", 1): text for name, text in files.items()}
    return JinjaTemplateEngine({"cart": named}, default_locale=default_locale)


def render(
    made: JinjaTemplateEngine,
    channel: str = "email",
    *,
    locale: str | None = "en",
    kind: MessageKind = MessageKind.PROMO,
    more: Mapping[str, Value] = EMPTY,
) -> Rendered:
    return made.render("cart", channel, locale=locale, values={**VALUES, **more}, kind=kind)


def text_of(source: str, *, locale: str = "en", **more: Value) -> str:
    content = render(
        engine(sms_en=source, sms_ru=source, sms_de=source), "sms", locale=locale, more=more
    ).content
    assert isinstance(content, ChatContent)
    return content.text


def test_an_email_has_subject_page_text_link_and_own_headers() -> None:
    found = render(engine(email_en=EMAIL))
    content = found.content
    assert isinstance(content, EmailContent)
    assert content.subject == "You left 2 things"
    assert content.html is not None
    assert content.html.endswith("<p>Hello &lt;Ann&gt;!</p>")
    assert "Soon &amp; gone" in content.html
    assert content.text == "Hello <Ann>!"
    assert content.unsubscribe_url == "https://u.example/1"
    assert content.headers == (("x-campaign", "none"),)
    assert found.warnings == ()
    assert found.content_hash == digest(content) == render(engine(email_en=EMAIL)).content_hash


def test_the_content_hash_follows_the_text() -> None:
    assert (
        render(engine(email_en=EMAIL)).content_hash
        != render(engine(email_en=EMAIL), more={"name": "Bob"}).content_hash
    )


def test_a_text_part_is_not_escaped_and_replaces_the_derived_one() -> None:
    content = render(engine(email_en=EMAIL + "--- text\nHi {{ name }}\n")).content
    assert isinstance(content, EmailContent)
    assert content.text == "Hi <Ann>"


def test_an_email_may_be_text_alone() -> None:
    content = render(engine(email_en="subject: s\n--- text\nHi {{ name }}")).content
    assert isinstance(content, EmailContent)
    assert (content.html, content.text) == (None, "Hi <Ann>")


def test_a_preheader_stands_first_in_the_body_of_a_whole_page() -> None:
    source = 'subject: s\npreheader: p\n---\n<html><body class="x"><h1>a</h1></body></html>'
    content = render(engine(email_en=source)).content
    assert isinstance(content, EmailContent)
    assert content.html is not None
    assert content.html.startswith('<html><body class="x"><div style="display:none')


def test_a_chat_message_has_buttons_markup_and_silence() -> None:
    source = (
        "markup: html\nsilent: yes\nbutton: Buy | https://s.example/?q={{ name }}\n---\n<b>{{ name }}</b>"
    )
    content = render(engine(telegram_en=source), "telegram").content
    assert content == ChatContent(
        text="<b>&lt;Ann&gt;</b>",
        markup=Markup.HTML,
        buttons=[[Button("Buy", "https://s.example/?q=<Ann>")]],
        silent=True,
    )


def test_plain_chat_text_is_not_escaped() -> None:
    assert text_of("Hi {{ name }}") == "Hi <Ann>"


def test_a_body_with_dashes_begins_with_a_fence() -> None:
    assert text_of("---\none\n---\ntwo") == "one\n---\ntwo"


# ------------------------------------------------------------------------------------------- locales


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("ru", "ru"),
        ("ru-RU", "ru"),
        ("RU_ru", "ru"),
        ("pt-BR", "pt-BR"),
        ("pt", "en"),
        ("de", "en"),
        (None, "en"),
    ],
)
def test_a_locale_falls_back_to_its_language_then_to_the_default(asked: str | None, found: str) -> None:
    made = engine(sms_en="e", sms_ru="r", sms_pt_br="p")
    assert render(made, "sms", locale=asked).locale == found


def test_an_untranslated_locale_is_warned_of() -> None:
    made = engine(sms_en="e", sms_ru="r")
    assert render(made, "sms", locale="de").warnings == ("there is no sms text in 'de'; 'en' stands in",)
    assert render(made, "sms", locale="en-GB").warnings == ()
    assert render(made, "sms", locale=None).warnings == ()


def test_no_file_for_a_locale_names_what_there_is() -> None:
    with pytest.raises(TemplateError, match="has no sms text in 'de' nor in the default 'fr'; it has ru"):
        render(engine("fr", sms_ru="r"), "sms", locale="de")


def test_no_file_for_a_channel_names_what_there_is() -> None:
    with pytest.raises(TemplateError, match="has no sms text; it has email"):
        render(engine(email_en=EMAIL), "sms")


def test_an_unknown_template_names_the_known() -> None:
    with pytest.raises(TemplateError, match="there are cart") as caught:
        engine(sms_en="x").render("card", "sms", locale="en", values={}, kind=MessageKind.PROMO)
    assert caught.value.template == "card"


def test_two_files_for_one_place_are_refused() -> None:
    with pytest.raises(TemplateError, match="for one channel and locale"):
        JinjaTemplateEngine({"cart": {"sms.pt-BR": "x", "sms.pt_br": "y"}})


# ------------------------------------------------------------------------------- values and their forms


@pytest.mark.parametrize(
    ("locale", "source", "expected"),
    [
        ("en", "{{ total | money }}", "₽1,234.50"),
        ("ru", "{{ total | money }}", "1\N{NO-BREAK SPACE}234,50\N{NO-BREAK SPACE}₽"),
        ("en", "{{ day | date }}", "29 March 2026"),
        ("ru", "{{ day | date }}", "29 марта 2026"),
        ("de", "{{ day | date }}", "2026-03-29"),
        ("en", "{{ at | date }} {{ at | time }}", "29 March 2026 05:00"),
        ("en", "{{ at | date('Europe/London') }} {{ at | time('Europe/London') }}", "28 March 2026 20:00"),
        ("ru", "{{ locale }}", "ru"),
    ],
)
def test_money_and_dates_are_written_for_the_reader(locale: str, source: str, expected: str) -> None:
    assert expected in text_of(source, locale=locale)


@pytest.mark.parametrize(
    ("money", "locale", "expected"),
    [
        (Money(9000, "GBP"), "en-GB", "£90.00"),
        (Money(-1, "USD"), "en", "−$0.01"),
        (Money(1234, "JPY"), "en", "1,234\N{NO-BREAK SPACE}JPY"),
        (Money(1234, "KWD"), "en", "1.234\N{NO-BREAK SPACE}KWD"),
        (Money(9000, "RUB"), "ru", "90\N{NO-BREAK SPACE}₽"),
    ],
)
def test_money_knows_its_minor_units(money: Money, locale: str, expected: str) -> None:
    assert text_of("{{ m | money }}", locale="ru" if locale == "ru" else "en", m=money) == expected


def test_the_keys_of_a_mapping_win_over_its_methods() -> None:
    assert text_of("{% for item in order.items %}{{ item }},{% endfor %}") == "tea,pot,"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x\n{{ nobody }}", "sms.en line 2: 'nobody' is undefined"),
        ("{{ order.city }}", "line 1: .* has no attribute 'city'"),
        ("{{ order['x'] }}", "an entry in"),
        ("{{ total }}", "shows money as it is"),
        ("{{ day }}", "shows a date"),
        ("{{ items }}", "shows a list"),
        ("{{ order }}", "shows a list or mapping"),
        ("{{ 1 == 1 }}", "shows yes or no"),
        ("{{ none }}", "missing"),
        ("{{ name | money }}", "writes str as money"),
        ("{{ nobody | money }}", "'nobody' is undefined"),
        ("{{ order.total | money }}", "has no attribute 'total'"),
        ("{{ nobody | date }}", "'nobody' is undefined"),
        ("{{ nobody | time }}", "'nobody' is undefined"),
        ("{{ name | date }}", "writes str as a date"),
        ("{{ day | time }}", "writes date as a time"),
        ("{{ at | date('Mars/North') }}", "unknown time zone"),
        ("{{ name.__class__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "fails with ZeroDivisionError"),
        ("{% if %}", "is broken"),
        ("{{ name | nosuch }}", "is broken"),
        ("{% include 'email.en' %}", "cannot take in another"),
        ("{% extends '/etc/passwd' %}", "cannot take in another"),
        ("{% import 'x' as y %}", "cannot take in another"),
        ("{{ range(2000) }}", "counts over"),
        (
            "{% for i in range(1000) %}{% for j in range(1000) %}ab{% endfor %}{% endfor %}",
            "takes over 100000 steps",
        ),
        ("{% for i in range(1000) %}" + "ab" * 999 + "{% endfor %}", "shorten it"),
        ("   ", "is blank"),
        ("subject: x\n---\ny", "unknown header 'subject'"),
        ("silnt: yes\n---\ny", "did you mean 'silent'"),
        ("hello\n---\ny", "is no header"),
        ("silent:\n---\ny", "empty header"),
        ("silent: yes\nsilent: no\n---\ny", "sms.en has the header 'silent' twice; keep one"),
        ("\ud800", "sms.en holds half a surrogate pair"),
        ("{{ '\\ud800' }}", "holds half a surrogate pair"),
        ("{{ " + "(" * 50_000, "is nested too deep"),
        ("{{ " + "not " * 2_000 + "1 }}", "is nested too deep"),
        ("{% for i in [1] %}" * 30 + "{% endfor %}" * 30, "is nested too deep"),
        ("{{ items | random }}", "is broken"),
        ("silent: maybe\n---\ny", "write 'yes' or 'no'"),
        ("markup: markdown\n---\ny", "write 'plain' or 'html'"),
        ("button: Buy\n---\ny", "is no button"),
        ("---\ny\n--- text\nz", "one body"),
        ("x" * (256 * 1024 + 1), "shorten it"),
    ],
)
def test_a_bad_file_is_an_error_that_names_the_mend(source: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        text_of(source)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(TemplateError, match="without a zone"):
        text_of("{{ at | date }}", zone=None)


def test_an_email_needs_a_subject_of_one_line() -> None:
    with pytest.raises(TemplateError, match=r"'subject'.*is missing"):
        render(engine(email_en="<p>x</p>"))
    with pytest.raises(TemplateError, match="one line of text"):
        render(engine(email_en="subject: {{ name }}\n---\nx"), more={"name": "a\nbcc: b"})


@pytest.mark.parametrize(
    "source", ["{{ v + 1 }}", "{{ order[v] }}", "{{ v | int // 0 }}", "{{ v() }}", "{{ v.x }}"]
)
def test_no_error_shows_a_value(source: str) -> None:
    with pytest.raises(TemplateError) as caught:
        text_of(source, v="ann@example.org")
    assert "ann" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text(max_size=50))
def test_a_value_never_opens_a_tag(text: str) -> None:
    content = render(
        engine(email_en='subject: s\n---\n<p title="{{ name }}">{{ name }}</p>'), more={"name": text}
    ).content
    assert isinstance(content, EmailContent)
    assert content.html is not None
    assert content.html.count("<") == 2
    assert content.html.count('"') == 2


# ------------------------------------------------------------------------------------------ variables


def test_variables_are_named_for_each_file_without_those_with_a_fallback() -> None:
    made = engine(
        email_en=EMAIL,
        sms_ru="{% if vip is defined %}{{ vip }}{% endif %}{{ a.b }} {{ locale }} {{ x | default('') }}",
        telegram_en="markup: html\n---\n{% for i in items %}{{ i }}{% endfor %}{{ y | d(z) }}{{ y }}",
    )
    assert made.variables("cart") == {
        "email.en": frozenset({"items", "unsubscribe_url", "name"}),
        "sms.ru": frozenset({"a"}),
        "telegram.en": frozenset({"items", "y", "z"}),
    }


@pytest.mark.parametrize("source", ["{% if %}", "{% include 'x' %}", "bad\n---\nx"])
def test_a_broken_file_shows_when_its_variables_are_asked_for(source: str) -> None:
    with pytest.raises(TemplateError):
        engine(sms_en=source).variables("cart")


def test_a_name_that_variables_leaves_out_is_not_needed() -> None:
    made = engine(sms_en="{{ a | default('x') }}{% if b is defined %}{{ b }}{% endif %}")
    assert made.variables("cart") == {"sms.en": frozenset()}
    assert made.render("cart", "sms", locale="en", values={}, kind=MessageKind.PROMO).content.length == 1


# ------------------------------------------------------------------------------------------- warnings


@pytest.mark.parametrize(
    ("source", "warning"),
    [
        ("subject: s\npreheader: p\n---\nx", "must have an unsubscribe link"),
        ("subject: s\nunsubscribe: https://u.example\n---\nx", "no preheader"),
        ("subject: {{ 'long' * 20 }}\npreheader: p\nunsubscribe: https://u.example\n---\nx", "80 characters"),
        ("subject: {{ '' }}\npreheader: p\nunsubscribe: https://u.example\n---\nx", "subject is empty"),
        (f"subject: s\npreheader: p\nunsubscribe: https://u.example\n---\n{'x' * 110_000}", "cut it off"),
    ],
)
def test_an_email_is_warned_of(source: str, warning: str) -> None:
    (found,) = render(engine(email_en=source)).warnings
    assert warning in found


def test_a_service_email_needs_neither_preheader_nor_link() -> None:
    assert render(engine(email_en="subject: s\n---\nx"), kind=MessageKind.SERVICE).warnings == ()


@pytest.mark.parametrize(
    ("channel", "text", "warning"),
    [
        ("telegram", "x" * 4096, None),
        ("telegram", "x" * 4097, "takes 4096"),
        ("sms", "x" * 160, None),
        ("sms", "x" * 161, "2 SMS"),
        ("sms", "я" * 70, None),
        ("sms", "я" * 71, "2 SMS"),
        ("sms", "€" * 80, None),
        ("sms", "€" * 81, "2 SMS"),
        ("sms", "x" * 460, "4 SMS"),
    ],
)
def test_the_length_of_a_chat_message_is_warned_of(channel: str, text: str, warning: str | None) -> None:
    found = render(engine(**{f"{channel}_en": text}), channel).warnings
    assert (warning is None and found == ()) or (warning is not None and warning in found[0])


# -------------------------------------------------------------------------------------------- folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cart").mkdir()
    (tmp_path / "cart" / "email.en").write_bytes(b"\xef\xbb\xbf" + EMAIL.replace("\n", "\r\n").encode())
    (tmp_path / "cart" / ".hidden").write_text("x")
    (tmp_path / "README").write_text("x")
    return tmp_path


def test_a_folder_gives_what_memory_gives(folder: Path) -> None:
    made = JinjaTemplateEngine.from_folder(folder)
    assert made.names() == ("cart",)
    assert render(made) == render(engine(email_en=EMAIL))


def test_a_folder_is_read_once(folder: Path) -> None:
    made = JinjaTemplateEngine.from_folder(str(folder))
    (folder / "cart" / "email.en").write_text("subject: other\n---\nx")
    assert render(made) == render(engine(email_en=EMAIL))


@pytest.mark.parametrize("name", ["../cart", "cart/../cart", "", "/etc/passwd", "cart/email.en", "."])
def test_a_name_never_leads_out_of_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(TemplateError, match="no such template"):
        JinjaTemplateEngine.from_folder(folder).render(
            name, "email", locale="en", values=VALUES, kind=MessageKind.PROMO
        )


@pytest.mark.parametrize("locale", ["../../x", "en/../ru", "en\x00"])
def test_a_locale_never_leads_out_of_the_folder(folder: Path, locale: str) -> None:
    assert render(JinjaTemplateEngine.from_folder(folder), locale=locale).locale == "en"


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("else") / "secret"
    secret.write_text("secret")
    (folder / "cart" / "sms.en").symlink_to(secret)
    with pytest.raises(TemplateError, match="leads out of the folder"):
        JinjaTemplateEngine.from_folder(folder)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("email.en.html", b"x", "name it <channel>.<locale>"),
        ("email", b"x", "name it <channel>.<locale>"),
        ("sms.en", b"\xff\xfe", "not UTF-8"),
        ("sms.en", b"x" * (4 * 256 * 1024 + 1), "shorten it"),
    ],
)
def test_a_file_that_is_no_template_is_refused(folder: Path, file: str, content: bytes, message: str) -> None:
    (folder / "cart" / file).write_bytes(content)
    with pytest.raises(TemplateError, match=message):
        JinjaTemplateEngine.from_folder(folder)


def test_folders_do_not_nest(folder: Path) -> None:
    (folder / "cart" / "sms.en").mkdir()
    with pytest.raises(TemplateError, match="do not nest"):
        JinjaTemplateEngine.from_folder(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no such folder"):
        JinjaTemplateEngine.from_folder(tmp_path / "templates")


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(TemplateError, match="no template name"):
        JinjaTemplateEngine({"a/b": {}})


def test_another_channel_brings_its_own_kind_of_content() -> None:
    def loud(filled: Filled) -> ChatContent:
        return ChatContent(text=f"{filled.header('title')}: {filled.body}".upper())

    kinds = {"push": ContentKind(headers=frozenset({"title"}), build=loud)}
    made = JinjaTemplateEngine({"cart": {"push.en": "title: hey\n---\n{{ name }}"}}, kinds=kinds)
    content = render(made, "push").content
    assert content == ChatContent(text="HEY: <ANN>")
