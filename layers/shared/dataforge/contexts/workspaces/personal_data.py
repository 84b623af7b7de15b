"""What workspaces hold about people: profiles, memberships, invitations, and who wrote which note."""

from collections.abc import Mapping
from typing import Any

from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.platform.personal_data import Holding, NotCovered, Person, PersonalData
from dataforge.platform.services import Services

_BY = "Who wrote it stays, with the id of an account that tells nothing any more."


def personal_data() -> PersonalData[Any]:
    """Workspaces are handed over to another member; one that the person has alone is deleted with all that is in it."""
    return PersonalData(
        holdings=(
            Holding(
                table="workspaces.workspaces",
                refers="owner_id",
                whose="owner_id = :user_id",
                exported="created_at, id, name, description, workspace_type",
                kept="A workspace with other members is handed over, one without is deleted for good.",
            ),
            Holding(
                table="workspaces.members", refers="user_id", exported="joined_at, workspace_id, role", deleted=True
            ),
            Holding(
                table="workspaces.invitations",
                refers="email accepted_by",
                whose="lower(email) = ANY(CAST(:emails AS text[])) OR accepted_by = :user_id",
                exported="created_at, workspace_id, email, role, expires_at, accepted_at",
                deleted=True,
            ),
            Holding(
                table="workspaces.invitations",
                name="sent_invitations",
                refers="invited_by",
                whose="invited_by = :user_id",
                kept=_BY,
                stable=False,
            ),
            Holding(
                table="workspaces.global_resources",
                refers="user_id",
                exported="created_at, id, resource_type, name, resource_data",
                deleted=True,
            ),
            Holding(
                table="workspaces.vaults",
                refers="locked_by",
                whose="locked_by = :user_id",
                rewritten="is_locked = false, locked_by = NULL, locked_at = NULL, revision = revision + 1",
                stable=False,
            ),
            Holding(
                table="workspaces.note_revisions",
                refers="author_id",
                whose="author_id = :user_id",
                exported="created_at, note_id, revision, path, body_md",
                kept=_BY,
                stable=False,
            ),
            Holding(
                table="workspaces.notes",
                refers="updated_by",
                whose="updated_by = :user_id",
                kept=_BY,
                stable=False,
            ),
            Holding(
                table="workspaces.profiles",
                refers="user_id about preferences",
                exported="created_at, about, preferences",
                rewritten="about = '', preferences = '{}', revision = revision + 1",
            ),
        ),
        not_covered=(
            NotCovered(
                "Notes and descriptions of workspaces that others use, which people write freely",
                "Search the notes of each workspace for the person's name.",
            ),
            NotCovered(
                "Exports of deleted workspaces, which have members by their ids and notes as people wrote them",
                "They go with the workspace 30 days after its deletion.",
            ),
        ),
        taken=_hand_over,
        unit_of_work=WorkspacesUnitOfWork,
    )


async def _hand_over(
    person: Person,
    uow: WorkspacesUnitOfWork,
    _services: Services,
    *,
    responses: bool,  # noqa: ARG001 - the protocol's
) -> Mapping[str, Any]:
    deleted = await uow.workspaces.delete_lonely(person.user_id)
    for workspace_id in deleted:
        uow.publish(WorkspaceDeleted(workspace_id))
    handed_over = await uow.workspaces.hand_over(person.user_id)
    return {"workspaces_handed_over": handed_over, "workspaces_deleted": len(deleted)}
