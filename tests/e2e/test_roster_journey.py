"""Journey 2 to its end: a roster is uploaded, imported on a branch, compared with main, planned and applied."""

import time
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import httpx
import pytest

from infra.local.stack import LocalStack
from tests.builders.deployed import Eventually, finished, told, uploaded

pytestmark = pytest.mark.build

HEADER = "Student_Number,First_Name,Last_Name,Course_Code,Section_Code\n"


def roster(course: str, tag: str, numbers: range) -> bytes:
    return (HEADER + "".join(f"{tag}-{n:03},Learner,No {n},{course},A\n" for n in numbers)).encode()


def planned(admin: httpx.Client, semester: str, dataset: str, version: str) -> tuple[dict[str, Any], list[int]]:
    """A plan as a client gets it: asked again as often as Retry-After says; with the statuses on the way."""
    body = {"dataset_id": dataset, "version": version, "mode": "full"}
    statuses: list[int] = []
    while len(statuses) < 60:
        answer = admin.post(f"/api/rosters/{semester}/plans", json=body)
        statuses.append(answer.status_code)
        if answer.status_code != 202:
            break
        time.sleep(float(answer.headers["Retry-After"]))
    return told(answer, 201), statuses


def applied(admin: httpx.Client, plan: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = admin.post(f"/api/rosters/plans/{plan['id']}/apply", json={"plan_hash": plan["plan_hash"], **more})
    done: dict[str, Any] = told(answer)
    return done


@pytest.fixture
def school(admin: httpx.Client) -> dict[str, str]:
    """A semester that is on, and a published course with a section A of thirty seats."""
    today, tag = datetime.now(UTC).date(), token_hex(4)
    dates = {
        name: (today + timedelta(days=days)).isoformat()
        for name, days in (("starts_on", -7), ("add_by", 14), ("drop_by", 21), ("withdraw_by", 60), ("ends_on", 90))
    }
    department = told(admin.post("/api/departments", json={"code": f"D{tag}", "name": "Safety"}), 201)
    semester = told(admin.post("/api/semesters", json={"code": f"S{tag}", "max_credits": 30, **dates}), 201)
    described = {"code": f"C{tag}", "title": "Fire safety", "department_id": department["id"], "credits": 3}
    course = told(admin.post("/api/courses", json={**described, "state": "published"}), 201)
    section = {"course_id": course["id"], "semester_id": semester["id"], "code": "A", "capacity": 30}
    made = told(admin.post("/api/sections", json={**section, "waitlist_capacity": 5}), 201)
    return {"tag": tag, "semester": semester["id"], "course": course["code"], "section": made["id"]}


def test_a_roster_goes_from_a_file_by_way_of_a_branch_into_the_sections(
    stack: LocalStack, admin: httpx.Client, eventually: Eventually, school: dict[str, str]
) -> None:
    tag, course, semester = school["tag"], school["course"], school["semester"]
    dataset = told(admin.post("/api/datasets", json={"name": f"Roster {tag}"}), 201)["id"]
    finished(
        admin, uploaded(admin, dataset, "main", roster(course, tag, range(20)), key=["Student_Number"]), eventually
    )
    first, _ = planned(admin, semester, dataset, "main")
    applied(admin, first)
    told(admin.post(f"/api/datasets/{dataset}/refs", json={"name": "week-2"}), 201)

    finished(
        admin, uploaded(admin, dataset, "week-2", roster(course, tag, range(5, 30)), key=["Student_Number"]), eventually
    )
    compared = told(admin.get(f"/api/datasets/{dataset}/compare", params={"base": "main", "head": "week-2"}))
    plan, statuses = planned(admin, semester, dataset, "week-2")
    again, _ = planned(admin, semester, dataset, "week-2")

    assert compared["sheets"][0]["counts"] == {"inserted": 10, "updated": 0, "deleted": 5}
    assert statuses[0] == 202
    assert plan["counts"]["enrollment"] == {"unchanged": 15, "create": 10, "drop": 5}
    assert plan["source"]["commit_id"] == told(admin.get(f"/api/datasets/{dataset}/refs/week-2"))["commit_id"]
    assert (plan["source"]["dataset_id"], plan["plan_hash"]) == (dataset, again["plan_hash"])

    unconfirmed = admin.post(f"/api/rosters/plans/{plan['id']}/apply", json={"plan_hash": plan["plan_hash"]})
    assert (unconfirmed.status_code, unconfirmed.json()["code"]) == (409, "drops_unconfirmed")
    assert applied(admin, plan, confirm_drops=5)["state"] == "applied"
    stale = admin.post(f"/api/rosters/plans/{first['id']}/apply", json={"plan_hash": first["plan_hash"]})
    confirmed = {"plan_hash": again["plan_hash"], "confirm_drops": 5}
    late = admin.post(f"/api/rosters/plans/{again['id']}/apply", json=confirmed)
    nothing, _ = planned(admin, semester, dataset, "week-2")

    assert told(stale)["state"] == "applied"
    assert (late.status_code, late.json()["code"]) == (409, "plan_stale")
    assert nothing["counts"]["enrollment"] == {"unchanged": 25}
    assert told(admin.get(f"/api/sections/{school['section']}"))["enrolled_count"] == 25
