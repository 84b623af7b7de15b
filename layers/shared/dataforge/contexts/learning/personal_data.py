"""What learning holds about people: memberships of cohorts, and launches of lessons."""

from typing import TYPE_CHECKING

from sqlalchemy import text

from dataforge.contexts.identity.contract import SessionCredentials
from dataforge.platform.personal_data import Holding, Person, PersonalData

if TYPE_CHECKING:
    from dataforge.contexts.learning.module import LearningServices

_LAUNCHES = text("SELECT id FROM records.launches WHERE user_id = :user_id")


def personal_data() -> "PersonalData[LearningServices]":
    """The person leaves every cohort; that an account was in it stays, for reports as of an instant."""
    return PersonalData(
        holdings=(
            Holding(
                table="records.launches",
                refers="user_id",
                exported="created_at, lesson_id, registration, launch_mode, expires_at",
                deleted=True,
            ),
            Holding(
                table="records.cohort_members",
                refers="user_id",
                exported=(
                    "joined_at, left_at, cohort_id, "
                    "(SELECT c.name FROM records.cohorts c WHERE c.id = cohort_members.cohort_id) AS cohort"
                ),
                rewritten="left_at = coalesce(left_at, greatest(now(), joined_at))",
            ),
            Holding(
                table="records.former_members",
                refers="user_id",
                exported="joined_at, left_at, cohort_id",
                kept="Reports as of an instant count an account that tells nothing any more.",
            ),
        ),
        released=_end_sessions,
    )


async def _end_sessions(person: Person, services: "LearningServices") -> None:
    """Forget the credentials that course players have for the person."""
    async with services.database.read_only() as connection:
        launches = (await connection.execute(_LAUNCHES, {"user_id": person.user_id})).scalars().all()
    credentials = services.platform.get(SessionCredentials)
    for launch_id in launches:
        await credentials.end(launch_id)
