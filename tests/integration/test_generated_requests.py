"""Requests generated from the committed OpenAPI document, good ones and bad ones, against the real API."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dataforge.kernel.clock import SystemClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from infra.local.postgres import PostgresServer
from infra.openapi.generate import HERE
from tests.builders.api import ApiUnderTest
from tests.builders.server import ServedApp

schema = schemathesis.openapi.from_path(HERE / "openapi.json")


@dataclass
class Target:
    url: str
    token: str


@pytest.fixture(scope="module")
def target(postgres: PostgresServer, template_database: str) -> Iterator[Target]:
    name = f"generated_{secrets.token_hex(4)}"
    database = Database(postgres.create_database(name, template=template_database), pool_size=5)
    api = ApiUnderTest(database, SystemClock())

    async def admin() -> str:
        await api.container.authenticator.ensure_key()
        return await api.token(await api.add_user(Role.ADMIN), Role.ADMIN)

    with ServedApp(api.asgi) as server:
        yield Target(server.url, server.run(admin()))
        server.run(database.dispose())
    postgres.drop_database(name)


@schema.parametrize()
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_the_document_allows(case: Case, target: Target) -> None:
    response = case.call(
        base_url=target.url, headers={"Authorization": f"Bearer {target.token}", "If-Match": "*"}, timeout=30
    )

    case.validate_response(
        response,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
