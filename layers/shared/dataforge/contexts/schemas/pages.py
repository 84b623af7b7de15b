"""Pages of schemas: every noun adds its pages to the one router."""

from dataforge.contexts.schemas.deployments import pages as deployments
from dataforge.contexts.schemas.designs import pages as designs
from dataforge.contexts.schemas.drift import pages as drift
from dataforge.contexts.schemas.page_calls import router
from dataforge.contexts.schemas.plans import pages as plans
from dataforge.contexts.schemas.promotions import pages as promotions
from dataforge.contexts.schemas.revisions import pages as revisions
from dataforge.contexts.schemas.sources import pages as sources
from dataforge.contexts.schemas.trash import pages as trash

__all__ = ["deployments", "designs", "drift", "plans", "promotions", "revisions", "router", "sources", "trash"]
