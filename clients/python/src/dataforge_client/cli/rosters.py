"""Rosters from a shell: planned, looked at, applied."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dataforge_client.cli.console import Settings, fail, settings_of
from dataforge_client.client import Client
from dataforge_client.flows import Sync
from dataforge_client.rosters import RosterPlan

app = typer.Typer(help="Enroll from a file: plan, look, apply.", no_args_is_help=True)
PlanId = Annotated[str, typer.Argument(help="Id of a plan, as `roster plan` shows it.")]
_ROW_COLUMNS = ("line", "kind", "action", "outcome", "wait_no", "reason", "data")


class Mode(StrEnum):
    """What becomes of enrollments that the file does not name."""

    ADDITIVE = "additive"
    FULL = "full"


def _semester(client: Client, given: str) -> str:
    found = [item["id"] for item in client.semesters.list() if given in (item["id"], item["code"])]
    if not found:
        fail(f"There is no semester {given!r}.")
    return str(found[0])


def _show(settings: Settings, plan: RosterPlan[Sync]) -> None:
    counts = [
        {"kind": kind, "action": action, "rows": rows}
        for kind, actions in plan.counts.items()
        for action, rows in actions.items()
    ]
    if settings.as_json:
        settings.one(plan.facts)
        return
    settings.rows(counts, ("kind", "action", "rows"))
    settings.note(f"Plan {plan.id}: {plan.state}. It would end {plan.drops} enrollments.")


@app.command()
def plan(
    context: typer.Context,
    semester: Annotated[str, typer.Argument(help="Code or id of a semester.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Simple CSV, or a zip of OneRoster files.")],
    mode: Mode = Mode.ADDITIVE,
) -> None:
    """Say what a file would do, and change nothing.

    [dim]dataforge roster plan FALL-2030 roster.csv[/]
    """
    settings = settings_of(context)
    with settings.client() as client:
        _show(settings, client.rosters.plan(_semester(client, semester), file, mode=mode.value))


@app.command()
def rows(
    context: typer.Context,
    plan_id: PlanId,
    action: Annotated[str | None, typer.Option(help="create, update, drop, conflict …")] = None,
) -> None:
    """What a plan decides row by row; `--action conflict` lists what cannot be done, and why."""
    settings = settings_of(context)
    with settings.client() as client:
        settings.rows(client.rosters.get(plan_id).rows(action), _ROW_COLUMNS)


@app.command("ls")
def list_plans(
    context: typer.Context, semester: Annotated[str | None, typer.Argument(help="Code or id of a semester.")] = None
) -> None:
    """Plans, newest first."""
    settings = settings_of(context)
    with settings.client() as client:
        filters: dict[str, Any] = {"semester_id": _semester(client, semester)} if semester else {}
        plans = client.iterate("/api/rosters/plans", **filters)
        settings.rows(plans, ("id", "state", "format", "created_at", "applied_at"))


@app.command()
def apply(
    context: typer.Context,
    plan_id: PlanId,
    confirm_drops: Annotated[
        int | None, typer.Option(help="How many enrollments end; asked for where they are many or implied.")
    ] = None,
) -> None:
    """Do what a plan says, whole or not at all; status 5 if what it rests on has changed since."""
    settings = settings_of(context)
    with settings.client() as client:
        _show(settings, client.rosters.get(plan_id).apply(confirm_drops=confirm_drops))
