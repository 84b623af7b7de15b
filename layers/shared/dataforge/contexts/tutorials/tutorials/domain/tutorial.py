"""The tutorial: what people may change in which state, and what its steps cite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from dataforge.contexts.tutorials.drafts.domain import Draft, DraftSection, DroppedStep
from dataforge.contexts.tutorials.transcripts.domain import Segment
from dataforge.kernel.errors import Conflict, InvalidTransition, NotFound, ValidationFailed, Violation
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text

MAX_TITLE = 255
MAX_SUMMARY = 4_000
MAX_CONTENT = 100_000
MAX_PREREQUISITES, MAX_PREREQUISITE = 50, 500
MAX_GLOSSARY, MAX_TERM, MAX_EXPLANATION = 200, 120, 1_000
MAX_STEPS, MAX_STEP = 300, 2_000
MAX_DROPPED = 300
"""How many of the steps that an engine could not cite are kept."""
MAX_TUTORIALS = 2_000
"""Of one workspace: a list is searched by reading its texts."""


class TutorialNotFound(NotFound):
    """There is no such tutorial, or not for whoever asks."""

    code = "tutorial_not_found"
    title = "There is no such tutorial"


class TutorialTransitionRefused(InvalidTransition):
    """A draft is published, a published tutorial archived, and both published and archived ones are reopened."""

    code = "tutorial_transition_refused"
    title = "The tutorial is in another state"


class TutorialArchived(Conflict):
    """An archived tutorial is not changed; reopen it first."""

    code = "tutorial_archived"
    title = "The tutorial is archived"


class TutorialWithoutSteps(Conflict):
    """A tutorial is published with at least one step."""

    code = "tutorial_without_steps"
    title = "The tutorial has no steps"


class TutorialNotPublished(Conflict):
    """Only published tutorials become lessons; publish it first."""

    code = "tutorial_not_published"
    title = "The tutorial is not published"


class TutorialLimitExceeded(Conflict):
    """The workspace has as many tutorials as one may have; delete some first."""

    code = "tutorial_limit_exceeded"
    title = "Too many tutorials"


class TutorialState(StrEnum):
    """Where a tutorial is; only published ones are seen by people outside of the workspace."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Transition(StrEnum):
    """What is done with the state of a tutorial."""

    PUBLISH = "publish"
    ARCHIVE = "archive"
    REOPEN = "reopen"

    @property
    def past(self) -> str:
        """The participle: published, archived, reopened."""
        return f"{self.value.removesuffix('e')}ed"


TRANSITIONS: Mapping[tuple[TutorialState, Transition], TutorialState] = {
    (TutorialState.DRAFT, Transition.PUBLISH): TutorialState.PUBLISHED,
    (TutorialState.PUBLISHED, Transition.ARCHIVE): TutorialState.ARCHIVED,
    (TutorialState.PUBLISHED, Transition.REOPEN): TutorialState.DRAFT,
    (TutorialState.ARCHIVED, Transition.REOPEN): TutorialState.DRAFT,
}


@dataclass(frozen=True, slots=True)
class TutorialTerm:
    """A word of the glossary; `segment` is where the transcript explains it, None for one that an editor wrote."""

    term: str
    explanation: str
    segment: int | None = None


@dataclass(frozen=True, slots=True)
class TutorialStep:
    """One instruction; cites the segments `segment_from` to `segment_to` (both included) and their time.

    `score` is the engine's (0 to 1), None when people have written the text.
    """

    id: UUID
    text: str
    start_ms: int
    end_ms: int
    segment_from: int
    segment_to: int
    score: float | None = None


