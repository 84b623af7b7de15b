"""Exports of versions and differences to files."""

from dataforge.bootstrap import dataset_export_handler

handler = dataset_export_handler()
