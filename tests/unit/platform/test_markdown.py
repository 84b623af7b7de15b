"""Whatever people write as Markdown, the page that shows it gets text, structure and links to the web or mail only."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.platform.markdown import notes_linked, render_markdown

TAGS = {"p", "a", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br"} | {
    *(f"h{level}" for level in range(1, 7)),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"href", "rel", "title", "start", "class"}
PIECES = st.sampled_from(
    [
        *("<script>", "</p>", "<img src=x onerror=alert(1)>", "<!--", "<![CDATA[", "&lt;", "&#106;avascript:"),
        *("[a](", "![b](", ")", "javascript:alert(1)", "JaVa\tScript:", "data:text/html,x", "//evil.example", '"'),
        *("https://example.org", "mailto:a@b.example", "`", "\n", "\n\n", "# ", "> ", "- ", "| a |\n|:--|\n| b |", "*"),
        *("[r]: javascript:x\n", "[r]", "<javascript:alert(1)>", "\x00", "{", "\\"),
    ]
)


class Seen(HTMLParser):
    """Elements and attributes of a document."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.elements.append((f"<!--{data}", {}))


def links(html: str) -> list[str | None]:
    return [attributes["href"] for tag, attributes in Seen(html).elements if tag == "a"]


NOTES = {"kick-off": "/notes/1", "a b/c": "/notes/2"}
TEXTS = st.lists(PIECES | st.sampled_from(["[[", "]]", "|", "kick-off", "![["]) | st.text(max_size=8), max_size=14)


@given(TEXTS.map("".join))
def test_links_to_notes_bring_nothing_else_along(text: str) -> None:
    for tag, attributes in Seen(render_markdown(text, notes=NOTES.get, lower=1)).elements:
        assert tag in TAGS | {"span"}
        assert set(attributes) <= ATTRIBUTES
        if tag == "a" and "rel" not in attributes:
            assert attributes["href"] in NOTES.values()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[[kick-off]]", '<a href="/notes/1">kick-off</a>'),
        ("![[kick-off#Agenda]]", '<a href="/notes/1">kick-off#Agenda</a>'),
        ("[[ a b/c | *the* plan ]]", '<a href="/notes/2">*the* plan</a>'),
        ("[[unknown|x]]", '<span class="missing" title="There is no such note yet">x</span>'),
        ("[[<b>|<i>]]", '<span class="missing" title="There is no such note yet">&lt;i&gt;</span>'),
        ("`[[kick-off]]`", "<code>[[kick-off]]</code>"),
        ("[[]] [[ | x]] [[a\nb]] [[a", "[[]] [[ | x]] [[a\nb]] [[a"),
    ],
)
def test_links_to_notes(written: str, shown: str) -> None:
    assert render_markdown(written, notes=NOTES.get) == f"<p>{shown}</p>\n"


def test_notes_are_linked_only_for_whom_they_are_looked_up() -> None:
    assert render_markdown("[[kick-off]]") == "<p>[[kick-off]]</p>\n"
    assert notes_linked("[[b]] `[[c]]` [[a|x]] ![[b#d]]\n\n    [[e]]\n") == ["b", "a"]


def test_headings_begin_below_those_of_the_page() -> None:
    assert render_markdown("# A\n\n###### B\n", lower=2) == "<h3>A</h3>\n<h6>B</h6>\n"


@given(st.lists(PIECES | st.text(max_size=8), max_size=14).map("".join))
def test_only_plain_structure_comes_out(text: str) -> None:
    for tag, attributes in Seen(render_markdown(text)).elements:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES
        if tag == "a":
            address = str(attributes["href"]).lower()
            assert address == "" or address.startswith(("http:", "https:", "mailto:"))
            assert attributes["rel"] == "nofollow noopener noreferrer"


@pytest.mark.parametrize(
    "written",
    [
        *("[x](javascript:alert(1))", "[x](JavaScript&#58;alert(1))", "<javascript:alert(1)>", "[x](data:text/html,y)"),
        *("[x](//evil.example)", "[x](/ui/account)", "[x](vbscript:y)", "[x](file:///etc/passwd)"),
    ],
)
def test_other_links_are_text(written: str) -> None:
    assert links(render_markdown(written)) == []


@pytest.mark.parametrize("url", ["https://example.org/a?b=1", "http://example.org", "mailto:help@example.org"])
def test_links_to_the_web_and_mail_are_links(url: str) -> None:
    assert links(render_markdown(f"[x]({url})")) == [url]


def test_structure_is_rendered() -> None:
    html = render_markdown("# Title\n\n- one *two*\n\n| a |\n|---|\n| b |\n")

    assert "<h1>Title</h1>" in html
    assert "<li>one <em>two</em></li>" in html
    assert "<td>b</td>" in html


def test_deep_nesting_ends() -> None:
    html = render_markdown("> " * 5_000 + "deep")

    assert html.count("<blockquote>") <= 20
