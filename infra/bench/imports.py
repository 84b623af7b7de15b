"""Import time of each function's handler (`python -X importtime`, total) and of a context's first request.

Each figure is the smallest of several fresh interpreters: what the machine does beside only adds.
"""

import json
import os
import subprocess
import sys

from infra.local.layout import ROOT, SOURCE_PATH
from infra.local.placeholders import NOWHERE

RUNS = 5
FIRST_REQUESTS = {
    "identity": "/api/users/me",
    "academics": "/api/courses",
    "learning": "/api/cohorts",
    "operations": "/api/nothing",
}
_FIRST_REQUEST = """
import asyncio, sys, time
sys.stdout = open("/dev/null", "w")
import app
from dataforge.bootstrap import build_platform, rest_app
from dataforge.settings import ApiSettings
_, asgi = rest_app("api", build_platform(ApiSettings()))
async def receive(): return {"type": "http.request", "body": b""}
async def send(message): pass
scope = {"type": "http", "method": "GET", "path": sys.argv[1], "raw_path": sys.argv[1].encode(), "query_string": b"",
         "headers": [], "scheme": "http", "server": ("x", 80), "client": ("x", 1), "root_path": "",
         "http_version": "1.1"}
started = time.process_time()
asyncio.run(asgi(scope, receive, send))
print(time.process_time() - started, file=sys.stderr)
"""


def _environment(function: str) -> dict[str, str]:
    path = os.pathsep.join((str(ROOT / "functions" / function), SOURCE_PATH))
    return {
        **os.environ,
        **NOWHERE,
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
    }


def import_seconds(function: str) -> float:
    """Total of `-X importtime` for the function's `app` module, in seconds."""
    command = [sys.executable, "-X", "importtime", "-c", "import app"]
    totals = []
    for _ in range(RUNS):
        done = subprocess.run(command, env=_environment(function), capture_output=True, text=True, check=True)
        last = [line for line in done.stderr.splitlines() if line.endswith("| app")][-1]
        totals.append(int(last.split("|")[1]) / 1_000_000)
    return min(totals)


def first_request_seconds(path: str) -> float:
    """CPU seconds of the first request below a path, the context's import included and the database not."""
    command = [sys.executable, "-c", _FIRST_REQUEST, path]
    totals = []
    for _ in range(RUNS):
        done = subprocess.run(command, env=_environment("api"), capture_output=True, text=True, check=True)
        totals.append(float(done.stderr.splitlines()[-1]))
    return min(totals)


def main() -> None:
    """Print both tables and one JSON line."""
    functions = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
    imports = {name: import_seconds(name) for name in functions}
    requests = {name: first_request_seconds(path) for name, path in FIRST_REQUESTS.items()}
    print("| handler | import, s |\n|---|---|")
    for name, seconds in imports.items():
        print(f"| {name} | {seconds:.2f} |")
    print("\n| first request of | CPU, s |\n|---|---|")
    for name, seconds in requests.items():
        print(f"| {name} | {seconds:.2f} |")
    print(json.dumps({"imports": imports, "first_requests": requests}))


if __name__ == "__main__":
    main()
