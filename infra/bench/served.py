"""The whole API in this process, at an address, with a PostgreSQL and an emulator of its own: what clients meet."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataforge_client import Client
from infra.local.emulator import Emulator

if TYPE_CHECKING:
    from tests.builders.served import ServedApi

_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True, slots=True)
class Served:
    """The API, a client of it that is an analyst's, and where its objects are."""

    api: "ServedApi"
    client: Client
    token: str
    emulator: Emulator


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Serve until the block ends; `folder` takes the database and the emulator's files."""
    # Loggers read their level when they are imported, and what the app tells of each request is not the bench's.
    os.environ.update(_ENVIRONMENT)
    from dataforge.kernel.clock import FixedClock
    from infra.local import postgres
    from tests.builders.emulator import emulated_aws, started_emulator
    from tests.builders.served import ServedApi, prepared
    from tests.builders.time import NOW

    server = postgres.start(folder / "pg")
    try:
        url = prepared(server)
        with started_emulator(folder / "emulator") as running:
            os.environ.update(running.environment() | _ENVIRONMENT)
            # The tests' worker is not to be measured: it asks for jobs seldom.
            with emulated_aws(running) as aws, ServedApi(url, FixedClock(NOW), aws, look_seconds=1) as api:
                token = api.token()
                with Client(api.url, token) as client:
                    yield Served(api, client, token, running)
    finally:
        server.stop()
