"""Pages of operations: home and status."""

from dataforge.contexts.operations.pages import status
from dataforge.contexts.operations.pages.base import router

__all__ = ["router", "status"]
