"""The router of datasets, and calls that have been checked against the permissions of their dataset."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from dataforge.contexts.datasets.commits.versions import Authorship, Versions
from dataforge.contexts.datasets.datasets.queries import DatasetAccess, require_access
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.bounds import sendable
from dataforge.http.call import Call, json_response, replay_if_known
from dataforge.http.etag import etag
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.principal import Principal
from dataforge.kernel.texts import Text
from dataforge.platform.access import MemberRoles

DATASETS = "/api/datasets"
router = context_router("datasets")


def bounded(body: object, *, etag_of: str | None = None) -> Response:
    """A JSON answer that fits through the gateway; raises AnswerTooLarge for one that does not."""
    response = json_response(body, headers={} if etag_of is None else {"ETag": etag(etag_of)})
    return sendable(response, Text("Ask for fewer rows or columns, or export the version to a file."))


class DatasetCall(Call):
    """A call about one dataset that the caller may do this with."""

    def __init__(self, request: Request, principal: Principal, access: DatasetAccess) -> None:
        super().__init__(request, principal)
        self.access = access

    @property
    def dataset_id(self) -> UUID:
        """The dataset."""
        return self.access.id

    @property
    def versions(self) -> Versions:
        """Versions of datasets."""
        return self.services(DatasetsServices).versions

    def authorship(self, message: str) -> Authorship:
        """A commit by the caller, now."""
        return Authorship(str(self.user_id), self.user_id, message, self.platform.clock.now().isoformat())


async def checked(call: Call, dataset_id: UUID, action: Action, kind: Kind, *, deleted: bool = False) -> DatasetCall:
    """The call about a dataset that the caller may do this with.

    Raises DatasetNotFound, AccessTooLow, and WorkspaceArchived for what is no reading in an archived workspace.
    """
    access = await call.query(require_access, dataset_id, call.principal, action, kind, deleted=deleted)
    if access.workspace_id is not None and not action.reads:
        await call.platform.get(MemberRoles).require_open(access.workspace_id)
    call.decisions.keep_level(dataset_id, access.level)
    return DatasetCall(call.request, call.principal, access)


def on_dataset(action: Action, kind: Kind, *, deleted: bool = False) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route says of who may call it: `Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)]`.

    Answers 404 for a dataset the caller may not read, and 403 for a level below the one needed, also where the request
    repeats one that was answered while they might. A deleted dataset is there for `deleted` routes only.
    """

    async def dataset_call(
        dataset_id: UUID, call: Annotated[Call, require(action, kind, replays=False)]
    ) -> DatasetCall:
        found = await checked(call, dataset_id, action, kind, deleted=deleted)
        await replay_if_known(call.request, call.principal)
        return found

    return Depends(dataset_call)
