"""How operations is wired: the routes and pages it serves."""

from dataforge.platform.module import Module
from dataforge.platform.services import Services

JOBS = "dataforge.contexts.operations.jobs.routes"
ROUTES = "dataforge.contexts.operations.routes"
PAGES = "dataforge.contexts.operations.pages"


class OperationsServices(Services):
    """The parts of operations."""


MODULE = Module(
    name="operations",
    services=OperationsServices,
    routers={
        "api": dict.fromkeys(("/health", "/api/health"), ROUTES)
        | dict.fromkeys(("/", "/ui", "/ui/status"), PAGES)
        | {"/api/jobs": JOBS},
        "datasets_api": {"/api/health": ROUTES},
        "datasets_sql": {"/api/health": ROUTES},
    },
)
