"""Wire models of the trash."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel


class TrashItemOut(BaseModel):
    """Something that was dropped: what it was (`column people.mail`), its size, and until when it is kept.

    It comes back with its data by a rollback to a revision that has it, or by a target that has it by its `stable_id`.
    One that shall be deleted at once has `end_asked_at` until it is.
    """

    id: UUID
    object: str
    kind: str
    stable_id: str | None
    size_bytes: int
    kept_at: datetime
    keep_until: datetime
    end_asked_at: datetime | None


class TrashPage(BaseModel):
    """Things in the trash, newest first."""

    items: list[TrashItemOut]
    limit: int
    next_cursor: str | None
    next: str | None


def item_out(row: dict[str, Any]) -> dict[str, Any]:
    """The row of something in the trash for the wire."""
    return TrashItemOut.model_validate(row).model_dump(mode="json")
