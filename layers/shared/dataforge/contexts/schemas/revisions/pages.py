"""Pages of one revision, and of what is different between two."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from dataforge.contexts.schemas.designs.pictures import FILES, file_of, picture_of
from dataforge.contexts.schemas.designs.representations import Drawn
from dataforge.contexts.schemas.page_calls import (
    SCHEMA_PAGE,
    SCHEMAS_PAGES,
    SchemaPageCall,
    in_schema_page,
    list_other_workspaces,
    router,
)
from dataforge.contexts.schemas.plans.domain.comparison import changes_of
from dataforge.contexts.schemas.revisions import comparing, queries
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError

REVISION = SCHEMA_PAGE + "/history/{number}"
MOST_LISTED = 500  # differences on the page; the files have all
_LARGEST = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=_LARGEST)]
Shown = Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA)]
# A choice that was left open arrives as an empty text, and means the schema as it is.
Other = Annotated[
    Annotated[int, Field(ge=1, le=_LARGEST)] | None, BeforeValidator(lambda value: value or None), Query()
]
Ending = Annotated[str, Query(alias="format", max_length=10)]
_FILES = [(ending, words) for ending, (_, words) in FILES.items()]


@router.get(REVISION)
async def revision_page(number: Number, call: Shown) -> Response:
    """A revision: its schema, and the statements that led to it and back."""
    row = await call.query(queries.find_revision, call.workspace.id, number)
    state = await comparing.schema_of(call.schemas, row)
    picture = picture_of(Drawn(state.schema, f"Revision {number}"))
    return call.page(
        "schemas/revision.html",
        revision=row,
        schema=state.schema,
        picture=picture,
        formats=_FILES,
        others=await call.query(list_other_workspaces, call.workspace.id, call.user_id),
    )


@router.get(REVISION + "/files")
async def download_revision(number: Number, call: Shown, written_as: Ending = "sql") -> Response:
    """The schema after a revision as a file."""
    row = await call.query(queries.find_revision, call.workspace.id, number)
    state = await comparing.schema_of(call.schemas, row)
    return file_of(call, written_as, Drawn(state.schema, f"Revision {number}"), f"revision-{number}")


@router.get(SCHEMA_PAGE + "/compare")
async def choose_comparison(
    call: Shown, number: Annotated[int, Query(ge=1, le=_LARGEST)], to: Other = None
) -> Response:
    """Where the form of the history leads."""
    return call.see_other(SCHEMAS_PAGES, call.workspace.id, "history", number, "compare", to=to)


@router.get(REVISION + "/compare")
async def comparison_page(number: Number, call: Shown, to: Other = None) -> Response:
    """What is different from a revision to another, or to the schema as it is."""
    difference = await comparing.compare_states(call.schemas, call.workspace.id, number, to)
    try:
        sql = await comparing.statements_between(call.schemas, call.workspace.id, difference)
    except DataForgeError as error:
        sql = f"-- {error.detail}"
    listed = changes_of(difference.comparison.marks)
    return call.page(
        "schemas/comparison.html",
        difference=difference,
        changes=listed[:MOST_LISTED],
        more=max(0, len(listed) - MOST_LISTED),
        sql=sql,
        picture=picture_of(difference.drawn()),
        formats=_FILES,
        number=number,
        to=to,
    )


@router.get(REVISION + "/compare/files")
async def download_comparison(number: Number, call: Shown, to: Other = None, written_as: Ending = "svg") -> Response:
    """What is different as a file."""
    difference = await comparing.compare_states(call.schemas, call.workspace.id, number, to)
    sql = None
    if written_as == "sql":
        sql = await comparing.statements_between(call.schemas, call.workspace.id, difference)
    return file_of(call, written_as, difference.drawn(sql), f"revision-{number}-to-{to or 'now'}")
