"""Access tokens: JWTs signed with ES256 (RFC 7518 §3.4), and the keys they are signed and checked with.

Whoever checks needs the public keys of `identity.signing_keys` only; `TokenSigner` alone reads the private ones.
"""

import asyncio
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import jwt
from sqlalchemy import insert, select, text, update

from dataforge.contexts.identity.domain import AccountSuspended, InvalidToken, NoSigningKey, Session, SessionEnded
from dataforge.contexts.identity.tables import signing_keys
from dataforge.kernel.clock import Clock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Principal, Role
from dataforge.platform.aws.secrets import JsonSecrets
from dataforge.platform.db.database import Database

ALGORITHM = "ES256"
_LEEWAY_SECONDS = 30
_KEYS_SECONDS = 300  # how long public keys are kept before they are read again
_MAX_CONFIRMED = 10_000  # sessions whose last confirmation is remembered
# Text, because every write pays for it: building the expression costs as much as executing it.
_CURRENT = text(
    "SELECT u.role, u.suspended_at, EXISTS (SELECT FROM identity.refresh_tokens t "
    "WHERE t.family = :session AND t.revoked_at IS NOT NULL) AS ended FROM identity.users u WHERE u.id = :person"
)
_UNKNOWN_KID_SECONDS = 10  # how often an unknown kid may cause a read, so that forged tokens cannot flood the database


class TokenSettings(Protocol):
    """The settings tokens are checked by."""

    @property
    def jwt_issuer(self) -> str: ...
    @property
    def jwt_audience(self) -> str: ...
    @property
    def access_token_seconds(self) -> int: ...


class SigningSettings(TokenSettings, Protocol):
    """With where the private keys are."""

    @property
    def signing_keys_secret_arn(self) -> str: ...


class PublicKeys:
    """The public keys in `identity.signing_keys`, active and retiring, kept for five minutes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._read_at = float("-inf")
        self._asked_at = float("-inf")  # when an unknown kid last caused a read

    async def load(self, *, fresh: bool = False) -> dict[str, Any]:
        """Keys by kid, newest first: `{jwk, state, key}`."""
        if fresh or time.monotonic() - self._read_at > _KEYS_SECONDS:
            now = self._clock.now()
            async with self._database.read_only() as connection:
                rows = (await connection.execute(select(signing_keys).where(signing_keys.c.state != "retired"))).all()
            self._keys = {
                row.kid: {"jwk": row.public_jwk, "state": row.state, "key": jwt.PyJWK(row.public_jwk).key}
                for row in sorted(rows, key=lambda row: row.created_at, reverse=True)
                if row.not_after is None or row.not_after > now
            }
            self._read_at = time.monotonic()
        return self._keys

    async def find(self, kid: str) -> Any:  # noqa: ANN401 - a key object of the cryptography package
        """The key of a token's `kid`; raises InvalidKeyError."""
        keys = await self.load()
        if kid not in keys and time.monotonic() - self._asked_at > _UNKNOWN_KID_SECONDS:
            self._asked_at = time.monotonic()
            keys = await self.load(fresh=True)
        if kid not in keys:
            raise jwt.InvalidKeyError
        return keys[kid]["key"]

    async def active(self) -> str | None:
        """The kid that signs now."""
        return next((kid for kid, key in (await self.load()).items() if key["state"] == "active"), None)

    def forget(self) -> None:
        """Read them again at the next use."""
        self._read_at = float("-inf")


