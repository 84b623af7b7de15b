"""The platform's own migrations, run by `schema_deployer` on release and by the tests."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from dataforge.platform.db.database import sqlalchemy_url
from dataforge.platform.db.metadata import metadata
from dataforge.platform.db.turns import turn

VERSION_SCHEMA = "platform"
# Partitions of a table are named after it: `_y2026m11`, `_default`.
_PARTITION = re.compile(r"_(y\d{4}m\d{2}|default)$")


def load_all_tables() -> None:
    """Import every context's tables, so that the metadata is complete."""
    import_module("dataforge.platform.db.tables")
    import_module("dataforge.platform.jobs.tables")
    import_module("dataforge.platform.plans.tables")
    contexts = import_module("dataforge.contexts")
    for context in iter_modules(contexts.__path__, f"{contexts.__name__}."):
        module = f"{context.name}.tables"
        if context.ispkg and find_spec(module):
            import_module(module)


def migrations_directory() -> Path:
    """Where the revision files are: what the layer carries, else at the top of the source tree."""
    packaged = find_spec("dataforge_migrations")
    if packaged is not None and packaged.submodule_search_locations:
        return Path(next(iter(packaged.submodule_search_locations)))
    return Path(__file__).resolve().parents[5] / "migrations"


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()))
    config.attributes["connection"] = connection
    return config


def head_revision() -> str:
    """The newest revision this code knows."""
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()))
    return str(ScriptDirectory.from_config(config).get_current_head())


def upgrade(url: str, revision: str = "head") -> dict[str, str | None]:
    """Bring the database to a revision; returns the revisions before and after. Running it again changes nothing."""
    engine = create_engine(sqlalchemy_url(url), use_native_hstore=False)
    try:
        with turn(url), engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {VERSION_SCHEMA}"))
            connection.commit()
            before = current(connection)
            connection.commit()
            command.upgrade(_config(connection), revision)
            connection.commit()
            return {"before": before, "after": current(connection)}
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Take the database back to a revision; for tests of reversibility and for operators."""
    engine = create_engine(sqlalchemy_url(url), use_native_hstore=False)
    try:
        with turn(url), engine.connect() as connection:
            command.downgrade(_config(connection), revision)
            connection.commit()
    finally:
        engine.dispose()


def current(connection: Connection) -> str | None:
    """The revision a database is at."""
    return MigrationContext.configure(connection, opts={"version_table_schema": VERSION_SCHEMA}).get_current_revision()


def differences(url: str) -> list[object]:
    """What autogenerate would change: empty when tables and migrations agree."""
    load_all_tables()
    engine = create_engine(sqlalchemy_url(url), use_native_hstore=False)
    try:
        with engine.connect() as connection:
            options = {
                "version_table_schema": VERSION_SCHEMA,
                "include_schemas": True,
                "compare_type": True,
                "include_name": _is_ours,
            }
            return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))
    finally:
        engine.dispose()


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    if kind == "table" and name is not None and _PARTITION.search(name):
        return False
    return kind != "schema" or name in {table.schema for table in metadata.tables.values()}
