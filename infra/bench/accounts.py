"""What signing in and asking with a token cost: CPU of the function's process, beside what cannot be done without.

Run as `python -m infra.bench.accounts`. A sign-in is measured against the argon2 hash alone, through the whole app; a
token's cost is that of the check alone. What the database works for it is not counted.
"""

import asyncio
import json
import secrets
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from infra.bench.figure import Figure, show

SIGN_INS, TOKENS, ROUNDS = 20, 1_500, 5
_PASSWORD = "correct horse battery staple"
Work = Callable[[], Awaitable[object]]


async def _cpu(times: int, work: Work) -> float:
    """CPU milliseconds of this process for one of them, all threads together: the best of some rounds."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            await work()
        found.append((time.process_time() - began) * 1000 / times)
    return min(found)


async def _wall(times: int, work: Work) -> float:
    """Milliseconds of one of them, the median."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


async def _post(asgi: Any, path: str, body: bytes) -> int:  # noqa: ANN401 - an ASGI app
    """The status of a POST, with as little around it as there can be."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"api.test"), (b"content-type", b"application/json")],
        "client": ("192.0.2.1", 40_000),
        "server": ("api.test", 443),
    }
    status: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    await asgi(scope, receive, send)
    return status[0]


async def measure(database_url: str) -> list[Figure]:
    """The figures, in a database that is there."""
    from dataforge.contexts.identity.passwords.hashing import hash_password, verify_password
    from dataforge.kernel.clock import SystemClock
    from dataforge.kernel.principal import Authenticator, Role
    from dataforge.platform.db.database import Database
    from tests.builders.api import ApiUnderTest
    from tests.builders.tokens import new_token

    hashed = hash_password(_PASSWORD)
    database = Database(database_url, pool_size=2)
    async with ApiUnderTest(database, SystemClock()) as api:
        person = await api.add_user(Role.REGISTRAR, username="ada", password_hash=hashed)
        login = json.dumps({"username": "ada", "password": _PASSWORD}).encode()
        authenticator = api.platform.get(Authenticator)
        bearer = await api.token(person, Role.REGISTRAR, "ada")
        personal = (await new_token(api, person)).secret

        async def hash_alone() -> None:
            assert await asyncio.to_thread(verify_password, hashed, _PASSWORD)

        async def sign_in() -> None:
            assert await _post(api.asgi, "/api/auth/login", login) == 200

        async def signature() -> None:
            await authenticator.authenticate(bearer)

        async def write() -> None:
            await authenticator.confirm(await authenticator.authenticate(bearer))

        async def personal_token() -> None:
            await authenticator.authenticate(personal)

        for warm in (hash_alone, sign_in, signature, write, personal_token):
            await warm()
        alone, whole = await _cpu(SIGN_INS // ROUNDS, hash_alone), await _cpu(SIGN_INS // ROUNDS, sign_in)
        waited = await _wall(SIGN_INS, sign_in) / await _wall(SIGN_INS, hash_alone)
        costs = [await _cpu(TOKENS // ROUNDS, work) for work in (signature, write, personal_token)]
    await database.dispose()
    return [
        Figure("argon2 hash alone, CPU-ms", alone),
        Figure("sign-in, CPU-ms", whole),
        Figure("sign-in / argon2 hash alone, CPU", whole / alone, 1.3),
        Figure("sign-in / argon2 hash alone, time", waited),
        Figure("signature of an access token, CPU-ms", costs[0], 0.3),
        Figure("… with the look at suspension and session, CPU-ms", costs[1], 1.5),
        Figure("personal access token, CPU-ms", costs[2], 1.5),
    ]


def main() -> int:
    """Print a table and the figures; 1 when a limit was missed."""
    from dataforge.platform.db import roles
    from dataforge.platform.db.grants import GRANTS
    from dataforge.platform.db.migrations import upgrade
    from infra.local import postgres

    with tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name, warnings.catch_warnings():
        # The launcher lets go of the handle of the server it started and finds it again by its process id.
        warnings.simplefilter("ignore", ResourceWarning)
        server = postgres.start(Path(name) / "pg")
        try:
            url = server.create_database("accounts")
            upgrade(url)
            roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})
            figures = asyncio.run(measure(url))
        finally:
            server.stop()
    print("| figure | value | limit |\n|---|---|---|")
    for figure in figures:
        limit = "–" if figure.limit is None else f"≤ {figure.limit:g}"
        print(f"| {figure.name} | {figure.value:.3f} | {limit} |")
    return min(show("accounts", figures), 1)


if __name__ == "__main__":
    sys.exit(main())
