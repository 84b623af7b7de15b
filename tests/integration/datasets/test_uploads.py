"""Uploads by presigned parts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.error import HTTPError

import pytest
from sqlalchemy import text

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.aws.clients import client as aws
from dataforge.platform.db.database import Database
from tests.builders.datasets import (
    COMMIT,
    DatasetsUnderTest,
    complete,
    head,
    new_dataset,
    ok,
    open_upload,
    put,
    refused,
    send_parts,
    sha256,
    upload_file,
)
from tests.builders.emulator import EmulatedAws

MEBIBYTE = 1024 * 1024
FILE_NAMES = ["../../etc/passwd", "..\\..\\x.csv", "/abs/olute.csv", "a\u202eb.csv", "\u00fc \u4f60.csv", ".."]


async def test_a_file_arrives_in_parts_and_waits_to_be_imported(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    data = b"id,name\n" + b"1,Ada\n" * MEBIBYTE

    upload = await open_upload(client, dataset_id, data)
    await send_parts(client, upload, data)
    job = await complete(client, upload)

    assert upload["part_count"] == 2
    assert (job["run_type"], job["status"], job["ref_name"]) == ("import", "pending", "main")
    assert job["source_commit_id"] == await head(client, dataset_id)
    bucket = datasets.services.settings.data_bucket
    keys = [item["Key"] for item in aws("s3").list_objects_v2(Bucket=bucket, Prefix="uploads/")["Contents"]]
    assert len(keys) == 1
    assert aws("s3").get_object(Bucket=bucket, Key=keys[0])["Body"].read() == data


async def test_an_interrupted_upload_is_resumed(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    data = b"x" * (11 * MEBIBYTE)
    upload = await open_upload(client, dataset_id, data)
    path = f"/api/datasets/{dataset_id}/uploads/{upload['id']}"
    await send_parts(client, upload, data, [2])

    early = await client.post(f"{path}/complete")
    arrived = ok(await client.get(path))["parts"]
    await send_parts(client, upload, data, [1, 3])
    job = await complete(client, upload)

    assert refused(early) == (409, "parts_incomplete")
    assert early.json()["parts"] == [1, 3]
    assert [(part["number"], part["size_bytes"]) for part in arrived] == [(2, 5 * MEBIBYTE)]
    assert job["status"] == "pending"


async def test_completing_again_gives_the_same_job(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    upload = await open_upload(client, dataset_id, b"id\n1\n")
    await send_parts(client, upload, b"id\n1\n")

    first, again = await complete(client, upload), await complete(client, upload)

    assert first["id"] == again["id"]
    assert ok(await client.get(f"/api/datasets/{dataset_id}/jobs"))["items"] == [again]


async def test_an_aborted_upload_takes_nothing_more(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    upload = await open_upload(client, dataset_id, b"id\n1\n")
    path = f"/api/datasets/{dataset_id}/uploads/{upload['id']}"

    ok(await client.delete(path), 204)
    ok(await client.delete(path), 204)

    part = await client.post(f"{path}/parts", json={"parts": [{"number": 1, "sha256": sha256(b"")}]})
    assert refused(part) == (409, "upload_closed")
    assert refused(await client.post(f"{path}/complete")) == (409, "upload_closed")


async def test_a_completed_upload_cannot_be_aborted(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    job = await upload_file(client, dataset_id, b"id\n1\n")

    response = await client.delete(f"/api/datasets/{dataset_id}/uploads/{job['upload_id']}")

    assert refused(response) == (409, "upload_closed")


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ({"number": 2, "sha256": sha256(b"")}, "part_refused"),
        ({"number": 1, "sha256": "z" * 64}, "part_refused"),
        ({"number": 0, "sha256": sha256(b"")}, "validation_failed"),
        ({"number": 1, "sha256": "short"}, "validation_failed"),
    ],
)
async def test_a_part_that_does_not_fit_is_refused(
    datasets: DatasetsUnderTest, part: dict[str, object], code: str
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    upload = await open_upload(client, dataset_id, b"id\n1\n")

    response = await client.post(f"/api/datasets/{dataset_id}/uploads/{upload['id']}/parts", json={"parts": [part]})

    assert refused(response) == (400, code)


async def test_other_bytes_than_announced_are_refused_by_s3(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    upload = await open_upload(client, dataset_id, b"id\n1\n")
    asked = {"parts": [{"number": 1, "sha256": sha256(b"id\n1\n")}]}
    path = f"/api/datasets/{dataset_id}/uploads/{upload['id']}"
    part = ok(await client.post(f"{path}/parts", json=asked))["parts"][0]

    with pytest.raises(HTTPError) as refusal:
        put(part["url"], b"id\n2\n", part["headers"])

    refusal.value.close()
    assert refusal.value.code == 400


async def test_an_upload_for_a_branch_that_moved_is_refused(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    body = {"file_name": "a.csv", "size_bytes": 1, "base_commit_id": COMMIT}

    response = await client.post(f"/api/datasets/{dataset_id}/refs/main/uploads", json=body)

    assert refused(response) == (409, "ref_moved")


@pytest.mark.parametrize("name", FILE_NAMES)
async def test_a_file_name_never_becomes_a_path(datasets: DatasetsUnderTest, name: str) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    upload = await open_upload(client, dataset_id, b"id\n", name=name)

    async with datasets.services.database.read_only() as connection:
        key = await connection.scalar(text("SELECT s3_key FROM datasets.uploads"))
    folder, label = key.rsplit("/", 1)
    assert folder == f"uploads/{dataset_id}/{upload['id']}"
    assert label.isascii()
    assert ".." not in label
    assert upload["file_name"] == name


async def test_a_file_beyond_what_one_import_reads_is_refused(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    path = f"/api/datasets/{dataset_id}/refs/main/uploads"

    huge = await client.post(path, json={"file_name": "a.csv", "size_bytes": 101 * 1024**3})
    large = ok(await client.post(path, json={"file_name": "a.csv", "size_bytes": 100 * 1024**3}), 201)

    assert refused(huge) == (400, "part_refused")
    assert large["part_count"] <= 10_000


class TestQuotas:
    @pytest.fixture
    async def datasets(
        self, emulator: EmulatedAws, database: Database, clock: FixedClock
    ) -> AsyncIterator[DatasetsUnderTest]:
        """Datasets with room for ten bytes."""
        limits = {"upload_bytes_per_person": 10, "upload_bytes_per_dataset": 15}
        async with DatasetsUnderTest(database, clock, emulator, **limits) as api:
            yield api

    async def test_an_upload_beyond_the_quota_is_refused_with_the_numbers(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        path = f"/api/datasets/{await new_dataset(client)}/refs/main/uploads"
        ok(await client.post(path, json={"file_name": "a.csv", "size_bytes": 6}), 201)

        refusal = await client.post(path, json={"file_name": "b.csv", "size_bytes": 5})

        assert refused(refusal) == (409, "upload_quota_exceeded")
        told = {name: refusal.json()[name] for name in ("quota", "limit_bytes", "used_bytes", "requested_bytes")}
        assert told == {"quota": "person", "limit_bytes": 10, "used_bytes": 6, "requested_bytes": 5}

    async def test_aborting_gives_the_room_back_and_completing_does_not(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        upload = await open_upload(client, dataset_id, b"id\n1\n22\n")
        ok(await client.delete(f"/api/datasets/{dataset_id}/uploads/{upload['id']}"), 204)
        await upload_file(client, dataset_id, b"id\n1\n22\n")

        body = {"file_name": "a.csv", "size_bytes": 3}
        full = await client.post(f"/api/datasets/{dataset_id}/refs/main/uploads", json=body)

        assert refused(full) == (409, "upload_quota_exceeded")

    async def test_many_people_fill_one_dataset_no_further(self, datasets: DatasetsUnderTest) -> None:
        owner = await datasets.analyst()
        dataset_id = await new_dataset(owner)
        people = [await datasets.member(owner, dataset_id, "write") for _ in range(4)]
        body = {"file_name": "a.csv", "size_bytes": 5}

        answers = await asyncio.gather(
            *(person.post(f"/api/datasets/{dataset_id}/refs/main/uploads", json=body) for person in people)
        )

        assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 409]
        assert next(answer.json()["quota"] for answer in answers if answer.status_code == 409) == "subject"

    async def test_an_abandoned_upload_gives_the_room_back_when_it_expires(
        self, datasets: DatasetsUnderTest, clock: FixedClock
    ) -> None:
        person = await datasets.add_user(Role.ANALYST)
        client = await datasets.as_user(person, Role.ANALYST)
        dataset_id = await new_dataset(client)
        await open_upload(client, dataset_id, b"id\n1\n22\n")

        clock.advance(timedelta(days=2))

        await open_upload(await datasets.as_user(person, Role.ANALYST), dataset_id, b"id\n1\n22\n")
