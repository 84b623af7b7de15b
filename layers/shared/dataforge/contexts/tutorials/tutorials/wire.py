"""Wire models of tutorials."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from dataforge.contexts.tutorials.tutorials.domain.selection import MAX_SEARCH
from dataforge.contexts.tutorials.tutorials.domain.tutorial import (
    MAX_CONTENT,
    MAX_EXPLANATION,
    MAX_GLOSSARY,
    MAX_PREREQUISITE,
    MAX_PREREQUISITES,
    MAX_STEP,
    MAX_STEPS,
    MAX_SUMMARY,
    MAX_TERM,
    MAX_TITLE,
    StepEdit,
    TutorialState,
    TutorialTerm,
)
from dataforge.http.wire import Instant, PartialUpdate, RequestModel
from dataforge.kernel.jobs import JobStatus
from dataforge.kernel.text import composed_if_text
from dataforge.kernel.texts import Text

MOST_SEGMENTS = 2_147_483_647


def _one_line(value: str) -> str:
    line = " ".join(value.split())
    if not line:
        message = Text("must not be empty")
        raise ValueError(message)
    return line


Composed = BeforeValidator(composed_if_text)
TitleLine = Annotated[str, Composed, Field(min_length=1, max_length=MAX_TITLE), AfterValidator(_one_line)]
Summary = Annotated[str, Composed, Field(max_length=MAX_SUMMARY)]
Content = Annotated[str, Composed, Field(max_length=MAX_CONTENT, description="Markdown; HTML in it is shown as text")]
Prerequisite = Annotated[str, Composed, Field(min_length=1, max_length=MAX_PREREQUISITE), AfterValidator(_one_line)]
StepText = Annotated[str, Composed, Field(min_length=1, max_length=MAX_STEP), AfterValidator(_one_line)]
Term = Annotated[str, Composed, Field(min_length=1, max_length=MAX_TERM), AfterValidator(_one_line)]
Explanation = Annotated[str, Composed, Field(min_length=1, max_length=MAX_EXPLANATION), AfterValidator(_one_line)]
SegmentIndex = Annotated[int, Field(ge=0, le=MOST_SEGMENTS)]
Search = Annotated[
    str | None, Query(max_length=MAX_SEARCH, description="words that are all in the texts, as they are written there")
]
CreatedFrom = Annotated[Instant | None, Query(alias="from", description="created then or later")]
CreatedBefore = Annotated[Instant | None, Query(alias="to", description="created before then")]
Mine = Annotated[bool | None, Query(description="true: those one has asked for; false: those of others")]


class DraftIn(RequestModel):
    """The transcript to draft a tutorial from."""

    transcript_id: UUID


class DraftJobOut(BaseModel):
    """How far a draft is, for members of the workspace; `tutorial_id` is there when it is completed."""

    job_id: UUID
    status: JobStatus
    transcript_id: UUID
    workspace_id: UUID
    tutorial_id: UUID | None
    stage: str | None
    error: dict[str, Any] | None
    created_at: datetime
    completed_at: datetime | None


class TermIn(RequestModel):
    """A word of the glossary; `segment` says where the transcript explains it."""

    term: Term
    explanation: Explanation
    segment: SegmentIndex | None = None


class TutorialChangesIn(PartialUpdate):
    """What editors change; what is left out stays."""

    title: TitleLine | None = None
    summary: Summary | None = None
    content_md: Content | None = None
    prerequisites: Annotated[list[Prerequisite], Field(max_length=MAX_PREREQUISITES)] | None = None
    glossary: Annotated[list[TermIn], Field(max_length=MAX_GLOSSARY)] | None = None

    def changes(self) -> dict[str, Any]:
        """The fields of a tutorial that were sent."""
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "prerequisites" in sent:
            sent["prerequisites"] = tuple(sent["prerequisites"])
        if "glossary" in sent:
            sent["glossary"] = tuple(TutorialTerm(**entry.model_dump()) for entry in sent["glossary"])
        return sent


class StepIn(RequestModel):
    """A step: one that exists (`id`) keeps what it cites unless other segments are given; a new one cites some.

    The times of the recording are the transcript's.
    """

    id: UUID | None = None
    text: StepText
    segment_from: SegmentIndex | None = None
    segment_to: SegmentIndex | None = None

    def edit(self) -> StepEdit:
        """The step as the tutorial takes it."""
        return StepEdit(self.text, self.id, self.segment_from, self.segment_to)


class StepsIn(RequestModel):
    """The steps of a tutorial in their order, all of them."""

    steps: Annotated[list[StepIn], Field(max_length=MAX_STEPS)]


class StepOrderIn(RequestModel):
    """The ids of all steps in their order."""

    step_ids: Annotated[list[UUID], Field(max_length=MAX_STEPS)]


class StepOut(BaseModel):
    """One instruction, and where in the recording it comes from."""

    id: UUID
    text: str
    start_ms: int
    end_ms: int
    segment_from: int
    segment_to: int
    score: float | None


class TermOut(BaseModel):
    """A word of the glossary."""

    term: str
    explanation: str
    segment: int | None


class TopicOut(BaseModel):
    """A topic of the recording."""

    title: str
    segment_from: int
    segment_to: int


class DroppedOut(BaseModel):
    """What the engine proposed and could not cite."""

    text: str
    reason: str


class TutorialOut(BaseModel):
    """A tutorial."""

    id: UUID
    workspace_id: UUID
    user_id: UUID
    transcript_id: UUID | None
    lesson_id: UUID | None
    title: str
    summary: str
    content_md: str
    prerequisites: list[str]
    glossary: list[TermOut]
    sections: list[TopicOut]
    steps: list[StepOut]
    expert: str | None
    dropped: list[DroppedOut]
    language: str | None
    state: TutorialState
    engine: str
    engine_version: str
    published_at: datetime | None
    archived_at: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime


class TutorialSummaryOut(BaseModel):
    """A tutorial in a list."""

    id: UUID
    workspace_id: UUID
    user_id: UUID
    transcript_id: UUID | None
    lesson_id: UUID | None
    title: str
    summary: str
    language: str | None
    state: TutorialState
    step_count: int
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int


class TutorialPageOut(BaseModel):
    """A page of tutorials; `total` counts those of all pages."""

    items: list[TutorialSummaryOut]
    total: int
    limit: int
    next_cursor: str | None
    next: str | None


class LessonOfTutorialIn(RequestModel):
    """The cohort whose lesson it becomes; without one it is for every cohort of the workspace, or stays as it is."""

    cohort_id: UUID | None = None


class ShareLinkIn(RequestModel):
    """A link; without `expires_at` it is good until it is revoked."""

    expires_at: Instant | None = None


class ShareLinkOut(BaseModel):
    """A link to a tutorial; its token is not shown again."""

    id: UUID
    tutorial_id: UUID
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewShareLinkOut(ShareLinkOut):
    """A new link: this is the only time that its token is shown; `url` is the page to pass on."""

    token: str
    url: str


class ShareLinkPage(BaseModel):
    """The links of a tutorial, the newest first."""

    items: list[ShareLinkOut]


class SharedStepOut(BaseModel):
    """One instruction, and its time in the recording."""

    text: str
    start_ms: int
    end_ms: int


class SharedTermOut(BaseModel):
    """A word of the glossary."""

    term: str
    explanation: str


class SharedTutorialOut(BaseModel):
    """What people outside of the workspace read of a tutorial: no names of people and no ids."""

    title: str
    summary: str
    content_md: str
    prerequisites: list[str]
    glossary: list[SharedTermOut]
    steps: list[SharedStepOut]
    language: str | None
    published_at: datetime
    updated_at: datetime
