"""Rules of exports and erasures of people."""

from datetime import datetime, timedelta
from uuid import UUID

from dataforge.kernel.errors import Conflict, Forbidden, NotFound
from dataforge.kernel.jobs import JobStatus
from dataforge.kernel.principal import Principal, Role
from dataforge.kernel.texts import Text

EXPORT_KIND = "export_personal_data"
ERASURE_KIND = "erase_account"
KEPT_FOR = timedelta(days=7)
"""How long an export can be downloaded; the bucket forgets it then, too."""
PREFIX = "exports/people/"
SIGNED_IN_FOR = timedelta(minutes=10)
"""How old a sign-in may be that stands for a password, for somebody who has none."""


class PersonalExportNotFound(NotFound):
    """There is no such export of the caller's data, or it can no longer be downloaded."""

    code = "personal_export_not_found"
    title = "There is no such export"


class PersonalExportNotReady(Conflict):
    """The export is still being made, or has failed."""

    code = "personal_export_not_ready"
    title = "The export is not ready"


class SignInTooOld(Forbidden):
    """Somebody without a password shows who they are by having signed in just now."""

    code = "sign_in_too_old"
    title = "The sign-in is too old for this"


def require_allowed(principal: Principal, user_id: UUID) -> None:
    """Raise Forbidden unless the person asks for themselves or is an administrator."""
    if user_id != principal.user_id and not principal.has(Role.ADMIN):
        message = Text("Only an administrator asks for the data of others.")
        raise Forbidden(message)


def object_key(user_id: UUID, job_id: UUID, attempt: int) -> str:
    """Where an export is; each attempt has its own object, so that a worker that was given up overwrites nothing."""
    return f"{PREFIX}{user_id}/{job_id}/{attempt}/my-data.zip"


def check_downloadable(status: JobStatus, completed_at: datetime | None, now: datetime) -> datetime:
    """Until when an export can be downloaded; raises PersonalExportNotReady, PersonalExportNotFound."""
    if status is not JobStatus.COMPLETED or completed_at is None:
        message = Text("The export is {status}; it can be downloaded when it is completed.", status=status.value)
        raise PersonalExportNotReady(message, facts={"status": status.value})
    expires_at = completed_at + KEPT_FOR
    if now >= expires_at:
        message = Text(
            "The export could be downloaded until {expires_at}. Ask for another one.", expires_at=expires_at.isoformat()
        )
        raise PersonalExportNotFound(message)
    return expires_at
