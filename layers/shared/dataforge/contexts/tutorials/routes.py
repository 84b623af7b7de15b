"""REST of tutorials: every noun adds its routes to the one router."""

from dataforge.contexts.tutorials.routing import router

__all__ = ["router"]
