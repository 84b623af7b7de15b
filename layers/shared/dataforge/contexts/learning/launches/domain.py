"""What a launch is: whom it is for, of which lesson, and the address that its player is opened with (cmi5 §8)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from uuid import UUID, uuid5

from dataforge.contexts.lrs.contract import PEOPLE, PlayerLaunch
from dataforge.kernel.errors import Conflict, Forbidden
from dataforge.kernel.texts import Text

SESSION_LASTS = timedelta(hours=24)
LaunchMode = Literal["Normal", "Browse", "Review"]
MoveOn = Literal["Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed", "NotApplicable"]
_REGISTRATIONS = UUID("6f9a0c54-7c0e-4f0e-8a55-2f1c2c1f7d0b")


class LessonNotLaunchable(Conflict):
    """The lesson has no content of ours to launch: set its `content_url`, or open it in the system it is in."""

    code = "lesson_not_launchable"
    title = "The lesson has no content to launch"


class NotInCohort(Forbidden):
    """The lesson belongs to a cohort, and the person is no member of it."""

    code = "not_in_cohort"
    title = "The lesson is for members of its cohort"


@dataclass(frozen=True, slots=True)
class Participant:
    """Whom a lesson is launched for; statements name the pseudonym and nothing else."""

    user_id: UUID
    pseudonym: str
    language: str
    is_member: bool
    is_staff: bool

    @property
    def actor(self) -> dict[str, object]:
        """The Agent of the learner's statements."""
        return {"objectType": "Agent", "account": {"homePage": PEOPLE, "name": self.pseudonym}}


@dataclass(frozen=True, slots=True)
class PlannedLaunch:
    """A launch that is to be stored, and the token that its player asks for the credential with."""

    lesson_id: UUID
    user_id: UUID
    title: str
    launch: PlayerLaunch
    token: str

    @property
    def token_hash(self) -> str:
        """What is kept of the token."""
        return hash_token(self.token)

    def address(self, endpoint: str, fetch: str) -> str:
        """The address that opens the player; parameters that its content has of its own stay."""
        given = {
            "endpoint": endpoint,
            "fetch": fetch,
            "actor": compact_json(self.launch.actor),
            "registration": str(self.launch.registration),
            "activityId": self.launch.activity_id,
        }
        parts = urlsplit(self.launch.launch_url)
        query = "&".join(filter(None, (parts.query, urlencode(given, quote_via=quote))))
        return urlunsplit(parts._replace(query=query))


def plan_launch(
    lesson: Mapping[str, Any],
    participant: Participant,
    *,
    session_id: UUID,
    token: str,
    launch_mode: LaunchMode,
    return_url: str | None,
    now: datetime,
) -> PlannedLaunch:
    """What launching a lesson makes; raises LessonNotLaunchable, NotInCohort.

    A learner has one registration with a lesson, over all launches.
    """
    if lesson["content_url"] is None:
        message = Text(
            "The lesson {title!r} has no content_url, so that there is nothing to launch.", title=lesson["title"]
        )
        raise LessonNotLaunchable(message)
    if lesson["cohort_id"] is not None and not (participant.is_member or participant.is_staff):
        message = Text("This lesson is for the members of its cohort; ask to be added to it.")
        raise NotInCohort(message)
    mastery: Decimal | None = lesson["mastery_score"]
    launch = PlayerLaunch(
        session_id=session_id,
        registration=uuid5(_REGISTRATIONS, f"{lesson['id']}/{participant.user_id}"),
        activity_id=lesson["lesson_url"],
        actor=participant.actor,
        launch_mode=launch_mode,
        move_on=lesson["move_on"],
        mastery_score=mastery,
        publisher_id=lesson["publisher_id"] or lesson["content_url"],
        launch_url=lesson["content_url"],
        launch_parameters=lesson["launch_parameters"],
        return_url=return_url,
        language=participant.language,
        expires_at=now + SESSION_LASTS,
    )
    return PlannedLaunch(lesson["id"], participant.user_id, lesson["title"], launch, token)


def hash_token(token: str) -> str:
    """What is kept of a token: nobody who reads the table can use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def compact_json(value: Mapping[str, object]) -> str:
    """JSON without spaces, for an address."""
    return json.dumps(dict(value), separators=(",", ":"), ensure_ascii=False)
