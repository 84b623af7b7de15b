"""What is held about a person, and their exports."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.accounts.domain import AlreadyErased
from dataforge.contexts.identity.data_requests.domain import EXPORT_KIND
from dataforge.contexts.identity.tables import refresh_tokens, users
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.personal_data import count_rows
from dataforge.platform.jobs.tables import jobs
from dataforge.platform.personal_data import Contribution, Effect, Person

_SHOWN = (
    *(jobs.c.id, jobs.c.status, jobs.c.user_id, jobs.c.output_summary, jobs.c.progress),
    *(jobs.c.created_at, jobs.c.completed_at, jobs.c.run_parameters),
)


async def read_person(connection: AsyncConnection, user_id: UUID) -> tuple[Person, int]:
    """A person by all that the account knows of them, and the account's revision; raises NotFound, AlreadyErased."""
    row = (await connection.execute(select(users).where(users.c.id == user_id))).one_or_none()
    if row is None:
        message = Text("There is no user {user_id}.", user_id=user_id)
        raise NotFound(message)
    if row.erased_at is not None:
        message = Text("This person is erased, or is just being erased.")
        raise AlreadyErased(message)
    proved = row.email_confirmed_at is not None or row.email_vouched
    return Person(row.id, row.username, row.email, row.display_name, row.avatar, proved), row.revision


async def survey(
    connection: AsyncConnection, contributions: Sequence[Contribution], person: Person
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """What is held and what an erasure does to it, and the numbers of rows by which a plan goes stale.

    `rows` is None for what is looked for in whole tables when it is done.
    """
    found: list[dict[str, Any]] = []
    stable: dict[str, int] = {}
    for item in contributions:
        for holding in item.data.holdings:
            rows = await count_rows(connection, holding, person) if holding.counted else None
            shown = {"context": item.context, "what": holding.title, "rows": rows, "effect": holding.effect.value}
            if rows != 0:
                found.append({**shown, "why": holding.kept})
            if rows is not None and holding.stable:
                stable[f"{item.context}.{holding.title}"] = rows
        if item.data.counted is not None:
            for what, rows in (await item.data.counted(person, connection, item.services)).items():
                effect = Effect.DELETED if what == "documents" else Effect.ANONYMISED
                found.append({"context": item.context, "what": what, "rows": rows, "effect": effect.value, "why": ""})
    return found, stable


def not_covered(contributions: Sequence[Contribution]) -> list[dict[str, str]]:
    """What may mention a person and is neither exported nor erased."""
    return [{"context": item.context, **asdict(part)} for item in contributions for part in item.data.not_covered]


async def list_exports(connection: AsyncConnection, user_id: UUID) -> list[dict[str, Any]]:
    """The last hundred exports of a person's data, newest first."""
    of_person = jobs.c.run_parameters["user_id"].astext == str(user_id)
    query = select(*_SHOWN).where(jobs.c.kind == EXPORT_KIND, of_person).order_by(jobs.c.id.desc()).limit(100)
    return [shown_export(row_dict(row)) for row in await connection.execute(query)]


async def find_export(connection: AsyncConnection, job_id: UUID) -> Mapping[str, Any] | None:
    """An export by its job; None when there is none."""
    row = (await connection.execute(select(*_SHOWN).where(jobs.c.kind == EXPORT_KIND, jobs.c.id == job_id))).first()
    return None if row is None else row_dict(row)


def shown_export(row: Mapping[str, Any]) -> dict[str, Any]:
    """An export as people see it."""
    summary = row["output_summary"] or {}
    return {
        "job_id": row["id"],
        "status": row["status"],
        "asked_by": row["user_id"],
        "created_at": row["created_at"],
        "completed_at": row["completed_at"],
        "bytes": summary.get("bytes"),
        "files": summary.get("files"),
    }


async def signed_in_at(connection: AsyncConnection, family: UUID | None) -> Any:  # noqa: ANN401 - an instant or None
    """When a sign-in began; None for one that is not known."""
    if family is None:
        return None
    query = select(refresh_tokens.c.began_at).where(refresh_tokens.c.family == cast(family, Uuid))
    return await connection.scalar(query.order_by(refresh_tokens.c.began_at).limit(1))
