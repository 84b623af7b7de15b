"""Wire models of uploads."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dataforge.contexts.datasets.imports.wire import ImportIn
from dataforge.contexts.datasets.wire_types import CommitId, In, ListOut
from dataforge.kernel.uploads import URLS_PER_REQUEST


class UploadIn(In):
    """A file to upload in parts; `size_bytes` is its exact size, `base_commit_id` where the caller saw the branch."""

    file_name: Annotated[str, Field(min_length=1, max_length=255)]
    size_bytes: Annotated[int, Field(ge=0)]
    content_type: Annotated[str, Field(max_length=255, pattern=r"^[\x20-\x7e]+$")] = "application/octet-stream"
    part_size: int | None = None
    base_commit_id: CommitId | None = None
    options: Annotated[ImportIn, Field(alias="import")] = ImportIn()

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class PartIn(In):
    """A part to upload: its number from 1 and the SHA-256 of its bytes, as 64 hex digits or base64."""

    number: Annotated[int, Field(ge=1, le=10_000)]
    sha256: Annotated[str, Field(min_length=44, max_length=64)]


class PartsIn(In):
    """Parts to get URLs for."""

    parts: Annotated[list[PartIn], Field(min_length=1, max_length=URLS_PER_REQUEST)]


class UploadedPartOut(BaseModel):
    """A part that has arrived; `sha256` in base64."""

    number: int
    size_bytes: int
    sha256: str | None


class UploadOut(BaseModel):
    """An upload; `parts` are those that have arrived, so that the rest can be sent after an interruption."""

    id: UUID
    dataset_id: UUID
    ref_name: str
    base_commit_id: str
    file_name: str
    size_bytes: int
    part_size: int
    part_count: int
    state: str
    job_id: UUID | None
    options: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    parts: list[UploadedPartOut] | None = None


class UploadPage(ListOut):
    """A page of uploads, newest first."""

    items: list[UploadOut]


class PartUrl(BaseModel):
    """Where to PUT a part, with which headers."""

    number: int
    size_bytes: int
    url: str
    headers: dict[str, str]


class PartUrls(BaseModel):
    """URLs of parts; they work for `expires_in` seconds."""

    parts: list[PartUrl]
    expires_in: int
