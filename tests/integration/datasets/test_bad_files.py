"""Every kind of bad file through upload, job and commit: a clear error or reported rows, and never half a commit."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builders.datasets import DatasetsUnderTest, head, new_dataset, ok, rows_of, run_job, upload_file

TABLE = b"id,name\n1,one\n2,two\n"
ROWS = [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]


def zipped(name: str, data: bytes, change: Callable[[bytearray, int], None] = lambda _data, _at: None) -> bytes:
    """A zip archive of one file; `change` may forge its directory entry."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    found = bytearray(packed.getvalue())
    change(found, found.rindex(b"PK\x01\x02"))
    return bytes(found)


def forged(data: bytearray, at: int) -> None:
    data[at + 24 : at + 28] = struct.pack("<I", 10)


def encrypted(data: bytearray, at: int) -> None:
    data[at + 8] |= 1


def bomb() -> bytes:
    engine = zlib.compressobj(9, wbits=31)
    return engine.compress(b"id,name\n") + engine.compress(b"1,one\n" * (16 << 20)) + engine.flush()


def workbook(cells: dict[str, object], sheet: bytes | None = None) -> bytes:
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.worksheets[0][place] = value
    out, again = io.BytesIO(), io.BytesIO()
    book.save(out)
    if sheet is None:
        return out.getvalue()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else old.read(name))
    return again.getvalue()


def xml_bomb() -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{("&e" + str(n - 1) + ";") * 10 if n else "lol"}">' for n in range(10))
    sheet = "<worksheet><sheetData><row><c><v>&e9;</v></c></row></sheetData></worksheet>"
    return workbook({"A1": "a"}, f"<?xml version='1.0'?><!DOCTYPE w [{entities}]>{sheet}".encode())


def parquet(end: bytes = b"PAR1", cut: int = 4) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2]}), out)
    return out.getvalue()[:-cut] + end


REFUSED: dict[str, tuple[str, Callable[[], bytes], dict[str, Any], str, str]] = {
    "zero bytes": ("a.csv", lambda: b"", {}, "import_refused", "The file is empty"),
    "nothing but a mark": ("a.csv", lambda: b"\xef\xbb\xbf\n", {}, "import_refused", "The file is empty"),
    "a NUL byte": ("a.csv", lambda: b"id,name\n1,one\n2,t\x00wo\n", {}, "import_refused", "Row 2, column 2: a NUL"),
    "a NUL in a name": ("a.csv", lambda: b"id,n\x00\n1,one\n", {}, "schema_mismatch", "column 2 has a NUL character"),
    "a Latin-1 byte": (
        "a.csv",
        lambda: "id,name\n0,Zoë\n".encode() + b"".join(b"%d,x\n" % n for n in range(2, 300_000)) + b"300000,caf\xe9\n",
        {},
        "encoding_refused",
        "Row 300000, column 2: byte 0xE9 at place 4",
    ),
    "a ragged row": ("a.csv", lambda: TABLE + b"3\n", {"delimiter": ","}, "too_many_rejected_rows", "row 3: 1 field"),
    "an open quote": ("a.csv", lambda: b'id,name\n1,"one\n', {"delimiter": ","}, "import_refused", "never closed"),
    "a broken JSON line": ("a.jsonl", lambda: b'{"a":1}\n{"a"\x00\n', {}, "too_many_rejected_rows", "row 2: not JSON"),
    "a truncated gzip": ("a.csv.gz", lambda: gzip.compress(TABLE * 99)[:-9], {}, "archive_refused", "before its end"),
    "a gzip bomb": ("a.csv.gz", bomb, {}, "archive_refused", "archive bomb"),
    "forged zip sizes": ("a.zip", lambda: zipped("a.csv", TABLE, forged), {}, "archive_refused", "or forged"),
    "an encrypted zip": ("a.zip", lambda: zipped("a.csv", TABLE, encrypted), {}, "archive_refused", "is encrypted"),
    "a far cell": (
        "a.xlsx",
        lambda: workbook({"A1": "a", "XFD1048576": 1}),
        {},
        "workbook_refused",
        "2 values spread over 1048576 rows and 16384 columns",
    ),
    "an XML bomb": ("a.xlsx", xml_bomb, {}, "workbook_refused", "declares a document type"),
    "an encrypted workbook": (
        "a.xlsx",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        {},
        "workbook_refused",
        "encrypted",
    ),
    "malformed Parquet": ("a.parquet", lambda: parquet(b"\xff\xff\xff\x7fPAR1", 8), {}, "import_refused", "malformed"),
    "encrypted Parquet": ("a.parquet", lambda: parquet(b"PARE"), {}, "import_refused", "encrypted"),
    "a key that repeats": ("a.csv", lambda: TABLE + b"1,x\n", {"key": ["id"]}, "duplicate_keys", "is not unique: 1"),
}


