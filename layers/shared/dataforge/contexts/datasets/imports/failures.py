"""What others hear of imports that have failed; apart from what imports, which exports carry none of."""

from collections.abc import Mapping
from typing import Any

from dataforge.contexts.datasets.contract import DatasetImportEnded
from dataforge.contexts.datasets.jobs.domain import Job, RunType
from dataforge.contexts.datasets.publications.commands import note_failure
from dataforge.contexts.datasets.reviews.queries import named_dataset
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.contexts.datasets.uploads.queries import get_upload


async def announce_failure(
    job: Job, failure: Mapping[str, Any], uow: DatasetsUnitOfWork, *, awaited: bool = False
) -> None:
    """Tell those who hear of it that an import has failed, and a publication why it is late.

    Other jobs are watched by who began them.
    """
    if job.run_type is RunType.PUBLICATION:
        await note_failure(job, failure, uow)
    if job.run_type is not RunType.IMPORT or job.upload_id is None:
        return
    upload = await get_upload(uow.connection, job.dataset_id, job.upload_id)
    error = str(failure.get("detail", ""))
    file_name = str(upload["file_name"])
    _, workspace_id = await named_dataset(uow.connection, job.dataset_id)
    uow.publish(DatasetImportEnded(job.id, job.dataset_id, job.user_id, file_name, 0, 0, error, awaited, workspace_id))
