"""Ours beside DuckDB, pyarrow and calamine on generated files whose every value is known.

`python -m infra.bench.datasets.differential` writes 300 files of each format, reads each with every reader that reads
it, and prints where a reader's value is not the one that was written, by the kind of value, with the first example and
a judgement. Ours may differ nowhere: a value is what was written, or its exact reading as a type.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq
import python_calamine

from versioned_tables.files.excel_child import read_workbook
from versioned_tables.files.options import ImportOptions
from versioned_tables.files.sources import BytesSource
from versioned_tables.imports.importing import import_file
from versioned_tables.read.rows import read_range
from versioned_tables.schema.texts import plain_rows
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore

FORMATS = ("csv", "jsonl", "json", "xlsx", "parquet")
FILES = 300
_ROWS = 25
_DAY = date(2024, 1, 1)

Rows = list[list[object]]
Make = Callable[[random.Random, int], object]

# What a column holds: the value of a row, as it is written.
TEXTS: dict[str, Make] = {
    "whole numbers": lambda chance, _: str(chance.randint(-(10**9), 10**9)),
    "leading zeros": lambda chance, _: f"{chance.randint(0, 999):05}",
    "telephone numbers": lambda chance, _: f"+49{chance.randint(10**8, 10**9)}",
    "long digits": lambda chance, _: str(chance.randint(10**17, 10**22)),
    "codes like 1E10": lambda chance, _: f"{chance.randint(1, 9)}E{chance.randint(1, 99)}",
    "decimals after whole numbers": lambda chance, row: "2.5" if row == _ROWS - 1 else str(chance.randint(0, 99)),
    "long decimals": lambda chance, _: f"0.{chance.randint(10**19, 10**20 - 1)}",
    "thousands separators": lambda chance, _: f"{chance.randint(1, 999)},{chance.randint(100, 999)}",
    "ISO dates": lambda chance, _: (_DAY + timedelta(chance.randint(-9999, 9999))).isoformat(),
    "dates of two orders": lambda chance, _: f"{chance.randint(1, 12):02}/{chance.randint(1, 12):02}/2024",
    "times": lambda chance, _: f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}",
    "true and false": lambda chance, _: chance.choice(["true", "false"]),
    "words of truth": lambda chance, _: chance.choice(["Y", "N", "T", "F", "0", "1"]),
    "words": lambda chance, _: chance.choice(["plain", "two words", "NA", "null", "NaN", "-", "Infinity"]),
    "accents": lambda chance, _: chance.choice(["Núñez", "Lefèvre", "Århus", "Groß", "Škoda Œuvre"]),
    "delimiters and quotes": lambda chance, _: chance.choice(['a, "b"', "x;y|z", "tab\there", 'say ""', "two\nlines"]),
    "addresses of pages": lambda chance, row: f"https://example.org/{row}?a={chance.randint(1, 9)},{row}",
}
# Values with types, of JSON, workbooks and Parquet.
VALUES: dict[str, Make] = {
    "integers": lambda chance, _: chance.randint(-(10**12), 10**12),
    "floats": lambda chance, _: round(chance.uniform(-1e6, 1e6), 7),
    "booleans": lambda chance, _: chance.random() < 0.5,
    "numbers in strings": lambda chance, _: f"{chance.randint(0, 999):05}",
    "strings": lambda chance, _: chance.choice(["Núñez", 'say "x", y', "two\nlines", "{}", "[1]", "1E5"]),
}
MORE: dict[str, dict[str, Make]] = {
    "jsonl": {"nested values": lambda chance, row: {"a": [row, chance.randint(0, 9)], "b": None}},
    "json": {"nested values": lambda chance, row: {"a": [row, chance.randint(0, 9)], "b": None}},
    "xlsx": {
        "dates": lambda chance, _: _DAY + timedelta(chance.randint(0, 9999)),
        "moments": lambda chance, row: datetime(2024, 1, 1, 1, 2, row) + timedelta(chance.randint(0, 999)),  # noqa: DTZ001
    },
    "parquet": {
        "dates": lambda chance, _: _DAY + timedelta(chance.randint(-9999, 9999)),
        "moments": lambda chance, row: datetime(2024, 1, 1, 1, 2, row, chance.randint(0, 999_999)),  # noqa: DTZ001
        "times of day": lambda chance, row: time(chance.randint(0, 23), 5, row),
        "decimals": lambda chance, _: Decimal(chance.randint(0, 10**9)).scaleb(-4),
    },
}
JUDGED: dict[tuple[str, str], str] = {
    ("pyarrow", "leading zeros"): "a number is read and the zeros are lost; ours keeps the text",
    ("pyarrow", "telephone numbers"): "a number is read and the plus sign is lost; ours keeps the text",
    ("pyarrow", "long digits"): "a double is read and digits are lost; ours keeps the text",
    ("duckdb", "long decimals"): "a double is read and digits are lost; ours keeps the text",
    ("pyarrow", "long decimals"): "a double is read and digits are lost; ours keeps the text",
    ("duckdb", "codes like 1E10"): "a double is read and the code is lost; ours keeps the text",
    ("pyarrow", "codes like 1E10"): "a double is read and the code is lost; ours keeps the text",
    ("duckdb", "dates of two orders"): "an order is taken that nothing proves; ours keeps the text",
    ("duckdb", "the whole file"): "the encoding or the dialect is not found without an option; ours finds it",
    ("pyarrow", "the whole file"): "only UTF-8 with commas is read without an option; ours finds both",
    ("pyarrow", "accents"): "bytes are given for text that is not UTF-8; ours finds the encoding and says so",
}


@dataclass(slots=True)
class Generated:
    """A file and what was written into it: per column its kind, and the rows."""

    data: bytes
    kinds: list[str]
    rows: Rows
    name: str


@dataclass(slots=True)
class Disagreements:
    """Per reader and kind of value: how often, and the first example."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)
    files: Counter[str] = field(default_factory=Counter)

    def note(self, reader: str, kind: str, example: str) -> None:
        """Count one."""
        self.counts[reader, kind] += 1
        self.examples.setdefault((reader, kind), example)

    def lines(self) -> Iterator[str]:
        """The table, a JSON object a line."""
        for (reader, kind), count in sorted(self.counts.items()):
            judgement = JUDGED.get((reader, kind), "not judged")
            line = {"reader": reader, "kind": kind, "count": count, "example": self.examples[reader, kind]}
            yield json.dumps({**line, "judgement": judgement}, ensure_ascii=False)


