"""What a file provokes is a refusal with its place; what the platform does is none."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from dataforge.kernel.errors import Unavailable
from tests.builders.tables import imported, rows_of, store
from versioned_tables.errors import ImportRefused, TooManyRejectedRows
from versioned_tables.files.boundary import Place, refusing
from versioned_tables.files.options import ImportOptions
from versioned_tables.imports.importing import import_file
from versioned_tables.progress import Progress
from versioned_tables.storage.table_store import TableStore


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


@pytest.mark.parametrize(
    "error",
    [
        pa.ArrowInvalid("bad\nvalue"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        ValueError("x"),
        OverflowError("too large"),
        RecursionError(),
        TypeError("x"),
        KeyError("x"),
        MemoryError(),
        zipfile.BadZipFile("bad"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_content_provokes_is_refused_with_file_part_and_row(error: Exception) -> None:
    place = Place("a.zip")
    place.enter("b.csv")
    place.watching(lambda _: None)(Progress("reading", 7, 0))

    with (
        pytest.raises(ImportRefused, match=r"^a\.zip, b\.csv: The rows after row 7 cannot be read") as refused,
        refusing(place),
    ):
        raise error

    assert refused.value.facts == {"file": "a.zip", "part": "b.csv"}
    assert "\n" not in refused.value.detail


def test_faults_of_storage_are_not_blamed_on_the_file(tables: TableStore) -> None:
    class Broken:
        name = "a.csv"
        size = 10

        def read(self, start: int, length: int) -> bytes:
            raise ValueError("the wire is down")

        def stream(self, start: int, stop: int, step: int) -> Iterator[bytes]:
            raise ValueError("the wire is down")

    with pytest.raises(Unavailable):
        import_file(tables, Broken(), ImportOptions())


def test_a_refusal_names_the_member_of_an_archive(tables: TableStore) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("good.csv", "id,name\n1,a\n")
        archive.writestr("dir/bad.csv", "id,name\n1,a\n2\n")

    with pytest.raises(TooManyRejectedRows, match=r"^a\.zip, bad\.csv: .*row 2") as refused:
        imported(tables, out.getvalue(), ImportOptions(delimiter=","), name="a.zip")

    assert refused.value.facts["part"] == "bad.csv"


def test_numbers_in_json_strings_stay_text(tables: TableStore) -> None:
    manifest = imported(tables, '{"v":"3"}\n{"v":"4"}\n', name="a.jsonl").tables["data"]

    assert [column.type for column in manifest.schema.columns] == ["string"]
    assert rows_of(tables, manifest) == [{"v": "3"}, {"v": "4"}]


@pytest.mark.parametrize("text", ["true", "1.5", "12:30:00", "yes", "2024-01-01x"])
def test_json_strings_that_look_like_another_type_stay_text(tables: TableStore, text: str) -> None:
    manifest = imported(tables, f'{{"v":"{text}"}}\n{{"v":null}}\n', name="a.jsonl").tables["data"]

    assert rows_of(tables, manifest) == [{"v": text}, {"v": None}]
