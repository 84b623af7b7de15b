"""POST of a statement to its line in the completions report, through the deployed local stack: p50, p95 and worst.

Run as `python -m infra.bench.latency`. Uses the stack of `make run` if it is up, else brings one up for itself. Each
sample is one statement of a new learner; the report is asked for again and again until it shows it. The samples are
taken twice: with nothing else to do, and while others send 500 statements a second in arrays of 50.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, Self

import httpx

from infra.bench.figure import Figure, show
from infra.local.layout import DEVELOPMENT, TEST
from infra.local.stack import exclusive, start

POLL_SECONDS = 0.05
LOST_SECONDS = 60
LOAD_PER_SECOND, LOAD_SIZE, LOAD_CLIENTS = 500, 50, 2
_COMPLETED = {"id": "http://adlnet.gov/expapi/verbs/completed"}
_VERSION = {"X-Experience-API-Version": "1.0.3"}


@contextmanager
def running_stack() -> Iterator[dict[str, Any]]:
    """The facts of a stack that answers."""
    try:
        facts: dict[str, Any] = json.loads(DEVELOPMENT.stack_file.read_text())
        httpx.get(f"{facts['api_url']}/health", timeout=20).raise_for_status()
    except (OSError, ValueError, httpx.HTTPError):
        with exclusive(TEST):
            stack = start(TEST)
            try:
                yield stack.facts
            finally:
                stack.stop()
    else:
        yield facts


def prepare(api: httpx.Client, learners: int) -> tuple[str, str, list[str]]:
    """A cohort of its own: its id, the URL of its lesson, and its learners' addresses."""
    tag = token_hex(5)
    emails = [f"learner{number}@{tag}.example.org" for number in range(learners)]
    csv = ("Email,Group\n" + "".join(f"{email},{tag}\n" for email in emails)).encode()
    headers = {"Content-Type": "text/csv"}
    plan = api.post("/api/cohorts/import", content=csv, headers=headers).raise_for_status().json()
    chosen = {"dry_run": "false", "plan_hash": plan["plan_hash"]}
    api.post("/api/cohorts/import", content=csv, headers=headers, params=chosen).raise_for_status()
    cohorts = api.get("/api/cohorts", params={"limit": 500}).raise_for_status().json()["items"]
    cohort = next(row["id"] for row in cohorts if row["name"] == f"{tag} X")
    url = f"https://lms.example.org/{tag}"
    api.post("/api/lessons", json={"lesson_url": url, "title": tag, "cohort_id": cohort}).raise_for_status()
    return cohort, url, emails


def measure(facts: dict[str, Any], samples: int) -> list[float]:
    """Seconds from before the POST until the report shows it; the first few samples only warm the functions."""
    credentials = facts["credentials"]
    lms = httpx.Client(auth=(credentials["xapi"]["key"], credentials["xapi"]["secret"]), headers=_VERSION, timeout=60)
    with httpx.Client(base_url=facts["api_url"], timeout=60) as api, lms:
        token = api.post("/api/auth/login", json=credentials["admin"]).raise_for_status().json()["access_token"]
        api.headers["Authorization"] = f"Bearer {token}"
        warm = 3
        cohort, url, emails = prepare(api, samples + warm)
        found = []
        for number, email in enumerate(emails):
            body = [{"actor": {"mbox": f"mailto:{email}"}, "verb": _COMPLETED, "object": {"id": url}}]
            began = time.perf_counter()
            (sent,) = lms.post(f"{facts['xapi_url']}/statements", json=body).raise_for_status().json()
            while not _shows(api, cohort, sent):
                if time.perf_counter() - began > LOST_SECONDS:
                    message = f"statement {sent} never showed"
                    raise TimeoutError(message)
                time.sleep(POLL_SECONDS)
            if number >= warm:
                found.append(time.perf_counter() - began)
        return found


class Load:
    """Statements of other learners about other lessons, sent at a steady rate while it is entered."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self._url, self._auth = f"{facts['xapi_url']}/statements", facts["credentials"]["xapi"]
        self._over = threading.Event()
        self._sent: list[int] = []
        self._threads = [threading.Thread(target=self._send) for _ in range(LOAD_CLIENTS)]
        self._began = 0.0

    @property
    def rate(self) -> float:
        """Statements a second that were accepted so far."""
        return sum(self._sent) / (time.perf_counter() - self._began)

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        pause, due, tag = LOAD_SIZE * LOAD_CLIENTS / LOAD_PER_SECOND, time.perf_counter(), token_hex(5)
        with httpx.Client(auth=(self._auth["key"], self._auth["secret"]), headers=_VERSION, timeout=60) as lms:
            for turn in range(1_000_000):
                if self._over.wait(max(0.0, due - time.perf_counter())):
                    return
                due += pause
                body = [_of_the_load(tag, turn * LOAD_SIZE + number) for number in range(LOAD_SIZE)]
                lms.post(self._url, json=body).raise_for_status()
                self._sent.append(LOAD_SIZE)


def _of_the_load(tag: str, number: int) -> dict[str, Any]:
    lesson = f"https://lms.example.org/{tag}/{number % 97}"
    return {
        "actor": {"mbox": f"mailto:{number % 5000}@{tag}.example.com"},
        "verb": _COMPLETED,
        "object": {"id": lesson},
    }


def _shows(api: httpx.Client, cohort: str, statement_id: str) -> bool:
    items = api.get(f"/api/cohorts/{cohort}/completions", params={"limit": 500}).raise_for_status().json()["items"]
    return any(row["statement_id"] == statement_id for row in items)


def main() -> int:
    """Print the figures; 1 when a limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=40)
    arguments = parser.parse_args()
    with running_stack() as facts:
        alone = measure(facts, arguments.samples)
        with Load(facts) as load:
            loaded = measure(facts, arguments.samples)
            rate = load.rate
    return min(show("latency", figures(alone, loaded, rate)), 1)


def figures(alone: list[float], loaded: list[float], rate: float) -> Iterator[Figure]:
    """Seconds of both; statements a second that the load came to."""
    for name, seconds, limit in (("alone", alone, None), ("under load", loaded, 0.5)):
        yield Figure(f"POST to report, {name}, p50 s", statistics.median(seconds))
        yield Figure(f"POST to report, {name}, p95 s", statistics.quantiles(seconds, n=20)[-1], limit)
        yield Figure(f"POST to report, {name}, worst s", max(seconds))
    yield Figure("statements accepted a second beside it", rate, LOAD_PER_SECOND * 0.95, at_least=True)


if __name__ == "__main__":
    sys.exit(main())
