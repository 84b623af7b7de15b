"""boto3 clients, made at first use and kept; boto3 itself is imported then, not when a function starts."""

from functools import cache
from typing import Any


@cache
def client(service: str) -> Any:  # noqa: ANN401 - boto3 clients are generated at run time and have no static type
    """The client of an AWS service (`s3`, `sqs`, …); endpoint, region and credentials come from the environment.

    Timeouts are far below Lambda's, so that a hanging service becomes an error of ours and not a dead function.
    """
    import boto3
    from botocore.config import Config

    options: dict[str, Any] = {
        "connect_timeout": 2,
        "read_timeout": 10,
        "retries": {"mode": "standard", "max_attempts": 3},
        "max_pool_connections": 32,
    }
    if service == "s3":
        options["signature_version"] = "s3v4"
        # Path style works for every endpoint, an emulator's IP address included.
        options["s3"] = {"addressing_style": "path"}
    return boto3.client(service, config=Config(**options))
