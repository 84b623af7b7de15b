"""What reports should say, in plain Python over lists: slow, obvious, and written without a look at the SQL."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any
from uuid import UUID

import pandas as pd

from tests.builders.reports import Cohort, Learner, Lesson, Match, Records


@dataclass(frozen=True)
class Progress:
    """A learner in a lesson."""

    started_at: datetime
    last_at: datetime
    completed_at: datetime | None
    completed_by: UUID | None
    score: float | None


class Model:
    """Reports over records, as they were known at a watermark."""

    def __init__(self, records: Records, watermark: datetime) -> None:
        self.records, self.watermark = records, watermark

    @cached_property
    def visible(self) -> list[Match]:
        """Statements that counted then."""
        return [
            match
            for match in self.records.matches
            if match.known_from <= self.watermark and (match.known_until is None or match.known_until > self.watermark)
        ]

    @cached_property
    def _by_pair(self) -> dict[tuple[Learner, Lesson], list[Match]]:
        found = defaultdict(list)
        for match in self.visible:
            found[match.learner, match.lesson].append(match)
        return found

    def progress(self, learner: Learner, lesson: Lesson) -> Progress | None:
        mine = self._by_pair.get((learner, lesson))
        if not mine:
            return None
        completing = sorted((m.occurred_at, m.statement_id, m.score) for m in mine if m.completes)
        at, by, score = completing[0] if completing else (None, None, None)
        times = [match.occurred_at for match in mine]
        return Progress(min(times), max(times), at, by, score)

    def members(self, cohort: Cohort) -> set[Learner]:
        """Members who are not suspended."""
        return {
            one.learner
            for one in self.records.memberships
            if one.cohort == cohort
            and one.joined_at <= self.watermark
            and (one.left_at is None or one.left_at > self.watermark)
            and (one.learner.suspended_at is None or one.learner.suspended_at > self.watermark)
        }

    def lessons_of(self, cohort: Cohort) -> list[Lesson]:
        return [
            lesson
            for lesson in self.records.lessons
            if lesson.created_at <= self.watermark and lesson.cohort in (None, cohort)
        ]

    def expected(self, lesson: Lesson, cohort: Cohort | None) -> set[Learner]:
        named = [cohort] if cohort else [one for one in self.records.cohorts if one.active]
        found: set[Learner] = set()
        for one in named:
            if lesson.cohort in (None, one):
                found |= self.members(one)
        return found

    def matrix(self, cohort: Cohort) -> dict[UUID, list[tuple[datetime | None, datetime | None]]]:
        """Learner → (started, completed) per lesson by number."""
        return {
            learner.user_id: [
                (None, None)
                if (found := self.progress(learner, lesson)) is None
                else (found.started_at, found.completed_at)
                for lesson in self.lessons_of(cohort)
            ]
            for learner in self.members(cohort)
        }

    def incomplete(self, lesson: Lesson, cohort: Cohort | None) -> set[UUID]:
        found = set()
        for learner in self.expected(lesson, cohort):
            progress = self.progress(learner, lesson)
            if progress is None or progress.completed_at is None:
                found.add(learner.user_id)
        return found

    def funnel(self, lesson: Lesson, cohort: Cohort | None) -> tuple[list[int], list[float]]:
        """Counts of the stages; quartiles of the seconds by pandas."""
        expected = self.expected(lesson, cohort)
        begun = [found for learner in expected if (found := self.progress(learner, lesson)) is not None]
        done = [found for found in begun if found.completed_at is not None]
        seconds = pd.Series([(one.completed_at - one.started_at).total_seconds() for one in done if one.completed_at])
        quartiles = list(seconds.quantile([0.25, 0.5, 0.75])) if done else []
        return [len(expected), len(begun), len(done)], quartiles

    def questions(self, lesson: Lesson) -> dict[str, dict[str, Any]]:
        """Per question what pandas says of the first judged response of each learner."""
        answers = [match for match in self.visible if match.lesson == lesson and match.question is not None]
        first: dict[tuple[str, UUID], bool] = {}
        for answer in sorted(answers, key=lambda match: (match.occurred_at, match.statement_id)):
            if answer.success is not None:
                first.setdefault((str(answer.question), answer.learner.user_id), answer.success)
        judged = pd.DataFrame([(q, u, int(s)) for (q, u), s in first.items()], columns=["question", "user", "right"])
        wide = judged.pivot_table(index="user", columns="question", values="right") if len(judged) else pd.DataFrame()
        found = {}
        for question in {str(answer.question) for answer in answers}:
            mine = [answer for answer in answers if answer.question == question]
            item = wide[question].dropna() if question in wide else pd.Series(dtype=float)
            rest = wide.drop(columns=[question]).sum(axis=1).loc[item.index] if len(item) else item
            varies = item.nunique() > 1 and rest.nunique() > 1
            found[question] = {
                "learners": len({answer.learner for answer in mine}),
                "responses": len(mine),
                "difficulty": item.mean() if len(item) else None,
                "discrimination": item.corr(rest) if varies else None,
                "given": _counted((answer.response, answer) for answer in mine if answer.response is not None),
                "choices": self._choices(mine),
            }
        return found

    def _choices(self, answers: Sequence[Match]) -> dict[str, tuple[int, int, int]]:
        if not any("[,]" in (answer.response or "") for answer in answers):
            return {}
        return _counted(
            (choice, answer)
            for answer in answers
            if answer.response is not None
            for choice in set(answer.response.split("[,]"))
        )

    def at_risk(
        self, cohort: Cohort | None, idle_days: int, *, never_started: bool
    ) -> dict[UUID, tuple[int, int, int]]:
        """Learner → lessons required, started, completed."""
        active = [one for one in self.records.cohorts if one.active]
        people = {learner for one in active if cohort in (None, one) for learner in self.members(one)}
        found = {}
        for learner in people:
            required = {
                lesson
                for one in active
                if learner in self.members(one)
                for lesson in self.lessons_of(one)
                if lesson.required
            }
            last = [match.occurred_at for match in self.visible if match.learner == learner]
            idle = max(last) <= self.watermark - timedelta(days=idle_days) if last else never_started
            steps = [self.progress(learner, lesson) for lesson in required]
            done = sum(1 for step in steps if step and step.completed_at)
            if idle and done < len(required):
                found[learner.user_id] = (len(required), sum(1 for step in steps if step), done)
        return found

    def activity(
        self, borders: Sequence[datetime], cohort: Cohort | None, lesson: Lesson | None
    ) -> list[tuple[int, int, int]]:
        """(statements, learners, completions) of each interval."""
        people = set(self.records.learners) if cohort is None else self.members(cohort)
        lessons = self.records.lessons if cohort is None else self.lessons_of(cohort)
        lessons = lessons if lesson is None else [lesson]
        found = []
        for begins, ends in pairwise(borders):
            seen = [
                match
                for match in self.visible
                if begins <= match.occurred_at < ends and match.learner in people and match.lesson in lessons
            ]
            steps = [self.progress(learner, one) for learner in people for one in lessons]
            done = sum(1 for step in steps if step and step.completed_at and begins <= step.completed_at < ends)
            found.append((len(seen), len({match.learner for match in seen}), done))
        return found

    def comparison(self, parts: Iterable[tuple[UUID, Lesson]], cohort: Cohort | None) -> dict[UUID, tuple[Any, ...]]:
        """Part → expected, started, completed, median seconds, mean score."""
        pairs = defaultdict(list)
        for part, lesson in parts:
            pairs[part] += [self.progress(learner, lesson) for learner in self.expected(lesson, cohort)]
        found = {}
        for part, steps in pairs.items():
            done = [step for step in steps if step and step.completed_at]
            seconds = pd.Series([(s.completed_at - s.started_at).total_seconds() for s in done if s.completed_at])
            scores = pd.Series([step.score for step in done if step.score is not None], dtype=float)
            begun = sum(1 for step in steps if step)
            median, mean = (seconds.median() if done else None), (scores.mean() if len(scores) else None)
            found[part] = (len(steps), begun, len(done), median, mean)
        return found

    def completions(self) -> dict[tuple[UUID, UUID], tuple[datetime, UUID]]:
        """Learner and lesson → when it was completed, and by which statement."""
        found = {}
        for learner in self.records.learners:
            for lesson in self.records.lessons:
                step = self.progress(learner, lesson)
                if step and step.completed_at and step.completed_by:
                    found[learner.user_id, lesson.lesson_id] = (step.completed_at, step.completed_by)
        return found


def _counted(given: Iterable[tuple[str, Match]]) -> dict[str, tuple[int, int, int]]:
    """Response → how often, by how many learners, how often right."""
    found: dict[str, list[Match]] = defaultdict(list)
    for response, answer in given:
        found[response].append(answer)
    return {
        response: (len(answers), len({a.learner for a in answers}), sum(1 for a in answers if a.success))
        for response, answers in found.items()
    }
