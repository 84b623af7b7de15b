"""Publications: a version, or a branch as it moves, as a table of the catalog; and how it is called there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from dataforge.kernel.errors import AlreadyExists, BadRequest, Conflict, DataForgeError, NotFound, Unavailable
from dataforge.kernel.texts import Text

# Atomic, and taken as a whole: many comments would be tried in all their combinations otherwise.
_BLANK = r"(?>\s|--[^\n]*(?:\n|$)|/\*.*?\*/)"
_QUERY = re.compile(
    rf"{_BLANK}*+(?P<first>(?:(?P<with>with(?P<recursive>{_BLANK}++recursive)?)|select|values|table)\b|\()",
    re.DOTALL | re.IGNORECASE,
)
# Commits that a run publishes one after the other; of more than that the newest.
MOST_COMMITS = 50
_NO_NAME = re.compile(r"[^a-z0-9]+")
_PART = 40


class PublicationState(StrEnum):
    """Where a publication is: never published yet, at its version, behind its branch, failed, or on its way out."""

    WAITING = "waiting"
    CURRENT = "current"
    BEHIND = "behind"
    FAILED = "failed"
    REMOVING = "removing"


class PublicationNotFound(NotFound):
    """The dataset has no such publication."""

    code = "publication_not_found"
    title = "There is no such publication"


class PublicationExists(AlreadyExists):
    """The branch or version is published already; `publication_id` names it."""

    code = "publication_exists"
    title = "This is published already"


class SnapshotNotFound(NotFound):
    """The namespace of the dataset has no such table, or the table no such snapshot."""

    code = "snapshot_not_found"
    title = "There is no such snapshot"


class PublishingOff(DataForgeError):
    """This installation has no catalog that tables are published in (ICEBERG_CATALOG)."""

    code = "publishing_off"
    status = 501
    title = "Nothing is published here"


class PublicationRefused(BadRequest):
    """The version cannot be published as a table."""

    code = "publication_refused"
    status = 422
    title = "The version cannot be published"


class QueryNotFound(NotFound):
    """No such query was run over the tables of this dataset."""

    code = "query_not_found"
    title = "There is no such query"


class NotPublishedYet(Conflict):
    """The table has not been made yet."""

    code = "not_published_yet"
    title = "The table is not there yet"


class PublicationRaced(Unavailable):
    """Somebody else has written to the published table at the same moment; the run is repeated."""

    code = "publication_raced"
    title = "The published table has changed at this moment"


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication as its row says. `follows`: it goes with the branch `ref_name`, else it stays at `commit_id`."""

    id: UUID
    dataset_id: UUID
    ref_name: str | None
    follows: bool
    commit_id: str | None
    sheet: str
    table_name: str
    published_commit_id: str | None = None
    snapshot_id: int | None = None
    removing: bool = False
    job_id: UUID | None = None


def publication_missing(publication_id: UUID) -> PublicationNotFound:
    """The refusal for an unknown publication."""
    return PublicationNotFound(
        Text("There is no publication {publication_id} in this dataset.", publication_id=publication_id)
    )


def namespace_of(prefix: str, dataset_id: UUID) -> str:
    """The namespace (Glue: database) with the tables of a dataset; nothing of another one is in it."""
    return f"{prefix}_{dataset_id.hex}"


def lake_prefix(dataset_id: UUID) -> str:
    """Where in the bucket the files of published tables of a dataset are, and those that engines write beside them."""
    return f"lake/{dataset_id}/"


def table_name_of(ref: str | None, commit_id: str, sheet: str, publication_id: UUID) -> str:
    """A name that says what the table is, in what every catalog allows, with an end that no other table has."""
    first = f"commit_{commit_id[:12]}" if ref is None else ref
    parts = [_NO_NAME.sub("_", part.lower()).strip("_")[:_PART] or "table" for part in (first, sheet)]
    return f"{'_'.join(parts)}_{publication_id.hex[-6:]}"


def output_prefix(dataset_id: UUID) -> str:
    """Where in the bucket the results of queries over tables of a dataset are, until the lifecycle rule ends them."""
    return f"exports/queries/{dataset_id}/"


def query_over(statement: str, sheet: str, table: str, snapshot: str | None) -> str:
    """The statement as an engine of the catalog takes it: the published table, or one of its snapshots, has the name of
    the sheet, as in our own SQL. Raises PublicationRefused for what is no query.
    """
    begin = _QUERY.match(statement)
    if begin is None:
        raise PublicationRefused(
            Text("The statement is not a query; it must begin with SELECT, WITH, VALUES or TABLE.")
        )
    name, version = sheet.replace('"', '""'), "" if snapshot is None else f" FOR VERSION AS OF {int(snapshot)}"
    ours = f'"{name}" AS (SELECT * FROM "{table}"{version})'
    rest = statement[begin.end("with") if begin["with"] else begin.start("first") :]
    if not begin["with"]:
        return f"WITH {ours}\n{rest}"
    return f"WITH {'RECURSIVE ' if begin['recursive'] else ''}{ours},{rest}"


def state_of(row: Mapping[str, Any]) -> PublicationState:
    """The state of a row with `head_commit_id`, where the branch is (None: it is gone)."""
    if row["removing"]:
        return PublicationState.REMOVING
    if row["failure"] is not None:
        return PublicationState.FAILED
    if row["published_commit_id"] is None:
        return PublicationState.WAITING
    if row["published_commit_id"] != row["head_commit_id"]:
        return PublicationState.BEHIND
    return PublicationState.CURRENT
