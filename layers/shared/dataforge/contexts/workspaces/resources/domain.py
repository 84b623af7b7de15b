"""Global resources: a person's contacts, templates and snippets, and what a workspace may do with them."""

from enum import StrEnum
from uuid import UUID

from dataforge.kernel.errors import Conflict, Forbidden, NotFound
from dataforge.kernel.texts import Text

MAX_RESOURCES = 1_000  # of one person
MAX_RESOURCE_BYTES = 65_536


class ResourceNotFound(NotFound):
    """There is no such resource, or the caller may not see it."""

    code = "resource_not_found"
    title = "There is no such resource"


class ResourceLimitExceeded(Conflict):
    """A person has as many resources as one may have."""

    code = "resource_limit_exceeded"
    title = "Too many resources"


class ResourceAccessMissing(Forbidden):
    """The resource is shared with the workspace for less than this."""

    code = "resource_access_missing"
    title = "The resource is not shared for this"


class ResourceType(StrEnum):
    """What a resource is."""

    CONTACT = "contact"
    TEMPLATE = "template"
    SNIPPET = "snippet"


class AccessLevel(StrEnum):
    """What members may do with a shared resource: read it, read and change it, or read it and take copies."""

    READ = "read"
    WRITE = "write"
    COPY = "copy"


def missing_resource(resource_id: UUID) -> ResourceNotFound:
    """The refusal of a resource that is not there or not to be seen."""
    return ResourceNotFound(Text("There is no resource {resource_id} here.", resource_id=resource_id))


def require_level(level: AccessLevel, needed: AccessLevel) -> None:
    """Raise ResourceAccessMissing unless the resource is shared for exactly this, or this is reading."""
    if needed not in (level, AccessLevel.READ):
        message = Text(
            "The resource is shared with this workspace to {level}, not to {needed}.", level=level, needed=needed
        )
        raise ResourceAccessMissing(message, facts={"access_level": level.value})


def require_resource_room(resources: int) -> None:
    """Raise ResourceLimitExceeded for somebody who has as many as one may have."""
    if resources >= MAX_RESOURCES:
        message = Text(
            "One person has at most {max_resources:,} resources; delete one first.", max_resources=MAX_RESOURCES
        )
        raise ResourceLimitExceeded(message, facts={"limit": MAX_RESOURCES})
