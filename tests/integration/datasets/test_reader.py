"""Rows of a version for contexts that carry no Arrow."""

import subprocess
import sys
from uuid import UUID

import pytest

from dataforge.contexts.datasets.contract import PreparedRows
from dataforge.contexts.datasets.datasets.domain import DatasetNotFound
from dataforge.contexts.datasets.exports.reader import RowsNotReady
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.principal import Principal, Role
from dataforge.platform.aws.clients import client as aws
from tests.builders.datasets import DatasetsUnderTest, commit_rows, csv, import_file, new_dataset, ok


async def prepared(datasets: DatasetsUnderTest, count: int = 2500) -> tuple[Principal, UUID, PreparedRows]:
    user_id = await datasets.add_user(Role.REGISTRAR)
    client = await datasets.as_user(user_id, Role.REGISTRAR)
    dataset_id = await new_dataset(client)
    data = csv([("number", "mail", "points"), *((f"0{n}", f"a{n}@example.org", n / 2) for n in range(count))])
    await import_file(datasets, client, dataset_id, data, key=["number"])
    principal = Principal(user_id, Role.REGISTRAR)
    rows = await datasets.services.dataset_reader.prepare(
        principal, UUID(dataset_id), "main", None, ["number", "points"]
    )
    return principal, UUID(dataset_id), rows


async def test_rows_come_in_batches_once_the_export_is_made(datasets: DatasetsUnderTest) -> None:
    principal, dataset_id, waiting = await prepared(datasets)
    reader = datasets.services.dataset_reader
    with pytest.raises(RowsNotReady):
        _ = [batch async for batch in reader.rows(waiting)]

    await datasets.work_on(waiting.job_id, "export")
    ready = await reader.prepare(principal, dataset_id, "main", "data", ["number", "points"])
    batches = [batch async for batch in reader.rows(ready)]

    assert (waiting.status, ready.ready, ready.job_id) == ("pending", True, waiting.job_id)
    assert [len(batch) for batch in batches] == [1000, 1000, 500]
    assert {row["number"]: row["points"] for batch in batches for row in batch} == {f"0{n}": n / 2 for n in range(2500)}
    assert (ready.row_count, ready.content_sha256) == (2500, waiting.content_sha256)


async def test_the_commit_is_pinned_when_the_branch_moves(datasets: DatasetsUnderTest) -> None:
    principal, dataset_id, first = await prepared(datasets, 3)
    client = await datasets.as_role(Role.ADMIN)
    ok(await commit_rows(client, str(dataset_id), [{"op": "delete", "key": {"number": "00"}}]), 201)

    second = await datasets.services.dataset_reader.prepare(principal, dataset_id, "main")

    assert first.commit_id != second.commit_id
    assert (first.row_count, second.row_count) == (3, 2)


async def test_an_expired_file_is_made_again(datasets: DatasetsUnderTest) -> None:
    principal, dataset_id, first = await prepared(datasets, 3)
    await datasets.work_on(first.job_id, "export")
    bucket = datasets.services.settings.data_bucket
    for item in aws("s3").list_objects_v2(Bucket=bucket, Prefix="exports/")["Contents"]:
        aws("s3").delete_object(Bucket=bucket, Key=item["Key"])

    again = await datasets.services.dataset_reader.prepare(principal, dataset_id, "main", None, ["number", "points"])

    assert (again.status, again.job_id == first.job_id) == ("pending", False)


async def test_a_stranger_and_a_wrong_name_are_refused(datasets: DatasetsUnderTest) -> None:
    principal, dataset_id, _ = await prepared(datasets, 3)
    reader = datasets.services.dataset_reader
    stranger = Principal(await datasets.add_user(Role.REGISTRAR), Role.REGISTRAR)

    with pytest.raises(DatasetNotFound):
        await reader.prepare(stranger, dataset_id, "main")
    refusals = []
    for version, sheet, columns in (("nowhere", None, None), ("main", "nope", None), ("main", None, ["nope"])):
        with pytest.raises(DataForgeError) as refusal:
            await reader.prepare(principal, dataset_id, version, sheet, columns)
        refusals.append(refusal.value.code)

    assert refusals == ["ref_not_found", "sheet_not_found", "filter_refused"]


@pytest.mark.parametrize(
    "module",
    [
        "dataforge.contexts.datasets.exports.reader",
        "dataforge.contexts.datasets.maintenance.consumers",
        "dataforge.contexts.datasets.contract",
    ],
)
def test_what_runs_without_arrow_does_not_import_it(module: str) -> None:
    program = (
        f"import {module}, sys; print(sorted({{'pyarrow', 'numpy', 'duckdb', 'versioned_tables'}} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd="layers/shared"
    )

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
