"""Access tokens of credentials: JWTs (RFC 9068) signed like people's, for another audience.

They are checked without the database.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from dataforge.contexts.identity.credential_tokens.domain import AUDIENCE, TOKEN_CHALLENGE, TYPE, TokenClaims
from dataforge.contexts.identity.sessions.access_tokens import TokenSettings
from dataforge.contexts.identity.sessions.domain import InvalidToken
from dataforge.contexts.identity.signing_keys.domain import ALGORITHM, LEEWAY_SECONDS
from dataforge.contexts.identity.signing_keys.private_keys import PrivateKeys
from dataforge.contexts.identity.signing_keys.published import KeyPublisher, PublishedKeys
from dataforge.kernel.clock import Clock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text

_KID = re.compile(r"[0-9a-f]{32}\Z")


class CredentialTokenSigner:
    """Issues access tokens to credentials."""

    def __init__(self, keys: PrivateKeys, publisher: KeyPublisher, settings: TokenSettings, clock: Clock) -> None:
        self._keys = keys
        self._publisher = publisher
        self._settings = settings
        self._clock = clock

    async def issue(self, key_id: str, scopes: Sequence[str]) -> dict[str, object]:
        """The answer of RFC 6749 §5.1; raises NoSigningKey before the first key was made."""
        kid, private = await self._keys.active()
        await self._publisher.ensure(kid)
        now, lifetime = self._clock.now(), self._settings.access_token_seconds
        claims = {
            "iss": self._settings.jwt_issuer,
            "aud": AUDIENCE,
            "sub": key_id,
            "client_id": key_id,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + timedelta(seconds=lifetime),
            "jti": uuid7().hex,
        }
        return {
            "access_token": jwt.encode(claims, private, algorithm=ALGORITHM, headers={"kid": kid, "typ": TYPE}),
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": claims["scope"],
        }


class CredentialTokens:
    """Checks access tokens of credentials with what is published of the signing keys."""

    def __init__(self, keys: PublishedKeys, settings: TokenSettings, clock: Clock) -> None:
        self._keys = keys
        self._settings = settings
        self._clock = clock

    async def read(self, token: str) -> TokenClaims:
        """What a valid token says; raises InvalidToken for one that is forged, expired or for something else."""
        try:
            header = jwt.get_unverified_header(token)
            kid, kind = header.get("kid"), str(header.get("typ", "")).lower()
            # Algorithm and type are ours to choose, never the token's (RFC 8725 §3.1, §3.11).
            if header.get("alg") != ALGORITHM or kind != TYPE or not isinstance(kid, str) or not _KID.match(kid):
                raise jwt.InvalidTokenError
            claims = jwt.decode(
                token,
                await self._keys.find(kid, self._clock.now()),
                algorithms=[ALGORITHM],
                issuer=self._settings.jwt_issuer,
                audience=AUDIENCE,
                options={"require": ["exp", "iat", "sub", "iss", "aud"], "verify_exp": False, "verify_iat": False},
            )
            self._check_times(claims)
            return TokenClaims(str(claims["sub"]), frozenset(str(claims["scope"]).split()))
        except jwt.ExpiredSignatureError as error:
            message = Text("The access token has expired; ask for another one at POST /oauth/token.")
            raise InvalidToken(message, headers=TOKEN_CHALLENGE) from error
        except (jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
            message = Text("The access token is not valid here; ask for one at POST /oauth/token.")
            raise InvalidToken(message, headers=TOKEN_CHALLENGE) from error

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock.now()
        if now > datetime.fromtimestamp(claims["exp"], UTC) + timedelta(seconds=LEEWAY_SECONDS):
            raise jwt.ExpiredSignatureError
        if now < datetime.fromtimestamp(claims["iat"], UTC) - timedelta(seconds=LEEWAY_SECONDS):
            raise jwt.ImmatureSignatureError
