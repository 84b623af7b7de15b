"""REST of relations."""

from typing import Annotated, Any

from starlette.responses import Response

from dataforge.contexts.reports.calls import router
from dataforge.contexts.reports.examples import EXAMPLES
from dataforge.contexts.reports.relations.domain import SCHEMA
from dataforge.contexts.reports.relations.views import VIEWS
from dataforge.contexts.reports.relations.wire import COLUMN_TYPES, RelationsOut
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"example": EXAMPLES["relations"]}}}}


@router.get("/api/reports/relations", response_model=RelationsOut, responses=_ANSWERS)
async def report_relations(_call: Annotated[Call, require(Action.READ, Kind.REPORT)]) -> Response:
    """Reports that a statement of POST /api/sql reads by name: `FROM reports.completions`."""
    items = [
        {
            "name": f"{SCHEMA}.{view.name}",
            "description": view.description,
            "parameters": [
                {
                    "name": parameter.name,
                    "parameter_type": parameter.parameter_type,
                    "description": parameter.description,
                    "required": parameter.required,
                    "choices": list(parameter.choices),
                }
                for parameter in view.parameters
            ],
            "columns": [{"name": name, "type": COLUMN_TYPES[kind]} for name, kind in view.columns.items()],
        }
        for view in VIEWS.values()
    ]
    return json_response({"items": items})
