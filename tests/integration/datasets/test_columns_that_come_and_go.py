"""Columns that come and go, over HTTP: what a merge carries and what is counted, and that nothing dropped is read."""

import asyncio
from typing import Any
from urllib.request import urlopen

import httpx
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
    rows_of,
    run_job,
)

N = {"name": "n", "type": "int"}


def update(key: int, **values: Any) -> dict[str, Any]:
    return {"op": "update", "key": {"k": key}, "values": values}


def insert(**values: Any) -> dict[str, Any]:
    return {"op": "insert", "values": values}


async def schema(client: httpx.AsyncClient, dataset_id: str, ref: str = "main", **change: Any) -> None:
    ok(await commit_rows(client, dataset_id, [], ref=ref, schema_changes=[change]), 201)


async def commit(client: httpx.AsyncClient, dataset_id: str, *operations: Any, ref: str = "main") -> dict[str, Any]:
    return dict(ok(await commit_rows(client, dataset_id, operations, ref=ref), 201))


async def merge(client: httpx.AsyncClient, dataset_id: str, **body: Any) -> httpx.Response:
    return await client.post(f"/api/datasets/{dataset_id}/refs/main/merge", json={"source": "f", **body})


async def compared(client: httpx.AsyncClient, dataset_id: str, base: str, head_: str, **params: Any) -> Any:
    return ok(await client.get(f"/api/datasets/{dataset_id}/compare", params={"base": base, "head": head_, **params}))


async def two_rows(datasets: DatasetsUnderTest) -> tuple[httpx.AsyncClient, str]:
    """t(k int key), rows 1 and 2, on main and on f."""
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, csv([("k",), (1,), (2,)]), key=["k"])
    await branch(client, dataset_id, "f")
    return client, dataset_id


async def filled(datasets: DatasetsUnderTest, how: str) -> tuple[httpx.AsyncClient, str]:
    """f has a column n with 20 where k is 2; main has a row 3."""
    client, dataset_id = await two_rows(datasets)
    if how == "import":
        await import_file(datasets, client, dataset_id, b"k,n\n1,\n2,20\n", ref="f", key=["k"])
    else:
        await schema(client, dataset_id, "f", add=[N])
        await commit(client, dataset_id, update(2, n=20), ref="f")
    await commit(client, dataset_id, insert(k=3))
    return client, dataset_id


MERGED = [{"k": 1, "n": None}, {"k": 2, "n": 20}, {"k": 3, "n": None}]
ONE_UPDATE = {"inserted": 0, "updated": 1, "deleted": 0}


@pytest.mark.parametrize("how", ["commit", "import"])
async def test_a_merge_carries_what_fills_a_new_column(datasets: DatasetsUnderTest, how: str) -> None:
    client, dataset_id = await filled(datasets, how)
    before = await head(client, dataset_id)

    preview = ok(await merge(client, dataset_id, preview=True))
    made = ok(await merge(client, dataset_id), 201)

    assert await rows_of(client, dataset_id) == MERGED
    assert preview["sheets"][0]["changes"] == ONE_UPDATE
    assert {key: made["sheets"][0][key] for key in ONE_UPDATE} == ONE_UPDATE
    stored = ok(await client.get(f"/api/datasets/{dataset_id}/commits/{made['new_commit_id']}"))
    assert stored["tables"][0]["changes"] == ONE_UPDATE
    shown = await compared(client, dataset_id, before, "main")
    assert shown["sheets"][0]["counts"] == ONE_UPDATE
    assert [(row["kind"], row["changed_columns"]) for row in shown["rows"]] == [("updated", ["n"])]


