"""Types from text: taken only when nothing is lost, and independent of how the file is cut."""

from functools import reduce
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.tables import column, imported, rows_of, store
from versioned_tables.errors import SchemaMismatch, TooManyRejectedRows
from versioned_tables.files.csv_block import BlockPlan, parse_block
from versioned_tables.files.options import ImportOptions
from versioned_tables.files.splitting import Dialect
from versioned_tables.schema.columns import EvolutionRules
from versioned_tables.schema.inference import NOTHING, column_type, convert, evidence_of, join

KINDS = [
    NOTHING,
    "int",
    "float",
    "bool:true",
    "bool:yes",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "date:?",
    "date:dmy",
    "date:mdy",
    "string",
]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-2", "0"], "int"),
        (["007", "12"], "string"),
        (["+49123", "1"], "string"),
        (["123456789012345"], "int"),
        (["1234567890123456"], "string"),
        (["9223372036854775808"], "string"),
        (["1E10", "2E10"], "string"),
        (["1e+22", "2.5"], "float"),
        (["1.50", "-0.5", "3"], "float"),
        (["-0.0", "1.5"], "float"),
        ([".5", "1"], "string"),
        (["5.", "1"], "string"),
        (["0x1F"], "string"),
        (["0.30000000000000004", "1.0"], "float"),
        (["3.14159265358979323846"], "string"),
        (["1.5", "NaN", "-inf"], "float"),
        (["NaN"], "float"),
        (["true", "FALSE"], "bool"),
        (["yes", "No"], "bool"),
        (["true", "no"], "string"),
        (["1", "true"], "string"),
        (["2024-02-29"], "date"),
        (["2023-02-29"], "string"),
        (["0000-01-01"], "string"),
        (["99999-01-01"], "string"),
        (["2024-01-01T10:00:00", "2024-01-02 11:30:00.123456"], "timestamp"),
        (["2024-01-01T10:00:00Z", "2024-01-02T11:30:00+02:00"], "timestamptz"),
        (["2024-01-01T10:00:00Z", "2024-01-02T11:30:00"], "string"),
        (["2024-01-01T10:00:00.123456789"], "string"),
        (["2024-01-01", "2024-01-02T11:30:00"], "timestamp"),
        (["31/12/2024", "01/02/2024"], "date"),
        (["12/31/2024", "01/02/2024"], "date"),
        (["01/02/2024", "03/04/2024"], "string"),
        (["31/12/2024", "12/31/2024"], "string"),
        (["10:30:00", "23:59:59.5"], "time"),
        (["25:00:00"], "string"),
        (["", ""], "string"),
        ([" 1"], "string"),
        (["1", "x"], "string"),
        (["١٢"], "string"),
    ],
)
def test_the_type_of_values(values: list[str], type_: str) -> None:
    assert column_type(evidence_of(pa.array(values))) == type_


@given(st.sampled_from(KINDS), st.sampled_from(KINDS), st.sampled_from(KINDS))
def test_evidence_joins_in_any_order(one: str, two: str, three: str) -> None:
    assert join(one, two) == join(two, one)
    assert join(one, one) == one
    assert join(join(one, two), three) == join(one, join(two, three))


VALUES = st.sampled_from(
    [
        "1",
        "-5",
        "0",
        "2.5",
        "007",
        "true",
        "no",
        "yes",
        "2024-01-01",
        "2024-01-01T10:00:00",
        "31/12/2024",
        "12/31/2024",
        "01/02/2024",
        "",
        None,
        "x",
        "1e5",
    ]
)


@given(st.lists(VALUES, max_size=12), st.integers(0, 12))
def test_the_type_does_not_depend_on_the_cut(values: list[str | None], cut: int) -> None:
    array = pa.array(values, pa.string())

    whole = evidence_of(array)
    parts = [evidence_of(array.slice(0, cut)), evidence_of(array.slice(cut))]

    assert reduce(join, parts) == whole
    assert convert(array, whole) is not None


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_every_double_comes_back_from_its_text(values: list[float]) -> None:
    texts = pa.array(values, pa.float64()).cast(pa.string())

    found = convert(texts, "float")

    assert found is not None
    assert found.to_pylist() == values


