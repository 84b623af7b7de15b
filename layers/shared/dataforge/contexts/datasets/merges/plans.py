"""Three-way merges of whole versions, sheet by sheet; revert and cherry-pick are merges with another base."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.commits.domain import CommitTable, NewCommit
from dataforge.contexts.datasets.commits.queries import merge_base
from dataforge.contexts.datasets.commits.versions import Authorship, Version, Versions, changes_of
from dataforge.kernel.errors import Conflict
from dataforge.kernel.texts import Text
from versioned_tables.errors import ColumnConflict, MergeConflicts
from versioned_tables.format.manifest import Manifest
from versioned_tables.merge.conflicts import Resolution, Rule
from versioned_tables.merge.merging import merge
from versioned_tables.schema.names import sql_name

CONFLICTS_LISTED = 100
COLUMNS = "columns"
NAMES = "sheet_names"


class NoParent(Conflict):
    """The first commit has nothing before it to compare with."""

    code = "no_parent"
    title = "The commit has no parent"


@dataclass(frozen=True, slots=True)
class Resolutions:
    """How conflicts end: by rule, or one by one as sheet -> row id -> resolution."""

    rule: Rule | None = None
    rows: Mapping[str, Mapping[str, Resolution]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What a merge would do: fast-forward, nothing, or new tables; `conflicts` that are left stand in its way."""

    base: Version | None
    ours: Version
    theirs: Version
    tables: Mapping[str, Manifest]
    conflicts: Sequence[dict[str, Any]] = ()
    fast_forward: bool = False
    up_to_date: bool = False

    def require(self) -> None:
        """Raise MergeConflicts listing the first hundred, with the rows of all sides."""
        if self.conflicts:
            details = [str(item["detail"]) for item in self.conflicts if item["detail"] is not None]
            message = " ".join(details) or (
                f"{len(self.conflicts)} conflict(s): rows were changed on both sides. Resolve them by `rule` or one by "
                "one in `resolutions`."
            )
            facts = {"conflict_count": len(self.conflicts), "conflicts": list(self.conflicts[:CONFLICTS_LISTED])}
            raise MergeConflicts(message, facts=facts)


async def plan_merge(versions: Versions, dataset_id: UUID, ours: str, theirs: str, resolving: Resolutions) -> MergePlan:
    """What merging `theirs` into `ours` does; both by branch, tag or commit id."""
    our_version, their_version = await versions.load(dataset_id, ours), await versions.load(dataset_id, theirs)
    async with versions.database.read_only() as connection:
        common = await merge_base(connection, dataset_id, our_version.commit_id, their_version.commit_id)
    if common == their_version.commit_id:
        return MergePlan(our_version, our_version, their_version, our_version.manifests, up_to_date=True)
    if common == our_version.commit_id:
        return MergePlan(our_version, our_version, their_version, their_version.manifests, fast_forward=True)
    base = None if common is None else await versions.load(dataset_id, common)
    return await three_way(versions, base, our_version, their_version, resolving)


async def three_way(
    versions: Versions, base: Version | None, ours: Version, theirs: Version, resolving: Resolutions
) -> MergePlan:
    """What `theirs` changed since `base`, brought into `ours`."""
    return await asyncio.to_thread(_three_way, versions, base, ours, theirs, resolving)


async def plan_pick(
    versions: Versions, dataset_id: UUID, onto: str, commit: str, resolving: Resolutions, *, undo: bool
) -> MergePlan:
    """What a cherry-pick (or with `undo` a revert) of one commit does; merges count against their first parent."""
    head, picked = await versions.load(dataset_id, onto), await versions.load(dataset_id, commit)
    if picked.parent is None:
        message = Text("Commit {commit} is the first of its dataset; there is nothing before it.", commit=commit)
        raise NoParent(message)
    parent = await versions.load(dataset_id, picked.parent)
    base, theirs = (picked, parent) if undo else (parent, picked)
    return await three_way(versions, base, head, theirs, resolving)


async def sheet_changes(versions: Versions, plan: MergePlan) -> dict[str, dict[str, int]]:
    """Rows that a plan inserts, updates and deletes in each sheet of ours or of the result."""
    return await asyncio.to_thread(_sheet_changes, versions, plan)


def _sheet_changes(versions: Versions, plan: MergePlan) -> dict[str, dict[str, int]]:
    store, before = versions.store(plan.ours.dataset_id), plan.ours.manifests
    return {
        sheet: changes_of(store, before.get(sheet), plan.tables.get(sheet))
        for sheet in dict.fromkeys([*plan.tables, *before])
    }


async def forwarded_tables(versions: Versions, plan: MergePlan) -> tuple[CommitTable, ...]:
    """The tables of theirs with what changed since ours, for a branch that is only moved forward."""
    changes = await sheet_changes(versions, plan)
    return tuple(replace(table.row, changes=changes[sheet]) for sheet, table in plan.theirs.tables.items())


