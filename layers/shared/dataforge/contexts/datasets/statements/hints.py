"""What may be meant by a table that the engine does not know: a dataset without its version, a report without its
schema, or with one that is nearly right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from dataforge.contexts.datasets.commits.versions import Versions
from dataforge.contexts.datasets.datasets.queries import readable_names
from dataforge.contexts.datasets.statements.relations import SCHEMA
from dataforge.kernel.principal import Principal
from dataforge.kernel.texts import Text
from versioned_tables.errors import SqlRefused

_NO_TABLE = re.compile(
    r'\ACatalog Error: Table with name (?:"(?P<schema>[^".]+)\.(?P<within>[^".]+)"|(?P<name>.+?)) does not'
)
_PLAIN = re.compile(r"[^\W\d][\w$]*")


async def with_hint(versions: Versions, principal: Principal, reports: Sequence[str], error: SqlRefused) -> SqlRefused:
    """The same refusal, with the table that may be meant where it says that there is none of a name."""
    found = _NO_TABLE.match(str(error))
    if found is None:
        return error
    near = _near_report(found["schema"], found["within"] or found["name"], reports)
    if near is None and found["name"] is not None:
        async with versions.database.read_only() as connection:
            near = _near_dataset(found["name"], await readable_names(connection, principal))
    if near is None:
        return error
    message = Text("{sentence} Did you mean {near}?", sentence=_ended(str(error)), near=near)
    return SqlRefused(message, facts=error.facts)


def _near_report(schema: str | None, name: str, reports: Sequence[str]) -> str | None:
    near = get_close_matches(name.lower(), reports, n=1, cutoff=0.8)
    if not near or (schema is not None and not get_close_matches(schema.lower(), [SCHEMA], n=1)):
        return None
    return f"{SCHEMA}.{near[0]}"


def _near_dataset(name: str, names: Sequence[str]) -> str | None:
    near = get_close_matches(name, names, n=1, cutoff=0.8)
    if not near:
        return None
    quoted = near[0].replace('"', '""')
    return (near[0] if _PLAIN.fullmatch(near[0]) else f'"{quoted}"') + "@main"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
