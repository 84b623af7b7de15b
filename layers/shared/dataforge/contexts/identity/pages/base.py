"""The router of the pages of identity."""

from dataforge.web.routing import page_router

router = page_router("identity")
