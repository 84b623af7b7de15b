"""REST API of the light contexts and the web pages."""

from dataforge.bootstrap import api_handler

handler = api_handler()
