"""Datasets as an analyst uses them from Python."""

import io
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dataforge.kernel.principal import Role
from dataforge_client import Ambiguous, AsyncClient, Client, Conflict, MergeConflict, NotFound, RefMoved
from tests.builders.served import ServedApi

MARKS = b"student,mark,passed\nN1,71,true\nN2,38,false\nN3,90,true\n"


def test_a_file_becomes_a_dataset_and_comes_back_as_frames(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "marks.csv"
    file.write_bytes(MARKS)
    grades = client.datasets.create("Grades")

    made = grades.upload(file, key=["student"], message="first")

    assert (made.updated_ref, made.rows_processed, made.unchanged) == ("main", 3, False)
    frame = client.datasets["Grades"].to_pandas()
    assert frame.to_dict("list") == {"student": ["N1", "N2", "N3"], "mark": [71, 38, 90], "passed": [True, False, True]}
    assert isinstance(client.datasets["Grades"].to_arrow(), pa.Table)
    assert client.datasets["Grades"].to_polars().equals(pl.read_csv(io.BytesIO(MARKS)))


def test_rows_and_columns_are_chosen(client: Client) -> None:
    grades = client.datasets.create("Grades")
    grades.upload(MARKS, name="marks.csv", key="student")

    frame = grades.to_pandas(columns=["student"], where={"column": "mark", "op": "gte", "value": 50})

    assert frame.to_dict("list") == {"student": ["N1", "N3"]}


def test_a_frame_is_changed_and_committed_onto_what_it_was_read_from(client: Client) -> None:
    grades = client.datasets.create("Grades")
    first = grades.upload(MARKS, name="marks.csv", key=["student"])
    frame, late = grades.to_pandas(), grades.to_pandas()
    frame.loc[frame["student"] == "N2", "mark"] = 55
    late.loc[late["student"] == "N3", "mark"] = 0

    second = grades.commit(frame, message="second look")

    assert second.previous_commit_id == first.new_commit_id
    with pytest.raises(RefMoved) as moved:
        grades.commit(late, message="too late")
    assert moved.value.code == "ref_moved"
    assert grades.to_pandas()["mark"].tolist() == [71, 55, 90]
    grades.commit(late, message="all the same", base="*")
    assert grades.to_pandas()["mark"].tolist() == [71, 38, 0]


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"id": [1, 2], "name": ["Ada", "Grace"]}),
        pl.DataFrame({"id": [1, 2], "name": ["Ada", "Grace"]}),
        pa.table({"id": [1, 2], "name": ["Ada", "Grace"]}),
        [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}],
    ],
    ids=["pandas", "polars", "arrow", "rows"],
)
def test_whatever_is_a_table_is_committed(client: Client, data: object) -> None:
    people = client.datasets.create("People")

    made = people.commit(data, message="new", key=["id"])  # type: ignore[arg-type]

    assert made.rows_processed == 2
    assert people.to_arrow().to_pylist() == [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]


def test_one_sheet_of_several_is_replaced_and_the_others_stay(client: Client) -> None:
    book = client.datasets.create("Book")
    book.commit([{"a": 1}], message="one", sheet="one")
    book.commit([{"b": 2}], message="two", sheet="two")

    with pytest.raises(Ambiguous, match="several sheets"):
        book.commit([{"a": 9}], message="which?")
    book.commit([{"a": 9}], message="one again", sheet="one")

    assert {sheet.sheet_name: sheet.row_count for sheet in book.sheets()} == {"one": 1, "two": 1}
    assert book.to_arrow(sheet="one").to_pylist() == [{"a": 9}]


def test_a_branch_is_changed_compared_and_merged(client: Client) -> None:
    grades = client.datasets.create("Grades")
    grades.upload(MARKS, name="marks.csv", key=["student"])
    grades.branch("fix")
    grades.change([{"op": "update", "key": {"student": "N2"}, "values": {"mark": 50}}], message="fix", ref="fix")
    grades.change([{"op": "delete", "key": {"student": "N3"}}], message="left", ref="fix")

    diff = grades.diff("main", "fix")

    assert diff.counts == {"inserted": 0, "updated": 1, "deleted": 1}
    assert {(change.kind, tuple(change.changed_columns)) for change in diff if change.kind == "updated"} == {
        ("updated", ("mark",))
    }
    cells = diff.to_pandas()
    assert cells[cells["kind"] == "updated"][["column", "before", "after"]].values.tolist() == [["mark", 38, 50]]
    assert not grades.preview_merge("fix").conflicts
    grades.merge("fix")
    assert grades.to_pandas()["student"].tolist() == ["N1", "N2"]
    assert [ref.name for ref in grades.refs("branch")] == ["fix", "main"]
    grades.delete_ref("fix")
    assert [ref.name for ref in grades.refs()] == ["main"]


def test_a_merge_in_conflict_says_where(client: Client) -> None:
    grades = client.datasets.create("Grades")
    grades.upload(MARKS, name="marks.csv", key=["student"])
    grades.branch("fix")
    for ref, mark in (("fix", 50), ("main", 60)):
        change = {"op": "update", "key": {"student": "N2"}, "values": {"mark": mark}}
        grades.change([change], message=str(mark), ref=ref)

    with pytest.raises(MergeConflict) as refused:
        grades.merge("fix")

    assert len(refused.value.conflicts) == 1
    grades.merge("fix", rule="theirs")
    assert grades.to_pandas()["mark"].tolist() == [71, 50, 90]


