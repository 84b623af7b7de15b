"""How texts are read for the search: a note is found by whatever part of it somebody pastes."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.workspaces.notes.domain.lookups import Term, excerpt, highlighted, lookup
from dataforge.contexts.workspaces.notes.domain.search import read_text, search_fields, workspace_key
from dataforge.contexts.workspaces.notes.domain.words import MAX_WORD, fold

SPACE = UUID("01a22c90-62c6-793a-93e7-01eb1253c513")
OWNER = workspace_key(SPACE)


def keys_of(text: str) -> set[str]:
    read = read_text(text)
    return {*read.places, *read.keys}


def holds(keys: set[str], term: Term) -> bool:
    """What PostgreSQL says of a term."""
    return any(
        all(
            key in keys or (choice.prefix and key == choice.keys[-1] and any(known.startswith(key) for known in keys))
            for key in choice.keys
        )
        for choice in term.choices
    )


def finds(search: str, text: str) -> bool:
    """Whether a search finds a text."""
    keys, wanted, stream = keys_of(text), lookup(search), read_text(text).stream
    return (
        bool(wanted.terms)
        and all(holds(keys, term) for term in wanted.terms)
        and not any(holds(keys, term) for term in wanted.excluded)
        and all(phrase in stream for phrase in wanted.phrases)
        and not any(phrase in stream for phrase in wanted.excluded_phrases)
    )


PASTED = st.sampled_from(
    [
        "https://example.com/a/b?x=1#y",
        "v1.2.3-rc.1",
        "10.0.0.1:8080",
        "wi-fi",
        "don't",
        "C++",
        "c#",
        ".NET",
        "-5",
        "-0.75",
        "--verbose",
        "-rf",
        "/etc/nginx/nginx.conf",
        "C:\\Data\\Ada",
        "ada@example.com",
        "@ada",
        "#todo",
        "getUserName",
        "HTTP_PROXY",
        "E0308",
        "M\u00fcnchen",
        "Stra\u00dfe",
        "\u6771\u4eac\u90fd",
        "\ud55c\uad6d\uc5b4",
        "1,000.50",
        "2024-01-05T10:00",
        "**bold**",
        "[a](b)",
        "`code`",
        "(x)",
        "\U0001f680",
    ]
)
# Words of anything: what begins with a minus may mean "without", and quotation marks an exact row of words.
ANYTHING = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters='\0"\u201c\u201d\u201e\u00ab\u00bb')
).map(lambda text: " ".join(word for word in text.split() if not word.startswith("-")))


@given(st.lists(st.one_of(PASTED, ANYTHING), min_size=1, max_size=6), st.data())
def test_a_text_is_found_by_its_words_in_any_part_and_case(parts: list[str], data: st.DataObject) -> None:
    words = " ".join(parts).split()
    first = data.draw(st.integers(0, len(words)))
    last = data.draw(st.integers(first, len(words)))
    search = " ".join(words[first:last])

    assert finds(search, "\n".join(words)) or not lookup(search).terms


@given(st.lists(PASTED, min_size=1, max_size=4))
def test_a_text_is_found_by_its_words_in_another_case(parts: list[str]) -> None:
    text = " ".join(parts)

    for search in (text.lower(), text.upper()):
        assert [term for term in lookup(f"{search} ").terms if not holds(keys_of(text), term)] == []


@given(st.lists(st.one_of(PASTED, ANYTHING), max_size=6).map(" ".join))
def test_words_in_quotation_marks_are_found_where_they_stand_in_a_row(text: str) -> None:
    assert finds(f'"{text}"', f"before {text} after") or not lookup(f'"{text}"').terms


@given(st.text())
def test_any_search_can_be_read(search: str) -> None:
    wanted = lookup(search)

    query = wanted.tsquery(SPACE)
    assert query.count("'") % 2 == 0
    assert all(len(key) <= 4 * MAX_WORD for term in wanted.terms for choice in term.choices for key in choice.keys)


@given(st.text())
def test_any_text_can_be_read_and_stays_within_what_postgresql_takes(text: str) -> None:
    fields = search_fields(SPACE, "a/b.md", text[:50], read_text(text))

    assert fields.words.count("'") % 2 == 0
    assert "\0" not in fold(text.replace("\0", ""))


def test_the_words_of_a_text_of_different_words_stay_below_a_mebibyte() -> None:
    fields = search_fields(SPACE, "a.md", "a", read_text(" ".join(f"word{number:x}-x" for number in range(80_000))))

    assert len(fields.words.encode()) < 1024 * 1024
    assert fields.words.count(OWNER) > 20_000


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("https://example.com/a", {"https", "example", "com", "a", "https·example", "example·com", "com·a"}),
        ("v1.2", {"v", "1", "2", "v·1", "1·2", "v1"}),
        ("C++", {"c", "c++"}),
        ("-5", {"5", "-5"}),
        ("3-5", {"3", "5", "3·5", "35"}),
        (".NET", {"net", ".net"}),
        ("getUser", {"get", "user", "get·user", "getuser"}),
        ("M\u00fcller", {"muller", "mueller"}),
        ("\u6771\u4eac\u90fd", {"\u6771\u4eac", "\u4eac\u90fd", "\u90fd"}),
        ("#todo", {"todo", "#todo"}),
        ("&& || ->", set()),
    ],
)
def test_what_a_piece_is_found_by(text: str, keys: set[str]) -> None:
    assert keys_of(text) == keys


@pytest.mark.parametrize(
    ("search", "text", "found"),
    [
        ("draft", "a draft", True),
        ("-draft a", "a draft", False),
        ("-draft a", "a note", True),
        ("-draft", "a note", False),
        ('-"a draft" note', "a draft note", False),
        ('-"a draft" note', "draft a note", True),
        ("-5", "it was -5", True),
        ("-5", "it was 5", False),
        ("-.5", "x=-.5", True),
        ("-rf", "rm -rf /", True),
        ("--all", "do --all", True),
        ("--all", "do all", False),
        ("dep", "deployment", True),
        ("de", "deployment", False),
        ("deplo ", "deployment", False),
        ("deplo x", "deployment x", False),
        ('"deplo"', "deployment", False),
        ("20", "2024", False),
        ("1.2", "1.2.3", True),
        ("1.2", "1.20", False),
        ("v1.2", "1.2.3", True),
        ("2.3", "1.2.3", True),
        ("abc1234", "abc1234def5678abc", True),
        ("https://a.example/x", "http://a.example/x", True),
        ("https://www.a.example", "a.example", True),
        ("\u201cexact words\u201d", "some exact words", True),
        ("\u201cexact words\u201d", "words, exact", False),
        ('5" disk', "a 5 inch disk", True),
    ],
)
def test_what_a_search_finds(search: str, text: str, found: bool) -> None:
    assert finds(search, text) is found


@pytest.mark.parametrize(
    ("one", "another"),
    [("\u00c9COLE", "e\u0301cole"), ("\ufb01n", "FIN"), ("\u1e9e", "ss"), ("\u00d8re", "ore"), ("\uff21", "a")],
)
def test_spellings_of_one_word_are_folded(one: str, another: str) -> None:
    assert fold(one) == fold(another)


@given(st.text(), st.lists(st.one_of(PASTED, st.text(min_size=1, max_size=5)), max_size=3).map(" ".join))
def test_an_excerpt_is_a_part_of_the_text_with_places_in_order(text: str, search: str) -> None:
    shown = excerpt(text, lookup(search))

    assert shown.text in text
    assert len(shown.text) <= 221
    ends = [place for pair in shown.highlights for place in pair]
    assert ends == sorted(ends)
    assert all(0 <= place <= len(shown.text) for place in ends)


def test_an_excerpt_is_where_most_of_the_words_are() -> None:
    shown = excerpt("one here\n\nand two there\nboth one and two\n", lookup("one two"))

    assert shown.text == "both one and two"
    assert [shown.text[begin:end] for begin, end in shown.highlights] == ["one", "two"]


def test_words_that_touch_are_shown_as_one() -> None:
    assert highlighted("callGetUser()", lookup("getUser")).highlights == ((4, 11),)
    assert highlighted("\u6771\u4eac\u90fd\u306b", lookup("\u6771\u4eac\u90fd")).highlights == ((0, 3),)


def test_a_text_of_one_line_is_searched_in_parts() -> None:
    shown = excerpt("word " * 20_000 + "needle " + "word " * 20, lookup("needle"))

    assert "needle" in shown.text
