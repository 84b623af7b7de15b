"""The scheduled minute's work, and operator commands."""

from dataforge.bootstrap import maintenance_handler

handler = maintenance_handler()
