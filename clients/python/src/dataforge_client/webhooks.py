"""What a receiver of webhooks does first: see that a delivery is genuine (Standard Webhooks)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dataforge_client.errors import ClientError

TOLERANCE = 300
"""Seconds that a delivery may be old, or ahead of this clock."""
_PREFIX = "whsec_"


class NotGenuine(ClientError):
    """A delivery that was not signed with the secret, or long ago: answer it with 401 and forget it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A genuine delivery: `id` stays the same when it is repeated, so that it can be recognised."""

    id: str
    sent_at: datetime
    body: Any


def verify(secret: str, headers: Mapping[str, str], body: bytes | str, *, tolerance: float = TOLERANCE) -> Delivery:
    """The delivery in a request, if one of its signatures was made with the secret; raises NotGenuine.

    Give it the body as it arrived, before anything has parsed it.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, moment = given["webhook-id"], int(given["webhook-timestamp"])
        signatures = given["webhook-signature"].split()
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (KeyError, ValueError, binascii.Error) as error:
        message = "The request is not signed as Standard Webhooks are."
        raise NotGenuine(message) from error
    if abs(time.time() - moment) > tolerance:
        message = "The delivery was signed too long ago, or in the future."
        raise NotGenuine(message)
    content = body.encode() if isinstance(body, str) else body
    signed = f"{message_id}.{moment}.".encode() + content
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    versions = (signature.partition(",") for signature in signatures)
    if not any(name == "v1" and hmac.compare_digest(value.encode(), expected) for name, _, value in versions):
        message = "None of the signatures was made with this secret."
        raise NotGenuine(message)
    return Delivery(message_id, datetime.fromtimestamp(moment, UTC), json.loads(content))
