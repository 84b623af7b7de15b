"""A dataset and who may do what with it: read < write < admin."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from dataforge.kernel.access import Action, Kind, Level
from dataforge.kernel.errors import AlreadyExists, Conflict, Forbidden, NotFound
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import RULES, may_any
from dataforge.kernel.texts import Text

RETENTION = timedelta(days=30)
"""How long a deleted dataset can be restored."""


class SubjectKind(StrEnum):
    """Whom a grant is for."""

    USER = "user"
    WORKSPACE = "workspace"


class DatasetNotFound(NotFound):
    """No such dataset, or none that the caller may read; the two look the same."""

    code = "dataset_not_found"
    title = "There is no such dataset"


class DatasetExists(AlreadyExists):
    """The creator, or the workspace that it belongs to, has a dataset of this name."""

    code = "dataset_exists"
    title = "There already is a dataset with this name"


class AccessTooLow(Forbidden):
    """The caller may read the dataset and not do this."""

    code = "dataset_access"
    title = "Your access to this dataset does not allow this"


class LastDatasetAdmin(Conflict):
    """Nobody could administer the dataset afterwards."""

    code = "last_dataset_admin"
    title = "A dataset needs an administrator"


class NotAMember(Forbidden):
    """A workspace can only be used by its members."""

    code = "not_a_member"
    title = "You are not a member of this workspace"


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission of one person or workspace."""

    kind: SubjectKind
    subject_id: UUID
    level: Level


def strongest(levels: Iterable[Level]) -> Level | None:
    """The highest of some levels; None when there is none."""
    return max(levels, key=lambda level: level.rank, default=None)


def held_level(granted: Iterable[Level], principal: Principal) -> Level | None:
    """What the grants of a person come to; who may change the grants of every dataset administers them all."""
    everywhere = [Level.ADMIN] if may_any(principal, Action.CHANGE, Kind.GRANT) else []
    return strongest([*granted, *everywhere])


def dataset_missing(dataset_id: UUID) -> DatasetNotFound:
    """The refusal for a dataset that is not there or may not be read."""
    return DatasetNotFound(Text("There is no dataset {dataset_id}, or you may not read it.", dataset_id=dataset_id))


def check_access(held: Level | None, action: Action, kind: Kind, dataset_id: UUID) -> None:
    """Raise DatasetNotFound without read access and AccessTooLow when the level held does not allow this."""
    needed = RULES[kind, action].level
    if held is None or needed is None:
        raise dataset_missing(dataset_id)
    if not held.covers(needed):
        message = Text(
            "This needs the permission {needed} on the dataset; yours is {held}.", needed=needed.value, held=held.value
        )
        raise AccessTooLow(message, facts={"required": needed.value, "held": held.value})


def check_an_administrator_remains(grants: Iterable[Grant], *, workspace_id: UUID | None = None) -> None:
    """Raise LastDatasetAdmin unless some person still has the level admin, or a workspace whose owners have it."""
    if workspace_id is None and not any(
        grant.kind is SubjectKind.USER and grant.level is Level.ADMIN for grant in grants
    ):
        message = Text("This is the last administrator of the dataset; grant admin to somebody else first.")
        raise LastDatasetAdmin(message)


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset's own row."""

    id: UUID
    name: str
    default_branch: str
    revision: int
    created_by: UUID | None
    workspace_id: UUID | None = None
    deleted_at: datetime | None = None

    def retention_ended(self, now: datetime) -> bool:
        """Whether it was deleted so long ago that it can no longer be restored."""
        return self.deleted_at is not None and self.deleted_at <= now - RETENTION
