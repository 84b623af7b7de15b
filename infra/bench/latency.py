"""POST of a statement to its line in the completions report, through the deployed local stack: p50, p95 and worst.

Run as `python -m infra.bench.latency`. Uses the stack of `make run` if it is up, else brings one up for itself. Each
sample is one statement of a new learner; the report is asked for again and again until it shows it.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

import httpx

from infra.local.layout import DEVELOPMENT, TEST
from infra.local.stack import exclusive, start

POLL_SECONDS = 0.05
LOST_SECONDS = 60
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


def _shows(api: httpx.Client, cohort: str, statement_id: str) -> bool:
    items = api.get(f"/api/cohorts/{cohort}/completions", params={"limit": 500}).raise_for_status().json()["items"]
    return any(row["statement_id"] == statement_id for row in items)


def main() -> None:
    """Print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=40)
    arguments = parser.parse_args()
    with running_stack() as facts:
        seconds = sorted(measure(facts, arguments.samples))
    row = {
        "samples": len(seconds),
        "p50": statistics.median(seconds),
        "p95": statistics.quantiles(seconds, n=20)[-1],
        "worst": seconds[-1],
    }
    print("| POST to report | p50, s | p95, s | worst, s |\n|---|---|---|---|")
    print(f"| {row['samples']} samples | {row['p50']:.2f} | {row['p95']:.2f} | {row['worst']:.2f} |")
    print(json.dumps(row))


if __name__ == "__main__":
    main()
