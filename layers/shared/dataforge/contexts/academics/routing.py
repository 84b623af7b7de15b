"""The router that nouns below one address share, since one address has one owner (ADR 1)."""

from dataforge.http.app import context_router

router = context_router("academics")
