"""The platform's migrations."""

from dataforge.platform.db.migrations import differences, downgrade, head_revision, upgrade
from infra.local.postgres import PostgresServer


def test_tables_and_migrations_agree(database_url: str) -> None:
    assert differences(database_url) == []


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    assert upgrade(database_url) == {"before": head_revision(), "after": head_revision()}


def test_migrations_go_down_to_nothing_and_up_again(postgres: PostgresServer) -> None:
    url = postgres.create_database("down_and_up")
    upgrade(url)

    downgrade(url, "base")

    assert upgrade(url) == {"before": None, "after": head_revision()}
    postgres.drop_database("down_and_up")
