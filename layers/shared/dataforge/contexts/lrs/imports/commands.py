"""Announce a file, queue an import, and load what is imported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from dataforge.contexts.lrs.activities.domain import definitions_of
from dataforge.contexts.lrs.activities.repository import merge_acceptable
from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.flat_rows.domain import HomePages
from dataforge.contexts.lrs.imports.domain import CREDENTIAL, KIND, UPLOAD_PREFIX, ImportedStatement, ImportUnreadable
from dataforge.contexts.lrs.load.commands import LoadMessages, load_messages
from dataforge.contexts.lrs.load.domain import LoadResult, other_content
from dataforge.contexts.lrs.statements.domain.claims import Claim
from dataforge.contexts.lrs.statements.domain.messages import StatementMessage
from dataforge.contexts.lrs.statements.repository import claim_unstored, forget_stored_claims
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.ids import uuid7
from dataforge.kernel.quotas import UploadClaim, UploadLimits
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.kernel.uploads import URL_SECONDS
from dataforge.platform.jobs.shared import queue_job


@dataclass(frozen=True, slots=True)
class AnnounceStatements:
    """A file of so many bytes."""

    size_bytes: int


async def announce_statements(command: AnnounceStatements, uow: LrsUnitOfWork, *, limits: UploadLimits) -> str:
    """The key under which the caller may put the file; raises UploadQuotaExceeded."""
    upload_id, person = uuid7(), uow.principal.user_id
    expires = uow.now + timedelta(seconds=URL_SECONDS)
    await uow.upload_quota.claim(UploadClaim(upload_id, person, "statements", command.size_bytes, expires), limits)
    return f"{UPLOAD_PREFIX}{person}/{upload_id}"


@dataclass(frozen=True, slots=True)
class QueueImport:
    """An import of an upload, or of another store; `begin` is what its work begins from, `shown` what people see."""

    shown: Mapping[str, Any]
    begin: Mapping[str, Any]


async def queue_import(command: QueueImport, uow: LrsUnitOfWork) -> UUID:
    """Queue the import; raises ImportUnreadable for an upload of somebody else."""
    key = command.begin.get("upload_key")
    if key is not None and not str(key).startswith(f"{UPLOAD_PREFIX}{uow.principal.user_id}/"):
        message = Text("There is no such upload of yours; POST /api/xapi/imports/uploads gives a key.")
        raise ImportUnreadable(message)
    job_id = await queue_job(uow, KIND, command.shown, checkpoint={"source": dict(command.begin)})
    uow.audit(AuditEntry("requested", "statement_import", str(job_id), after=dict(command.shown)))
    return job_id


@dataclass(frozen=True, slots=True)
class LoadImported:
    """Statements to load in one transaction."""

    statements: Sequence[ImportedStatement]
    home_pages: HomePages
    lessons: LessonDirectory


async def load_imported(command: LoadImported, uow: LrsUnitOfWork) -> LoadResult:
    """Load the statements as if they came from the queue, under the times that they were stored at."""
    if not command.statements:
        return LoadResult()
    first: dict[UUID, ImportedStatement] = {}
    for item in command.statements:
        first.setdefault(item.statement.id, item)
    claims = [Claim(item.statement.id, item.statement.sha) for item in first.values()]
    taken = await claim_unstored(uow.connection, claims)
    free = [item for item in command.statements if item.statement.id not in taken]
    await merge_acceptable(uow.connection, definitions_of((item.statement.payload, item.stored_at) for item in free))
    message = StatementMessage(
        request_id=uuid7(),
        authority=CREDENTIAL,
        source="xapi",
        stored_at=min(item.stored_at for item in command.statements),
        registered=True,
        statements=tuple(item.statement for item in free),
    )
    await uow.raw.register(message.request_id)
    # Reports have gone past the times that they were stored at elsewhere.
    revision = await uow.take_revision()
    load = LoadMessages([message], command.home_pages, command.lessons, known_from=revision)
    result = await load_messages(load, uow)
    await forget_stored_claims(uow.connection, list(first))
    result.rejected += [other_content(message, first[item].statement) for item in sorted(taken)]
    return result
