"""What the statements of a kept plan need of the trash, where things are deleted after a while."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dataforge.contexts.schemas.designs.domain.names import quoted, trash_of

_NAME = r'"((?:[^"]|"")+)"'


@dataclass(frozen=True, slots=True)
class TrashUse:
    """Names of tables in the trash: those that must be there, and those that must be free."""

    needed: frozenset[str]
    made: frozenset[str]

    def missing(self, there: Collection[str]) -> list[str]:
        """What must be there and is not."""
        return sorted(self.needed.difference(there))

    def taken(self, there: Collection[str]) -> list[str]:
        """What must be free and is not."""
        return sorted(self.made.intersection(there))


def trash_use(statements: Iterable[str], namespace: str) -> TrashUse:
    """How statements that are run in this order use the trash of a schema.

    A plan makes nothing under a name that was taken when it was made: what it makes, it needs nobody to have made.
    """
    trash = re.escape(quoted(trash_of(namespace)))
    # Texts are passed over: a comment may say anything. Other names are, so that a quote in one begins no text.
    named = re.compile(rf"""'(?:[^']|'')*'|{trash}\.{_NAME}|"(?:[^"]|"")*\"""")
    moved = re.compile(rf"ALTER TABLE {_NAME} SET SCHEMA {trash}")
    created = re.compile(rf"CREATE TABLE {trash}\.{_NAME}")
    used: set[str] = set()
    made: set[str] = set()
    for sql in statements:
        used |= {_plain(name) for name in named.findall(sql) if name}
        if (found := moved.fullmatch(sql) or created.match(sql)) is not None:
            made.add(_plain(found[1]))
    return TrashUse(frozenset(used - made), frozenset(made))


def _plain(name: str) -> str:
    return name.replace('""', '"')
