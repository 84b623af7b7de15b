"""Which names change, found by stable ids, else by `previousName`; and the statements that change them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from dataforge.contexts.schemas.designs.domain.document import Design
from dataforge.contexts.schemas.designs.domain.model import Named, Schema
from dataforge.contexts.schemas.designs.domain.names import generated_name, literal, quoted

_NOUNS = {
    "table": "TABLE",
    "partition": "TABLE",
    "view": "VIEW",
    "materialized view": "MATERIALIZED VIEW",
    "sequence": "SEQUENCE",
    "enum": "TYPE",
    "domain": "DOMAIN",
    "composite": "TYPE",
    "range": "TYPE",
}
_TYPES = ("enum", "domain", "composite", "range")
_HOLDERS = {"column": "table", "value": "enum"}
Scope = tuple[str, tuple[str, ...]]
NameKey = tuple[str, tuple[str, ...], str]
Known = Mapping[tuple[str, tuple[str, ...], str | None], Named]


@dataclass(frozen=True, slots=True)
class Rename:
    """A new name for something; `path` holds the new names of what it is in."""

    kind: str
    path: tuple[str, ...]
    old: str
    new: str

    @property
    def sql(self) -> str:
        """The statement."""
        if self.kind == "column":
            return f"ALTER TABLE {quoted(self.path[0])} RENAME COLUMN {quoted(self.old)} TO {quoted(self.new)}"
        if self.kind == "value":
            return f"ALTER TYPE {quoted(self.path[0])} RENAME VALUE {literal(self.old)} TO {literal(self.new)}"
        return f"ALTER {_NOUNS[self.kind]} {quoted(self.old)} RENAME TO {quoted(self.new)}"

    @property
    def object(self) -> str:
        """What is renamed, by its new name."""
        return f"{self.kind} {'.'.join((*self.path, self.new))}"


def find_renames(current: Schema, named: Iterable[Named], before: Iterable[Named]) -> list[Rename]:
    """The renames between the deployed document and a new one, those of tables and types first.

    A thing that is in the schema under its new name already, and by no stable id another, has not been renamed.
    """
    earlier = list(before)
    known: Known = {(item.kind, item.path, item.stable_id): item for item in earlier if item.stable_id is not None}
    leaving = _leaving(named := list(named), earlier)
    by_kind: dict[str, list[Rename]] = defaultdict(list)
    outer: dict[tuple[str, str], str] = {}  # (kind, new name) -> old name
    inner_things: list[Named] = []
    for item in named:
        if item.kind in ("column", "value"):
            inner_things.append(item)
            continue
        old = _old_name(item, known, _names(current, item.kind), leaving)
        if old is not None:
            kind = _precise(item.kind, old, current)
            by_kind[kind].append(Rename(kind, (), old, item.name))
            outer[item.kind, item.name] = old
    for item in inner_things:
        holder = "table" if item.kind == "column" else "enum"
        old_holder = outer.get((holder, item.path[0]), item.path[0])
        found = _inner_names(current, item.kind, old_holder)
        old = _old_name(item, known, found, leaving, (old_holder,))
        if old is not None:
            by_kind[item.kind].append(Rename(item.kind, item.path, old, item.name))
    return [rename for kind in (*_NOUNS, "column", "value") for rename in by_kind[kind]]


def _leaving(named: Collection[Named], before: Collection[Named]) -> set[tuple[str, tuple[str, ...], str]]:
    """Names that others had before, by what targets say that have not been deployed with it yet."""
    done = {(item.kind, item.path, item.name, item.previous) for item in before if item.previous}
    return {
        (item.kind, item.path, item.previous)
        for item in named
        if item.previous and (item.kind, item.path, item.name, item.previous) not in done
    }


def _old_name(
    item: Named,
    known: Known,
    present: set[str],
    leaving: set[tuple[str, tuple[str, ...], str]],
    holder: tuple[str, ...] = (),
) -> str | None:
    previous = known.get((item.kind, holder, item.stable_id)) if item.stable_id is not None else None
    if previous is not None:
        return previous.name if previous.name != item.name and previous.name in present else None
    if not item.previous or item.previous == item.name or item.previous not in present:
        return None
    # Its new name may be there still when whoever has it gets another one.
    free = (
        item.name not in present
        or {(item.kind, item.path, item.name), (item.kind, item.path, item.previous)} <= leaving
    )
    return item.previous if free else None


def _names(current: Schema, kind: str) -> set[str]:
    found: dict[str, Mapping[str, object]] = {
        "table": current.tables,
        "partition": current.partitions,
        "view": current.views,
        "sequence": current.sequences,
        "enum": current.enums,
        "domain": current.domains,
        "composite": current.composites,
        "range": current.ranges,
    }
    return set(found[kind])


def _precise(kind: str, name: str, current: Schema) -> str:
    return "materialized view" if kind == "view" and current.views[name].materialized else kind


def _inner_names(current: Schema, kind: str, holder: str) -> set[str]:
    if kind == "column":
        return set(current.tables[holder].columns) if holder in current.tables else set()
    return set(current.enums[holder].values) if holder in current.enums else set()


def order_renames(renames: Collection[Rename], current: Schema) -> list[Rename]:
    """Renames that can be run one after the other: swaps and chains go by way of names of their own.

    What holds a wanted name and is not renamed itself (it will be dropped) is moved out of the way.
    """
    scopes: dict[Scope, list[Rename]] = defaultdict(list)
    old_holders = {item.new: item.old for item in renames if item.kind in ("table", "enum")}
    for rename in renames:
        scopes[_scope(rename)].append(rename)
    steps: list[Rename] = []
    for (kind, path), group in sorted(scopes.items(), key=lambda item: item[0][0] in ("column", "value")):
        steps += _ordered(group, kind, path, _present(kind, path, current, old_holders), current)
    return steps


def put_aside(renames: Iterable[Rename], ordered: Iterable[Rename]) -> list[Rename]:
    """Those of the steps of `order_renames` by which something leaves its name to something else and goes itself."""
    pairs = list(renames)
    leaving = {(*_scope(item), item.old) for item in pairs}
    wanted = {(*_scope(item), item.new) for item in pairs}
    return [
        item for item in ordered if (*_scope(item), item.old) not in leaving and (*_scope(item), item.new) not in wanted
    ]


def _scope(rename: Rename) -> Scope:
    if rename.kind in ("table", "partition", "view", "materialized view", "sequence"):
        return ("relation", ())
    return ("type", ()) if rename.kind in _TYPES else (rename.kind, rename.path)


def _ordered(group: list[Rename], kind: str, path: tuple[str, ...], present: set[str], current: Schema) -> list[Rename]:
    leaving = {rename.old for rename in group}
    first: list[Rename] = []
    free: list[Rename] = []
    last: list[Rename] = []
    for rename in group:
        if rename.new not in present:
            free.append(rename)
        elif rename.new in leaving:
            between = generated_name(rename.old, "renamed", taken=present)
            first.append(Rename(rename.kind, path, rename.old, between))
            last.append(Rename(rename.kind, path, between, rename.new))
        else:
            aside = generated_name(rename.new, "replaced", taken=present)
            first.append(Rename(_kind_of(rename.new, kind, current), path, rename.new, aside))
            free.append(rename)
    return first + free + last


def _present(kind: str, path: tuple[str, ...], current: Schema, old_holders: Mapping[str, str]) -> set[str]:
    if kind == "relation":
        return set(current.tables) | set(current.views) | set(current.sequences) | set(current.partitions)
    if kind == "type":
        return {name for word in _TYPES for name in _names(current, word)}
    return _inner_names(current, kind, old_holders.get(path[0], path[0]))


def _kind_of(name: str, kind: str, current: Schema) -> str:
    if kind in ("column", "value"):
        return kind
    if kind == "type":
        return next(word for word in _TYPES if name in _names(current, word))
    if name in current.tables or name in current.partitions:
        return "table"
    return _precise("view", name, current) if name in current.views else "sequence"


def inverse(renames: Iterable[Rename]) -> list[Rename]:
    """The renames back."""
    pairs = list(renames)
    back = {(item.kind, item.new): item.old for item in pairs}
    return [
        Rename(
            item.kind,
            tuple(back.get((_HOLDERS[item.kind], part), part) for part in item.path),
            item.new,
            item.old,
        )
        for item in pairs
    ]


def names_followed(design: Design, later: Iterable[Design]) -> list[Named]:
    """The names of a design of the past, each with what it has become in the designs after it as its previous name.

    Once something has gone, what comes later under its name is another thing.
    """
    return follow_names(design, later)[0]


def follow_names(design: Design, later: Iterable[Design]) -> tuple[list[Named], dict[NameKey, str]]:
    """Names as `names_followed` has them, and the last names of what has gone by its kind, path and name then."""
    now = {_key(item): (item.path, item.name) for item in design.named}
    gone: dict[NameKey, str] = {}
    last = design
    for step in later:
        moves = {
            (_plain(item.kind), item.path, item.old): item.new
            for item in find_renames(last.schema, step.named, last.named)
        }
        there = {_key(item) for item in step.named}
        holders = {
            (kind, name): moves.get((kind, (), name), name) for kind, path, name in map(_key, last.named) if not path
        }
        following: dict[NameKey, tuple[tuple[str, ...], str]] = {}
        for key, (path, name) in now.items():
            kind = key[0]
            new_path = tuple(holders.get((_HOLDERS[kind], part), part) for part in path)
            new_name = moves.get((kind, new_path, name), name)
            if (kind, new_path, new_name) in there:
                following[key] = (new_path, new_name)
            else:
                gone[key] = name
        now, last = following, step
    ends = {key: name for key, (_, name) in now.items()}
    return [replace(item, previous=ends.get(_key(item))) for item in design.named], gone


def _key(item: Named) -> NameKey:
    return (item.kind, item.path, item.name)


def _plain(kind: str) -> str:
    return "view" if kind == "materialized view" else kind