def generated(format_: str, seed: int) -> Generated:
    """The file of a seed; the same one every time."""
    chance = random.Random(f"{format_} {seed}")
    makers = TEXTS if format_ == "csv" else {**VALUES, **MORE.get(format_, {})}
    kinds = ["row", *chance.sample(list(makers), min(len(makers), chance.randint(2, 6)))]
    count = chance.randint(5, _ROWS)
    rows: Rows = [
        [row if format_ != "csv" else str(row), *(makers[kind](chance, _ROWS - count + row) for kind in kinds[1:])]
        for row in range(count)
    ]
    if count > 6:
        for _ in range(3):
            rows[chance.randrange(5, count)][chance.randrange(1, len(kinds))] = "" if format_ == "csv" else None
    return Generated(_WRITE[format_](kinds, rows, chance), kinds, rows, f"{seed}.{format_}")


def _write_csv(kinds: Sequence[str], rows: Rows, chance: random.Random) -> bytes:
    out = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if chance.random() < 0.3 else csv.QUOTE_MINIMAL
    writer = csv.writer(
        out, delimiter=chance.choice(",,;\t|"), quoting=quoting, lineterminator=chance.choice(["\n", "\r\n"])
    )
    writer.writerows([kinds, *rows])
    encoding = chance.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])
    return out.getvalue().encode(encoding)


def _objects(kinds: Sequence[str], rows: Rows) -> list[dict[str, object]]:
    return [dict(zip(kinds, row, strict=True)) for row in rows]


def _write_jsonl(kinds: Sequence[str], rows: Rows, chance: random.Random) -> bytes:
    ascii_only = chance.random() < 0.5
    return "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in _objects(kinds, rows)).encode()


def _write_json(kinds: Sequence[str], rows: Rows, chance: random.Random) -> bytes:
    found = _objects(kinds, rows)
    whole: object = {"data": found} if chance.random() < 0.3 else found
    return json.dumps(whole, indent=chance.choice([None, 2]), ensure_ascii=False).encode()


def _write_xlsx(kinds: Sequence[str], rows: Rows, chance: random.Random) -> bytes:
    del chance
    book = openpyxl.Workbook()
    for row in [list(kinds), *rows]:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_parquet(kinds: Sequence[str], rows: Rows, chance: random.Random) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(_objects(kinds, rows)), out, compression=chance.choice(["snappy", "zstd"]))
    return out.getvalue()


_WRITE = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "json": _write_json,
    "xlsx": _write_xlsx,
    "parquet": _write_parquet,
}


def ours(file: Generated, folder: Path) -> Rows:
    """The rows as they come back from a stored version (of a workbook: as the child process reads it)."""
    if file.name.endswith(".xlsx"):
        path = folder / "a.xlsx"
        path.write_bytes(file.data)
        (sheet,) = read_workbook(path, folder, [], header=None)["sheets"]
        with pa.memory_map(str(folder / sheet["file"])) as opened:
            return _lists(pa.ipc.open_file(opened).read_all())
    tables = TableStore(LocalDirectoryStore(folder), "t/")
    (manifest,) = import_file(tables, BytesSource(file.data, file.name), ImportOptions()).tables.values()
    found = read_range(tables, manifest, 0, manifest.rows).rename_columns(manifest.schema.names)
    return [list(row.values()) for row in plain_rows(found)]


