"""The rules of cmi5 (Quartz, 1st edition) for what a course player sends in one session.

A session is one launch; its registration is one learner's enrolment in one lesson, over any number of sessions. What
carries the cmi5 category is a *defined* statement and keeps all rules; others keep to the session and its order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self
from uuid import UUID

from dataforge.contexts.lrs.statements.domain import VOIDED, actor_key, parse_timestamp
from dataforge.kernel.errors import Forbidden, ValidationFailed, Violation
from dataforge.kernel.texts import Text

CMI5 = "https://w3id.org/xapi/cmi5/context/categories/cmi5"
MOVE_ON = "https://w3id.org/xapi/cmi5/context/categories/moveon"
EXTENSIONS = "https://w3id.org/xapi/cmi5/context/extensions/"
SESSION_ID, MASTERY_SCORE = f"{EXTENSIONS}sessionid", f"{EXTENSIONS}masteryscore"
MOVE_ON_ASKED = f"{EXTENSIONS}moveon"
LAUNCH_DATA, PREFERENCES = "LMS.LaunchData", "cmi5LearnerPreferences"
VERBS = "http://adlnet.gov/expapi/verbs/"
# How long statements from before the end may still come in, on slow lines (§9.3.8 leaves it to the LMS).
GRACE = timedelta(minutes=2)
_RULE = "cmi5"


class OutsideSession(Forbidden):
    """The token of a course player is for its own learner, lesson, registration and session only."""

    code = "outside_session"
    title = "This is not part of the session"


class SessionEnded(Forbidden):
    """The session was terminated, abandoned, or has expired; launch the lesson again."""

    code = "player_session_ended"
    title = "The session of the course player has ended"


class SessionRuleBroken(ValidationFailed):
    """A statement breaks a rule of cmi5; none of its request is stored."""

    code = "cmi5_rule"
    title = "The statement breaks a rule of cmi5"


class Verb(StrEnum):
    """What a course player says in defined statements (§9.3)."""

    INITIALIZED = f"{VERBS}initialized"
    COMPLETED = f"{VERBS}completed"
    PASSED = f"{VERBS}passed"
    FAILED = f"{VERBS}failed"
    TERMINATED = f"{VERBS}terminated"


_WITH_DURATION = frozenset({Verb.COMPLETED, Verb.PASSED, Verb.FAILED, Verb.TERMINATED})
_JUDGED = {Verb.PASSED: True, Verb.FAILED: False}


class LaunchMode(StrEnum):
    """What a launch is for (§10.2.2)."""

    NORMAL = "Normal"
    BROWSE = "Browse"
    REVIEW = "Review"


class MoveOn(StrEnum):
    """What satisfies a lesson (§13.1.4)."""

    PASSED = "Passed"
    COMPLETED = "Completed"
    COMPLETED_AND_PASSED = "CompletedAndPassed"
    COMPLETED_OR_PASSED = "CompletedOrPassed"
    NOT_APPLICABLE = "NotApplicable"

    def is_met(self, *, completed: bool, passed: bool) -> bool:
        """Whether what was said so far in a registration satisfies it."""
        return {
            MoveOn.PASSED: passed,
            MoveOn.COMPLETED: completed,
            MoveOn.COMPLETED_AND_PASSED: completed and passed,
            MoveOn.COMPLETED_OR_PASSED: completed or passed,
            MoveOn.NOT_APPLICABLE: True,
        }[self]


@dataclass(frozen=True, slots=True)
class History:
    """What was said in the other sessions of a registration."""

    completed: bool = False
    passed: bool = False
    satisfied: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A launch of a course player; `said` are the ids of the defined statements by their verbs."""

    session_id: UUID
    registration: UUID
    activity_id: str
    actor: Mapping[str, object]
    launch_mode: LaunchMode
    move_on: MoveOn
    mastery_score: Decimal | None
    publisher_id: str
    said: Mapping[Verb, UUID]
    terminated_at: datetime | None = None
    ended_at: datetime | None = None

    def admit(self, statements: Sequence[Mapping[str, object]], history: History, now: datetime) -> Self:
        """The session once it has taken valid statements with ids, in the order of their timestamps.

        Raises OutsideSession, SessionEnded, SessionRuleBroken. A statement that was taken already changes nothing.
        """
        session = self
        places = {id(statement): index for index, statement in enumerate(statements)}
        for statement in sorted(statements, key=_moment):
            pointer = f"/{places[id(statement)]}" if len(statements) > 1 else ""
            self._require_own(statement)
            self._require_template(statement, pointer)
            session = session._admit_one(statement, history, now, pointer)
        return session

    def is_satisfied(self, history: History) -> bool:
        """Whether the lesson is satisfied now, and was not before."""
        completed, passed = Verb.COMPLETED in self.said, Verb.PASSED in self.said
        met = self.move_on.is_met(completed=completed or history.completed, passed=passed or history.passed)
        return self.launch_mode is LaunchMode.NORMAL and met and not history.satisfied

    def _require_own(self, statement: Mapping[str, object]) -> None:
        context = _part(statement, "context")
        actor = _part(statement, "actor")
        registration = str(context.get("registration", "")).lower()
        if actor_key(actor) != actor_key(self.actor) or actor.get("objectType", "Agent") != "Agent":
            message = Text("The actor of a statement of this session is the learner it was launched for.")
            raise OutsideSession(message)
        if registration != str(self.registration):
            message = Text(
                "context.registration of a statement of this session is {registration}.", registration=self.registration
            )
            raise OutsideSession(message)
        if _part(context, "extensions").get(SESSION_ID) != str(self.session_id):
            message = Text(
                "context.extensions of a statement of this session has {session_id}: {session_id_2}.",
                session_id=SESSION_ID,
                session_id_2=self.session_id,
            )
            raise OutsideSession(message)

        if _part(statement, "verb").get("id") == VOIDED:
            message = Text("Course players void nothing: what they have sent is judged by the launching system.")
            raise OutsideSession(message)

    def _require_template(self, statement: Mapping[str, object], pointer: str) -> None:
        # What reports go by (§10.2.1: players add to the template, and change nothing of it).
        if _part(_part(statement, "context"), "extensions").get(MOVE_ON_ASKED) != self.move_on.value:
            raise _broken(pointer, "/context/extensions", Text("The context has what the contextTemplate has."))

    def _admit_one(self, statement: Mapping[str, object], history: History, now: datetime, pointer: str) -> Self:
        verb = _part(statement, "verb").get("id")
        defined = CMI5 in _categories(statement)
        statement_id = UUID(str(statement["id"]))
        if defined and verb in set(Verb) and self.said.get(Verb(str(verb))) == statement_id:
            return self
        self._require_open(statement, now)
        if Verb.INITIALIZED not in self.said and not (defined and verb == Verb.INITIALIZED):
            raise _broken(
                pointer, "/verb", Text("The first statement of a session is a defined one with `initialized`.")
            )
        if not defined:
            if MOVE_ON in _categories(statement):
                raise _broken(
                    pointer, "/context/contextActivities/category", Text("The moveOn category needs the cmi5 one.")
                )
            return self
        if verb not in set(Verb):
            raise _broken(
                pointer,
                "/verb/id",
                Text("Course players define with {verb}.", verb=", ".join(item.name for item in Verb)),
            )
        said = Verb(str(verb))
        self._require_order(said, history, pointer)
        for place, message in self._faults(statement, said):
            raise _broken(pointer, place, message)
        ended = _moment(statement) if said is Verb.TERMINATED else self.terminated_at
        return replace(self, said={**self.said, said: statement_id}, terminated_at=ended)

    def _require_open(self, statement: Mapping[str, object], now: datetime) -> None:
        if self.ended_at is not None and now > self.ended_at + GRACE:
            message = Text("The session has ended, and its statements are no longer taken; launch the lesson again.")
            raise SessionEnded(message)
        if self.terminated_at is not None and _moment(statement) > self.terminated_at:
            message = Text("`terminated` is the last statement of a session; launch the lesson again.")
            raise SessionEnded(message)

    def _require_order(self, verb: Verb, history: History, pointer: str) -> None:
        if self.launch_mode is not LaunchMode.NORMAL and verb not in (Verb.INITIALIZED, Verb.TERMINATED):
            raise _broken(
                pointer,
                "/verb/id",
                Text("Nothing is judged in a launch to {launch_mode}.", launch_mode=self.launch_mode.value.lower()),
            )
        if verb in self.said:
            raise _broken(
                pointer, "/verb/id", Text("`{name}` was sent in this session already.", name=verb.name.lower())
            )
        other = {Verb.PASSED: Verb.FAILED, Verb.FAILED: Verb.PASSED}.get(verb)
        if other in self.said:
            raise _broken(pointer, "/verb/id", Text("A session has one of `passed` and `failed`."))
        if verb is Verb.COMPLETED and history.completed:
            raise _broken(pointer, "/verb/id", Text("`completed` was sent in this registration already."))
        if verb in _JUDGED and history.passed:
            raise _broken(pointer, "/verb/id", Text("`passed` was sent in this registration already."))

    def _faults(self, statement: Mapping[str, object], verb: Verb) -> Iterable[tuple[str, str]]:
        """What a defined statement does not keep of §9.4 to §9.6, as place and sentence."""
        target, result, context = _part(statement, "object"), _part(statement, "result"), _part(statement, "context")
        if target.get("id") != self.activity_id or target.get("objectType", "Activity") != "Activity":
            yield (
                "/object/id",
                Text("The object of a defined statement is {activity_id}.", activity_id=self.activity_id),
            )
        if result.get("success") is not _JUDGED.get(verb):
            yield "/result/success", Text("`success` is true with `passed`, false with `failed`, and absent otherwise.")
        if result.get("completion") is not (True if verb is Verb.COMPLETED else None):
            yield "/result/completion", Text("`completion` is true with `completed`, and absent otherwise.")
        if verb in _WITH_DURATION and "duration" not in result:
            yield "/result/duration", Text("`{name}` needs `duration`.", name=verb.name.lower())
        judged = "success" in result or "completion" in result
        if judged is not (MOVE_ON in _categories(statement)):
            yield (
                "/context/contextActivities/category",
                Text("The moveOn category goes with success and completion only."),
            )
        if self.publisher_id not in _ids(_part(context, "contextActivities").get("grouping")):
            yield (
                "/context/contextActivities/grouping",
                Text("The contextTemplate groups by {publisher_id}.", publisher_id=self.publisher_id),
            )
        yield from self._score_faults(result, context, verb)

    def _score_faults(
        self, result: Mapping[str, object], context: Mapping[str, object], verb: Verb
    ) -> Iterable[tuple[str, str]]:
        if "score" not in result:
            return
        score = _part(result, "score")
        if verb not in _JUDGED:
            yield "/result/score", Text("A score goes with `passed` and `failed` only.")
        if "raw" in score and not {"min", "max"} <= score.keys():
            yield "/result/score", Text("`raw` needs `min` and `max`.")
        scaled = score.get("scaled")
        if not isinstance(scaled, int | float | Decimal):
            return
        if scaled < 0:
            yield "/result/score/scaled", Text("A scaled score lies between 0 and 1.")
        if self.mastery_score is not None and verb in _JUDGED:
            if (Decimal(str(scaled)) >= self.mastery_score) is not _JUDGED[verb]:
                yield (
                    "/result/score/scaled",
                    Text(
                        "The mastery score is {mastery_score}; the verb says otherwise.",
                        mastery_score=self.mastery_score,
                    ),
                )
            if MASTERY_SCORE not in _part(context, "extensions"):
                yield (
                    "/context/extensions",
                    Text("`passed` and `failed` with a score name {mastery_score}.", mastery_score=MASTERY_SCORE),
                )


def _broken(statement: str, place: str, message: str) -> SessionRuleBroken:
    return SessionRuleBroken(message, violations=[Violation(statement + place, message, _RULE)])


def _moment(statement: Mapping[str, object]) -> datetime:
    found = parse_timestamp(str(statement.get("timestamp")))
    if found is None:
        message = Text("A statement of a session has a timestamp.")
        raise SessionRuleBroken(message, violations=[Violation("/timestamp", message, _RULE)])
    return found


def _part(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _ids(activities: object) -> set[object]:
    listed = activities if isinstance(activities, list) else [activities]
    return {item.get("id") for item in listed if isinstance(item, dict)}


def _categories(statement: Mapping[str, object]) -> set[object]:
    return _ids(_part(_part(statement, "context"), "contextActivities").get("category"))
