"""Pages of datasets: every noun adds its pages to the one router."""

from dataforge.contexts.datasets.contents import pages as contents
from dataforge.contexts.datasets.datasets import pages as datasets
from dataforge.contexts.datasets.datasets.page_calls import router
from dataforge.contexts.datasets.imports import pages as imports

__all__ = ["contents", "datasets", "imports", "router"]