def _duckdb(file: Generated, folder: Path) -> Rows:
    path = folder / file.name
    path.write_bytes(file.data)
    reader = {"csv": "read_csv", "parquet": "read_parquet"}.get(path.suffix[1:], "read_json")
    with duckdb.connect() as connection:
        return [list(row) for row in connection.execute(f"SELECT * FROM {reader}(?)", [str(path)]).fetchall()]


def _pyarrow(file: Generated, folder: Path) -> Rows:
    del folder
    data = pa.BufferReader(file.data)
    if file.name.endswith(".csv"):
        return _lists(pa_csv.read_csv(data, parse_options=pa_csv.ParseOptions(newlines_in_values=True)))
    return _lists(pq.read_table(data) if file.name.endswith(".parquet") else pa_json.read_json(data))


def _calamine(file: Generated, folder: Path) -> Rows:
    del folder
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.data))
    return [[None if cell == "" else cell for cell in row] for row in list(book.get_sheet_by_index(0).iter_rows())[1:]]


def _lists(table: pa.Table) -> Rows:
    return [list(row.values()) for row in table.to_pylist()]


READERS: dict[str, tuple[tuple[str, ...], Callable[[Generated, Path], Rows]]] = {
    "ours": (FORMATS, ours),
    "duckdb": (("csv", "jsonl", "json", "parquet"), _duckdb),
    "pyarrow": (("csv", "jsonl", "parquet"), _pyarrow),
    "calamine": (("xlsx",), _calamine),
}


def same(found: object, written: object) -> bool:
    """Whether a value is the one that was written: itself, its exact reading as a type, or its documented text."""
    if written in ("", None) or found is None:
        return found in ("", None) and written in ("", None)
    if isinstance(written, dict | list):
        return (json.loads(found) if isinstance(found, str) else found) == written
    if isinstance(found, bool) or isinstance(written, bool):
        return str(found).lower() == str(written).lower()
    if isinstance(found, int | float | Decimal):
        return _same_number(found, written)
    return _text(found) == _text(written) or (isinstance(written, Decimal) and _same_number(str(found), written))


def _same_number(found: object, written: object) -> bool:
    try:
        exact = Decimal(str(written)) == Decimal(str(found))
    except InvalidOperation:
        return False
    if not isinstance(written, str):
        return exact
    # A text may be read as a number only if the number is written that way.
    plain = written.lstrip("-")
    return exact and written[0] != "+" and "E" not in written and not (plain[0] == "0" and plain[1:2].isdigit())


def _text(value: object) -> str:
    """Dates and times in ISO 8601; a fraction of a second without zeros at its end, and midnight as its date."""
    if isinstance(value, datetime | time):
        value = value.isoformat()
        value = value.rstrip("0") if "." in value else value
    return str(value).replace(" ", "T").removesuffix("T00:00:00")


def compare(format_: str, files: int, found: Disagreements, readers: Sequence[str] = tuple(READERS)) -> None:
    """Read generated files of a format with every reader of it."""
    for seed in range(files):
        file = generated(format_, seed)
        for reader in readers:
            formats, read = READERS[reader]
            if format_ not in formats:
                continue
            found.files[f"{reader} {format_}"] += 1
            with tempfile.TemporaryDirectory() as folder:
                try:
                    rows = read(file, Path(folder))
                except Exception as error:  # noqa: BLE001 - a reader that refuses a good file is a finding
                    found.note(reader, "the whole file", f"{file.name}: {type(error).__name__}"[:200])
                    continue
            _cells(reader, file, rows, found)


def _cells(reader: str, file: Generated, rows: Rows, found: Disagreements) -> None:
    if len(rows) != len(file.rows) or any(len(row) != len(file.kinds) for row in rows):
        found.note(reader, "the whole file", f"{file.name}: {len(rows)} rows instead of {len(file.rows)}")
        return
    for read, written in zip(rows, file.rows, strict=True):
        for kind, value, wanted in zip(file.kinds, read, written, strict=True):
            if not same(value, wanted):
                found.note(reader, kind, f"{file.name}: {wanted!r} read as {value!r}"[:200])


def main() -> int:
    """Print the table; 1 when ours differs anywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--formats", choices=FORMATS, nargs="+", default=FORMATS)
    given = parser.parse_args()
    found = Disagreements()
    for format_ in given.formats:
        compare(format_, given.files, found)
    for line in found.lines():
        print(line)
    print(json.dumps({"files": dict(found.files)}))
    return 1 if any(reader == "ours" for reader, _ in found.counts) else 0


if __name__ == "__main__":
    raise SystemExit(main())
