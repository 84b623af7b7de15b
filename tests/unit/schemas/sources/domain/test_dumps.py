"""What is for psql in a dump becomes spaces, so that every place stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.sources.domain.dumps import without_psql
from dataforge.contexts.schemas.sources.domain.source import Source


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\\restrict x\nSELECT 1;", "           \nSELECT 1;"),
        ("COPY a FROM stdin;\n1\t\\N\nit's; \\x\n\\.\nSELECT 1;", "COPY a FROM stdin;\n    \n        \n  \nSELECT 1;"),
        ("COPY a (b) FROM STDIN WITH (FORMAT csv);\n1\n\\.\n", "COPY a (b) FROM STDIN WITH (FORMAT csv);\n \n  \n"),
        ("COPY a FROM stdin;\n1", "COPY a FROM stdin;\n1"),
        ("SELECT '\n\\restrict x';", "SELECT '\n\\restrict x';"),
        ("SELECT $x$\n\\restrict x\n$x$;", "SELECT $x$\n\\restrict x\n$x$;"),
        ("SELECT E'it\\'s\n\\restrict';", "SELECT E'it\\'s\n\\restrict';"),
        ("/* a /* b */\n\\restrict x */", "/* a /* b */\n\\restrict x */"),
        ('SELECT "\n\\connect x";', 'SELECT "\n\\connect x";'),
        ("-- it's\n\\connect x\n", "-- it's\n          \n"),
    ],
)
def test_commands_and_rows_are_blanked_and_texts_are_not(text: str, left: str) -> None:
    source = Source(text, "sql")

    assert without_psql(source).decode() == (left if "\\" in text else text)
    assert source.problems == []


@pytest.mark.parametrize("text", ["\\! ls", "SELECT 1;\n\\i x.sql", "\\copy a from 'b'", "\\", "\\gexec"])
def test_commands_that_would_do_something_are_refused(text: str) -> None:
    source = Source(text, "sql")

    without_psql(source)

    assert [item.rule for item in source.problems] == ["psql"]


@given(st.text(alphabet="\\'\"$;-/*copyfrmstdin.E \n\tü", max_size=120))
def test_nothing_moves(text: str) -> None:
    source = Source(text, "sql")

    left = without_psql(source)

    assert len(left) == len(source.data)
    assert left.count(b"\n") == source.data.count(b"\n")
