"""REST of academics: every module adds its routes to the one router."""

from dataforge.contexts.academics.routes import catalogue, enrollments, oneroster, rosters, sections, students
from dataforge.contexts.academics.routes.base import router

__all__ = ["catalogue", "enrollments", "oneroster", "rosters", "router", "sections", "students"]
