"""From what the engine raises to one plain sentence with a place in the statement."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.sql.caps import OUT_OF_MEMORY

_PLACE = re.compile(r"\n\nLINE (\d+): (.*)\n( *)\^")
_ADVICE = re.compile(r' Use "SET [^"]*" to [^.]*\.')
_CATALOG = re.compile(r' Did you mean "(?:pg_|duckdb_|sqlite_|pragma_)[^"]*"\?')
_NO_TABLE = re.compile(r"(Catalog Error: Table with name .* does not exist!)(?= \(line |\Z)")
_MOST_TABLES = 20
_INTERNAL = Text("The SQL engine met an internal error with this statement; write it in another way.")


@dataclass(eq=False)
class Refusal(Exception):
    """Why a statement is not run or has no answer; line and column count from 1. `outgrown` tells that an engine with
    more memory would run it.
    """

    sentence: str
    line: int | None = None
    column: int | None = None
    outgrown: bool = False

    def to_json(self) -> dict[str, object]:
        """As the function takes it."""
        return {"sentence": self.sentence, "line": self.line, "column": self.column, "outgrown": self.outgrown}


def refusal_of(error: BaseException, statement: str = "", lines_before: int = 0) -> Refusal:
    """What to tell the caller about an error: DuckDB's sentence, without advice about settings that are locked, and
    without anything of the inside. `lines_before` are to be added to the engine's line for that of the statement.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, MemoryError | pa.ArrowMemoryError | duckdb.OutOfMemoryException):
        return Refusal(OUT_OF_MEMORY, outgrown=True)
    if not isinstance(error, duckdb.Error) or isinstance(error, duckdb.InternalException | duckdb.FatalException):
        return Refusal(_INTERNAL)
    text = str(error)
    sentence = _CATALOG.sub("", _ADVICE.sub("", " ".join(text.partition("\n\n")[0].split())))
    if not sentence or "Traceback" in sentence:
        return Refusal(_INTERNAL)
    line, column = _place(text, statement, lines_before)
    if line is not None:
        sentence += f" (line {line}" + (f", column {column})" if column is not None else ")")
    return Refusal(sentence, line, column)


def naming_tables(refusal: Refusal, names: Collection[str]) -> Refusal:
    """The same, with the tables that there are when the statement asks for another and resembles none of them."""
    shown = ", ".join(f'"{name}"' for name in sorted(names)[:_MOST_TABLES])
    more = f" and {len(names) - _MOST_TABLES} more" if len(names) > _MOST_TABLES else ""
    there = Text("The tables are {shown}{more}.", shown=shown, more=more) if names else Text("There are no tables.")
    # A function, since a name may hold what a pattern means.
    sentence = _NO_TABLE.sub(lambda found: f"{found[1]} {there}", refusal.sentence)
    return Refusal(sentence, refusal.line, refusal.column, refusal.outgrown)


def _place(text: str, statement: str, lines_before: int) -> tuple[int | None, int | None]:
    """Line and column that DuckDB points at. It shows a part of a long line between dots, which says no column unless
    that part is found once.
    """
    found = _PLACE.search(text)
    if found is None:
        return None, None
    lines = statement.split("\n")
    number, shown = int(found[1]) + lines_before, found[2]
    if not 1 <= number <= len(lines):
        return None, None
    dots = 3 * shown.startswith("...")
    part = shown[dots:].removesuffix("...")
    line = lines[number - 1]
    if line.count(part) != 1:
        return number, None
    return number, line.index(part) + len(found[3]) - len(f"LINE {found[1]}: ") - dots + 1