@dataclass(frozen=True, slots=True)
class StepEdit:
    """A step as an editor wants it: one that exists (`id`), or a new one, which cites segments."""

    text: str
    id: UUID | None = None
    segment_from: int | None = None
    segment_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tutorial:
    """A tutorial of a workspace; what changes it gives the tutorial as it is afterwards.

    `user_id` is who asked for it; `expert` is the speaker whose instructions it follows, and is shown to members only;
    `dropped` is what the engine proposed and could not cite.
    """

    id: UUID
    workspace_id: UUID
    user_id: UUID
    title: str
    engine: str
    engine_version: str
    created_at: datetime
    updated_at: datetime
    transcript_id: UUID | None = None
    summary: str = ""
    content_md: str = ""
    prerequisites: tuple[str, ...] = ()
    glossary: tuple[TutorialTerm, ...] = ()
    sections: tuple[DraftSection, ...] = ()
    steps: tuple[TutorialStep, ...] = ()
    expert: str | None = None
    dropped: tuple[DroppedStep, ...] = ()
    language: str | None = None
    state: TutorialState = TutorialState.DRAFT
    lesson_id: UUID | None = None
    published_at: datetime | None = None
    archived_at: datetime | None = None
    revision: int = 1

    def move(self, transition: Transition, now: datetime) -> "Tutorial":
        """The tutorial in its next state; raises TutorialTransitionRefused, TutorialWithoutSteps."""
        state = TRANSITIONS.get((self.state, transition))
        if state is None:
            message = Text(
                "The tutorial is {state}; it cannot be {past}.", state=_state_words(self.state), past=transition.past
            )
            raise TutorialTransitionRefused(message, facts={"state": self.state.value})
        if state is TutorialState.PUBLISHED and not self.steps:
            message = Text("A tutorial is published with at least one step; add one first.")
            raise TutorialWithoutSteps(message)
        published = now if state is TutorialState.PUBLISHED else self.published_at
        archived = now if state is TutorialState.ARCHIVED else None
        return replace(self, state=state, published_at=published, archived_at=archived)

    def edit(self, changes: Mapping[str, Any]) -> "Tutorial":
        """The tutorial with other texts; raises TutorialArchived."""
        self.require_editable()
        return replace(self, **changes)

    def replace_steps(self, edits: Sequence[StepEdit], segments: Mapping[int, Segment]) -> "Tutorial":
        """The tutorial with these steps in this order; steps that are left out go.

        `segments` are those of the transcript that the edits cite. A citation's times are the transcript's: nobody
        writes them. A step that cites what it cited before keeps its times, also when the transcript is gone.

        Raises TutorialArchived; ValidationFailed for an id that is not one of its steps or is there twice, a new step
        without a citation, and segments that the transcript does not have.
        """
        self.require_editable()
        known = {step.id: step for step in self.steps}
        steps: list[TutorialStep] = []
        broken: list[Violation] = []
        for position, edit in enumerate(edits):
            before = known.pop(edit.id, None) if edit.id is not None else None
            if edit.id is not None and before is None:
                message = Text("is not a step of this tutorial, or is there twice")
                broken.append(Violation(f"/steps/{position}/id", message, "unknown_reference"))
                continue
            citation = _citation(edit, before, segments)
            if isinstance(citation, str):
                broken.append(Violation(f"/steps/{position}/segment_from", citation, "citation"))
                continue
            same = before is not None and before.text == edit.text
            score = before.score if before is not None and same else None
            steps.append(TutorialStep(before.id if before else uuid7(), edit.text, *citation, score))
        if broken:
            raise ValidationFailed(_listed(broken), violations=broken)
        return replace(self, steps=tuple(steps))

    def order_steps(self, step_ids: Sequence[UUID]) -> "Tutorial":
        """The tutorial with the same steps in another order; raises TutorialArchived, ValidationFailed."""
        self.require_editable()
        known = {step.id: step for step in self.steps}
        if len(step_ids) != len(known) or set(step_ids) != set(known):
            message = Text("must name every step of the tutorial once")
            raise ValidationFailed(
                Text("step_ids {message}.", message=message),
                violations=[Violation("/step_ids", message, "permutation")],
            )
        return replace(self, steps=tuple(known[step_id] for step_id in step_ids))

    def require_editable(self) -> None:
        """Raise TutorialArchived for one that is not changed any more."""
        if self.state is TutorialState.ARCHIVED:
            message = Text("The tutorial is archived; reopen it to change it.")
            raise TutorialArchived(message)

    def require_published(self) -> None:
        """Raise TutorialNotPublished for one that only members may see."""
        if self.state is not TutorialState.PUBLISHED:
            message = Text("The tutorial is {state}; publish it first.", state=_state_words(self.state))
            raise TutorialNotPublished(message, facts={"state": self.state.value})


