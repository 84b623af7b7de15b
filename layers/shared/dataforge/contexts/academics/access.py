"""Who may see and do what: learners themselves, instructors their sections, registrars everything."""

from uuid import UUID

from dataforge.kernel.errors import NotFound
from dataforge.kernel.principal import Principal, Role


def is_registrar(principal: Principal) -> bool:
    """Whether the caller may see and change everything in academics."""
    return principal.has(Role.REGISTRAR)


def may_act_for(principal: Principal, student_user_id: UUID | None) -> bool:
    """Whether the caller is that student or a registrar."""
    return is_registrar(principal) or (principal.user_id is not None and principal.user_id == student_user_id)


def may_teach(principal: Principal, instructor_id: UUID | None) -> bool:
    """Whether the caller is that section's instructor or a registrar."""
    return is_registrar(principal) or (
        principal.has(Role.INSTRUCTOR) and principal.user_id is not None and principal.user_id == instructor_id
    )


def sees_drafts(principal: Principal) -> bool:
    """Whether courses that are not published are shown to the caller."""
    return principal.has(Role.REGISTRAR, Role.INSTRUCTOR)


def missing(entity: str, entity_id: object) -> NotFound:
    """The answer for what is not there and for what the caller may not see: they cannot be told apart."""
    return NotFound(f"There is no {entity} {entity_id} that you may see.")
