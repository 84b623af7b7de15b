"""What PostgreSQL's messages and locks say about a change, and what follows for its risk."""

import pytest

from dataforge.contexts.schemas.plans.domain.changes import Risk, change
from dataforge.contexts.schemas.plans.domain.estimates import Size, estimate
from dataforge.contexts.schemas.plans.domain.evidence import Evidence, lock_of, read_messages, strongest
from dataforge.contexts.schemas.plans.domain.plan import Plan


def plan(op: str, seen: Evidence, risk: Risk = Risk.SAFE, sql: str = "ALTER TABLE people") -> Plan:
    return Plan("ws", "a", "b", (change(op, "column people.a", 1, sql, risk=risk, lock="SHARE"),), (), (seen,))


@pytest.mark.parametrize(
    ("message", "rewrites", "scans"),
    [
        ('rewriting table "people"', True, False),
        ('rewriting table "made now"', False, False),
        ('verifying table "people"', False, True),
        ('building index "people_a_idx" on table "people" serially', False, True),
        ('building index "pg_toast_17_index" on table "pg_toast_17" serially', False, False),
        ('validating foreign key constraint "orders_fkey"', False, True),
        ("CREATE TABLE / PRIMARY KEY will create implicit index", False, False),
    ],
)
def test_messages_about_tables_that_were_there_are_evidence(message: str, rewrites: bool, scans: bool) -> None:
    seen = read_messages([message], {"people"})

    assert (seen.rewrites, seen.scans) == (rewrites, scans)


def test_modes_of_locks_are_ordered_and_said_in_the_words_of_lock_table() -> None:
    assert lock_of("ShareUpdateExclusiveLock") == "SHARE UPDATE EXCLUSIVE"
    assert lock_of("AccessExclusiveLock") == "ACCESS EXCLUSIVE"
    assert strongest(["SHARE", "ROW EXCLUSIVE", "ACCESS SHARE"]) == "SHARE"
    assert strongest([]) is None


@pytest.mark.parametrize(
    ("op", "seen", "declared", "risk"),
    [
        ("change type", Evidence(), Risk.REWRITING, Risk.SAFE),
        ("change type", Evidence(rewrites=True, scans=True), Risk.REWRITING, Risk.REWRITING),
        ("change type", Evidence(scans=True), Risk.REWRITING, Risk.LOCKING),
        ("change type", Evidence(rewrites=True, lost=3), Risk.REWRITING, Risk.DESTRUCTIVE),
        ("set not null", Evidence(), Risk.LOCKING, Risk.SAFE),
        (
            "validate",
            Evidence(scans=True, locks={"people": "SHARE UPDATE EXCLUSIVE"}, measured=True),
            Risk.SAFE,
            Risk.SAFE,
        ),
        ("create index", Evidence(scans=True, locks={"people": "SHARE"}, measured=True), Risk.LOCKING, Risk.LOCKING),
        (
            "create index",
            Evidence(scans=True, locks={"people": "SHARE"}, measured=True, idle=True),
            Risk.LOCKING,
            Risk.SAFE,
        ),
        ("change domain", Evidence(measured=True), Risk.LOCKING, Risk.SAFE),
        ("change domain", Evidence(), Risk.LOCKING, Risk.LOCKING),
        ("drop index", Evidence(measured=True), Risk.LOCKING, Risk.LOCKING),
        ("drop column", Evidence(measured=True), Risk.DESTRUCTIVE, Risk.DESTRUCTIVE),
    ],
)
def test_a_risk_is_what_was_seen_and_what_was_expected_only_until_somebody_looked(
    op: str, seen: Evidence, declared: Risk, risk: Risk
) -> None:
    assert plan(op, seen, declared).risk_of(0) is risk


def test_a_change_that_writes_rows_is_rewriting_whatever_becomes_of_the_file() -> None:
    backfill = plan("add column", Evidence(measured=True), sql="UPDATE people SET a = 1")

    assert backfill.risk_of(0) is Risk.REWRITING


def test_what_would_lose_values_of_rows_needs_a_confirmation() -> None:
    assert plan("change type", Evidence(lost=1)).destructive == ("column people.a",)
    assert plan("change type", Evidence()).destructive == ()


def test_the_lock_is_the_strongest_that_was_measured_else_the_one_that_is_known() -> None:
    locks = {"people": "SHARE UPDATE EXCLUSIVE", "orders": "ROW SHARE"}

    assert plan("validate", Evidence(locks=locks, measured=True)).lock_of(0) == "SHARE UPDATE EXCLUSIVE"
    assert plan("validate", Evidence()).lock_of(0) == "SHARE"


def test_an_estimate_grows_with_the_sizes_of_what_is_read_written_or_sorted() -> None:
    large = [Size(10_000_000, 4_000_000_000, 2_000_000_000)]
    rewrite = change("change type", "column people.a", 1, "ALTER TABLE people")
    index = change("create index", "index people_a_idx", 1, "CREATE INDEX")
    fill = change("set not null", "column people.a", 1, "UPDATE people SET a = 1")
    keep = change("drop column", "column people.a", 1, "LOCK TABLE people", "CREATE TABLE trash.a AS", kept=True)

    assert estimate(rewrite, Evidence(rewrites=True), large) == 200_000
    assert estimate(index, Evidence(scans=True), large) == 45_000
    assert estimate(fill, Evidence(scans=True), large) == 220_000
    assert estimate(keep, Evidence(scans=True), large) == 48_571
    assert estimate(rewrite, Evidence(), large) == 1
    assert estimate(rewrite, Evidence(rewrites=True), []) == 1
