"""Journey 4: the schedule fires, the preview is what is sent, one mail a day, and one click ends it."""

from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_hex

import httpx
import psycopg
import pytest

from infra.local.mailbox import ReceivedMail
from infra.local.stack import LocalStack

pytestmark = pytest.mark.build


def test_a_learner_is_reminded_once_and_stops_it_with_one_click(
    admin: httpx.Client, http: httpx.Client, stack: LocalStack, eventually: Callable[..., None]
) -> None:
    tag = token_hex(5)
    address = f"ada@{tag}.example.org"
    csv = f"First Name,Last Name,Email,Group\nAda,Byron,{address},{tag}\n".encode()
    plan = admin.post("/api/cohorts/import", content=csv, headers={"Content-Type": "text/csv"}).json()
    applied = {"dry_run": "false", "plan_hash": plan["plan_hash"]}
    admin.post("/api/cohorts/import", content=csv, headers={"Content-Type": "text/csv"}, params=applied)
    cohorts = admin.get("/api/cohorts", params={"limit": 500}).json()["items"]
    cohort = next(row["id"] for row in cohorts if row["name"] == f"{tag} X")
    lesson = {"lesson_url": f"https://lms.example.org/{tag}", "title": f"Ladders {tag}", "cohort_id": cohort}
    today = datetime.now(UTC).date().isoformat()
    assert admin.post("/api/lessons", json={**lesson, "lesson_date": today}).status_code == 201
    with psycopg.connect(stack.facts["database_url"]) as connection:
        connection.execute("UPDATE identity.users SET reminder_time = '00:00' WHERE email = %s", [address])

    def mails() -> list[ReceivedMail]:
        return [mail for mail in stack.mailbox.mails() if mail.recipients == (address,)]

    shown = admin.get("/api/debug/reminder-preview").json()
    expected = [item["lessons"][0]["title"] for item in shown["reminders"] if item["name"] == "Ada Byron"]
    stack.invoke("reminders", {"command": "send_daily_reminders"})
    stack.invoke("maintenance", {"command": "tick"})
    # The stack's own scheduler may have been quicker: then the first of the two found the run done.
    sent = admin.post("/api/reminders", json={"at": shown["at"], "plan_hash": shown["plan_hash"]})
    stack.invoke("maintenance", {"command": "tick"})
    eventually(lambda: len(mails()) > 0, "the reminder arrives")
    stack.invoke("reminders", {})

    assert sent.status_code in (202, 409)
    assert expected == [f"Ladders {tag}"]
    [mail] = mails()
    assert f"Ladders {tag}" in mail.text
    link = str(mail.message["List-Unsubscribe"]).strip("<>")
    assert link.startswith(stack.facts["api_url"])
    answer = http.post(link, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.text) == (200, "Unsubscribed.")
    with psycopg.connect(stack.facts["database_url"]) as connection:
        rows = connection.execute("SELECT scope, reason FROM notifications.suppressions").fetchall()
    assert ("reminder", "unsubscribe") in rows
