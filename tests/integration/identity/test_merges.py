"""Sign-up and imported account of one proved address become one, in every context."""

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.bootstrap import modules
from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.sessions.consumers import maintain
from dataforge.events.jobs import relay_outbox
from dataforge.events.wiring import subscribers
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from infra.local.mailbox import Mailbox
from tests.builders.api import ApiUnderTest
from tests.builders.mail import deliver, token_in

EMAIL = "ada@example.org"
PASSWORD = "a quiet lake at dawn"

# What an account that nobody uses yet can be named in, because others put its person there.
MOVED = {
    "academics.sections.instructor_id",
    "academics.students.user_id",
    "datasets.dataset_permissions.subject_id",
    "lrs.agent_identifiers.user_id",
    "notifications.calendar_events.user_id",
    "notifications.messages.user_id",
    "notifications.preferences.user_id",
    "records.cohort_members.user_id",
    "records.former_matches.user_id",
    "records.former_members.user_id",
    "records.launches.user_id",
    "records.lesson_progress.user_id",
    "records.statements_flat.user_id",
    "workspaces.members.user_id",
}
# What only somebody is named in who has signed in, or who has accepted something: nobody has with the merged account.
ACTED = re.compile(
    r".*\.(created_by|updated_by|applied_by|granted_by|placed_by|released_by|revoked_by|invited_by|accepted_by|ended_by"
    r"|changed_by|locked_by|author_id|owner_id|actor_id|person_id)"
    r"|datasets\.review_opinions\.user_id|workspaces\.profiles\.user_id|workspaces\.global_resources\.user_id"
    r"|platform\.jobs\.user_id|datasets\.jobs\.user_id|tutorials\.tutorials\.user_id"
)
# Rows of identity go with the account, but for the one that tells whose it has become.
OWN = re.compile(r"identity\..*")
# Not people: statements that void or complete.
OTHER = {"records.statement_voids.voided_by", "records.lesson_progress.completed_by"}
_PERSONAL = re.compile(r"(.*_)?(user|actor|person|author|owner|instructor|subject|by)(_id)?")
_COLUMNS = text(
    "SELECT n.nspname AS schema, c.relname AS name, a.attname AS column FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE a.atttypid = 'uuid'::regtype AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') "
    "AND NOT c.relispartition AND n.nspname !~ '^pg_|information_schema' ORDER BY 1, 2, 3"
)
_FILLED = text(
    "SELECT column_name, data_type, character_maximum_length AS longest FROM information_schema.columns "
    "WHERE table_schema = :schema AND table_name = :name AND is_nullable = 'NO' AND column_default IS NULL "
    "AND is_generated = 'NEVER' AND is_identity = 'NO'"
)
LESSON = str(uuid7())
# Where a made-up value is refused by a check, or would be forgotten or counted wrongly.
VALUES: dict[str, dict[str, Any]] = {
    "datasets.dataset_permissions": {"subject_kind": "user", "level": "read"},
    "notifications.messages": {"status": "sent", "created_at": "2099-01-01T00:00:00Z"},
    "records.statements_flat": {"lesson_id": LESSON, "voided": "false"},
    "records.lesson_progress": {"lesson_id": LESSON},
    "notifications.calendar_events": {"state": "invited"},
    "records.former_matches": {"known_from": "2026-01-01T00:00:00Z", "known_until": "2026-02-01T00:00:00Z"},
    "workspaces.members": {"role": "viewer"},
    "records.launches": {"launch_mode": "Normal"},
    "academics.sections": {"capacity": "3", "state": "open"},
}


async def uuid_columns(connection: AsyncConnection) -> list[str]:
    return [f"{row.schema}.{row.name}.{row.column}" for row in await connection.execute(_COLUMNS)]


def _made_up(data_type: str, longest: int | None) -> str:
    values: Mapping[str, str] = {
        "uuid": str(uuid7()),
        "boolean": "true",
        "jsonb": "{}",
        "date": "2026-06-01",
        "bytea": f"\\x{uuid7().hex}",
        "ARRAY": "{}",
        "time without time zone": "09:00",
        "timestamp with time zone": "2026-06-01T00:00:00Z",
    }
    if data_type in values:
        return values[data_type]
    return "1" if data_type in ("integer", "smallint", "bigint", "numeric") else uuid7().hex[: longest or 32]


async def put(connection: AsyncConnection, column: str, value: UUID, **more: Any) -> None:
    """A row whose column has this value and whose other needed columns have made-up ones; nothing refers to it."""
    schema, name, key = column.split(".")
    needed = await connection.execute(_FILLED, {"schema": schema, "name": name})
    row = {item.column_name: _made_up(item.data_type, item.longest) for item in needed}
    row |= {**VALUES.get(f"{schema}.{name}", {}), **more, key: str(value)}
    await connection.execute(text("SET LOCAL session_replication_role = replica"))  # without foreign keys
    names = ", ".join(row)
    types = {item: await _type(connection, schema, name, item) for item in row}
    given = ", ".join(f"CAST(CAST(:{item} AS text) AS {kind})" for item, kind in types.items())
    await connection.execute(text(f"INSERT INTO {schema}.{name} ({names}) VALUES ({given})"), row)


