"""Secrets Manager, with a cache."""

import json
from threading import Lock
from typing import Any, Protocol

from cachetools import TTLCache

from dataforge.platform.aws.clients import client

_MOST = 64  # secrets; a function reads two or three


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
        self._cache: TTLCache[str, dict[str, Any]] = TTLCache(_MOST, ttl_seconds)
        self._lock = Lock()  # reads come from threads

    def read(self, arn: str, *, fresh: bool = False) -> dict[str, Any]:
        """The secret's JSON object; an empty secret is an empty object."""
        with self._lock:
            known = None if fresh else self._cache.get(arn)
        if known is not None:
            return known
        text = client("secretsmanager").get_secret_value(SecretId=arn).get("SecretString") or "{}"
        value: dict[str, Any] = json.loads(text)
        with self._lock:
            self._cache[arn] = value
        return value

    def write(self, arn: str, value: dict[str, Any]) -> None:
        """Store a new version of the secret."""
        client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(value))
        with self._lock:
            self._cache[arn] = value
