"""How reports is wired."""

from dataforge.platform.module import Module
from dataforge.platform.services import Services


class ReportsServices(Services):
    """Reports have no parts of their own: they read what learning publishes."""


MODULE = Module(
    name="reports",
    services=ReportsServices,
    # Beside datasets, where Arrow is (ADR 36).
    routers={
        "datasets_api": {
            "/api/reports": "dataforge.contexts.reports.routes",
            "/ui/reports": "dataforge.contexts.reports.pages",
        }
    },
)
