"""Pages, schema, overview, statistics, history and SQL of a version."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from tests.builders.datasets import (
    PEOPLE,
    DatasetsUnderTest,
    commit_rows,
    csv,
    head,
    import_file,
    new_dataset,
    ok,
    refused,
    rows_of,
)


def numbers(count: int) -> bytes:
    return csv([("id", "half", "word"), *((n, n / 2, f"w{n % 7}") for n in range(count))])


async def test_a_page_has_the_documented_shape(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    summary = await import_file(datasets, client, dataset_id, key=["id"])

    response = await client.get(f"/api/datasets/{dataset_id}/refs/main/data", params={"limit": 1, "offset": 1})

    assert ok(response) == {
        "dataset_id": dataset_id,
        "ref_name": "main",
        "commit_id": summary["new_commit_id"],
        "rows": [{"sheet_name": "data", "logical_row_id": "2", "data": {"id": 2, "name": "Grace", "age": 45}}],
        "total_rows": 3,
        "offset": 1,
        "limit": 1,
        "next_cursor": response.json()["next_cursor"],
        "has_more": True,
    }
    assert response.headers["etag"] == f'"{summary["new_commit_id"]}"'


async def test_row_ten_comes_after_row_two(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, numbers(12), key=["id"])

    assert [row["id"] for row in await rows_of(client, dataset_id)] == list(range(12))
    assert [row["id"] for row in await rows_of(client, dataset_id, sort="-key")] == list(range(11, -1, -1))


@pytest.mark.parametrize("sort", ["key", "-key"])
@pytest.mark.parametrize("filtered", [False, True])
async def test_cursors_walk_through_every_row_once_even_while_the_branch_moves(
    datasets: DatasetsUnderTest, sort: str, filtered: bool
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, numbers(50), key=["id"])
    params: dict[str, Any] = {"limit": 7, "sort": sort}
    if filtered:
        params["filter"] = json.dumps({"column": "word", "op": "in", "value": ["w1", "w3", "w5"]})
    path = f"/api/datasets/{dataset_id}/refs/main/data"
    seen, page = [], ok(await client.get(path, params=params))

    while True:
        seen += [row["data"]["id"] for row in page["rows"]]
        if not page["has_more"]:
            break
        ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": len(seen)}}]), 201)
        page = ok(await client.get(path, params={**params, "cursor": page["next_cursor"]}))

    wanted = [n for n in range(50) if not filtered or n % 7 in (1, 3, 5)]
    assert seen == (wanted if sort == "key" else wanted[::-1])


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"column": "age", "op": "eq", "value": 36}, ["Ada"]),
        ({"column": "age", "op": "neq", "value": 36}, ["Grace", "Linus"]),
        ({"column": "age", "op": "gt", "value": 36}, ["Grace"]),
        ({"column": "age", "op": "gte", "value": 36}, ["Ada", "Grace"]),
        ({"column": "age", "op": "lt", "value": 36}, ["Linus"]),
        ({"column": "age", "op": "lte", "value": 36}, ["Ada", "Linus"]),
        ({"column": "name", "op": "contains", "value": "a"}, ["Ada", "Grace"]),
        ({"column": "name", "op": "not_contains", "value": "a"}, ["Linus", "Null"]),
        ({"column": "name", "op": "starts_with", "value": "G"}, ["Grace"]),
        ({"column": "name", "op": "ends_with", "value": "s"}, ["Linus"]),
        ({"column": "id", "op": "in", "value": [1, 3]}, ["Ada", "Linus"]),
        ({"column": "id", "op": "not_in", "value": [1, 3]}, ["Grace", "Null"]),
        ({"column": "age", "op": "is_null"}, ["Null"]),
        ({"column": "age", "op": "is_not_null"}, ["Ada", "Grace", "Linus"]),
        (
            {
                "or": [
                    {"and": [{"column": "age", "op": "gt", "value": 30}, {"column": "id", "op": "lt", "value": 2}]},
                    {"column": "name", "op": "eq", "value": "Linus"},
                ]
            },
            ["Ada", "Linus"],
        ),
    ],
)
async def test_every_operator_filters(datasets: DatasetsUnderTest, where: dict[str, Any], found: list[str]) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, PEOPLE + b"4,Null,\n", key=["id"])

    rows = await rows_of(client, dataset_id, filter=json.dumps(where))

    assert [row["name"] for row in rows] == found


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"filter": "{"}, 422, "filter_refused"),
        ({"filter": '{"column": "age", "op": "like", "value": "x"}'}, 422, "filter_refused"),
        ({"filter": '{"column": "nope", "op": "eq", "value": 1}'}, 422, "filter_refused"),
        ({"columns": "nope"}, 422, "filter_refused"),
        ({"sheet": "nope"}, 404, "sheet_not_found"),
        ({"limit": "1001"}, 400, "validation_failed"),
        ({"offset": "-1"}, 400, "validation_failed"),
        ({"sort": "name"}, 400, "validation_failed"),
        ({"cursor": "forged"}, 400, "invalid_cursor"),
    ],
)
async def test_a_request_that_makes_no_sense_is_told_why(
    datasets: DatasetsUnderTest, params: dict[str, str], status: int, code: str
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id)

    response = await client.get(f"/api/datasets/{dataset_id}/refs/main/data", params=params)

    assert refused(response) == (status, code)


async def test_rows_that_do_not_fit_into_an_answer_are_refused_with_advice(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, csv([("id", "text"), *((n, "x" * 50_000) for n in range(120))]))
    path = f"/api/datasets/{dataset_id}/refs/main/data"

    all_rows = await client.get(path, params={"limit": 1000})
    some = await client.get(path, params={"limit": 50})

    assert refused(all_rows) == (422, "answer_too_large")
    assert len(ok(some)["rows"]) == 50


async def test_a_dataset_without_tables_says_so(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    response = await client.get(f"/api/datasets/{dataset_id}/refs/main/data")

    assert refused(response) == (404, "sheet_not_found")


async def test_one_of_several_sheets_must_be_named(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, table="people")
    await import_file(datasets, client, dataset_id, csv([("c",), (1,)]), table="courses", keep_other_tables=True)

    unnamed = await client.get(f"/api/datasets/{dataset_id}/refs/main/data")
    named = await rows_of(client, dataset_id, sheet="courses")

    assert refused(unnamed) == (404, "sheet_not_found")
    assert unnamed.json()["sheets"] == ["people", "courses"]
    assert named == [{"c": 1}]


async def test_not_a_number_and_infinity_are_texts_and_not_null(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    data = b"id,x\n1,nan\n2,inf\n3,-inf\n4,\n5,1.5\n"
    await import_file(datasets, client, dataset_id, data, declared_types={"x": "float"})
    path = f"/api/datasets/{dataset_id}/refs/main"

    page = await client.get(f"{path}/data")
    statistics = await client.get(f"{path}/statistics")

    assert [row["data"]["x"] for row in ok(page)["rows"]][:4] == ["NaN", "Infinity", "-Infinity", None]
    for answer in (page, statistics):
        json.loads(answer.text, parse_constant=pytest.fail)


async def test_an_old_commit_stays_readable(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    first = (await import_file(datasets, client, dataset_id, key=["id"]))["new_commit_id"]
    ok(await commit_rows(client, dataset_id, [{"op": "update", "key": {"id": 1}, "values": {"age": 37}}]), 201)

    old = ok(await client.get(f"/api/datasets/{dataset_id}/commits/{first}/data"))
    new = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/data"))

    assert (old["ref_name"], old["rows"][0]["data"]["age"]) == (None, 36)
    assert (new["ref_name"], new["rows"][0]["data"]["age"]) == ("main", 37)


async def test_schema_tables_and_overview_describe_the_version(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    path = f"/api/datasets/{dataset_id}/refs/main"

    schema = ok(await client.get(f"{path}/schema"))["sheets"][0]
    tables = ok(await client.get(f"{path}/tables"))["tables"]
    overview = ok(await client.get(f"{path}/overview"))

    assert [(column["name"], column["type"]) for column in schema["columns"]] == [
        ("id", "int"),
        ("name", "string"),
        ("age", "int"),
    ]
    assert schema["key"] == ["id"]
    assert [(table["sheet_name"], table["row_count"], table["column_count"]) for table in tables] == [("data", 3, 3)]
    assert (overview["row_count"], overview["commits"], overview["branches"]) == (3, 2, 1)
    assert overview["sheets"][0]["sample"][0] == {"id": 1, "name": "Ada", "age": 36}


async def test_statistics_are_computed_once_per_content_and_shown_for_any_commit(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    first = (await import_file(datasets, client, dataset_id, PEOPLE + b"4,Ada,\n", key=["id"]))["new_commit_id"]
    path = f"/api/datasets/{dataset_id}"

    computed = ok(await client.get(f"{path}/refs/main/statistics"))
    async with datasets.services.database.transaction() as connection:
        mark = text("UPDATE datasets.table_statistics SET statistics = statistics || '{\"row_count\": 77}' RETURNING 1")
        stored = len((await connection.execute(mark)).all())
    known = ok(await client.get(f"{path}/refs/main/statistics"))
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 4}}]), 201)
    later = ok(await client.get(f"{path}/refs/main/statistics"))
    old = ok(await client.get(f"{path}/commits/{first}/statistics"))
    ok(await commit_rows(client, dataset_id, [{"op": "insert", "values": {"id": 4, "name": "Ada"}}]), 201)
    again = ok(await client.get(f"{path}/refs/main/statistics"))

    ages = {column["name"]: column for column in computed["columns"]}["age"]
    assert (computed["row_count"], ages["nulls"], ages["min"], ages["max"]) == (4, 1, 21, 45)
    assert (stored, known["row_count"]) == (1, 77)
    assert (later["row_count"], later["columns"][2]["nulls"]) == (3, 0)
    # The same rows by whatever commit, and only those, are known already.
    assert [answer["row_count"] for answer in (old, again)] == [77, 77]


class TestHistory:
    async def test_pages_through_the_graph_children_first(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        await import_file(datasets, client, dataset_id, key=["id"])
        for age in range(5):
            change = [{"op": "update", "key": {"id": 1}, "values": {"age": age}}]
            ok(await commit_rows(client, dataset_id, change, message=f"age {age}"), 201)
        path = f"/api/datasets/{dataset_id}/refs/main/history"

        first = ok(await client.get(path, params={"limit": 4}))
        ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 3}}]), 201)
        second = ok(await client.get(first["next"]))

        rows = first["commits"] + second["commits"]
        assert [row["message"] for row in rows] == [
            "age 4", "age 3", "age 2", "age 1", "age 0", "Import people.csv", "Initial commit",
        ]  # fmt: skip
        assert [row["is_head"] for row in rows] == [True, *[False] * 6]
        assert [row["parent_commit_id"] for row in rows[:-1]] == [row["commit_id"] for row in rows[1:]]
        assert second["next"] is None

    async def test_of_a_row_names_the_commits_that_changed_it(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        await import_file(datasets, client, dataset_id, key=["id"])
        ok(await commit_rows(client, dataset_id, [{"op": "update", "key": {"id": 2}, "values": {"age": 1}}]), 201)
        ok(await commit_rows(client, dataset_id, [{"op": "update", "key": {"id": 1}, "values": {"age": 2}}]), 201)
        ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 2}}]), 201)
        path = f"/api/datasets/{dataset_id}/refs/main/row-history"

        history = ok(await client.get(path, params={"key": "[2]"}))["history"]

        assert [item["kind"] for item in history] == ["deleted", "updated", "inserted"]
        assert [item["data"] and item["data"]["age"] for item in history] == [None, 1, 45]

    @pytest.mark.parametrize("key", ["2", "{}", "[]", "[[1]]", "x", '["not a number"]', "[1, 2]"])
    async def test_of_something_that_is_no_key_is_refused(self, datasets: DatasetsUnderTest, key: str) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        await import_file(datasets, client, dataset_id, key=["id"])

        response = await client.get(f"/api/datasets/{dataset_id}/refs/main/row-history", params={"key": key})

        assert response.status_code == 422


class TestSql:
    async def test_a_select_over_a_version(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        await import_file(datasets, client, dataset_id, key=["id"])
        first = await head(client, dataset_id)
        ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 3}}]), 201)
        statement = {"sql": "SELECT count(*) AS n, max(age) AS oldest FROM data"}

        sql = await datasets.sql_client(client)

        new = ok(await sql.post(f"/api/datasets/{dataset_id}/refs/main/sql", json=statement))
        old = ok(await sql.post(f"/api/datasets/{dataset_id}/commits/{first}/sql", json=statement))

        assert ([column["name"] for column in new["columns"]], new["rows"]) == (["n", "oldest"], [[2, 45]])
        assert old["rows"] == [[3, 45]]

    async def test_a_key_of_a_request_that_may_be_repeated_anyway_does_no_harm(
        self, datasets: DatasetsUnderTest
    ) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        await import_file(datasets, client, dataset_id)
        sql = await datasets.sql_client(client)
        path, body = f"/api/datasets/{dataset_id}/refs/main/sql", {"sql": "SELECT count(*) AS n FROM data"}

        answer = ok(await sql.post(path, json=body, headers={"Idempotency-Key": "k-1"}))

        assert answer["rows"] == [[3]]

    async def test_rows_are_capped_and_a_plan_can_be_asked_for(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        await import_file(datasets, client, dataset_id, numbers(50))
        path = f"/api/datasets/{dataset_id}/refs/main/sql"

        capped = ok(await client.post(path, json={"sql": "SELECT * FROM data", "max_rows": 10}))
        plan = ok(await client.post(path, json={"sql": "EXPLAIN SELECT * FROM data WHERE id > 3"}))

        assert (len(capped["rows"]), capped["truncated"]) == (10, True)
        assert plan["rows"]

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM data",
            "SELECT 1; SELECT 2",
            "COPY data TO 'x.csv'",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM 'http://example.org/x.parquet'",
            "INSTALL httpfs",
            "ATTACH 'x.db'",
            "SET memory_limit = '10GB'",
            "SELECT * FROM nowhere",
            "SELEC",
        ],
    )
    async def test_anything_else_is_refused(self, datasets: DatasetsUnderTest, statement: str) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        await import_file(datasets, client, dataset_id)

        response = await client.post(f"/api/datasets/{dataset_id}/refs/main/sql", json={"sql": statement})

        assert refused(response) == (422, "sql_refused")
