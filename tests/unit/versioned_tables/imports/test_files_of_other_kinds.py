"""Files that hold no table: read as text they would replace a table with rubbish."""

import io
import tarfile
from pathlib import Path

import pytest

from tests.builders.tables import imported, rows_of, store
from versioned_tables.errors import ImportRefused
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
