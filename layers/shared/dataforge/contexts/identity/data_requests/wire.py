"""Wire models of exports and erasures of people."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.identity.accounts.domain import PASSWORD_MAX
from dataforge.http.wire import RequestModel
from dataforge.kernel.jobs import JobStatus
from dataforge.platform.personal_data import Effect


class PersonalExportIn(RequestModel):
    """Whose data; oneself when left out. Administrators ask for others."""

    user_id: UUID | None = None


class PersonalExportOut(BaseModel):
    """An export of a person's data; `asked_by` is an administrator, or the person."""

    job_id: UUID
    status: JobStatus
    asked_by: UUID | None
    created_at: datetime
    completed_at: datetime | None
    bytes: int | None
    files: int | None


class PersonalExportList(BaseModel):
    """The last hundred exports of a person's data, newest first."""

    items: list[PersonalExportOut]


class ExportLinkOut(BaseModel):
    """A link that gives the zip for an hour; another one can be had until `expires_at`."""

    url: str
    expires_at: datetime


class AccountErasureIn(RequestModel):
    """Who is to be erased; oneself when left out. With `responses` what they have answered goes, too."""

    user_id: UUID | None = None
    responses: bool = False


class HoldingOut(BaseModel):
    """Rows about the person, and what an erasure does to them; `rows` is null for what is searched when it is done."""

    context: str
    what: str
    rows: int | None
    effect: Effect
    why: str


class NotCoveredOut(BaseModel):
    """What may mention the person and stays, and how to look for it."""

    context: str
    what: str
    search: str


class AccountErasurePlanOut(BaseModel):
    """What an erasure would do."""

    plan_hash: str
    expires_at: datetime
    user_id: UUID
    responses: bool
    holdings: list[HoldingOut]
    not_covered: list[NotCoveredOut]


class ApplyAccountErasureIn(RequestModel):
    """The hash of the plan; of somebody who erases themselves the password again, and a code if sign-ins need one."""

    plan_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    password: Annotated[str, Field(max_length=PASSWORD_MAX, repr=False)] = ""
    code: Annotated[str, Field(max_length=100, repr=False)] = ""
