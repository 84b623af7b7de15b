"""What other contexts may know of schemas."""

from dataclasses import dataclass

from dataforge.kernel.events import Event


@dataclass(frozen=True, slots=True)
class SchemaDeployed(Event):
    """A workspace's schema is as a revision says."""

    name = "schemas.schema_deployed"
    about = "workspace_id"

    workspace_id: str
    revision: str
