"""Statements as real senders shape them; each builder takes what a test wants to differ."""

from copy import deepcopy
from typing import Any
from uuid import UUID, uuid5

ACTOR: dict[str, Any] = {"objectType": "Agent", "name": "Ana Roux", "mbox": "mailto:ana.roux@example.org"}
AUTHORITY: dict[str, Any] = {
    "objectType": "Agent",
    "account": {"homePage": "https://lrs.example.org/credentials", "name": "moodle-prod"},
}
_SESSIONS = UUID("5d2c61c8-9f0a-4a3e-8f39-1f5f6f0c2a11")


def statement(**changes: Any) -> dict[str, Any]:
    """A small valid statement; a change of None takes the property out."""
    made: dict[str, Any] = {
        "actor": deepcopy(ACTOR),
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en-US": "completed"}},
        "object": {"objectType": "Activity", "id": "https://example.org/courses/42"},
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def full_statement(**changes: Any) -> dict[str, Any]:
    """A valid 1.0.3 statement that uses every property of the standard but attachments' data."""
    made = statement(
        id="6690e6c9-3ef0-4ed3-8b37-7f3964730bee",
        result={
            "score": {"scaled": 0.85, "raw": 17, "min": 0, "max": 20},
            "success": True,
            "completion": True,
            "response": "golf[,]tetris",
            "duration": "PT1H30M4.5S",
            "extensions": {"https://example.org/ext/confidence": 0.7},
        },
        context={
            "registration": "ec531277-b57b-4c15-8d91-d292c5b2b8f7",
            "instructor": {"name": "Ida Berg", "account": {"homePage": "https://hr.example.org", "name": "17"}},
            "team": {"objectType": "Group", "name": "Night shift", "mbox": "mailto:night@example.org"},
            "contextActivities": {
                "parent": [{"id": "https://example.org/courses/42"}],
                "grouping": {"objectType": "Activity", "id": "https://example.org/programmes/7"},
                "category": [{"id": "https://example.org/profiles/classroom"}],
                "other": [],
            },
            "revision": "3",
            "platform": "Example LMS",
            "language": "en-GB",
            "statement": {"objectType": "StatementRef", "id": "f1dc3573-e346-4bd0-b295-f5dde5cbe13f"},
            "extensions": {"https://example.org/ext/room": None},
        },
        timestamp="2026-03-02T10:15:30.250+01:00",
        stored="2026-03-02T09:15:31Z",
        authority=deepcopy(AUTHORITY),
        version="1.0.3",
        attachments=[
            {
                "usageType": "https://example.org/usage/certificate",
                "display": {"en-US": "Certificate"},
                "description": {"en-US": "The certificate as PDF"},
                "contentType": "application/pdf",
                "length": 4096,
                "sha2": "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a",
                "fileUrl": "https://files.example.org/certificates/1.pdf",
            },
        ],
    )
    made["object"]["definition"] = {
        "name": {"en-US": "Fire safety"},
        "description": {"en-US": "What to do when it burns"},
        "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
        "moreInfo": "https://example.org/courses/42/about",
        "interactionType": "choice",
        "correctResponsesPattern": ["golf[,]tetris"],
        "choices": [
            {"id": "golf", "description": {"en-US": "Golf"}},
            {"id": "tetris", "description": {"en-US": "Tetris"}},
        ],
        "extensions": {"https://example.org/ext/credits": 2},
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def moodle_array(count: int = 3, *, user: int = 17, minute: int = 0) -> list[dict[str, Any]]:
    """What logstore_xapi sends: an array without ids, the last statement a course completion."""
    site = {
        "id": "https://moodle.example.org",
        "definition": {"type": "http://id.tincanapi.com/activitytype/lms", "name": {"en": "Example Moodle"}},
    }
    course = {
        "id": "https://moodle.example.org/course/view.php?id=42",
        "definition": {"type": "https://w3id.org/xapi/cmi5/activitytype/course", "name": {"en": "Fire safety"}},
    }
    made: list[dict[str, Any]] = []
    for number in range(count):
        last = number == count - 1
        module = {
            "id": f"https://moodle.example.org/mod/page/view.php?id={100 + number}",
            "definition": {"type": "http://activitystrea.ms/schema/1.0/page", "name": {"en": f"Page {number + 1}"}},
        }
        one: dict[str, Any] = {
            "actor": {"name": "Ana Roux", "account": {"homePage": "https://moodle.example.org", "name": str(user)}},
            "verb": (
                {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}}
                if last
                else {"id": "http://id.tincanapi.com/verb/viewed", "display": {"en": "viewed"}}
            ),
            "object": deepcopy(course if last else module),
            "timestamp": f"2026-03-02T09:{minute:02d}:{number:02d}+01:00",
            "context": {
                "platform": "Moodle",
                "language": "en",
                "registration": str(uuid5(_SESSIONS, str(user))),
                "contextActivities": {
                    "grouping": [deepcopy(site)],
                    "category": [
                        {
                            "id": "http://moodle.org",
                            "definition": {
                                "type": "http://id.tincanapi.com/activitytype/source",
                                "name": {"en": "Moodle"},
                            },
                        },
                    ],
                    **({} if last else {"parent": [deepcopy(course)]}),
                },
                "extensions": {
                    "http://lrs.learninglocker.net/define/extensions/info": {
                        "https://moodle.org/": "4.5.1 (Build: 20260105)",
                        "event_name": "\\core\\event\\course_completed" if last else "\\mod_page\\event\\viewed",
                        "event_function": "\\src\\transformer\\events\\core\\course_completed",
                    },
                },
            },
        }
        if last:
            one["result"] = {"completion": True}
        made.append(one)
    return made


def seventaps(
    lesson: int = 3, *, verb: str = "completed", email: str = "Ana.Roux@example.org", cohort: str = "Sales North"
) -> dict[str, Any]:
    """What 7taps sends: lesson and cohort in context extensions."""
    url = f"https://app.7taps.com/courses/onboarding-{lesson}"
    return {
        "id": str(uuid5(_SESSIONS, f"7taps {lesson} {verb} {email}")),
        "actor": {"objectType": "Agent", "name": "Ana Roux", "mbox": f"mailto:{email}"},
        "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verb}", "display": {"en-US": verb}},
        "object": {
            "objectType": "Activity",
            "id": url,
            "definition": {
                "name": {"en-US": f"Lesson {lesson}"},
                "type": "http://adlnet.gov/expapi/activities/lesson",
            },
        },
        "context": {
            "platform": "7taps",
            "extensions": {
                "https://7taps.com/lesson-number": lesson,
                "https://7taps.com/lesson-name": f"Lesson {lesson}",
                "https://7taps.com/lesson-url": url,
                "https://7taps.com/global-q": "12",
                "https://7taps.com/cohort": cohort,
            },
        },
        "timestamp": "2026-03-02T08:00:00.000Z",
    }


