"""Rules of deployments: what may be deployed, in which states, and the file of a revision."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from dataforge.contexts.schemas.designs.domain.names import namespace_of, quoted, trash_of
from dataforge.contexts.schemas.plans.domain.changes import Phase
from dataforge.contexts.schemas.plans.domain.trash_use import trash_use
from dataforge.kernel.errors import Conflict, NotFound, PlanStale
from dataforge.kernel.texts import Text

LEASE = timedelta(seconds=90)
_ALONE = (Phase.ENUM_VALUES, Phase.BUILD, Phase.VALIDATE)
_MOST_SAID = 5


class DeploymentStatus(StrEnum):
    """How far a deployment is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNDER_WAY = (DeploymentStatus.QUEUED, DeploymentStatus.RUNNING)


class DeploymentNotFound(NotFound):
    """There is no such deployment in this workspace."""

    code = "deployment_not_found"


def missing_deployment(deployment_id: UUID) -> DeploymentNotFound:
    """What is said about a deployment that is not there, or not for the one who asks."""
    message = Text("There is no deployment {deployment_id}.", deployment_id=deployment_id)
    return DeploymentNotFound(message)


class RevisionNotFound(NotFound):
    """There is no such revision in this workspace."""

    code = "revision_not_found"


class ConfirmationMissing(Conflict):
    """Something would be lost that nobody has confirmed."""

    code = "confirmation_missing"
    title = "What would be lost must be confirmed"


class NothingToDeploy(Conflict):
    """The schema is as the plan wants it."""

    code = "nothing_to_deploy"
    title = "There is nothing to deploy"


class WouldFail(Conflict):
    """Rows do not fit the plan: it would end in the middle. `warnings` has what was found; nothing was done."""

    code = "would_fail"
    title = "The deployment would fail"


class DeploymentUnderWay(Conflict):
    """Another deployment of this workspace has not ended."""

    code = "deployment_under_way"
    title = "Another deployment is under way"


class DeploymentEnded(Conflict):
    """The state of the deployment does not allow this any more."""

    code = "deployment_ended"
    title = "The deployment is not in a state for this"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a deployment; `done` once it is committed."""

    position: int
    phase: int
    op: str
    object: str
    sql: str
    done: bool = False


def steps_of(changes: Iterable[Mapping[str, Any]]) -> list[Step]:
    """The statements of a plan's changes, in order."""
    found: list[Step] = []
    for item in changes:
        for sql in item["sql"]:
            found.append(Step(len(found), item["phase"], item["op"], item["object"], sql))
    return found


def schema_state(fingerprint: str, base: str, target: str) -> str:
    """Whether a schema is as before a deployment (`old`), as planned (`new`) or `between`."""
    return {base: "old", target: "new"}.get(fingerprint, "between")


def check_confirmations(changes: Iterable[Mapping[str, Any]], confirmed: Collection[str]) -> None:
    """Raise ConfirmationMissing unless every object whose loss needs it is confirmed by name."""
    missing = sorted({item["object"] for item in changes if item["needs_confirmation"]} - set(confirmed))
    if missing:
        message = Text(
            "Confirm what would be lost by naming it in `confirmations`: {missing}.", missing=", ".join(missing)
        )
        raise ConfirmationMissing(message, facts={"missing": missing})


def check_trash(statements: Iterable[str], namespace: str, there: Collection[str]) -> None:
    """Raise PlanStale unless the trash, with tables of these names, has what the statements take from it."""
    use = trash_use(statements, namespace)
    missing, taken = use.missing(there), use.taken(there)
    if missing or taken:
        message = (
            Text(
                "The trash has changed since the plan was made: what it brings back was deleted for good. "
                "Preview the target again."
            )
            if missing
            else Text("The trash has changed since the plan was made. Preview the target again.")
        )
        raise PlanStale(message, facts={"missing": missing, "taken": taken})


