"""The form that plans a revision for another workspace."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from starlette.responses import Response

from dataforge.contexts.schemas.page_calls import SCHEMA_PAGE, SCHEMAS_PAGES, SchemaPageCall, in_schema_page, router
from dataforge.contexts.schemas.plans.commands import KeepPlan, keep_plan
from dataforge.contexts.schemas.promotions.promoting import Promotion, promote
from dataforge.contexts.workspaces.contract import Memberships
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, invalid
from dataforge.kernel.texts import Text

MOST_NAMED = 5  # differences in the message; the plan has its own page


@router.post(SCHEMA_PAGE + "/history/{number}/promote")
async def promote_from_page(
    number: Annotated[int, Path(ge=1, le=2**31 - 1)],
    call: Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA)],
) -> Response:
    """Plan the revision for another workspace and go on to the plan there, which says whether it is the same."""
    try:
        other = _other(call)
        await call.services(Memberships).require(other, call.user_id, Action.CREATE, Kind.SCHEMA_PLAN)
        promotion = await promote(call.schemas, call.workspace.id, number, other)
        found = promotion.found
        command = KeepPlan(other, promotion.target, found.plan, found.warnings, found.affected)
        row = await call.carry_out(keep_plan, command)
    except DataForgeError as error:
        return call.go_on("error", error.detail, SCHEMAS_PAGES, call.workspace.id, "history", number)
    kind, text = _message(promotion, row)
    return call.go_on(kind, text, SCHEMAS_PAGES, other, "plans", row["id"])


def _other(call: SchemaPageCall) -> UUID:
    try:
        other = UUID(call.form.get("to_workspace_id", ""))
    except ValueError as error:
        raise invalid("/to_workspace_id", Text("Choose a workspace."), "required") from error
    if other == call.workspace.id:
        raise invalid("/to_workspace_id", Text("Choose another workspace than this one."), "workspace")
    return other


def _message(promotion: Promotion, row: dict[str, Any]) -> tuple[str, str]:
    if row["plan_hash"] == promotion.plan_hash:
        return "success", Text("This is the very plan that was deployed there, by the same hash.")
    if not row["changes"]:
        return "info", Text("The schema here is already as the revision wants it.")
    names = [f"{item['kind']} {'.'.join(item['path'])}" for item in promotion.base]
    names = names or [f"{item['op']} {item['object']}" for item in promotion.statements]
    more = Text(" and {count} more", count=len(names) - MOST_NAMED) if len(names) > MOST_NAMED else ""
    said = Text(" Different: {names}{more}.", names=", ".join(names[:MOST_NAMED]), more=more) if names else ""
    return "info", Text("This is another plan than the one that was deployed there.{said}", said=said)