async def _type(connection: AsyncConnection, schema: str, name: str, column: str) -> str:
    query = text(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = CAST(:name AS regclass) AND attname = :column"
    )
    return str(await connection.scalar(query, {"name": f"{schema}.{name}", "column": column}))


async def named_in(api: ApiUnderTest, person: UUID) -> set[str]:
    """Every uuid column of the database that has this value."""
    found = set()
    async with api.database.read_only() as connection:
        for column in await uuid_columns(connection):
            table, _, name = column.rpartition(".")
            query = text(f"SELECT EXISTS (SELECT FROM {table} WHERE {name} = :person)")
            if await connection.scalar(query, {"person": person}):
                found.add(column)
    return found


async def sign_up(api: ApiUnderTest, username: str = "ada") -> tuple[UUID, httpx.AsyncClient]:
    body = {"username": username, "email": EMAIL, "password": PASSWORD}
    made = await (await api.client()).post("/api/signup", json=body)
    assert made.status_code == 201, made.text
    user_id = UUID(made.json()["id"])
    return user_id, await api.as_user(user_id, Role.LEARNER)


async def confirm(api: ApiUnderTest, token: str) -> httpx.Response:
    return await (await api.client()).post("/api/email-addresses/confirm", json={"token": token})


async def imported(api: ApiUnderTest, role: Role = Role.LEARNER, **values: Any) -> UUID:
    return await api.add_user(role, email=EMAIL, email_vouched=True, **values)


async def relay(api: ApiUnderTest) -> dict[str, int]:
    platform = api.platform_of("maintenance")
    return await relay_outbox(platform, subscribers(modules(), platform))


async def proved(api: ApiUnderTest, mailbox: Mailbox) -> UUID:
    """Somebody who has signed up and followed the link."""
    kept, _ = await sign_up(api)
    [mail] = await deliver(api, mailbox)
    assert (await confirm(api, token_in(mail))).status_code == 204
    return kept


async def test_every_column_that_may_name_a_person_is_known(api: ApiUnderTest) -> None:
    async with api.database.read_only() as connection:
        columns = await uuid_columns(connection)

    personal = {column for column in columns if _PERSONAL.fullmatch(column.rpartition(".")[2])}
    unknown = {item for item in personal - MOVED - OTHER if not ACTED.fullmatch(item) and not OWN.fullmatch(item)}
    assert (unknown, MOVED - set(columns)) == (set(), set())


