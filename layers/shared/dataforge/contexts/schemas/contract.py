"""What other contexts may know of schemas: the events it publishes."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.kernel.events import Event


@dataclass(frozen=True, slots=True)
class SchemaDeploymentEnded(Event):
    """A deployment has ended, as `revision` or with the `error` it failed with; nobody hears of cancelled ones."""

    name = "schemas.deployment_ended"
    about = "deployment_id"

    deployment_id: UUID
    workspace_id: UUID
    namespace: str
    revision: str | None
    error: str | None
    created_by: UUID | None


@dataclass(frozen=True, slots=True)
class SchemaDrifted(Event):
    """The schema of a workspace is not as it was deployed last; `keepers` may do something about it."""

    name = "schemas.drifted"
    about = "workspace_id"

    workspace_id: UUID
    namespace: str
    revision: str
    fingerprint: str
    keepers: tuple[UUID, ...]
