"""What notifications hold about people: what they were mailed, and what they want to be mailed."""

from typing import Any

from dataforge.platform.personal_data import Holding, NotCovered, PersonalData, mentioned

_OWN = "user_id = :user_id OR lower(address) = ANY(CAST(:emails AS text[]))"


def personal_data() -> PersonalData[Any]:
    """All of it goes but suppressions: who is erased stays unmailed, known by the hash of an address alone.

    Webhooks stay whoever has made them; deliveries that name the person go, sent or not.
    """
    return PersonalData(
        holdings=(
            Holding(
                table="notifications.messages",
                refers="user_id address content",
                whose=_OWN,
                # What a mail says may name others.
                exported="created_at, kind, local_date, status, address, sent_at",
                deleted=True,
                stable=False,
            ),
            Holding(
                table="notifications.messages",
                name="messages_to_others",
                refers="content",
                whose=f"position(:user_text IN CAST(content AS text)) > 0 OR {mentioned('content')}",
                deleted=True,
                counted=False,
            ),
            Holding(
                table="notifications.calendar_events",
                refers="user_id",
                exported="lesson_date, lesson_id, title, start_time, duration_minutes, zone, state",
                deleted=True,
                stable=False,
            ),
            Holding(table="notifications.preferences", refers="user_id", exported="kind, wanted", deleted=True),
            Holding(
                table="notifications.webhooks",
                refers="created_by",
                whose="created_by = :user_id",
                exported="created_at, name",
                kept="A webhook is its workspace's or the organisation's.",
                stable=False,
            ),
            Holding(
                table="notifications.webhook_deliveries",
                refers="data",
                whose="position(:user_text IN CAST(data AS text)) > 0",
                deleted=True,
                counted=False,
                stable=False,
            ),
            Holding(
                table="notifications.suppressions",
                refers="email_hash",
                whose="email_hash = ANY(SELECT encode(sha256(convert_to(e, 'UTF8')), 'hex') "
                "FROM unnest(CAST(:emails AS text[])) AS e)",
                exported="at, scope, reason",
                kept="Who wanted no more mail stays unmailed, known by the hash of the address alone.",
            ),
        ),
        not_covered=(
            NotCovered(
                "Ids of the person in events that were sent to webhooks before",
                "GET /api/webhooks names them; ask those who run them.",
            ),
        ),
    )
