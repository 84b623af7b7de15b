"""A small provider of OpenID Connect over real HTTP, which does as it is told: also what no provider should.

Codes are good once, for the client, the redirect URI and the verifier they were asked with (RFC 7636 §4.6).
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dataforge.kernel.clock import Clock
from tests.builders.server import ServedApp

CLIENT_ID, CLIENT_SECRET = "dataforge", "s3cret: with & and %"


def new_key(kid: str) -> ECKey:
    """A key to sign with."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


class OidcProvider:
    """People by subject, and what each test changes of an honest answer."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.people: dict[str, dict[str, Any]] = {}
        self.key = new_key("first")
        self.published: list[dict[str, Any]] = [self.key.as_dict(private=False)]
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.headers: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self._sign
        self.answer: dict[str, str] = {}
        self.token_answer: Response | None = None
        self.email_in_token = True
        self.broken = False
        self.delays: dict[str, float] = {}
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: dict[str, str] = {}
        self.issuer = ""

    @contextmanager
    def served(self) -> Iterator["OidcProvider"]:
        """Answer on a port of the loopback interface until the block ends."""
        handlers = {
            "/.well-known/openid-configuration": self._configuration,
            "/authorize": self._authorize,
            "/token": self._token,
            "/jwks": self._jwks,
            "/userinfo": self._userinfo,
            "/favicon.ico": self._icon,
        }
        app = Starlette(
            routes=[Route(path, self._noted(handler), methods=["GET", "POST"]) for path, handler in handlers.items()]
        )
        with ServedApp(app) as server:
            self.issuer = server.url
            yield self

    def approve(self, address: str, subject: str) -> dict[str, str]:
        """The person signs in: what the browser brings back, as the query of the return address."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_urlsafe(16)
        self._codes[code] = {**query, "sub": subject}
        given = {"code": code, "state": query["state"], **self.answer}
        return {name: value for name, value in given.items() if value}

    def _noted(self, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def noted(request: Request) -> Response:
            self.asked.append(request.url.path)
            await asyncio.sleep(self.delays.get(request.url.path, 0))
            if self.broken:
                return Response(status_code=500)
            response: Response = await handler(request)
            return response

        return noted

    async def _configuration(self, _: Request) -> Response:
        base = self.issuer
        return JSONResponse(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/jwks",
                "userinfo_endpoint": f"{base}/userinfo",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                **self.metadata,
            }
        )

    async def _authorize(self, request: Request) -> Response:
        """A page with a button for each person."""
        if request.method == "GET":
            buttons = "".join(f'<button name="sub" value="{sub}">Sign in as {sub}</button>' for sub in self.people)
            page = f'<!doctype html><html lang="en"><title>Campus</title><form method="post">{buttons}</form></html>'
            return HTMLResponse(page)
        sub = parse_qs((await request.body()).decode())["sub"][0]
        query = self.approve(str(request.url), sub)
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{urlencode(query)}", status_code=303)

    async def _token(self, request: Request) -> Response:
        if self.token_answer is not None:
            return self.token_answer
        given = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if not self._knows_client(request, given):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        asked = self._codes.pop(given.get("code", ""), None)
        if asked is None or not self._belongs(asked, given):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        access_token = secrets.token_urlsafe(16)
        self._tokens[access_token] = asked["sub"]
        now = int(self.clock.now().timestamp())
        person = self.people[asked["sub"]] if self.email_in_token else {}
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": asked["sub"],
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **person,
            **self.claims,
        }
        id_token = self.sign({name: value for name, value in claims.items() if value is not None})
        return JSONResponse({"access_token": access_token, "token_type": "Bearer", "id_token": id_token})

    def _knows_client(self, request: Request, given: dict[str, str]) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
            return (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)
        if "none" in self.metadata.get("token_endpoint_auth_methods_supported", []):
            return given.get("client_id") == CLIENT_ID
        return (given.get("client_id"), given.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)

    def _belongs(self, asked: dict[str, str], given: dict[str, str]) -> bool:
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        return (
            asked["code_challenge_method"] == "S256"
            and _base64url(digest) == asked["code_challenge"]
            and given.get("redirect_uri") == asked["redirect_uri"]
        )

    async def _jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": self.published})

    async def _userinfo(self, request: Request) -> Response:
        sub = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        return JSONResponse({"sub": sub, **self.people[sub]} if sub else {}, status_code=200 if sub else 401)

    async def _icon(self, _: Request) -> Response:
        return Response(status_code=204)

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "ES256", "kid": self.key.kid, **self.headers}, claims, self.key)

    def rotate(self) -> None:
        """Sign with another key from now on, and publish it alone."""
        self.key = new_key(secrets.token_hex(4))
        self.published = [self.key.as_dict(private=False)]


def unsigned(claims: dict[str, Any]) -> str:
    """A token without a signature (`alg` none, RFC 7519 §6)."""
    return f"{_encoded({'alg': 'none'})}.{_encoded(claims)}."


def signed_with_secret(claims: dict[str, Any], secret: bytes, kid: str) -> str:
    """A token with an HMAC (HS256); made by hand, since no library makes one of a public key."""
    signed = f"{_encoded({'alg': 'HS256', 'kid': kid})}.{_encoded(claims)}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64url(mac)}"


def _encoded(part: dict[str, Any]) -> str:
    return _base64url(json.dumps(part).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