async def test_a_review_shows_and_carries_it(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await filled(datasets, "commit")
    body = {"title": "Fill n", "source_ref": "f"}
    number = ok(await client.post(f"/api/datasets/{dataset_id}/reviews", json=body), 201)["number"]
    path = f"/api/datasets/{dataset_id}/reviews/{number}"

    preview = ok(await client.get(f"{path}/preview"))
    shown = await compared(client, dataset_id, "main", "f", since="merge_base")
    made = ok(await client.post(f"{path}/merge", json={}), 201)

    assert preview["sheets"][0]["changes"] == shown["sheets"][0]["counts"] == ONE_UPDATE
    assert made["sheets"][0]["updated"] == 1
    assert await rows_of(client, dataset_id) == MERGED


async def test_a_cherry_pick_and_its_revert_carry_it(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await two_rows(datasets)
    change = {"schema_changes": [{"add": [N]}]}
    picked = ok(await commit_rows(client, dataset_id, [update(2, n=20)], ref="f", **change), 201)["new_commit_id"]
    await commit(client, dataset_id, insert(k=3))
    body = {"commit_id": picked}

    made = ok(await client.post(f"/api/datasets/{dataset_id}/refs/main/cherry-pick", json=body), 201)
    after = await rows_of(client, dataset_id)
    undone = ok(
        await client.post(f"/api/datasets/{dataset_id}/refs/main/revert", json={"commit_id": made["new_commit_id"]}),
        201,
    )

    assert after == MERGED
    assert made["sheets"][0]["updated"] == undone["sheets"][0]["updated"] == 1
    assert await rows_of(client, dataset_id) == [{"k": 1}, {"k": 2}, {"k": 3}]


async def test_one_column_added_on_both_sides_is_merged_by_cell(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await two_rows(datasets)
    for ref, key in (("main", 1), ("f", 2)):
        await schema(client, dataset_id, ref, add=[N])
        await commit(client, dataset_id, update(key, n=key * 10), ref=ref)

    ok(await merge(client, dataset_id), 201)

    assert await rows_of(client, dataset_id) == [{"k": 1, "n": 10}, {"k": 2, "n": 20}]


async def test_a_cell_of_it_that_both_sides_fill_is_a_conflict_and_the_rest_is_counted(
    datasets: DatasetsUnderTest,
) -> None:
    client, dataset_id = await two_rows(datasets)
    for ref, value in (("main", 1), ("f", 2)):
        await schema(client, dataset_id, ref, add=[N])
        await commit(client, dataset_id, update(1, n=value), ref=ref)
    await commit(client, dataset_id, update(2, n=20), ref="f")

    refusal = await merge(client, dataset_id)
    preview = ok(await merge(client, dataset_id, preview=True))
    ok(await merge(client, dataset_id, rule="theirs"), 201)

    assert refused(refusal) == (409, "merge_conflicts")
    assert [(c["row_id"], c["columns"]) for c in refusal.json()["conflicts"]] == [("1", ["n"])]
    assert (preview["conflict_count"], preview["sheets"][0]["changes"]) == (1, ONE_UPDATE)
    assert await rows_of(client, dataset_id) == [{"k": 1, "n": 2}, {"k": 2, "n": 20}]


async def test_one_name_with_two_types_is_a_conflict(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await two_rows(datasets)
    await schema(client, dataset_id, add=[N])
    await schema(client, dataset_id, "f", add=[{"name": "n", "type": "string"}])
    await commit(client, dataset_id, update(2, n="x"), insert(k=4), ref="f")

    refusal = await merge(client, dataset_id)
    preview = ok(await merge(client, dataset_id, preview=True, resolutions=[]))

    assert refused(refusal) == (409, "merge_conflicts")
    assert refusal.json()["detail"].startswith(
        "Both sides added a column 'n', ours of type int and theirs of type string."
    )
    assert (preview["conflict_count"], preview["conflicts"][0]["kind"]) == (1, "columns")
    ok(await merge(client, dataset_id, resolutions=[{"row_id": "", "take": "theirs"}]), 201)
    assert (await rows_of(client, dataset_id))[1:] == [{"k": 2, "n": "x"}, {"k": 4, "n": None}]


async def test_a_row_inserted_with_a_value_in_a_dropped_column_is_a_conflict(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, csv([("k", "n"), (1, 10)]), key=["k"])
    await branch(client, dataset_id, "f")
    await schema(client, dataset_id, drop=["n"])
    await commit(client, dataset_id, insert(k=2, n=20), ref="f")

    refusal = await merge(client, dataset_id)
    preview = ok(await merge(client, dataset_id, preview=True))
    ok(await merge(client, dataset_id, rule="ours"), 201)

    assert refused(refusal) == (409, "merge_conflicts")
    assert "1 row was inserted with a value in it" in refusal.json()["detail"]
    assert preview["sheets"][0]["changes"] == {"inserted": 1, "updated": 0, "deleted": 0}
    assert await rows_of(client, dataset_id) == [{"k": 1}, {"k": 2}]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"add": [N]}, ["k", "b", "n"]),
        ({"drop": ["b"]}, ["k"]),
        ({"rename": {"b": "c"}}, ["k", "c"]),
        ({"order": ["b", "k"]}, ["b", "k"]),
    ],
)
async def test_a_merge_carries_what_changes_the_schema_alone(
    datasets: DatasetsUnderTest, change: dict[str, Any], names: list[str]
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, csv([("k", "b"), (1, 10)]), key=["k"])
    await branch(client, dataset_id, "f")
    await schema(client, dataset_id, "f", **change)
    await commit(client, dataset_id, insert(k=2))

    ok(await merge(client, dataset_id), 201)

    rows = await rows_of(client, dataset_id)
    assert [list(row) for row in rows] == [names, names]


