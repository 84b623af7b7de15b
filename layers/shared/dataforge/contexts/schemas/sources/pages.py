"""The page where SQL or DBML becomes a target to work on."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.schemas.designs.texts import Problem, write_target
from dataforge.contexts.schemas.page_calls import (
    SCHEMA_PAGE,
    SchemaPageCall,
    in_schema_page,
    lines_of_form,
    router,
    show_editor,
)
from dataforge.contexts.schemas.sources import wire
from dataforge.contexts.schemas.sources.conversions import convert
from dataforge.contexts.schemas.sources.domain.source import InvalidSource
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, sentence
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

SOURCE = SCHEMA_PAGE + "/editor/source"
KINDS = {"sql": "SQL", "dbml": "DBML"}
Editing = Annotated[SchemaPageCall, in_schema_page(Action.CREATE, Kind.SCHEMA_PLAN)]


@router.get(SOURCE)
async def source_page(call: Editing) -> Response:
    """Where SQL or DBML is pasted."""
    return _source(call, "sql", "")


@router.post(SOURCE)
async def convert_from_page(call: Editing) -> Response:
    """The editor with the target that a text makes; what is wrong with the text is shown beside its line."""
    kind = "dbml" if call.form.get("kind") == "dbml" else "sql"
    text = lines_of_form(call.form, "source")
    try:
        body = wire.ConvertIn.model_validate({"workspace_id": call.workspace.id, kind: text})
        converted = await convert(call.schemas, body)
    except ValidationError as error:
        return _source(call, kind, text, refusal=refusal_of(error, ()))
    except DataForgeError as error:
        return _source(call, kind, text, problems=_problems_of(error, text), refusal=Refusal(error.status, error.title))
    lines = text.split("\n")
    warnings = [Problem(item.message, text=_line(lines, item.line)) for item in converted.warnings]
    return show_editor(call, write_target(converted.target), warnings=warnings)


def _problems_of(error: DataForgeError, text: str) -> list[Problem]:
    """What an error says about a text, each with its line."""
    places = error.facts.get("places")
    if not isinstance(error, InvalidSource) or not isinstance(places, list):
        return [Problem(item.message) for item in error.violations] or [Problem(error.detail)]
    lines, found = text.split("\n"), []
    for item, place in zip(error.violations, places, strict=True):
        line = place["line"]
        message = item.message.removeprefix(f"line {line}, column {place['column']}: ")
        found.append(Problem(sentence(f"{message[:1].upper()}{message[1:]}"), "", line, _line(lines, line)))
    return found


def _line(lines: Sequence[str], number: int) -> str:
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _source(
    call: SchemaPageCall, kind: str, text: str, *, problems: Sequence[Problem] = (), refusal: Refusal = ACCEPTED
) -> Response:
    return call.page(
        "schemas/source.html", kind=kind, kinds=list(KINDS.items()), text=text, problems=problems, refusal=refusal
    )
