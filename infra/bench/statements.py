"""CPU time per statement of the statement model: reading, validating, preparing, flattening and writing.

Run as `python -m infra.bench.statements` with the shared layer on the path. Prints microseconds of process CPU time per
statement, the best of several rounds, for each sender's shape.
"""

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from dataforge.contexts.lrs.statements.domain import (
    StatementsBody,
    XapiVersion,
    flatten_statement,
    parse_body,
    prepare_batch,
    read_json,
    validate_statement,
)

AUTHORITY: dict[str, object] = {
    "objectType": "Agent",
    "account": {"homePage": "https://lrs.example.org/credentials", "name": "bench"},
}
HOME = "https://moodle.example.org"


def moodle(number: int) -> dict[str, object]:
    """A view of a page, as the Moodle plugin sends it: no id, about 1.4 KB."""
    return {
        "actor": {"name": f"Learner {number}", "account": {"homePage": HOME, "name": str(number)}},
        "verb": {"id": "http://id.tincanapi.com/verb/viewed", "display": {"en": "viewed"}},
        "object": {
            "id": f"{HOME}/mod/page/view.php?id={number % 97}",
            "definition": {"type": "http://activitystrea.ms/schema/1.0/page", "name": {"en": "Fire safety, page 3"}},
        },
        "timestamp": f"2026-03-02T09:{number % 60:02d}:{number * 7 % 60:02d}+01:00",
        "context": {
            "platform": "Moodle",
            "language": "en",
            "registration": f"ec531277-b57b-4c15-8d91-{number:012d}",
            "contextActivities": {
                "grouping": [
                    {
                        "id": HOME,
                        "definition": {
                            "type": "http://id.tincanapi.com/activitytype/lms",
                            "name": {"en": "Example Moodle"},
                        },
                    },
                ],
                "parent": [
                    {
                        "id": f"{HOME}/course/view.php?id=42",
                        "definition": {
                            "type": "https://w3id.org/xapi/cmi5/activitytype/course",
                            "name": {"en": "Fire safety"},
                        },
                    },
                ],
                "category": [
                    {
                        "id": "http://moodle.org",
                        "definition": {
                            "type": "http://id.tincanapi.com/activitytype/source",
                            "name": {"en": "Moodle"},
                        },
                    },
                ],
            },
            "extensions": {
                "http://lrs.learninglocker.net/define/extensions/info": {
                    "https://moodle.org/": "4.5.1 (Build: 20260105)",
                    "https://github.com/xAPI-vle/moodle-logstore_xapi": "v4.8.0",
                    "event_name": "\\mod_page\\event\\course_module_viewed",
                    "event_function": "\\src\\transformer\\events\\mod_page\\course_module_viewed",
                },
            },
        },
    }


def answered(number: int) -> dict[str, object]:
    """A question of a Storyline course, with id and result: about 1.5 KB."""
    course = "urn:articulate:storyline:5Yk2qVbZ0Xr"
    return {
        "id": f"0190e6c9-3ef0-7ed3-8b37-{number:012d}",
        "actor": {"objectType": "Agent", "name": "Roux, Ana", "mbox": f"mailto:learner{number}@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en-US": "answered"}},
        "object": {
            "objectType": "Activity",
            "id": f"{course}/question{number % 13}",
            "definition": {
                "name": {"en-US": "What do you do first?"},
                "description": {"en-US": "What do you do first when the alarm goes off in the server room?"},
                "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
                "interactionType": "choice",
                "correctResponsesPattern": ["leave[,]close"],
                "choices": [
                    {"id": "leave", "description": {"en-US": "Leave the room"}},
                    {"id": "close", "description": {"en-US": "Close the door"}},
                    {"id": "wait", "description": {"en-US": "Wait and see"}},
                    {"id": "call", "description": {"en-US": "Call a colleague"}},
                ],
            },
        },
        "result": {
            "score": {"scaled": 0.75, "raw": 7.5, "min": 0, "max": 10},
            "success": True,
            "completion": True,
            "response": "leave[,]close",
            "duration": "PT12.43S",
        },
        "context": {
            "registration": "ec531277-b57b-4c15-8d91-d292c5b2b8f7",
            "contextActivities": {
                "parent": [{"id": course, "objectType": "Activity"}],
                "grouping": [{"id": course, "objectType": "Activity"}],
            },
            "language": "en-US",
        },
        "timestamp": f"2026-03-02T08:{number % 60:02d}:00.250Z",
    }


def best_of(rounds: int, count: int, run: Callable[[], object]) -> float:
    """Microseconds of process CPU time per statement in the best round."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return min(times) / count * 1e6


def measure(make: Callable[[int], dict[str, object]], *, count: int, rounds: int) -> dict[str, float]:
    """Statement size in bytes, then CPU microseconds per statement of each step, for arrays of 50."""
    arrays = [[make(number) for number in range(start, start + 50)] for start in range(0, count, 50)]
    bodies = [json.dumps(array).encode() for array in arrays]
    read = [parse_body(body, "application/json") for body in bodies]
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def prepare(body: StatementsBody) -> list[bytes]:
        batch = prepare_batch(body, authority=AUTHORITY, version=XapiVersion.V1_0, now=now)
        return [statement.to_json() for statement in batch.statements]

    batches = [prepare_batch(body, authority=AUTHORITY, version=XapiVersion.V1_0, now=now) for body in read]
    flat = [statement.payload for batch in batches for statement in batch.statements]
    written = [statement.to_json() for batch in batches for statement in batch.statements]
    steps: dict[str, Callable[[], object]] = {
        "parse": lambda: [parse_body(body, "application/json") for body in bodies],
        "validate": lambda: [
            validate_statement(one, version=XapiVersion.V1_0) for body in read for one in body.statements
        ],
        "prepare": lambda: [
            prepare_batch(body, authority=AUTHORITY, version=XapiVersion.V1_0, now=now) for body in read
        ],
        "serialise": lambda: [statement.to_json() for batch in batches for statement in batch.statements],
        "body to queue": lambda: [prepare(parse_body(body, "application/json")) for body in bodies],
        "read back": lambda: [read_json(text) for text in written],
        "flatten": lambda: [flatten_statement(payload) for payload in flat],
    }
    sizes = {"bytes": sum(map(len, bodies)) / count}
    return sizes | {name: best_of(rounds, count, run) for name, run in steps.items()}


def main() -> None:
    """Print one row per sender's shape."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=2000, help="statements per round, a multiple of 50")
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    rows = {shape.__name__: measure(shape, count=given.count, rounds=given.rounds) for shape in (moodle, answered)}
    columns = list(next(iter(rows.values())))
    print("CPU µs per statement in arrays of 50; prepare includes validate")
    print("shape".ljust(12) + "".join(column.rjust(15) for column in columns))
    for name, row in rows.items():
        print(name.ljust(12) + "".join(f"{row[column]:15.1f}" for column in columns))


if __name__ == "__main__":
    main()
