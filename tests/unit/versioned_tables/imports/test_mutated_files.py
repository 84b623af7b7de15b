"""Damaged files of every format: whatever they provoke is a refusal, and nothing else."""

import gzip
import io
import json
import random
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builders.tables import imported, rows_of, store
from versioned_tables.errors import EncodingRefused, ImportRefused
from versioned_tables.files.boundary import Place, refusing
from versioned_tables.files.excel_child import read_workbook
from versioned_tables.files.excel_extent import Refused
from versioned_tables.files.options import ImportOptions

ROWS = [
    {"id": n, "name": f'Zoë "{n}", x', "day": f"2024-01-{n:02}", "v": n / 7, "ok": n % 2 == 0, "t": ["a", {"b": n}]}
    for n in range(1, 25)
]
CSV = "id,name,day,v\n" + "".join(f'{r["id"]},"Zoë ""x"", {r["id"]}",{r["day"]},{r["v"]}\n' for r in ROWS)


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{**row, "t": str(row["t"])} for row in ROWS]), out)
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", CSV)
        archive.writestr("b.json", json.dumps(ROWS))
    return out.getvalue()


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in (list(ROWS[0])[:5], *(list(row.values())[:5] for row in ROWS)):
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


FILES = {
    "a.csv": CSV.encode(),
    "a16.csv": CSV.encode("utf-16"),
    "a.tsv": CSV.replace(",", "\t").encode("cp1252"),
    "a.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "a.json": json.dumps(ROWS, indent=1, ensure_ascii=False).encode(),
    "wrapped.json": json.dumps({"total": 24, "data": ROWS}).encode(),
    "a.csv.gz": gzip.compress(CSV.encode(), mtime=0),
    "a.zip": zipped(),
    "a.parquet": parquet(),
}
TOKENS = [b'"', b"\\", b"\n", b"\r", b"\x00", b"\xff", b"\xc3", b"{", b"]", b",", b"\t", b"\xff\xfe", b"1e999", b"\x81"]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The file with a few bytes changed, put in, taken out or doubled, or without its end."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(found) + 1)
        length = chance.choice([1, 1, 2, 8, 64])
        match chance.randrange(6):
            case 0:
                found[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                found[at:at] = chance.choice(TOKENS)
            case 2:
                del found[at : at + length]
            case 3:
                found[at:at] = found[at : at + length]
            case 4 if len(found) > 1:
                del found[chance.randrange(1, len(found)) :]
            case _:
                found[at : at + length] = chance.randbytes(length)
    return bytes(found) or b"x"


@pytest.mark.parametrize("name", list(FILES))
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    tables = store(tmp_path)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(60):
        data = damaged(FILES[name], chance)
        try:
            found = imported(tables, data, ImportOptions(max_rejected=chance.choice([0, 1000])), name=name)
        except ImportRefused as refused:
            outcomes["refused"] += name in refused.detail
        else:
            outcomes["read"] += 1
            for manifest in found.tables.values():
                json.dumps(rows_of(tables, manifest), allow_nan=False)

    assert sum(outcomes.values()) == 60, "a refusal names the file"
    assert outcomes["refused"], outcomes


def test_a_damaged_workbook_is_read_or_refused(tmp_path: Path) -> None:
    """In process what the child does; that a dying child is a refusal is tested beside it."""
    chance = random.Random("a.xlsx")
    original = workbook()
    parts = {
        name: zipfile.ZipFile(io.BytesIO(original)).read(name)
        for name in zipfile.ZipFile(io.BytesIO(original)).namelist()
    }
    outcomes = {"read": 0, "refused": 0}
    for _ in range(80):
        changed = chance.choice([name for name in parts if "sheet" in name or "workbook" in name])
        path = tmp_path / "a.xlsx"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, damaged(content, chance) if name == changed else content)
        try:
            read_workbook(path, tmp_path, [], header=None)
        except Refused:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1

    assert all(outcomes.values()), outcomes


def test_a_ragged_row_that_is_not_utf_8_is_not_dropped_without_a_word(tmp_path: Path) -> None:
    data = "id,name\n1,Zoë\n2,Łódź\n".encode() + b"3,caf\xe9,x\n4,d\n"

    with pytest.raises(EncodingRefused, match="Row 3, column 2: byte 0xE9"):
        imported(store(tmp_path), data, ImportOptions(max_rejected=9))


def test_the_boundary_itself_lets_other_faults_through() -> None:
    with pytest.raises(OSError, match="disk"), refusing(Place("a.csv")):
        raise OSError("disk")
