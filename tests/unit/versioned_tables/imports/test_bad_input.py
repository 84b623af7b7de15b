"""Bad files: a clear error or a reported row, never a crash, a hang, or wrong data."""

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builders.tables import column, imported, rows_of, store
from versioned_tables.errors import (
    ArchiveRefused,
    DuplicateKeys,
    EncodingRefused,
    ImportRefused,
    SchemaMismatch,
    TooManyRejectedRows,
    WorkbookRefused,
)
from versioned_tables.files.options import ImportOptions
from versioned_tables.files.sources import steps
from versioned_tables.imports.importing import import_file
from versioned_tables.storage.table_store import TableStore

TABLE = "id,name\n1,one\n2,two\n"
ROWS = [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def lines_with(first: str, broken: bytes, rows: int = 300_000) -> bytes:
    return f"id,name\n1,{first}\n".encode() + b"".join(b"%d,plain\n" % n for n in range(2, rows)) + broken


def test_a_latin_1_byte_in_a_file_that_is_otherwise_utf_8_is_named(tables: TableStore) -> None:
    data = lines_with("Zoë", b"300000,caf\xe9\n")

    with pytest.raises(EncodingRefused, match="Row 300000, column 2: byte 0xE9 at place 4 of the field is not UTF-8"):
        imported(tables, data)


@pytest.mark.slow
def test_a_latin_1_byte_far_below_an_ascii_head_tells_the_encoding_of_the_file(tables: TableStore) -> None:
    found = imported(tables, lines_with("one", b"300000,caf\xe9\n"))

    assert rows_of(tables, found.tables["data"])[-1] == {"id": 300_000, "name": "café"}
    assert found.report.encoding == "cp1252"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_wide_encodings_are_told(tables: TableStore, encoding: str) -> None:
    found = imported(tables, TABLE.encode(encoding))

    assert rows_of(tables, found.tables["data"]) == ROWS


def test_latin_1_is_guessed_from_the_head_and_can_be_declared(tables: TableStore) -> None:
    text = "id,name\n" + "".join(f"{n},Müller aus Köln, Straße\n".replace(", ", " ") for n in range(50))

    guessed = imported(tables, text.encode("cp1252"))
    declared = imported(tables, text.encode("latin-1"), ImportOptions(encoding="latin-1"))

    assert rows_of(tables, guessed.tables["data"])[0]["name"] == "Müller aus Köln Straße"
    assert guessed.tables["data"].digest == declared.tables["data"].digest


def test_a_broken_character_of_a_declared_encoding_is_named(tables: TableStore) -> None:
    with pytest.raises(EncodingRefused, match=r"Byte 4 of the file is not ascii|byte 0xE9"):
        imported(tables, b"id\n\xe9\n", ImportOptions(encoding="ascii"))


def test_an_unknown_encoding_is_refused(tables: TableStore) -> None:
    with pytest.raises(EncodingRefused, match="'klingon' is not an encoding"):
        imported(tables, TABLE, ImportOptions(encoding="klingon"))


def test_a_nul_byte_is_named(tables: TableStore) -> None:
    with pytest.raises(ImportRefused, match="Row 2, column 2: a NUL byte"):
        imported(tables, b"id,name\n1,one\n2,t\x00wo\n")


def test_lone_carriage_returns_end_records(tables: TableStore) -> None:
    assert rows_of(tables, imported(tables, TABLE.replace("\n", "\r")).tables["data"]) == ROWS


def test_ragged_rows_are_reported_with_their_number(tables: TableStore) -> None:
    found = imported(tables, "id,name\n1,one\n2\n3,three,more\n4,four\n", ImportOptions(max_rejected=5, delimiter=","))

    assert column(rows_of(tables, found.tables["data"]), "id") == [1, 4]
    assert [(row.row, row.reason, row.text) for row in found.report.tables[0].rejected] == [
        (2, "1 field instead of 2", "2"),
        (3, "3 fields instead of 2", "3,three,more"),
    ]


def test_one_ragged_row_fails_an_import_that_allows_none(tables: TableStore) -> None:
    with pytest.raises(TooManyRejectedRows, match="row 2: 1 field instead of 2"):
        imported(tables, "id,name\n1,one\n2\n", ImportOptions(delimiter=","))


def test_duplicate_and_empty_headers_are_renamed_and_reported(tables: TableStore) -> None:
    found = imported(tables, "a,a,,a_2\n1,2,3,4\n")

    assert found.tables["data"].schema.names == ["a", "a_2", "column_3", "a_2_2"]
    assert len(found.report.tables[0].notes) == 3


def test_a_header_alone_is_an_empty_table(tables: TableStore) -> None:
    manifest = imported(tables, "id,name\n").tables["data"]

    assert (manifest.rows, manifest.schema.names) == (0, ["id", "name"])


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tables: TableStore, data: bytes) -> None:
    with pytest.raises(ImportRefused, match="The file is empty"):
        imported(tables, data)


