"""What routes that make commits share: the version they build on, and the answer."""

from collections.abc import Sequence
from functools import partial

from starlette.responses import Response

from dataforge.contexts.datasets.commits import wire
from dataforge.contexts.datasets.commits.commands import PublishCommit, publish_commit
from dataforge.contexts.datasets.commits.domain import CommitNotFound, NewCommit, Published, is_commit_id
from dataforge.contexts.datasets.commits.versions import Version, sheet_summaries
from dataforge.contexts.datasets.datasets.calls import DatasetCall
from dataforge.contexts.datasets.merges.wire import ResolutionIn
from dataforge.contexts.datasets.refs.domain import ref_moved
from dataforge.contexts.datasets.refs.queries import require_ref
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.http.call import json_response
from dataforge.http.encoding import exact_json
from dataforge.http.etag import etag


async def expected_version(call: DatasetCall, ref: str) -> Version:
    """The commit in If-Match, loaded: what the caller builds on. `*` is wherever the branch is now.

    Raises PreconditionRequired without the header and RefMoved for a commit that the dataset does not have.
    """
    expected = call.expected_revision()
    current = await call.query(require_ref, call.dataset_id, ref)
    if expected == "*":
        return await call.versions.load(call.dataset_id, current)
    if not is_commit_id(expected):
        raise ref_moved(ref, expected, current)
    try:
        return await call.versions.load(call.dataset_id, expected)
    except CommitNotFound as error:
        raise ref_moved(ref, expected, current) from error


async def keep_digits(call: DatasetCall, member: str, items: Sequence[wire.RowOperationIn | ResolutionIn]) -> None:
    """Give the cells of the items in this member of the body the digits that the caller sent: a decimal has more of
    them than a double keeps.
    """
    exact = exact_json(await call.request.body()) if items else None
    for item, sent in zip(items, exact[member], strict=True) if exact is not None else ():
        item.values = sent.get("values", {})
        if isinstance(item, wire.RowOperationIn):
            item.key = sent.get("key", {})


def published_response(published: Published, rows: int = 0, *, status: int = 201) -> Response:
    """The summary of a commit, with the new ETag of its branch."""
    body = {
        "new_commit_id": published.commit_id,
        "updated_ref": published.ref,
        "rows_processed": rows,
        "sheets": sheet_summaries(published.tables),
        "previous_commit_id": published.previous_commit_id,
        "unchanged": published.unchanged,
    }
    return json_response(
        body, status=200 if published.unchanged else status, headers={"ETag": etag(published.commit_id)}
    )


async def publish(call: DatasetCall, ref: str, base: Version, commit: NewCommit | None, rows: int) -> Response:
    """Make a prepared commit visible on a branch that is still at its base; 409 names both commits otherwise."""

    command = PublishCommit(call.dataset_id, ref, base.commit_id, commit)
    handler = partial(publish_commit, objects=call.versions.objects)
    return await call.execute(Work, handler, command, partial(published_response, rows=rows))


async def expected_or_current(call: DatasetCall, ref: str) -> Version:
    """The commit in If-Match if it was sent, else where the branch is now."""
    if "if-match" in call.request.headers:
        return await expected_version(call, ref)
    return await call.versions.load(call.dataset_id, await call.query(require_ref, call.dataset_id, ref))


def ref_name(version: str, found: Version) -> str | None:
    """The branch or tag a version was asked for by; None for a commit id."""
    return None if version == found.commit_id else version
