"""Access tokens: JWTs signed with ES256 (RFC 7518 §3.4), issued for a session and checked with every request."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import jwt
from sqlalchemy import text

from dataforge.contexts.identity.accounts.domain import AccountSuspended
from dataforge.contexts.identity.sessions.domain import InvalidToken, Session, SessionEnded
from dataforge.contexts.identity.signing_keys.domain import ALGORITHM, LEEWAY_SECONDS
from dataforge.contexts.identity.signing_keys.private_keys import PrivateKeys
from dataforge.contexts.identity.signing_keys.public_keys import PublicKeys
from dataforge.contexts.identity.tokens.domain import PREFIX
from dataforge.contexts.identity.tokens.published import StoredTokens
from dataforge.kernel.clock import Clock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Principal, Role
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import Database

_MAX_CONFIRMED = 10_000  # sessions whose last confirmation is remembered
# Text, because every write pays for it: building the expression costs as much as executing it.
_CURRENT = text(
    "SELECT u.role, u.locale, u.suspended_at, EXISTS (SELECT FROM identity.refresh_tokens t "
    "WHERE t.family = :session AND t.revoked_at IS NOT NULL) AS ended FROM identity.users u WHERE u.id = :person"
)


class TokenSettings(Protocol):
    """The settings tokens are checked by."""

    @property
    def jwt_issuer(self) -> str: ...
    @property
    def jwt_audience(self) -> str: ...
    @property
    def access_token_seconds(self) -> int: ...


class TokenVerifier:
    """Tells whose access token it is, and what that person may still do."""

    def __init__(
        self, database: Database, keys: PublicKeys, personal: StoredTokens, settings: TokenSettings, clock: Clock
    ) -> None:
        self._database = database
        self._keys = keys
        self._personal = personal
        self._settings = settings
        self._clock = clock
        self._confirmed: dict[UUID | None, tuple[datetime, Role, str | None]] = {}

    async def authenticate(self, token: str) -> Principal:
        """The principal of a valid access token or personal access token.

        Raises InvalidToken for a forged, expired, revoked or foreign one, AccountSuspended as far as it is looked up.
        """
        if token.startswith(PREFIX):
            return await self._personal.authenticate(token)
        try:
            header = jwt.get_unverified_header(token)
            kid, algorithm = header.get("kid"), header.get("alg")
            # The algorithm is ours to choose, never the token's (RFC 8725 §3.1).
            if algorithm != ALGORITHM or not isinstance(kid, str):
                raise jwt.InvalidTokenError
            claims = jwt.decode(
                token,
                await self._keys.find(kid),
                algorithms=[ALGORITHM],
                issuer=self._settings.jwt_issuer,
                audience=self._settings.jwt_audience,
                options={"require": ["exp", "iat", "sub", "iss", "aud"], "verify_exp": False, "verify_iat": False},
            )
            self._check_times(claims)
            return Principal(UUID(claims["sub"]), Role(claims["role"]), claims["username"], UUID(claims["sid"]))
        except jwt.ExpiredSignatureError as error:
            message = Text("The access token has expired; exchange the refresh token at POST /api/auth/refresh.")
            raise InvalidToken(message) from error
        except (jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
            message = Text("The access token is not valid for this service; sign in again.")
            raise InvalidToken(message) from error

    def _check_times(self, claims: dict[str, Any]) -> None:
        # Against our own clock, so that tests and replays decide by the same time as everything else.
        now = self._clock.now().timestamp()
        if now > float(claims["exp"]) + LEEWAY_SECONDS:
            raise jwt.ExpiredSignatureError
        if now < float(claims["iat"]) - LEEWAY_SECONDS:
            raise jwt.ImmatureSignatureError

    async def confirm(self, principal: Principal, *, at_most_old: timedelta = timedelta(0)) -> Principal:
        """The person as the database knows them: a token tells what was true when it was issued.

        An answer of the last `at_most_old` is good enough; a personal access token was looked up with this request.
        Raises SessionEnded after a sign-out or a revocation, AccountSuspended during a suspension.
        """
        if principal.scopes is not None:
            return principal
        now = self._clock.now()
        known = self._confirmed.get(principal.session)
        if known is not None and now - known[0] < at_most_old:
            return replace(principal, role=known[1], locale=known[2])
        role, locale = await self._current(principal)
        if len(self._confirmed) >= _MAX_CONFIRMED:
            self._confirmed.clear()
        # What is confirmed for a write may be about to change it: whoever chooses a language sees the next page in it.
        self._confirmed[principal.session] = (now, role, locale if at_most_old else None)
        return replace(principal, role=role, locale=locale)

    async def _current(self, principal: Principal) -> tuple[Role, str]:
        values = {"person": principal.user_id, "session": principal.session}
        async with self._database.single_read() as connection:
            row = (await connection.execute(_CURRENT, values)).one_or_none()
        if row is not None and row.suspended_at is not None:
            message = Text("This account is suspended; ask an administrator.")
            raise AccountSuspended(message)
        if row is None or row.ended:
            message = Text("This sign-in has ended; sign in again.")
            raise SessionEnded(message)
        return Role(row.role), row.locale


class TokenSigner:
    """Issues access tokens."""

    def __init__(self, keys: PrivateKeys, settings: TokenSettings, clock: Clock) -> None:
        self._keys = keys
        self._settings = settings
        self._clock = clock

    async def issue(self, session: Session) -> dict[str, object]:
        """The token answer of a sign-in (RFC 6749 §5.1); raises NoSigningKey before the first key was made."""
        kid, private = await self._keys.active()
        now = self._clock.now()
        lifetime = self._settings.access_token_seconds
        claims = {
            "iss": self._settings.jwt_issuer,
            "aud": self._settings.jwt_audience,
            "sub": str(session.user_id),
            "iat": now,
            "exp": now + timedelta(seconds=lifetime),
            "jti": uuid7().hex,
            "sid": str(session.family),
            "role": session.role.value,
            "username": session.username,
        }
        return {
            "access_token": jwt.encode(claims, private, algorithm=ALGORITHM, headers={"kid": kid}),
            "refresh_token": session.refresh_token,
            "token_type": "Bearer",
            "expires_in": lifetime,
        }

    async def check_ready(self) -> None:
        """Fetch and keep what `issue` needs; raises what it would raise."""
        await self._keys.active()
