"""boto3 clients, made at first use and kept; boto3 itself is imported then, not when a function starts."""

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_ses import SESClient
    from types_boto3_sqs import SQSClient


@overload
def client(service: Literal["s3"]) -> "S3Client": ...
@overload
def client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["ses"]) -> "SESClient": ...
@overload
def client(service: Literal["sesv2"]) -> Any: ...  # noqa: ANN401 - it publishes types that nothing else needs
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["glue", "athena", "sts"]) -> Any: ...  # noqa: ANN401 - likewise
@cache
def client(service: Any) -> Any:
    """The client of an AWS service; endpoint, region and credentials come from the environment.

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
    if service in ("ses", "sesv2"):
        # A mail whose answer is lost may have been taken: whether it is handed over again is for the outbox to decide.
        options["retries"] = {"mode": "standard", "total_max_attempts": 1}
    if service == "s3":
        options["signature_version"] = "s3v4"
        # Path style works for every endpoint, an emulator's IP address included.
        options["s3"] = {"addressing_style": "path"}
    return boto3.client(service, config=Config(**options))
