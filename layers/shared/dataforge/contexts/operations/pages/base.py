"""The router of the pages of operations."""

from dataforge.web.routing import page_router

router = page_router("operations")
