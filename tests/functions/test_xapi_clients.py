"""Client libraries of xAPI, as they are published, send to and read from the deployed stack through its gateway.

What a client itself cannot do is named here and in infra/runbooks/xapi-clients.md; everything else must work.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser

from infra.local.browser import browser
from infra.local.environments import ENVIRONMENTS
from infra.local.npm import XAPI_CLIENTS as CLIENTS
from infra.local.npm import run_node, xapi_clients
from infra.local.stack import LocalStack
from tests.builders.chromium import course_content, started_chromium

pytestmark = pytest.mark.build
BYTES = bytes([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0xFF])


@dataclass(frozen=True)
class Sender:
    """Where the clients send to, and a name that only this run's statements have."""

    endpoint: str
    key: str
    secret: str
    run: str

    @property
    def variables(self) -> dict[str, str]:
        """What the clients read from their environment."""
        names = {"XAPI_ENDPOINT": self.endpoint, "XAPI_KEY": self.key, "XAPI_SECRET": self.secret}
        return {**names, "XAPI_RUN": self.run}


@pytest.fixture
def sender(stack: LocalStack) -> Sender:
    """The first credential of the stack."""
    credential = stack.facts["credentials"]["xapi"]
    return Sender(stack.facts["xapi_url"], credential["key"], credential["secret"], f"run-{uuid4().hex[:12]}")


@pytest.fixture(scope="session")
def packages() -> Path:
    """The packages of npm, beside the scripts that use them."""
    place = xapi_clients()
    for script in CLIENTS.glob("*.*js"):
        (place / script.name).write_bytes(script.read_bytes())
    return place


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the clients that need one; of this module, since its loop cannot be there when others start."""
    with started_chromium(browser()) as started:
        yield started


def by_node(packages: Path, sender: Sender, *command: str) -> dict[str, Any]:
    outcomes: dict[str, Any] = json.loads(run_node("node", *command, cwd=packages, **sender.variables))
    return outcomes


def failures(outcomes: dict[str, Any]) -> dict[str, str]:
    return {name: outcome["error"] for name, outcome in outcomes.items() if not outcome["ok"]}


def parts_of(lms: httpx.Client, statement_id: str) -> bytes:
    answer = lms.get("/statements", params={"statementId": statement_id, "attachments": "true"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("multipart/mixed; boundary=")
    return answer.content


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_xapi_js_with_fetch(packages: Path, sender: Sender, lms: httpx.Client, version: str) -> None:
    outcomes = by_node(packages, sender, "xapi.mjs", version, "fetch")

    assert failures(outcomes) == {}
    assert BYTES in parts_of(lms, outcomes["binary attachment"]["value"])
    assert "Größe: 3 m".encode() in parts_of(lms, outcomes["text attachment"]["value"])


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_xapi_js_with_axios_labels_attachments_wrongly(packages: Path, sender: Sender, version: str) -> None:
    outcomes = by_node(packages, sender, "xapi.mjs", version, "axios")

    assert failures(outcomes).keys() == {"text attachment", "binary attachment"}
    assert {outcomes[name]["status"] for name in failures(outcomes)} == {400}


def test_tincanjs_sends_bytes_as_text_in_node(packages: Path, sender: Sender, lms: httpx.Client) -> None:
    outcomes = by_node(packages, sender, "tincanjs.mjs")

    assert failures(outcomes).keys() == {"binary attachment"}
    assert "has another hash" in failures(outcomes)["binary attachment"]
    assert "Größe: 3 m".encode() in parts_of(lms, outcomes["text attachment"]["value"])


def test_tincan_of_pypi(sender: Sender, lms: httpx.Client) -> None:
    agent = {"objectType": "Agent", "mbox": f"mailto:{sender.run}@example.org", "name": "Ana Roux"}
    for resource, owner in (
        ("activities", {"activityId": f"https://example.org/activities/{sender.run}"}),
        ("agents", {"agent": json.dumps(agent)}),
    ):
        where, new = {**owner, "profileId": "settings"}, {"If-None-Match": "*"}
        assert lms.put(f"/{resource}/profile", params=where, headers=new, content=b"one").status_code == 204
    python = ENVIRONMENTS["clients"][0] / "bin" / "python"
    command = [str(python), str(CLIENTS / "tincan_client.py")]
    environment = {**os.environ, **sender.variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    outcomes = json.loads(done.stdout)

    failed = failures(outcomes)
    assert set(failed) == {"about", "text attachment", "first profiles"}, failed
    assert "2.0.0" in failed["about"]
    assert "neither a `fileUrl` nor a part" in failed["text attachment"]
    assert "document_precondition_missing" in failed["first profiles"]


def test_xapiwrapper_in_a_page_of_another_origin(
    chromium: Browser, packages: Path, sender: Sender, lms: httpx.Client
) -> None:
    with course_content() as content:
        page = chromium.new_page()
        page.goto(content)
        page.add_script_tag(path=packages / "node_modules/xapiwrapper/dist/xapiwrapper.min.js")
        where = {"endpoint": sender.endpoint, "key": sender.key, "secret": sender.secret, "run": sender.run}
        outcomes = page.evaluate((CLIENTS / "xapiwrapper.js").read_text(encoding="utf-8"), where)
        page.close()

    assert failures(outcomes) == {}
    assert "Größe: 3 m".encode() in parts_of(lms, outcomes["text attachment"]["value"])
    assert bytes([0x89, 0x50, 0x4E, 0x47, 0, 255]) in parts_of(lms, outcomes["binary attachment"]["value"])
