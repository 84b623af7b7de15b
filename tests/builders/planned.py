"""Plans on a real server: made by the code, run as it says, and what is there afterwards."""

import secrets
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import psycopg

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.names import trash_of
from dataforge.contexts.schemas.designs.domain.writing import to_document
from dataforge.contexts.schemas.designs.queries import read_schema
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase
from dataforge.contexts.schemas.plans.domain.plan import Plan
from dataforge.contexts.schemas.plans.planning import Deployed, make_plan


class Planned:
    """One schema at a time, made and changed by plans."""

    def __init__(self, connection: "psycopg.AsyncConnection[Any]", *, trash: bool = False) -> None:
        self.connection = connection
        self.trash = trash
        self.namespace = ""
        self.before: Deployed | None = None

    async def begin(self) -> None:
        """A new, empty schema."""
        await self.connection.rollback()
        await self.connection.set_autocommit(False)
        if self.namespace:
            await self.connection.execute(f"DROP SCHEMA {self.namespace} CASCADE")
            await self.connection.execute(f"DROP SCHEMA IF EXISTS {trash_of(self.namespace)} CASCADE")
        self.namespace, self.before = f"ws_{secrets.token_hex(8)}", None
        await self.connection.execute(f"CREATE SCHEMA {self.namespace}")
        if self.trash:
            await self.connection.execute(f"CREATE SCHEMA {trash_of(self.namespace)}")
        await self.connection.commit()

    async def plan(self, document: dict[str, Any], *, going_back: bool = False) -> Plan:
        design, known = parse_design(document), self.before
        more = {"trash": self.trash, "going_back": going_back}
        plan, _, _ = await make_plan(self.connection, self.namespace, design, known, **more)
        return plan

    async def deploy(self, document: dict[str, Any], *, going_back: bool = False) -> Plan:
        """Plan and run."""
        plan = await self.plan(document, going_back=going_back)
        await self.run(plan.up)
        self.before = Deployed(parse_design(document), plan.target_fingerprint, document)
        return plan

    async def run(self, changes: Iterable[Change]) -> None:
        """Run changes as their phases say."""
        await self.connection.rollback()
        for phase, group in groupby(changes, key=lambda item: item.phase):
            alone = phase in (Phase.BUILD, Phase.VALIDATE)
            await self.connection.set_autocommit(alone)
            await self.connection.execute(f"SET search_path TO {self.namespace}")
            for change in group:
                for statement in change.statements:
                    await self.connection.execute(statement.sql.encode(), binary=True)
            if not alone:
                await self.connection.commit()
            await self.connection.set_autocommit(False)

    async def described(self, text: str) -> tuple[dict[str, Any], str]:
        """The document of what SQL makes in an empty schema of its own, and its fingerprint."""
        await self.connection.execute("CREATE SCHEMA described")
        await self.connection.execute("SET LOCAL search_path TO described")
        await self.connection.execute(text.encode())
        schema = await read_schema(self.connection, "described")
        await self.connection.rollback()
        return to_document(schema, "described"), schema.fingerprint

    async def schema(self) -> Schema:
        """What is there."""
        found = await read_schema(self.connection, self.namespace)
        await self.connection.rollback()
        return found

    async def sql(self, text: str) -> list[tuple[Any, ...]]:
        """Run SQL of the test in the schema, and commit it."""
        await self.connection.execute(f"SET search_path TO {self.namespace}")
        cursor = await self.connection.execute(text.encode())
        rows = await cursor.fetchall() if cursor.description else []
        await self.connection.commit()
        return rows
