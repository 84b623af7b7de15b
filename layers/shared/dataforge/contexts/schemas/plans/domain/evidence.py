"""What PostgreSQL was seen to do for a change: locks, rewrites and scans of tables that were there before.

A rehearsal in one transaction tells of rewrites and scans by its messages (`client_min_messages = debug1`). A trial on
a committed copy tells of locks as well, which the transaction that made a table never lets go.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

# From weak to strong, as the manual lists them (chapter 13.3.1).
LOCKS = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
_STOPS_WRITERS = frozenset(LOCKS[LOCKS.index("SHARE") :])
_REWRITTEN = re.compile(r'rewriting table "(.*)"')
_SCANNED = re.compile(r'verifying table "(.*)"|building index ".*" on table "(.*)" ')
_FOREIGN = "validating foreign key constraint"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen while a change was run, and what live rows say about it.

    `locks` is the strongest lock on each table that was there, `measured` whether they were looked at; `affected`
    counts rows, `lost` those of them whose values would not be the same afterwards, `samples` are up to five keys.
    """

    rewrites: bool = False
    scans: bool = False
    locks: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    measured: bool = False
    affected: int | None = None
    lost: int = 0
    samples: tuple[Mapping[str, Any], ...] = ()
    estimated_ms: int | None = None
    idle: bool = False  # the tables are empty: nobody waits for long

    @property
    def lock(self) -> str | None:
        """The strongest lock of all."""
        return strongest(self.locks.values())

    @property
    def stops_writers(self) -> bool:
        """Whether somebody has to wait who writes to a table."""
        return self.lock in _STOPS_WRITERS


def strongest(locks: Iterable[str]) -> str | None:
    """The strongest of locks."""
    return max(locks, key=LOCKS.index, default=None)


def lock_of(mode: str) -> str:
    """A mode as `pg_locks` spells it, in the words of LOCK TABLE."""
    words = re.findall("[A-Z][a-z]+", mode.removesuffix("Lock"))
    return " ".join(words).upper()


def read_messages(messages: Iterable[str], there: Collection[str]) -> Evidence:
    """What messages say about tables that were there; those of tables that are being made say nothing."""
    rewrites = scans = False
    for text in messages:
        if found := _REWRITTEN.fullmatch(text):
            rewrites |= found[1] in there
        elif found := _SCANNED.match(text):
            scans |= (found[1] or found[2]) in there
        elif text.startswith(_FOREIGN):
            scans |= bool(there)
    return Evidence(rewrites, scans)
