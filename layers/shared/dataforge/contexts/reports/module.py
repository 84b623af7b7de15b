"""How reports is wired."""

from dataforge.platform.module import Module
from dataforge.platform.services import Services


class ReportsServices(Services):
    """Reports have no parts of their own: they read what learning publishes."""


MODULE = Module(name="reports", services=ReportsServices)
