"""Imports of uploaded files into datasets."""

from dataforge.bootstrap import dataset_import_handler

handler = dataset_import_handler()
