"""Whatever editors do with a tutorial, its steps cite the transcript, and only published ones are seen outside."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dataforge.contexts.tutorials.drafts.domain import Draft, DraftSection, DraftStep, DroppedStep, GlossaryEntry
from dataforge.contexts.tutorials.tutorials.domain.tutorial import (
    MAX_STEP,
    MAX_STEPS,
    MAX_TUTORIALS,
    StepEdit,
    Transition,
    TutorialArchived,
    TutorialLimitExceeded,
    TutorialNotPublished,
    TutorialState,
    TutorialTransitionRefused,
    TutorialWithoutSteps,
    require_tutorial_room,
    tutorial_of_draft,
)
from dataforge.kernel.errors import DataForgeError, ValidationFailed
from dataforge.kernel.ids import uuid7
from tests.builders.tutorials import NOW, a_step, a_tutorial, some_segments

SEGMENTS = {segment.index: segment for segment in some_segments()}
INDEXES = st.none() | st.integers(-1, 6)


class Editing(RuleBasedStateMachine):
    """Editors of one tutorial who change its state, and write, leave out and move its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.tutorial = a_tutorial()

    @rule(transition=st.sampled_from(Transition))
    def move(self, transition: Transition) -> None:
        before = self.tutorial
        try:
            self.tutorial = before.move(transition, NOW)
        except DataForgeError:
            return
        allowed = {
            (TutorialState.DRAFT, TutorialState.PUBLISHED),
            (TutorialState.PUBLISHED, TutorialState.ARCHIVED),
            (TutorialState.PUBLISHED, TutorialState.DRAFT),
            (TutorialState.ARCHIVED, TutorialState.DRAFT),
        }
        assert (before.state, self.tutorial.state) in allowed
        assert self.tutorial.steps == before.steps

    @rule(data=st.data(), texts=st.lists(st.tuples(st.text(min_size=1, max_size=5), INDEXES, INDEXES), max_size=5))
    def write_steps(self, data: st.DataObject, texts: list[tuple[str, int | None, int | None]]) -> None:
        ids = st.none() | st.sampled_from([UUID(int=7), *(step.id for step in self.tutorial.steps)])
        edits = [StepEdit(text, data.draw(ids), first, last) for text, first, last in texts]
        before = self.tutorial
        try:
            self.tutorial = before.replace_steps(edits, SEGMENTS)
        except DataForgeError:
            return
        assert [step.text for step in self.tutorial.steps] == [edit.text for edit in edits]
        assert before.state is not TutorialState.ARCHIVED

    @rule(data=st.data())
    def order_steps(self, data: st.DataObject) -> None:
        wanted = data.draw(st.permutations([step.id for step in self.tutorial.steps]))
        before = self.tutorial
        try:
            self.tutorial = before.order_steps(wanted)
        except TutorialArchived:
            return
        assert [step.id for step in self.tutorial.steps] == list(wanted)
        assert set(self.tutorial.steps) == set(before.steps)

    @invariant()
    def every_step_cites_segments_and_their_time(self) -> None:
        for step in self.tutorial.steps:
            assert 0 <= step.segment_from <= step.segment_to < len(SEGMENTS)
            assert step.start_ms == SEGMENTS[step.segment_from].start_ms
            assert step.end_ms == SEGMENTS[step.segment_to].end_ms

    @invariant()
    def ids_are_different(self) -> None:
        ids = [step.id for step in self.tutorial.steps]
        assert len(set(ids)) == len(ids)

    @invariant()
    def instants_fit_the_state(self) -> None:
        assert (self.tutorial.archived_at is not None) == (self.tutorial.state is TutorialState.ARCHIVED)
        if self.tutorial.state is TutorialState.PUBLISHED:
            assert self.tutorial.published_at is not None


TestEditing = Editing.TestCase


def test_a_tutorial_without_steps_is_not_published() -> None:
    with pytest.raises(TutorialWithoutSteps):
        a_tutorial(steps=()).move(Transition.PUBLISH, NOW)


def test_a_step_that_the_machine_does_not_have_is_refused_with_the_state() -> None:
    with pytest.raises(TutorialTransitionRefused, match="is a draft; it cannot be archived") as refused:
        a_tutorial().move(Transition.ARCHIVE, NOW)

    assert refused.value.facts == {"state": "draft"}


def test_publishing_again_tells_when_it_was_published_last() -> None:
    later = NOW + timedelta(days=1)
    tutorial = a_tutorial().move(Transition.PUBLISH, NOW).move(Transition.REOPEN, NOW)

    assert tutorial.published_at == NOW
    assert tutorial.move(Transition.PUBLISH, later).published_at == later


def test_archived_tutorials_are_not_changed() -> None:
    archived = a_tutorial().move(Transition.PUBLISH, NOW).move(Transition.ARCHIVE, NOW)

    with pytest.raises(TutorialArchived):
        archived.edit({"title": "Another"})
    with pytest.raises(TutorialArchived):
        archived.replace_steps([], {})
    with pytest.raises(TutorialNotPublished):
        archived.require_published()


