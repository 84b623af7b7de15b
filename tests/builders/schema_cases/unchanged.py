"""Other spellings of what is there: nothing is planned."""

from tests.builders.schema_cases.case import ADA, KEPT, A, Case, people, tables
from tests.builders.schemas import column

CASES: dict[str, Case] = {
    "a list of short texts in a check": Case(
        tables(people(column("a", "VARCHAR(20)"), checks=[{"name": "c", "expr": "a IN ('Ada', 'Eve')"}])),
        tables(people(column("a", "VARCHAR(20)"), checks=[{"name": "c", "expr": "a = 'Ada' OR a = 'Eve'"}])),
        {"drop check", "add check"},
        ADA,
        KEPT,
    ),
    "a column beside a list of short texts": Case(
        "CREATE TABLE people (a varchar(20) CONSTRAINT c CHECK (a IN ('Ada', 'Eve')));"
        "CREATE INDEX i ON people (a) WHERE a NOT IN ('x', 'y');"
        "CREATE VIEW seen AS SELECT a FROM people WHERE a IN ('Ada', 'Eve')",
        tables(
            {
                "name": "people",
                "columns": [column("a", "VARCHAR(20)"), column("b", "TEXT")],
                "checks": [{"name": "c", "expr": "a IN ('Ada', 'Eve')"}],
                "indexes": [{"name": "i", "columns": ["a"], "where": "NOT a IN ('x', 'y')"}],
            },
            views=[{"name": "seen", "query": "SELECT a FROM people WHERE a IN ('Ada', 'Eve')"}],
        ),
        {"add column"},
        ADA,
        KEPT,
    ),
    "a list of short texts, read back": Case(
        "CREATE TABLE people (a varchar(20) CONSTRAINT c CHECK (a IN ('Ada', 'Eve')))",
        tables(
            {
                "name": "people",
                "columns": [column("a", "VARCHAR(20)")],
                "checks": [
                    {
                        "name": "c",
                        "expr": "(a)::text = ANY ((ARRAY['Ada'::character varying, 'Eve'::character varying])::text[])",
                    }
                ],
            }
        ),
        set(),
        ADA,
        KEPT,
    ),
    "nothing of a text": Case(tables(people(A)), tables(people(A | {"dataType": "text"})), set(), ADA, KEPT),
}