def check_failures(failures: Sequence[Mapping[str, Any]]) -> None:
    """Raise WouldFail when rows were found that the plan cannot be carried out with."""
    if failures:
        said = "; ".join(f"{item['object']}: {item['message']}" for item in failures[:_MOST_SAID])
        more = f"; and {len(failures) - _MOST_SAID} more" if len(failures) > _MOST_SAID else ""
        message = Text(
            "The plan would fail, and nothing was done: {said}{more}. Mend the rows, or the target.",
            said=said,
            more=more,
        )
        warnings = [{name: item[name] for name in ("code", "object", "message")} for item in failures]
        raise WouldFail(message, facts={"warnings": warnings})


def check_cancellable(status: str) -> None:
    """Raise DeploymentEnded when there is nothing left to cancel."""
    if status not in UNDER_WAY:
        message = Text("The deployment is {status}; it cannot be cancelled any more.", status=status)
        raise DeploymentEnded(message)


def check_resumable(status: str) -> None:
    """Raise DeploymentEnded unless there may be something left to do."""
    if status not in (DeploymentStatus.FAILED, DeploymentStatus.CANCELLED):
        message = Text(
            "The deployment is {status}; only one that failed or was cancelled can be resumed.", status=status
        )
        raise DeploymentEnded(message)


def check_newest(newest: bool) -> None:  # noqa: FBT001 - the only thing there is to say
    """Raise DeploymentEnded when a later deployment has taken the schema somewhere else."""
    if not newest:
        message = Text("A later deployment was made of this schema; preview the target again instead.")
        raise DeploymentEnded(message)


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of a workspace's schema: a link of the chain that Alembic knows."""

    workspace_id: UUID
    number: int
    revision: str
    down_revision: str | None
    plan_hash: str
    applied_at: datetime

    @property
    def key(self) -> str:
        """Where the file lies in the bucket."""
        return f"{files_below(self.workspace_id)}{self.number:06}_{self.revision}.py"


def files_below(workspace_id: UUID) -> str:
    """Where the bucket has the revision files of a workspace."""
    return f"revisions/{workspace_id}/"


def revision_name(plan_hash: str, number: int) -> str:
    """The id of a revision: the first 12 digits of the hash of its plan, and the number that makes it unique."""
    return f"{plan_hash[:12]}_{number}"


def revision_file(revision: Revision, up: Iterable[Step], down: Iterable[Mapping[str, Any]]) -> str:
    """An Alembic revision file with the statements of a plan and of the way back.

    Its environment sets the search path to a schema of the workspace's own name, and `transaction_per_migration`. What
    goes into the trash needs the trash, which the deployer has made before; the file makes it itself.
    """
    forwards = [(int(step.phase), step.sql) for step in up]
    backwards = [(item["phase"], sql) for item in down for sql in item["sql"]]
    trash = quoted(trash_of(namespace_of(revision.workspace_id)))
    for statements in (forwards, backwards):
        if any(trash in sql for _, sql in statements):
            statements.insert(0, (int(Phase.CHANGE), f"CREATE SCHEMA IF NOT EXISTS {trash}"))
    return f'''"""Revision {revision.number} of workspace {revision.workspace_id}, from plan {revision.plan_hash}.

Revision ID: {revision.revision}
Revises: {revision.down_revision or ""}
Create Date: {revision.applied_at.isoformat()}
"""

from contextlib import nullcontext

from alembic import op

revision = {revision.revision!r}
down_revision = {revision.down_revision!r}
branch_labels = None
depends_on = None

# Whether a statement stands alone, outside of the transaction of the others.
UPGRADE = {_listed(forwards)}
DOWNGRADE = {_listed(backwards)}


def upgrade() -> None:
    run(UPGRADE)


def downgrade() -> None:
    run(DOWNGRADE)


def run(statements: list[tuple[bool, str]]) -> None:
    for alone, statement in statements:
        with op.get_context().autocommit_block() if alone else nullcontext():
            op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
'''


def _listed(statements: Iterable[tuple[int, str]]) -> str:
    # New values of enums can be used after they are committed; indexes are built and rows checked by themselves.
    lines = [f"    ({phase in _ALONE}, {sql!r})," for phase, sql in statements]
    return "[\n" + "\n".join(lines) + "\n]" if lines else "[]"
