"""Versions of a dataset: their history, branches and tags, what differs between them, and merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dataforge_client.diffs import Diff, read_diff
from dataforge_client.flows import Flow, M, Pages, listing, operation
from dataforge_client.models import Commit, CommitResult, MergePreview, Ref, Sheet, parse
from dataforge_client.naming import DATASETS, OneDataset


class Versions(OneDataset[M]):
    """What can be done with versions; a `version` is a branch, a tag or a commit id."""

    @operation
    def sheets(self, version: str | None = None) -> Flow[list[Sheet]]:
        """The tables of a version."""
        answer = yield from self._session.get_json((yield from self._path(version, "tables")))
        return [parse(Sheet, table) for table in answer["tables"]]

    @operation
    def schema(self, version: str | None = None, *, sheet: str | None = None) -> Flow[list[dict[str, Any]]]:
        """The columns of the tables of a version, with types and keys."""
        answer = yield from self._session.get_json((yield from self._path(version, "schema")), {"sheet": sheet})
        return list(answer["sheets"])

    @operation
    def diff(
        self,
        base: str,
        head: str | None = None,
        *,
        sheet: str | None = None,
        column: str | None = None,
        since: Literal["base", "merge_base"] = "base",
        limit: int = 10_000,
    ) -> Flow[Diff]:
        """What changed from `base` to `head` (the default branch): up to `limit` rows.

        `since="merge_base"` is what `head` did since it left `base`.
        """
        info = yield from self._resolved()
        asked = {"base": base, "head": head or info.default_branch, "sheet": sheet, "column": column, "since": since}
        return (yield from read_diff(self._session, info.id, asked, limit))

    @operation
    def merge(
        self,
        source: str,
        into: str | None = None,
        *,
        message: str | None = None,
        rule: Literal["ours", "theirs"] | None = None,
        resolutions: Sequence[Mapping[str, Any]] = (),
    ) -> Flow[CommitResult]:
        """Merge a version into a branch, by row and cell; raises MergeConflict where nothing decides."""
        body = {"source": source, "message": message, "rule": rule, "resolutions": list(resolutions)}
        answer = yield from self._session.send_json("POST", (yield from self._path(into, "merge")), body)
        return parse(CommitResult, answer)

    @operation
    def preview_merge(
        self, source: str, into: str | None = None, *, rule: Literal["ours", "theirs"] | None = None
    ) -> Flow[MergePreview]:
        """What `merge` would do, and the conflicts in its way."""
        body = {"source": source, "rule": rule, "preview": True}
        answer = yield from self._session.send_json("POST", (yield from self._path(into, "merge")), body)
        return parse(MergePreview, answer)

    @listing
    def log(self, version: str | None = None) -> Pages[Commit]:
        """The commits of a version, newest first."""
        return lambda: self._pages(version, "history", "commits")

    def _pages(self, version: str | None, what: str, items: str) -> Flow[Any]:
        path = yield from self._path(version, what)
        return (yield from self._session.pages(path, None, lambda item: parse(Commit, item), items=items)())

    @listing
    def refs(self, kind: Literal["branch", "tag"] | None = None) -> Pages[Ref]:
        """The branches and tags."""
        return lambda: self._ref_pages(kind)

    def _ref_pages(self, kind: str | None) -> Flow[Any]:
        info = yield from self._resolved()
        path = f"{DATASETS}/{info.id}/refs"
        return (yield from self._session.pages(path, {"kind": kind}, lambda item: parse(Ref, item))())

    @operation
    def branch(self, name: str, at: str | None = None) -> Flow[Ref]:
        """Make a branch at a version."""
        return (yield from self._new_ref(name, "branch", at))

    @operation
    def tag(self, name: str, at: str | None = None) -> Flow[Ref]:
        """Make a tag at a version."""
        return (yield from self._new_ref(name, "tag", at))

    def _new_ref(self, name: str, kind: str, at: str | None) -> Flow[Ref]:
        info = yield from self._resolved()
        body = {"name": name, "kind": kind, "at": at}
        return parse(Ref, (yield from self._session.send_json("POST", f"{DATASETS}/{info.id}/refs", body)))

    @operation
    def delete_ref(self, name: str) -> Flow[None]:
        """Remove a branch or tag; its commits stay."""
        yield from self._session.delete((yield from self._path(name)))
