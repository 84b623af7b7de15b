"""Credentials of course players, published for one session and in no table: nobody lists, changes or renews them."""

import asyncio
import json
import secrets
from datetime import datetime
from uuid import UUID

from dataforge.contexts.identity.contract import SessionGrant
from dataforge.contexts.identity.sessions.domain import token_hash
from dataforge.contexts.identity.xapi_credentials.published import PREFIX
from dataforge.platform.aws.clients import client

SCOPES = ("statements/write", "statements/read/mine", "state", "profile", "define")
_HOME_PAGE = "https://dataforge.example/xapi-credentials"


class PublishedSessionCredentials:
    """Keeps `SessionCredentials`: the key is made of the session's id, and only the secret's hash is kept."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    async def issue(self, grant: SessionGrant, expires_at: datetime) -> tuple[str, str]:
        """Key and secret of the session."""
        key_id, secret = _key(grant.session_id), secrets.token_urlsafe(32)
        document = {
            "key_id": key_id,
            "secret_hash": token_hash(secret),
            "public_pem": None,
            "workspace_id": None,
            "scopes": SCOPES,
            "authority": {
                "objectType": "Agent",
                "name": "Course player",
                "account": {"homePage": _HOME_PAGE, "name": key_id},
            },
            "revoked_at": None,
            "expires_at": expires_at.isoformat(),
            "session": {
                "session_id": str(grant.session_id),
                "registration": str(grant.registration),
                "activity_id": grant.activity_id,
                "actor": dict(grant.actor),
            },
        }
        await asyncio.to_thread(
            client("s3").put_object,
            Bucket=self._bucket,
            Key=f"{PREFIX}{key_id}.json",
            Body=json.dumps(document).encode(),
            ContentType="application/json",
        )
        return key_id, secret

    async def end(self, session_id: UUID) -> None:
        """Forget the credential; one that is not there is fine."""
        await asyncio.to_thread(client("s3").delete_object, Bucket=self._bucket, Key=f"{PREFIX}{_key(session_id)}.json")


def _key(session_id: UUID) -> str:
    return f"cmi5_{session_id.hex}"
