"""How far a job is that goes through statements page by page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from dataforge.contexts.lrs.search.domain import Position


@dataclass(slots=True)
class Reached:
    """The last page's end and what was done; `free` are attachments that it has left without a statement."""

    after: Position | None = None
    deleted: int = 0
    attachments: int = 0
    free: list[str] = field(default_factory=list)

    def move(self, to: Position, done: int) -> None:
        """A page ends here, with so many statements done and these attachments freed."""
        self.after, self.deleted = to, self.deleted + done
        self.attachments += len(self.free)

    def to_json(self) -> dict[str, Any]:
        """The checkpoint."""
        after = None if self.after is None else [self.after.stored_at.isoformat(), str(self.after.statement_id)]
        return {"after": after, "deleted": self.deleted, "attachments": self.attachments, "free": self.free}

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any]) -> "Reached":
        """What a checkpoint says."""
        after = checkpoint.get("after")
        position = None if after is None else Position(moment(after[0]), UUID(after[1]))
        counts = (checkpoint.get("deleted", 0), checkpoint.get("attachments", 0))
        return cls(position, *counts, list(checkpoint.get("free", [])))


def moment(text: str) -> datetime:
    """A time that we have written ourselves."""
    return datetime.fromisoformat(text)
