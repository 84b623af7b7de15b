"""The SQL of personal data: counts, exports and erases the rows that contexts name, and the platform's own."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.platform.personal_data import Holding, NotCovered, Person, PersonalData, mentioned

_ROWS_AT_ONCE = 500


async def count_rows(connection: AsyncConnection, holding: Holding, person: Person) -> int:
    """How many rows there are about the person."""
    query = text(f"SELECT count(*) FROM {holding.table} WHERE {holding.whose}")
    return int((await connection.execute(query, _bound(holding.whose, person))).scalar_one())


async def read_rows(connection: AsyncConnection, holding: Holding, person: Person) -> AsyncIterator[str]:
    """The rows of an export as JSON objects, a few hundred in memory at a time."""
    chosen = f"SELECT {holding.exported} FROM {holding.table} WHERE {holding.whose} ORDER BY 1"
    query = text(f"SELECT CAST(row_to_json(t) AS text) FROM ({chosen}) AS t")
    options = {"yield_per": _ROWS_AT_ONCE}
    async with connection.stream(query, _bound(holding.whose, person), execution_options=options) as rows:
        async for row in rows:
            yield str(row[0])


async def erase_rows(connection: AsyncConnection, holding: Holding, person: Person) -> int:
    """Delete or rewrite the rows about the person; how many."""
    if holding.kept:
        return 0
    change = "DELETE FROM {table}" if holding.deleted else "UPDATE {table} SET {rewritten}"
    sql = change.format(table=holding.table, rewritten=holding.rewritten) + f" WHERE {holding.whose}"
    return int((await connection.execute(text(sql), _bound(sql, person))).rowcount)


def _bound(sql: str, person: Person) -> dict[str, Any]:
    return {name: value for name, value in person.parameters.items() if f":{name}" in sql}


_NAMED = f"({mentioned('before')} OR {mentioned('after')})"
_ABOUT = "(entity_id = :user_text OR actor_id = :user_id)"
_EXACT = (
    "EXISTS (SELECT 1 FROM unnest(CAST(:exact_words AS text[])) AS word "
    "WHERE position(convert_to(word, 'UTF8') IN body) > 0)"
)
PLATFORM: PersonalData[Any] = PersonalData(
    holdings=(
        Holding(
            table="platform.audit_log",
            name="audit_log",
            refers="actor_id entity_id before after",
            whose=f"(before IS NOT NULL OR after IS NOT NULL) AND ({_ABOUT} OR {_NAMED})",
            rewritten="before = NULL, after = NULL",
            counted=False,
        ),
        Holding(
            table="platform.audit_log",
            name="own_actions",
            refers="actor_id",
            whose="actor_id = :user_id",
            exported="at, action, entity, entity_id",
            kept="Who did what and when stays, with the id of an account that tells nothing any more.",
            counted=False,
        ),
        Holding(
            table="platform.outbox",
            refers="key payload",
            whose=f"key = :user_text OR {mentioned('payload')}",
            deleted=True,
            counted=False,
        ),
        Holding(
            table="platform.idempotency_keys",
            refers="scope body",
            whose=(
                "position(CAST(:user_text AS text) IN scope) > 0 "
                f"OR position(convert_to(:user_text, 'UTF8') IN body) > 0 OR {_EXACT}"
            ),
            deleted=True,
            counted=False,
        ),
        Holding(
            table="platform.jobs",
            refers="user_id run_parameters output_summary failure",
            whose=(
                "kind NOT IN ('erase_account', 'erase_person') AND "
                f"({mentioned('run_parameters')} OR {mentioned('output_summary')} OR {mentioned('failure')})"
            ),
            rewritten="run_parameters = '{}', output_summary = NULL, failure = NULL, error_message = NULL",
            counted=False,
        ),
        Holding(
            table="platform.jobs",
            name="own_jobs",
            refers="user_id",
            exported="id, kind, status, created_at, completed_at",
            kept="What was asked of a worker stays, with the id of an account that tells nothing any more.",
            stable=False,
        ),
        Holding(
            table="platform.plans",
            refers="created_by inputs state preview",
            whose=f"job_id IS NULL AND ({mentioned('inputs')} OR {mentioned('state')} OR {mentioned('preview')})",
            deleted=True,
            counted=False,
        ),
        Holding(
            table="platform.upload_claims",
            refers="person_id",
            whose="person_id = :user_id",
            exported="subject, size_bytes, claimed_at",
            deleted=True,
            stable=False,
        ),
    ),
    not_covered=(
        NotCovered("Backups of the database, and versions of objects", "They expire by themselves."),
        NotCovered("Logs, which hold ids and no contents", "Look for the person's id; they expire by themselves."),
    ),
)
