"""Upload quotas, counted in PostgreSQL: claims of one person, and into one subject, take turns."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.quotas import UploadClaim, UploadLimits, UploadQuotaExceeded
from dataforge.kernel.texts import Text
from dataforge.platform.db.tables import upload_claims

COUNTED_FOR = timedelta(days=1)


class UploadQuota:
    """Claims inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def claim(self, claim: UploadClaim, limits: UploadLimits) -> None:
        """Count the upload; raises UploadQuotaExceeded, with the numbers, and counts nothing then."""
        # Locks in one order for everybody: subjects sort before people.
        await self._lock(f"subject:{claim.subject}")
        in_subject = upload_claims.c.subject == claim.subject
        await self._check("subject", in_subject, claim.size, limits.subject_bytes, limits.files)
        if claim.person is not None:
            await self._lock(f"person:{claim.person}")
            of_person = upload_claims.c.person_id == claim.person
            await self._check("person", of_person, claim.size, limits.person_bytes, limits.files)
        await self._connection.execute(
            insert(upload_claims).values(
                id=claim.id,
                person_id=claim.person,
                subject=claim.subject,
                size_bytes=claim.size,
                claimed_at=self._now,
                counts_until=max(claim.expires_at, self._now + COUNTED_FOR),
            )
        )

    async def complete(self, upload_id: UUID) -> None:
        """The file has arrived: it counts for a day from when it was announced."""
        until = {"counts_until": upload_claims.c.claimed_at + COUNTED_FOR}
        await self._connection.execute(update(upload_claims).where(upload_claims.c.id == upload_id).values(**until))

    async def release(self, upload_id: UUID) -> None:
        """The upload was given up; releasing it again changes nothing."""
        await self._connection.execute(delete(upload_claims).where(upload_claims.c.id == upload_id))

    async def _lock(self, name: str) -> None:
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 21))")
        await self._connection.execute(lock, {"name": f"upload_quota:{name}"})

    async def _check(
        self, quota: str, counted: ColumnElement[bool], size: int, limit_bytes: int, limit_files: int
    ) -> None:
        sums = select(func.coalesce(func.sum(upload_claims.c.size_bytes), 0), func.count())
        row = (await self._connection.execute(sums.where(counted, upload_claims.c.counts_until > self._now))).one()
        used, files = int(row[0]), int(row[1])
        whose = "You have" if quota == "person" else "The target has"
        if used + size > limit_bytes:
            message = Text(
                "{whose} {used:,} of {limit_bytes:,} bytes of uploads in use and this file has {size:,}. "
                "Abort uploads that are not needed, or wait: a finished one counts for a day.",
                whose=whose,
                used=used,
                limit_bytes=limit_bytes,
                size=size,
            )
            facts = {"quota": quota, "limit_bytes": limit_bytes, "used_bytes": used, "requested_bytes": size}
            raise UploadQuotaExceeded(message, facts=facts)
        if files >= limit_files:
            message = Text(
                "{whose} {files:,} uploads in use and {limit_files:,} are allowed. "
                "Abort uploads that are not needed, or wait: a finished one counts for a day.",
                whose=whose,
                files=files,
                limit_files=limit_files,
            )
            raise UploadQuotaExceeded(message, facts={"quota": quota, "limit_files": limit_files, "used_files": files})
