"""Ranges of large imports."""

from dataforge.bootstrap import dataset_import_range_handler

handler = dataset_import_range_handler()
