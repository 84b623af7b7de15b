"""Pages of notes."""

from dataforge.contexts.workspaces.notes.pages import notes, past, search

__all__ = ["notes", "past", "search"]
