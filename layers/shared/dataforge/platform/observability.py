"""Logs and metrics behind one module, so that no context knows the library.

Logs are JSON lines with a correlation id (Powertools' logger); metrics go out in CloudWatch's embedded metric format
(EMF) on the same stream, written here because each is out at once and Powertools' Metrics would hold them back until
the handler returns. Traces are the segments that Lambda records by itself (Tracing in template.yaml); the code adds
none.
"""

import os
import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "dataforge")
NAMESPACE = "DataForge"
_CALLER = 3  # frames between the caller and the standard logger, so that a line names who wrote it


class StructuredLogger:
    """Takes facts as keyword arguments; each becomes a member of the JSON line."""

    def __init__(self) -> None:
        self._logger = Logger(
            service=SERVICE,
            level=os.environ.get("LOG_LEVEL", "INFO"),
            logger_formatter=LambdaPowertoolsFormatter(utc=True),
            use_rfc3339=True,
        )

    def correlate(self, request_id: str) -> None:
        """Put the request id on every line from here on."""
        self._logger.set_correlation_id(request_id)

    def info(self, message: str, **facts: object) -> None:
        """One line at level INFO."""
        self._logger.info(message, extra=facts, stacklevel=_CALLER)

    def warning(self, message: str, *, exc_info: bool = False, **facts: object) -> None:
        """One line at level WARNING, with the traceback if asked for."""
        self._logger.warning(message, exc_info=exc_info, extra=facts, stacklevel=_CALLER)

    def error(self, message: str, *, exc_info: bool = False, **facts: object) -> None:
        """One line at level ERROR, with the traceback if asked for."""
        self._logger.error(message, exc_info=exc_info, extra=facts, stacklevel=_CALLER)


logger = StructuredLogger()


def emit_metrics(values: dict[str, float], **facts: object) -> None:
    """Write counts as one EMF line (CloudWatch embedded metric format, version 0) with the service as dimension."""
    document: dict[str, Any] = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["service"]],
                    "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
                }
            ],
        },
        "service": SERVICE,
        **values,
    }
    logger.info("metrics", **document, **facts)
