"""Exports of datasets, and their upkeep."""

from dataforge.bootstrap import dataset_export_handler

handler = dataset_export_handler()
