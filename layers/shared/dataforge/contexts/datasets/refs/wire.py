"""Wire models of branches and tags."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.datasets.refs.domain import RefKind
from dataforge.contexts.datasets.wire_types import In, ListOut, RefName, Version


class RefIn(In):
    """A new branch or tag; `at` is a branch, a tag or a commit id, by default the default branch."""

    name: RefName
    kind: RefKind = RefKind.BRANCH
    at: Version | None = None


class RefMoveIn(In):
    """Where to put the ref; `force` allows to leave commits behind."""

    commit_id: Version
    force: bool = False


class ProtectionIn(In):
    """Whether the ref changes through reviewed merges only, and how many approvals they need."""

    protected: bool
    required_approvals: Annotated[int, Field(ge=0, le=20)] = 1


class RefOut(BaseModel):
    """A branch or tag; its ETag is its commit id."""

    name: str
    kind: RefKind
    commit_id: str
    protected: bool
    required_approvals: int
    is_default: bool
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class RefPage(ListOut):
    """A page of branches and tags."""

    items: list[RefOut]