def articulate(verb: str = "experienced", *, number: int = 1) -> dict[str, Any]:
    """What a Storyline course sends: experienced (a slide), answered (a question) or passed (the course)."""
    course = "urn:articulate:storyline:5Yk2qVbZ0Xr"
    objects: dict[str, dict[str, Any]] = {
        "experienced": {
            "id": f"{course}/slide{number}",
            "definition": {
                "name": {"en-US": f"Slide {number}"},
                "type": "http://adlnet.gov/expapi/activities/module",
            },
        },
        "answered": {
            "id": f"{course}/question{number}",
            "definition": {
                "name": {"en-US": f"Question {number}"},
                "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
                "interactionType": "choice",
                "correctResponsesPattern": ["a"],
                "choices": [{"id": "a", "description": {"en-US": "Leave"}}, {"id": "b"}],
            },
        },
        "passed": {
            "id": course,
            "definition": {"name": {"en-US": "Fire safety"}, "type": "http://adlnet.gov/expapi/activities/course"},
        },
    }
    results: dict[str, dict[str, Any]] = {
        "answered": {
            "score": {"scaled": 1, "raw": 10, "min": 0, "max": 10},
            "success": True,
            "completion": True,
            "response": "a",
            "duration": "PT12.43S",
        },
        "passed": {
            "score": {"scaled": 0.9, "raw": 90, "min": 0, "max": 100},
            "success": True,
            "completion": True,
            "duration": "PT14M3.12S",
        },
    }
    made: dict[str, Any] = {
        "id": str(uuid5(_SESSIONS, f"articulate {verb} {number}")),
        "actor": {"objectType": "Agent", "name": "Roux, Ana", "mbox": "mailto:ana.roux@example.org"},
        "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verb}", "display": {"en-US": verb}},
        "object": {"objectType": "Activity", **deepcopy(objects[verb])},
        "context": {
            "registration": str(uuid5(_SESSIONS, "articulate")),
            "contextActivities": {
                "parent": [{"id": course, "objectType": "Activity"}],
                "grouping": [{"id": course, "objectType": "Activity"}],
            },
        },
        "timestamp": f"2026-03-02T08:{number:02d}:00.000Z",
    }
    if verb in results:
        made["result"] = deepcopy(results[verb])
    return made


