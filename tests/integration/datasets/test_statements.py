"""SQL over several datasets, and results as files."""

import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataforge.kernel.clock import FixedClock
from tests.builders.datasets import (
    DatasetsUnderTest,
    commit_rows,
    csv,
    head,
    import_file,
    new_dataset,
    ok,
    refused,
)

GRADES = csv([("id", "score"), (1, 90), (2, 70), (3, 50)])
ROSTER = csv([("id", "name"), (1, "Ada"), (2, "Grace"), (4, "Alan")])


async def tables(datasets: DatasetsUnderTest) -> tuple[httpx.AsyncClient, str, str]:
    """Grades and a roster of one analyst, and a client of theirs for SQL."""
    client = await datasets.analyst()
    grades, roster = await new_dataset(client, "grades"), await new_dataset(client, "Roster 2026")
    await import_file(datasets, client, grades, GRADES, key=["id"])
    await import_file(datasets, client, roster, ROSTER, key=["id"])
    return client, grades, roster


async def run(datasets: DatasetsUnderTest, client: httpx.AsyncClient, sql: str, **more: Any) -> httpx.Response:
    sql_client = await datasets.sql_client(client)
    return await sql_client.post("/api/sql", json={"sql": sql, "max_rows": 1000} | more)


JOINED = 'SELECT name, score FROM grades@main AS g JOIN "Roster 2026"@main AS r USING (id) ORDER BY name'


async def test_tables_of_several_datasets_are_joined_by_name_and_by_id(datasets: DatasetsUnderTest) -> None:
    client, grades, roster = await tables(datasets)

    by_name = ok(await run(datasets, client, JOINED))
    by_id = ok(await run(datasets, client, f'SELECT count(*) FROM {grades}@main JOIN "{roster}"@main USING (id)'))

    assert by_name["rows"] == [["Ada", 90], ["Grace", 70]]
    assert by_id["rows"] == [[2]]
    assert by_name["columns"][1] == {"name": "score", "type": "int64"}
    assert [(source["dataset_id"], source["ref_name"], source["sheet_name"]) for source in by_name["sources"]] == [
        (grades, "main", "data"),
        (roster, "main", "data"),
    ]


async def test_two_versions_of_one_dataset_are_two_tables(datasets: DatasetsUnderTest) -> None:
    client, grades, _ = await tables(datasets)
    before = await head(client, grades)
    ok(await commit_rows(client, grades, [{"op": "update", "key": {"id": 1}, "values": {"score": 95}}]), 201)

    answer = ok(
        await run(
            datasets,
            client,
            f"SELECT a.score, b.score FROM grades@{before} a JOIN grades@main b USING (id) WHERE a.score != b.score",
        )
    )

    assert answer["rows"] == [[90, 95]]
    assert [source["commit_id"] for source in answer["sources"]] == [before, await head(client, grades)]


async def test_a_column_may_be_named_with_its_table(datasets: DatasetsUnderTest) -> None:
    client, _, _ = await tables(datasets)

    answer = await run(datasets, client, "SELECT max(grades@main.score) FROM grades@main")
    sheet = await run(datasets, client, "SELECT count(*) FROM grades@main.data")

    assert ok(answer)["rows"] == [[90]]
    assert ok(sheet)["rows"] == [[3]]


async def test_datasets_that_the_caller_may_not_read_are_not_there(datasets: DatasetsUnderTest) -> None:
    client, grades, _ = await tables(datasets)
    stranger = await datasets.analyst()
    reader = await datasets.member(client, grades, "read")

    by_name = await run(datasets, stranger, "SELECT * FROM grades@main")
    by_id = await run(datasets, stranger, f"SELECT * FROM {grades}@main")
    half = await run(datasets, reader, JOINED)
    granted = await run(datasets, reader, "SELECT count(*) FROM grades@main")

    assert refused(by_name) == refused(by_id) == refused(half) == (404, "dataset_not_found")
    assert "Roster" in half.json()["detail"]
    assert ok(granted)["rows"] == [[3]]


