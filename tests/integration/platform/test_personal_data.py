"""No table refers to a person without a context that says what becomes of it."""

import re
from uuid import uuid4

import pytest
from sqlalchemy import text

from dataforge.bootstrap import build_platform, modules
from dataforge.platform.db.database import Database
from dataforge.platform.db.personal_data import count_rows, erase_rows, read_rows
from dataforge.platform.personal_data import Contribution, Effect, Holding, Person, PersonalDataRegister
from dataforge.settings import ApiSettings
from tests.builders.roles import in_role

# What columns are called that hold a person: their id, their address, their name, or what they are known by.
PERSONAL = re.compile(
    r"(^|_)(user|actor|author|person|owner|instructor|student|subject|learner|reviewer|teacher|kept|merged)_id$|_by$|^by$"
    r"|(^|_)(e?mail|username|display_name|first_name|last_name|full_name|avatar|soeid|github_id|device|agent|actor"
    r"|agent_key|actor_key|actor_name|actor_email|actor_account|email_hash|phone|author)$|(^|_)email(_|$)"
)
BY_ERASURE = "the record store's own erasure rewrites or deletes it (ADR 32)"
EXPLAINED = {
    "academics.semesters.add_by": "a date",
    "academics.semesters.drop_by": "a date",
    "academics.semesters.withdraw_by": "a date",
    "identity.users.email_confirmed_at": "an instant",
    "identity.users.email_vouched": "a flag",
    "identity.xapi_credentials.authority": "the organisation's key",
    "lrs.documents.agent_key": BY_ERASURE,
    "lrs.sessions.actor": BY_ERASURE,
    "lrs.subscriptions.username": "the login that another store gave to the organisation",
    "records.lesson_progress.completed_by": "a statement's id",
    "records.statement_voids.voided_by": "a statement's id",
}


@pytest.fixture
def contributions(database: Database) -> list[Contribution]:
    platform = build_platform(ApiSettings(database_url="unused", app_secret_arn="app", data_bucket="b"))
    platform.database = in_role(database, "worker")
    return list(platform.get(PersonalDataRegister).contributions())


def held(contributions: list[Contribution]) -> set[str]:
    return {
        f"{holding.table}.{column}"
        for item in contributions
        for holding in item.data.holdings
        for column in holding.refers.split()
    }


async def columns(database: Database) -> set[str]:
    query = text(
        "SELECT n.nspname || '.' || c.relname || '.' || a.attname FROM pg_attribute a "
        "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    async with database.read_only() as connection:
        return set((await connection.execute(query)).scalars())


async def test_every_column_that_refers_to_a_person_is_held_or_explained(
    database: Database, contributions: list[Contribution]
) -> None:
    personal = {name for name in await columns(database) if PERSONAL.search(name.rpartition(".")[2])}

    assert personal - held(contributions) - EXPLAINED.keys() == set(), "name it in a context's personal_data.py"


async def test_what_is_held_is_there(database: Database, contributions: list[Contribution]) -> None:
    there = await columns(database)

    assert held(contributions) - there == set()
    assert EXPLAINED.keys() - there == set()


def test_the_check_sees_what_refers_to_a_person() -> None:
    seen = ("user_id", "granted_by", "email", "new_email", "proved_email", "actor_id", "display_name", "invited_by")

    assert all(PERSONAL.search(name) for name in seen)
    assert not any(PERSONAL.search(name) for name in ("dataset_id", "name", "created_at", "body", "actors"))


def test_a_holding_says_one_thing_that_becomes_of_its_rows(contributions: list[Contribution]) -> None:
    for item in contributions:
        titles = [holding.title for holding in item.data.holdings]
        assert len(set(titles)) == len(titles), item.context
        for holding in item.data.holdings:
            assert sum((holding.deleted, bool(holding.rewritten), bool(holding.kept))) == 1, holding


def test_nothing_secret_is_exported(contributions: list[Contribution]) -> None:
    secret = re.compile(r"hash|secret|token|salt|\bkey\b|pem|\*")

    shown = [holding for item in contributions for holding in item.data.holdings if secret.search(holding.exported)]

    assert shown == []


async def test_the_sql_of_every_holding_works_for_a_worker(
    database: Database, contributions: list[Contribution]
) -> None:

    nobody = Person(uuid4(), "nobody", "nobody@example.org", "Nobody", "a-nobody", proved=True)
    for item in contributions:
        async with item.services.database.transaction() as connection:
            for holding in item.data.holdings:
                assert await count_rows(connection, holding, nobody) == 0 or not holding.counted
                if holding.exported:
                    assert [row async for row in read_rows(connection, holding, nobody)] == []
                assert await erase_rows(connection, holding, nobody) == 0


def test_effects_are_what_a_plan_says() -> None:
    rows = {"table": "a.b", "refers": "user_id"}

    assert Holding(**rows, deleted=True).effect is Effect.DELETED
    assert Holding(**rows, rewritten="x = 1").effect is Effect.ANONYMISED
    assert Holding(**rows, kept="because").effect is Effect.KEPT


def test_each_module_says_what_it_holds() -> None:
    silent = {module.name for module in modules() if not module.personal_data().holdings}

    # Reports have no tables of their own, operations shows those of others.
    assert silent == {"reports", "operations"}
