"""Changes of a plan: what happens to which object, by which statements, at what risk."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Phase(IntEnum):
    """When a statement runs: transactions one after the other, and between them what runs in none."""

    ENUM_VALUES = 0  # new values of enums are usable after the commit only
    CHANGE = 1
    BUILD = 2  # CREATE INDEX CONCURRENTLY: each by itself, outside of a transaction
    VALIDATE = 3  # scans under a weak lock: each in a transaction of its own
    FINISH = 4


class Risk(StrEnum):
    """What a change does to a database in use."""

    SAFE = "safe"
    LOCKING = "locking"
    REWRITING = "rewriting"
    DESTRUCTIVE = "destructive"


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement.

    `rehearsal` takes its place in the transaction of the proof (empty: nothing does), `instead` is tried when
    PostgreSQL knows no cast. `judged` is a query with an expression of the target that the statement runs and nothing
    keeps: it is judged before the statement is run for the first time.
    """

    sql: str
    rehearsal: str | None = None
    instead: str | None = None
    judged: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one object: `object` is `table people`, `column people.email` and the like.

    `rank` orders changes within their phase, `lock` is the table lock that its statements take.
    """

    op: str
    object: str
    statements: tuple[Statement, ...]
    rank: int
    phase: Phase = Phase.CHANGE
    risk: Risk = Risk.SAFE
    lock: str | None = None
    reason: str = ""
    table: str | None = None
    column: str | None = None
    probe: str | None = None
    kept: bool = False  # what goes is in the trash afterwards
    values: tuple[tuple[str, str], ...] = ()  # columns whose values are computed on the way, and how

    @property
    def writes_rows(self) -> bool:
        """Whether it gives rows other values, one by one."""
        return any(statement.sql.startswith(("UPDATE ", "INSERT ")) for statement in self.statements)

    @property
    def copies_rows(self) -> bool:
        """Whether what goes is copied into the trash, while nobody else may use the table."""
        return self.kept and any(statement.sql.startswith("CREATE TABLE ") for statement in self.statements)

    @property
    def order(self) -> tuple[int, int]:
        """Where it comes in a plan."""
        return (self.phase, self.rank)


def change(op: str, thing: str, rank: int, *sql: str, **more: object) -> Change:
    """A change of plain statements."""
    return Change(op, thing, tuple(Statement(text) for text in sql), rank, **more)  # type: ignore[arg-type]  # fields of Change
