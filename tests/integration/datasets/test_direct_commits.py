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


async def sent(client: Any, dataset_id: str, values: str) -> Any:
    """Insert one row whose cells are this JSON, digit by digit."""
    body = f'{{"message": "x", "operations": [{{"op": "insert", "values": {values}}}]}}'
    headers = {"If-Match": f'"{await head(client, dataset_id)}"', "Content-Type": "application/json"}
    return await client.post(f"/api/datasets/{dataset_id}/refs/main/commits", content=body, headers=headers)


async def wide_numbers(datasets: DatasetsUnderTest, key: str = "k") -> tuple[Any, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    columns = [("k", "int"), ("i", "int"), ("f", "float"), ("d", "decimal(38,18)"), ("w", "decimal(76,0)")]
    made = {"sheet": "data", "columns": [{"name": name, "type": type_} for name, type_ in columns], "key": [key]}
    ok(await commit_rows(client, dataset_id, [], create_tables=[made]), 201)
    return client, dataset_id


async def test_a_number_keeps_every_digit_that_its_column_holds(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await wide_numbers(datasets)
    cells = {
        "i": "9223372036854775807",
        "f": "0.30000000000000004",
        "d": "12345678901234567.123456789012345678",
        "w": "1" + "0" * 74 + "1",
    }

    response = await sent(client, dataset_id, "{" + "".join(f'"{c}": {n}, ' for c, n in cells.items()) + '"k": 1}')

    ok(response, 201)
    assert {name: str(cell) for name, cell in (await rows_of(client, dataset_id))[0].items()} == {**cells, "k": "1"}


async def test_a_number_that_would_lose_digits_is_refused(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await wide_numbers(datasets)
    numbers = [
        ("i", "-9223372036854775809"),
        ("i", "9007199254740993.5"),
        ("f", "123456789012345678901234567890"),
        ("f", "1e-400"),
        ("f", "0.12345678901234567890"),
        ("d", "1e-400"),
        ("d", "0.1000000000000000055"),
    ]

    for name, number in numbers:
        response = await sent(client, dataset_id, f'{{"k": 1, "{name}": {number}}}')

        assert refused(response) == (422, "operation_refused"), number
        assert f"column {name!r}" in response.json()["detail"]


async def test_keys_of_many_digits_are_told_apart(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await wide_numbers(datasets, key="w")
    keys = [f"1{'0' * 60}{last:02}" for last in range(40)]
    for key in keys:
        ok(await sent(client, dataset_id, f'{{"w": {key}, "i": {int(key[-2:])}}}'), 201)

    changed = {"op": "update", "key": {"w": keys[17]}, "values": {"i": -1}}
    ok(await commit_rows(client, dataset_id, [changed, {"op": "delete", "key": {"w": keys[3]}}]), 201)

    expected = [(key, -1 if at == 17 else at) for at, key in enumerate(keys) if at != 3]
    assert [(row["w"], row["i"]) for row in await rows_of(client, dataset_id)] == expected
