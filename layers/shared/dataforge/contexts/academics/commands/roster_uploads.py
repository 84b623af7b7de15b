"""Announce roster uploads, and find them again."""

from dataclasses import dataclass

from dataforge.contexts.academics.domain.roster_files import RosterUnreadable
from dataforge.contexts.academics.domain.roster_uploads import EXPIRES_AFTER, SUBJECT, AnnouncedUpload, upload_key
from dataforge.contexts.academics.ports import AcademicsUnitOfWork
from dataforge.kernel.ids import uuid7
from dataforge.kernel.quotas import UploadClaim, UploadLimits


@dataclass(frozen=True, slots=True)
class AnnounceUpload:
    """A file of `size_bytes` with this SHA-256 in hex; its name is a label."""

    file_name: str
    size_bytes: int
    sha256: str


async def announce_upload(
    command: AnnounceUpload, uow: AcademicsUnitOfWork, *, limits: UploadLimits
) -> AnnouncedUpload:
    """Note what will come; raises UploadQuotaExceeded."""
    upload_id, person = uuid7(), uow.principal.user_id
    claim = UploadClaim(upload_id, person, SUBJECT, command.size_bytes, uow.now + EXPIRES_AFTER)
    await uow.upload_quota.claim(claim, limits)
    upload = AnnouncedUpload(
        upload_id, upload_key(person, upload_id, command.file_name), command.size_bytes, command.sha256
    )
    await uow.roster_uploads.add(
        {
            "id": upload.id,
            "s3_key": upload.key,
            "file_name": command.file_name,
            "size_bytes": upload.size_bytes,
            "sha256": upload.sha256,
            "created_by": person,
            "created_at": uow.now,
        }
    )
    return upload


async def find_upload(key: str, uow: AcademicsUnitOfWork) -> AnnouncedUpload:
    """The upload with this key; raises RosterUnreadable."""
    upload = await uow.roster_uploads.find(key)
    if upload is None:
        message = f"There is no upload {key[:100]!r}; POST /api/rosters/uploads gives a key."
        raise RosterUnreadable(message)
    return upload
