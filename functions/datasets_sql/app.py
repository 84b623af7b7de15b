"""SQL over a version of a dataset."""

from dataforge.bootstrap import datasets_sql_handler

handler = datasets_sql_handler()
