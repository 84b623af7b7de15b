"""Two cmi5 client libraries play a whole session of a launched lesson, in a page of another origin."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Page

from infra.local.browser import browser
from infra.local.npm import xapi_clients
from infra.local.stack import LocalStack
from tests.builders.chromium import course_content, started_chromium
from tests.builders.deployed import told

pytestmark = pytest.mark.build
VERBS = "http://adlnet.gov/expapi/verbs/"
RUSTICI = """async () => {
  const player = new Cmi5(document.location.href);
  await player.start();
  player.setAudioPreference("off");
  player.setLanguagePreference("de-DE,en");
  await player.saveLearnerPrefs();
  player.setProgress(40);
  const page = player.prepareStatement("http://adlnet.gov/expapi/verbs/experienced");
  page.object = { id: `${player.getActivityId()}/page/1` };
  await player.sendStatement(page);
  await player.completed();
  await player.passed({ scaled: 0.9 });
  await player.terminate();
  let again = "";
  try {
    await new Cmi5(document.location.href).start();
  } catch (error) {
    again = String(error);
  }
  return { mode: player.getLaunchMode(), moveOn: player.getMoveOn(), mastery: player.getMasteryScore(),
    returnURL: player.getReturnURL(), session: player.getSessionId(), language: player.getLanguagePreference(), again };
}"""
XAPI_JS = """async () => {
  const player = new Cmi5();
  await player.initialize();
  await player.progress(50);
  await player.interactionTrueFalse("exam", "q1", true, true, { "en-US": "Is water wet?" });
  let refused = "";
  try {
    await player.pass(0.5);
  } catch (error) {
    refused = String(error.message ?? error);
  }
  await player.moveOn({ score: 0.85 });
  const data = player.launchData;
  return { mode: data.launchMode, moveOn: data.moveOn, mastery: data.masteryScore, refused,
    language: player.getLearnerPreferences().languagePreference };
}"""


@dataclass
class Desk:
    """A learner with a lesson, and a browser to take it in."""

    admin: httpx.Client
    learner: httpx.Client
    chromium: Browser
    packages: Path
    content: str

    def lesson(self, **changes: Any) -> dict[str, Any]:
        """A lesson whose content is a page of another origin."""
        made = {
            "lesson_url": f"https://lms.example.org/lessons/{uuid4()}",
            "title": "Fire safety",
            "content_url": f"{self.content}/unit/index.html?language=en",
            "publisher_id": "https://publisher.example.org/units/fire",
            "move_on": "CompletedAndPassed",
            "mastery_score": 0.8,
            **changes,
        }
        found: dict[str, Any] = told(self.admin.post("/api/lessons", json=made), 201)
        return found

    def play(self, lesson: dict[str, Any], library: str, script: str) -> tuple[dict[str, Any], Any]:
        """Launch the lesson, open its address, and let the library do the session."""
        launch = told(self.learner.post(f"/api/lessons/{lesson['id']}/launches", json={}), 201)
        page: Page = self.chromium.new_page()
        page.goto(launch["launch_url"])
        page.add_script_tag(path=self.packages / "node_modules" / library)
        outcome = page.evaluate(script)
        page.close()
        return launch, outcome


@pytest.fixture(scope="module")
def desk(stack: LocalStack, admin: httpx.Client) -> Iterator[Desk]:
    """Everything that a session needs."""
    packages = xapi_clients()
    name, api = f"player{uuid4().hex[:8]}", stack.facts["api_url"]
    account = {"username": name, "email": f"{name}@example.org", "password": "correct horse battery"}
    told(httpx.post(f"{api}/api/signup", json=account, timeout=60), 201)
    signed_in = told(
        httpx.post(f"{api}/api/auth/login", json={"username": name, "password": account["password"]}, timeout=60)
    )
    headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
    with (
        started_chromium(browser()) as chromium,
        course_content() as content,
        httpx.Client(base_url=api, headers=headers, timeout=60) as learner,
    ):
        yield Desk(admin, learner, chromium, packages, content)


@pytest.fixture(scope="module")
def reader(stack: LocalStack, admin: httpx.Client) -> Iterator[httpx.Client]:
    """Somebody who reads what all have sent."""
    made = told(admin.post("/api/xapi-credentials", json={"name": "Reports", "scopes": ["all/read"]}), 201)
    headers = {"X-Experience-API-Version": "1.0.3"}
    auth = (made["key"], made["secret"])
    with httpx.Client(base_url=stack.facts["xapi_url"], auth=auth, headers=headers, timeout=60) as client:
        yield client


def statements_of(reader: httpx.Client, launch: dict[str, Any]) -> list[dict[str, Any]]:
    asked = {"registration": launch["registration"], "ascending": "true"}
    return list(told(reader.get("/statements", params=asked))["statements"])


def verbs_of(reader: httpx.Client, launch: dict[str, Any]) -> list[str]:
    return [item["verb"]["id"].rpartition("/")[2] for item in statements_of(reader, launch)]


def test_a_whole_session_of_rustici_cmi5(desk: Desk, reader: httpx.Client, eventually: Callable[..., None]) -> None:
    lesson = desk.lesson()

    launch, seen = desk.play(lesson, "@rusticisoftware/cmi5/dist/cmi5.js", RUSTICI)

    again = seen.pop("again")
    assert "LMS error: 1" in again
    assert seen == {
        "mode": "Normal",
        "moveOn": "CompletedAndPassed",
        "mastery": 0.8,
        "returnURL": None,
        "session": launch["id"],
        "language": "de-DE,en",
    }
    said = ["launched", "initialized", "experienced", "completed", "passed"]
    eventually(lambda: verbs_of(reader, launch)[:5] == said, "the statements of the session are listed in order")
    eventually(lambda: sorted(verbs_of(reader, launch)[5:]) == ["satisfied", "terminated"], "the lesson is satisfied")
    _completed_in_reports(desk, lesson, eventually)


def test_a_whole_session_of_xapi_cmi5(desk: Desk, reader: httpx.Client, eventually: Callable[..., None]) -> None:
    lesson = desk.lesson()

    launch, seen = desk.play(lesson, "@xapi/cmi5/dist/Cmi5.umd.js", XAPI_JS)

    assert "Mastery Score" in seen.pop("refused")
    assert seen["language"]
    assert (seen["mode"], seen["moveOn"], seen["mastery"]) == ("Normal", "CompletedAndPassed", 0.8)
    said = ["launched", "initialized", "progressed", "answered", "passed", "completed"]
    eventually(lambda: verbs_of(reader, launch)[:6] == said, "the statements of the session are listed in order")
    eventually(lambda: sorted(verbs_of(reader, launch)[6:]) == ["satisfied", "terminated"], "the lesson is satisfied")
    _completed_in_reports(desk, lesson, eventually)


def _completed_in_reports(desk: Desk, lesson: dict[str, Any], eventually: Callable[..., None]) -> None:
    rows = told(desk.admin.get(f"/api/lessons/{lesson['id']}/launches"))["items"]
    assert [(row["terminated"], row["abandoned"]) for row in rows] == [(True, False)]
    mine = told(desk.learner.get("/api/launches"))["items"]
    assert mine[0]["satisfied_at"] is not None
