"""The router that the nouns add their routes to, since one address has one owner (ADR 1)."""

from dataforge.http.app import context_router

router = context_router("tutorials")
