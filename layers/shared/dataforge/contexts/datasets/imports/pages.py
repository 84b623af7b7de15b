"""Importing a file in the browser: the form, the plan of what it would do, and doing it."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.datasets.datasets.calls import DatasetCall, checked
from dataforge.contexts.datasets.datasets.page_calls import DATASETS, router
from dataforge.contexts.datasets.datasets.queries import get_dataset
from dataforge.contexts.datasets.imports.applying import ApplyImport, apply_import
from dataforge.contexts.datasets.imports.calls import do_now, kept_file
from dataforge.contexts.datasets.imports.domain import plan_of
from dataforge.contexts.datasets.imports.queries import find_plan
from dataforge.contexts.datasets.imports.wire import ImportIn
from dataforge.contexts.datasets.jobs.calls import send_job
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.refs.queries import list_refs
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.contexts.datasets.uploads.commands import FileJob, ReceiveFile, receive_file
from dataforge.contexts.datasets.uploads.domain import SentFile
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, ValidationFailed, Violation
from dataforge.kernel.limits import MAX_BODY_BYTES
from dataforge.kernel.paging import MAX_LIMIT
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of
from dataforge.web.multipart import file_of

IMPORTS = DATASETS + "/{dataset_id}/imports"
MODES = {
    "replace": Text("Replace the rows of the table"),
    "upsert": Text("Update rows by their key, add new ones"),
    "append": Text("Add the rows"),
}
_FIELDS = ("file", "ref", "mode", "key", "table", "max_rejected", "message")
_NEW = {"mode": "replace", "max_rejected": "0"}
_ROWS_SHOWN = 100
Importing = Annotated[PageCall, require_page(Action.CREATE, Kind.UPLOAD)]


@router.get(IMPORTS)
async def import_form(dataset_id: UUID, call: Importing) -> Response:
    """The form."""
    return await _form(call, await checked(call, dataset_id, Action.CREATE, Kind.UPLOAD), {})


@router.post(IMPORTS)
async def try_import(dataset_id: UUID, call: Importing) -> Response:
    """Make the plan of the file; refused, the form comes again with the rows that are wrong."""
    target = await checked(call, dataset_id, Action.CREATE, Kind.UPLOAD)
    try:
        return await _planned(call, target)
    except (DataForgeError, ValidationError) as error:
        facts = error.facts if isinstance(error, DataForgeError) else {}
        rows = facts.get("rejected")
        rejected = list(rows)[:_ROWS_SHOWN] if isinstance(rows, list) else []
        return await _form(call, target, call.form, refusal=refusal_of(error, _FIELDS), rejected=rejected)


async def _planned(call: PageCall, target: DatasetCall) -> Response:
    chosen, form = file_of(call.request.scope, "file"), call.form
    if chosen is None:
        message = Text("choose a file")
        raise ValidationFailed(message, violations=[Violation("/file", message, "missing")])
    keys = [name.strip() for name in form.get("key", "").split(",") if name.strip()]
    values = {
        "mode": form.get("mode"),
        "table": form.get("table") or "data",
        "key": keys or None,
        "max_rejected": form.get("max_rejected") or 0,
        "message": form.get("message") or None,
    }
    options = ImportIn.model_validate(values).model_dump(mode="json")
    file = SentFile(chosen.name[-255:], chosen.content_type[:255], chosen.data)
    services = target.services(DatasetsServices)
    handler = partial(receive_file, objects=services.chunks, limits=services.upload_limits)
    command = ReceiveFile(target.dataset_id, form.get("ref", ""), file, options, RunType.IMPORT_PLAN)
    work = await run(target.unit_of_work(Work), handler, command)

    def ended(_target: DatasetCall, job: Mapping[str, Any]) -> Response:
        return call.see_other(DATASETS, target.dataset_id, "imports", job["output_summary"]["plan_hash"])

    return _or_later(call, target, await do_now(target, work, ended))


@router.get(IMPORTS + "/{plan_hash}")
async def import_plan(dataset_id: UUID, plan_hash: str, call: Importing) -> Response:
    """What the import would do."""
    return await _plan(call, await checked(call, dataset_id, Action.CREATE, Kind.UPLOAD), plan_hash)


@router.post(IMPORTS + "/{plan_hash}")
async def apply_plan(dataset_id: UUID, plan_hash: str, call: Importing) -> Response:
    """Do it; a plan that does not hold any more is shown again with the reason."""
    target = await checked(call, dataset_id, Action.CREATE, Kind.UPLOAD)
    try:
        applied = await run(target.unit_of_work(Work), apply_import, ApplyImport(dataset_id, plan_hash))
        if applied.begun and applied.size > MAX_BODY_BYTES:
            await send_job(target, applied.job_id, RunType.IMPORT)
        if not applied.begun or applied.size > MAX_BODY_BYTES:
            return call.go_on("success", Text("The plan is being applied."), DATASETS, dataset_id)
        work = FileJob(applied.job_id, RunType.IMPORT, await kept_file(target, applied.upload_id))
        return _or_later(call, target, await do_now(target, work, partial(_imported, call)))
    except DataForgeError as error:
        return await _plan(call, target, plan_hash, refusal=refusal_of(error))


def _imported(call: PageCall, target: DatasetCall, job: Mapping[str, Any]) -> Response:
    rows = job["output_summary"]["rows_processed"]
    text = Text.counted("Imported {count} row.", "Imported {count} rows.", count=rows)
    return call.go_on("success", text, DATASETS, target.dataset_id)


def _or_later(call: PageCall, target: DatasetCall, answer: Response) -> Response:
    if answer.status_code != 202:
        return answer
    text = Text("The file is more than a request can do; a job goes on with it.")
    return call.go_on("success", text, DATASETS, target.dataset_id)


async def _form(
    call: PageCall,
    target: DatasetCall,
    given: Mapping[str, str],
    *,
    refusal: Refusal = ACCEPTED,
    rejected: list[Any] | None = None,
) -> Response:
    dataset, refs = await asyncio.gather(
        call.query(get_dataset, target.dataset_id, call.principal),
        call.query(list_refs, target.dataset_id, kind="branch", after=None, limit=MAX_LIMIT),
    )
    return call.page(
        "datasets/import_form.html",
        refusal=refusal,
        dataset=dataset,
        branches=[(item["name"], item["name"]) for item in refs.rows if not item["protected"]],
        given={**dict.fromkeys(_FIELDS, ""), **_NEW, "ref": target.access.default_branch, **given},
        modes=MODES,
        rejected=rejected or [],
        most=MAX_BODY_BYTES,
    )


async def _plan(call: PageCall, target: DatasetCall, plan_hash: str, *, refusal: Refusal = ACCEPTED) -> Response:
    plan = await call.query(find_plan, target.dataset_id, plan_hash)
    return call.page(
        "datasets/import_plan.html",
        refusal=refusal,
        dataset=await call.query(get_dataset, target.dataset_id, call.principal),
        plan={**plan_of(plan), "expires_at": plan.expires_at},
        expired=target.platform.clock.now() >= plan.expires_at,
        shown=_ROWS_SHOWN,
    )
