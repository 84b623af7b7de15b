"""Turns of those who change the platform's own tables and rights: one after the other."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from dataforge.kernel.texts import Text

LOCK = 4020
_PAUSE = 0.1
_SECONDS = 600.0


@contextmanager
def turn(url: str, *, seconds: float = _SECONDS) -> Iterator[None]:
    """Have the database's only turn, on a connection of its own that is in no transaction.

    Asked for, never waited for, and outside of transactions: a session that waits in pg_advisory_lock, or that keeps a
    snapshot while it waits, keeps a CREATE INDEX CONCURRENTLY of a deployment waiting. Raises TimeoutError.
    """
    end = time.monotonic() + seconds
    plain = url.replace("postgresql+psycopg:", "postgresql:", 1)
    with psycopg.connect(plain, autocommit=True, application_name="dataforge-turn") as connection:
        while not _granted(connection):
            if time.monotonic() > end:
                message = Text("another migration has been under way for {seconds:.0f} s", seconds=seconds)
                raise TimeoutError(message)
            time.sleep(_PAUSE)
        yield


def _granted(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
    return bool(row and row[0])
