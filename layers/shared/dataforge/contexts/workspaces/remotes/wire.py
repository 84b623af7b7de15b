"""Wire models of the refs of repos."""

from pydantic import BaseModel

from dataforge.contexts.workspaces.remotes.domain import RefKind


class RepoRefOut(BaseModel):
    """A branch or tag; `hash` is the object it names, `commit_hash` what an annotated tag leads to.

    `commit_hash` is null for a tag that came by a webhook that did not say.
    """

    name: str
    short_name: str
    kind: RefKind
    hash: str
    commit_hash: str | None


class RepoRefPage(BaseModel):
    """A page of branches and tags."""

    items: list[RepoRefOut]
    limit: int
    next_cursor: str | None
    next: str | None
