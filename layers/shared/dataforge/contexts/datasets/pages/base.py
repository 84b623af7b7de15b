"""What the pages of datasets share: the router, and calls about one dataset that the person may read."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request

from dataforge.contexts.datasets.domain.access import Level, check_access
from dataforge.contexts.datasets.module import DatasetsServices
from dataforge.contexts.datasets.queries.datasets import DatasetAccess, dataset_access
from dataforge.contexts.datasets.services.versions import Versions
from dataforge.http.call import platform_of
from dataforge.kernel.principal import Principal
from dataforge.web.calls import AnyonePage, PageCall
from dataforge.web.routing import page_router

router = page_router("datasets")
DATASETS = "/ui/datasets"
ROWS = 25


def _services(request: Request) -> DatasetsServices:
    return platform_of(request).get(DatasetsServices)


async def memberships_of(call: PageCall) -> Sequence[UUID]:
    """The workspaces of the person."""
    return list(await _services(call.request).memberships.workspaces_of(call.user_id))


class DatasetPageCall(PageCall):
    """A call about one dataset that the person may read."""

    def __init__(self, request: Request, principal: Principal, form: Mapping[str, str], access: DatasetAccess) -> None:
        super().__init__(request, principal, form)
        self.access = access

    @property
    def versions(self) -> Versions:
        """Versions of datasets."""
        return _services(self.request).dataset_versions


async def readable(dataset_id: UUID, call: AnyonePage) -> DatasetPageCall:
    """Look the person's level up; raises DatasetNotFound for a dataset they may not read."""
    access = await call.query(dataset_access, dataset_id, call.principal, await memberships_of(call))
    seen = access is not None and not access.deleted
    check_access(access.level if access is not None and seen else None, Level.READ, dataset_id)
    assert access is not None  # noqa: S101 - check_access has raised otherwise
    return DatasetPageCall(call.request, call.principal, call.form, access)


ReadPage = Annotated[DatasetPageCall, Depends(readable)]
