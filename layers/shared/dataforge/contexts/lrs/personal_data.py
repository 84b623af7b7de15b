"""What the record store holds about people: their statements and documents, and what they are known by.

The rows are taken by the store's own erasure (ADR 32), which also recognises what comes later; its job is queued in the
transaction of this step.
"""

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import PEOPLE
from dataforge.contexts.lrs.erasures.commands import begin_erasure, plan_erasure
from dataforge.contexts.lrs.erasures.domain import Anonymiser, Erase, ErasedPerson
from dataforge.contexts.lrs.erasures.queries import count_occurrences, read_occurrences
from dataforge.contexts.lrs.search.domain import Position
from dataforge.contexts.lrs.statements.domain import read_statement, to_json
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.personal_data import Holding, NotCovered, Person, PersonalData

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

PAGE = 500
_BY_ERASURE = "The record store's own job takes the person out; how many statements there are stays."
_LINKED = text("SELECT agent FROM lrs.agent_identifiers WHERE user_id = :user_id AND unlinked_at IS NULL")
_DOCUMENTS = text(
    "SELECT resource, activity_id, registration, name, content, content_type, updated_at FROM lrs.documents "
    "WHERE agent_key = ANY(CAST(:identities AS text[])) ORDER BY id"
)


def _by_erasure(table: str, refers: str, exported: str = "", whose: str = "user_id = :user_id") -> Holding:
    return Holding(table=table, refers=refers, whose=whose, exported=exported, kept=_BY_ERASURE, stable=False)


def personal_data() -> "PersonalData[LrsServices]":
    """Statements are anonymised, documents and sessions go."""
    return PersonalData(
        holdings=(
            _by_erasure("records.statements_flat", "user_id actor_key actor_email actor_account actor_name"),
            _by_erasure(
                "records.lesson_progress",
                "user_id",
                "lesson_id, statements, started_at, last_at, completed_at, score_scaled",
            ),
            _by_erasure("records.former_matches", "user_id"),
            _by_erasure("lrs.agent_identifiers", "user_id agent key", "created_at, agent"),
            Holding(
                table="lrs.agent_identifiers",
                name="links_made",
                refers="created_by",
                whose="created_by = :user_id",
                kept="Who linked an identifier stays, with the id of an account that tells nothing any more.",
                stable=False,
            ),
            Holding(
                table="lrs.subscriptions",
                refers="created_by",
                whose="created_by = :user_id",
                exported="created_at, name",
                kept="A subscription is the organisation's.",
                stable=False,
            ),
        ),
        not_covered=(
            NotCovered(
                "What was forwarded to other stores and webhooks before",
                "GET /api/xapi/subscriptions names them; ask those who run them.",
            ),
            NotCovered(
                "Names of the person inside texts of other people's statements",
                "Search statements for the name at /ui/admin/statements.",
            ),
            NotCovered(
                "Files of statements that were imported or exported, until their retention ends",
                "They are under uploads/statements/ and exports/statements/ of the bucket.",
            ),
        ),
        files={"statements.jsonl": _statements, "documents.jsonl": _documents},
        taken=_begin,
        counted=_count,
        unit_of_work=LrsUnitOfWork,
    )


async def _agents(person: Person, connection: AsyncConnection, services: "LrsServices") -> list[Mapping[str, Any]]:
    """All that the store may know the person by."""
    linked = (await connection.execute(_LINKED, {"user_id": person.user_id})).scalars().all()
    pages = (PEOPLE, *services.settings.trusted_home_pages)
    accounts = [{"account": {"homePage": page, "name": person.avatar}} for page in pages]
    return [*({"mbox": f"mailto:{email}"} for email in person.emails), *accounts, *linked]


async def _count(person: Person, connection: AsyncConnection, services: "LrsServices") -> Mapping[str, int]:
    whom = ErasedPerson.of(await _agents(person, connection, services))
    return await count_occurrences(connection, whom)


async def _begin(
    person: Person, uow: LrsUnitOfWork, services: "LrsServices", *, responses: bool
) -> Mapping[str, Sequence[str]]:
    agents = await _agents(person, uow.connection, services)
    plan = await plan_erasure(Erase(agents, responses=responses), uow)
    return {"jobs": [str(await begin_erasure(plan, uow))]}


async def _statements(person: Person, services: "LrsServices") -> AsyncIterator[str]:
    """The person's own statements; others who occur in them are accounts of a random name."""
    async with services.database.read_only() as connection:
        whom = ErasedPerson.of(await _agents(person, connection, services))
    others = Anonymiser.of(lambda agent: not whom.is_agent(agent), responses=False)
    after: Position | None = None
    while True:
        # A transaction for each page: none is open for as long as the export takes.
        async with services.database.read_only() as connection:
            page = await read_occurrences(connection, whom, after=after, limit=PAGE)
        if not page:
            return
        after = page[-1].position
        for item in page:
            statement = read_statement(item.body or "{}")
            actor = statement.get("actor")
            if isinstance(actor, dict) and whom.is_agent(actor):
                yield to_json(others.apply(statement)).decode()


async def _documents(person: Person, services: "LrsServices") -> AsyncIterator[str]:
    """State and profiles of the person."""
    async with services.database.read_only() as connection:
        whom = ErasedPerson.of(await _agents(person, connection, services))
        values = {"identities": sorted(whom.identities)}
        async with connection.stream(_DOCUMENTS, values, execution_options={"yield_per": 20}) as rows:
            async for row in rows:
                yield json.dumps(
                    {
                        "resource": row.resource,
                        "activity_id": row.activity_id,
                        "registration": None if row.registration is None else str(row.registration),
                        "name": row.name,
                        "content_type": row.content_type,
                        "updated_at": row.updated_at.isoformat(),
                        "content_base64": base64.b64encode(bytes(row.content)).decode(),
                    }
                )