async def test_near_misses_are_named_with_their_place(datasets: DatasetsUnderTest) -> None:
    client, _, _ = await tables(datasets)

    dataset = await run(datasets, client, "SELECT *\nFROM gradse@main")
    version = await run(datasets, client, "SELECT * FROM grades@mian")
    column = await run(
        datasets, client, "SELECT scor\nFROM grades@main AS g,\n  grades@main.data AS h WHERE g.scor > 1"
    )
    unknown = await run(datasets, client, "SELECT * FROM grades")

    assert refused(dataset) == (404, "dataset_not_found")
    assert 'did you mean "grades"' in dataset.json()["detail"]
    assert (dataset.json()["line"], dataset.json()["column"]) == (2, 6)
    assert refused(version) == (404, "ref_not_found")
    assert 'did you mean "main"' in version.json()["detail"]
    assert (version.json()["line"], version.json()["column"]) == (1, 15)
    assert refused(column) == (422, "sql_refused")
    assert (column.json()["line"], column.json()["column"]) in {(1, 8), (3, 31)}
    assert refused(unknown) == (422, "sql_refused")
    assert "Did you mean grades@main?" in unknown.json()["detail"]


async def test_a_place_behind_a_rewritten_name_is_the_one_that_was_sent(datasets: DatasetsUnderTest) -> None:
    client, _, _ = await tables(datasets)

    answer = await run(datasets, client, "SELECT 1 FROM grades@main WHERE nope = 1")

    assert refused(answer) == (422, "sql_refused")
    assert (answer.json()["line"], answer.json()["column"]) == (1, 33)
    assert "(line 1, column 33)" in answer.json()["detail"]


async def test_a_name_of_several_datasets_asks_for_an_id(datasets: DatasetsUnderTest) -> None:
    client, grades, _ = await tables(datasets)
    reader = await datasets.member(client, grades, "read")
    other = await datasets.analyst()
    twin = await new_dataset(other, "grades")
    grants = ok(await client.get(f"/api/datasets/{grades}/permissions"))["items"]
    [user_id] = [grant["subject_id"] for grant in grants if grant["level"] == "read"]
    ok(await other.put(f"/api/datasets/{twin}/permissions/user/{user_id}", json={"level": "read"}))

    answer = await run(datasets, reader, "SELECT * FROM grades@main")

    assert refused(answer) == (422, "sql_refused")
    assert grades in answer.json()["detail"]
    assert twin in answer.json()["detail"]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM grades@main",
        "SELECT * FROM grades@main; SELECT 1",
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY grades@main TO '/tmp/x'",
    ],
)
async def test_only_a_select_over_tables_is_run(datasets: DatasetsUnderTest, sql: str) -> None:
    client, _, _ = await tables(datasets)

    assert refused(await run(datasets, client, sql)) == (422, "sql_refused")


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("csv", "text/csv"),
        ("jsonl", "application/x-ndjson"),
        ("parquet", "application/vnd.apache.parquet"),
        ("arrow", "application/vnd.apache.arrow.stream"),
    ],
)
async def test_a_result_is_a_file_by_accept(datasets: DatasetsUnderTest, form: str, media_type: str) -> None:
    client, grades, _ = await tables(datasets)
    sql_client = await datasets.sql_client(client)
    nested = "SELECT id, {'a': [score, NULL]} AS parts, INTERVAL 1 DAY AS length, 1 AS id FROM data ORDER BY 1 LIMIT 2"

    over = await sql_client.post("/api/sql", json={"sql": JOINED, "max_rows": 1}, headers={"Accept": media_type})
    one = await sql_client.post(f"/api/datasets/{grades}/refs/main/sql", params={"format": form}, json={"sql": nested})

    assert (over.status_code, one.status_code) == (200, 200), (over.text, one.text)
    assert over.headers["Content-Type"].split(";")[0] == media_type
    assert over.headers["X-Result-Truncated"] == "true"
    if form == "csv":
        assert over.text == "name,score\nAda,90\n"
        assert one.text.splitlines()[1].startswith('1,"{""a"":[90,null]}"')
    elif form == "jsonl":
        assert json.loads(over.text) == {"name": "Ada", "score": 90}
        assert json.loads(one.text.splitlines()[0])["parts"] == '{"a":[90,null]}'
    else:
        read = pq.read_table if form == "parquet" else lambda data: pa.ipc.open_stream(data).read_all()
        assert read(io.BytesIO(over.content)).to_pylist() == [{"name": "Ada", "score": 90}]
        assert read(io.BytesIO(one.content)).num_rows == 2


