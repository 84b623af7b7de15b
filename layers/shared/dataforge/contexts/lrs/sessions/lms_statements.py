"""What the launching system itself says of a session (§9.3: launched, satisfied, abandoned)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.lrs.sessions.domain import (
    CMI5,
    EXTENSIONS,
    MASTERY_SCORE,
    MOVE_ON_ASKED,
    SESSION_ID,
    VERBS,
    Session,
)
from dataforge.contexts.lrs.statements.domain import format_timestamp

SATISFIED = "https://w3id.org/xapi/adl/verbs/satisfied"
ABANDONED = "https://w3id.org/xapi/adl/verbs/abandoned"
COURSE = "https://w3id.org/xapi/cmi5/activitytype/course"
LAUNCHER = XapiCredential(
    key_id="launches",
    scopes=frozenset({"statements/write", "define"}),
    authority={
        "objectType": "Agent",
        "name": "DataForge",
        "account": {"homePage": "https://dataforge.example/xapi-credentials", "name": "launches"},
    },
)
"""Whom these statements are stored under; nobody can sign in with it."""


def launched(session: Session, launch_url: str, parameters: str | None, now: datetime) -> dict[str, object]:
    """That the lesson was launched; `launch_url` without what a launch adds to it."""
    extensions: dict[str, object] = {
        f"{EXTENSIONS}launchmode": session.launch_mode.value,
        f"{EXTENSIONS}launchurl": launch_url,
        MOVE_ON_ASKED: session.move_on.value,
    }
    if session.mastery_score is not None:
        extensions[MASTERY_SCORE] = session.mastery_score
    if parameters is not None:
        extensions[f"{EXTENSIONS}launchparameters"] = parameters
    return _statement(session, f"{VERBS}launched", "launched", now, extensions=extensions)


def satisfied(session: Session, now: datetime) -> dict[str, object]:
    """That the learner has done what the lesson asks for: a lesson is a course of one unit (ADR 31)."""
    made = _statement(session, SATISFIED, "satisfied", now)
    return {**made, "object": {"objectType": "Activity", "id": session.activity_id, "definition": {"type": COURSE}}}


def abandoned(session: Session, seconds: float, now: datetime) -> dict[str, object]:
    """That the session ended without `terminated`, after so many seconds."""
    made = _statement(session, ABANDONED, "abandoned", now)
    return {**made, "result": {"duration": f"PT{max(0.0, seconds):.2f}S"}}


def _statement(
    session: Session,
    verb: str,
    display: str,
    now: datetime,
    *,
    extensions: Mapping[str, object] | None = None,
) -> dict[str, object]:
    return {
        "id": str(uuid4()),
        "actor": dict(session.actor),
        "verb": {"id": verb, "display": {"en": display}},
        "object": {"objectType": "Activity", "id": session.activity_id},
        "timestamp": format_timestamp(now),
        "context": {
            "registration": str(session.registration),
            "contextActivities": {"category": [{"id": CMI5}], "grouping": [{"id": session.publisher_id}]},
            "extensions": {SESSION_ID: str(session.session_id), **(extensions or {})},
        },
    }