def test_a_history_of_many_pages_is_one_iterator(client: Client) -> None:
    grades = client.datasets.create("Grades")
    grades.upload(MARKS, name="marks.csv", key=["student"], message="0")
    for number in range(1, 60):
        change = {"op": "update", "key": {"student": "N1"}, "values": {"mark": number}}
        grades.change([change], message=str(number))
    grades.tag("v1", at="main")

    log = list(grades.log())

    assert [commit.message for commit in log[:-1]] == [str(number) for number in range(59, -1, -1)]
    assert log[0].is_head
    assert set(log[0].refs) == {"main", "v1"}
    assert grades.to_pandas(log[1].commit_id)["mark"].tolist() == [58, 38, 90]


def test_a_difference_of_many_pages_is_read_up_to_a_limit(client: Client) -> None:
    numbers = client.datasets.create("Numbers")
    numbers.commit([{"n": n, "square": n * n} for n in range(2500)], message="squares", key=["n"])
    numbers.tag("squares")
    numbers.commit([{"n": n, "square": n**3} for n in range(2500)], message="cubes", key=["n"])

    whole, part = numbers.diff("squares"), numbers.diff("squares", limit=1200)

    assert (len(whole), whole.truncated) == (2498, False)
    assert (len(part), part.truncated) == (1200, True)


def test_sql_answers_as_rows_and_frames(client: Client) -> None:
    grades = client.datasets.create("Grades")
    grades.upload(MARKS, name="marks.csv", key=["student"])

    result = grades.sql("SELECT passed, count(*) AS n FROM data GROUP BY passed ORDER BY n DESC")

    assert result.names == ["passed", "n"]
    assert result.to_dicts() == [{"passed": True, "n": 2}, {"passed": False, "n": 1}]
    assert result.to_pandas()["n"].tolist() == [2, 1]
    assert result.to_polars().rows() == [(True, 2), (False, 1)]


def test_sql_reads_reports_beside_datasets_as_of_a_watermark(client: Client) -> None:
    grades = client.datasets.create("Marks for SQL")
    grades.upload(MARKS, name="marks.csv", key=["student"])
    query = (
        'SELECT count(*) AS marks, count(c.user_id) AS completions FROM "Marks for SQL"@main g '
        "LEFT JOIN reports.completions c ON c.email = g.student"
    )

    result = client.sql(query)
    again = client.sql(query, as_of=result.watermark)

    assert result.to_dicts() == again.to_dicts() == [{"marks": 3, "completions": 0}]
    assert result.watermark == again.watermark
    assert client.sql("SELECT 1").watermark is None


def test_a_file_on_the_disk_is_whole_or_not_there(client: Client, tmp_path: Path) -> None:
    grades = client.datasets.create("Grades")
    grades.upload(MARKS, name="marks.csv", key=["student"])

    for ending in ("csv", "parquet", "jsonl", "xlsx"):
        assert grades.download(tmp_path / f"marks.{ending}").stat().st_size > 0
    with pytest.raises(NotFound):
        grades.download(tmp_path / "other.csv", "no-such-branch")

    assert pd.read_csv(tmp_path / "marks.csv")["mark"].tolist() == [71, 38, 90]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "marks.csv",
        "marks.jsonl",
        "marks.parquet",
        "marks.xlsx",
    ]


def test_names_are_found_exactly_and_ids_always(client: Client, served: ServedApi) -> None:
    grades = client.datasets.create("Grades")
    client.datasets.create("Grades of May")

    assert client.datasets.get("Grades").info().name == "Grades"
    assert client.datasets[grades.info().id].info().name == "Grades"
    assert [info.name for info in client.datasets.list("of may")] == ["Grades of May"]
    with pytest.raises(NotFound, match="no dataset 'Marks'"):
        client.datasets.get("Marks")
    with pytest.raises(Conflict):
        client.datasets.create("Grades")
    assert client.datasets.create("Grades", exist_ok=True).info().id == grades.info().id
    with Client(served.url, served.token(Role.ADMIN)) as admin:
        admin.datasets.create("Grades")
        with pytest.raises(Ambiguous, match="by its id"):
            admin.datasets.get("Grades")
    grades.delete()
    with pytest.raises(NotFound):
        client.datasets.get("Grades")


async def test_everything_can_be_awaited_as_well(awaited: AsyncClient, tmp_path: Path) -> None:
    grades = await awaited.datasets.create("Grades")

    await grades.upload(MARKS, name="marks.csv", key=["student"])
    await grades.branch("fix")
    await grades.change([{"op": "delete", "key": {"student": "N3"}}], message="left", ref="fix")
    await grades.merge("fix")

    assert (await awaited.datasets["Grades"].to_pandas())["student"].tolist() == ["N1", "N2"]
    assert [commit.message async for commit in grades.log()][:1] == ["left"]
    assert (await grades.diff("main", "fix")).identical
    assert (await grades.download(tmp_path / "marks.parquet")).exists()
    assert (await awaited.me())["role"] == "analyst"
    assert [job["run_type"] async for job in awaited.iterate(f"/api/datasets/{(await grades.info()).id}/jobs")]
