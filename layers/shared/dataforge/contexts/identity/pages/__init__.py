"""Pages of identity."""

from dataforge.contexts.identity.pages import sign_in
from dataforge.contexts.identity.pages.base import router

__all__ = ["router", "sign_in"]
