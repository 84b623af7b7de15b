"""Operator commands for signing keys."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices


async def ensure_signing_key(_payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Make sure that there is a key to sign tokens with: public half in the database, private half in its secret."""
    kid = await services.private_keys.ensure()
    await services.key_publisher.publish()
    return {"kid": kid}


async def rotate_signing_keys(_payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Make a new signing key; tokens of the old one work until they expire. If it fails at the end, ensure_signing_key
    publishes what it has done."""
    kid = await services.private_keys.rotate()
    await services.key_publisher.publish()
    return {"kid": kid}