@pytest.mark.parametrize("kind", list(REFUSED))
async def test_a_bad_file_fails_its_job_at_once_and_leaves_the_branch(datasets: DatasetsUnderTest, kind: str) -> None:
    name, make, options, code, detail = REFUSED[kind]
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    before = await head(client, dataset_id)

    job = await run_job(datasets, client, await upload_file(client, dataset_id, make(), name=name, **options))

    assert (job["status"], job["attempt"], job["error"]["code"]) == ("failed", 1, code), job["error"]
    assert detail in job["error"]["detail"]
    assert "\x00" not in str(job)
    assert await head(client, dataset_id) == before


TOLD: dict[str, tuple[str, Callable[[], bytes], dict[str, Any], list[dict[str, Any]], Callable[[Any], object]]] = {
    "UTF-16": ("a.csv", lambda: TABLE.decode().encode("utf-16"), {}, ROWS, lambda r: "utf-16" in r["encoding"]),
    "UTF-32": ("a.csv", lambda: TABLE.decode().encode("utf-32"), {}, ROWS, lambda r: "utf-32" in r["encoding"]),
    "lone CR": ("a.csv", lambda: TABLE.replace(b"\n", b"\r"), {}, ROWS, lambda r: r["tables"][0]["rows"] == 2),
    "a name with dots": ("../../a.zip", lambda: zipped("../../etc/b.csv", TABLE), {}, ROWS, lambda r: True),
    "header only": ("a.csv", lambda: b"id,name\n", {}, [], lambda r: r["tables"][0]["rows"] == 0),
    "ragged rows": (
        "a.csv",
        lambda: b"id,name\n1,one\n9\n2,two\n8,x,y\n",
        {"max_rejected": 2, "delimiter": ","},
        ROWS,
        lambda r: (
            [(x["row"], x["reason"]) for x in r["tables"][0]["rejected"]]
            == [(2, "1 field instead of 2"), (4, "3 fields instead of 2")]
        ),
    ),
    "odd headers": (
        "a.csv",
        lambda: b"a,a,\n1,2,3\n",
        {},
        [{"a": 1, "a_2": 2, "column_3": 3}],
        lambda r: len(r["tables"][0]["notes"]) == 2,
    ),
    "numbers without end": (
        "a.csv",
        lambda: b"f,n\nNaN,1\nInfinity,9223372036854775808\n-0.0,2\n",
        {},
        [{"f": "NaN", "n": "1"}, {"f": "Infinity", "n": "9223372036854775808"}, {"f": 0.0, "n": "2"}],
        lambda r: [c["type"] for c in r["tables"][0]["columns"]] == ["float", "string"],
    ),
    "years of no calendar": (
        "a.csv",
        lambda: b"a,b\n0000-01-01,99999-12-31\n2024-01-01,2024-01-01\n",
        {},
        [{"a": "0000-01-01", "b": "99999-12-31"}, {"a": "2024-01-01", "b": "2024-01-01"}],
        lambda r: {c["type"] for c in r["tables"][0]["columns"]} == {"string"},
    ),
    "another type in the last row": (
        "a.csv",
        lambda: b"n\n" + b"".join(b"%d\n" % n for n in range(999)) + b"x7\n",
        {},
        [*({"n": str(n)} for n in range(999)), {"n": "x7"}],
        lambda r: r["tables"][0]["columns"][0]["type"] == "string",
    ),
    "a NUL in a rejected line": (
        "a.jsonl",
        lambda: b'{"id":1,"name":"one"}\n\x00\n{"id":2,"name":"two"}\n',
        {"max_rejected": 1},
        ROWS,
        lambda r: [(x["row"], x["text"]) for x in r["tables"][0]["rejected"]] == [(2, "\ufffd")],
    ),
}


@pytest.mark.parametrize("kind", list(TOLD))
async def test_an_odd_file_is_read_and_what_was_odd_is_told(datasets: DatasetsUnderTest, kind: str) -> None:
    name, make, options, rows, told = TOLD[kind]
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    job = await run_job(datasets, client, await upload_file(client, dataset_id, make(), name=name, **options))

    assert job["status"] == "completed", job["error"]
    assert await rows_of(client, dataset_id, limit=1000) == rows
    assert told(job["output_summary"]["report"]), job["output_summary"]["report"]


async def test_sixteen_thousand_columns_are_a_table(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    data = ",".join(f"c{n}" for n in range(16_000)) + "\n" + ",".join(map(str, range(16_000))) + "\n"

    job = await run_job(datasets, client, await upload_file(client, dataset_id, data.encode()))

    assert job["status"] == "completed", job["error"]
    assert await rows_of(client, dataset_id, columns=["c15999", "c7"]) == [{"c15999": 15_999, "c7": 7}]
    [table] = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/tables"))["tables"]
    assert table["column_count"] == 16_000