@pytest.mark.slow
def test_sixteen_thousand_columns(tables: TableStore) -> None:
    names = ",".join(f"c{n}" for n in range(16_000))

    manifest = imported(tables, f"{names}\n" + ",".join(["1"] * 16_000) + "\n").tables["data"]

    assert (len(manifest.schema.columns), manifest.rows) == (16_000, 1)


def test_more_columns_than_a_table_may_have(tables: TableStore) -> None:
    with pytest.raises(ImportRefused, match="20000 columns; at most 16384"):
        imported(tables, ",".join(f"c{n}" for n in range(20_000)) + "\n")


def test_a_first_record_of_more_than_a_megabyte_is_read(tables: TableStore) -> None:
    data = f"1,{'x' * 1_500_000}\n" + "".join(f"{n},y\n" for n in range(2, 2_000))

    found = imported(tables, data, ImportOptions(header=False))

    assert found.tables["data"].rows == 1_999


class LongField:
    """A file with one field of 100 MB, made as it is read; notes how much was read in all and at once."""

    name = "long.csv"
    size = 100 << 20

    def __init__(self, start: bytes, end: bytes) -> None:
        self._start = start
        self._end = end
        self.taken = self.most = 0

    def read(self, start: int, length: int) -> bytes:
        stop = min(self.size, start + length)
        self.taken, self.most = self.taken + stop - start, max(self.most, stop - start)
        head = self._start[start:stop]
        tail = self._end if stop == self.size else b""
        return head + b"x" * (stop - start - len(head) - len(tail)) + tail

    def stream(self, start: int, stop: int, step: int) -> Iterator[bytes]:
        return (self.read(at, length) for at, length in steps(start, stop, step))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "end", "name", "message"),
    [
        (b'id,name\n1,"', b'"\n', "long.csv", "A record is longer than 32 MB"),
        (b"id,name\n1,", b"\n", "long.csv", "A record is longer than 32 MB"),
        (b"id,", b"\n", "long.csv", "The first record is longer than 1 MB"),
        (b'{"id": "', b'"}\n', "long.jsonl", "Line 1 is longer than 32 MB"),
    ],
    ids=["quoted", "plain", "header", "json"],
)
def test_a_field_of_100_mb_is_refused_long_before_it_is_read(
    tables: TableStore, start: bytes, end: bytes, name: str, message: str
) -> None:
    source = LongField(start, end)
    source.name = name

    with pytest.raises(ImportRefused, match=message):
        import_file(tables, source, ImportOptions())

    assert source.taken <= 60 << 20
    assert source.most <= 8 << 20


def test_rows_too_wide_to_be_held_are_refused(tables: TableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("versioned_tables.imports.formats.BLOCK", 1 << 18)
    data = "id,t\n" + "".join(f"{n},{'x' * 100_000}\n" for n in range(200))

    assert imported(tables, data).tables["data"].rows == 200
    monkeypatch.setattr("versioned_tables.write.writer.MOST_LEAF_BYTES", 1 << 20)
    with pytest.raises(ImportRefused, match="rows one after the other have more than 1 MB"):
        imported(tables, data)


def test_names_that_the_database_cannot_store_are_refused(tables: TableStore) -> None:
    packed = io.BytesIO()
    pq.write_table(pa.table({"a\x00b": [1]}), packed)

    for data, name in (
        (b"id,a\x00b\n1,2\n", "x.csv"),
        (b'{"a\\u0000b": 1}\n', "x.jsonl"),
        (packed.getvalue(), "x.parquet"),
    ):
        with pytest.raises(SchemaMismatch, match="has a NUL character"):
            imported(tables, data, name=name)


def test_half_a_surrogate_pair_is_no_json(tables: TableStore) -> None:
    with pytest.raises(TooManyRejectedRows, match="row 2: not JSON"):
        imported(tables, b'{"a": "x"}\n{"a": "\\ud800", "n": 99999999999999999999}\n', name="x.jsonl")


def test_wide_json_lines_are_read_a_few_at_a_time(tables: TableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("versioned_tables.imports.json_tables._BYTES", 1000)
    lines = [{"n": n, "t": "x" * (n % 7 * 100)} for n in range(300)]

    manifest = imported(tables, "".join(json.dumps(line) + "\n" for line in lines), name="x.jsonl").tables["data"]

    assert rows_of(tables, manifest) == lines


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("id,name\n", 2),
        ("# a comment\n# another\nid,name\n7,seven\n", 5),
        ("id,name\n" + "".join(f"{n},one\n" for n in range(200_000)), 200_002),
        ('id,name\n0, "one"\n' + "".join(f'{n}, "one"\n' for n in range(40)), 43),
    ],
)
def test_a_quote_that_is_never_closed_is_an_error_with_its_line(
    tables: TableStore, above: str, line: int, newline: str
) -> None:
    text = (above + '1,"one\n2,two\n').replace("\n", newline)

    with pytest.raises(ImportRefused, match=f"begins in line {line} with 'one' is never closed") as refused:
        imported(tables, text, ImportOptions(delimiter=","))

    assert refused.value.facts["line"] == line


