"""Pages of datasets: every module adds its pages to the one router."""

from dataforge.contexts.datasets.pages import datasets, tables
from dataforge.contexts.datasets.pages.base import router

__all__ = ["datasets", "router", "tables"]
