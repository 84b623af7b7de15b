"""The router of the pages of datasets, and calls about one dataset that the person may read."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request

from dataforge.contexts.datasets.commits.versions import Versions
from dataforge.contexts.datasets.datasets.queries import DatasetAccess, require_access
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.principal import Principal
from dataforge.web.calls import PageCall, require_page
from dataforge.web.csv_pages import csv_router
from dataforge.web.routing import page_router

router = page_router("datasets")
router.include_router(csv_router("/ui/datasets/csv", "/api/datasets"))  # before pages of one dataset
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


def on_dataset_page(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a page says of who may see it: `Annotated[DatasetPageCall, on_dataset_page(Action.READ, Kind.TABLE)]`.

    Answers 404 for a dataset the person may not read, and 403 for a level below the one needed.
    """

    async def dataset_page(dataset_id: UUID, call: Annotated[PageCall, require_page(action, kind)]) -> DatasetPageCall:
        access = await call.query(require_access, dataset_id, call.principal, action, kind)
        call.decisions.keep_level(dataset_id, access.level)
        return DatasetPageCall(call.request, call.principal, call.form, access)

    return Depends(dataset_page)
