"""Pages in German: what templates say is found by itself and said otherwise when they are compiled."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dataforge
from dataforge.kernel.texts import Text
from dataforge.web.templates import environment
from dataforge.web.translation import messages_in, translated

TEMPLATES = sorted(Path(dataforge.__path__[0]).glob("contexts/*/*/templates/*.html"))
SHARED = sorted((Path(dataforge.__path__[0]) / "web" / "templates").glob("*.html"))


@pytest.mark.parametrize(
    ("template", "messages"),
    [
        ("<h2>Sections</h2>", ["Sections"]),
        ("<p>{{ total|number }} of {{ page.capacity }} seats</p>", ["{total} of {capacity} seats"]),
        ('<p>You have one? <a href="{{ url("/ui") }}">Sign in</a></p>', ["You have one? <a>Sign in</a>"]),
        ('<p><a href="/a">First</a> <a href="/b">Next</a></p>', ["First", "Next"]),
        ("<p>{{ n }} row{{ '' if n == 1 else 's' }}</p>", ["{n} row{s}"]),
        ('<input placeholder="Code or title" value="{{ q }}">', ["Code or title"]),
        ('<tr title="Remove {{ row.name }}"><td>–</td>', ["Remove {name}"]),
        ("{{ ui.empty('No rows', 'This table is empty.') }}", ["No rows", "This table is empty."]),
        ("{{ ui.field('Name', 'name', type='text') }}", ["Name"]),
        ("{% if state == 'open' %}Open{% endif %}", ["Open"]),
        ("{{ url('/ui/courses') }}<!-- A note --> {# Another #}", []),
        ("<code>{{ id }}</code> · {{ at|instant }}", []),
    ],
)
def test_a_template_says_these_messages(template: str, messages: list[str]) -> None:
    assert list(messages_in(template)) == messages


@pytest.mark.parametrize("path", [*TEMPLATES, *SHARED], ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_a_template_whose_messages_nobody_translates_stays_as_it_is(path: Path) -> None:
    source = path.read_text()

    assert translated(source, lambda _message: None) == source


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_a_template_is_compiled_in_german(path: Path) -> None:
    assert environment("de").get_template(f"{path.parts[-4]}/{path.name}") is not None


def test_values_and_tags_stand_where_the_translation_has_them() -> None:
    template = '<p>{{ n }} rows of <a href="{{ url("/x") }}">{{ row.name }}</a> are <b>new</b>.</p>'
    german = {"{n} rows of <a>{name}</a> are <b>new</b>.": "<b>Neu</b> in <a>{name}</a>: {n} Zeilen."}

    assert (
        translated(template, german.get)
        == '<p><b>Neu</b> in <a href="{{ url("/x") }}">{{ row.name }}</a>: {{ n }} Zeilen.</p>'
    )


@pytest.mark.parametrize("said", ["{{ 7 * 7 }}", "{% if x %}", "<script>", "<b>x</b>"])
@pytest.mark.parametrize("template", ["<p>Hello</p>", "<p>Hello {{ name }}</p>", "{{ ui.empty('Hello you') }}"])
def test_a_translation_with_code_or_markup_of_its_own_is_left_out(template: str, said: str) -> None:
    assert translated(template, lambda _message: said) == template


def test_a_text_among_the_values_is_said_in_the_language_of_the_page() -> None:
    template = environment("de").from_string("{{ text }} {{ name }}")

    assert template.render(text=Text("Not found"), name="Not found") == "Nicht gefunden Not found"


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("value|number", 12_345, "12.345"), ("value|number", Decimal("3.50"), "3,5"), ("value|number", None, "–"),
        ("value|day", date(2026, 3, 1), "1. März 2026"), ("value|bytes", 2_500, "2,5 KB"),
        ("value|bytes", 7, "7 Bytes"),
        ("value|instant", datetime(2026, 3, 1, 9, 5, tzinfo=UTC), "01.03.2026, 09:05 UTC"),
    ],
)  # fmt: skip
def test_numbers_and_dates_are_written_as_in_german(expression: str, value: object, expected: str) -> None:
    assert environment("de").from_string(f"{{{{ {expression} }}}}").render(value=value) == expected


@given(st.text(alphabet="<a>{}% \"'=/bn", max_size=40))
def test_no_template_stops_the_search(template: str) -> None:
    assert translated(template, lambda _message: None) == template
