"""CPU seconds of the first request or message of a cold function: the interpreter, imports, and the owner's routes.

Works on the checkout it is run in, whichever it is: `sidebyside` and `gate` run it beside another commit. Each figure
is the smallest of several fresh interpreters, because what a machine does beside only adds. The database is not in it.
"""

import os
import subprocess
import sys
from pathlib import Path

RUNS = 5
# What is asked first: a path of a REST function, nothing for a function whose first event is a message.
FIRST = {
    "api /api/users/me": ("api", "/api/users/me"),
    "api /api/courses": ("api", "/api/courses"),
    "api /api/cohorts": ("api", "/api/cohorts"),
    "api /api/nothing": ("api", "/api/nothing"),
    "datasets_api /api/datasets": ("datasets_api", "/api/datasets"),
    "dataset_import message": ("dataset_import", ""),
    "xapi_etl message": ("xapi_etl", ""),
}
_FIRST = """
import json, sys, time
sys.stdout = open("/dev/null", "w")
import app
function, path = sys.argv[1:]
if path:
    event = {"resource": "/{proxy+}", "path": path, "httpMethod": "GET", "headers": {"Accept": "*/*"},
             "multiValueHeaders": {"Accept": ["*/*"]}, "queryStringParameters": None, "body": None,
             "multiValueQueryStringParameters": None, "pathParameters": None, "isBase64Encoded": False,
             "requestContext": {"path": path, "stage": "v1", "identity": {"sourceIp": "127.0.0.1"}}}
    status = app.handler(event, None)["statusCode"]
    assert status in (401, 404), status
else:
    from dataforge.bootstrap import modules
    [module.consumers[function]() for module in modules() if function in module.consumers]
print(time.process_time(), file=sys.stderr)
"""


def environment(tree: Path, function: str) -> dict[str, str]:
    """What a function of that checkout needs to start where nothing else runs."""
    from infra.local.placeholders import NOWHERE

    path = (tree / "functions" / function, tree / "layers" / "shared", tree / "layers" / "columnar")
    return {
        **os.environ,
        **NOWHERE,
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONDONTWRITEBYTECODE": "",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
    }


def first_seconds(tree: Path, function: str, path: str) -> float:
    """CPU seconds from the start of the interpreter to the answer to the first request below a path."""
    command = [sys.executable, "-c", _FIRST, function, path]
    totals = []
    for _ in range(RUNS):
        done = subprocess.run(command, env=environment(tree, function), capture_output=True, text=True, check=True)
        totals.append(float(done.stderr.splitlines()[-1]))
    return min(totals)


def all_first_seconds(tree: Path) -> dict[str, float]:
    """Every first request and message that is looked at."""
    return {name: first_seconds(tree, *first) for name, first in FIRST.items()}
