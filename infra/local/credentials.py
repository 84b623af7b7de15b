"""The first credentials of a stack: made once, shown once, and made good when a run was killed in between."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from infra.local.emulator import Emulator

ADMIN = "admin"


class Stack(Protocol):
    """What is needed of a running stack."""

    facts: dict[str, Any]

    @property
    def emulator(self) -> Emulator:
        """AWS."""
        ...

    def invoke(self, function: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke a function by its short name."""
        ...

    def write_file(self) -> None:
        """Write the facts down."""
        ...


def ensure(stack: Stack) -> None:
    """A signing key whose private half is there, an administrator and an xAPI credential that are written down.

    The database and the emulator's secrets and objects are saved at different moments: what one of them lost is made
    anew, what only the facts lost is replaced.
    """
    credentials = stack.facts["credentials"]
    stack.invoke("maintenance", {"command": "ensure_signing_key"})
    known = credentials.get("admin")
    admin = known or {"username": ADMIN, "password": secrets.token_urlsafe(18)}
    # A password that somebody changed stays; one that nobody has seen is replaced.
    command = {"command": "ensure_admin", "email": f"{admin['username']}@dataforge.example", "replace": known is None}
    stack.invoke("maintenance", {**command, **admin})
    credentials["admin"] = admin
    stack.write_file()
    if not _is_published(stack, credentials.get("xapi")):
        command = {"command": "create_xapi_credential", "name": "Local LMS", "deduplicate": True}
        made = stack.invoke("maintenance", command)
        credentials["xapi"] = {"key": made["key"], "secret": made["secret"]}
        stack.write_file()


def _is_published(stack: Stack, credential: Mapping[str, str] | None) -> bool:
    """Whether the endpoint finds a credential (infra/adr/0004-xapi-credentials.md)."""
    if credential is None:
        return False
    try:
        key = f"xapi-credentials/{credential['key']}.json"
        stack.emulator.client("s3").head_object(Bucket=stack.facts["data_bucket"], Key=key)
    except ClientError:
        return False
    return True
