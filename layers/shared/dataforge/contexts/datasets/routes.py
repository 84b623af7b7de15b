"""REST of datasets: every noun adds its routes to the one router, since one address has one owner (ADR 1)."""

from dataforge.contexts.datasets.commits import routes as commits
from dataforge.contexts.datasets.comparisons import routes as comparisons
from dataforge.contexts.datasets.contents import routes as contents
from dataforge.contexts.datasets.datasets import routes as datasets
from dataforge.contexts.datasets.datasets.calls import router
from dataforge.contexts.datasets.expectations import routes as expectations
from dataforge.contexts.datasets.exports import routes as exports
from dataforge.contexts.datasets.imports import routes as imports
from dataforge.contexts.datasets.jobs import routes as jobs
from dataforge.contexts.datasets.merges import routes as merges
from dataforge.contexts.datasets.publications import routes as publications
from dataforge.contexts.datasets.refs import routes as refs
from dataforge.contexts.datasets.reviews import routes as reviews
from dataforge.contexts.datasets.statements import routes as statements
from dataforge.contexts.datasets.uploads import routes as uploads

__all__ = [
    "commits",
    "comparisons",
    "contents",
    "datasets",
    "expectations",
    "exports",
    "imports",
    "jobs",
    "merges",
    "publications",
    "refs",
    "reviews",
    "router",
    "statements",
    "uploads",
]
