"""The page of a plan: what it does at which risk, the proof, and the form that deploys it by its hash."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from markupsafe import Markup
from starlette.responses import Response

from dataforge.contexts.schemas.deployments.announcing import announce_deployment
from dataforge.contexts.schemas.deployments.commands import ask_deployment
from dataforge.contexts.schemas.deployments.domain import ConfirmationMissing
from dataforge.contexts.schemas.deployments.queries import latest_revision
from dataforge.contexts.schemas.deployments.readiness import as_asked
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.pictures import as_file, file_of, picture_of
from dataforge.contexts.schemas.page_calls import (
    SCHEMA_PAGE,
    SCHEMAS_PAGES,
    SchemaPageCall,
    in_schema_page,
    router,
)
from dataforge.contexts.schemas.plans import previewing, queries
from dataforge.contexts.schemas.plans.domain.changes import Risk
from dataforge.contexts.schemas.revisions.comparing import drawn_plan
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.web.forms import ACCEPTED, Refusal

PLAN = SCHEMA_PAGE + "/plans/{plan_id}"
MOST_CHANGES = 300  # shown on the page; the SQL has all
MOST_DRAWN = 300  # tables of a target that is made once more for its picture
MOST_BOXES = 100  # a form has at most 200 fields; with more objects their names are typed
_MOST_NAMED = 5  # of what is not confirmed yet; the form has all
_RISKS = [Risk.DESTRUCTIVE, Risk.REWRITING, Risk.LOCKING, Risk.SAFE]


@router.get(PLAN)
async def plan_page(
    plan_id: UUID, call: Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA_PLAN)]
) -> Response:
    """A plan, and whether the schema still is where it begins."""
    return await _plan(call, plan_id)


@router.get(PLAN + "/files")
async def download_plan(
    plan_id: UUID,
    call: Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA_PLAN)],
    written_as: Annotated[str, Query(alias="format", max_length=10)] = "sql",
) -> Response:
    """A plan as a file: its statements, those of the way back (`back`), or what it changes as a picture or text."""
    plan = await call.query(queries.find_plan, call.workspace.id, plan_id)
    name = f"plan-{plan['plan_hash'][:12]}"
    if written_as == "back":
        return as_file(Response(plan["down_sql"], media_type="application/sql; charset=utf-8"), f"{name}-back.sql")
    if written_as == "sql":
        return as_file(Response(plan["sql"], media_type="application/sql; charset=utf-8"), f"{name}.sql")
    return file_of(call, written_as, await drawn_plan(call.schemas, call.workspace.id, plan), name)


@router.post(PLAN + "/again")
async def plan_again(
    plan_id: UUID, call: Annotated[SchemaPageCall, in_schema_page(Action.CREATE, Kind.SCHEMA_PLAN)]
) -> Response:
    """Plan the way to the same target from where the schema is now."""
    plan = await call.query(queries.find_plan, call.workspace.id, plan_id)
    try:
        next_id = await call.keep_plan(plan["target"])
    except DataForgeError as error:
        return await _plan(call, plan_id, refusal=Refusal(error.status, error.detail))
    return call.see_other(SCHEMAS_PAGES, call.workspace.id, "plans", next_id)


@router.post(PLAN + "/deploy")
async def deploy_from_page(
    plan_id: UUID, call: Annotated[SchemaPageCall, in_schema_page(Action.CREATE, Kind.DEPLOYMENT)]
) -> Response:
    """Deploy the plan that was looked at, as its hash says, with the losses that were confirmed."""
    plan = await call.query(queries.find_plan, call.workspace.id, plan_id)
    confirmed = _confirmed(plan, call.form)
    try:
        plan_hash = call.form.get("plan_hash", "")
        command = await as_asked(call.schemas, call.workspace.id, plan_id, plan_hash, confirmed)
        deployment_id = await call.carry_out(ask_deployment, command)
    except ConfirmationMissing as error:
        missing = [item for item in losses_of(plan) if item not in confirmed]
        return await _plan(call, plan_id, confirmed, Refusal(error.status, _unconfirmed(missing)))
    except DataForgeError as error:
        return await _plan(call, plan_id, confirmed, Refusal(error.status, error.detail))
    await announce_deployment(call.schemas, deployment_id)
    return call.see_other(SCHEMAS_PAGES, call.workspace.id, "deployments", deployment_id)


def losses_of(plan: Mapping[str, Any]) -> list[str]:
    """The objects whose loss needs to be confirmed, each once."""
    return list(dict.fromkeys(item["object"] for item in plan["changes"] if item["needs_confirmation"]))


def _unconfirmed(missing: Sequence[str]) -> str:
    rest = Text(" and {count} more", count=len(missing) - _MOST_NAMED) if len(missing) > _MOST_NAMED else ""
    return Text(
        "Nothing is deployed before what would be lost is confirmed: {missing}{rest}.",
        missing=", ".join(missing[:_MOST_NAMED]),
        rest=rest,
    )


def _confirmed(plan: Mapping[str, Any], form: Mapping[str, str]) -> list[str]:
    typed = {line.strip() for line in form.get("confirmations", "").splitlines()}
    return [item for n, item in enumerate(losses_of(plan)) if form.get(f"confirm-{n}") == item or item in typed]


async def _plan(
    call: SchemaPageCall, plan_id: UUID, confirmed: Sequence[str] = (), refusal: Refusal = ACCEPTED
) -> Response:
    plan = await call.query(queries.find_plan, call.workspace.id, plan_id)
    live = await previewing.live_schema(call.schemas, call.workspace.id)
    revision = await call.query(latest_revision, call.workspace.id)
    counts = Counter(item["risk"] for item in plan["changes"])
    return call.page(
        "schemas/plan.html",
        refusal=refusal,
        plan=plan,
        changes=plan["changes"][:MOST_CHANGES],
        more=max(0, len(plan["changes"]) - MOST_CHANGES),
        picture=await _picture(call, plan),
        counts=[(risk.value, counts[risk.value]) for risk in _RISKS if counts[risk.value]],
        losses=losses_of(plan),
        most_boxes=MOST_BOXES,
        confirmed=confirmed,
        happened=plan["proof"].get("happened") or [],
        drifted=live.fingerprint != (Schema().fingerprint if revision is None else revision["fingerprint"]),
        reached=live.fingerprint == plan["target_fingerprint"],
        stale=live.fingerprint != plan["base_fingerprint"],
    )


async def _picture(call: SchemaPageCall, plan: dict[str, Any]) -> Markup | None:
    """What the plan changes; None for an empty one, and for one that is too large to be made again for each look."""
    if not plan["changes"] or len(plan["target"].get("tables") or ()) > MOST_DRAWN:
        return None
    try:
        drawn = await drawn_plan(call.schemas, call.workspace.id, plan)
    except DataForgeError:  # a target that an older version has taken
        return None
    return picture_of(drawn, "plan")
