"""Statements from the queue into raw and flat rows."""

from dataforge.bootstrap import xapi_etl_handler

handler = xapi_etl_handler()