def test_steps_keep_their_id_their_times_and_the_score_of_what_the_engine_wrote() -> None:
    tutorial = a_tutorial()
    first, second, _ = tutorial.steps

    edited = tutorial.replace_steps([StepEdit(second.text, second.id), StepEdit("Pull the plug.", first.id)], {})

    assert edited.steps == (second, replace(first, text="Pull the plug.", score=None))


def test_a_step_keeps_a_citation_that_the_transcript_no_longer_has() -> None:
    step = a_step(first=40, last=41, start_ms=7, end_ms=9)

    edited = a_tutorial(steps=(step,)).replace_steps([StepEdit(step.text, step.id, 40, 41)], {})

    assert edited.steps == (step,)


@pytest.mark.parametrize(
    ("edit", "pointer"),
    [
        (StepEdit("New"), "/steps/0/segment_from"),
        (StepEdit("New", None, 1), "/steps/0/segment_from"),
        (StepEdit("New", None, 2, 1), "/steps/0/segment_from"),
        (StepEdit("New", None, 1, 99), "/steps/0/segment_from"),
        (StepEdit("New", uuid7(), 1, 1), "/steps/0/id"),
    ],
)
def test_what_is_wrong_with_a_step_is_named(edit: StepEdit, pointer: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        a_tutorial().replace_steps([edit], SEGMENTS)

    assert [violation.pointer for violation in refused.value.violations] == [pointer]


def test_a_step_is_there_once() -> None:
    tutorial = a_tutorial()
    edit = StepEdit("Twice", tutorial.steps[0].id)

    with pytest.raises(ValidationFailed) as refused:
        tutorial.replace_steps([edit, edit], SEGMENTS)

    assert [violation.pointer for violation in refused.value.violations] == ["/steps/1/id"]


@given(st.lists(st.integers(0, 4), max_size=5))
def test_an_order_names_every_step_once(picks: list[int]) -> None:
    tutorial = a_tutorial()
    ids = [*(step.id for step in tutorial.steps), UUID(int=7), UUID(int=8)]
    wanted = [ids[pick] for pick in picks]
    if sorted(picks) == [0, 1, 2]:
        assert [step.id for step in tutorial.order_steps(wanted).steps] == wanted
    else:
        with pytest.raises(ValidationFailed):
            tutorial.order_steps(wanted)


def test_a_draft_becomes_a_tutorial_of_a_size_that_people_can_edit() -> None:
    step = DraftStep("x" * 5_000, 10, 5, 0, 1, 0.5)
    draft = Draft(
        title=" " * 300,
        summary="s" * 10_000,
        prerequisites=("p" * 600,) * 60,
        glossary=(GlossaryEntry("t", "e" * 2_000, 3),),
        sections=(DraftSection("All", 0, 4),),
        steps=(step,) * 400,
        expert="Sam",
        dropped=(DroppedStep("Fly", "cites nothing"),),
        engine="extractive",
        engine_version="7",
    )

    tutorial = tutorial_of_draft(
        draft,
        tutorial_id=uuid7(),
        workspace_id=UUID(int=1),
        user_id=UUID(int=2),
        transcript_id=UUID(int=3),
        language="de",
        now=NOW,
    )

    assert tutorial.title == "Tutorial"
    assert tutorial.state is TutorialState.DRAFT
    assert len(tutorial.steps) == MAX_STEPS
    assert {(len(item.text), item.start_ms, item.end_ms) for item in tutorial.steps} == {(MAX_STEP, 10, 10)}
    assert (tutorial.engine, tutorial.engine_version) == ("extractive", "7")
    assert (tutorial.language, tutorial.expert) == ("de", "Sam")
    assert [item.reason for item in tutorial.dropped] == [
        *(item.reason for item in draft.dropped),
        *["A tutorial has at most 300 steps."] * (len(draft.steps) - MAX_STEPS),
    ]


def test_of_too_many_steps_the_best_are_kept_in_their_order_and_the_others_listed() -> None:
    steps = tuple(DraftStep(f"Step {n}", n, n, n, n, n % 10 / 10) for n in range(MAX_STEPS + 10))
    draft = Draft("T", "", (), (), (), steps, None, (), "extractive", "7")

    tutorial = tutorial_of_draft(
        draft,
        tutorial_id=uuid7(),
        workspace_id=UUID(int=1),
        user_id=UUID(int=2),
        transcript_id=UUID(int=3),
        language="de",
        now=NOW,
    )

    assert len(tutorial.steps) == MAX_STEPS
    assert [step.start_ms for step in tutorial.steps] == sorted(step.start_ms for step in tutorial.steps)
    assert len(tutorial.dropped) == 10
    assert not {step.text for step in tutorial.steps} & {item.text for item in tutorial.dropped}
    assert {int(item.text.split()[1]) % 10 for item in tutorial.dropped} == {0}


def test_a_workspace_has_room_for_a_limited_number() -> None:
    require_tutorial_room(MAX_TUTORIALS - 1)

    with pytest.raises(TutorialLimitExceeded):
        require_tutorial_room(MAX_TUTORIALS)
