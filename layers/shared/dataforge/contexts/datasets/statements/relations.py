"""Reports that a statement names as `reports.name` or `reports.name(parameter => 'value')` where a table stands.

A column may be called as a report is, so where in the statement a name is says what it is: after FROM, JOIN or a comma
between tables it is a table. DuckDB knows no parameters of tables in this form, so each reference becomes a table of
its own (`Replacement`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dataforge.contexts.datasets.statements.domain import BLANK, OPAQUE, QUOTED
from dataforge.kernel.texts import Text

SCHEMA = "reports"
_TOKEN = re.compile(
    rf"""
    (?P<blank>\s+|{BLANK})
    |(?P<text>'(?:''|[^'])*')
    |(?P<opaque>{OPAQUE})
    |(?P<name>{QUOTED}|[^\W\d][\w$]*)
    |(?P<number>\d+)(?![\w.])
    |(?P<sign>=>|:=|[\w$]+|.)
    """,
    re.DOTALL | re.VERBOSE,
)
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
# A table comes next, whatever the clause.
_TABLE_NEXT = frozenset({"join", "pivot", "unpivot", "table", "describe", "summarize"})
# What may stand between such a word, or a comma, and the table.
_BEFORE_TABLE = frozenset({"lateral", "only"})
# What ends the list of tables.
_AFTER_TABLES = frozenset(
    {"select", "where", "group", "having", "window", "qualify", "order", "limit", "offset", "fetch"}
) | frozenset({"union", "intersect", "except", "values"})
_TYPES = frozenset({"date", "timestamp", "timestamptz", "uuid", "interval"})
_FLAGS = frozenset({"true", "false"})


@dataclass(frozen=True, slots=True)
class ReportReference:
    """A report in a statement, from `start` to `stop` with its arguments, which are in order, named or not.

    `problem` says why it cannot be one; a reference that is the qualifier of a column (`reports.activity.learners`) has
    `is_table` false.
    """

    start: int
    stop: int
    name: str
    arguments: tuple[tuple[str | None, str | None], ...] = ()
    is_table: bool = True
    problem: str | None = None

    @property
    def report(self) -> str:
        """The name as reports have it."""
        return self.name.lower()

    @property
    def key(self) -> tuple[str, tuple[tuple[str | None, str | None], ...]]:
        """Equal for references to the same rows."""
        return self.report, self.arguments

    @property
    def shown(self) -> list[dict[str, str | None]]:
        """The arguments as answers have them."""
        return [{"name": name, "value": value} for name, value in self.arguments]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    stop: int

    @property
    def word(self) -> str:
        """A keyword, or a name without quotes, in small letters; empty for anything else."""
        return self.text.lower() if self.kind == "name" and not self.text.startswith('"') else ""

    @property
    def identifier(self) -> str:
        """The name that it is."""
        return self.text[1:-1].replace('""', '"') if self.text.startswith('"') else self.text


@dataclass(slots=True)
class _Clause:
    """What is between two parentheses, or the whole statement: whether its next word is a table."""

    table_next: bool = False
    among_tables: bool = False
    is_query: bool = False
    is_empty: bool = True


@dataclass(slots=True)
class _Reading:
    """A statement, token by token."""

    tokens: Sequence[_Token]
    at: int = 0
    clauses: list[_Clause] = field(default_factory=lambda: [_Clause(is_query=True)])

    def peek(self, ahead: int = 0) -> _Token | None:
        """A token without passing it."""
        place = self.at + ahead
        return self.tokens[place] if 0 <= place < len(self.tokens) else None

    def signs(self, *texts: str, ahead: int = 0) -> bool:
        """Whether these signs come next."""
        found = [self.peek(ahead + place) for place in range(len(texts))]
        return all(token is not None and token.text == text for token, text in zip(found, texts, strict=True))


def report_references(statement: str) -> Iterator[ReportReference]:
    """The reports that a statement names, in its order."""
    tokens = (found for found in _TOKEN.finditer(statement) if found["blank"] is None)
    reading = _Reading([_Token(str(found.lastgroup), found[0], found.start(), found.end()) for found in tokens])
    while (token := reading.peek()) is not None:
        clause = reading.clauses[-1]
        following = reading.peek(2)
        if (
            token.kind == "name"
            and token.identifier.lower() == SCHEMA
            and reading.signs(".", ahead=1)
            and following is not None
            and following.kind == "name"
            and not reading.signs(".", ahead=-1)
            and (reading.signs(".", ahead=3) is not clause.table_next)
        ):
            yield _reference(reading, token, following, is_table=clause.table_next)
            clause.table_next = clause.is_empty = False
        else:
            _pass(reading, token)


def _pass(reading: _Reading, token: _Token) -> None:
    """What a token says of what comes after it."""
    clause, word = reading.clauses[-1], token.word
    if token.text in _OPENING:
        inside = _Clause(clause.table_next, clause.table_next) if token.text == "(" else _Clause()
        reading.clauses.append(inside)
        clause.table_next = False
    elif token.text in _CLOSING and len(reading.clauses) > 1:
        reading.clauses.pop()
    elif token.text == ";":
        reading.clauses[:] = [_Clause(is_query=True)]
    elif token.text == ",":
        clause.table_next = clause.among_tables
    elif word == "from":
        clause.table_next = clause.among_tables = _names_tables(reading, clause)
        clause.is_query = clause.is_query or clause.table_next
    elif word in _TABLE_NEXT:
        clause.table_next = True
        clause.among_tables = clause.among_tables or word == "join"
    elif word in _AFTER_TABLES or word == "with":
        clause.table_next = clause.among_tables = False
        clause.is_query = True
    elif word not in _BEFORE_TABLE:
        clause.table_next = False
    clause.is_empty = False
    reading.at += 1


def _names_tables(reading: _Reading, clause: _Clause) -> bool:
    """Whether a FROM has tables after it: not in `extract(year FROM x)` and not in `x IS DISTINCT FROM y`."""
    before, earlier = reading.peek(-1), reading.peek(-2)
    if before is not None and before.word == "distinct" and earlier is not None and earlier.word in {"is", "not"}:
        return False
    return clause.is_query or clause.is_empty


def _reference(reading: _Reading, schema: _Token, name: _Token, *, is_table: bool) -> ReportReference:
    reading.at += 3
    if is_table and reading.signs("@"):
        problem = Text("Reports have no versions; ask as of an instant with `as_of` beside `sql`.")
        return ReportReference(schema.start, name.stop, name.identifier, problem=problem)
    if not is_table or not reading.signs("("):
        return ReportReference(schema.start, name.stop, name.identifier, is_table=is_table)
    reading.at += 1
    arguments: list[tuple[str | None, str | None]] = []
    problem = Text(
        "Arguments of a report are texts in single quotes, such as {name}(cohort_id => '…').",
        name=f"{SCHEMA}.{name.identifier}",
    )
    while not reading.signs(")"):
        if arguments and not reading.signs(","):
            return ReportReference(schema.start, name.stop, name.identifier, problem=problem)
        reading.at += bool(arguments)
        argument = _argument(reading)
        if argument is None:
            return ReportReference(schema.start, name.stop, name.identifier, problem=problem)
        arguments.append(argument)
    end = reading.tokens[reading.at]
    reading.at += 1
    return ReportReference(schema.start, end.stop, name.identifier, tuple(arguments))


def _argument(reading: _Reading) -> tuple[str | None, str | None] | None:
    """`name => value`, or a value; None where there is something else."""
    name = reading.peek()
    named = None
    if name is not None and name.kind == "name" and any(reading.signs(sign, ahead=1) for sign in ("=>", ":=", "=")):
        named = name.identifier
        reading.at += 2
    value = reading.peek()
    if value is not None and value.word in _TYPES:  # DATE '2026-03-01'
        reading.at += 1
        value = reading.peek()
        if value is None or value.kind != "text":
            return None
    if value is None:
        return None
    reading.at += 1
    if value.kind == "text":
        return named, value.text[1:-1].replace("''", "'")
    if value.kind == "number" or value.word in _FLAGS:
        return named, value.text
    return (named, None) if value.word == "null" else None
