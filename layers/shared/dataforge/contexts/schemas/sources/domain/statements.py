"""SQL as single statements, each as PostgreSQL's own parser reads it.

The parser is libpg_query in the version of a newer PostgreSQL: what it accepts is not yet what the server accepts.
It walks trees by recursion, so that a statement with very many tokens could end the process: those are refused before.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from dataforge.contexts.schemas.sources.domain.dumps import without_psql
from dataforge.contexts.schemas.sources.domain.source import Source
from dataforge.kernel.texts import Text

MAX_STATEMENTS = 20_000
MAX_TOKENS = 12_000  # of one statement; a table with 1,600 columns has less
# PostgreSQL reads a row of such signs once more for each comment in it: a long one would take hours.
_SIGNS = re.compile(rb"[~!@#^&|`?+\-*/%<>=]{1001}")
Node = Mapping[str, Any]


class Token(NamedTuple):
    """A token: its kind as the parser names it, and where it stands."""

    kind: str
    start: int
    end: int


class Edit(NamedTuple):
    """Bytes of the source that are replaced."""

    start: int
    end: int
    text: bytes


@dataclass(slots=True)
class ReadStatement:
    """A statement: the tag of its tree, the tree, its tokens, and what is changed before it is run."""

    tag: str
    tree: Node
    start: int
    end: int
    tokens: list[Token]
    edits: list[Edit] = field(default_factory=list)

    def place(self, location: int | None) -> int:
        """The offset in the source of a location in the tree."""
        return self.start + (location or 0)

    def sql(self, data: bytes) -> bytes:
        """The text that is run."""
        parts, copied = [], self.start
        for edit in sorted(self.edits):
            parts += [data[copied : edit.start], edit.text]
            copied = edit.end
        return b"".join([*parts, data[copied : self.end]])

    def place_of(self, data: bytes, position: int) -> int:
        """The offset in the source of a character, counted from 1, of the text that is run."""
        offset = len(self.sql(data).decode()[: position - 1].encode())
        at = self.start
        for edit in sorted(self.edits):
            if at + offset <= edit.start:
                break
            offset -= edit.start - at + len(edit.text)
            at = edit.end
            if offset <= 0:
                return edit.start
        return min(at + offset, self.end)


def read_statements(source: Source) -> list[ReadStatement]:
    """The statements of a text; what cannot be read becomes a problem of the source."""
    data = without_psql(source)
    found = []
    for number, tokens in enumerate(_split(data, source)):
        if number == MAX_STATEMENTS:
            source.refuse(
                tokens[0].start,
                Text("{max_statements:,} statements are the most", max_statements=MAX_STATEMENTS),
                "too_long",
            )
            break
        statement = _parse(data, tokens, source)
        if statement is not None:
            found.append(statement)
    return found


def _split(data: bytes, source: Source) -> Iterator[list[Token]]:
    """The tokens of each statement, without comments: a semicolon outside of parentheses ends it."""
    tokens: list[Token] = []
    depth = 0
    for token in _scan(data, source):
        if token.kind in ("SQL_COMMENT", "C_COMMENT"):
            continue
        if token.kind == "ASCII_59" and depth <= 0:
            if tokens:
                yield tokens
            tokens, depth = [], 0
            continue
        depth += (token.kind == "ASCII_40") - (token.kind == "ASCII_41")
        tokens.append(token)
    if tokens:
        yield tokens


def _scan(data: bytes, source: Source) -> list[Token]:
    from postgast import PgQueryError, scan
    from postgast.pg_query_pb2 import Token as Kinds

    if (signs := _SIGNS.search(data)) is not None:
        source.refuse(signs.start(), Text("a row of more than 1,000 signs is not read"), "too_long")
        return []
    try:
        found = scan(data.decode()).tokens
    except PgQueryError as error:
        source.refuse(max(0, error.cursorpos - 1), error.message, "syntax")
        return []
    names: dict[int, str] = {value: name for name, value in Kinds.items()}
    return [Token(names.get(item.token, ""), item.start, item.end) for item in found]


_ROWS = {"INSERT": "InsertStmt", "COPY": "CopyStmt"}


def _parse(data: bytes, tokens: list[Token], source: Source) -> ReadStatement | None:
    start, end = tokens[0].start, tokens[-1].end
    if tokens[0].kind in _ROWS:  # they are not run, and may be very long
        return ReadStatement(_ROWS[tokens[0].kind], {}, start, end, tokens[:1])
    if len(tokens) > MAX_TOKENS:
        source.refuse(
            start, Text("the statement has more than {max_tokens:,} words and signs", max_tokens=MAX_TOKENS), "too_long"
        )
        return None
    parsed = _tree(data[start:end], start, source)
    if parsed is None:
        return None
    [(tag, tree)] = parsed["stmts"][0]["stmt"].items()
    return ReadStatement(tag, tree, start, end, tokens)


def _tree(sql: bytes, start: int, source: Source) -> Node | None:
    # The tree as JSON: messages of protobuf end at a depth that long sums of texts reach.
    from postgast.errors import PgQueryError, check_error
    from postgast.native import lib

    result = lib.pg_query_parse(sql)
    try:
        check_error(result)
        found: Node = orjson.loads(result.parse_tree)
    except PgQueryError as error:
        source.refuse(start + max(0, error.cursorpos - 1), error.message, "syntax")
        return None
    except orjson.JSONDecodeError:
        source.refuse(start, Text("the statement is nested too deeply"), "too_deep")
        return None
    finally:
        lib.pg_query_free_parse_result(result)
    return found


def nodes(tree: object) -> Iterator[Node]:
    """All nodes of a tree, those inside after those around them."""
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def names_of(items: object) -> list[str]:
    """The parts of a name that the parser gives as a list of strings."""
    if not isinstance(items, list):
        return []
    return [item["String"].get("sval", "") for item in items if isinstance(item, dict) and "String" in item]
