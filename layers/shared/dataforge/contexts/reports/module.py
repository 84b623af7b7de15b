"""How reports is wired."""

from typing import TYPE_CHECKING

from dataforge.contexts.datasets.contract import PublishedReports
from dataforge.platform.module import Module
from dataforge.platform.services import Platform, Services

if TYPE_CHECKING:
    from dataforge.contexts.reports.relations.queries import ReportRelations


class ReportsServices(Services):
    """Reports have no parts of their own: they read what learning publishes."""


def _relations(platform: Platform) -> "ReportRelations":
    from dataforge.contexts.reports.relations.queries import ReportRelations

    return ReportRelations(platform)


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
    offers={PublishedReports: _relations},
)
