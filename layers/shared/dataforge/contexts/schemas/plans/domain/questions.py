"""What a target leaves open: something goes and something of like kind comes, and nothing says whether they are one.

A rename keeps rows and values, a drop beside an addition does not; whoever wrote the target is asked instead of guessed
at. The answers are in the target: the stable id of what goes, `previousName`, an id of its own for what comes beside
the known one of what goes, or an entry of `drops`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from dataforge.contexts.schemas.designs.domain.document import Design
from dataforge.contexts.schemas.designs.domain.model import Column, EnumType, Named, Schema, Table
from dataforge.contexts.schemas.designs.domain.types import UnknownType, resolve_type
from dataforge.contexts.schemas.plans.domain.renames import Rename
from dataforge.kernel.errors import Conflict

MOST_QUESTIONS = 50
_LIKE_NAMES = 0.75  # by SequenceMatcher: `created` and `created_at` are, `mail` and `email` too, `age` and `name` not
_LIKE_COLUMNS = 0.5  # of all columns that one of two tables has


class PossibleRename(Conflict):
    """Something goes and something of like kind comes: the target must say whether that is one thing under a new name.

    `questions` has each, with the places that can be it; nothing was planned.
    """

    code = "possible_rename"
    title = "Say whether this is a new name"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What something that goes may be called now, and where the target says so (JSON pointer)."""

    object: str
    pointer: str


@dataclass(frozen=True, slots=True)
class RenameQuestion:
    """Something that would go (`object`, named `name` today), and what comes that may be the same."""

    object: str
    name: str
    candidates: tuple[Candidate, ...]

    @property
    def message(self) -> str:
        """The question in words."""
        names = " or ".join(item.object for item in self.candidates)
        return (
            f"{self.object} would go and {names} would come. If it is the same under a new name, give it the id that "
            f"it has in the deployed target, or previousName {self.name!r}; if it shall go, name it in `drops`"
        )

    def out(self) -> dict[str, Any]:
        """The question in plain values."""
        return {
            "object": self.object,
            "previousName": self.name,
            "candidates": [{"object": item.object, "pointer": item.pointer} for item in self.candidates],
            "message": self.message,
        }


def check_questions(current: Schema, design: Design, before: Iterable[Named], renames: Collection[Rename]) -> None:
    """Raise PossibleRename when the target leaves open what is a new name and what is a loss."""
    questions = list(find_questions(current, design, before, renames))
    if not questions:
        return
    more = len(questions) - 1
    message = questions[0].message + (f" ({more} more)." if more else ".")
    raise PossibleRename(message, facts={"questions": [item.out() for item in questions[:MOST_QUESTIONS]]})


def find_questions(
    current: Schema, design: Design, before: Iterable[Named], renames: Collection[Rename]
) -> Iterator[RenameQuestion]:
    """Each thing of the live schema that would go while something like it comes, unless the target says what it is."""
    asker = _Asker(current, design, before, renames)
    yield from asker.outer("enum", current.enums, design.schema.enums, _like_enums)
    yield from asker.outer("domain", current.domains, design.schema.domains, asker.like)
    yield from asker.outer("sequence", current.sequences, design.schema.sequences, _like_sequences)
    # A table that becomes a part of another, or the other way round, is no question: it keeps its name.
    old = {name: table for name, table in current.tables.items() if name not in design.schema.partitions}
    new = {name: table for name, table in design.schema.tables.items() if name not in current.partitions}
    yield from asker.outer("table", old, new, asker.like_tables)
    yield from asker.columns()
    yield from asker.values()