def tutorial_of_draft(
    draft: Draft,
    *,
    tutorial_id: UUID,
    workspace_id: UUID,
    user_id: UUID,
    transcript_id: UUID,
    language: str | None,
    now: datetime,
) -> Tutorial:
    """The tutorial that an engine's draft becomes; what is longer than people may write is cut.

    Of more steps than a tutorial may have, those with the best scores stay, and the others are listed as dropped.
    """
    best = sorted(range(len(draft.steps)), key=lambda place: -draft.steps[place].score)
    kept = set(best[:MAX_STEPS])
    surplus = (
        DroppedStep(step.text[:MAX_STEP], Text("A tutorial has at most {max_steps} steps.", max_steps=MAX_STEPS))
        for place, step in enumerate(draft.steps)
        if place not in kept
    )
    steps = (
        TutorialStep(
            uuid7(),
            step.text[:MAX_STEP],
            step.start_ms,
            max(step.start_ms, step.end_ms),
            step.segment_from,
            step.segment_to,
            step.score,
        )
        for place, step in enumerate(draft.steps)
        if place in kept
    )
    glossary = (
        TutorialTerm(entry.term[:MAX_TERM], entry.explanation[:MAX_EXPLANATION], entry.segment)
        for entry in draft.glossary[:MAX_GLOSSARY]
    )
    return Tutorial(
        id=tutorial_id,
        workspace_id=workspace_id,
        user_id=user_id,
        transcript_id=transcript_id,
        title=draft.title[:MAX_TITLE].strip() or "Tutorial",
        summary=draft.summary[:MAX_SUMMARY],
        prerequisites=tuple(text[:MAX_PREREQUISITE] for text in draft.prerequisites[:MAX_PREREQUISITES]),
        glossary=tuple(glossary),
        sections=draft.sections,
        steps=tuple(steps),
        expert=draft.expert and draft.expert[:200],
        dropped=(*draft.dropped, *surplus)[:MAX_DROPPED],
        language=language,
        engine=draft.engine,
        engine_version=draft.engine_version,
        created_at=now,
        updated_at=now,
    )


def missing_tutorial(tutorial_id: UUID) -> TutorialNotFound:
    """The refusal for a tutorial that is not there, and for everybody who is not a member of its workspace."""
    return TutorialNotFound(Text("There is no tutorial {tutorial_id}.", tutorial_id=tutorial_id))


def require_tutorial_room(tutorials: int) -> None:
    """Raise TutorialLimitExceeded for a workspace that is full."""
    if tutorials >= MAX_TUTORIALS:
        message = Text(
            "A workspace has at most {max_tutorials:,} tutorials; delete some first.", max_tutorials=MAX_TUTORIALS
        )
        raise TutorialLimitExceeded(message, facts={"limit": MAX_TUTORIALS})


_Citation = tuple[int, int, int, int]


def _citation(edit: StepEdit, before: TutorialStep | None, segments: Mapping[int, Segment]) -> _Citation | str:
    """Start and end in milliseconds, first and last segment; or what is wrong."""
    first, last = edit.segment_from, edit.segment_to
    if first is None and last is None and before is not None:
        first, last = before.segment_from, before.segment_to
    if first is None or last is None:
        return Text("every step cites the first and the last segment that it was taken from")
    if first > last:
        return Text("must not come after segment_to")
    if before is not None and (first, last) == (before.segment_from, before.segment_to):
        return before.start_ms, before.end_ms, first, last
    if first not in segments or last not in segments:
        return Text("cites segments that the transcript does not have")
    start = segments[first].start_ms
    return start, max(start, segments[last].end_ms), first, last


def _state_words(state: TutorialState) -> str:
    return Text("a draft") if state is TutorialState.DRAFT else state.value


def _listed(broken: Sequence[Violation]) -> str:
    return "; ".join(f"{violation.pointer} {violation.message}" for violation in broken[:5]) + "."