def commit_of(versions: Versions, plan: MergePlan, by: Authorship, *, joins: bool) -> NewCommit | None:
    """The commit of a plan without conflicts; `joins` makes `theirs` its second parent. Blocks."""
    plan.require()
    return versions.prepare(plan.ours, plan.tables, by, merge_parent=plan.theirs.commit_id if joins else None)


def _three_way(
    versions: Versions, base: Version | None, ours: Version, theirs: Version, resolving: Resolutions
) -> MergePlan:
    before = base.manifests if base is not None else {}
    mine, others = ours.manifests, theirs.manifests
    tables: dict[str, Manifest] = {}
    conflicts: list[dict[str, Any]] = []
    for sheet in dict.fromkeys([*mine, *others]):
        merged, found = _sheet(
            versions, ours.dataset_id, sheet, before.get(sheet), mine.get(sheet), others.get(sheet), resolving
        )
        conflicts.extend(found)
        if merged is not None:
            tables[sheet] = merged
    return MergePlan(base, ours, theirs, tables, [*conflicts, *_alike_names(tables)])


def _alike_names(sheets: Iterable[str]) -> list[dict[str, Any]]:
    """A conflict for each sheet whose name another one has in other capitals: each side made one of them."""
    known: dict[str, str] = {}
    found = []
    for sheet in sheets:
        other = known.setdefault(sql_name(sheet), sheet)
        if other != sheet:
            detail = Text(
                "The tables {other!r} and {sheet!r} differ only in capitals, which SQL does not tell apart; "
                "drop one of them first.",
                other=other,
                sheet=sheet,
            )
            found.append(_conflict(sheet, "", NAMES, detail=detail))
    return found


def _same(one: Manifest | None, other: Manifest | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.digest == other.digest and one.schema == other.schema


def _succeeding(ours: Manifest | None, theirs: Manifest | None) -> Manifest | None:
    """Theirs in place of ours: a name that ours has left behind stays left behind, also when theirs is older."""
    if ours is None or theirs is None:
        return theirs
    return replace(theirs, schema=theirs.schema.after(ours.schema))


def _sheet(
    versions: Versions,
    dataset_id: UUID,
    sheet: str,
    base: Manifest | None,
    ours: Manifest | None,
    theirs: Manifest | None,
    resolving: Resolutions,
) -> tuple[Manifest | None, list[dict[str, Any]]]:
    if _same(base, theirs) or _same(ours, theirs):
        return ours, []
    if _same(base, ours):
        return _succeeding(ours, theirs), []
    resolutions = resolving.rows.get(sheet, {})
    if ours is None or theirs is None:
        whole = resolutions.get("")
        taken = whole.take if whole is not None else resolving.rule
        if taken is not None:
            return {"ours": ours, "theirs": theirs, "base": base}[taken], []
        kind = "sheet_deleted_by_us" if ours is None else "sheet_deleted_by_them"
        return ours, [_conflict(sheet, "", kind)]
    store = versions.store(dataset_id)
    base = base if base is not None else _root(ours)
    try:
        result = merge(
            store,
            base,
            ours,
            theirs,
            rule=resolving.rule,
            column_rule=_column_rule(resolutions),
            resolutions=resolutions,
        )
        columns = []
    except ColumnConflict as error:
        columns = [_conflict(sheet, "", COLUMNS, detail=error.detail)]
        try:
            # What is in conflict besides the columns, and what a merge would do to the rest.
            result = merge(store, base, ours, theirs, rule=resolving.rule, column_rule="ours", resolutions=resolutions)
        except ColumnConflict:
            return ours, columns
    found = [
        _conflict(sheet, one.row_id, one.kind, one.columns, one.base, one.ours, one.theirs) for one in result.conflicts
    ]
    return result.settled, columns + found


def _column_rule(resolutions: Mapping[str, Resolution]) -> Rule | None:
    """What was said about the sheet as a whole."""
    whole = resolutions.get("")
    return whole.take if whole is not None and whole.take != "base" else None


def _root(table: Manifest) -> Manifest:
    """What two tables that came up apart have in common: the key, and no rows."""
    return Manifest(replace(table.schema, columns=table.schema.key_columns, generations=()))


def _conflict(
    sheet: str,
    row_id: str,
    kind: str,
    columns: Sequence[str] = (),
    base: Mapping[str, object] | None = None,
    ours: Mapping[str, object] | None = None,
    theirs: Mapping[str, object] | None = None,
    detail: str | None = None,
) -> dict[str, Any]:
    return {
        "sheet_name": sheet,
        "row_id": row_id,
        "kind": kind,
        "columns": list(columns),
        "base": base,
        "ours": ours,
        "theirs": theirs,
        "detail": detail,
    }