@pytest.mark.slow
def test_a_type_that_breaks_in_the_last_row_widens_the_whole_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("versioned_tables.imports.formats.BLOCK", 1 << 12)
    tables = store(tmp_path)
    text = "a,b\n" + "".join(f"{n},{n}\n" for n in range(200_000)) + "200000,x7\n"

    manifest = imported(tables, text).tables["data"]

    assert [(c.name, c.type) for c in manifest.schema.columns] == [("a", "int"), ("b", "string")]
    assert column(rows_of(tables, manifest)[-2:], "b") == ["199999", "x7"]


def test_a_declared_type_decides_and_rejects_what_breaks_it(tmp_path: Path) -> None:
    tables = store(tmp_path)
    text = "id,n\n1,007\n2,x\n3,\n4,9\n5\n"

    found = imported(tables, text, ImportOptions(declared={"n": "int", "id": "string"}, max_rejected=2))

    assert rows_of(tables, found.tables["data"]) == [{"id": "1", "n": 7}, {"id": "3", "n": None}, {"id": "4", "n": 9}]
    assert [(row.row, row.reason) for row in found.report.tables[0].rejected] == [
        (2, "column 'n': 'x' is not int"),
        (5, "1 field instead of 2"),
    ]


def test_more_broken_rows_than_allowed_fail_the_import_and_are_named(tmp_path: Path) -> None:
    with pytest.raises(TooManyRejectedRows, match="row 2: column 'n': 'x' is not int") as caught:
        imported(store(tmp_path), "id,n\n1,7\n2,x\n", ImportOptions(declared={"n": "int"}))

    assert caught.value.facts["rejected"] == [
        {"row": 2, "line": 3, "rule": "type", "reason": "column 'n': 'x' is not int", "text": "2,x"}
    ]


def test_a_declared_column_must_be_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatch, match="m are not in the file"):
        imported(store(tmp_path), "id,n\n1,7\n", ImportOptions(declared={"m": "int"}))


def test_a_second_import_keeps_the_wider_type(tmp_path: Path) -> None:
    tables = store(tmp_path)
    first = imported(tables, "id,v\n1,2.5\n2,x\n").tables

    second = imported(tables, "id,v\n1,007\n2,8\n", bases=first).tables["data"]

    assert column(rows_of(tables, second), "v") == ["007", "8"]


@pytest.mark.parametrize(
    ("rules", "text", "declared", "outcome"),
    [
        (EvolutionRules(), "id,v\n1,x\n", {}, "string"),
        (EvolutionRules(widen_types=False), "id,v\n1,x\n", {}, "'v' would widen from int to string"),
        (EvolutionRules(widen_types=False), "id,v\n1,7\n", {}, "int"),
        (EvolutionRules(), "id,v\n1,7\n", {"v": "bool"}, "'v' would change from int to bool"),
        (EvolutionRules(change_types=True), "id,v\n1,1\n", {"v": "bool"}, "bool"),
        (EvolutionRules(add_columns=False), "id,v,w\n1,2,3\n", {}, "column 'w' is new"),
        (EvolutionRules(drop_columns=False), "id\n1\n", {}, "column 'v' is missing"),
    ],
)
def test_each_rule_of_evolution_allows_or_names_its_change(
    tmp_path: Path, rules: EvolutionRules, text: str, declared: dict[str, str], outcome: str
) -> None:
    tables = store(tmp_path)
    first = imported(tables, "id,v\n1,2\n").tables

    def told() -> str:
        try:
            second = imported(tables, text, ImportOptions(evolution=rules, declared=declared), bases=first)
        except SchemaMismatch as error:
            return error.detail
        return next(column.type for column in second.tables["data"].schema.columns if column.name == "v")

    assert outcome in told()


