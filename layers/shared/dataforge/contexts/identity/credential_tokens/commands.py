"""Give access tokens."""

from dataforge.contexts.identity.credential_tokens.domain import (
    TokenRefused,
    TokenRequest,
    check_secret,
    granted_scopes,
)
from dataforge.contexts.identity.credential_tokens.queries import find_client
from dataforge.contexts.identity.services import IdentityServices


async def issue_token(asked: TokenRequest, services: IdentityServices) -> dict[str, object]:
    """The token a credential asks for; raises TokenRefused, of which the credential keeps the reason."""
    async with services.database.read_only() as connection:
        client = await find_client(connection, asked.key_id)
    try:
        check_secret(
            asked, client.secret_hash if client else None, revoked=client is not None and client.revoked_at is not None
        )
        scopes = granted_scopes(asked, client.scopes if client else ())
    except TokenRefused as refused:
        if client is not None:
            reason = f"{refused.error}: {refused.description}"
            await services.credential_refusals.note(asked.key_id, services.clock.now(), reason, known=True)
        raise
    answer = await services.credential_token_signer.issue(asked.key_id, scopes)
    await services.credential_uses.note_at_once(asked.key_id, services.clock.now())
    return answer
