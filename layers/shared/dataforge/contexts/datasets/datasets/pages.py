"""The datasets somebody may read, and one of them: its versions, tables and latest commits."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.datasets.commits.queries import find_version, get_commit, history
from dataforge.contexts.datasets.datasets import queries
from dataforge.contexts.datasets.datasets.page_calls import DATASETS, ROWS, DatasetPageCall, on_dataset_page, router
from dataforge.contexts.datasets.refs.queries import list_refs
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import MAX_LIMIT
from dataforge.web.calls import PageCall, require_page

_COMMITS = 10


@router.get(DATASETS)
async def datasets(
    call: Annotated[PageCall, require_page(Action.READ, Kind.DATASET)],
    cursor: Cursor = None,
    search: Annotated[str, Query(max_length=100)] = "",
    tag: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Datasets that the person may read, by name."""
    found = await call.query(
        queries.list_datasets,
        call.principal,
        after=call.after(cursor),
        limit=ROWS,
        search=search,
        tags=[tag] if tag else [],
        deleted=False,
    )
    return call.page(
        "datasets/datasets.html",
        datasets=found.rows,
        following=call.following(found.next_key),
        first=cursor is None,
        tags=await call.query(queries.list_tags, call.principal),
        chosen={"search": search, "tag": tag},
    )


@router.get(DATASETS + "/{dataset_id}")
async def dataset(
    call: Annotated[DatasetPageCall, on_dataset_page(Action.READ, Kind.DATASET)],
    version: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """One dataset as of a version, its default branch when none is named."""
    dataset_id, shown = call.access.id, version or call.access.default_branch
    commit_id, name = await call.query(find_version, dataset_id, shown)
    refs = await call.query(list_refs, dataset_id, kind=None, after=None, limit=MAX_LIMIT)
    past = await call.query(history, dataset_id, commit_id, after=None, limit=_COMMITS)
    return call.page(
        "datasets/dataset.html",
        dataset=await call.query(queries.get_dataset, dataset_id, call.principal),
        version=shown,
        is_ref=name is not None,
        commit=await call.query(get_commit, dataset_id, commit_id),
        refs=refs.rows,
        commits=past.rows,
        more=past.next_key is not None,
    )