class TokenVerifier:
    """Tells whose access token it is, and what that person may still do."""

    def __init__(self, database: Database, keys: PublicKeys, settings: TokenSettings, clock: Clock) -> None:
        self._database = database
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._confirmed: dict[UUID | None, tuple[datetime, Role]] = {}

    async def authenticate(self, token: str) -> Principal:
        """The principal of a valid token; raises InvalidToken for a forged, expired or foreign one."""
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
            message = "The access token has expired; exchange the refresh token at POST /api/auth/refresh."
            raise InvalidToken(message) from error
        except (jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
            message = "The access token is not valid for this service; sign in again."
            raise InvalidToken(message) from error

    def _check_times(self, claims: dict[str, Any]) -> None:
        # Against our own clock, so that tests and replays decide by the same time as everything else.
        now = self._clock.now().timestamp()
        if now > float(claims["exp"]) + _LEEWAY_SECONDS:
            raise jwt.ExpiredSignatureError
        if now < float(claims["iat"]) - _LEEWAY_SECONDS:
            raise jwt.ImmatureSignatureError

    async def confirm(self, principal: Principal, *, at_most_old: timedelta = timedelta(0)) -> Principal:
        """The person as the database knows them: a token tells what was true when it was issued.

        An answer of the last `at_most_old` is good enough. Raises SessionEnded after a sign-out or a revocation,
        AccountSuspended during a suspension.
        """
        now = self._clock.now()
        known = self._confirmed.get(principal.session)
        if known is not None and now - known[0] < at_most_old:
            return replace(principal, role=known[1])
        role = await self._current_role(principal)
        if len(self._confirmed) >= _MAX_CONFIRMED:
            self._confirmed.clear()
        self._confirmed[principal.session] = (now, role)
        return replace(principal, role=role)

    async def _current_role(self, principal: Principal) -> Role:
        values = {"person": principal.user_id, "session": principal.session}
        async with self._database.single_read() as connection:
            row = (await connection.execute(_CURRENT, values)).one_or_none()
        if row is not None and row.suspended_at is not None:
            message = "This account is suspended; ask an administrator."
            raise AccountSuspended(message)
        if row is None or row.ended:
            message = "This sign-in has ended; sign in again."
            raise SessionEnded(message)
        return Role(row.role)

    async def jwks(self) -> dict[str, object]:
        """The JSON Web Key Set (RFC 7517 §5): active and retiring keys."""
        return {"keys": [key["jwk"] for key in (await self._keys.load()).values()]}


class TokenSigner:
    """Issues access tokens and rotates the keys; private keys live in Secrets Manager."""

    def __init__(
        self, database: Database, keys: PublicKeys, secrets: JsonSecrets, settings: SigningSettings, clock: Clock
    ) -> None:
        self._database = database
        self._keys = keys
        self._secrets = secrets
        self._settings = settings
        self._secret_arn = settings.signing_keys_secret_arn
        self._clock = clock

    async def issue(self, session: Session) -> dict[str, object]:
        """The token answer of a sign-in (RFC 6749 §5.1); raises NoSigningKey before the first key was made."""
        kid, private = await self._active_key()
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
        await self._active_key()

    async def _active_key(self) -> tuple[str, str]:
        active = await self._keys.active()
        private = (await self._private_keys(active)).get(active) if active else None
        if active is None or private is None:
            message = "There is no signing key yet; the operator makes one with the command rotate_signing_keys."
            raise NoSigningKey(message)
        return active, private

    async def _private_keys(self, active: str) -> dict[str, str]:
        keys = (await asyncio.to_thread(self._secrets.read, self._secret_arn)).get("keys", {})
        if active not in keys:  # rotated since the secret was cached
            keys = (await asyncio.to_thread(self._secrets.read, self._secret_arn, fresh=True)).get("keys", {})
        return dict(keys)

    async def rotate(self) -> str:
        """Make a new active key; the old one stays valid until every token it signed has expired. Returns the kid."""
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        kid = uuid7().hex
        jwk = jwt.get_algorithm_by_name(ALGORITHM).to_jwk(private.public_key(), as_dict=True)
        jwk = {**jwk, "kid": kid, "alg": ALGORITHM, "use": "sig"}
        now = self._clock.now()
        until = now + timedelta(seconds=self._settings.access_token_seconds + 2 * _LEEWAY_SECONDS + _KEYS_SECONDS)
        async with self._database.transaction() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(4022)"))
            retired = (signing_keys.c.state == "retiring") & (signing_keys.c.not_after < now)
            await connection.execute(update(signing_keys).where(retired).values(state="retired"))
            active = signing_keys.c.state == "active"
            await connection.execute(update(signing_keys).where(active).values(state="retiring", not_after=until))
            await connection.execute(
                insert(signing_keys).values(kid=kid, public_jwk=jwk, state="active", created_at=now)
            )
            kept = set(await connection.scalars(select(signing_keys.c.kid).where(signing_keys.c.state != "retired")))
            # The secret is written before the commit: a public key without its private half must never become active.
            known = await asyncio.to_thread(self._secrets.read, self._secret_arn, fresh=True)
            private_keys = {name: value for name, value in known.get("keys", {}).items() if name in kept}
            await asyncio.to_thread(self._secrets.write, self._secret_arn, {"keys": {**private_keys, kid: pem}})
        self._keys.forget()
        return kid

    async def ensure_key(self) -> str:
        """The active key's kid; makes another when there is none, or when its private half is gone."""
        self._keys.forget()
        active = await self._keys.active()
        private = (await asyncio.to_thread(self._secrets.read, self._secret_arn, fresh=True)).get("keys", {})
        return active if active is not None and active in private else await self.rotate()
