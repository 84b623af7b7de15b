"""Row operations and schema changes straight on a branch."""

import asyncio
from typing import Any

import pytest

from tests.builders.datasets import (
    COMMIT,
    DatasetsUnderTest,
    commit_rows,
    head,
    import_file,
    new_dataset,
    ok,
    refused,
    rows_of,
)


async def people(datasets: DatasetsUnderTest) -> tuple[Any, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    return client, dataset_id


async def test_rows_are_inserted_updated_and_deleted_in_one_commit(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    before = await head(client, dataset_id)

    response = await commit_rows(
        client,
        dataset_id,
        [
            {"op": "insert", "values": {"id": 4, "name": "Alan", "age": 41}},
            {"op": "update", "key": {"id": 1}, "values": {"age": 37}},
            {"op": "delete", "key": {"id": 3}},
        ],
    )

    body = ok(response, 201)
    assert (body["previous_commit_id"], body["updated_ref"], body["rows_processed"]) == (before, "main", 3)
    assert body["sheets"] == [{"sheet_name": "data", "row_count": 3, "inserted": 1, "updated": 1, "deleted": 1}]
    assert response.headers["etag"] == f'"{body["new_commit_id"]}"'
    assert [(row["id"], row["age"]) for row in await rows_of(client, dataset_id)] == [(1, 37), (2, 45), (4, 41)]


async def test_the_commit_it_was_made_on_must_be_named(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    body = {"message": "x", "operations": [{"op": "delete", "key": {"id": 1}}]}
    path = f"/api/datasets/{dataset_id}/refs/main/commits"

    missing = await client.post(path, json=body)
    unknown = await client.post(path, json=body, headers={"If-Match": f'"{COMMIT}"'})

    assert refused(missing) == (428, "precondition_required")
    assert refused(unknown) == (409, "ref_moved")
    assert unknown.json()["current_commit"] == await head(client, dataset_id)


async def test_of_sixteen_writers_on_one_branch_one_wins_and_the_others_are_told(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    at = await head(client, dataset_id)

    answers = await asyncio.gather(
        *(
            commit_rows(client, dataset_id, [{"op": "update", "key": {"id": 1}, "values": {"age": n}}], at=at)
            for n in range(16)
        )
    )

    now = await head(client, dataset_id)
    won = [answer for answer in answers if answer.status_code == 201]
    lost = [answer for answer in answers if answer.status_code == 409]
    assert (len(won), len(lost)) == (1, 15)
    assert won[0].json()["new_commit_id"] == now
    assert {(a.json()["code"], a.json()["expected_commit"], a.json()["current_commit"]) for a in lost} == {
        ("ref_moved", at, now)
    }


async def test_sixteen_writers_that_try_again_lose_no_update(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)

    async def insert(number: int) -> None:
        row = {"op": "insert", "values": {"id": 100 + number, "name": f"n{number}", "age": number}}
        for _ in range(40):
            answer = await commit_rows(client, dataset_id, [row])
            if answer.status_code == 201:
                return
            assert refused(answer) == (409, "ref_moved")
        pytest.fail("no turn in forty tries")

    await asyncio.gather(*(insert(number) for number in range(16)))

    ids = [row["id"] for row in await rows_of(client, dataset_id)]
    history = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/history"))["commits"]
    assert ids == [1, 2, 3, *range(100, 116)]
    assert len(history) == 18


async def test_a_repeated_request_with_its_key_commits_once(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    at = await head(client, dataset_id)
    body = {"message": "x", "operations": [{"op": "delete", "key": {"id": 1}}]}
    headers = {"If-Match": f'"{at}"', "Idempotency-Key": "k"}
    path = f"/api/datasets/{dataset_id}/refs/main/commits"

    first = await client.post(path, json=body, headers=headers)
    again = await client.post(path, json=body, headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_a_change_that_changes_nothing_makes_no_commit(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    at = await head(client, dataset_id)

    response = await commit_rows(client, dataset_id, [{"op": "update", "key": {"id": 1}, "values": {"age": 36}}])

    assert (ok(response)["unchanged"], response.json()["new_commit_id"]) == (True, at)


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ([], "nothing_to_commit"),
        ([{"op": "delete", "key": {"id": 99}}], "operation_refused"),
        ([{"op": "insert", "values": {"id": 1, "name": "x", "age": 1}}], "operation_refused"),
        ([{"op": "update", "key": {"id": 1}, "values": {"nope": 1}}], "operation_refused"),
        ([{"op": "update", "key": {"id": 1}, "values": {"age": "old"}}], "operation_refused"),
        ([{"op": "update", "key": {}, "values": {"age": 1}}], "operation_refused"),
        ([{"op": "delete", "key": {"id": 1}}, {"op": "delete", "key": {"id": 1}}], "operation_refused"),
        ([{"op": "delete", "key": {"id": 1}, "sheet": "nope"}], "sheet_not_found"),
    ],
)
async def test_an_operation_that_cannot_be_done_leaves_everything_as_it_was(
    datasets: DatasetsUnderTest, operations: list[Any], code: str
) -> None:
    client, dataset_id = await people(datasets)
    at = await head(client, dataset_id)

    response = await commit_rows(client, dataset_id, operations)

    assert response.json()["code"] == code
    assert await head(client, dataset_id) == at


async def test_a_table_can_be_made_filled_changed_and_dropped(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    columns = [{"name": "code", "type": "string"}, {"name": "credits", "type": "int"}]

    made = await commit_rows(
        client,
        dataset_id,
        [{"op": "insert", "sheet": "courses", "values": {"code": "A1", "credits": 5}}],
        create_tables=[{"sheet": "courses", "columns": columns, "key": ["code"]}],
    )
    changed = await commit_rows(
        client,
        dataset_id,
        [],
        schema_changes=[
            {
                "sheet": "courses",
                "rename": {"credits": "points"},
                "types": {"credits": "float"},
                "add": [{"name": "title", "type": "string"}],
            }
        ],
    )
    rows = await rows_of(client, dataset_id)
    dropped = await commit_rows(client, dataset_id, [], drop_tables=["courses"])

    assert [made.status_code, changed.status_code, dropped.status_code] == [201, 201, 201]
    assert rows == [{"code": "A1", "points": 5, "title": None}]
    assert ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/tables"))["tables"] == []


async def test_a_protected_branch_takes_no_direct_commit(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    ok(await client.put(f"/api/datasets/{dataset_id}/refs/main/protection", json={"protected": True}))

    response = await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}])

    assert refused(response) == (423, "ref_protected")


async def test_a_tag_takes_no_commit(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    ok(await client.post(f"/api/datasets/{dataset_id}/refs", json={"name": "v1", "kind": "tag"}), 201)

    response = await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}], ref="v1")

    assert refused(response) == (409, "not_a_branch")
