"""Jobs of every kind that has no function of its own."""

from dataforge.bootstrap import worker_handler

handler = worker_handler()
