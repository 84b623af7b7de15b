"""A database and an emulator of a benchmark's own: migrated, empty, gone afterwards."""

import asyncio
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local import emulator, postgres
from infra.local.emulator import Emulator
from infra.local.layout import StackDirectory
from infra.local.postgres import PostgresServer

BUCKET = "bench-data"


@dataclass(frozen=True)
class Stand:
    """What a function of the stack would find in its environment."""

    database: PostgresServer
    cloud: Emulator
    environment: dict[str, str]
    key: str
    secret: str


@contextmanager
def stand() -> Iterator[Stand]:
    """Start, migrate, make a queue, a bucket and an xAPI credential; this process's environment points there too."""
    with tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name, warnings.catch_warnings():
        # The launcher lets go of the handle of the server it started and finds it again by its process id.
        warnings.simplefilter("ignore", ResourceWarning)
        directory = StackDirectory(root=Path(name), stack_name="bench", preferred_port=None)
        database = postgres.start(directory.postgres)
        try:
            cloud = emulator.start(directory)
            try:
                yield _furnished(database, cloud)
            finally:
                cloud.stop()
        finally:
            database.stop()


def _furnished(database: PostgresServer, cloud: Emulator) -> Stand:
    url = cloud.client("sqs").create_queue(QueueName="bench-statements")["QueueUrl"]
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    environment = {
        **cloud.environment(),
        "DATABASE_URL": database.url,
        "DATA_BUCKET": BUCKET,
        "STATEMENTS_QUEUE_URL": url,
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "LOG_LEVEL": "WARNING",
    }
    os.environ.update(environment)
    key, secret = asyncio.run(_credential(database.url))
    return Stand(database, cloud, environment, key, secret)


async def _credential(database_url: str) -> tuple[str, str]:
    from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
    from dataforge.contexts.identity.xapi_credentials.commands import CreateXapiCredential, create_xapi_credential
    from dataforge.contexts.identity.xapi_credentials.published import CredentialPublisher
    from dataforge.platform.db.database import Database
    from dataforge.platform.db.migrations import upgrade

    await asyncio.to_thread(upgrade, database_url)
    database = Database(database_url)
    async with IdentityUnitOfWork(database) as uow:
        made = await create_xapi_credential(CreateXapiCredential(name="bench", scopes=("all",)), uow)
        await uow.commit()
    await CredentialPublisher(database, BUCKET).publish(made.key_id)
    await database.dispose()
    return made.key_id, made.secret
