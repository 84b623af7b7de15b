"""The router of the pages of datasets, and calls about one dataset that the person may read."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request

from dataforge.contexts.datasets.commits.versions import Versions
from dataforge.contexts.datasets.datasets.domain import Level
from dataforge.contexts.datasets.datasets.queries import DatasetAccess, require_access
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.kernel.principal import Principal
from dataforge.web.calls import AnyonePage, PageCall
from dataforge.web.routing import page_router

router = page_router("datasets")
DATASETS = "/ui/datasets"
ROWS = 25


class DatasetPageCall(PageCall):
    """A call about one dataset that the person may read."""

    def __init__(self, request: Request, principal: Principal, form: Mapping[str, str], access: DatasetAccess) -> None:
        super().__init__(request, principal, form)
        self.access = access

    @property
    def versions(self) -> Versions:
        """Versions of datasets."""
        return self.services(DatasetsServices).versions


async def readable(dataset_id: UUID, call: AnyonePage) -> DatasetPageCall:
    """Look the person's level up; raises DatasetNotFound for a dataset they may not read."""
    access = await call.query(require_access, dataset_id, call.principal, Level.READ)
    return DatasetPageCall(call.request, call.principal, call.form, access)


ReadPage = Annotated[DatasetPageCall, Depends(readable)]