def test_not_finite_numbers_are_kept_and_are_texts_in_json(tables: TableStore) -> None:
    manifest = imported(tables, "id,v\n1,NaN\n2,Infinity\n3,-Infinity\n4,-0.0\n5,1.5\n").tables["data"]

    assert manifest.schema.columns[1].type == "float"
    assert column(rows_of(tables, manifest), "v") == ["NaN", "Infinity", "-Infinity", 0.0, 1.5]


def test_years_that_no_calendar_has_stay_text(tables: TableStore) -> None:
    manifest = imported(tables, "a,b\n0000-01-01,99999-12-31\n2024-01-01,2024-01-01\n").tables["data"]

    assert rows_of(tables, manifest)[0] == {"a": "0000-01-01", "b": "99999-12-31"}


def test_a_duplicate_key_is_refused_and_listed(tables: TableStore) -> None:
    text = "id,v\n" + "".join(f"{n % 300},{n}\n" for n in range(600))

    with pytest.raises(DuplicateKeys, match=r"The key \(id\) is not unique: 0, 1, 2") as caught:
        imported(tables, text, ImportOptions(key=("id",)))

    assert len(caught.value.facts["duplicates"]) == 100  # type: ignore[arg-type]


def test_a_key_that_names_a_column_twice_is_refused(tables: TableStore) -> None:
    with pytest.raises(SchemaMismatch, match="the key names the column 'a' twice"):
        imported(tables, "a,b\n1,x\n", ImportOptions(key=("a", "a")))


def test_an_empty_key_cell_rejects_its_row(tables: TableStore) -> None:
    with pytest.raises(TooManyRejectedRows, match="row 2: column 'id' is empty and may not be"):
        imported(tables, "id,v\n1,a\n,b\n", ImportOptions(key=("id",)))


def test_compressed_files_are_read(tables: TableStore) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/evil.csv", TABLE)

    for data in (
        gzip.compress(TABLE.encode()),
        bytes(pa.compress(TABLE.encode(), "zstd", asbytes=True)),
        packed.getvalue(),
    ):
        assert rows_of(tables, imported(tables, data).tables["data"]) == ROWS


def test_several_files_of_an_archive_become_tables_named_without_paths(tables: TableStore) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("../../up.csv", "/abs/up.csv", "c:\\win\\other.csv"):
            archive.writestr(name, TABLE)

    assert list(imported(tables, packed.getvalue()).tables) == ["up", "up_2", "other"]


def test_a_gzip_file_of_several_members_is_read_to_the_end(tables: TableStore) -> None:
    data = gzip.compress(b"id,name\n1,one\n") + gzip.compress(b"2,two\n")

    assert rows_of(tables, imported(tables, data).tables["data"]) == ROWS


def test_a_truncated_gzip_file_names_the_byte(tables: TableStore) -> None:
    data = gzip.compress(TABLE.encode() * 1000)

    with pytest.raises(ArchiveRefused, match=f"ends at byte {len(data) - 9}, before its end mark"):
        imported(tables, data[:-9])


def test_damaged_gzip_data_names_the_byte(tables: TableStore) -> None:
    data = bytearray(gzip.compress(TABLE.encode() * 1000))
    data[-6] ^= 0xFF

    with pytest.raises(ArchiveRefused, match="damaged near byte"):
        imported(tables, bytes(data))


def test_truncated_zstd_and_zip_files_are_refused(tables: TableStore) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", TABLE * 100)

    for data in (bytes(pa.compress(TABLE.encode() * 1000, "zstd", asbytes=True))[:-5], packed.getvalue()[:-30]):
        with pytest.raises(ArchiveRefused):
            imported(tables, data)


