"""Secrets Manager, with a cache."""

import json
import time
from typing import Any, Protocol

from dataforge.platform.aws.clients import client


class JsonSecrets(Protocol):
    """Secrets that are JSON objects, by name or ARN."""

    def read(self, arn: str, *, fresh: bool = False) -> dict[str, Any]:
        """The object; possibly cached unless `fresh`."""
        ...

    def write(self, arn: str, value: dict[str, Any]) -> None:
        """Replace the object."""
        ...


class SecretStore:
    """Reads and writes JSON secrets; a read is cached for `ttl_seconds`."""

    def __init__(self, *, ttl_seconds: float = 300) -> None:
        self._ttl = ttl_seconds
        self._cache: dict[str, tuple[float, dict[str, Any]]] = {}

    def read(self, arn: str, *, fresh: bool = False) -> dict[str, Any]:
        """The secret's JSON object; an empty secret is an empty object."""
        known = self._cache.get(arn)
        if known is not None and not fresh and time.monotonic() - known[0] < self._ttl:
            return known[1]
        text = client("secretsmanager").get_secret_value(SecretId=arn).get("SecretString") or "{}"
        value: dict[str, Any] = json.loads(text)
        self._cache[arn] = (time.monotonic(), value)
        return value

    def write(self, arn: str, value: dict[str, Any]) -> None:
        """Store a new version of the secret."""
        client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(value))
        self._cache[arn] = (time.monotonic(), value)