class _Asker:
    def __init__(self, current: Schema, design: Design, before: Iterable[Named], renames: Collection[Rename]) -> None:
        self._current = current
        self._design = design
        self._renames = renames
        self._old_ids = {(item.kind, item.path, item.name) for item in before if item.stable_id is not None}
        self._new_ids = {(item.kind, item.path, item.name) for item in design.named if item.stable_id is not None}
        self._own = {*current.enums, *current.domains, *design.schema.enums, *design.schema.domains}

    def outer(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any], alike: Any) -> Iterator[RenameQuestion]:  # noqa: ANN401 - a function of two things of the kind
        """Questions about things that are in nothing else."""
        gone, come = self._moved(kind, (), old, new)
        for name in gone:
            likely = [other for other in come if alike(old[name], new[other])]
            yield from self._question(kind, ((), name), ((), likely))

    def columns(self) -> Iterator[RenameQuestion]:
        """Questions about columns of tables that stay."""
        for (old_table, table), old, new in self._holders("table", self._current.tables, self._design.schema.tables):
            gone, come = self._moved("column", (table,), old.columns, new.columns)
            for name in gone:
                likely = [other for other in come if self._like_columns(old.columns[name], new.columns[other])]
                yield from self._question("column", ((old_table,), name), ((table,), likely))

    def values(self) -> Iterator[RenameQuestion]:
        """Questions about values of enums that stay; a value that is mapped has been answered for."""
        for (old_enum, enum), old, new in self._holders("enum", self._current.enums, self._design.schema.enums):
            mapped = self._design.hints.values.get(enum, {})
            gone, come = self._moved("value", (enum,), dict.fromkeys(old.values), dict.fromkeys(new.values))
            for name in gone:
                if name not in mapped:
                    yield from self._question("value", ((old_enum,), name), ((enum,), come))

    def _holders(
        self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Iterator[tuple[tuple[str, str], Any, Any]]:
        """What stays, by its name now and its name then."""
        before = {item.new: item.old for item in self._renames if item.kind == kind}
        leaving = set(before.values())
        for name, thing in new.items():
            old_name = before.get(name, name)
            if old_name in old and (name in before or name not in leaving):
                yield (old_name, name), old[old_name], thing

    def _moved(
        self, kind: str, path: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> tuple[list[str], list[str]]:
        """The names that go, and those that come, renames left out; `path` has new names."""
        names = {item.old: item.new for item in self._renames if item.kind == kind and item.path == path}
        taken = set(names.values())
        stay = {name for name in old if name in new and name not in names and name not in taken}
        return [n for n in old if n not in names and n not in stay], [
            n for n in new if n not in taken and n not in stay
        ]

    def _question(
        self, kind: str, gone: tuple[tuple[str, ...], str], come: tuple[tuple[str, ...], list[str]]
    ) -> Iterator[RenameQuestion]:
        (old_path, name), (path, likely) = gone, come
        thing = f"{kind} {'.'.join((*path, name))}"
        if {thing, f"{kind} {'.'.join((*old_path, name))}"} & set(self._design.drops):
            return
        if (kind, old_path, name) in self._old_ids:
            likely = [other for other in likely if (kind, path, other) not in self._new_ids]
        candidates = []
        for other in likely:
            label = f"{kind} {'.'.join((*path, other))}"
            place = self._design.places.get(label) or self._design.places.get(f"enum {path[0]}" if path else "", "")
            candidates.append(Candidate(label, place))
        if candidates:
            yield RenameQuestion(thing, name, tuple(candidates))

    def like(self, old: Any, new: Any) -> bool:  # noqa: ANN401 - columns or domains
        """Whether two things are of one type, its length aside."""
        return self._base(old.type) == self._base(new.type)

    def like_tables(self, old: Table, new: Table) -> bool:
        """Whether two tables have much in common."""
        ours, theirs = ({(item.name, self._base(item.type)) for item in table.columns.values()} for table in (old, new))
        return len(ours & theirs) >= _LIKE_COLUMNS * len(ours | theirs)

    def _like_columns(self, old: Column, new: Column) -> bool:
        if old.generated is not None or new.generated is not None:
            return False  # what is computed is never lost
        return self.like(old, new) or SequenceMatcher(None, old.name, new.name).ratio() >= _LIKE_NAMES

    def _base(self, kind: str) -> str:
        with suppress(UnknownType):
            kind, _, _ = resolve_type(kind, self._own)
        return kind.partition("(")[0]


def _like_enums(old: EnumType, new: EnumType) -> bool:
    return 2 * len({*old.values} & {*new.values}) >= len({*old.values, *new.values})


def _like_sequences(old: Any, new: Any) -> bool:  # noqa: ANN401 - sequences
    return old.owner is None and new.owner is None and old.type == new.type
