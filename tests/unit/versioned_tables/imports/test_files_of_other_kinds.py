"""Files that hold no table: read as text they would replace a table with rubbish."""

import bz2
import io
import random
import tarfile
from pathlib import Path

import pytest

from tests.builders.tables import imported, rows_of, store
from versioned_tables.errors import EncodingRefused, ImportRefused
from versioned_tables.storage.table_store import TableStore

XML = '<?xml version="1.0"?>\n<rows>\n<row id="1"/>\n</rows>\n'


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_markup_is_no_table_in_any_encoding(tables: TableStore, encoding: str) -> None:
    text = "\ufeff" + XML if encoding == "utf-16-be" else XML

    with pytest.raises(ImportRefused, match="is an XML document, not a table"):
        imported(tables, text.encode(encoding))


def test_a_tar_archive_is_no_table(tables: TableStore) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("marks.csv")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"id\n1\n"))

    with pytest.raises(ImportRefused, match="is a tar archive, not a table"):
        imported(tables, out.getvalue())


def test_a_cell_that_looks_like_markup_is_a_value(tables: TableStore) -> None:
    found = imported(tables, 'id,markup\n1,<html>\n2,"<?xml"\n'.encode("utf-16"))

    assert [row["markup"] for row in rows_of(tables, found.tables["data"])] == ["<html>", "<?xml"]


@pytest.mark.parametrize(
    "text",
    [
        '<rows>\n<row id="1"/>\n</rows>\n',
        "<table><tr><td>1</td></tr></table>",
        '<svg xmlns="x"><g/></svg>',
        "<!-- a --><a/>",
    ],
)
def test_markup_without_a_declaration_is_no_table(tables: TableStore, text: str) -> None:
    with pytest.raises(ImportRefused, match="is an XML document, not a table"):
        imported(tables, text)


def test_names_in_angle_brackets_are_a_header(tables: TableStore) -> None:
    wide = imported(tables, "<TICKER>,<PER>,<DATE>\nA,D,20240101\n").tables["data"]
    narrow = imported(tables, "<a>\n<b>\n<c>\n").tables["data"]

    assert wide.schema.names == ["<TICKER>", "<PER>", "<DATE>"]
    assert rows_of(tables, narrow) == [{"<a>": "<b>"}, {"<a>": "<c>"}]


@pytest.mark.parametrize(
    "text",
    [
        'callback([{"a":1},{"b":2}])',
        '// a comment\n{"a":1}\n',
        '\x1e{"a":1,"b":2}\n\x1e{"a":2,"b":3}\n',
        "a: 1\nb: 2\n",
        '# {"a":1}\n{"a":2}\n',
    ],
)
def test_what_is_called_json_and_is_neither_json_nor_a_table_is_refused(tables: TableStore, text: str) -> None:
    with pytest.raises(ImportRefused, match="neither JSON, as its name says, nor a table"):
        imported(tables, text, name="a.json")


def test_other_compression_is_told(tables: TableStore) -> None:
    for level in (1, 9):
        with pytest.raises(ImportRefused, match="is a bzip2 file"):
            imported(tables, bz2.compress(b"a,b\n1,2\n", level))


def test_bytes_of_no_text_are_not_read_as_windows_1252(tables: TableStore) -> None:
    chance = random.Random(1)
    for size in (200, 2_000) * 20:
        data = bytes(chance.choice(range(1, 256)) for _ in range(size))
        with pytest.raises((ImportRefused, EncodingRefused)):
            imported(tables, data)
    with pytest.raises(EncodingRefused, match=r"Line 1 .* 3 control characters that no text has: it is binary"):
        imported(tables, b"n\xe4me\x01\x02,\x03b\nx,y\n")


def test_one_control_character_makes_no_text_binary(tables: TableStore) -> None:
    names = ["Núñez", "Lefèvre", "Århus", "Müller", "Jørgensen", "Çelik", "Garção", "Ångström", "Bjørn", "Zoë"]
    data = ("name\n" + "\n".join([*names, "a\x07b"]) + "\n").encode("cp1252")

    found = rows_of(tables, imported(tables, data).tables["data"])

    assert [row["name"] for row in found] == [*names, "a\x07b"]
