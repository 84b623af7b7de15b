"""Merge, revert and cherry-pick over HTTP."""

from typing import Any

import pytest

from tests.builders.datasets import (
    COMMIT,
    DatasetsUnderTest,
    branch,
    commit_rows,
    csv,
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
    await branch(client, dataset_id, "mine")
    return client, dataset_id


def update(key: int, **values: Any) -> dict[str, Any]:
    return {"op": "update", "key": {"id": key}, "values": values}


async def merge(client: Any, dataset_id: str, **body: Any) -> Any:
    return await client.post(f"/api/datasets/{dataset_id}/refs/main/merge", json={"source": "mine", **body})


async def both_changed_ada(datasets: DatasetsUnderTest) -> tuple[Any, str]:
    client, dataset_id = await people(datasets)
    ok(await commit_rows(client, dataset_id, [update(1, age=40)]), 201)
    ok(await commit_rows(client, dataset_id, [update(1, age=50)], ref="mine"), 201)
    return client, dataset_id


async def test_a_branch_that_is_only_ahead_is_fast_forwarded(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    ok(await commit_rows(client, dataset_id, [update(1, age=40)], ref="mine"), 201)

    merged = ok(await merge(client, dataset_id), 201)
    again = ok(await merge(client, dataset_id))

    assert merged["new_commit_id"] == await head(client, dataset_id) == await head(client, dataset_id, "mine")
    assert again["unchanged"] is True


async def test_different_cells_of_one_row_are_both_kept(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    ok(await commit_rows(client, dataset_id, [update(1, age=40)]), 201)
    ok(await commit_rows(client, dataset_id, [update(1, name="Ada L.")], ref="mine"), 201)
    ours, theirs = await head(client, dataset_id), await head(client, dataset_id, "mine")

    merged = ok(await merge(client, dataset_id), 201)

    assert (await rows_of(client, dataset_id))[0] == {"id": 1, "name": "Ada L.", "age": 40}
    commit = ok(await client.get(f"/api/datasets/{dataset_id}/commits/{merged['new_commit_id']}"))
    assert (commit["parent_commit_id"], commit["merge_parent_id"]) == (ours, theirs)
    history = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/history"))["commits"]
    assert len(history) == 5


async def test_a_cell_changed_on_both_sides_is_a_conflict_with_all_three_rows(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await both_changed_ada(datasets)
    before = await head(client, dataset_id)

    response = await merge(client, dataset_id)

    assert refused(response) == (409, "merge_conflicts")
    conflict = response.json()["conflicts"][0]
    assert (conflict["sheet_name"], conflict["row_id"], conflict["columns"]) == ("data", "1", ["age"])
    assert [conflict[side]["age"] for side in ("base", "ours", "theirs")] == [36, 40, 50]
    assert await head(client, dataset_id) == before


@pytest.mark.parametrize(
    ("how", "age"),
    [
        ({"rule": "ours"}, 40),
        ({"rule": "theirs"}, 50),
        ({"resolutions": [{"row_id": "1", "take": "theirs"}]}, 50),
        ({"resolutions": [{"row_id": "1", "take": "base"}]}, 36),
        ({"resolutions": [{"row_id": "1", "values": {"age": 45}}]}, 45),
        ({"rule": "theirs", "resolutions": [{"sheet": "data", "row_id": "1", "take": "ours"}]}, 40),
    ],
)
async def test_a_conflict_is_resolved_by_rule_or_by_row(
    datasets: DatasetsUnderTest, how: dict[str, Any], age: int
) -> None:
    client, dataset_id = await both_changed_ada(datasets)

    ok(await merge(client, dataset_id, **how), 201)

    assert (await rows_of(client, dataset_id))[0]["age"] == age


async def test_a_preview_tells_what_would_happen_and_changes_nothing(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await both_changed_ada(datasets)
    before = await head(client, dataset_id)

    preview = ok(await merge(client, dataset_id, preview=True))
    settled = ok(await merge(client, dataset_id, preview=True, rule="theirs"))

    assert (preview["conflict_count"], preview["fast_forward"]) == (1, False)
    assert (settled["conflict_count"], settled["sheets"][0]["changes"]["updated"]) == (0, 1)
    assert await head(client, dataset_id) == before


async def test_without_a_key_a_row_changed_on_both_sides_is_a_conflict_by_its_number(
    datasets: DatasetsUnderTest,
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    rows = [(1, "Ada", 36), (2, "Grace", 45), (3, "Linus", 21)]
    header = ("id", "name", "age")
    await import_file(datasets, client, dataset_id, csv([header, *rows]))
    await branch(client, dataset_id, "mine")
    await import_file(datasets, client, dataset_id, csv([header, rows[0], (2, "Grace", 46), rows[2]]))
    await import_file(datasets, client, dataset_id, csv([header, rows[0], (2, "Hopper", 45)]), ref="mine")

    refusal = await merge(client, dataset_id)
    resolution = {"row_id": "row 2", "values": {"name": "Hopper"}}
    ok(await merge(client, dataset_id, resolutions=[resolution]), 201)

    assert refused(refusal) == (409, "merge_conflicts")
    assert [(c["row_id"], c["kind"], c["columns"]) for c in refusal.json()["conflicts"]] == [
        ("row 2", "both_replaced", ["name", "age"])
    ]
    assert await rows_of(client, dataset_id) == [
        {"id": 1, "name": "Ada", "age": 36},
        {"id": 2, "name": "Hopper", "age": 46},
    ]


async def test_sheets_are_merged_one_by_one(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    await import_file(
        datasets, client, dataset_id, csv([("c",), (1,)]), table="courses", keep_other_tables=True, ref="mine"
    )
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 3}}]), 201)

    ok(await merge(client, dataset_id), 201)

    tables = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/tables"))["tables"]
    assert [(table["sheet_name"], table["row_count"]) for table in tables] == [("data", 2), ("courses", 1)]


async def test_a_sheet_removed_here_and_changed_there_is_a_conflict(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    ok(await commit_rows(client, dataset_id, [], drop_tables=["data"]), 201)
    ok(await commit_rows(client, dataset_id, [update(1, age=50)], ref="mine"), 201)

    conflict = (await merge(client, dataset_id)).json()["conflicts"][0]
    resolution = {"sheet": "data", "row_id": "", "take": "theirs"}
    ok(await merge(client, dataset_id, resolutions=[resolution]), 201)

    assert (conflict["row_id"], conflict["kind"]) == ("", "sheet_deleted_by_us")
    assert (await rows_of(client, dataset_id))[0]["age"] == 50


async def test_a_branch_that_moved_since_it_was_read_is_not_merged_into(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    path = f"/api/datasets/{dataset_id}/refs/main/merge"

    response = await client.post(path, json={"source": "mine"}, headers={"If-Match": f'"{COMMIT}"'})

    assert refused(response) == (409, "ref_moved")


async def test_a_protected_branch_is_merged_into_by_reviews_only(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    ok(await commit_rows(client, dataset_id, [update(1, age=50)], ref="mine"), 201)
    ok(await client.put(f"/api/datasets/{dataset_id}/refs/main/protection", json={"protected": True}))

    forward = await merge(client, dataset_id)
    commit = await merge(client, dataset_id, fast_forward=False)

    assert refused(forward) == refused(commit) == (423, "ref_protected")


async def test_a_revert_undoes_one_commit_and_keeps_the_later_ones(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    wrong = ok(await commit_rows(client, dataset_id, [update(1, age=99)]), 201)["new_commit_id"]
    ok(await commit_rows(client, dataset_id, [update(2, age=46)]), 201)

    ok(await client.post(f"/api/datasets/{dataset_id}/refs/main/revert", json={"commit_id": wrong}), 201)

    assert [row["age"] for row in await rows_of(client, dataset_id)] == [36, 46, 21]


async def test_a_revert_of_something_changed_since_is_a_conflict(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    wrong = ok(await commit_rows(client, dataset_id, [update(1, age=99)]), 201)["new_commit_id"]
    ok(await commit_rows(client, dataset_id, [update(1, age=100)]), 201)

    response = await client.post(f"/api/datasets/{dataset_id}/refs/main/revert", json={"commit_id": wrong})

    assert refused(response) == (409, "merge_conflicts")


async def test_a_cherry_pick_brings_one_commit_over(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    ok(await commit_rows(client, dataset_id, [update(1, age=1)], ref="mine"), 201)
    wanted = ok(await commit_rows(client, dataset_id, [update(2, age=2)], ref="mine"), 201)["new_commit_id"]

    ok(await client.post(f"/api/datasets/{dataset_id}/refs/main/cherry-pick", json={"commit_id": wanted}), 201)

    assert [row["age"] for row in await rows_of(client, dataset_id)] == [36, 2, 21]


async def test_the_first_commit_cannot_be_reverted(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    first = await head(client, dataset_id)

    response = await client.post(f"/api/datasets/{dataset_id}/refs/main/revert", json={"commit_id": first})

    assert refused(response) == (409, "no_parent")


async def test_a_move_backwards_needs_force(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    old = await head(client, dataset_id)
    ok(await commit_rows(client, dataset_id, [update(1, age=1)]), 201)
    path = f"/api/datasets/{dataset_id}/refs/main"
    headers = {"If-Match": f'"{await head(client, dataset_id)}"'}

    refusal = await client.patch(path, json={"commit_id": old}, headers=headers)
    forced = ok(await client.patch(path, json={"commit_id": old, "force": True}, headers=headers))

    assert refused(refusal) == (409, "not_fast_forward")
    assert forced["commit_id"] == old


async def test_tables_whose_names_differ_only_in_capitals_are_a_conflict_before_the_merge_is_made(
    datasets: DatasetsUnderTest,
) -> None:
    client, dataset_id = await people(datasets)
    for ref, sheet in (("mine", "T2"), ("main", "t2")):
        made = {"sheet": sheet, "columns": [{"name": "id", "type": "int"}], "key": ["id"]}
        ok(await commit_rows(client, dataset_id, [], ref=ref, create_tables=[made]), 201)

    preview = ok(await merge(client, dataset_id, preview=True))
    refusal = await merge(client, dataset_id)

    (conflict,) = preview["conflicts"]
    assert (conflict["sheet_name"], conflict["kind"]) == ("T2", "sheet_names")
    assert refused(refusal) == (409, "merge_conflicts")
    assert "'t2' and 'T2' differ only in capitals" in refusal.json()["detail"]
