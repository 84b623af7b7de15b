"""REST API of the versioned datasets."""

from dataforge.bootstrap import datasets_api_handler

handler = datasets_api_handler()
