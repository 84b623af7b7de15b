"""REST of datasets."""

from dataforge.contexts.datasets.routes import changes, compare, data, datasets, exports, jobs, refs, reviews, uploads
from dataforge.contexts.datasets.routes.calls import router

__all__ = ["changes", "compare", "data", "datasets", "exports", "jobs", "refs", "reviews", "router", "uploads"]