def cmi5(verb: str = "completed") -> dict[str, Any]:
    """What a cmi5 assignable unit sends, and its launching system with `satisfied`."""
    results: dict[str, dict[str, Any]] = {
        "completed": {"completion": True, "duration": "PT20M"},
        "passed": {"success": True, "score": {"scaled": 0.92}, "duration": "PT19M30S"},
        "failed": {"success": False, "score": {"scaled": 0.4}, "duration": "PT19M30S"},
        "progressed": {"extensions": {"https://w3id.org/xapi/cmi5/result/extensions/progress": 60}},
    }
    categories = [{"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}]
    if verb in {"completed", "passed", "failed"}:
        categories.append({"id": "https://w3id.org/xapi/cmi5/context/categories/moveon"})
    home = "https://w3id.org/xapi/adl/verbs/" if verb in {"satisfied", "waived", "abandoned"} else None
    made: dict[str, Any] = {
        "id": str(uuid5(_SESSIONS, f"cmi5 {verb}")),
        "actor": {"objectType": "Agent", "account": {"homePage": "https://lms.example.org", "name": "a1b2c3"}},
        "verb": {"id": f"{home or 'http://adlnet.gov/expapi/verbs/'}{verb}", "display": {"en-US": verb}},
        "object": {"objectType": "Activity", "id": "https://lms.example.org/au/9f0c"},
        "context": {
            "registration": str(uuid5(_SESSIONS, "cmi5")),
            "contextActivities": {"category": categories, "grouping": [{"id": "https://publisher.example.org/au/1"}]},
            "extensions": {
                "https://w3id.org/xapi/cmi5/context/extensions/sessionid": str(uuid5(_SESSIONS, "session")),
                "https://w3id.org/xapi/cmi5/context/extensions/masteryscore": 0.8,
            },
        },
        "timestamp": "2026-03-02T08:30:00.000Z",
    }
    if verb in results:
        made["result"] = deepcopy(results[verb])
    return made


def xapi_2_context() -> dict[str, Any]:
    """A context with the parts that came with 2.0."""
    return {
        "contextAgents": [
            {
                "objectType": "contextAgent",
                "agent": {"mbox": "mailto:coach@example.org"},
                "relevantTypes": ["https://example.org/roles/coach"],
            },
        ],
        "contextGroups": [
            {
                "objectType": "contextGroup",
                "group": {"objectType": "Group", "name": "Panel", "mbox": "mailto:panel@example.org"},
            },
        ],
    }


MISSING = object()
"""The value that makes `changed` take a property out."""


def changed(original: dict[str, Any], pointer: str, value: object) -> dict[str, Any]:
    """A copy with one place set (or taken out with MISSING); `pointer` is a JSON pointer whose parents exist."""
    made = deepcopy(original)
    *parents, last = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    holder: Any = made
    for token in parents:
        holder = holder[int(token)] if isinstance(holder, list) else holder[token]
    if value is MISSING:
        del holder[last]
    elif isinstance(holder, list):
        holder[int(last)] = value
    else:
        holder[last] = value
    return made


def substatement(**changes: Any) -> dict[str, Any]:
    """A statement whose object is a SubStatement; the changes are of the SubStatement."""
    made = statement(**changes)
    return statement(
        verb={"id": "http://example.org/verbs/planned", "display": {"en-US": "planned"}},
        object={"objectType": "SubStatement", **made},
    )
