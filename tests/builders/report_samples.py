"""A cohort that has learned for a while, for pages and pictures: names of every kind, answers, somebody who stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from dataforge.contexts.lrs.progress.repository import count_again
from dataforge.contexts.lrs.tables import statements_flat
from dataforge.kernel.ids import uuid7
from tests.builders.api import ApiUnderTest
from tests.builders.notifications import Classroom
from tests.builders.time import NOW

NAMES = (
    "Ada Lovelace",
    "Grace <b>Hopper</b> & daughters",
    "שלום עליכם",
    "Wolfeschlegelsteinhausenbergerdorff Hubert Blaine the Third of That Name",
    "Katherine Johnson",
    "Hedy Lamarr",
    "Mary Jackson",
    "Sophie Wilson",
)
TITLES = (
    "Alarm plans",
    "Exits & extinguishers <advanced>",
    "First aid in the workshop, part two: bandages, burns and what to tell the ambulance",
    "Ladders",
    "Lifting and carrying",
)
QUESTIONS = (
    (
        "https://lms.example.org/q/oil",
        "Which extinguisher for oil?",
        ("foam", "water", "powder, if need be"),
    ),
    ("https://lms.example.org/q/exit", "Where is the nearest exit?", ("left", "right")),
    ("https://lms.example.org/q/free", None, ("I would call 112 and wait for the brigade <outside>", "run")),
)


@dataclass(frozen=True)
class LearningCohort:
    """What was written."""

    cohort_id: UUID
    learners: Sequence[UUID]
    lessons: Sequence[UUID]


class ReportSamples(Classroom):
    """Writes statements as the loader leaves them."""

    def __init__(self, api: ApiUnderTest) -> None:
        super().__init__(api)
        self._random = Random(7)
        self._rows: list[dict[str, Any]] = []

    async def fill(self, *first: UUID, others: Sequence[UUID] = ()) -> LearningCohort:
        """A cohort with 5 lessons: `first` and 8 learners, the last of whom has never started, nor have `others`."""
        learners = [*first, *[await self.learner(display_name=item) for item in NAMES]]
        cohort_id = await self.cohort(*learners, *others, name="Night shift, hall 4")
        lessons = [await self.lesson(cohort_id, None, title, lesson_number=n) for n, title in enumerate(TITLES, 1)]
        for place, learner in enumerate(learners[:-1]):
            for number, lesson in enumerate(lessons[: 5 - place % 4]):
                began = NOW + timedelta(days=2 * number + place, hours=self._random.randrange(10))
                self._way(learner, lesson, began, completes=(place + number) % 3 != 2)
            self._answers(learner, lessons[0], NOW + timedelta(days=place, hours=2), place)
        await self._write()
        return LearningCohort(cohort_id, learners, lessons)

    def _way(self, learner: UUID, lesson: UUID, began: datetime, *, completes: bool) -> None:
        for step in range(self._random.randrange(2, 9)):
            self._statement(learner, lesson, began + timedelta(hours=7 * step))
        if completes:
            days = self._random.choice((0.01, 0.3, 2, 5))
            self._statement(learner, lesson, began + timedelta(days=days), completes=True, score_scaled=0.8)

    def _answers(self, learner: UUID, lesson: UUID, at: datetime, place: int) -> None:
        for number, (question, name, responses) in enumerate(QUESTIONS):
            chosen = (place * (number + 2)) % (len(responses) + 1) % len(responses)
            answer = {"is_question": True, "object_id": question, "object_name": name, "response": responses[chosen]}
            self._statement(learner, lesson, at, **answer, success=None if number == 2 else chosen == 0)

    def _statement(self, learner: UUID, lesson: UUID, at: datetime, **values: Any) -> None:
        row = {
            "statement_id": uuid7(),
            "actor_key": "somebody",
            "user_id": learner,
            "verb_id": "https://e.org/verb",
            "object_type": "Activity",
            "lesson_id": lesson,
            "completes": False,
            "occurred_at": at,
            "stored_at": at,
            "processed_at": at,
        }
        nothing = dict.fromkeys(("object_id", "object_name", "response", "success", "score_scaled"))
        self._rows.append({**row, **nothing, "is_question": False, **values})

    async def _write(self) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(insert(statements_flat), self._rows)
            await count_again(connection, {(row["user_id"], row["lesson_id"]) for row in self._rows})
        self._rows = []
