"""Imports of uploaded files into datasets, and the maintenance of datasets: the one function that deletes chunks."""

from dataforge.bootstrap import dataset_import_handler

handler = dataset_import_handler()
