"""REST of datasets."""

from dataforge.contexts.datasets.routes import datasets, jobs, refs, uploads
from dataforge.contexts.datasets.routes.calls import router

__all__ = ["datasets", "jobs", "refs", "router", "uploads"]