async def test_a_branch_moved_forward_tells_all_that_changed(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await two_rows(datasets)
    await commit(client, dataset_id, insert(k=3), ref="f")
    await commit(client, dataset_id, insert(k=4), ref="f")

    preview = ok(await merge(client, dataset_id, preview=True))
    made = ok(await merge(client, dataset_id), 201)

    assert preview["sheets"][0]["changes"]["inserted"] == made["sheets"][0]["inserted"] == 2


@pytest.mark.parametrize("type_", ["int", "string", "date"])
async def test_nothing_of_a_dropped_column_is_read_when_its_name_comes_again(
    datasets: DatasetsUnderTest, type_: str
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, csv([("k", "b"), (1, 10), (2, 20)]), key=["k"])
    first = await head(client, dataset_id)
    await schema(client, dataset_id, drop=["b"])
    dropped = await head(client, dataset_id)
    await schema(client, dataset_id, add=[{"name": "b", "type": type_}])
    at = f"/api/datasets/{dataset_id}/refs/main"

    statistics = ok(await client.get(f"{at}/statistics"))["columns"][1]
    answer = ok(await client.post(f"{at}/sql", json={"sql": "SELECT count(b) FROM data"}))
    history = ok(await client.get(f"{at}/row-history", params={"key": "[1]"}))["history"]
    shown = await compared(client, dataset_id, first, "main", column="b")

    assert await rows_of(client, dataset_id) == [{"k": 1, "b": None}, {"k": 2, "b": None}]
    assert (statistics["nulls"], statistics["distinct"]) == (2, 0)
    assert list(answer["rows"][0]) in ([0], ["count(b)"])
    assert [(item["kind"], item["commit_id"]) for item in history] == [("updated", dropped), ("inserted", first)]
    assert shown["sheets"][0]["counts"]["updated"] == shown["total_rows"] == 2
    assert [item["change_type"] for item in shown["sheets"][0]["schema"]["changes"]] == ["added", "removed"]
    stored = ok(await client.get(f"/api/datasets/{dataset_id}/commits/{dropped}"))
    assert stored["tables"][0]["changes"] == {"inserted": 0, "updated": 2, "deleted": 0}


async def test_a_file_that_lacks_a_column_and_one_that_has_it_again(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    with_b = csv([("k", "b"), (1, 10), (2, 20)])
    await import_file(datasets, client, dataset_id, with_b, key=["k"])
    without = await import_file(datasets, client, dataset_id, csv([("k",), (1,), (2,)]), key=["k"])

    again = await import_file(datasets, client, dataset_id, csv([("k", "b"), (1, ""), (2, 30)]), key=["k"])

    assert await rows_of(client, dataset_id) == [{"k": 1, "b": None}, {"k": 2, "b": 30}]
    assert (without["sheets"][0]["updated"], without["report"]["tables"][0]["updated"]) == (2, 2)
    assert (again["sheets"][0]["updated"], again["report"]["tables"][0]["updated"]) == (1, 1)


async def test_an_export_of_changes_has_the_columns_of_both_versions(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, csv([("k", "a", "b"), (1, 10, 5), (2, 20, 6)]), key=["k"])
    base = await head(client, dataset_id)
    await schema(client, dataset_id, drop=["b"], rename={"a": "c"}, add=[N])
    await commit(client, dataset_id, update(2, n=9))

    job = ok(await client.post(f"/api/datasets/{dataset_id}/refs/main/exports", json={"base": base}), 202)
    url = (await run_job(datasets, client, job))["download_url"]
    body = await asyncio.to_thread(lambda: urlopen(url, timeout=30).read())

    assert body.decode().splitlines() == [
        "_change,k (before),k (after),c (before),c (after),n (before),n (after),b (before),b (after)",
        "updated,1,1,10,10,,,5,",
        "updated,2,2,20,20,,9,6,",
    ]
