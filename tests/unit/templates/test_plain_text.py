import pytest

from crmsdk.templates.plain_text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<p>a <b>bold</b>\n  and more</p>", "a bold and more"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul>\n <li>one</li>\n <li>two</li>\n</ul>after", "- one\n- two\n\nafter"),
        ('<a href="https://x.example">Buy</a> now', "Buy (https://x.example) now"),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example"),
        ('<a href="https://x.example"><img alt=""></a>', "https://x.example"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        ('<a href="#top">top</a><a>none</a>', "topnone"),
        ('<img src="x" alt="A cup">', "A cup"),
        ("<head><title>t</title></head><style>p{}</style><script>x()</script>body", "body"),
        ("&lt;b&gt; &amp; caf&eacute;", "<b> & café"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("</p></a></div>x", "x"),
        ("", ""),
    ],
)
def test_html_becomes_readable_text(html: str, text: str) -> None:
    assert plain_text(html) == text
