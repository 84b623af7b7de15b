"""The job that drafts a tutorial from a transcript."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.tutorials.drafts.commands import KeepDraft, keep_draft
from dataforge.contexts.tutorials.drafts.queries import KIND, lock_transcript, spoken_segments, spoken_transcript
from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork
from dataforge.contexts.workspaces.contract import Memberships
from dataforge.kernel.access import Action, Kind
from dataforge.platform.jobs.control import JobControl
from dataforge.platform.jobs.shared import SharedJob, complete_job
from dataforge.platform.module import JobKind

if TYPE_CHECKING:
    from dataforge.contexts.tutorials.module import TutorialsServices


async def draft_tutorial(
    job: SharedJob, control: JobControl[TutorialsUnitOfWork], services: "TutorialsServices"
) -> None:
    """Have the engine draft.

    The tutorial and the end of the job are one transaction: a worker that dies leaves nothing behind. A transcript that
    was deleted meanwhile (TranscriptNotFound), or a workspace that was archived or is not the person's any more (as
    `Memberships.require` refuses it) ends the job: it may be retried long after it was asked for.
    """
    may_draft = partial(services.platform.get(Memberships).require, action=Action.CREATE, kind=Kind.TUTORIAL)
    person = control.unit_of_work().person
    transcript_id = UUID(job.run_parameters["transcript_id"])
    control.stage("reading")
    async with services.database.read_only() as connection:
        transcript = await spoken_transcript(connection, transcript_id)
        segments = await spoken_segments(connection, transcript_id)
    await may_draft(transcript.workspace_id, person)
    control.stage("drafting")
    draft = await services.engine.draft(segments, transcript.language)
    control.stage("saving")
    await may_draft(transcript.workspace_id, person)
    async with control.unit_of_work() as uow:
        await lock_transcript(uow.connection, transcript_id)
        tutorial_id = await keep_draft(KeepDraft(draft, transcript, uow.person), uow)
        facts = {"tutorial_id": str(tutorial_id), "steps": len(draft.steps), "dropped": len(draft.dropped)}
        await complete_job(uow, job, control, {**facts, "engine": draft.engine, "engine_version": draft.engine_version})
        await uow.commit()


KINDS: Mapping[str, JobKind["TutorialsServices"]] = {KIND: JobKind(draft_tutorial, TutorialsUnitOfWork)}
