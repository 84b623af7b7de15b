"""The demo: an LMS's statements become a completions report, over HTTP and through the queue of the running stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from infra.local.demo_catalog import ensure_catalog
from infra.local.demo_schema import ensure_schema
from infra.local.demo_statements import (
    LEARNERS,
    LEARNERS_CSV,
    LESSONS,
    Statement,
    articulate_statements,
    cmi5_session,
    moodle_array,
    seventaps_array,
)
from infra.local.errors import LocalStackError
from infra.local.progress import step
from infra.local.stack import LocalStack

# Which learners use which sender.
_MOODLE, _SEVENTAPS, _ARTICULATE, _CMI5 = LEARNERS, LEARNERS[:16], LEARNERS[:10], LEARNERS[12:20]
_LOADING_SECONDS = 60
_VERSION = {"X-Experience-API-Version": "1.0.3"}


def run_demo(stack: LocalStack) -> None:
    """Learners, lessons, a few hundred statements, and the report; a second run finds everything and adds nothing.

    Writes `demo: {cohort_id, lesson_ids, workspace_id}` into `stack.json`. Raises LocalStackError when something is
    refused or lost.
    """
    facts = stack.facts
    with httpx.Client(base_url=facts["api_url"], timeout=60) as api:
        with step("demo learners and lessons"):
            token = _checked(api.post("/api/auth/login", json=facts["credentials"]["admin"])).json()["access_token"]
            api.headers["Authorization"] = f"Bearer {token}"
            _import_learners(api)
            cohorts = {row["name"]: row["id"] for row in _all(api, "/api/cohorts")}
            lessons = _ensure_lessons(api)
        with step("demo catalog and dataset"):
            ensure_catalog(api)
        with step("demo schema"):
            workspace = ensure_schema(api, facts["database_url"])
        facts["demo"] = {"cohort_id": cohorts["Blue East"], "lesson_ids": lessons, "workspace_id": workspace}
        stack.write_file()
        sent = 0
        if _completions(api, cohorts) < _expected():
            with step("demo statements"):
                sent = _send(facts)
                _wait(lambda: _completions(api, cohorts) >= _expected(), facts["logs_directory"])
        print(_report(api, cohorts, lessons, sent))


def _import_learners(api: httpx.Client) -> None:
    headers = {"Content-Type": "text/csv"}
    plan = _checked(api.post("/api/cohorts/import", content=LEARNERS_CSV.encode(), headers=headers)).json()
    if plan["counts"]["join"]:
        chosen = {"dry_run": "false", "plan_hash": plan["plan_hash"]}
        _checked(api.post("/api/cohorts/import", content=LEARNERS_CSV.encode(), headers=headers, params=chosen))


def _ensure_lessons(api: httpx.Client) -> dict[str, str]:
    known = {row["lesson_url"]: row["id"] for row in _all(api, "/api/lessons")}
    for number, title, url in LESSONS:
        if url not in known:
            body = {"lesson_url": url, "title": title, "lesson_number": number}
            known[url] = _checked(api.post("/api/lessons", json=body)).json()["id"]
    return {url: known[url] for _, _, url in LESSONS}


def _requests() -> Iterator[list[Statement] | Statement]:
    """Bodies as their senders group them: Moodle in arrays of up to thirty, the browser one by one."""
    moodle = [item for who in _MOODLE for item in moodle_array(who)]
    yield from (moodle[start : start + 30] for start in range(0, len(moodle), 30))
    for who in _SEVENTAPS:
        yield seventaps_array(who)
    for who in _ARTICULATE:
        yield from articulate_statements(who)
    for who in _CMI5:
        yield cmi5_session(who)


def _send(facts: dict[str, Any]) -> int:
    credential, sent = facts["credentials"]["xapi"], 0
    with httpx.Client(auth=(credential["key"], credential["secret"]), headers=_VERSION, timeout=60) as lms:
        for body in _requests():
            _checked(lms.post(f"{facts['xapi_url']}/statements", json=body))
            sent += len(body) if isinstance(body, list) else 1
    return sent


def _expected() -> int:
    """How many completions the statements say: one per learner and lesson."""
    moodle = sum(who.number % 3 != 0 for who in _MOODLE)
    seventaps = sum(who.number % 4 != 0 for who in _SEVENTAPS)
    articulate = sum(who.number % 2 == 0 for who in _ARTICULATE)
    return moodle + seventaps + articulate + len(_CMI5)


def _completions(api: httpx.Client, cohorts: dict[str, str]) -> int:
    return sum(len(_all(api, f"/api/cohorts/{cohorts[name]}/completions")) for name in ("Blue East", "Red X"))


def _wait(condition: Callable[[], bool], logs: str) -> None:
    deadline = time.monotonic() + _LOADING_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            message = f"The demo's statements did not arrive in the report within {_LOADING_SECONDS} s."
            raise LocalStackError(message, f"See the logs beneath {logs}.")
        time.sleep(0.5)


def _report(api: httpx.Client, cohorts: dict[str, str], lessons: dict[str, str], sent: int) -> str:
    """A line per cohort and lesson, from the same lists an analyst would read."""
    lines = [f"\n  {sent} statements sent" if sent else "\n  The demo's statements are here already"]
    lines += [f"  {'Cohort':10} {'Lesson':32} {'done':>5} {'of':>4} {'score':>6}"]
    for name in ("Blue East", "Red X"):
        members = len(_all(api, f"/api/cohorts/{cohorts[name]}/members"))
        done = _all(api, f"/api/cohorts/{cohorts[name]}/completions")
        for _, title, url in LESSONS:
            mine = [row for row in done if row["lesson_id"] == lessons[url]]
            scores = [row["score_scaled"] for row in mine if row["score_scaled"] is not None]
            mean = f"{sum(scores) / len(scores):.2f}" if scores else "-"
            lines.append(f"  {name:10} {title:32} {len(mine):5} {members:4} {mean:>6}")
    return "\n".join(lines)


def _all(api: httpx.Client, path: str) -> list[dict[str, Any]]:
    """Every page of a list."""
    rows: list[dict[str, Any]] = []
    params: dict[str, str] = {"limit": "500"}
    while True:
        page = _checked(api.get(path, params=params)).json()
        rows += page["items"]
        if page["next_cursor"] is None:
            return rows
        params["cursor"] = page["next_cursor"]


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code >= 400:
        message = f"The demo was refused: {answer.request.method} {answer.request.url.path}: {answer.status_code}"
        raise LocalStackError(f"{message} {answer.text[:300]}", "See the logs.")
    return answer
