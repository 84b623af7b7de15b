"""Pages of notes."""

from dataforge.contexts.workspaces.notes.pages import notes, past

__all__ = ["notes", "past"]
