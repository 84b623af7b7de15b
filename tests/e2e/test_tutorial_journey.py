"""Journey 5: captions of a call become a tutorial, the tutorial a lesson, and a learner's completion shows."""

import hashlib
from collections.abc import Callable
from secrets import token_hex
from typing import Any

import httpx
import pytest

from tests.builders.deployed import told

pytestmark = pytest.mark.build
COMPLETED = {"id": "http://adlnet.gov/expapi/verbs/completed"}
SPOKEN = (
    "Welcome to the support line, I will show you how to reset the router.",
    "Before you start, you need the admin password of the router.",
    "First, unplug the power cable from the router.",
    "Then wait for ten seconds.",
    "Now plug the power cable in again.",
    "Press the reset button for five seconds.",
    "Open the browser and type the address of the router.",
    "Enter the admin password and click on save.",
    "That is all, thank you for calling.",
)


def captions(tag: str) -> bytes:
    """WebVTT of a call, which nobody has uploaded before."""
    texts = [*SPOKEN, f"Your ticket has the number {tag}."]
    cues = [f"00:00:{n * 5:02}.000 --> 00:00:{n * 5 + 4:02}.500\n<v Sam>{text}" for n, text in enumerate(texts)]
    return ("WEBVTT\n\n" + "\n\n".join(cues) + "\n").encode()


class Studio:
    """A workspace of this test alone, with a cohort of one learner."""

    def __init__(self, admin: httpx.Client) -> None:
        self.admin, self.tag = admin, token_hex(5)
        me = told(admin.get("/api/users/me"))["id"]
        space = told(admin.post(f"/api/user-profiles/{me}/workspaces", json={"name": self.tag}), 201)
        self.workspace = space["id"]
        self.email = f"learner@{self.tag}.example.org"
        cohort = {"name": f"Support {self.tag}", "workspace_id": self.workspace}
        self.cohort = told(admin.post("/api/cohorts", json=cohort), 201)["id"]
        told(admin.put(f"/api/cohorts/{self.cohort}/members/{self.enlisted()}"), 204)

    def enlisted(self) -> str:
        """The id of the learner, whose address the organisation vouches for by its list."""
        csv, headers = f"Email,Group\n{self.email},{self.tag}\n".encode(), {"Content-Type": "text/csv"}
        plan = told(self.admin.post("/api/cohorts/import", content=csv, headers=headers))
        chosen = {"dry_run": "false", "plan_hash": plan["plan_hash"]}
        told(self.admin.post("/api/cohorts/import", content=csv, headers=headers, params=chosen))
        cohorts = told(self.admin.get("/api/cohorts", params={"limit": 500}))["items"]
        listed = next(row["id"] for row in cohorts if row["name"] == f"{self.tag} X")
        (member,) = told(self.admin.get(f"/api/cohorts/{listed}/members"))["items"]
        return str(member["user_id"])

    def upload(self, content: bytes) -> str:
        """The transcript of a file that is put where the API says."""
        facts = {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        place = told(self.admin.post("/api/transcripts/uploads", json={"workspace_id": self.workspace, **facts}), 201)
        sent = httpx.put(place["url"], content=content, headers=place["headers"], timeout=60)
        assert sent.status_code == 200, sent.text
        body = {"workspace_id": self.workspace, "upload_id": place["upload_id"], "title": "Call", "language": "en"}
        return str(told(self.admin.post("/api/transcripts", json=body), 201)["id"])

    def completions(self) -> list[dict[str, Any]]:
        return list(told(self.admin.get(f"/api/cohorts/{self.cohort}/completions"))["items"])


@pytest.fixture
def studio(admin: httpx.Client) -> Studio:
    """One per test."""
    return Studio(admin)


def test_know_how_of_a_call_becomes_a_lesson_whose_completion_is_reported(
    studio: Studio, admin: httpx.Client, http: httpx.Client, lms: httpx.Client, eventually: Callable[..., None]
) -> None:
    transcript = studio.upload(captions(studio.tag))

    job = told(admin.post("/api/tutorials/generate", json={"transcript_id": transcript}), 202)["job_id"]
    draft_of = f"/api/tutorials/generate/{job}"
    eventually(lambda: told(admin.get(draft_of))["status"] not in ("pending", "running"), "the draft has ended")
    ended = told(admin.get(draft_of))
    assert ended["status"] == "completed", ended
    address = f"/api/tutorials/{ended['tutorial_id']}"
    draft = told(admin.get(address))
    assert len(draft["steps"]) >= 3
    assert all(0 <= step["start_ms"] < step["end_ms"] <= 50_000 for step in draft["steps"])

    steps = [{"id": step["id"], "text": step["text"]} for step in draft["steps"][:-1]]
    steps.append({"text": "Look at the light.", "segment_from": 4, "segment_to": 4})
    edited = told(admin.put(f"{address}/steps", json={"steps": steps}, headers={"If-Match": '"1"'}))
    assert edited["steps"][-1]["start_ms"] == 20_000
    title = f"Reset the router {studio.tag}"
    told(admin.patch(address, json={"title": title}, headers={"If-Match": f'"{edited["revision"]}"'}))
    told(admin.post(f"{address}/publish"))

    tutorial = told(admin.post(f"{address}/lesson", json={"cohort_id": studio.cohort}))
    lesson = told(admin.get(f"/api/lessons/{tutorial['lesson_id']}"))
    assert lesson["title"] == title
    assert lesson["lesson_url"].endswith(f"/ui/tutorials/{tutorial['id']}")
    assert studio.completions() == []
    actor = {"mbox": f"mailto:{studio.email}"}
    sent = lms.post("/statements", json={"actor": actor, "verb": COMPLETED, "object": {"id": lesson["lesson_url"]}})
    assert sent.status_code == 200, sent.text
    eventually(lambda: len(studio.completions()) == 1, "the completion is in the report")
    assert [(row["lesson_id"], row["email"]) for row in studio.completions()] == [(lesson["id"], studio.email)]

    link = told(admin.post(f"{address}/links", json={}), 201)
    shared = f"{admin.base_url}api/shared-tutorials/{link['token']}"
    assert told(http.get(shared))["title"] == title
    told(admin.delete(f"{address}/links/{link['id']}"), 204)
    assert http.get(shared).status_code == 404
