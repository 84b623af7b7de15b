"""How operations is wired: the routes and pages it serves."""

from dataforge.platform.module import Module
from dataforge.platform.services import Services

OPERATIONS = "dataforge.contexts.operations"
ROUTES = f"{OPERATIONS}.routes"
PAGES = f"{OPERATIONS}.pages"


class OperationsServices(Services):
    """The parts of operations."""


MODULE = Module(
    name="operations",
    services=OperationsServices,
    routers={
        "api": dict.fromkeys(("/health", "/api/health"), ROUTES)
        | dict.fromkeys(("/", "/ui", "/ui/status"), PAGES)
        | {
            "/api/jobs": f"{OPERATIONS}.jobs.routes",
            "/api/operations/status": f"{OPERATIONS}.status.routes",
            "/api/queues": f"{OPERATIONS}.queues.routes",
            "/api/audit": f"{OPERATIONS}.audit.routes",
            "/api/outbox": f"{OPERATIONS}.outbox.routes",
            "/ui/operations": f"{OPERATIONS}.status.pages",
            "/ui/operations/queues": f"{OPERATIONS}.queues.pages",
            "/ui/operations/audit": f"{OPERATIONS}.audit.pages",
            "/ui/operations/events": f"{OPERATIONS}.outbox.pages",
        },
        "datasets_api": {"/api/health": ROUTES},
        "datasets_sql": {"/api/health": ROUTES},
    },
)
