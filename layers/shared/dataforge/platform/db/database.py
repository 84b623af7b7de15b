"""The one door to PostgreSQL: a lazily made pool, transactions and read-only sessions."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from dataforge.kernel.errors import Unavailable
from dataforge.kernel.texts import Text

_CONFLICTS = ("40001", "40P01")  # serialization_failure, deadlock_detected
_UNREACHABLE = "The database does not answer; nothing was done. Repeat the request in a moment."


def _default(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


def _dumps(value: object) -> str:
    return json.dumps(value, default=_default, allow_nan=False, ensure_ascii=False)


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer."""

    code = "database_unavailable"


class TransactionConflict(Unavailable):
    """Two transactions stood in each other's way and PostgreSQL ended this one; nothing was done."""

    code = "transaction_conflict"
    title = "Somebody changed the same thing at the same moment"


def sqlalchemy_url(url: str) -> str:
    """A libpq URL with the driver SQLAlchemy is to use."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def connection_lost(error: BaseException) -> bool:
    """Whether the error says that the server is away, rather than that the statement is wrong."""
    if isinstance(error, InterfaceError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return True
    # Class 57P and 08 of the SQLSTATEs: shutdown, crash, connection failure; None: the server was never reached.
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, OperationalError) and (state is None or state[:3] in ("57P", "080") or state[:2] == "08")


class Database:
    """A connection pool that is made at first use.

    `url` may be a callable that fetches the credentials: it is asked at first use, and again after the server was lost.

    The defaults fit a Lambda behind RDS Proxy: one connection per worker, no server-side prepared statements (they pin
    a client to its server connection). `prepared_statements` is for a server that is connected to directly: it plans a
    statement once per connection instead of every time.
    """

    def __init__(
        self,
        url: str | Callable[[], str],
        *,
        pool_size: int = 1,
        prepared_statements: bool = False,
        application_name: str = "dataforge",
        connect_timeout_seconds: int = 3,
        pool_timeout_seconds: float = 20,
    ) -> None:
        self._url = url
        self._pool_size = pool_size
        self._pool_timeout = pool_timeout_seconds  # below API Gateway's 29 s, so that the client gets our answer
        self._connect_args: Mapping[str, object] = {
            "prepare_threshold": 5 if prepared_statements else None,  # from that use on a statement is prepared
            "connect_timeout": connect_timeout_seconds,
            "application_name": application_name,
        }
        self._engine: AsyncEngine | None = None

    @property
    def engine(self) -> AsyncEngine:
        """The SQLAlchemy engine; made at first use, connects at the first statement."""
        if self._engine is None:
            url = self._url() if callable(self._url) else self._url
            self._engine = create_async_engine(
                sqlalchemy_url(url),
                pool_size=self._pool_size,
                max_overflow=0,
                pool_timeout=self._pool_timeout,
                pool_pre_ping=True,
                pool_recycle=600,
                use_native_hstore=False,
                # Errors are logged with their text: the values of a statement are passwords' hashes and people.
                hide_parameters=True,
                json_serializer=_dumps,
                connect_args=dict(self._connect_args),
            )
        return self._engine

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose transaction the caller commits; raises DatabaseUnavailable when the server is away."""
        try:
            async with self.engine.connect() as connection:
                yield connection
        except PoolTimeout as error:
            raise DatabaseUnavailable(_UNREACHABLE, headers={"Retry-After": "5"}) from error
        except DBAPIError as error:
            if connection_lost(error):
                if callable(self._url):
                    await self.dispose()  # the credentials may have been rotated: the next use fetches them again
                raise DatabaseUnavailable(_UNREACHABLE, headers={"Retry-After": "5"}) from error
            if getattr(error.orig, "sqlstate", "") in _CONFLICTS:
                message = Text("Another change of the same thing came first and nothing was done. Repeat the request.")
                raise TransactionConflict(message, headers={"Retry-After": "1"}) from error
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed when the block ends well and rolled back otherwise."""
        async with self.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def read_only(self) -> AsyncIterator[AsyncConnection]:
        """A READ ONLY transaction at the server, for queries."""
        async with self.connect() as connection:
            await connection.execution_options(postgresql_readonly=True)
            yield connection

    @asynccontextmanager
    async def single_read(self) -> AsyncIterator[AsyncConnection]:
        """For one statement that reads: without a transaction around it, which would double its round trips."""
        async with self.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection

    @asynccontextmanager
    async def single_write(self) -> AsyncIterator[AsyncConnection]:
        """For one statement that changes something: committed by itself, for the same reason."""
        async with self.single_read() as connection:
            yield connection

    @asynccontextmanager
    async def read_write(self) -> AsyncIterator[AsyncConnection]:
        """As `transaction`, also for a login whose transactions read only unless they say otherwise."""
        async with self.connect() as connection:
            await connection.execution_options(postgresql_readonly=False)
            async with connection.begin():
                yield connection

    async def dispose(self) -> None:
        """Close the pool; it is made again at the next use."""
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None


def row_dict(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a SQLAlchemy Row of any shape
    """A result row as a plain dict."""
    return dict(row._mapping)  # noqa: SLF001 - the documented accessor of SQLAlchemy rows