@pytest.mark.slow
def test_a_gzip_bomb_is_stopped(tables: TableStore) -> None:
    engine = zlib.compressobj(9, wbits=31)
    data = engine.compress(b"id,name\n") + engine.compress(b"1,one\n" * (16 << 20)) + engine.flush()

    with pytest.raises(ArchiveRefused, match="archive bomb"):
        imported(tables, data)


def test_forged_zip_sizes_are_noticed(tables: TableStore) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", TABLE * 1000)
    data = bytearray(packed.getvalue())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", 10)

    with pytest.raises(ArchiveRefused, match="truncated or forged"):
        imported(tables, bytes(data))


def test_an_encrypted_zip_entry_is_refused(tables: TableStore) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", TABLE)
    data = bytearray(packed.getvalue())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 8] |= 1

    with pytest.raises(ArchiveRefused, match="is encrypted"):
        imported(tables, bytes(data))


def workbook(cells: dict[str, object]) -> bytes:
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.worksheets[0][place] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_with_one_far_cell_is_refused_and_not_allocated(tables: TableStore) -> None:
    with pytest.raises(WorkbookRefused, match="2 values spread over 1048576 rows and 16384 columns"):
        imported(tables, workbook({"A1": "a", "XFD1048576": 1}), name="far.xlsx")


def replaced(data: bytes, part: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return out.getvalue()


def test_an_xml_bomb_in_a_workbook_is_refused(tables: TableStore) -> None:
    entities = "".join(f'<!ENTITY e{n} "{("&e" + str(n - 1) + ";") * 10 if n else "lol"}">' for n in range(10))
    sheet = "<worksheet><sheetData><row><c><v>&e9;</v></c></row></sheetData></worksheet>"
    bomb = f"<?xml version='1.0'?><!DOCTYPE w [{entities}]>{sheet}"

    with pytest.raises(WorkbookRefused, match="declares a document type"):
        imported(tables, replaced(workbook({"A1": "a"}), "xl/worksheets/sheet1.xml", bomb.encode()))


def test_a_malformed_sheet_is_refused(tables: TableStore) -> None:
    with pytest.raises(WorkbookRefused, match="Sheet 'Sheet' is malformed"):
        imported(tables, replaced(workbook({"A1": "a"}), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>"))


def test_an_encrypted_workbook_is_refused(tables: TableStore) -> None:
    with pytest.raises(WorkbookRefused, match="encrypted"):
        imported(tables, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, name="secret.xlsx")


def parquet_bytes() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2]}), out)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"PAR1",
        parquet_bytes()[:-20],
        parquet_bytes()[:-8] + b"\xff\xff\xff\x7fPAR1",
        parquet_bytes()[:4] + b"x" * 40 + b"PAR1",
    ],
)
def test_malformed_parquet_is_refused(tables: TableStore, data: bytes) -> None:
    with pytest.raises(ImportRefused, match="malformed"):
        imported(tables, data, name="x.parquet")


def test_encrypted_parquet_is_refused(tables: TableStore) -> None:
    with pytest.raises(ImportRefused, match="encrypted"):
        imported(tables, parquet_bytes()[:-4] + b"PARE")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "an HTML page"),
        (b"\n  <HTML><body>404, not found</body></HTML>\n", "an HTML page"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><r><a>1</a></r>', "an XML document"),
        (b"%PDF-1.4\n1 0 obj\n", "a PDF document"),
        (b"{\\rtf1 a,b}", "an RTF document"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"\xff\xd8\xff\xe0a,b", "an image"),
        (b"SQLite format 3\x00\x10\x00", "an SQLite database"),
    ],
)
def test_what_is_no_table_is_refused_and_never_one_column(tables: TableStore, data: bytes, what: str) -> None:
    with pytest.raises(ImportRefused, match=f"is {what}, not a table"):
        imported(tables, data)


@pytest.mark.parametrize("text", ["# nothing but a comment\n", "sep=;\n", "# a\n\n \n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_comments_alone_are_an_empty_file(tables: TableStore, text: str, encoding: str) -> None:
    with pytest.raises(ImportRefused, match="neither a header nor rows"):
        imported(tables, text.encode(encoding))


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\x00\x00"])
def test_a_byte_order_mark_alone_is_an_empty_file(tables: TableStore, mark: bytes) -> None:
    with pytest.raises(ImportRefused, match="neither a header nor rows"):
        imported(tables, mark)


@pytest.mark.parametrize("name", ["klingon", "rot13", "base64", "idna", "unicode_escape", "undefined"])
def test_what_is_no_encoding_of_text_is_refused(tables: TableStore, name: str) -> None:
    with pytest.raises(EncodingRefused, match="is not an encoding of text"):
        imported(tables, "a,b\n1,2\n", ImportOptions(encoding=name))
