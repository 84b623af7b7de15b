"""The measures by which drafts are judged, against examples worked out by hand and against what must always hold."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bench.tutorial_quality import (
    AGREEMENT,
    Answer,
    Span,
    baseline,
    held_out,
    judge,
    matched,
    open_ones,
    overlap,
    pk,
    window,
    window_diff,
)

EVERY = [*open_ones(), *held_out()]
SPANS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)).map(lambda pair: (pair[0], sum(pair))), max_size=5)
TOPICS = st.integers(2, 40).flatmap(
    lambda length: st.tuples(
        st.just(length),
        st.sets(st.integers(1, length - 1)).map(sorted),
        st.sets(st.integers(1, length - 1)).map(sorted),
    )
)


@pytest.mark.parametrize(
    ("one", "two", "share"),
    [
        ((3, 3), (3, 3), 1),
        ((3, 4), (4, 4), 0.5),
        ((3, 5), (5, 5), 1 / 3),
        ((3, 4), (4, 5), 1 / 3),
        ((3, 4), (5, 6), 0),
    ],
)
def test_two_steps_agree_by_the_share_of_segments_that_both_cite(one: Span, two: Span, share: float) -> None:
    assert overlap(one, two) == pytest.approx(share)


def test_a_step_that_is_found_twice_counts_once() -> None:
    assert matched([(3, 3)], [(3, 3), (3, 4)]) == 1


def test_the_first_label_gives_way_when_both_can_be_matched() -> None:
    assert matched([(3, 4), (4, 4)], [(4, 4), (3, 3)]) == 2


@given(SPANS, SPANS)
def test_no_other_pairing_has_more_pairs(labels: list[Span], answers: list[Span]) -> None:
    padded: list[Span | None] = [*answers, *([None] * len(labels))]

    most = (
        max(
            sum(
                answer is not None and overlap(label, answer) >= AGREEMENT
                for label, answer in zip(labels, chosen, strict=True)
            )
            for chosen in itertools.permutations(padded, len(labels))
        )
        if len(padded) <= 6
        else matched(answers, labels)
    )

    assert matched(labels, answers) == most


def test_errors_of_topics_are_those_worked_out_by_hand() -> None:
    # Topics of five segments, k = 2 or 3; the answer has its boundary one too late.
    assert window(10, [5]) == 2
    # Pairs (i, i+2): labelled across the boundary at i = 3, 4, answered across at i = 4, 5.
    assert pk(10, [5], [6]) == pytest.approx(2 / 8)
    assert window_diff(10, [5], [6]) == pytest.approx(2 / 8)
    # Nothing found: the two pairs across are missed.
    assert pk(10, [5], []) == pytest.approx(2 / 8)


def test_window_diff_sees_a_second_boundary_that_pk_forgives() -> None:
    # The window at i = 3 crosses one boundary in the labels and two in the answer: in another topic either way.
    assert window_diff(10, [5], [4, 5]) > pk(10, [5], [4, 5])


@given(TOPICS)
def test_errors_are_shares_and_window_diff_is_never_the_smaller(topics: tuple[int, list[int], list[int]]) -> None:
    length, labels, answers = topics

    assert 0 <= pk(length, labels, answers) <= window_diff(length, labels, answers) <= 1
    assert pk(length, labels, labels) == window_diff(length, labels, labels) == 0


@pytest.mark.parametrize("labelled", EVERY, ids=lambda labelled: labelled.name)
def test_the_labels_answer_themselves_without_an_error(labelled) -> None:
    quality = judge(labelled, Answer(labelled.steps, labelled.boundaries, labelled.expert))

    assert (quality.precision, quality.recall, quality.pk, quality.window_diff) == (1, 1, 0, 0)
    assert quality.expert


@pytest.mark.parametrize("labelled", EVERY, ids=lambda labelled: labelled.name)
def test_a_transcript_is_a_quarter_of_an_hour_of_speech_with_labels_that_it_has(labelled) -> None:
    ends = [segment.end_ms for segment in labelled.segments]
    words = sum(len(segment.text.split()) for segment in labelled.segments)
    minutes = ends[-1] / 60_000
    last = len(labelled.segments) - 1

    assert minutes >= 15
    assert 100 <= words / minutes <= 160
    assert 12 <= len(labelled.steps) <= 30
    assert all(0 <= first <= final <= last for first, final in labelled.steps)
    assert list(labelled.steps) == sorted(labelled.steps)
    assert list(labelled.boundaries) == sorted(set(labelled.boundaries))
    assert 0 < labelled.boundaries[0] <= labelled.boundaries[-1] <= last
    assert labelled.expert is None or labelled.expert in {segment.speaker for segment in labelled.segments}


def test_there_are_both_languages_three_formats_and_two_that_are_held_out() -> None:
    assert {labelled.language for labelled in EVERY} == {labelled.language for labelled in held_out()} == {"en", "de"}
    assert (len(open_ones()), len(held_out())) == (8, 2)


def test_the_baseline_is_no_empty_answer() -> None:
    qualities = [judge(labelled, baseline(labelled)) for labelled in EVERY]

    assert sum(quality.recall for quality in qualities) > 0
    assert sum(quality.pk for quality in qualities) < len(qualities)
