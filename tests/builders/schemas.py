"""Schemas of workspaces under test: the API as an administrator, and the deployer behind it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from dataforge.contexts.schemas.deployments.execution import Deployer
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.workspaces import Person


def column(name: str, kind: str = "INTEGER", **more: Any) -> dict[str, Any]:
    return {"id": f"c-{name}", "name": name, "dataType": kind, **more}


def table(name: str, *columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    key = column("id", "BIGINT", primaryKey=True, identity=True)
    return {"id": f"t-{name}", "name": name, "columns": [key, *columns], **more}


@dataclass
class SchemasUnderTest:
    """One workspace: preview and deploy by HTTP as its owner, run the deployer, look at the database as its owner."""

    api: ApiUnderTest
    owner: Person
    database: Database
    workspace_id: UUID
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The database as libpq wants it."""
        return self.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @property
    def client(self) -> httpx.AsyncClient:
        """The owner's."""
        return self.owner.client

    @property
    def deployer(self) -> Deployer:
        return self.deployer_with()

    def deployer_with(self, **more: Any) -> Deployer:
        async def put(key: str, body: bytes) -> None:
            self.files[key] = body

        patience = {"pause": 0.01, "lock_timeout": "200ms", **more}
        return Deployer(self.url, ["schema-proof"], put, self.api.platform.clock, **patience)

    async def preview(self, *tables: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = await self.ask_preview(*tables, **more)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ask_preview(self, *tables: dict[str, Any], **more: Any) -> httpx.Response:
        body = {"workspace_id": str(self.workspace_id), "target": {"tables": list(tables), **more}}
        return await self.client.post("/api/schema/preview", json=body)

    async def ask_deploy(self, plan: dict[str, Any], *confirmations: str) -> httpx.Response:
        body = {"workspace_id": str(self.workspace_id), "plan_id": plan["plan_id"], "plan_hash": plan["plan_hash"]}
        return await self.client.post("/api/schema/deploy", json={**body, "confirmations": confirmations})

    async def deploy(self, plan: dict[str, Any], *confirmations: str) -> dict[str, Any]:
        """Ask, let the deployer run, and say how it ended."""
        asked = await self.ask_deploy(plan, *confirmations)
        assert asked.status_code == 202, asked.text
        await self.deployer.run(UUID(asked.json()["id"]))
        return await self.deployment(asked.json()["id"])

    async def deployment(self, deployment_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get(f"/api/schema/deployments/{deployment_id}")).json()
        return found

    async def sql(self, text: str) -> list[tuple[Any, ...]]:
        """Run SQL in the schema of the workspace as the owner."""
        async with self.database.transaction() as connection:
            await connection.exec_driver_sql(f"SET LOCAL search_path TO ws_{self.workspace_id.hex[16:]}")
            found = await connection.exec_driver_sql(text)
            return [tuple(row) for row in found] if found.returns_rows else []
