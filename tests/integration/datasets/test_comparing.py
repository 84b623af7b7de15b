"""Schema and data diff of any two versions."""

from typing import Any

import pytest

from tests.builders.datasets import (
    DatasetsUnderTest,
    branch,
    commit_rows,
    csv,
    head,
    import_file,
    new_dataset,
    ok,
    refused,
)


async def people(datasets: DatasetsUnderTest, **options: Any) -> tuple[Any, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, **{"key": ["id"], **options})
    return client, dataset_id


async def compared(client: Any, dataset_id: str, base: str, head: str, **params: Any) -> dict[str, Any]:
    params = {"base": base, "head": head, **params}
    return dict(ok(await client.get(f"/api/datasets/{dataset_id}/compare", params=params)))


async def test_changed_rows_are_shown_with_their_cells_before_and_after(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    base = await head(client, dataset_id)
    operations = [
        {"op": "insert", "values": {"id": 4, "name": "Alan", "age": 41}},
        {"op": "update", "key": {"id": 1}, "values": {"age": 37}},
        {"op": "delete", "key": {"id": 3}},
    ]
    ok(await commit_rows(client, dataset_id, operations), 201)

    answer = await compared(client, dataset_id, base, "main")

    assert answer["base"] == {"ref_name": None, "commit_id": base}
    assert answer["head"]["ref_name"] == "main"
    assert answer["sheets"][0]["counts"] == {"inserted": 1, "updated": 1, "deleted": 1}
    assert answer["sheets"][0]["schema"] == {"identical": True, "changes": []}
    rows = {row["kind"]: row for row in answer["rows"]}
    assert rows["updated"]["changed_columns"] == ["age"]
    assert (rows["updated"]["before"]["age"], rows["updated"]["after"]["age"]) == (36, 37)
    assert (rows["inserted"]["before"], rows["inserted"]["after"]["name"]) == (None, "Alan")
    assert (rows["deleted"]["before"]["name"], rows["deleted"]["after"]) == ("Linus", None)


async def test_a_branch_is_compared_with_main_across_a_new_import(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    await branch(client, dataset_id, "term-2")
    changed = csv([("id", "name", "age"), (1, "Ada", 36), (2, "Grace", 46), (4, "Alan", 41)])
    await import_file(datasets, client, dataset_id, changed, ref="term-2", key=["id"])

    answer = await compared(client, dataset_id, "main", "term-2")

    assert [row["kind"] for row in answer["rows"]].count("updated") == 1
    assert answer["sheets"][0]["counts"] == {"inserted": 1, "updated": 1, "deleted": 1}


async def test_without_a_key_rows_are_counted_as_a_multiset(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets, key=[])
    base = await head(client, dataset_id)
    changed = csv([("id", "name", "age"), (3, "Linus", 21), (1, "Ada", 36), (1, "Ada", 36)])
    await import_file(datasets, client, dataset_id, changed)

    answer = await compared(client, dataset_id, base, "main")

    assert answer["sheets"][0]["counts"] == {"inserted": 1, "updated": 0, "deleted": 1}
    assert {(row["kind"], (row["after"] or row["before"])["name"]) for row in answer["rows"]} == {
        ("inserted", "Ada"),
        ("deleted", "Grace"),
    }


async def test_without_a_key_like_rows_at_one_place_are_shown_as_a_guessed_update(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets, key=[])
    base = await head(client, dataset_id)
    changed = csv([("id", "name", "age"), (1, "Ada", 36), (2, "Grace", 46), (7, "Alan", 41)])
    counted = (await import_file(datasets, client, dataset_id, changed))["sheets"][0]

    answer = await compared(client, dataset_id, base, "main")
    ages = await compared(client, dataset_id, base, "main", sheet="data", column="age", kind="updated")

    counts = answer["sheets"][0]["counts"]
    assert counts == {"inserted": 2, "updated": 0, "deleted": 2} == {kind: counted[kind] for kind in counts}
    assert (answer["sheets"][0]["guessed_updates"], answer["total_rows"]) == (1, 3)
    rows = {row["kind"]: row for row in answer["rows"]}
    assert (rows["updated"]["guessed"], rows["updated"]["changed_columns"]) == (True, ["age"])
    assert (rows["updated"]["before"]["age"], rows["updated"]["after"]["age"]) == (45, 46)
    assert (rows["deleted"]["guessed"], rows["deleted"]["before"]["name"]) == (False, "Linus")
    assert [row["after"]["name"] for row in ages["rows"]] == ["Grace"]


async def test_kinds_and_columns_filter_and_pages_cover_everything(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    rows = [("id", "a", "b"), *((n, 0, 0) for n in range(30))]
    await import_file(datasets, client, dataset_id, csv(rows), key=["id"])
    base = await head(client, dataset_id)
    changed = [("id", "a", "b"), *((n, n % 2, n % 3) for n in range(5, 35))]
    await import_file(datasets, client, dataset_id, csv(changed), key=["id"])

    only_a = await compared(client, dataset_id, base, "main", column="a", kind="updated", limit=1000)
    deleted = await compared(client, dataset_id, base, "main", kind="deleted")
    seen, page = [], await compared(client, dataset_id, base, "main", limit=7)
    while True:
        seen += [(row["kind"], (row["after"] or row["before"])["id"]) for row in page["rows"]]
        if not page["has_more"]:
            break
        page = await compared(client, dataset_id, base, "main", limit=7, cursor=page["next_cursor"])

    assert sorted(row["after"]["id"] for row in only_a["rows"]) == [n for n in range(5, 30) if n % 2]
    assert sorted(row["before"]["id"] for row in deleted["rows"]) == [0, 1, 2, 3, 4]
    expected = {("deleted", n) for n in range(5)} | {("inserted", n) for n in range(30, 35)}
    expected |= {("updated", n) for n in range(5, 30) if n % 2 or n % 3}
    assert len(seen) == len(set(seen))
    assert set(seen) == expected


async def test_renames_and_types_are_told_apart_from_new_columns(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    base = await head(client, dataset_id)
    changes = [
        {"rename": {"name": "full_name"}, "types": {"age": "float"}, "add": [{"name": "mail", "type": "string"}]}
    ]
    ok(await commit_rows(client, dataset_id, [], schema_changes=changes), 201)

    answer = await compared(client, dataset_id, base, "main")

    schema = answer["sheets"][0]["schema"]
    assert schema["identical"] is False
    assert {(c["column"], c["change_type"], c["before"], c["after"]) for c in schema["changes"]} == {
        ("full_name", "renamed", "name", "full_name"),
        ("age", "type_changed", "int", "float"),
        ("mail", "added", None, "string"),
    }
    assert answer["rows"] == []


async def test_added_and_removed_sheets_are_named(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets, table="people")
    base = await head(client, dataset_id)
    await import_file(datasets, client, dataset_id, csv([("c",), (1,), (2,)]), table="courses")

    answer = await compared(client, dataset_id, base, "main")
    rows = await compared(client, dataset_id, base, "main", sheet="people")

    assert {(s["sheet_name"], s["status"]) for s in answer["sheets"]} == {("courses", "added"), ("people", "removed")}
    assert answer["rows"] == []
    assert [row["kind"] for row in rows["rows"]] == ["deleted"] * 3


async def test_since_the_merge_base_shows_only_what_the_head_did(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    await branch(client, dataset_id, "mine")
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}]), 201)
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 2}}], ref="mine"), 201)

    both = await compared(client, dataset_id, "main", "mine")
    mine = await compared(client, dataset_id, "main", "mine", since="merge_base")

    assert both["sheets"][0]["counts"] == {"inserted": 1, "updated": 0, "deleted": 1}
    assert mine["sheets"][0]["counts"] == {"inserted": 0, "updated": 0, "deleted": 1}


async def test_equal_versions_are_identical(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)

    answer = await compared(client, dataset_id, "main", "main")

    assert (answer["identical"], answer["rows"], answer["sheets"][0]["status"]) == (True, [], "unchanged")


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"base": "main"}, 400, "validation_failed"),
        ({"base": "main", "head": "nowhere"}, 404, "ref_not_found"),
        ({"base": "main", "head": "main", "sheet": "nope"}, 404, "sheet_not_found"),
        ({"base": "main", "head": "main", "sheet": "data", "column": "nope"}, 422, "filter_refused"),
        ({"base": "main", "head": "main", "kind": "moved"}, 400, "validation_failed"),
    ],
)
async def test_a_comparison_that_makes_no_sense_is_told_why(
    datasets: DatasetsUnderTest, params: dict[str, str], status: int, code: str
) -> None:
    client, dataset_id = await people(datasets)

    response = await client.get(f"/api/datasets/{dataset_id}/compare", params=params)

    assert refused(response) == (status, code)
