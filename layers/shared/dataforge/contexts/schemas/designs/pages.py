"""Pages of the schema as it is, and of the editor of targets."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.schemas.deployments.queries import latest_revision, target_of
from dataforge.contexts.schemas.designs.domain.answers import Answer, answered
from dataforge.contexts.schemas.designs.domain.document import Design, parse_design
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.designs.domain.positions import Lines
from dataforge.contexts.schemas.designs.domain.writing import to_document
from dataforge.contexts.schemas.designs.pictures import FILES, as_file, file_of, picture_of
from dataforge.contexts.schemas.designs.representations import JSON, Drawn
from dataforge.contexts.schemas.designs.texts import Problem, problems_of, read_target, write_target
from dataforge.contexts.schemas.page_calls import (
    MOST_ASKED,
    SCHEMA_PAGE,
    SCHEMAS_PAGES,
    SchemaPageCall,
    in_schema_page,
    lines_of_form,
    router,
    show_editor,
)
from dataforge.contexts.schemas.plans.previewing import check_target, find_deployed, live_schema
from dataforge.contexts.schemas.plans.queries import find_plan
from dataforge.contexts.schemas.plans.wire import EXAMPLE_TARGET
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.web.calls import ChosenId
from dataforge.web.forms import Refusal

EDITOR = SCHEMA_PAGE + "/editor"
MOST_TABLES = 500  # listed on one page; files have all


@router.get(SCHEMA_PAGE)
async def schema_page(call: Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA)]) -> Response:
    """The live schema: its diagram, its tables, and what it was deployed as."""
    schema = await live_schema(call.schemas, call.workspace.id)
    revision = await call.query(latest_revision, call.workspace.id)
    tables = list(schema.tables.values())
    return call.page(
        "schemas/schema.html",
        schema=schema,
        tables=tables[:MOST_TABLES],
        more=max(0, len(tables) - MOST_TABLES),
        revision=revision,
        drifted=schema.fingerprint != (Schema().fingerprint if revision is None else revision["fingerprint"]),
        formats=[("json", "JSON"), *((ending, words) for ending, (_, words) in FILES.items())],
        picture=picture_of(Drawn(schema, "Schema as it is")),
        namespace=namespace_of(call.workspace.id),
    )


@router.get(SCHEMA_PAGE + "/files")
async def download_schema(
    call: Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA)],
    written_as: Annotated[str, Query(alias="format", max_length=10)] = "json",
) -> Response:
    """The live schema as a file."""
    if written_as == "json":
        return as_file(Response(write_target(await _current(call)), media_type=JSON), "schema.json")
    drawn = Drawn(await live_schema(call.schemas, call.workspace.id), f"Schema of {call.workspace.name}")
    return file_of(call, written_as, drawn, "schema")


@router.get(EDITOR)
async def editor_page(
    call: Annotated[SchemaPageCall, in_schema_page(Action.CREATE, Kind.SCHEMA_PLAN)],
    plan_id: Annotated[ChosenId, Query()] = None,
    revision: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """A target to work on: the live schema, or that of a plan or revision."""
    if plan_id is not None:
        target: Mapping[str, Any] = (await call.query(find_plan, call.workspace.id, plan_id))["target"]
    elif revision is not None:
        target = await call.query(target_of, call.workspace.id, revision)
    else:
        target = await _current(call)
    return show_editor(call, write_target(target if set(target) - {"version", "namespace"} else EXAMPLE_TARGET))


@router.post(EDITOR)
async def check_from_page(
    call: Annotated[SchemaPageCall, in_schema_page(Action.CREATE, Kind.SCHEMA_PLAN)],
) -> Response:
    """Say what is wrong with the target, as PostgreSQL judges it, and draw it; nothing is kept."""
    text = lines_of_form(call.form, "target")
    design: Design | None = None
    try:
        target = read_target(text)
        design = parse_design(target)
        warnings = await check_target(call.schemas, target)
    except DataForgeError as error:
        return show_editor(call, text, design=design, problems=problems_of(error, text), checked=True)
    return show_editor(call, text, design=design, warnings=_placed(warnings, text), checked=True)


@router.post(EDITOR + "/preview")
async def preview_from_page(
    call: Annotated[SchemaPageCall, in_schema_page(Action.CREATE, Kind.SCHEMA_PLAN)],
) -> Response:
    """Plan the way to the target and go on to the plan; what is wrong with it is shown beside it."""
    text = lines_of_form(call.form, "target")
    try:
        target = read_target(text)
        if answers := _answers(call.form):
            target = answered(target, answers)
            text = write_target(target)
        plan_id = await call.keep_plan(target)
    except DataForgeError as error:
        refusal = Refusal(error.status, error.title + ".")
        questions: Any = error.facts.get("questions") or ()
        problems = [] if questions else problems_of(error, text)
        return show_editor(call, text, problems=problems, questions=questions, refusal=refusal)
    return call.see_other(SCHEMAS_PAGES, call.workspace.id, "plans", plan_id)


async def _current(call: SchemaPageCall) -> dict[str, Any]:
    schema = await live_schema(call.schemas, call.workspace.id)
    before = await find_deployed(call.schemas, call.workspace.id)
    named = () if before is None else before.design.named
    return to_document(schema, namespace_of(call.workspace.id), named)


def _answers(form: Mapping[str, str]) -> list[Answer]:
    """What was chosen beside the questions of the last answer: `is <pointer> <name>` for a candidate, or `goes`."""
    found = []
    for index in range(MOST_ASKED):
        chosen, about = form.get(f"answer-{index}", ""), form.get(f"asked-{index}", "")
        if not chosen or not about:
            continue
        pointer, _, candidate = chosen.removeprefix("is ").partition(" ") if chosen != "goes" else ("", "", "")
        found.append(Answer(about, form.get(f"called-{index}", ""), pointer, candidate))
    return found


def _placed(warnings: Sequence[Mapping[str, Any]], text: str) -> list[Problem]:
    lines = Lines(text)
    found = []
    for item in warnings:
        pointer = str(item["object"])
        line = lines.line_of(pointer) if pointer.startswith("/") else None
        found.append(Problem(str(item["message"]), pointer, line, "" if line is None else lines.text_of(line)))
    return found
