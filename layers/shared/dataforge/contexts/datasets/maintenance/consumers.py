"""The minute's work for datasets, and what operators may have done to one.

The minute's work is run by `maintenance`, which has no Arrow: it only finds what is due and queues it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.datasets.datasets.domain import RETENTION
from dataforge.contexts.datasets.publications.commands import queue_late, queue_looks
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.events.sqs import id_in
from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.datasets.services import DatasetsServices

KEEP_JOBS = timedelta(days=90)
MAINTAINED_EVERY = timedelta(days=1)
MOST_PER_TICK = 100


async def queue_due(services: DatasetsServices) -> dict[str, int]:
    """Queue jobs again whose message or worker was lost, queue late publications, end abandoned uploads, queue
    maintenance and purges.

    Returns counts: requeued, publications, abandoned, forgotten, upkeep, purges.
    """
    steps = {
        "requeued": _requeue,
        "publications": _queue_publications,
        "abandoned": _abandon,
        "forgotten": _forget,
        "upkeep": _queue_maintenance,
        "purges": _queue_purges,
    }
    return {name: await run(services.unit_of_work(DatasetsUnitOfWork), step, services) for name, step in steps.items()}


async def _requeue(services: DatasetsServices, uow: DatasetsUnitOfWork) -> int:
    lost = await uow.jobs.lock_lost(MOST_PER_TICK)
    for job_id, run_type, unread in lost:
        queue = services.import_queue if run_type.reads_a_file and not unread else services.export_queue
        await queue.send(json.dumps({"job_id": str(job_id)}))
        await uow.jobs.note_queued(job_id)
    return len(lost)


async def _queue_publications(services: DatasetsServices, uow: DatasetsUnitOfWork) -> int:
    # Behind their branches though nothing is under way: an event was lost, or what failed may go now.
    late = await queue_late(MOST_PER_TICK, uow)
    for job_id in late:
        await services.export_queue.send(json.dumps({"job_id": str(job_id)}))
    return len(late)


async def _abandon(_services: DatasetsServices, uow: DatasetsUnitOfWork) -> int:
    # The bucket's lifecycle rule removes the parts of such uploads after the same two days.
    return await uow.uploads.abort_expired(uow.now)


async def _forget(_services: DatasetsServices, uow: DatasetsUnitOfWork) -> int:
    return await uow.jobs.forget_ended(uow.now - KEEP_JOBS)


async def _queue_maintenance(services: DatasetsServices, uow: DatasetsUnitOfWork) -> int:
    # Once a day at most, and not before its first day is over.
    due = await uow.datasets.lock_kept(uow.now - MAINTAINED_EVERY, MOST_PER_TICK)
    for job_id in await queue_looks(due, uow):
        await services.export_queue.send(json.dumps({"job_id": str(job_id)}))
    return await _queue(services, uow, due, "upkeep")


async def _queue_purges(services: DatasetsServices, uow: DatasetsUnitOfWork) -> int:
    due = await uow.datasets.lock_deleted(uow.now - RETENTION, uow.now - MAINTAINED_EVERY, MOST_PER_TICK)
    return await _queue(services, uow, due, "purge")


async def _queue(services: DatasetsServices, uow: DatasetsUnitOfWork, due: list[UUID], message: str) -> int:
    for dataset_id in due:
        await services.import_queue.send(json.dumps({message: str(dataset_id)}))
    # Written when it is queued: a message that is lost is queued again tomorrow.
    await uow.datasets.note_maintenance(due)
    return len(due)


async def verify_dataset(payload: Mapping[str, Any], services: DatasetsServices) -> dict[str, Any]:
    """Operator command `{"command": "verify_dataset", "dataset_id": …}`: walk a dataset from its refs to its bytes.

    Names the first broken hash in `broken`; null means that every byte is what the commit ids say.
    """
    from dataforge.contexts.datasets.maintenance.queries import find_broken

    return await find_broken(services.versions, _required(payload))


async def upkeep_dataset(payload: Mapping[str, Any], services: DatasetsServices) -> dict[str, Any]:
    """Operator command `{"command": "upkeep_dataset", "dataset_id": …}`: compact and collect garbage now."""
    return await services.maintenance.maintain(_required(payload))


def _required(payload: Mapping[str, Any]) -> UUID:
    dataset_id = id_in(payload, "dataset_id")
    if dataset_id is None:
        message = Text("Give the id of a dataset as `dataset_id`.")
        raise BadRequest(message)
    return dataset_id
