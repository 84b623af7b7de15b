"""What is new, changed or dropped in a schema, for pictures and texts of a plan or of a difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """What happens to something."""

    ADDED = "added"
    CHANGED = "changed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Mark:
    """What happens to something; `words` say more, such as `was varchar(10)`."""

    state: State
    words: str = ""


# By the kind of a thing and its path: a table, view, type, sequence or partition has its name; a column,
# constraint, index or value has the name of its table or enum before its own.
Marks = Mapping[tuple[str, ...], Mark]
NO_MARKS: Marks = MappingProxyType({})
SIGNS = {State.ADDED: "+", State.CHANGED: "~", State.DROPPED: "\N{MINUS SIGN}"}
