"""REST of what is offered and when: the nouns below `/api/semesters` and `/api/sections` share the one router."""

from dataforge.contexts.academics.catalog import routes as catalog
from dataforge.contexts.academics.copies import routes as copies
from dataforge.contexts.academics.meetings import routes as meetings
from dataforge.contexts.academics.routing import router
from dataforge.contexts.academics.sections import routes as sections

__all__ = ["catalog", "copies", "meetings", "router", "sections"]
