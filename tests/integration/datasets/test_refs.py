"""Branches and tags."""

import asyncio

import pytest

from tests.builders.datasets import COMMIT, DatasetsUnderTest, branch, head, new_dataset, ok, refused

NAMES_REFUSED = ["a/b", "-x", ".x", "x.", "a..b", "a b", "", "ä", "a" * 101, COMMIT, "HEAD", "x\n"]


async def test_a_branch_and_a_tag_point_where_they_were_put(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    path = f"/api/datasets/{dataset_id}/refs"

    made = await client.post(path, json={"name": "term-2", "at": "main"})
    tag = await client.post(path, json={"name": "v1.0", "kind": "tag", "at": await head(client, dataset_id)})

    listed = ok(await client.get(path))["items"]
    assert ok(made, 201)["commit_id"] == ok(tag, 201)["commit_id"] == await head(client, dataset_id)
    assert made.headers["etag"] == f'"{made.json()["commit_id"]}"'
    assert [(item["name"], item["kind"], item["is_default"]) for item in listed] == [
        ("main", "branch", True),
        ("term-2", "branch", False),
        ("v1.0", "tag", False),
    ]


@pytest.mark.parametrize("name", NAMES_REFUSED)
async def test_a_name_that_could_be_mistaken_is_refused(datasets: DatasetsUnderTest, name: str) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    response = await client.post(f"/api/datasets/{dataset_id}/refs", json={"name": name})

    assert refused(response) == (400, "validation_failed")
    assert [item["pointer"] for item in response.json()["errors"]] == ["/name"]


async def test_a_taken_name_and_an_unknown_version_are_told(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    path = f"/api/datasets/{await new_dataset(client)}/refs"

    taken = await client.post(path, json={"name": "main"})
    unknown = await client.post(path, json={"name": "a", "at": "nowhere"})
    no_commit = await client.post(path, json={"name": "a", "at": COMMIT})

    assert refused(taken) == (409, "ref_exists")
    assert refused(unknown) == (404, "ref_not_found")
    assert refused(no_commit) == (404, "commit_not_found")


async def test_a_move_that_expects_another_commit_names_both(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    at = await head(client, dataset_id)
    path = f"/api/datasets/{dataset_id}/refs/main"

    missing = await client.patch(path, json={"commit_id": at})
    moved = await client.patch(path, json={"commit_id": at}, headers={"If-Match": f'"{COMMIT}"'})

    assert refused(missing) == (428, "precondition_required")
    assert refused(moved) == (409, "ref_moved")
    assert (moved.json()["expected_commit"], moved.json()["current_commit"]) == (COMMIT, at)


async def test_the_default_branch_cannot_be_deleted(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    response = await client.delete(f"/api/datasets/{dataset_id}/refs/main", headers={"If-Match": "*"})

    assert refused(response) == (409, "default_branch")


async def test_a_branch_is_deleted_from_where_it_is(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    at = await branch(client, dataset_id, "old")
    path = f"/api/datasets/{dataset_id}/refs/old"

    elsewhere = await client.delete(path, headers={"If-Match": f'"{COMMIT}"'})
    ok(await client.delete(path, headers={"If-Match": f'"{at}"'}), 204)

    assert refused(elsewhere) == (409, "ref_moved")
    assert refused(await client.get(path)) == (404, "ref_not_found")


async def test_a_protected_branch_is_neither_moved_nor_deleted(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    at = await branch(client, dataset_id, "stable")
    path = f"/api/datasets/{dataset_id}/refs/stable"
    protected = ok(await client.put(f"{path}/protection", json={"protected": True, "required_approvals": 2}))

    moved = await client.patch(path, json={"commit_id": at}, headers={"If-Match": "*"})
    deleted = await client.delete(path, headers={"If-Match": "*"})
    upload = await client.post(f"{path}/uploads", json={"file_name": "a.csv", "size_bytes": 1})

    assert (protected["protected"], protected["required_approvals"]) == (True, 2)
    assert {refused(answer) for answer in (moved, deleted, upload)} == {(423, "ref_protected")}


async def test_sixteen_deletions_at_once_delete_it_once(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    at = await branch(client, dataset_id, "old")
    path = f"/api/datasets/{dataset_id}/refs/old"

    answers = await asyncio.gather(*(client.delete(path, headers={"If-Match": f'"{at}"'}) for _ in range(16)))

    assert sorted(answer.status_code for answer in answers) == [204, *[404] * 15]
