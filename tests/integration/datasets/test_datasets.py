"""Create, list, change, delete and restore datasets."""

import asyncio
from typing import Any

import pytest

from dataforge.kernel.principal import Role
from tests.builders.datasets import DatasetsUnderTest, new_dataset, ok, refused
from versioned_tables.hashing.commits import tree_hash


async def test_a_new_dataset_has_an_empty_commit_on_main(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()

    made = await client.post("/api/datasets", json={"name": "Rosters", "description": "by term", "tags": ["b", "a"]})

    body = ok(made, 201)
    assert made.headers["location"] == f"/api/datasets/{body['id']}"
    assert (body["permission"], body["default_branch"], body["tags"]) == ("admin", "main", ["a", "b"])
    history = ok(await client.get(f"/api/datasets/{body['id']}/refs/main/history"))
    assert [row["message"] for row in history["commits"]] == ["Initial commit"]
    only = history["commits"][0]
    assert (only["parent_commit_id"], only["table_count"], only["is_head"]) == (None, 0, True)
    assert only["content_hash"] == tree_hash({})


async def test_two_datasets_of_one_person_in_one_instant_do_not_collide(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()

    first, second = await new_dataset(client, "One"), await new_dataset(client, "Two")

    assert (
        ok(await client.get(f"/api/datasets/{first}/refs/main"))["commit_id"]
        == (ok(await client.get(f"/api/datasets/{second}/refs/main"))["commit_id"])
    )


async def test_a_name_is_unique_per_person(datasets: DatasetsUnderTest) -> None:
    client, other = await datasets.analyst(), await datasets.analyst()
    await new_dataset(client, "Rosters")

    again = await client.post("/api/datasets", json={"name": "Rosters"})

    assert refused(again) == (409, "dataset_exists")
    await new_dataset(other, "Rosters")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "  "}, "/name"),
        ({"name": "x" * 256}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "a", "tags": ["x" * 65]}, "/tags/0"),
        ({"name": "a", "tags": [""]}, "/tags/0"),
        ({"name": "a", "owner": "me"}, "/owner"),
        ({"name": "a", "workspace_id": "w"}, "/workspace_id"),
    ],
)
async def test_a_bad_member_is_named_by_its_pointer(datasets: DatasetsUnderTest, body: Any, pointer: str) -> None:
    client = await datasets.analyst()

    response = await client.post("/api/datasets", json=body)

    assert refused(response) == (400, "validation_failed")
    assert [item["pointer"] for item in response.json()["errors"]] == [pointer]