async def test_whatever_named_the_imported_account_names_the_one_that_is_kept(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    merged = await imported(mailing)
    async with mailing.database.transaction() as connection:
        for column in sorted(MOVED):
            await put(connection, column, merged)
    before = await named_in(mailing, merged)

    kept = await proved(mailing, mailbox)
    counts = await relay(mailing)

    assert before >= MOVED
    assert (counts["failed"], counts["dead"]) == (0, 0)
    assert await named_in(mailing, merged) == {"identity.account_merges.merged_id"}
    assert await named_in(mailing, kept) >= MOVED


async def test_the_kept_account_is_vouched_for_and_keeps_the_role_that_the_other_was_given(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    merged = await imported(mailing, Role.INSTRUCTOR)

    kept = await proved(mailing, mailbox)

    async with mailing.database.read_only() as connection:
        query = text(
            "SELECT user_id, role, proved_email, matches_from::text FROM identity.directory WHERE email = :email"
        )
        rows = [tuple(row) for row in await connection.execute(query, {"email": EMAIL})]
        audit = text("SELECT entity_id, after->>'merged' FROM platform.audit_log WHERE action = 'accounts_merged'")
        audited = [tuple(row) for row in await connection.execute(audit)]
    assert rows == [(kept, "instructor", EMAIL, "-infinity")]
    assert audited == [(str(kept), str(merged))]


async def test_what_both_have_is_there_once(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    merged = await imported(mailing)
    kept, _ = await sign_up(mailing)
    [mail] = await deliver(mailing, mailbox)
    cohort, lesson, dataset = uuid7(), uuid7(), uuid7()
    async with mailing.database.transaction() as connection:
        for person, joined, level in (
            (kept, "2026-05-01T00:00:00Z", "read"),
            (merged, "2026-04-01T00:00:00Z", "write"),
        ):
            await put(connection, "records.cohort_members.user_id", person, cohort_id=str(cohort), joined_at=joined)
            await put(connection, "notifications.preferences.user_id", person, kind="x", wanted=str(person == kept))
            await put(
                connection, "datasets.dataset_permissions.subject_id", person, dataset_id=str(dataset), level=level
            )
            await put(connection, "records.lesson_progress.user_id", person, lesson_id=str(lesson))
            await put(connection, "academics.students.user_id", person)

    await confirm(mailing, token_in(mail))
    await relay(mailing)

    assert await named_in(mailing, merged) == {"identity.account_merges.merged_id"}
    async with mailing.database.read_only() as connection:
        joined = await connection.scalar(text("SELECT joined_at::date::text FROM records.cohort_members"))
        level = await connection.scalar(text("SELECT level FROM datasets.dataset_permissions"))
        wanted = await connection.scalar(text("SELECT wanted FROM notifications.preferences"))
        students = text("SELECT user_id FROM academics.students ORDER BY user_id NULLS LAST")
        assert (joined, level, wanted) == ("2026-04-01", "write", True)
        assert list((await connection.execute(students)).scalars()) == [kept, None]


async def test_an_import_that_is_under_way_during_the_merge_is_followed_later(
    mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock
) -> None:
    merged = await imported(mailing)
    kept, _ = await sign_up(mailing)
    [mail] = await deliver(mailing, mailbox)

    async with mailing.database.transaction() as importing:
        await put(importing, "records.cohort_members.user_id", merged)
        await put(importing, "records.statements_flat.user_id", merged)
        await confirm(mailing, token_in(mail))
        await relay(mailing)
    in_between = await named_in(mailing, merged)
    clock.advance(timedelta(minutes=21))
    counts = await maintain(mailing.platform_of("maintenance").get(IdentityServices))
    await relay(mailing)

    assert in_between > {"identity.account_merges.merged_id", "records.cohort_members.user_id"}
    assert counts["merges"] == 1
    assert await named_in(mailing, merged) == {"identity.account_merges.merged_id"}
    assert {"records.cohort_members.user_id", "records.statements_flat.user_id"} <= await named_in(mailing, kept)
    assert (await maintain(mailing.platform_of("maintenance").get(IdentityServices)))["merges"] == 0


@pytest.mark.parametrize("context", ["academics", "datasets", "learning", "lrs", "notifications", "workspaces"])
async def test_a_merge_that_is_killed_in_any_context_is_finished_by_the_next_delivery(
    mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock, context: str
) -> None:
    merged = await imported(mailing)
    async with mailing.database.transaction() as connection:
        for column in sorted(MOVED):
            await put(connection, column, merged)
    kept = await proved(mailing, mailbox)
    platform = mailing.platform_of("maintenance")

    async def killed(_event: Any) -> None:
        raise ConnectionError(context)

    heard = subscribers(modules(), platform)
    place = sorted(module.name for module in modules() if AccountsMerged in _heard(module)).index(context)
    followers = list(heard[AccountsMerged])
    followers.insert(place + 1, killed)
    first = await relay_outbox(platform, {**heard, AccountsMerged: followers})
    clock.advance(timedelta(minutes=1))
    second = await relay(mailing)

    assert (first["failed"], second["failed"]) == (1, 0)
    assert await named_in(mailing, merged) == {"identity.account_merges.merged_id"}
    assert await named_in(mailing, kept) >= MOVED


def _heard(module: Any) -> Any:
    return module.subscribers() if module.subscribers else {}


async def test_a_claim_and_a_confirmation_at_once_leave_one_owner(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    merged = await imported(mailing)
    kept, _ = await sign_up(mailing)
    admin = await mailing.as_role(Role.ADMIN)
    await admin.post("/api/claims", json={"user_ids": [str(merged)]})
    mails = {str(mail.message["Subject"])[:4]: token_in(mail) for mail in await deliver(mailing, mailbox)}
    claim = {"token": mails["Your"], "password": "another quiet lake"}
    client = await mailing.client()

    answers = await asyncio.gather(
        client.post("/api/passwords/resets/complete", json=claim), confirm(mailing, mails["Conf"])
    )

    assert sorted(answer.status_code for answer in answers) == [204, 400]
    async with mailing.database.read_only() as connection:
        query = text("SELECT user_id FROM identity.directory WHERE proved_email = :email")
        owners = list((await connection.execute(query, {"email": EMAIL})).scalars())
    assert owners == [merged if answers[0].status_code == 204 else kept]


async def test_a_suspended_account_is_not_merged(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    merged = await imported(mailing, suspended_at=mailing.platform.clock.now())
    await sign_up(mailing)
    [mail] = await deliver(mailing, mailbox)

    refused = await confirm(mailing, token_in(mail))

    assert (refused.status_code, refused.json()["code"]) == (400, "duplicate_email")
    assert "identity.users.id" in await named_in(mailing, merged)


async def test_an_unproved_sign_up_is_not_merged(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    merged = await imported(mailing)
    await sign_up(mailing)
    await deliver(mailing, mailbox)

    await relay(mailing)

    assert "identity.users.id" in await named_in(mailing, merged)
