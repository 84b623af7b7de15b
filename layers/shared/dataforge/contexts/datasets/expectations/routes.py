"""REST of expectations and their checks."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.datasets.calls import DatasetCall, checked, on_dataset, router
from dataforge.contexts.datasets.expectations import commands, domain, queries, wire
from dataforge.contexts.datasets.expectations.checks import require_runnable, run_checks
from dataforge.contexts.datasets.expectations.domain import Expectation, ExpectationRule, check_parameters
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.http.call import json_response
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.ids import uuid7


@router.get("/api/datasets/{dataset_id}/expectations", response_model=wire.ExpectationList)
async def list_expectations(call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.EXPECTATION)]) -> Response:
    """What must be true of the tables."""
    rows = await call.query(queries.list_expectations, call.dataset_id)
    return json_response({"items": rows})


@router.post("/api/datasets/{dataset_id}/expectations", status_code=201, response_model=wire.ExpectationList)
async def add_expectation(
    body: wire.ExpectationIn, call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.EXPECTATION)]
) -> Response:
    """Add an expectation; it is checked before a review request is merged, and on demand."""
    wanted = Expectation(uuid7(), body.name, body.rule, tuple(body.columns), body.parameters, body.sheet, body.severity)
    check_parameters(wanted.rule, wanted.columns, wanted.parameters)
    await require_runnable(call.versions, call.dataset_id, wanted, call.access.default_branch)
    if body.rule is ExpectationRule.FOREIGN_KEY:
        # Results show rows without a partner: whoever asks for that must be able to read the other side.
        await checked(call, UUID(str(body.parameters["dataset_id"])), Action.READ, Kind.TABLE)

    async def show(connection: AsyncConnection, _made: UUID) -> Response:
        return json_response({"items": await queries.list_expectations(connection, call.dataset_id)}, status=201)

    return await call.execute_and_read(
        Work, commands.add_expectation, commands.AddExpectation(call.dataset_id, wanted), show
    )


@router.delete("/api/datasets/{dataset_id}/expectations/{expectation_id}", status_code=204)
async def remove_expectation(
    expectation_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.DELETE, Kind.EXPECTATION)]
) -> Response:
    """Take an expectation away."""
    command = commands.RemoveExpectation(call.dataset_id, expectation_id)
    return await call.execute(Work, commands.remove_expectation, command, lambda _: json_response(None, status=204))


@router.get("/api/datasets/{dataset_id}/refs/{version}/checks", response_model=wire.VersionChecks)
@router.get("/api/datasets/{dataset_id}/commits/{version}/checks", response_model=wire.VersionChecks)
async def check_version(
    version: str,
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.EXPECTATION)],
    base: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Check the expectations against a version; `base` is what row-count drift compares with, else its parent."""
    found = await call.versions.load(call.dataset_id, version)
    other = base or found.parent
    before = {} if other is None else (await call.versions.load(call.dataset_id, other)).manifests
    results = await run_checks(call.versions, call.dataset_id, found.manifests, before)
    shown = [domain.result_json(result) for result in results]
    body = {"dataset_id": call.dataset_id, "commit_id": found.commit_id, "results": shown}
    return json_response({**body, "passed": not any(result.blocks for result in results)})
