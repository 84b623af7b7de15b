"""The xAPI resources; statements go to the queue."""

from dataforge.bootstrap import xapi_handler

handler = xapi_handler()
