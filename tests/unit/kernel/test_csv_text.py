"""The one reader of small CSV files: every file that a spreadsheet writes, and where it says no."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.kernel.csv_text import LONGEST_LINE, NotCsv, read_csv
from dataforge.kernel.text import composed

CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\ufeff"), max_size=12)


def read(body: bytes) -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    table = read_csv(io.BytesIO(body))
    return table.header, list(table.records)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_line_ends_marks_and_delimiters(end: str, mark: bytes, delimiter: str) -> None:
    body = end.join(delimiter.join(cells) for cells in (("a ", "b"), ("1", "é"), ("", " "), ("2", ""))).encode()

    assert read(mark + body) == (("a", "b"), [(2, ["1", "é"]), (4, ["2", ""])])


@pytest.mark.parametrize("first", ["sep=;\r\n", "SEP=;\n", '"sep=;"\n', "sep=;;;\r\n"])
def test_a_line_that_names_the_delimiter_is_none_of_the_table(first: str) -> None:
    assert read(f"{first}a,b;c\n1;2\n".encode()) == (("a,b", "c"), [(3, ["1", "2"])])


@pytest.mark.parametrize(
    ("body", "header", "line"),
    [
        (b"\r\n \r\na;b\r\n1;2\r\n", ("a", "b"), 4),
        (b"\n\nsep=;\na,b;c\n1;2\n", ("a,b", "c"), 5),
        (b'"Surname, name, title";b\n1;2\n', ("Surname, name, title", "b"), 2),
        (b'"two\nlines";b\n1;2\n', ("two\nlines", "b"), 3),
        (b'"a ""b, c, d""";b\n1;2\n', ('a "b, c, d"', "b"), 2),
        (b'5" disks;b\n1;2\n', ('5" disks', "b"), 2),
    ],
)
def test_the_delimiter_stands_outside_of_quotes_in_the_first_line_with_text(
    body: bytes, header: tuple[str, ...], line: int
) -> None:
    assert read(body) == (header, [(line, ["1", "2"])])


def test_a_record_has_the_line_it_begins_at() -> None:
    assert read(b'a,b\n\n1,"x\ny"\n2,z\n')[1] == [(3, ["1", "x\ny"]), (5, ["2", "z"])]


def test_text_is_in_one_normal_form() -> None:
    assert read("a\ne\u0301\n".encode()) == (("a",), [(2, ["\u00e9"])])


@pytest.mark.parametrize("body", [b"", b"\n\n", b" , \n", b"\xef\xbb\xbf"])
def test_a_file_without_records_has_no_header(body: bytes) -> None:
    assert read(body) == ((), [])


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        (b"a,b\n1,\xff\n", 2, "is not UTF-8: line 2 has the byte 0xff. Save it as CSV UTF-8."),
        (b"a,b\r1,2\r\xe9,2\r", 3, "is not UTF-8: line 3 has the byte 0xe9. Save it as CSV UTF-8."),
        (b'a,b\n1,2\n"1,2\n', 3, "is not CSV at line 3: unexpected end of data."),
        (b'a,b\n"1"x,2\n', 2, "is not CSV at line 2: ',' expected after '\"'."),
        (b"a\n" + b"x" * LONGEST_LINE, 2, "has a line of more than 1,000,000 characters: line 2."),
        (b"a\n" + b"x" * 200_000, 2, "is not CSV at line 2: field larger than field limit (131072)."),
    ],
)
def test_what_is_no_csv_is_refused_with_its_line(body: bytes, line: int, reason: str) -> None:
    with pytest.raises(NotCsv) as refused:
        read(body)

    assert (refused.value.line, refused.value.reason) == (line, reason)


def test_the_file_stays_open() -> None:
    file = io.BytesIO(b"a\n1\n")
    list(read_csv(file).records)

    assert not file.closed


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=8))
def test_what_a_writer_writes_is_read_back(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["one", "two"], *rows])

    found = read(out.getvalue().encode())[1]

    wanted = [[composed(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    assert [cells for _, cells in found] == wanted
