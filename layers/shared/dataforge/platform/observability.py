"""Logs and metrics behind one module, so that no context knows the library.

Logs are JSON lines with a correlation id, metrics lines in CloudWatch's embedded metric format on the same stream, both
by Powertools. Traces are the segments that Lambda records by itself (Tracing in template.yaml); the code adds none,
because Powertools' Tracer needs the X-Ray SDK in every function.
"""

import os

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

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


def emit_metrics(values: dict[str, float], *, unit: MetricUnit = MetricUnit.Count) -> None:
    """Write metrics as one line in CloudWatch's embedded metric format, with the service as dimension.

    The line is out at once: a handler that is ended by its timeout has counted what it did.
    """
    metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
    for name, value in values.items():
        metrics.add_metric(name=name, unit=unit, value=value)
    metrics.flush_metrics()
