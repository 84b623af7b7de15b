"""Requests generated from the committed OpenAPI document, good ones and bad ones, against the real API."""

import re
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
from starlette.types import Receive, Scope, Send

from dataforge.kernel.clock import SystemClock
from dataforge.kernel.principal import Authenticator, Role
from dataforge.platform.db.database import Database
from infra.local.emulator import Emulator
from infra.local.postgres import PostgresServer
from infra.openapi.generate import HERE
from tests.builders.api import ApiUnderTest
from tests.builders.datasets import DatasetsUnderTest, new_dataset
from tests.builders.emulator import emulated_aws
from tests.builders.roles import dispose_roles
from tests.builders.server import ServedApp
from tests.builders.whole_api import BESIDE_DATASETS

# Bodies that are files are sent as the bytes they are.
for media_type in ("application/zip", "text/csv"):
    schemathesis.serializer(media_type)(
        lambda _context, value: value if isinstance(value, bytes) else str(value).encode()
    )
# The xAPI resources have credentials, rules and tests of their own.
schema = schemathesis.openapi.from_path(HERE / "openapi.json").exclude(path_regex="^/xapi/")


@dataclass
class Target:
    url: str
    token: str
    dataset_id: str


@pytest.fixture(scope="module")
def target(postgres: PostgresServer, template_database: str, emulator_server: Emulator) -> Iterator[Target]:
    """Both REST apps behind one address, as the gateway puts them, and an administrator's token."""
    with emulated_aws(emulator_server) as emulator:
        name = f"generated_{secrets.token_hex(4)}"
        database = Database(postgres.create_database(name, template=template_database), pool_size=5)
        api = ApiUnderTest(database, SystemClock(), data_bucket=emulator.bucket())
        datasets = DatasetsUnderTest(database, SystemClock(), emulator)
        datasets.platform.put(Authenticator, api.identity.authenticator)

        async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
            behind = datasets if scope["path"].startswith(BESIDE_DATASETS) else api
            await behind.asgi(scope, receive, send)

        async def admin() -> Target:
            await api.identity.private_keys.ensure()
            token = await api.token(await api.add_user(Role.ADMIN), Role.ADMIN)
            return Target(server.url, token, await new_dataset(await datasets.client(token)))

        with ServedApp(gateway) as server:
            yield server.run(admin())
            server.run(dispose_roles(database))
            server.run(database.dispose())
        postgres.drop_database(name)


# What only we may see: frames, files of the installation, names of libraries below us, statements of ours.
LEAK = re.compile(
    r"Traceback \(most recent|\bFile \"|site-packages|/dataforge/\w+/|\.py\b|psycopg|sqlalchemy|botocore|pyarrow|"
    r"\bINSERT INTO\b|\bSELECT [\w.*]+(?:, [\w.*]+)* FROM\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    "text",
    [
        'Traceback (most recent call last):\n  File "/opt/python/dataforge/http/app.py", line 3',
        "(psycopg.errors.UndefinedTable) relation does not exist",
        "SELECT a.id, b.name FROM identity.users",
    ],
)
def test_the_check_sees_what_it_looks_for(text: str) -> None:
    assert LEAK.search(text)


@schema.parametrize()
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_the_document_allows(case: Case, target: Target) -> None:
    if "dataset_id" in case.path_parameters:
        case.path_parameters["dataset_id"] = target.dataset_id

    response = case.call(
        base_url=target.url, headers={"Authorization": f"Bearer {target.token}", "If-Match": "*"}, timeout=30
    )

    text = response.content.decode(errors="replace")  # of an archive, whatever can be read
    leak = LEAK.search(text)
    assert leak is None, f"{case.method} {case.path} lets out {leak and leak[0]!r}: {text[:500]}"
    case.validate_response(
        response,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
