"""Wire models of cohorts."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from dataforge.contexts.learning.wire import Line, PageOut, Short
from dataforge.http.wire import PartialUpdate, RequestModel


class CohortIn(RequestModel):
    """A new cohort."""

    name: Line
    group_name: Short = ""
    team: Short = ""
    active: bool = True
    workspace_id: UUID | None = None


class CohortChangesIn(PartialUpdate):
    """Changes to a cohort; what is left out stays."""

    name: Line | None = None
    group_name: Short | None = None
    team: Short | None = None
    active: bool | None = None


class CohortOut(BaseModel):
    """A cohort."""

    id: UUID
    workspace_id: UUID | None
    name: str
    group_name: str
    team: str
    active: bool
    revision: int
    created_at: datetime
    updated_at: datetime


class MemberOut(BaseModel):
    """A member of a cohort."""

    user_id: UUID
    display_name: str
    email: str
    joined_at: datetime


class CohortPage(PageOut):
    """Cohorts."""

    items: list[CohortOut]


class MemberPage(PageOut):
    """Members."""

    items: list[MemberOut]
