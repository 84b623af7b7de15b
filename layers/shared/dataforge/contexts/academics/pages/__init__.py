"""Pages of academics: every module adds its pages to the one router."""

from dataforge.contexts.academics.pages import catalogue, enrollments, sections
from dataforge.contexts.academics.pages.base import router

__all__ = ["catalogue", "enrollments", "router", "sections"]
