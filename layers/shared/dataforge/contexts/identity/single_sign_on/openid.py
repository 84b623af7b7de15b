"""Asking sign-in providers: OpenID Connect Core 1.0, authorization code flow, with PKCE (RFC 7636).

Administrators enter where a provider is, and the provider says where its other addresses are, so each of them is asked
through `platform.outgoing`: public hosts only, no redirects, bounded in size and time. authlib builds the requests and
checks the claims, joserfc the signature; both are imported with the first sign-in.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import orjson

from dataforge.contexts.identity.single_sign_on.domain import (
    SUBJECT_MAX,
    Claims,
    Journey,
    Provider,
    ProviderAnswer,
    ProviderUnavailable,
    SignInRefused,
)
from dataforge.kernel.clock import Clock
from dataforge.kernel.texts import Text
from dataforge.platform.observability import logger
from dataforge.platform.outgoing import AddressForbidden, Answer, NoAnswer, check_url, send

if TYPE_CHECKING:
    from joserfc.jwk import Key
    from joserfc.jwt import Token

ONE_SECONDS, ALL_SECONDS = 5.0, 12.0  # of one request, and of all for one step of a sign-in
FRESH_SECONDS = timedelta(hours=1).total_seconds()
FAILED_SECONDS = 5.0  # for how long a document that could not be had is not asked for again
LEEWAY_SECONDS = 60
SCOPES = "openid email profile"
MAX_BYTES = 64 * 1024
# Signatures that only the provider can make: neither `none`, nor those of a secret that both know.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
# RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6; what else stands there is not ours to repeat.
_ERRORS = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    }
)
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider says of itself (OpenID Connect Discovery §3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    posts_secret: bool
    names_itself: bool  # in every answer (RFC 9207 §3)


class OpenIdClient:
    """Asks providers, and keeps for an hour what they say of themselves and their keys."""

    def __init__(self, clock: Clock, *, private: bool) -> None:
        self._clock = clock
        self._private = private
        self._documents: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._failures: dict[str, tuple[float, str]] = {}

    async def metadata(self, issuer: str) -> Metadata:
        """What the provider says of itself; raises ProviderUnavailable."""
        address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        async with _in_time(issuer):
            found = await self._document(address)
        return self._checked(issuer, found)

    async def authorization_address(self, provider: Provider, journey: Journey) -> str:
        """Where the browser is sent to; raises ProviderUnavailable."""
        metadata = await self.metadata(provider.issuer)
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        address: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            provider.client_id,
            "code",
            redirect_uri=journey.redirect_uri,
            scope=SCOPES,
            state=journey.state,
            nonce=journey.nonce,
            code_challenge=create_s256_code_challenge(journey.verifier),  # type: ignore[no-untyped-call]  # authlib
            code_challenge_method="S256",
        )
        return address

    async def claims(self, provider: Provider, secret: str | None, journey: Journey, answer: ProviderAnswer) -> Claims:
        """Who came back; raises ProviderUnavailable, and SignInRefused for whatever does not hold."""
        async with _in_time(provider.issuer):
            metadata = await self.metadata(provider.issuer)
            if (answer.issuer or metadata.names_itself) and answer.issuer != provider.issuer:
                raise _refused(provider, Text("it names another issuer"))
            if answer.error or not answer.code:
                known = answer.error if answer.error in _ERRORS else Text("no code")
                message = Text("{name} did not sign you in ({known}).", name=provider.name, known=known)
                raise SignInRefused(message)
            tokens = await self._exchange(provider, secret, journey, metadata, answer.code)
            token = await self._verified(provider, str(tokens.get("id_token") or ""), metadata)
            self._check(provider, token, journey, str(tokens.get("access_token") or ""))
            found = dict(token.claims)
            if "email" not in found and metadata.userinfo_endpoint and tokens.get("access_token"):
                found = {**await self._userinfo(metadata, str(tokens["access_token"]), found["sub"]), **found}
        return Claims(
            provider.issuer,
            found["sub"],
            email=_text(found.get("email")),
            email_verified=found.get("email_verified") is True,
            name=_text(found.get("name")) or _text(found.get("preferred_username")),
        )

    async def _exchange(
        self, provider: Provider, secret: str | None, journey: Journey, metadata: Metadata, code: str
    ) -> Mapping[str, Any]:
        from authlib.oauth2.auth import ClientAuth
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        body = prepare_token_request(
            "authorization_code", code=code, redirect_uri=journey.redirect_uri, code_verifier=journey.verifier
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if secret is None:
            auth = ClientAuth(provider.client_id, "", "none")
        elif metadata.posts_secret:
            auth = ClientAuth(provider.client_id, secret, "client_secret_post")
        else:
            # authlib leaves out the encoding that RFC 6749 §2.3.1 asks for.
            auth = ClientAuth(quote_plus(provider.client_id), quote_plus(secret), "client_secret_basic")
        uri, headers, body = auth.prepare("POST", metadata.token_endpoint, headers, body)  # type: ignore[no-untyped-call]  # authlib
        answer = await self._ask("POST", uri, headers, body.encode())
        given = _parsed(answer)
        if answer.status == 200 and given is not None:
            return given
        error = _text((given or {}).get("error"))
        if error == "invalid_grant":
            raise _refused(provider, Text("the code was not accepted"))
        message = Text(
            "{name} did not complete the sign-in. Use your password, or try again later.", name=provider.name
        )
        logger.warning("sign-in provider refused us", issuer=provider.issuer, status=answer.status, error=error[:100])
        raise ProviderUnavailable(message)

    async def _verified(self, provider: Provider, id_token: str, metadata: Metadata) -> "Token":
        """The token with a signature that the provider has made; keys that are not known yet are asked for once."""
        for fresh in (False, True):
            keys = await self._document(metadata.jwks_uri, fresh=fresh)
            for key in _candidates(keys, id_token):
                token = _signed(id_token, key)
                if token is not None:
                    return token
        raise _refused(provider, Text("the signature of the id token is not one of the provider's"))

    def _check(self, provider: Provider, token: "Token", journey: Journey, access_token: str) -> None:
        """OpenID Connect Core §3.1.3.7; the signature was checked."""
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        claims = CodeIDToken(
            token.claims,
            token.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
                "sub": {"essential": True},
            },
            {"nonce": journey.nonce, "client_id": provider.client_id, "access_token": access_token or None},
        )
        try:
            claims.validate(now=int(self._clock.now().timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, TypeError, ValueError) as error:
            # Names the claim, and has nothing of its value.
            raise _refused(provider, Text("its id token is not valid ({error})", error=str(error)[:100])) from error
        subject, nonce = token.claims["sub"], token.claims["nonce"]
        if not 0 < len(subject) <= SUBJECT_MAX or "\0" in subject or not isinstance(nonce, str):
            raise _refused(provider, Text("the id token has no usable subject"))
        if not compare_digest(nonce.encode(), journey.nonce.encode()):
            raise _refused(provider, Text("the id token has another nonce"))

    async def _userinfo(self, metadata: Metadata, access_token: str, subject: str) -> Mapping[str, Any]:
        """More claims of the same person (OpenID Connect Core §5.3); none if the provider gives none."""
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        answer = await self._ask("GET", metadata.userinfo_endpoint, headers)
        found = _parsed(answer) or {}
        return found if answer.status == 200 and found.get("sub") == subject else {}

    async def _document(self, address: str, *, fresh: bool = False) -> Mapping[str, Any]:
        """A JSON document of the provider, at most an hour old; an older one rather than none."""
        at, known = self._documents.get(address, (0.0, None))
        if known is not None and not fresh and time.monotonic() - at < FRESH_SECONDS:
            return known
        try:
            found = await self._fetched(address)
        except ProviderUnavailable:
            if known is None or fresh:
                raise
            return known
        self._documents[address] = time.monotonic(), found
        return found

    async def _fetched(self, address: str) -> Mapping[str, Any]:
        """The document as it is now; raises ProviderUnavailable, for a while without asking again."""
        at, failure = self._failures.get(address, (0.0, ""))
        if failure and time.monotonic() - at < FAILED_SECONDS:
            raise ProviderUnavailable(failure)
        try:
            answer = await self._ask("GET", address, {"Accept": "application/json"})
            found = _parsed(answer) if answer.status == 200 else None
            if found is None:
                raise _unavailable(address, Text("it answered {status} without a JSON document", status=answer.status))
        except ProviderUnavailable as error:
            self._failures[address] = time.monotonic(), error.detail
            raise
        self._failures.pop(address, None)
        return found

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        try:
            return await send(
                method,
                url,
                headers=headers,
                body=body,
                private=self._private,
                most_bytes=MAX_BYTES,
                seconds=ONE_SECONDS,
            )
        except (AddressForbidden, NoAnswer) as error:
            raise _unavailable(url, str(error)) from error

    def _checked(self, issuer: str, found: Mapping[str, Any]) -> Metadata:
        if found.get("issuer") != issuer:
            raise _unavailable(issuer, Text("calls itself {text}", text=_text(found.get("issuer"))[:200]))
        endpoints = {name: _text(found.get(name)) for name in (*_ENDPOINTS, "userinfo_endpoint")}
        try:
            for name, address in endpoints.items():
                if address or name in _ENDPOINTS:
                    check_url(address, private=self._private)
        except AddressForbidden as error:
            raise _unavailable(issuer, f"{name} {error}") from error
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        posts = "client_secret_post" in methods and "client_secret_basic" not in methods
        named = found.get("authorization_response_iss_parameter_supported") is True
        return Metadata(**endpoints, posts_secret=posts, names_itself=named)


@asynccontextmanager
async def _in_time(issuer: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ALL_SECONDS):
            yield
    except TimeoutError as error:
        raise _unavailable(
            issuer, Text("No answer within {all_seconds:.0f} seconds", all_seconds=ALL_SECONDS)
        ) from error


def _unavailable(address: str, reason: str) -> ProviderUnavailable:
    logger.warning("sign-in provider unavailable", address=address, reason=reason)
    message = Text(
        "The sign-in provider does not answer as it should ({reason}). Use your password, or try again later.",
        reason=reason,
    )
    return ProviderUnavailable(message)


def _refused(provider: Provider, reason: str) -> SignInRefused:
    logger.warning("sign-in at a provider refused", issuer=provider.issuer, reason=reason)
    message = Text("The answer of {name} cannot be trusted: {reason}. Begin again.", name=provider.name, reason=reason)
    return SignInRefused(message)


def _parsed(answer: Answer) -> dict[str, Any] | None:
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _text(value: object) -> str:
    """A claim as text that PostgreSQL can keep."""
    return value.replace("\0", "") if isinstance(value, str) else ""


def _candidates(key_set: Mapping[str, Any], id_token: str) -> Iterator["Key"]:
    """Keys for signatures that the token's header allows: the one it names, else each."""
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry
    from joserfc.jws import extract_compact

    try:
        header = extract_compact(id_token.encode()).headers()
    except (JoseError, ValueError):
        return
    given = key_set.get("keys")
    for item in given if isinstance(given, list) else []:
        if not isinstance(item, dict) or item.get("use", "sig") != "sig" or item.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        if "kid" in header and item.get("kid") != header["kid"]:
            continue
        try:
            yield JWKRegistry.import_key(item)
        except (JoseError, ValueError, TypeError):
            continue


def _signed(id_token: str, key: "Key") -> "Token | None":
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        return jwt.decode(id_token, key, algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError):
        return None
