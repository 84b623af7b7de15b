"""What the demo's learners do, as four kinds of sender write it; the same every time, so a second run adds nothing.

Moodle sends arrays without ids; 7taps says in context extensions which lesson and cohort it is about; Articulate sends
one statement after the other from the browser; a cmi5 course reports a session from launch to satisfaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

Statement = dict[str, Any]

MOODLE = "https://moodle.dataforge.example"
COURSES = "https://courses.dataforge.example"
HOME_PAGES = (MOODLE, COURSES)  # whose account names are the learners' e-mail addresses
MOODLE_COURSE = f"{MOODLE}/course/view.php?id=42"
SEVENTAPS_LESSON = "https://app.7taps.com/dataforge/phishing"
STORYLINE_COURSE = "http://6Kq2dFireDrill_rise"
CMI5_AU = "https://courses.dataforge.example/first-aid/au/1"
_ADL = "http://adlnet.gov/expapi/verbs"
_CMI5_CATEGORY = "https://w3id.org/xapi/cmi5/context/categories/cmi5"
_NAMESPACE = UUID("5f0c4a52-5f0e-5f43-8b0b-4dd9b2a0c7d1")
_BEGIN = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class DemoLearner:
    """Somebody of the demo; `number` decides what they get done."""

    number: int
    first_name: str
    last_name: str
    group: str
    team: str

    @property
    def email(self) -> str:
        """Their address."""
        return f"{self.first_name}.{self.last_name}@dataforge.example".lower()

    @property
    def name(self) -> str:
        """Their full name."""
        return f"{self.first_name} {self.last_name}"


_FIRST = ("Ana", "Bo", "Cy", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "Kai", "Lea")
_LAST = ("Roux", "Lind")
LEARNERS = tuple(
    DemoLearner(number, _FIRST[number % 12], _LAST[number // 12], *(("Blue", "East") if number < 12 else ("Red", "")))
    for number in range(24)
)
LEARNERS_CSV = "First Name,Last Name,Email,Group,Team\r\n" + "".join(
    f"{who.first_name},{who.last_name},{who.email},{who.group},{who.team}\r\n" for who in LEARNERS
)
LESSONS = (
    (1, "Fire safety (Moodle course)", MOODLE_COURSE),
    (2, "Phishing (7taps)", SEVENTAPS_LESSON),
    (3, "Evacuation drill (Articulate)", STORYLINE_COURSE),
    (4, "First aid (cmi5)", CMI5_AU),
)


def _at(who: DemoLearner, minute: int) -> str:
    return (_BEGIN + timedelta(days=who.number % 5, hours=who.number % 3, minutes=minute)).isoformat()


def _id(who: DemoLearner, *parts: object) -> str:
    return str(uuid5(_NAMESPACE, f"{who.number} {parts}"))


def _verb(name: str, base: str = _ADL) -> Statement:
    return {"id": f"{base}/{name}", "display": {"en": name}}


def moodle_array(who: DemoLearner) -> list[Statement]:
    """Pages viewed, a quiz answered, and the course completed by two of three: no ids, the actor an account."""
    actor = {"name": who.name, "account": {"homePage": MOODLE, "name": who.email}}
    context = {
        "platform": "Moodle",
        "language": "en",
        "registration": _id(who, "login session"),
        "contextActivities": {
            "category": [{"id": MOODLE, "definition": {"type": "http://id.tincanapi.com/activitytype/lms"}}],
            "parent": [{"id": MOODLE_COURSE}],
        },
        "extensions": {
            "http://lrs.learninglocker.net/define/extensions/info": {
                MOODLE: "4.5",
                "event_name": "\\core\\event\\course_viewed",
            }
        },
    }
    pages: list[Statement] = [
        {
            "actor": actor,
            "verb": _verb("viewed", "http://id.tincanapi.com/verb"),
            "object": {"id": f"{MOODLE}/mod/page/view.php?id={page}", "definition": {"name": {"en": f"Page {page}"}}},
            "context": context,
            "timestamp": _at(who, page),
        }
        for page in range(1, 6)
    ]
    quiz: Statement = {
        "actor": actor,
        "verb": _verb("answered"),
        "object": {
            "id": f"{MOODLE}/mod/quiz/question?id=7",
            "definition": {"type": "http://adlnet.gov/expapi/activities/cmi.interaction", "interactionType": "choice"},
        },
        "result": {"response": "the exit on the left", "success": who.number % 4 != 0, "completion": True},
        "context": context,
        "timestamp": _at(who, 8),
    }
    done: Statement = {
        "actor": actor,
        "verb": _verb("completed"),
        "object": {
            "id": MOODLE_COURSE,
            "definition": {"type": "https://w3id.org/xapi/cmi5/activitytype/course", "name": {"en": "Fire safety"}},
        },
        "context": context,
        "timestamp": _at(who, 10),
    }
    return [*pages, quiz, *([done] if who.number % 3 else [])]


def seventaps_array(who: DemoLearner) -> list[Statement]:
    """Cards of a short lesson; the extensions say which lesson they belong to. Three of four get to the end."""
    extensions = {
        "https://7taps.com/lesson-number": 2,
        "https://7taps.com/lesson-name": "Phishing",
        "https://7taps.com/lesson-url": SEVENTAPS_LESSON,
        "https://7taps.com/cohort": f"{who.group} {who.team or 'X'}",
    }
    context = {"platform": "7taps", "extensions": extensions}
    actor = {"mbox": f"mailto:{who.email}", "name": who.name}
    cards: list[Statement] = [
        {
            "actor": actor,
            "verb": _verb("answered"),
            "object": {"id": f"{SEVENTAPS_LESSON}/card/{card}", "definition": {"name": {"en": f"Card {card}"}}},
            "result": {"response": "report it", "success": True},
            "context": {**context, "extensions": {**extensions, "https://7taps.com/global-q": f"Q{card}"}},
            "timestamp": _at(who, 20 + card),
        }
        for card in range(1, 4)
    ]
    done: Statement = {
        "actor": actor,
        "verb": _verb("completed"),
        "object": {"id": SEVENTAPS_LESSON, "definition": {"name": {"en": "Phishing"}}},
        "result": {"completion": True, "duration": "PT2M30S"},
        "context": context,
        "timestamp": _at(who, 25),
    }
    return [*cards, *([done] if who.number % 4 else [])]


def articulate_statements(who: DemoLearner) -> Iterator[Statement]:
    """Slides, a question and the outcome, one by one with ids of their own; every second learner passes."""
    course = {
        "id": STORYLINE_COURSE,
        "definition": {"type": "http://adlnet.gov/expapi/activities/course", "name": {"und": "Evacuation drill"}},
    }
    actor = {"mbox": f"mailto:{who.email}", "name": who.name}
    context = {
        "registration": _id(who, "storyline"),
        "contextActivities": {"parent": [course], "grouping": [course]},
    }
    for slide in range(1, 4):
        yield {
            "id": _id(who, "slide", slide),
            "actor": actor,
            "verb": _verb("experienced"),
            "object": {
                "id": f"{STORYLINE_COURSE}/slide{slide}",
                "definition": {"type": "http://adlnet.gov/expapi/activities/module", "name": {"und": f"Slide {slide}"}},
            },
            "context": context,
            "timestamp": _at(who, 30 + slide),
        }
    passed = who.number % 2 == 0
    yield {
        "id": _id(who, "outcome"),
        "actor": actor,
        "verb": _verb("passed" if passed else "failed"),
        "object": course,
        "result": {
            "success": passed,
            "completion": passed,
            "score": {"scaled": 0.9 if passed else 0.4, "raw": 90 if passed else 40, "min": 0, "max": 100},
            "duration": "PT6M12.5S",
        },
        "context": context,
        "timestamp": _at(who, 36),
    }


def cmi5_session(who: DemoLearner) -> list[Statement]:
    """A session of an assignable unit from launch to satisfaction; the ids are the player's."""
    actor = {"account": {"homePage": COURSES, "name": who.email}}
    registration, session = _id(who, "registration"), _id(who, "session")

    def say(verb: str, minute: int, **more: object) -> Statement:
        categories = [{"id": _CMI5_CATEGORY}]
        return {
            "id": _id(who, "cmi5", verb),
            "actor": actor,
            "verb": _verb(verb, "https://w3id.org/xapi/adl/verbs" if verb == "satisfied" else _ADL),
            "object": {"id": CMI5_AU, "definition": {"name": {"en": "First aid"}}},
            "context": {
                "registration": registration,
                "contextActivities": {
                    "category": categories,
                    "grouping": [{"id": "https://courses.dataforge.example/first-aid"}],
                },
                "extensions": {"https://w3id.org/xapi/cmi5/context/extensions/sessionid": session},
            },
            "timestamp": _at(who, minute),
            **more,
        }

    passed = {"success": True, "score": {"scaled": 0.5 + who.number % 5 / 10}, "duration": "PT9M"}
    return [
        say("launched", 40),
        say("initialized", 41),
        say("completed", 49, result={"completion": True, "duration": "PT8M"}),
        say("passed", 50, result=passed),
        say("terminated", 51, result={"duration": "PT10M"}),
        say("satisfied", 52),
    ]
