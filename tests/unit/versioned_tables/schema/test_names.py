"""Names that differ only in capitals: SQL does not tell them apart, so they are refused, matched or made unique."""

import io
import zipfile
from pathlib import Path

import pytest

from tests.builders.tables import imported, rows_of, store, version
from versioned_tables.errors import SchemaMismatch
from versioned_tables.exports import ExportOptions, export_table
from versioned_tables.files.options import ImportOptions
from versioned_tables.format.manifest import Manifest
from versioned_tables.schema.columns import make_schema
from versioned_tables.schema.names import matched_names, require_distinct, sql_name
from versioned_tables.sql.running import run_sql
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.operations import change_schema

PAIRS = ["ä", "ß", "σ", "Ж", "İ", "ſ", "K", "µ", "ǆ"]


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def test_two_names_that_differ_in_capitals_are_refused_with_both() -> None:
    with pytest.raises(SchemaMismatch, match="'Name' and 'NAME', differ only in capitals"):
        make_schema([("Name", "int"), ("x", "int"), ("NAME", "int")])
    with pytest.raises(SchemaMismatch, match="'a' and 'a', have the same name"):
        require_distinct(["a", "a"], "columns")


@pytest.mark.parametrize("change", [{"renames": {"b": "A"}}, {"add": [("A", "int")]}])
def test_a_change_of_the_schema_makes_no_such_names(tables: TableStore, change: dict[str, object]) -> None:
    base = Manifest(make_schema([("a", "int"), ("b", "int")]))

    with pytest.raises(SchemaMismatch, match="'a' and 'A', differ only in capitals"):
        change_schema(tables, base, **change)  # type: ignore[arg-type]


def test_a_column_may_change_its_own_capitals(tables: TableStore) -> None:
    assert change_schema(tables, Manifest(make_schema([("a", "int")])), renames={"a": "A"}).schema.names == ["A"]


def test_sql_tells_all_other_capitals_apart(tables: TableStore) -> None:
    names = sorted({*PAIRS, *(name.upper() for name in PAIRS), *(name.lower() for name in PAIRS)})
    distinct = list({sql_name(name): name for name in names}.values())
    schema = make_schema([(name, "int") for name in distinct])
    manifest = version(tables, [{name: at for at, name in enumerate(distinct)}], schema)
    columns = ", ".join(f'"{name}"' for name in distinct)

    assert run_sql(tables, {"t": manifest}, f"SELECT {columns} FROM t").rows == [list(range(len(distinct)))]


def test_a_file_with_such_names_is_read_with_a_note(tables: TableStore) -> None:
    outcome = imported(tables, "id,ID,Id_2\n1,2,3\n")

    assert outcome.tables["data"].schema.names == ["id", "ID_2", "Id_2_2"]
    assert len(outcome.report.tables[0].notes) == 2


def test_files_of_an_archive_become_tables_that_sql_can_name(tables: TableStore) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", "x\n1\n")
        archive.writestr("A.csv", "x\n2\n")

    assert list(imported(tables, out.getvalue(), name="x.zip").tables) == ["a", "A_2"]


@pytest.mark.parametrize("mode", ["append", "upsert"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_a_header_finds_the_column_that_differs_only_in_capitals(tables: TableStore, mode: str, kind: str) -> None:
    base = imported(tables, "Id,Näme\n1,a\n", ImportOptions(key=("Id",))).tables
    incoming = version(tables, [{"ID": 2, "NÄME": "b"}], make_schema([("ID", "int"), ("NÄME", "string")], ["ID"]))
    out = io.BytesIO()
    export_table(tables, incoming, ExportOptions(kind), out)  # type: ignore[arg-type]
    options = ImportOptions(mode=mode, key=("ID",), declared={"NÄME": "string"})  # type: ignore[arg-type]

    outcome = imported(tables, out.getvalue(), options, name=f"x.{kind}", bases=base)

    head = outcome.tables["data"]
    assert head.schema.names == ["Id", "Näme"]
    assert rows_of(tables, head) == [{"Id": 1, "Näme": "a"}, {"Id": 2, "Näme": "b"}]
    assert "Column 'ID' was read as 'Id', the name it has in the table." in outcome.report.tables[0].notes


def test_a_name_that_the_table_or_the_file_has_to_the_letter_stays() -> None:
    assert matched_names(["A", "a"], ["a"]) == (["A", "a"], [])
    assert matched_names(["É"], ["é", "É"]) == (["É"], [])
    assert matched_names(["STRASSE"], ["straße"])[0] == ["straße"]
