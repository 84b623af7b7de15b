"""Alembic environment of the platform's own tables.

Runs inside the `schema_deployer` function and in tests; the caller hands over an open connection.
"""

from alembic import context
from sqlalchemy import Connection, text

from dataforge.platform.db.metadata import metadata
from dataforge.platform.db.migrations import VERSION_SCHEMA, load_all_tables

# Expand/contract migrations must never queue behind a long transaction while holding up everybody else.
LOCK_TIMEOUT = "4s"


def run(connection: Connection) -> None:
    """Upgrade within one transaction with a short lock timeout; whoever calls has the turn."""
    load_all_tables()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=VERSION_SCHEMA,
        include_schemas=True,
        compare_type=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        context.run_migrations()


run(context.config.attributes["connection"])
