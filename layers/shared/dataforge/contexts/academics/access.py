"""Who may see and do what: learners themselves, instructors their sections, registrars everything."""

from uuid import UUID

from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.errors import NotFound
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import allows, may_any
from dataforge.kernel.texts import Text


def sees_drafts(principal: Principal) -> bool:
    """Whether courses that are not published are shown to the caller."""
    return may_any(principal, Action.READ, Kind.DRAFT)


def may(
    principal: Principal, action: Action, kind: Kind, *, student: UUID | None = None, teacher: UUID | None = None
) -> bool:
    """Whether the caller may do this with what is that student's, in a section of that instructor."""
    return allows(principal, action, Resource(kind, owner=student, teacher=teacher))


def missing(entity: str, entity_id: object) -> NotFound:
    """The answer for what is not there and for what the caller may not see: they cannot be told apart."""
    return NotFound(Text("There is no {entity} {entity_id} that you may see.", entity=entity, entity_id=entity_id))
