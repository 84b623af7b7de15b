"""Journey 4: the schedule fires, the preview is what is sent, one mail a day, and one click ends it.

Beside it the lesson's date comes into the learner's calendar, moves there, and goes.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_hex

import httpx
import psycopg
import pytest
from icalendar import Calendar

from dataforge.contexts.notifications.suppressions.domain import email_hash
from infra.local.mailbox import ReceivedMail
from infra.local.stack import LocalStack
from tests.builders.feedback import bounce, raw

pytestmark = pytest.mark.build


def by_id(mail: ReceivedMail) -> str:
    return mail.id


def invitations(mail: ReceivedMail) -> list[tuple[str, int, str]]:
    """Method, sequence and start by the zone's clocks of what a mail brings for a calendar."""
    found = []
    for part in mail.message.iter_attachments():
        assert part.get_content_type() == "text/calendar"
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        [event] = Calendar.from_ical(content).events
        found.append((str(part.get_param("method")), int(event["SEQUENCE"]), event["DTSTART"].to_ical().decode()))
    return found


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
    hours = {"start_time": "23:30", "duration_minutes": 30, "time_zone": "Asia/Tokyo"}
    today = datetime.now(UTC).date().isoformat()
    created = admin.post("/api/lessons", json={**lesson, "lesson_date": today, **hours})
    assert created.status_code == 201
    with psycopg.connect(stack.facts["database_url"]) as connection:
        connection.execute("UPDATE identity.users SET reminder_time = '00:00' WHERE email = %s", [address])

    def mails() -> list[ReceivedMail]:
        return [mail for mail in stack.mailbox.mails() if mail.recipients == (address,) and not invitations(mail)]

    def events() -> list[tuple[str, int, str]]:
        received = sorted((mail for mail in stack.mailbox.mails() if mail.recipients == (address,)), key=by_id)
        return [event for mail in received for event in invitations(mail)]

    def announced(number: int) -> None:
        stack.invoke("maintenance", {"command": "tick"})
        eventually(lambda: len(events()) == number, "the calendar hears of it")

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
    announced(1)
    path = f"/api/lessons/{created.json()['id']}"
    assert admin.patch(path, json={"start_time": "23:45"}, headers={"If-Match": "*"}).status_code == 200
    announced(2)
    assert admin.delete(path, headers={"If-Match": "*"}).status_code == 204
    announced(3)
    day = today.replace("-", "")
    assert events() == [
        ("REQUEST", 0, f"{day}T233000"),
        ("REQUEST", 1, f"{day}T234500"),
        ("CANCEL", 2, f"{day}T234500"),
    ]
    link = str(mail.message["List-Unsubscribe"]).strip("<>")
    assert link.startswith(stack.facts["api_url"])
    answer = http.post(link, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.text) == (200, "Unsubscribed.")
    with psycopg.connect(stack.facts["database_url"]) as connection:
        rows = connection.execute("SELECT scope, reason FROM notifications.suppressions").fetchall()
    assert ("reminder", "unsubscribe") in rows


def test_an_agenda_comes_through_the_gateway_and_once_only_while_it_stays(admin: httpx.Client) -> None:
    first = admin.get("/api/calendar.ics")
    again = admin.get("/api/calendar.ics", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)
    assert first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert str(Calendar.from_ical(first.content)["VERSION"]) == "2.0"


def test_a_bounce_that_ses_reports_ends_all_mail_to_the_address(
    stack: LocalStack, eventually: Callable[..., None]
) -> None:
    address = f"{token_hex(5)}@example.org"
    sns = stack.emulator.client("sns")

    for body in ("no report", raw(bounce(address)), raw(bounce(f"full-{address}", kind="Transient"))):
        sns.publish(TopicArn=stack.facts["feedback_topic"], Message=body)

    def reasons(of: str) -> list[tuple[str, str]]:
        with psycopg.connect(stack.facts["database_url"]) as connection:
            query = "SELECT scope, reason FROM notifications.suppressions WHERE email_hash = %s"
            return connection.execute(query, [email_hash(of)]).fetchall()

    eventually(lambda: reasons(address) == [("all", "bounce")], "the bounce arrives")
    assert reasons(f"full-{address}") == []
