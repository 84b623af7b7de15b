"""The viewer of one table of a version: filters, order, columns, pages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Query
from starlette.responses import Response

from dataforge.contexts.datasets.commits.versions import Version
from dataforge.contexts.datasets.contents import queries
from dataforge.contexts.datasets.contents.filter_form import OPERATORS, FilterRow, filter_of_rows, rows_of
from dataforge.contexts.datasets.datasets.page_calls import DATASETS, DatasetPageCall, on_dataset_page, router
from dataforge.contexts.datasets.datasets.queries import get_dataset
from dataforge.contexts.datasets.refs.queries import list_refs
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import MAX_LIMIT
from versioned_tables.errors import FilterRefused
from versioned_tables.read.pages import Page, PageRequest

_MOST_FILTERS = 10
_LONGEST_CELL = 500  # characters shown of one cell
SIZES = (25, 50, 100, 200)
Texts = Annotated[list[str] | None, Query(max_length=2000)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form of the viewer says."""

    show: tuple[str, ...] | None
    filters: list[FilterRow]
    sort: str
    limit: int


def _asked(
    show: Texts = None,
    column: Texts = None,
    op: Texts = None,
    value: Texts = None,
    sort: Literal["key", "-key"] = "key",
    limit: Annotated[int, Query(ge=1, le=SIZES[-1])] = 50,
) -> Asked:
    rows = rows_of((column or [])[:_MOST_FILTERS], op or [], value or [])
    return Asked(tuple(show) if show else None, rows, sort, limit)


@router.get(DATASETS + "/{dataset_id}/table")
async def table(
    call: Annotated[DatasetPageCall, on_dataset_page(Action.READ, Kind.TABLE)],
    asked: Annotated[Asked, Depends(_asked)],
    version: Annotated[str, Query(max_length=100)] = "",
    sheet: Annotated[str, Query(max_length=255)] = "",
    cursor: Cursor = None,
) -> Response:
    """Rows of a table. The pages after the first stay in the commit that the first was read from."""
    shown, after = version or call.access.default_branch, call.after(cursor)
    found = await call.versions.load(call.access.id, shown if after is None else str(after[0]), sheet=sheet or None)
    name = found.sheet_name(sheet or None)
    page, error = await _rows(call, found, name, asked, None if after is None else int(after[1]))
    before = 0 if after is None else int(after[2])
    refs = await call.query(list_refs, call.access.id, kind=None, after=None, limit=MAX_LIMIT)
    schema = found.tables[name].manifest.schema
    return call.page(
        "datasets/table.html",
        status=200 if error is None else error.status,
        dataset=await call.query(get_dataset, call.access.id, call.principal),
        version=shown,
        commit_id=found.commit_id,
        refs=refs.rows,
        sheet=name,
        sheets=list(found.tables),
        columns=[column for column in schema.columns if asked.show is None or column.name in asked.show],
        every_column=schema.columns,
        key=[column.name for column in schema.key_columns],
        rows=[{column: _cell(value) for column, value in _data_of(row).items()} for row in page.rows],
        total=page.total_rows,
        before=before,
        following=_following(call, found, page, before),
        asked=asked,
        operators=OPERATORS,
        sizes=SIZES,
        error=error,
    )


async def _rows(
    call: DatasetPageCall, version: Version, sheet: str, asked: Asked, after: int | None
) -> tuple[Page, FilterRefused | None]:
    # A filter that cannot be applied is reported above the table, beside the form that it came from.
    try:
        where = filter_of_rows(asked.filters, version.tables[sheet].manifest.schema)
        request = PageRequest(
            limit=asked.limit, after=after, columns=asked.show, where=where, descending=asked.sort == "-key"
        )
        return await queries.data_page(call.versions, version, sheet, request), None
    except FilterRefused as error:
        return Page([], None, has_more=False, next_after=None), error


def _data_of(row: Mapping[str, object]) -> Mapping[str, object]:
    data = row["data"]
    return data if isinstance(data, Mapping) else {}


def _following(call: DatasetPageCall, version: Version, page: Page, before: int) -> str | None:
    return call.following((version.commit_id, page.next_after, before + len(page.rows)) if page.has_more else None)


def _cell(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"