def test_rules_may_forbid_a_change_of_the_schema(tmp_path: Path) -> None:
    tables = store(tmp_path)
    first = imported(tables, "id,v\n1,2\n").tables

    with pytest.raises(SchemaMismatch, match="'w' is new; column 'v' is missing"):
        imported(
            tables,
            "id,w\n1,2\n",
            ImportOptions(evolution=EvolutionRules(add_columns=False, drop_columns=False)),
            bases=first,
        )


def test_quoted_empty_text_is_not_null_in_text_and_null_in_numbers(tmp_path: Path) -> None:
    tables = store(tmp_path)

    manifest = imported(tables, 't,n\n"",""\n,\nx,1\n').tables["data"]

    assert rows_of(tables, manifest) == [{"t": "", "n": None}, {"t": None, "n": None}, {"t": "x", "n": 1}]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("empty", [b"", b'""'])
def test_a_block_whose_column_is_empty_throughout_breaks_no_type(kind: str, empty: bytes) -> None:
    plan = BlockPlan(Dialect(), 2, ("int", kind), names=("a", "b"))

    parsed = parse_block(b"1," + empty + b"\n2," + empty + b"\n", plan)

    assert parsed.widened is None
    assert parsed.records == 2


@pytest.mark.parametrize("text", ["1e400", "-1.5e+400", "1e-400", "-2.5e-330", "0." + "0" * 330 + "1"])
def test_a_number_beyond_the_reach_of_doubles_is_neither_infinity_nor_zero(tmp_path: Path, text: str) -> None:
    tables = store(tmp_path)

    found = imported(tables, f"v\n{text}\n0.5\n").tables["data"]

    assert column(rows_of(tables, found), "v") == [text, "0.5"]
    with pytest.raises(TooManyRejectedRows, match="is not float"):
        imported(tables, f"v\n{text}\n", ImportOptions(declared={"v": "float"}))


@pytest.mark.parametrize("text", ["0", "-0.0", "0.000", "0e5", "0.0e-400", "5e-324", "1.7976931348623157e+308", "inf"])
def test_zeros_infinities_and_the_ends_of_doubles_are_floats(tmp_path: Path, text: str) -> None:
    tables = store(tmp_path)

    found = imported(tables, f"v\n{text}\n", ImportOptions(declared={"v": "float"})).tables["data"]

    assert float(str(column(rows_of(tables, found), "v")[0])) == float(text)


@pytest.mark.parametrize("text", ['{"x":NaN}', "[Infinity]", "{x:1}", "tru"])
def test_a_declared_json_column_holds_json_only(tmp_path: Path, text: str) -> None:
    with pytest.raises(TooManyRejectedRows, match="is not json"):
        imported(store(tmp_path), f"v\n{text}\n", ImportOptions(declared={"v": "json"}, header=True))


def test_a_declared_json_column_keeps_its_texts(tmp_path: Path) -> None:
    tables = store(tmp_path)
    text = 'v,n\n"{""a"":12345678901234567890.10}",1\n,2\n"""x""",3\nnull,4\n'

    found = imported(tables, text, ImportOptions(declared={"v": "json"})).tables["data"]

    assert column(rows_of(tables, found), "v") == ['{"a":12345678901234567890.10}', None, '"x"', "null"]


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_an_instant_outside_the_years_1_to_9999_is_none_of_utc(tmp_path: Path, text: str) -> None:
    tables = store(tmp_path)

    found = imported(tables, f"v\n{text}\n").tables["data"]

    assert column(rows_of(tables, found), "v") == [text]
    with pytest.raises(TooManyRejectedRows, match="is not timestamptz"):
        imported(tables, f"v\n{text}\n", ImportOptions(declared={"v": "timestamptz"}))
