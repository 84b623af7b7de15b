"""What other contexts may know of tutorials: the events it publishes."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.kernel.events import Event


@dataclass(frozen=True, slots=True)
class TranscriptDeleted(Event):
    """A transcript was deleted; its file is still there and is to go, too."""

    name = "tutorials.transcript_deleted"
    about = "transcript_id"

    transcript_id: UUID
    workspace_id: UUID
    object_key: str
