"""Queue the draft of a tutorial, and keep what an engine has written."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.tutorials.drafts.domain import Draft
from dataforge.contexts.tutorials.drafts.queries import KIND, SpokenTranscript, lock_transcript, open_draft_job
from dataforge.contexts.tutorials.tutorials.domain.tutorial import require_tutorial_room, tutorial_of_draft
from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork
from dataforge.kernel.ids import uuid7
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.jobs.shared import queue_job


@dataclass(frozen=True, slots=True)
class QueueDraft:
    """A tutorial to be drafted from a transcript."""

    transcript_id: UUID


@dataclass(frozen=True, slots=True)
class KeepDraft:
    """What an engine has made of a transcript for a person."""

    draft: Draft
    transcript: SpokenTranscript
    user_id: UUID


async def queue_draft(command: QueueDraft, uow: TutorialsUnitOfWork) -> UUID:
    """Queue the job, or give the one that is still to draft this transcript, whoever has asked for it.

    Raises TranscriptNotFound, TranscriptNotReady, TutorialLimitExceeded.
    """
    # Locked, so that two who ask at once get one job.
    transcript = await lock_transcript(uow.connection, command.transcript_id)
    transcript.require_ready()
    open_job = await open_draft_job(uow.connection, transcript.id)
    if open_job is not None:
        return open_job
    require_tutorial_room(await uow.tutorials.count(transcript.workspace_id))
    about = {"transcript_id": str(transcript.id), "workspace_id": str(transcript.workspace_id)}
    job_id = await queue_job(uow, KIND, about)
    uow.audit(AuditEntry("requested", "tutorial_draft", str(job_id), after=about, workspace_id=transcript.workspace_id))
    return job_id


async def keep_draft(command: KeepDraft, uow: TutorialsUnitOfWork) -> UUID:
    """Keep the draft as a tutorial; its id."""
    tutorial = tutorial_of_draft(
        command.draft,
        tutorial_id=uuid7(),
        workspace_id=command.transcript.workspace_id,
        user_id=command.user_id,
        transcript_id=command.transcript.id,
        language=command.transcript.language,
        now=uow.now,
    )
    await uow.tutorials.add(tutorial)
    after = {"transcript_id": str(command.transcript.id), "engine": tutorial.engine, "version": tutorial.engine_version}
    workspace_id = tutorial.workspace_id
    uow.audit(AuditEntry("drafted", "tutorial", str(tutorial.id), after=after, workspace_id=workspace_id))
    return tutorial.id