async def test_a_workspace_one_is_not_in_is_refused(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    workspace = "0197f0f0-0000-7000-8000-000000000000"

    response = await client.post("/api/datasets", json={"name": "a", "workspace_id": workspace})

    assert refused(response) == (404, "workspace_not_found")


async def test_a_repeated_request_with_its_key_makes_one_dataset(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    headers = {"Idempotency-Key": "k1"}

    first = await client.post("/api/datasets", json={"name": "Rosters"}, headers=headers)
    again = await client.post("/api/datasets", json={"name": "Rosters"}, headers=headers)

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_lists_page_search_and_filter_by_tags(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    for number in range(5):
        await new_dataset(client, f"Data {number}", tags=["all", f"n{number % 2}"], description=f"about {number}%")

    first = ok(await client.get("/api/datasets", params={"limit": 3}))
    second = ok(await client.get(first["next"]))
    tagged = ok(await client.get("/api/datasets", params={"tag": ["all", "n1"]}))
    found = ok(await client.get("/api/datasets", params={"search": "ABOUT 3%"}))
    tags = ok(await client.get("/api/datasets/tags"))

    assert [item["name"] for item in first["items"] + second["items"]] == [f"Data {n}" for n in range(5)]
    assert second["next_cursor"] is None
    assert [item["name"] for item in tagged["items"]] == ["Data 1", "Data 3"]
    assert [item["name"] for item in found["items"]] == ["Data 3"]
    assert tags["items"][0] == {"tag": "all", "datasets": 5}


async def test_a_wildcard_in_a_search_is_a_character(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    await new_dataset(client, "Rosters")

    found = ok(await client.get("/api/datasets", params={"search": "%"}))

    assert found["items"] == []


async def test_others_do_not_see_it_in_their_lists(datasets: DatasetsUnderTest) -> None:
    client, other = await datasets.analyst(), await datasets.analyst()
    await new_dataset(client, "Secret", tags=["hidden"])

    listed, tags = ok(await other.get("/api/datasets")), ok(await other.get("/api/datasets/tags"))

    assert (listed["items"], tags["items"]) == ([], [])


async def test_an_administrator_of_the_platform_sees_all(datasets: DatasetsUnderTest) -> None:
    client, admin = await datasets.analyst(), await datasets.as_role(Role.ADMIN)
    dataset_id = await new_dataset(client)

    listed = ok(await admin.get("/api/datasets"))

    assert [(item["id"], item["permission"]) for item in listed["items"]] == [(dataset_id, "admin")]


@pytest.mark.parametrize("role", [Role.LEARNER, Role.VIEWER])
async def test_only_some_roles_create_datasets(datasets: DatasetsUnderTest, role: Role) -> None:
    client = await datasets.as_role(role)

    response = await client.post("/api/datasets", json={"name": "a"})

    assert refused(response) == (403, "forbidden")


class TestChanges:
    async def test_need_the_revision_that_was_read(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        path = f"/api/datasets/{await new_dataset(client)}"
        etag = (await client.get(path)).headers["etag"]

        missing = await client.patch(path, json={"name": "Other"})
        changed = await client.patch(path, json={"name": "Other", "tags": ["x"]}, headers={"If-Match": etag})
        stale = await client.patch(path, json={"name": "Third"}, headers={"If-Match": etag})

        assert refused(missing) == (428, "precondition_required")
        assert (ok(changed)["name"], changed.json()["tags"], changed.json()["revision"]) == ("Other", ["x"], 2)
        assert refused(stale) == (412, "stale_version")

    async def test_of_two_at_once_one_wins(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        path = f"/api/datasets/{await new_dataset(client)}"
        etag = (await client.get(path)).headers["etag"]

        answers = await asyncio.gather(
            *(client.patch(path, json={"description": f"{n}"}, headers={"If-Match": etag}) for n in range(2))
        )

        assert sorted(answer.status_code for answer in answers) == [200, 412]

    async def test_the_default_branch_must_be_a_branch(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        path = f"/api/datasets/{await new_dataset(client)}"
        ok(await client.post(f"{path}/refs", json={"name": "v1", "kind": "tag"}), 201)
        ok(await client.post(f"{path}/refs", json={"name": "next"}), 201)
        headers = {"If-Match": "*"}

        tag = await client.patch(path, json={"default_branch": "v1"}, headers=headers)
        unknown = await client.patch(path, json={"default_branch": "nowhere"}, headers=headers)
        changed = await client.patch(path, json={"default_branch": "next"}, headers=headers)

        assert refused(tag) == (409, "default_branch")
        assert refused(unknown) == (404, "ref_not_found")
        assert ok(changed)["default_branch"] == "next"


class TestDeletion:
    async def test_a_deleted_dataset_is_gone_until_it_is_restored(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        path = f"/api/datasets/{dataset_id}"

        ok(await client.delete(path, headers={"If-Match": '"1"'}), 204)

        assert refused(await client.get(path)) == (404, "dataset_not_found")
        assert ok(await client.get("/api/datasets"))["items"] == []
        deleted = ok(await client.get("/api/datasets", params={"deleted": True}))
        assert [item["id"] for item in deleted["items"]] == [dataset_id]
        assert ok(await client.post(f"{path}/restore"))["deleted_at"] is None
        assert ok(await client.get(path))["id"] == dataset_id

    async def test_restoring_is_refused_when_the_name_was_taken(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client, "Rosters")
        ok(await client.delete(f"/api/datasets/{dataset_id}", headers={"If-Match": "*"}), 204)
        await new_dataset(client, "Rosters")

        response = await client.post(f"/api/datasets/{dataset_id}/restore")

        assert refused(response) == (409, "dataset_exists")

    async def test_a_writer_cannot_delete_or_restore(self, datasets: DatasetsUnderTest) -> None:
        owner = await datasets.analyst()
        dataset_id = await new_dataset(owner)
        writer = await datasets.member(owner, dataset_id, "write")

        kept = await writer.delete(f"/api/datasets/{dataset_id}", headers={"If-Match": "*"})
        ok(await owner.delete(f"/api/datasets/{dataset_id}", headers={"If-Match": "*"}), 204)
        hidden = await writer.post(f"/api/datasets/{dataset_id}/restore")

        assert refused(kept) == (403, "dataset_access")
        assert refused(hidden) == (403, "dataset_access")
