"""Names in SQL: quoting, length, generated names, and which PostgreSQL schema belongs to a workspace."""

import hashlib
import re
from collections.abc import Iterable
from itertools import chain, count
from uuid import UUID

MAX_NAME_BYTES = 63  # NAMEDATALEN - 1: PostgreSQL would cut longer names silently
NAMESPACE = re.compile(r"ws_[0-9a-f]{16}")
# Tables in the schema of a workspace that no target describes: the revision, and what a deployment has done.
VERSION_TABLE, JOURNAL_TABLE = "alembic_version", "deployment_journal"
RESERVED = frozenset(f"{name}{tail}" for name in (VERSION_TABLE, JOURNAL_TABLE) for tail in ("", "_pkey"))
_PIECES = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|.""", re.DOTALL)
SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
# The words that need quotes as names of tables or columns: PostgreSQL 16, appendix C, "reserved", and those that are
# reserved but for functions and types.
_RESERVED_WORDS = (
    "all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create "
    "current_catalog current_date current_role current_time current_timestamp current_user default deferrable "
    "desc distinct do else end except false fetch for foreign from grant group having in initially intersect into "
    "lateral leading limit localtime localtimestamp not null offset on only or order placing primary references "
    "returning select session_user some symmetric system_user table then to trailing true union unique user using "
    "variadic when where window with authorization binary collation concurrently cross current_schema freeze full "
    "ilike inner is isnull join left like natural notnull outer overlaps right similar tablesample verbose"
)
KEYWORDS = frozenset(_RESERVED_WORDS.split())


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quoted_list(names: Iterable[str]) -> str:
    """Names as a list of SQL identifiers."""
    return ", ".join(quoted(name) for name in names)


def literal(text: str) -> str:
    """A text as an SQL literal (standard_conforming_strings is on)."""
    return "'" + text.replace("'", "''") + "'"


def split_list(text: str) -> list[str]:
    """The parts of a list in SQL: a comma within parentheses, brackets or quotes separates nothing."""
    parts = [""]
    depth = 0
    for piece in _PIECES.findall(text):
        depth += (piece in "([") - (piece in ")]")
        if piece == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts]


def storage_parameters(options: Iterable[str]) -> str:
    """Options such as `fillfactor=70` as a list in SQL."""
    pairs = (option.partition("=") for option in options)
    return ", ".join(f"{key} = {literal(value)}" if value else key for key, _, value in pairs)


def cut(text: str, most: int = MAX_NAME_BYTES) -> str:
    """The beginning of a text that fits into so many bytes of UTF-8."""
    return text.encode()[:most].decode(errors="ignore")


def generated_name(*parts: str, taken: Iterable[str] = ()) -> str:
    """A name of joined parts that fits; one that is too long or taken ends in a digest of its parts."""
    name = "_".join(parts)
    if len(name.encode()) <= MAX_NAME_BYTES and name not in taken:
        return name
    known = set(taken)
    # Thousands of one name find their own without trying those of all the others.
    for turn in chain(range(100), count(100 + len(known))):
        digest = hashlib.sha256(f"{name}/{turn}".encode()).hexdigest()[:8]
        shorter = f"{cut(name, MAX_NAME_BYTES - 9)}_{digest}"
        if shorter not in known:
            return shorter
    raise AssertionError  # there is always one more number


def namespace_of(workspace_id: UUID) -> str:
    """The PostgreSQL schema of a workspace: `ws_` and the random half of its id; never one of the platform."""
    return f"ws_{workspace_id.hex[16:]}"


def trash_of(namespace: str) -> str:
    """The PostgreSQL schema beside one of a workspace, where what was dropped is kept for a while."""
    return f"{namespace}_trash"


def mentions(text: str, name: str) -> bool:
    """Whether an SQL text may mean the name: it stands there as a word of its own, quoted or not."""
    return bool(re.search(_word(name), text))


def reads(query: str, name: str) -> bool:
    """Whether the name stands in a query where a relation may stand."""
    return bool(re.search(rf'(?:(?i:\b(?:from|join|only|table))\s+|[,(]\s*)"?{_word(name)}', query))


def _word(name: str) -> str:
    # Without quotes, a name in small letters may be written in any.
    flags = "(?i:" if name == name.lower() else "(?:"
    return rf"(?<![\w$]){flags}{re.escape(name.replace(chr(34), chr(34) * 2))})(?![\w$])"
