"""Platform migrations on release and planned schema changes."""

from dataforge.bootstrap import schema_deployer_handler

handler = schema_deployer_handler()
