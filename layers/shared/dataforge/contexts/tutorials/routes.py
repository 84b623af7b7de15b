"""REST of tutorials: every noun adds its routes to the one router."""

from dataforge.contexts.tutorials.routing import router
from dataforge.contexts.tutorials.transcripts import routes as transcripts
from dataforge.contexts.tutorials.tutorials import routes as tutorials

__all__ = ["router", "transcripts", "tutorials"]
