"""Everything below `/api/schema`: one prefix, which one module must serve."""

from dataforge.contexts.schemas.deployments.routes import router as deployments
from dataforge.contexts.schemas.designs.routes import router as designs
from dataforge.contexts.schemas.drift.routes import router as drift
from dataforge.contexts.schemas.plans.routes import router as plans
from dataforge.contexts.schemas.promotions.routes import router as promotions
from dataforge.contexts.schemas.revisions.routes import router as revisions
from dataforge.contexts.schemas.sources.routes import router as sources
from dataforge.contexts.schemas.trash.routes import router as trash
from dataforge.http.app import context_router

router = context_router("schemas")
for noun in (designs, plans, deployments, drift, revisions, sources, trash, promotions):
    router.routes.extend(noun.routes)