async def test_an_unknown_accept_is_refused(datasets: DatasetsUnderTest) -> None:
    client, _, _ = await tables(datasets)
    sql_client = await datasets.sql_client(client)

    answer = await sql_client.post("/api/sql", json={"sql": "SELECT 1"}, headers={"Accept": "image/png"})

    assert refused(answer) == (406, "not_acceptable")


WHOLE = "SELECT * FROM grades@main ORDER BY id"


async def test_what_the_function_keeps_is_never_what_was(datasets: DatasetsUnderTest) -> None:
    client, grades, _ = await tables(datasets)
    before = await head(client, grades)
    at_first = ok(await run(datasets, client, WHOLE))["rows"]
    change = [{"op": "update", "key": {"id": 2}, "values": {"score": 71}}, {"op": "delete", "key": {"id": 3}}]

    ok(await commit_rows(client, grades, change), 201)
    changed = ok(await run(datasets, client, WHOLE))["rows"]
    ok(await commit_rows(client, grades, [], schema_changes=[{"drop": ["score"]}]), 201)
    dropped = ok(await run(datasets, client, WHOLE))["rows"]
    gone = await run(datasets, client, "SELECT score FROM grades@main")
    ok(await commit_rows(client, grades, [], schema_changes=[{"add": [{"name": "score", "type": "int"}]}]), 201)
    added = ok(await run(datasets, client, WHOLE))["rows"]
    as_it_was = ok(await run(datasets, client, f'SELECT * FROM grades@"{before}" ORDER BY id'))["rows"]

    assert at_first == as_it_was == [[1, 90], [2, 70], [3, 50]]
    assert changed == [[1, 90], [2, 71]]
    assert dropped == [[1], [2]]
    assert refused(gone) == (422, "sql_refused")
    assert added == [[1, None], [2, None]]


async def test_what_the_function_keeps_is_for_nobody_else(datasets: DatasetsUnderTest, clock: FixedClock) -> None:
    client, grades, _ = await tables(datasets)
    stranger = await datasets.analyst()
    ok(await run(datasets, client, WHOLE))

    by_id = await run(datasets, stranger, f"SELECT * FROM {grades}@main")
    ok(await client.delete(f"/api/datasets/{grades}", headers={"If-Match": "*"}), 204)
    deleted = await run(datasets, client, f"SELECT * FROM {grades}@main")
    clock.advance(timedelta(days=31))
    assert await datasets.services.maintenance.purge(UUID(grades))
    clock.advance(-timedelta(days=31))  # a token lives a day
    purged = await run(datasets, client, f"SELECT * FROM {grades}@main")

    assert refused(by_id) == refused(deleted) == refused(purged) == (404, "dataset_not_found")


async def test_what_outgrows_the_function_is_told_where_to_run(datasets: DatasetsUnderTest) -> None:
    client, grades, roster = await tables(datasets)
    commit = await head(client, roster)
    outgrown = "(SELECT list(range) FROM range(200000000))"
    sql = await datasets.sql_client(client)

    several = await run(datasets, client, f'SELECT {outgrown} FROM grades@main, {roster}@"{commit}"')
    one = await sql.post(f"/api/datasets/{grades}/refs/main/sql", json={"sql": f"SELECT {outgrown} FROM data"})
    none = await run(datasets, client, f"SELECT {outgrown}")

    addresses = [
        f"/api/datasets/{grades}/refs/main/publications",
        f"/api/datasets/{roster}/commits/{commit}/publications",
    ]
    assert refused(several) == refused(one) == refused(none) == (422, "sql_refused")
    assert "needs more memory" in several.json()["detail"]
    assert f"POST {addresses[0]}, {addresses[1]}" in several.json()["detail"]
    assert (several.json()["publications"], several.json()["docs"]) == (addresses, "docs/iceberg.md")
    assert one.json()["publications"] == addresses[:1]
    assert "publications" not in none.json()
    ok(await client.post(addresses[0], json={}), 202)
    ok(await client.post(addresses[1], json={}), 202)
